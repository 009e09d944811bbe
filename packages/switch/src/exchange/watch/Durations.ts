/**
 * How long something took, ever since the start: counts by fixed bounds, as monitoring systems add them up. Nothing is allocated
 * for each one. `Times` has the percentiles of the last minutes beside it.
 */

/** Upper bounds in seconds, each included; what is longer counts only in the whole. */
export const bounds: ReadonlyArray<number> = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
]

/** What was counted. */
export interface DurationsStatus {
  /** How many took at most the bound with the same index (each holds those before it). */
  readonly upTo: ReadonlyArray<number>
  readonly count: number
  /** Seconds of all together, of the shortest and of the longest. */
  readonly sum: number
  readonly min: number
  readonly max: number
}

/** Durations of one kind. */
export class Durations {
  private readonly counts = new Float64Array(bounds.length)
  private count = 0
  private sum = 0
  private min = 0
  private max = 0

  /** So many took `seconds`. */
  record(seconds: number, count: number): void {
    if (this.count === 0 || seconds < this.min) this.min = seconds
    if (seconds > this.max) this.max = seconds
    this.count += count
    this.sum += count * seconds
    for (let at = 0; at < bounds.length; at++) {
      if (seconds > bounds[at]!) continue
      this.counts[at]! += count
      return
    }
  }

  /** See {@link DurationsStatus}. */
  get status(): DurationsStatus {
    let sum = 0
    const upTo = Array.from(this.counts, (count) => (sum += count))
    return { upTo, count: this.count, sum: this.sum, min: this.min, max: this.max }
  }
}
