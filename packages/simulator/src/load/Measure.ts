/**
 * What a load measures: latencies from the intended start by type and link, the generator's own lag, and a row for each second.
 *
 * Owns histograms and counts. A request that was never answered, or found no connection, is recorded at its timeout, so that
 * silence cannot look fast.
 * Arguments are monotonic milliseconds.
 */
import { type Histogram, makeHistogram } from "../Histogram.ts"
import { type AnswerCodes, anyCode } from "./AnswerCodes.ts"

/** Microseconds; two minutes is the longest that is kept apart. */
const HIGHEST = 120_000_000

const microseconds = (ms: number): number => Math.min(HIGHEST, Math.max(1, Math.round(ms * 1000)))

/** Latencies in milliseconds. */
export interface Spread {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
}

/** The spread of a histogram. */
export const spreadOf = (from: Histogram): Spread => {
  const at = (percentile: number): number => from.getValueAtPercentile(percentile) / 1000
  return {
    count: from.totalCount,
    mean: from.totalCount === 0 ? 0 : from.mean / 1000,
    ...{ p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), p9999: at(99.99) },
    max: from.maxValue / 1000
  }
}

/** One second of a run. */
export interface Second {
  /** From the beginning of the load. */
  readonly second: number
  readonly sent: number
  readonly answered: number
  readonly timedOut: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly lagMax: number
}

/** Counts of a series. */
export interface Counts {
  sent: number
  answered: number
  timedOut: number
  /** Requests that were waiting when their connection fell. */
  lost: number
  /** Due when there was no connection, or none was free before their timeout. */
  notSent: number
}

/** Counts of all series. */
export interface Totals extends Counts {
  /** Of those that were answered: with an error code. */
  readonly errors: number
}

/** One type of message on one link. */
export class Series {
  readonly message: string
  readonly link: string
  readonly latency = makeHistogram(HIGHEST)
  readonly counts: Counts = { sent: 0, answered: 0, timedOut: 0, lost: 0, notSent: 0 }
  /** Answers by their response code. */
  readonly codes = new Map<string, number>()
  private readonly rules: AnswerCodes

  constructor(message: string, link: string, rules: AnswerCodes) {
    this.message = message
    this.link = link
    this.rules = rules
  }

  /** Answers with an error code; they are answered, too. */
  get errors(): number {
    return this.answersThat(this.rules.isError)
  }

  /** Answers that are as they should be. */
  get right(): number {
    return this.answersThat(this.rules.isRight)
  }

  private answersThat(are: (code: string) => boolean): number {
    return [...this.codes].reduce((sum, [code, times]) => (are(code) ? sum + times : sum), 0)
  }
}

/** All that a run measures. */
export class Measure {
  readonly all = makeHistogram(HIGHEST)
  readonly lag = makeHistogram(HIGHEST)
  readonly series: Array<Series> = []
  readonly seconds: Array<Second> = []
  /** The second that is running, for the live line. */
  interval = makeHistogram(HIGHEST)
  private intervalLag = 0
  private sent = 0
  private answered = 0
  private timedOut = 0
  /** Requests intended before this are warm-up: counted, and not measured. */
  private measuredFrom = 0
  /** Requests that had to wait for a connection or number to be free. */
  waited = 0
  /** Connections for which the generator's own machine had no room. */
  starved = 0
  /** Answers that nobody waited for. */
  unmatched = 0
  late = 0
  /** Requests of the system under test that are no echo: nobody answers them. */
  unexpected = 0

  measureFrom(instant: number): void {
    this.measuredFrom = instant
  }

  newSeries(message: string, link: string, rules: AnswerCodes = anyCode): Series {
    const made = new Series(message, link, rules)
    this.series.push(made)
    return made
  }

  /** `triedAt`: when the generator came to it. What it waited for after that is the system's, and no lag. */
  wasSent(series: Series, intendedAt: number, triedAt: number): void {
    series.counts.sent++
    this.sent++
    const lag = triedAt - intendedAt
    if (lag > this.intervalLag) this.intervalLag = lag
    if (intendedAt >= this.measuredFrom) this.lag.recordValue(microseconds(lag))
  }

  wasAnswered(series: Series, intendedAt: number, now: number): void {
    series.counts.answered++
    this.answered++
    this.record(series, intendedAt, now - intendedAt)
  }

  wasTimedOut(series: Series, intendedAt: number, timeout: number): void {
    series.counts.timedOut++
    this.timedOut++
    this.record(series, intendedAt, timeout)
  }

  wasLost(series: Series, intendedAt: number, timeout: number): void {
    series.counts.lost++
    this.record(series, intendedAt, timeout)
  }

  wasNotSent(series: Series, intendedAt: number, timeout: number): void {
    series.counts.notSent++
    this.record(series, intendedAt, timeout)
  }

  /** Closes a second and gives its row. */
  tickSecond(second: number): Second {
    const { p50, p99, p999, max } = spreadOf(this.interval)
    const row: Second = {
      ...{ second, sent: this.sent, answered: this.answered, timedOut: this.timedOut, p50, p99, p999, max },
      lagMax: this.intervalLag
    }
    this.seconds.push(row)
    this.interval = makeHistogram(HIGHEST)
    this.intervalLag = this.sent = this.answered = this.timedOut = 0
    return row
  }

  totals(): Totals {
    const sum = (name: keyof Counts): number => this.series.reduce((total, { counts }) => total + counts[name], 0)
    const errors = this.series.reduce((total, series) => total + series.errors, 0)
    return {
      sent: sum("sent"),
      answered: sum("answered"),
      timedOut: sum("timedOut"),
      lost: sum("lost"),
      notSent: sum("notSent"),
      errors
    }
  }

  private record(series: Series, intendedAt: number, ms: number): void {
    const value = microseconds(ms)
    this.interval.recordValue(value)
    if (intendedAt < this.measuredFrom) return
    this.all.recordValue(value)
    series.latency.recordValue(value)
  }
}
