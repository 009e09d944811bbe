/**
 * The clocks that end one connection: an open frame, a write without progress, the wait for the partner's FIN, the limit of a
 * short one; and how much a partner may leave unread. Pure; all times are monotonic milliseconds, 0: the clock does not run.
 * Watchdog, idle frames, sign-on are elsewhere.
 */
import { Effect } from "effect"
import type { Connection } from "../transport/Transport.ts"
import { LinkEnded, slow } from "./LinkEnded.ts"
import type { SessionClocks } from "./LinkStatus.ts"
import type { LinkSettings } from "./Settings.ts"

/** How long the partner's FIN is waited for after ours, in milliseconds. */
const FINISH_MS = 1000

/** One connection's deadlines. */
export class Deadlines {
  private readonly settings: LinkSettings
  private readonly connection: Connection
  /** Since when a frame is open, and a write is under way. */
  frameSince = 0
  writingSince = 0
  /** The switch has enough work and does not read: silence is ours then, and no clock of the partner runs. */
  isHeld = false
  /** Our half is being closed: what the end is called, and until when the partner's half is waited for. */
  finishing: { readonly ended: LinkEnded; readonly until: number } | undefined
  private limited: { readonly ended: LinkEnded; readonly at: number } | undefined

  constructor(settings: LinkSettings, connection: Connection) {
    this.settings = settings
    this.connection = connection
  }

  /** Our half is being closed from now on; returns until when the partner's half is waited for. */
  finish(ended: LinkEnded, now: number): number {
    this.finishing = { ended, until: now + FINISH_MS }
    return this.finishing.until
  }

  /**
   * A read has left a frame open or none; returns when an open one is due. One that has ended since is no longer the open one.
   */
  framed(isOpen: boolean, now: number): number {
    if (!isOpen) this.frameSince = 0
    else if (this.frameSince === 0) this.frameSince = now
    return isOpen ? this.frameSince + this.settings.frameTimeoutMs : Number.POSITIVE_INFINITY
  }

  /** What we wait for before we go on reading: silence is ours meanwhile, and so is a frame that is open. */
  held(wait: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isHeld = true
      return wait
    })
  }

  /** We go on reading. */
  goOn(now: number): void {
    this.isHeld = false
    if (this.frameSince > 0) this.frameSince = now
  }

  /** The end of a partner that leaves `waiting` bytes unread; `undefined` while that is not too many. */
  overfull(waiting: number): LinkEnded | undefined {
    const { unsentMax } = this.settings
    // Without a write under way the partner has taken everything so far: what a slow disk lets go at once is not its fault.
    if (waiting <= unsentMax || this.writingSince === 0) return undefined
    return slow(this.connection, `more than ${unsentMax} bytes are unsent`)
  }

  /** For the status. */
  get clocks(): Pick<SessionClocks, "writingSince" | "frameSince" | "isHeld"> {
    return { writingSince: this.writingSince, frameSince: this.frameSince, isHeld: this.isHeld }
  }

  /** The connection ends at `at` with `ended`, unless another limit is set before. */
  limit(at: number, ended: LinkEnded): void {
    this.limited = { ended, at }
  }

  /** When the next one is due; infinite when none runs. */
  next(): number {
    const { frameTimeoutMs, writeTimeoutMs } = this.settings
    let due = this.isHeld ? Number.POSITIVE_INFINITY : (this.limited?.at ?? Number.POSITIVE_INFINITY)
    if (this.frameSince > 0 && !this.isHeld) due = Math.min(due, this.frameSince + frameTimeoutMs)
    if (this.writingSince > 0) due = Math.min(due, this.writingSince + writeTimeoutMs)
    if (this.finishing !== undefined) due = Math.min(due, this.finishing.until)
    return due
  }

  /** How the connection ends now, if it does. */
  overdue(now: number): LinkEnded | undefined {
    const { frameTimeoutMs, writeTimeoutMs } = this.settings
    if (this.frameSince > 0 && !this.isHeld && now >= this.frameSince + frameTimeoutMs) {
      return new LinkEnded({ reason: "FrameTimeout", why: `a frame was open for ${frameTimeoutMs} ms` })
    }
    if (this.writingSince > 0 && now >= this.writingSince + writeTimeoutMs) {
      return slow(this.connection, `a write made no progress for ${writeTimeoutMs} ms`)
    }
    if (this.finishing !== undefined && now >= this.finishing.until) return this.finishing.ended
    return this.limited !== undefined && !this.isHeld && now >= this.limited.at ? this.limited.ended : undefined
  }
}
