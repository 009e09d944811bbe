/**
 * What a schedule remembers of one slot, and whether a new key is due there: by time, by count, because there is none, or because
 * the two sides may not have the same one. Pure; who asks, and what is waited for, is not decided here.
 */
import type { KeySlot } from "../../guard/KeyRing.ts"
import type { KeySettings } from "../../guard/KeySettings.ts"

const DAY_MINUTES = 1440

/** What is seen of a slot at one look. */
export interface KeyLook {
  readonly slot: KeySlot
  /** Messages under its current key since the start, both ways. */
  readonly used: number
  /** Monotonic milliseconds, milliseconds since the epoch, and the minute of the day in the link's time zone. */
  readonly now: number
  readonly wallMs: number
  readonly minute: number
}

/** See above. Look at each second, then ask whether a key is due. */
export class KeyWatch {
  /** Not before this monotonic millisecond is a key asked for again. */
  notBefore = 0
  /**
   * The partner's answer brings keys, and the last one may not have come: it may use others than we do. So it is at a start, too,
   * for the last run may have ended between the answer and the disk.
   */
  isUnsure: boolean
  private version: number
  private minute = -1
  private minuteBefore = -1
  /** Monotonic milliseconds of the first look at this version, and what had been under it and had fitted it until then. */
  private since: number
  private used = 0
  private fitted = 0
  /** How many had fitted the key before when the partner should have had the new one; -1: not so long yet. */
  private previous = -1

  constructor({ giver, exchange }: KeySettings, { current, version }: KeySlot, now: number) {
    this.isUnsure = giver === "partner" && exchange.deliver === undefined && current !== undefined
    this.version = version
    this.since = now
  }

  /** Takes a look; `waitMs` after a change the partner should have the new key. */
  look({ minute, now, slot, used }: KeyLook, waitMs: number): void {
    this.minuteBefore = this.minute
    this.minute = minute
    if (this.version !== slot.version) {
      this.version = slot.version
      this.since = now
      this.used = used
      this.fitted = slot.fittedCurrent
      this.previous = -1
    }
    if (this.previous < 0 && now - this.since >= waitMs) this.previous = slot.fittedPrevious
  }

  /** Why a new key is due, as the end of a sentence; `undefined`: none is. */
  due({ slot, used, wallMs }: KeyLook, { atMinute, everyMs, messages, whenNone }: KeySettings["schedule"]) {
    if (slot.isOffered) return "the partner has not acknowledged the key that it was given"
    if (slot.current === undefined) return whenNone ? "the link has none" : undefined
    if (this.isUnsure) return "the partner's last answer may not have come, and it brings keys"
    if (this.isBehind(slot)) return "the partner goes on with the key before"
    if (everyMs !== undefined && wallMs - slot.changedAt >= everyMs) return "by schedule: it is old"
    if (messages !== undefined && used - this.used >= messages) return `after ${used - this.used} messages`
    if (atMinute === undefined || this.minuteBefore < 0) return undefined
    const passed = (this.minute - this.minuteBefore + DAY_MINUTES) % DAY_MINUTES
    const since = (this.minute - atMinute + DAY_MINUTES) % DAY_MINUTES
    return passed > 0 && since < passed ? "by schedule: it is the time of day" : undefined
  }

  /** The partner has had its time, and only the key before fits what it sends: our answer to the new one may not have come. */
  private isBehind({ fittedCurrent, fittedPrevious, previous }: KeySlot): boolean {
    return (
      previous !== undefined && this.previous >= 0 && fittedCurrent === this.fitted && fittedPrevious > this.previous
    )
  }
}
