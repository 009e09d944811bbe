/**
 * How long an entry takes to be on disk: what every answer waits for. Little traffic on a slow disk shows in no count of
 * bytes, and nearly every request may end without an answer for it. One entry at a time is followed. Pure.
 */

/** Longer than this is slow, in milliseconds: 5,000 requests a second need 20. */
const SLOW_MS = 500

/** After so long without an entry to follow, nothing is known of the disk. */
const KNOWN_MS = 60_000

/** A tick that comes later than this says nothing of the disk. */
const LATE_MS = 500

/** How long it takes; milliseconds. */
export interface LagStatus {
  /** Of the entry that is followed or was last; 0: nothing is known. */
  readonly ms: number
  /** Since when no entry was quick: how long each has been slow, one after the other. 0: the last was quick. */
  readonly slowMs: number
}

/** Looks at the clock and at the disk with every tick of the deadline fiber. */
export class Lag {
  private seq = 0
  private from = 0
  private tickedAt: number
  private doneAt = 0
  private ms = 0
  /** When the first of the slow ones was written; -1: the last was quick. */
  private slowFrom = -1

  constructor(now: number) {
    this.tickedAt = now
  }

  /** A tick: `confirmed` is the last entry on disk, `pending` are on their way there. */
  tick(now: number, confirmed: number, pending: number): void {
    const isLate = now - this.tickedAt >= LATE_MS
    this.tickedAt = now
    if (this.seq > 0 && isLate) this.seq = 0
    else if (this.seq > 0) this.seen(now, confirmed >= this.seq)
    else if (now - this.doneAt >= KNOWN_MS) {
      this.ms = 0
      this.slowFrom = -1
    }
    if (this.seq > 0 || pending === 0) return
    this.seq = confirmed + pending
    this.from = now
  }

  private seen(now: number, isDone: boolean): void {
    const ms = now - this.from
    const isSlow = ms >= SLOW_MS
    if (isSlow && this.slowFrom < 0) this.slowFrom = this.from
    if (isSlow || isDone) this.ms = ms
    if (!isDone) return
    if (!isSlow) this.slowFrom = -1
    this.doneAt = now
    this.seq = 0
  }

  /** As of the last tick. */
  get status(): LagStatus {
    return { ms: this.ms, slowMs: this.slowFrom < 0 ? 0 : this.tickedAt - this.slowFrom }
  }
}
