/**
 * What a session needs of the link that it belongs to: what the link is, and what changes with a connection. What comes in goes
 * to the switch by `events`. All calls are synchronous.
 */
import type { Language } from "../message/Language.ts"
import type { LinkEnded } from "./LinkEnded.ts"
import type { SessionEpoch, SessionEvents } from "./LinkEvents.ts"
import type * as LinkState from "./LinkState.ts"
import type { PartnerClock } from "./PartnerClock.ts"
import type { LinkSettings } from "./Settings.ts"
import type { Lies } from "./TurnedAway.ts"

/** The owner of one session after the other (`LongLink`), or of many at once (`ShortLink`). */
export interface SessionOwner {
  readonly settings: LinkSettings
  readonly language: Language
  /** How far the partner's clock is from ours. */
  readonly partnerClock: PartnerClock
  readonly events: SessionEvents
  readonly isSignedOn: boolean
  /** An operator has signed us off: a new connection does not sign on by itself. */
  readonly isHeldOff: boolean
  /** STAN for the next network management message. */
  readonly nextStan: () => number
  readonly change: (event: LinkState.Event) => void
  /** Messages that spoke for another partner. */
  readonly lies: Lies
  readonly noted: (text: string) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string) => void
  /**
   * The same for a network management message of the partner, `now` in monotonic milliseconds: a flood of them is not noted one
   * by one. `isWrong`: somebody should look at it.
   */
  readonly managed: (text: string, isWrong: boolean, now: number) => void
  /** The partner sends no more on this connection: what was sent on it will not be answered. */
  readonly halfClosed: (session: SessionEpoch, ended: LinkEnded) => void
}
