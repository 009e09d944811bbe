/**
 * Waiting for something that many places can bring about: it is looked at every 20 milliseconds. For what is rare and lasts, such
 * as a drain; what one place knows at once wakes its fiber with a `Bell`.
 */
import { Effect } from "effect"

/** How often it is looked, in milliseconds. */
const LOOK_MS = 20

/** Waits until `isDone`, at most `limitMs` milliseconds. */
export const until = (isDone: () => boolean, limitMs: number): Effect.Effect<void> => {
  const look: Effect.Effect<void> = Effect.suspend(() =>
    isDone() ? Effect.void : Effect.andThen(Effect.sleep(LOOK_MS), look)
  )
  return Effect.asVoid(Effect.timeoutOption(look, limitMs))
}
