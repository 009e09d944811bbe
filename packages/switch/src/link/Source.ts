/**
 * Where a long link's connections come from, one after the other: a `Dialer` makes them, an `Acceptor` takes them at an address
 * of the link's own or from a `Door`, and `Legs` join two into one.
 */
import type { Effect, Scope } from "effect"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import type { LegStatus } from "./LinkStatus.ts"

/** What an operator sees of it. Times are monotonic milliseconds, 0: none. */
export interface SourceStatus {
  /** Attempts to connect in a row that came to nothing, and when the next is made. */
  readonly attempts: number
  readonly nextAttempt: number
  /** Both legs of a simplex link; `undefined` elsewhere. */
  readonly legs: ReadonlyArray<LegStatus> | undefined
}

/** One source. */
export interface Source {
  /** Listens for as long as the scope lives, where the partner makes the connections. */
  readonly listen: Effect.Effect<void, ListenFailed, Transport | Scope.Scope>
  /** The next connection. One waits at a time. */
  readonly next: Effect.Effect<Connection, never, Transport>
  /** Work of its own besides that, until interrupted. Left out: none. */
  readonly keep?: Effect.Effect<never, never, Transport>
  /** A door has a connection of the partner. A source that takes none closes it. */
  readonly offer: (connection: Connection) => void
  /** Dials now and not after the pause. False when no pause is running, or when the partner dials. */
  readonly retry: () => boolean
  /** The link is taken away, or comes back. */
  readonly leave: (on: boolean) => void
  /** Its last connection has ended after so many milliseconds: one that did not last counts as a failed attempt. */
  readonly ended: (lastedMs: number) => void
  readonly status: () => SourceStatus
  /** Closes what came in the last moment and belongs to nobody yet. */
  readonly close: () => void
}
