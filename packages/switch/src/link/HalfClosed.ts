/**
 * A connection whose partner has closed its own direction (FIN) and still waits for answers.
 *
 * TCP does not tell a partner that has only finished sending from one that is gone, so the answers are sent. The system of a
 * partner that is gone answers them with a reset, which ends the connection.
 */
import { Effect } from "effect"
import type { Connection, ConnectionEnded } from "../transport/Transport.ts"

/**
 * How long the reset of a partner that is gone may take to come, in milliseconds. Where our FIN ends the message (until-close)
 * the partner waits as long, so that is shorter.
 */
const RESET_MS = 200
const RESET_BEFORE_FIN_MS = 20

/** Where answers have been written, waits for the reset, and asks for it: fails when the partner was gone when they came. */
export const heard = (
  connection: Connection,
  answers: { readonly size: number },
  isFinAwaited: boolean
): Effect.Effect<void, ConnectionEnded> =>
  Effect.suspend(() =>
    connection.probe === undefined || answers.size === 0
      ? Effect.void
      : Effect.andThen(Effect.sleep(isFinAwaited ? RESET_BEFORE_FIN_MS : RESET_MS), connection.probe)
  )
