/**
 * How long something took, of late: a histogram of fixed size for the present five minutes and one for the five before. What is
 * told covers between five and ten minutes. Times in milliseconds, kept with two digits; nothing is allocated for each one.
 *
 * A turn has one reading of the clock, so whatever began in one turn and ended in another took the same: such a row is counted
 * when it is over, in one go.
 */
import { createRequire } from "node:module"
import type { Int32Histogram } from "hdr-histogram-js"
import { Durations, type DurationsStatus } from "./Durations.ts"

// The one file of the library: the whole of it costs a start 30 ms of processor time, this 3.
const file: { readonly default: typeof Int32Histogram } = createRequire(import.meta.url)(
  "hdr-histogram-js/dist/Int32Histogram.js"
)

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

const histogram = (): Int32Histogram => {
  const made = new file.default(1, HIGHEST, 2)
  made.autoResize = true
  return made
}

/** Where the two histograms of one kind are added up; nothing stays in it. */
const sum = histogram()

/** Times of one kind. Arguments are monotonic milliseconds. */
export class Times {
  private present: Int32Histogram | undefined
  private past: Int32Histogram | undefined
  private turnsAt = 0
  private readonly all = new Durations()
  /** How many in a row took how long, and are not in the histograms yet. */
  private inRow = 0
  private rowMs = 0

  /** One took `ms`, and ended at `now`. */
  record(ms: number, now: number): void {
    if (ms !== this.rowMs || now >= this.turnsAt) this.begin(ms, now)
    this.inRow++
  }

  /** All of them since the start. */
  get ever(): DurationsStatus {
    this.count()
    return this.all.status
  }

  /** Those of the last minutes. */
  status(now: number): TimesStatus {
    this.count()
    if (this.present === undefined) return none
    if (now >= this.turnsAt) this.turn(now)
    sum.reset()
    sum.add(this.present)
    if (this.past !== undefined) sum.add(this.past)
    if (sum.totalCount === 0) return none
    return {
      count: sum.totalCount,
      p50: sum.getValueAtPercentile(50) / 1000,
      p99: sum.getValueAtPercentile(99) / 1000,
      max: sum.maxValue / 1000
    }
  }

  /** A row of those that take `ms` begins at `now`. */
  private begin(ms: number, now: number): void {
    this.count()
    if (now >= this.turnsAt) this.turn(now)
    this.rowMs = ms
  }

  private count(): void {
    const { inRow, rowMs } = this
    if (inRow === 0) return
    this.inRow = 0
    this.all.record(rowMs / 1000, inRow)
    this.present!.recordValueWithCount(Math.min(HIGHEST, Math.max(1, Math.round(rowMs * 1000))), inRow)
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
