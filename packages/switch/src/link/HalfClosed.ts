/**
 * A connection whose partner has closed its own direction (FIN) and still waits for answers.
 *
 * TCP does not tell a partner that has only finished sending from one that is gone, so the answers are sent. The system of a
 * partner that is gone answers them with a reset, which ends the connection.
 */
import { Effect } from "effect"

/** How often it is looked whether the partner has all that it waits for, in milliseconds. */
const LOOK_MS = 20

/** Waits until nothing is owed any more, and at most `limitMs` milliseconds. */
export const settled = (isOwing: () => boolean, limitMs: number): Effect.Effect<void> => {
  const look: Effect.Effect<void> = Effect.suspend(() =>
    isOwing() ? Effect.andThen(Effect.sleep(LOOK_MS), look) : Effect.void
  )
  return Effect.asVoid(Effect.timeoutOption(look, limitMs))
}
