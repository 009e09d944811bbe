/** What one link is told by the configuration: plain values, durations in milliseconds. Made by `operate/Configuration`. */
import type { Codec, Dialect, FrameFormat } from "@jinka/codec"
import type { Language, Mark } from "../message/Language.ts"
import type { TlsSettings } from "../transport/Tls.ts"
import type { Endpoint, KeepAlive } from "../transport/Transport.ts"
import type { Limits } from "./Backoff.ts"
import type { AdmissionLimits } from "./door/Admission.ts"
import type { DoorSign } from "./door/Door.ts"

/** What a second connection does while one is up. */
export interface SecondRule {
  /**
   * `refuse`: it is closed at once. `replace`: it takes the place of the first. `challenge`: the first is asked for a sign of
   * life, and replaced only when nothing comes within `challengeMs`.
   */
  readonly second: "refuse" | "replace" | "challenge"
  /** Milliseconds that the first has for its sign of life. Left out: `CHALLENGE_MS`. */
  readonly challengeMs?: number
}

/** Default time for a sign of life, in milliseconds. */
export const CHALLENGE_MS = 5000

/** Who makes the connection. */
export type Side = ConnectSide | ListenSide | DoorSide

/** We connect to an address of the partner. */
export interface ConnectSide {
  readonly _tag: "connect"
  readonly to: Endpoint
  readonly timeoutMs: number
  readonly tls?: TlsSettings | undefined
  readonly keepAlive?: KeepAlive | undefined
}

/** The partner connects to an address of the link's own. */
export interface ListenSide extends SecondRule {
  readonly _tag: "listen"
  readonly at: Endpoint
  readonly tls?: TlsSettings | undefined
  readonly keepAlive?: KeepAlive | undefined
  /** Addresses and networks that may connect; empty: every address. */
  readonly from: ReadonlyArray<string>
  /** Left out: `ownLimits` of Door. */
  readonly limits?: AdmissionLimits
}

/** The partner connects to an address that many links share. */
export interface DoorSide extends SecondRule {
  readonly _tag: "door"
  /** Name of the door. */
  readonly door: string
  /** What the partner is known by there. */
  readonly sign: DoorSign
}

/** Two connections that are one link: one only sends, the other only receives. Each is made by either side. */
export interface LegsSettings {
  readonly _tag: "legs"
  readonly send: Side
  readonly receive: Side
  /** How long one leg may be up without the other, before it is closed and tried again. */
  readonly timeoutMs: number
  /** How long the receiving leg is read for late answers after the sending leg has ended; 0: both end at once. */
  readonly collectMs: number
}

/** How connections are used; docs/concepts/modes.md. */
export const modes = ["async-duplex", "async-simplex", "sync-long", "sync-short", "async-short"] as const
/** One of the five {@link modes}. */
export type Mode = (typeof modes)[number]

/** Settings of a link that opens a connection for each exchange or message. */
export interface ShortSettings {
  /** `async-short` dials here what it sends, and `side` listens. */
  readonly dial: ConnectSide | undefined
  /** A connection that the partner made may carry one request after the other. */
  readonly keep: boolean
  /** Deadline of the first whole message on a connection that the partner made. */
  readonly firstMessageMs: number
  /** A connection on which nothing has come for this long is closed; longer than an answer takes. */
  readonly idleMs: number
  /** Connections that the partner may have open at once. */
  readonly connectionsMax: number
}

/** One link, in full. */
export interface LinkSettings {
  /** Unique name: in the log, in the journal and on the command line. */
  readonly name: string
  /** Names that it had before, in journals of earlier runs; left out: none. */
  readonly formerly?: ReadonlyArray<string> | undefined
  /** The partner's institution code, as it is in headers and in DE 32, 33 and 100. */
  readonly institution: string
  /** Whom the partner's messages may name besides itself; `any`: whomever, as the messages of a network's centre do. */
  readonly speaksFor: ReadonlyArray<string> | "any"
  /** Whether each message is held against that (`Naming`). */
  readonly identity: "checked" | "unchecked"
  /** Where each message says whose it is, behind a door that asks the first one for it. */
  readonly mark?: Mark | undefined
  /** Our own institution code on this link. */
  readonly ourInstitution: string
  readonly dialect: Dialect
  readonly codec: Codec
  /** What its messages mean where they are not of `dialect`. Left out: ISO 8583. */
  readonly language?: Language
  readonly frame: FrameFormat
  readonly side: Side | LegsSettings
  readonly mode: Mode
  /** Given for the short modes, and only for them. */
  readonly short: ShortSettings | undefined
  /** `own`: requests get a STAN of ours on this link, so that callers with equal STANs do not meet. */
  readonly stan: "callers" | "own"
  /** Data elements that tell the callers of this link apart, besides the key of the dialect. */
  readonly callers: ReadonlyArray<number>
  /** Requests above `window` that may wait, and how long at most. 0 places: they are refused at once. */
  readonly waiting: { readonly places: number; readonly waitMs: number }
  readonly signOn: {
    /** We sign on to the partner after connecting. */
    readonly send: boolean
    /** The partner has to sign on to us before its requests are taken. */
    readonly expect: boolean
    /** Waiting time for the answer to ours, or for theirs. */
    readonly timeoutMs: number
    /** Whether the link is used only when ours was accepted. Left out: true. */
    readonly required?: boolean
    /** Attempts on one connection, and milliseconds between two. Left out: one. */
    readonly retries?: { readonly attempts: number; readonly pauseMs: number }
  }
  /** An idle frame goes out when nothing was written for this long; 0: never. */
  readonly idleMs: number
  readonly watchdog: {
    /** Tw of RFC 3539; 0: there is no watchdog (short modes). */
    readonly intervalMs: number
    /** Whether silence is answered with an echo request; without, only what arrives counts. */
    readonly probe: boolean
    /** Probes that a reopened connection must answer before it is used. */
    readonly proofs: number
    /** Requests in a row without an answer after which the partner is asked by a probe. Left out, or 0: never. */
    readonly unanswered?: number
  }
  readonly reconnect: Limits
  /** Requests, advices and reversals a second that the partner may send. Left out: as many as it likes. */
  readonly rateLimit?: number | undefined
  /** Requests outstanding on this link at once. */
  readonly window: number
  /** From the first byte of a frame to its last. */
  readonly frameTimeoutMs: number
  /** Unsent bytes, and milliseconds without progress of one write, after which a slow partner is cut. */
  readonly unsentMax: number
  readonly writeTimeoutMs: number
  /** Milliseconds to add to UTC for DE 7, 12 and 13 of messages that we make. */
  readonly utcOffsetMs: number
}

/** Who makes the connections of a link: one side, or one for each leg. */
export const sidesOf = ({ side }: LinkSettings): ReadonlyArray<Side> =>
  side._tag === "legs" ? [side.send, side.receive] : [side]
