/**
 * The seam between a partner's program and its links.
 *
 * Owns the two interfaces only. A session (acquirer, issuer) is synchronous and has no clock, socket or timer of its
 * own: it is told what happens and when, which makes it testable with made-up time.
 */
import type { Clock } from "effect"
import type { PartnerMessage } from "../message/PartnerMessage.ts"

/** One connection as a session may use it. */
export interface Connection {
  /** Number of the connection within this process, from 1; never used twice. */
  readonly epoch: number
  /** Writes one message on this connection and no other; a message given after the connection fell is discarded. */
  readonly send: (message: PartnerMessage) => void
  /** Closes it with FIN. */
  readonly close: (reason: string) => void
}

/** A partner's program. */
export interface Session {
  readonly linkUp: (connection: Connection) => void
  readonly linkDown: (connection: Connection, reason: string) => void
  readonly received: (connection: Connection, message: PartnerMessage) => void
  /** Called every few milliseconds. */
  readonly tick: () => void
}

/** A session that does something more at every tick. */
export const withTick = (session: Session, more: () => void): Session => ({
  linkUp: (connection) => session.linkUp(connection),
  linkDown: (connection, reason) => session.linkDown(connection, reason),
  received: (connection, message) => session.received(connection, message),
  tick: () => {
    session.tick()
    more()
  }
})

/** The clock as plain functions, for code that runs per message. */
export interface Timepiece {
  /** Milliseconds on the monotonic clock, with fractions: for deadlines and latencies. */
  readonly monotonic: () => number
  /** Milliseconds since 1970: for F7, F12, F13 and the history. */
  readonly wall: () => number
}

/** Timepiece of an Effect clock. */
export const timepieceOf = (clock: Clock.Clock): Timepiece => ({
  monotonic: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
  wall: () => clock.currentTimeMillisUnsafe()
})
