/**
 * What a link says of itself, at once and without asking the kernel: plain values for the status. Times are
 * monotonic milliseconds.
 */
import type { Endpoint } from "../transport/Transport.ts"
import type { DoubtStatus } from "./Doubt.ts"
import type { End } from "./EndHistory.ts"
import type { SignOn } from "./LinkState.ts"
import type { NotTakenStatus } from "./TurnedAway.ts"
import type * as Watchdog from "./Watchdog.ts"

/** The clocks of a connection, for the status. Times are monotonic milliseconds, 0: not running. */
export interface SessionClocks {
  readonly watchdog: Watchdog.Phase
  /** A probe is under way. */
  readonly isProbing: boolean
  readonly proofsMissing: number
  /** When the watchdog acts next unless something comes. */
  readonly watchdogDue: number
  /** Bytes were written after the last one came: since when nothing has. */
  readonly unheardSince: number
  /** A write that the kernel has not taken whole: since when. */
  readonly writingSince: number
  /** A frame that has begun and not ended: since when. */
  readonly frameSince: number
  /** We do not read, because the journal lags. */
  readonly isHeld: boolean
}

/** One socket of a link that is up. */
export interface LegStatus {
  /** `both`, or `send` and `receive` of a simplex pair. */
  readonly leg: string
  /** Empty while a leg of a pair is down. */
  readonly local: string
  readonly remote: string
  /** The leg by itself; left out on a link of one connection. */
  readonly simplex?: SimplexLegStatus
}

/** One leg of a simplex pair by itself. Times are monotonic milliseconds, 0: never. */
export interface SimplexLegStatus {
  readonly state: "up" | "waiting for the other leg" | "down" | "connecting" | "listening"
  readonly since: number
  /** Of the last byte in the leg's own direction. */
  readonly lastByte: number
  readonly attempts: number
  readonly nextAttempt: number
  readonly lastEnd: { readonly at: number; readonly why: string } | undefined
}

/** The connections of a short link. */
export interface ShortStatus {
  /** Open now, and being dialled. */
  readonly open: number
  readonly dialling: number
  /** Opened since the start, and in the last whole second. */
  readonly opened: number
  readonly lastSecond: number
}

/** What a connection has carried, or all of a short link's together. Times are monotonic milliseconds, 0: never. */
export interface Carried {
  readonly lastReceived: number
  readonly lastSent: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** Nothing yet. */
export const nothingCarried: Carried = { lastReceived: 0, lastSent: 0, bytesReceived: 0, bytesSent: 0 }

/** What one connection has carried. Its clocks run from its beginning, also before the first byte. */
export const carriedBy = ({ lastReceived, lastSent, bytesReceived, bytesSent }: Carried): Carried => ({
  lastReceived: bytesReceived === 0 ? 0 : lastReceived,
  lastSent: bytesSent === 0 ? 0 : lastSent,
  bytesReceived,
  bytesSent
})

/** Both together. */
export const carriedByBoth = (one: Carried, other: Carried): Carried => ({
  lastReceived: Math.max(one.lastReceived, other.lastReceived),
  lastSent: Math.max(one.lastSent, other.lastSent),
  bytesReceived: one.bytesReceived + other.bytesReceived,
  bytesSent: one.bytesSent + other.bytesSent
})

/** What an operator sees of a link; `Carried` of the connection that is up, or of the last one. 0 as a time: never. */
export interface LinkStatus extends Carried {
  /** Milliseconds that the partner's clock is ahead of ours, negative: behind; `undefined`: not known. */
  readonly clockAheadMs: number | undefined
  readonly name: string
  readonly institution: string
  /** One word or two; see `LinkState.phrase`. */
  readonly state: string
  /** Requests may be sent on it; where its partner only calls: its calls are taken. */
  readonly ready: boolean
  readonly blocked: boolean
  readonly draining: boolean
  readonly ours: SignOn
  readonly partners: SignOn
  /** Sign-ons of ours on this connection. */
  readonly signOnAttempts: number
  readonly epoch: number
  readonly local: string
  readonly remote: string
  readonly legs: ReadonlyArray<LegStatus>
  /** When `state` became what it is. */
  readonly since: number
  /** Connections that were not let in; `undefined`: none. */
  readonly turnedAway: NotTakenStatus | undefined
  /** Messages that spoke for another partner, and were refused; `undefined`: none. */
  readonly lies: NotTakenStatus | undefined
  /** The address that it listens on by itself; `undefined`: it dials, or is behind a door. */
  readonly listens: Endpoint | undefined
  /** Attempts to connect in a row that came to nothing, and when the next is made. */
  readonly attempts: number
  readonly nextAttempt: number
  /** Bytes that no write has taken, or the kernel has not. */
  readonly unsent: number
  /** Requests in a row that the partner did not answer. */
  readonly unanswered: DoubtStatus
  /** Connections of a short link; `undefined` on a long one. */
  readonly short: ShortStatus | undefined
  /** `undefined` while it is down. */
  readonly clocks: SessionClocks | undefined
  /** Newest first. */
  readonly ends: ReadonlyArray<End>
}
