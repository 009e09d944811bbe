/** What a load came to, for people and programs: a live line, tables and JSON. Prints nothing. */
import Table from "cli-table3"
import { type Second, type Series, type Spread, spreadOf } from "./Measure.ts"
import { profileLasts } from "./Profile.ts"
import { type Knee, type LoadResult, wentWrong } from "./RunLoad.ts"

/** Milliseconds with as many decimals as they are worth. */
export const msText = (ms: number): string => (ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0))

/** What a bound is held against; without an answer that was measured there is nothing. */
export const boundText = (ms: number): string => (Number.isFinite(ms) ? `${msText(ms)} ms` : "nothing measured")

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

/** One second while the load runs; what matters most comes first, for a narrow terminal. */
export const liveLine = (
  { answered, lagMax, p50, p99, p999, sent, second, timedOut }: Second,
  { elapsed, lasts }: { readonly elapsed: number; readonly lasts: number }
): string =>
  `${Math.min(100, Math.floor((elapsed / lasts) * 100))} %  ${second + 1} s  p50 ${msText(p50)}  p99 ${msText(p99)}  p99.9 ${msText(p999)} ms  ` +
  `sent ${count(sent)}/s  answered ${count(answered)}/s  timed out ${count(timedOut)}  lag ${msText(lagMax)} ms`

const rowOf = (name: string, link: string, spread: Spread): ReadonlyArray<string> => [
  name,
  link,
  count(spread.count),
  ...[spread.mean, spread.p50, spread.p90, spread.p99, spread.p999, spread.max].map(msText)
]

const tableOf = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const table = new Table({ head: [...head], style: { compact: true, head: [], border: [] } })
  for (const row of rows) table.push([...row])
  return table.toString()
}

/** Codes of a series, the most frequent first. */
const codesText = ({ codes }: Series): string =>
  [...codes]
    .sort((one, other) => other[1] - one[1])
    .map(([code, times]) => `${code === "" ? "none" : code}: ${count(times)}`)
    .join(", ")

/** What is said of a load that was stopped before its end; nothing of one that was not. */
export const stoppedText = ({ isStopped, measure, settings }: LoadResult): ReadonlyArray<string> => {
  if (!isStopped) return []
  const { answered, lost, sent, timedOut } = measure.totals()
  const planned = (profileLasts(settings.phases) / 1000).toFixed(1)
  const open = count(sent - answered - timedOut - lost)
  return [`the profile lasts ${planned} s; requests that still waited for their answers: ${open}`]
}

/** Why the load went wrong; nothing of one that did not, or of which too little is known. */
export const failedText = ({ invalid, measure }: LoadResult): ReadonlyArray<string> => {
  const wrong = invalid.length > 0 ? undefined : wentWrong(measure)
  return wrong === undefined ? [] : [wrong]
}

/** The result for a terminal. */
export const loadTable = (result: LoadResult): string => {
  const { invalid, lasted, measure } = result
  const { answered, errors, lost, notSent, sent, timedOut } = measure.totals()
  const head = ["latency from the intended start, ms", "link", "count", "mean", "p50", "p90", "p99", "p99.9", "max"]
  const rows = [
    ...measure.series.map((one) => rowOf(one.message, one.link, spreadOf(one.latency))),
    rowOf("all", "", spreadOf(measure.all)),
    rowOf("generator lag", "", spreadOf(measure.lag))
  ]
  const rates = `${count(sent)} sent in ${(lasted / 1000).toFixed(1)} s (${count((sent / Math.max(1, lasted)) * 1000)}/s)`
  const withErrors = errors === 0 ? "" : ` (${count(errors)} with an error code)`
  const ends = `${count(answered)} answered${withErrors}, ${count(timedOut)} timed out, ${count(lost)} lost with their connection, ${count(notSent)} not sent`
  const waited = measure.waited === 0 ? "" : `; ${count(measure.waited)} waited for a connection to be free`
  const odd = `${count(measure.late)} late, ${count(measure.unmatched)} unmatched, ${count(measure.unexpected)} requests that nobody answered`
  return [
    tableOf(head, rows),
    `${rates}: ${ends}; ${odd}${waited}`,
    ...stoppedText(result).map((text) => `STOPPED: ${text}`),
    ...measure.series.map((one) => `codes of ${one.message} on ${one.link}: ${codesText(one) || "none"}`),
    ...failedText(result).map((reason) => `FAILED: ${reason}`),
    ...invalid.map((reason) => `INVALID: ${reason}`)
  ].join("\n")
}

/** A search for a terminal. */
export const kneeTable = ({ bound, isInvalid, isStopped, rate, says, steps }: Knee): string =>
  [
    tableOf(
      ["rate", bound.text.split("<")[0]!.trim(), "kept", ""],
      steps.map((step) => [`${count(step.rate)}/s`, boundText(step.value), step.isKept ? "yes" : "no", step.says])
    ),
    isStopped
      ? `the search was stopped; ${rate === 0 ? "no rate" : `${count(rate)}/s`} kept ${bound.text} so far`
      : isInvalid
        ? `INVALID: ${rate === 0 ? "no rate" : `${count(rate)}/s`} kept ${bound.text}, and above it the generator was the limit. Take a faster or quieter machine`
        : rate === 0
          ? `no rate kept ${bound.text}: ${says}`
          : `${count(rate)}/s is the highest rate with ${bound.text}; above it: ${says}`
  ].join("\n")

/** The result as one object for programs. */
export const loadJson = (result: LoadResult): object => {
  const { invalid, isStopped, lasted, measure, settings, startedAt } = result
  return {
    event: "load",
    file: settings.file,
    seed: settings.seed,
    valid: invalid.length === 0,
    invalid,
    failed: failedText(result)[0],
    isStopped,
    startedAt: new Date(startedAt).toISOString(),
    seconds: lasted / 1000,
    ...measure.totals(),
    waited: measure.waited,
    late: measure.late,
    unmatched: measure.unmatched,
    unexpected: measure.unexpected,
    latency: spreadOf(measure.all),
    lag: spreadOf(measure.lag),
    series: measure.series.map((one) => ({
      message: one.message,
      link: one.link,
      ...one.counts,
      errors: one.errors,
      codes: Object.fromEntries(one.codes),
      latency: spreadOf(one.latency)
    })),
    perSecond: measure.seconds
  }
}
