/**
 * How long something took, of late: a histogram of fixed size for the present five minutes and one for the five before. What is
 * told covers between five and ten minutes. Times in milliseconds, kept with two digits; nothing is allocated for each one.
 */
import { build, type Histogram } from "hdr-histogram-js"
import { Durations } from "./Durations.ts"

/** Milliseconds that one histogram is filled. */
const TURN_MS = 300_000

/** Microseconds; 60 s is the longest that is kept apart. */
const HIGHEST = 60_000_000

/** What they were. Milliseconds. */
export interface TimesStatus {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const none: TimesStatus = { count: 0, p50: 0, p99: 0, max: 0 }

const histogram = (): Histogram =>
  build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 2
  })

/** Where the two histograms of one kind are added up; nothing stays in it. */
const all = histogram()

/** Times of one kind. Arguments are monotonic milliseconds. */
export class Times {
  private present: Histogram | undefined
  private past: Histogram | undefined
  private turnsAt = 0
  /** All of them since the start. */
  readonly ever = new Durations()

  /** One took `ms`, and ended at `now`. */
  record(ms: number, now: number): void {
    if (this.present === undefined || now >= this.turnsAt) this.turn(now)
    this.ever.record(ms / 1000)
    this.present!.recordValue(Math.min(HIGHEST, Math.max(1, Math.round(ms * 1000))))
  }

  /** Those of the last minutes. */
  status(now: number): TimesStatus {
    if (this.present === undefined) return none
    if (now >= this.turnsAt) this.turn(now)
    all.reset()
    all.add(this.present)
    if (this.past !== undefined) all.add(this.past)
    if (all.totalCount === 0) return none
    return {
      count: all.totalCount,
      p50: all.getValueAtPercentile(50) / 1000,
      p99: all.getValueAtPercentile(99) / 1000,
      max: all.maxValue / 1000
    }
  }

  private turn(now: number): void {
    const isOld = now >= this.turnsAt + TURN_MS
    const spare = this.past ?? histogram()
    spare.reset()
    this.past = this.present
    if (isOld) this.past?.reset()
    this.present = spare
    this.turnsAt = now + TURN_MS
  }
}
