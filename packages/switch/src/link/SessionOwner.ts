/** What a session needs of the link that it belongs to. All calls are synchronous. */
import type { MessageError, MessageIndex } from "@jinka/codec"
import type { Effect } from "effect"
import type { Language } from "../message/Language.ts"
import type { Lies } from "./Lies.ts"
import type { LinkEnded } from "./LinkEnded.ts"
import type * as LinkState from "./LinkState.ts"
import type { LinkSettings } from "./Settings.ts"

/** One session, as its owner and the switch need to know it. */
export interface SessionEpoch {
  /** The number of its connection. */
  readonly epoch: number
  /** Monotonic milliseconds. */
  readonly lastReceived: number
  /** When what is being worked on arrived, at the earliest; monotonic milliseconds. */
  readonly arrivedAt: number
}

/** The owner of one session after the other (`Link`), or of many at once (`ShortLink`). */
export interface SessionOwner {
  readonly settings: LinkSettings
  readonly language: Language
  readonly isSignedOn: boolean
  /** An operator has signed us off: a new connection does not sign on by itself. */
  readonly isSignedOff: boolean
  /** STAN for the next network management message. */
  readonly nextStan: () => number
  readonly change: (event: LinkState.Event) => void
  /** Whether a network management message passes through the switch and does not end here. */
  readonly passes: (index: MessageIndex) => boolean
  readonly message: (session: SessionEpoch, index: MessageIndex) => void
  /** See `LinkEvents`. */
  readonly guards: (index: MessageIndex) => boolean
  readonly leaving: (message: Buffer, put: (message: Buffer) => void) => void
  /** Messages that spoke for another partner. */
  readonly lies: Lies
  readonly unreadable: (session: SessionEpoch, wrong: MessageError, bytes: Buffer, start: number, end: number) => void
  /** `what` was given up because of `thrown`: see `LinkEvents`. */
  readonly defect: (session: SessionEpoch, what: string, thrown: unknown) => void
  /** So many bytes of the partner are to be worked on: what to wait for until it is its turn; `undefined`: it is. */
  readonly nextTurn: (bytes: number) => Effect.Effect<void> | undefined
  /** All messages of one read were handed over. Returns something to wait for when the switch has enough work. */
  readonly turn: (session: SessionEpoch) => Effect.Effect<void> | undefined
  readonly noted: (text: string) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string) => void
  /**
   * The same for a network management message of the partner: a flood of them is not noted one by one. `isWrong`: somebody should
   * look at it.
   */
  readonly managed: (text: string, isWrong?: boolean) => void
  /** The partner sends no more on this connection: what was sent on it will not be answered. */
  readonly halfClosed: (session: SessionEpoch, ended: LinkEnded) => void
  /** Gives what tells whether the partner still waits for an answer to something that it has sent until now. */
  readonly owing: (session: SessionEpoch) => () => boolean
}
