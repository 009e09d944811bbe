/**
 * The seam between a partner's program and its links.
 *
 * Owns the two interfaces only. A session (acquirer, issuer) is synchronous and has no clock, socket or timer of its
 * own: it is told what happens and when, which makes it testable with made-up time.
 */
import type { Clock } from "effect"
import type { PartnerMessage } from "../message/PartnerMessage.ts"

/** One connection as a session may use it, for messages of the form `Out`. */
export interface Connection<Out = PartnerMessage> {
  /** Number of the connection within this process, from 1; never used twice. */
  readonly epoch: number
  /** Writes one message on this connection and no other; a message given after the connection fell is discarded. */
  readonly send: (message: Out) => void
  /** Closes it, with FIN unless `how` says otherwise. */
  readonly close: (reason: string, how?: "fin" | "reset") => void
}

/** A partner's program: it reads messages of the form `In` and writes those of the form `Out`. */
export interface Session<In extends object = PartnerMessage, Out = In> {
  readonly linkUp: (connection: Connection<Out>) => void
  readonly linkDown: (connection: Connection<Out>, reason: string) => void
  readonly received: (connection: Connection<Out>, message: In) => void
  /** Called when something is due, and now and then besides. */
  readonly tick: () => void
  /** When the next thing is due that must not be late, monotonic milliseconds; Infinity, or left out: nothing is. */
  readonly nextAt?: () => number
}

/** A session that does something more at every tick. */
export const withTick = (session: Session, more: () => void): Session => ({
  linkUp: (connection) => session.linkUp(connection),
  linkDown: (connection, reason) => session.linkDown(connection, reason),
  received: (connection, message) => session.received(connection, message),
  tick: () => {
    session.tick()
    more()
  },
  nextAt: () => session.nextAt?.() ?? Number.POSITIVE_INFINITY
})

/** The clock as plain functions, for code that runs per message. */
export interface Timepiece {
  /** Milliseconds on the monotonic clock, with fractions: for deadlines and latencies. */
  readonly monotonic: () => number
  /** Milliseconds since 1970: for DE 7, 12, 13 and the history. */
  readonly wall: () => number
}

/** Timepiece of an Effect clock. */
export const timepieceOf = (clock: Clock.Clock): Timepiece => ({
  monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
  wall: () => clock.currentTimeMillisUnsafe()
})
