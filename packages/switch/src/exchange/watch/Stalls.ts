/**
 * When the switch stood still: its disk confirmed nothing although something waited for it, or the process itself did not run.
 * What partners saw of that were answers that came late, and somebody will ask. Pure.
 */

/** Shorter ones are a busy machine's, in milliseconds. */
const STALL_MS = 1000

/** What stood still. */
export type Stalled = "disk" | "process"

/** One of them; times are monotonic milliseconds. */
export interface Stall {
  readonly what: Stalled
  readonly from: number
  readonly ms: number
}

/** Since the start. */
export interface StallStatus {
  readonly count: number
  /** The one that is under way or was last, and the longest. */
  readonly last: Stall
  readonly longest: Stall
}

/** Looks at the clock and at the disk with every tick of the deadline fiber. */
export class Stalls {
  private count = 0
  private last: Stall | undefined
  private longest: Stall | undefined
  private tickedAt: number
  /** Since when the disk has confirmed nothing, 0: nothing waits for it; and what it had confirmed then. */
  private waitsSince = 0
  private confirmed = 0
  private isUnderWay = false

  constructor(now: number) {
    this.tickedAt = now
  }

  /** What there was so far; `undefined`: nothing. */
  get status(): StallStatus | undefined {
    const { count, last, longest } = this
    return last === undefined || longest === undefined ? undefined : { count, last, longest }
  }

  /**
   * A tick: `confirmed` is the last entry on disk, `pending` are on their way there. Returns a stall that has just ended, to be
   * noted.
   */
  tick(now: number, confirmed: number, pending: number): Stall | undefined {
    const silent = now - this.tickedAt
    const from = this.tickedAt
    this.tickedAt = now
    if (silent >= STALL_MS) {
      // The disk had no chance to be heard meanwhile.
      this.waitsSince = 0
      this.isUnderWay = false
      return this.over({ what: "process", from, ms: silent })
    }
    if (this.waitsSince > 0 && (pending === 0 || confirmed > this.confirmed)) {
      const ms = now - this.waitsSince
      const ended = this.isUnderWay ? this.over({ what: "disk", from: this.waitsSince, ms }) : undefined
      this.isUnderWay = false
      this.waitsSince = 0
      if (ended !== undefined) return ended
    }
    if (pending > 0 && this.waitsSince === 0) {
      this.waitsSince = now
      this.confirmed = confirmed
    }
    if (this.waitsSince > 0 && now - this.waitsSince >= STALL_MS)
      this.going({ what: "disk", from: this.waitsSince, ms: now - this.waitsSince })
    return undefined
  }

  /** One that has not ended: it counts once. */
  private going(stall: Stall): void {
    if (!this.isUnderWay) this.count++
    this.isUnderWay = true
    this.keep(stall)
  }

  private over(stall: Stall): Stall {
    if (!this.isUnderWay) this.count++
    this.keep(stall)
    return stall
  }

  private keep(stall: Stall): void {
    this.last = stall
    if (this.longest === undefined || stall.ms >= this.longest.ms) this.longest = stall
  }
}
