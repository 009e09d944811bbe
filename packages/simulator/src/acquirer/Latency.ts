/**
 * Latencies of the acquirer's requests, measured against the schedule (no coordinated omission).
 *
 * Owns three histograms: from the intended start, from the actual sending, and how late the generator itself was.
 * Requests that were never answered are recorded at the time after which they were given up. Warm-up is left out.
 */
import { type Histogram, makeHistogram } from "../Histogram.ts"

/** Milliseconds with three decimals. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** What a run's latencies look like. */
export interface LatencyTotals {
  /** From the instant at which the schedule meant the request to be sent. */
  readonly response: Percentiles
  /** From the actual sending. */
  readonly service: Percentiles
  /** How much later than intended requests were sent: the generator's own error. */
  readonly lag: Percentiles
}

/** Microseconds; 60 s is the longest that is kept apart. */
const HIGHEST = 60_000_000

const microseconds = (milliseconds: number): number => Math.min(HIGHEST, Math.max(1, Math.round(milliseconds * 1000)))

const percentiles = (from: Histogram): Percentiles => ({
  count: from.totalCount,
  p50: from.getValueAtPercentile(50) / 1000,
  p95: from.getValueAtPercentile(95) / 1000,
  p99: from.getValueAtPercentile(99) / 1000,
  p999: from.getValueAtPercentile(99.9) / 1000,
  max: from.maxValue / 1000
})

/** Records latencies; all arguments are monotonic milliseconds. */
export class Latency {
  private readonly warmUp: number
  private begins = Number.POSITIVE_INFINITY
  private readonly response = makeHistogram(HIGHEST)
  private readonly service = makeHistogram(HIGHEST)
  private readonly lag = makeHistogram(HIGHEST)

  /** Requests intended in the first `warmUp` milliseconds of the load are not recorded. */
  constructor(warmUp: number) {
    this.warmUp = warmUp
  }

  /** The load begins. */
  start(now: number): void {
    this.begins = now + this.warmUp
  }

  record(intendedAt: number, sentAt: number, endedAt: number): void {
    if (intendedAt < this.begins) return
    this.response.recordValue(microseconds(endedAt - intendedAt))
    this.service.recordValue(microseconds(endedAt - sentAt))
    this.lag.recordValue(microseconds(sentAt - intendedAt))
  }

  totals(): LatencyTotals {
    return {
      response: percentiles(this.response),
      service: percentiles(this.service),
      lag: percentiles(this.lag)
    }
  }
}
