/**
 * How far the partner's clock is from ours: by the time that it writes into requests of its own, when they come. A message that
 * was long on its way, or carries another's time, is one of many: the middle of the last ones is believed.
 */

/** Of so many messages, one a second at most; fewer than the least say nothing. */
const SAMPLES = 31
const SAMPLES_MIN = 3
const EVERY_MS = 1000

/** What was seen longer ago than this says nothing of now. */
const GOOD_FOR_MS = 3_600_000

/** The time is written in whole seconds, cut off: half a second on average. */
const CUT_OFF_MS = 500

/** See the module header. */
export class PartnerClock {
  private readonly samples: Array<number> = []
  private lastAt = 0

  /** Whether a request that comes now (monotonic milliseconds) is looked at: one a second at most. */
  isDue(now: number): boolean {
    return this.samples.length === 0 || now - this.lastAt >= EVERY_MS
  }

  /** A request of the partner came: by its own time it was sent `ms` milliseconds ago; `undefined`: it does not say. */
  heard(now: number, ms: number | undefined): void {
    if (ms === undefined) return
    if (now - this.lastAt > GOOD_FOR_MS) this.samples.length = 0
    this.lastAt = now
    this.samples.push(ms)
    if (this.samples.length > SAMPLES) this.samples.shift()
  }

  /** Milliseconds that it is ahead of ours, negative: behind; `undefined`: it is not known. */
  aheadMs(now: number): number | undefined {
    if (this.samples.length < SAMPLES_MIN || now - this.lastAt > GOOD_FOR_MS) return undefined
    const sorted = [...this.samples].sort((one, other) => one - other)
    return Math.round(CUT_OFF_MS - sorted[sorted.length >> 1]!)
  }
}
