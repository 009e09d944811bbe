/**
 * A load as one HTML file: tables and plots, nothing fetched from elsewhere, readable without a script.
 *
 * Owns the page and its plots, which are plain SVG: a line is a row of points, and no library is needed for that.
 */
import { failedText, msText, stoppedText } from "./LoadReport.ts"
import { type Second, spreadOf } from "./Measure.ts"
import type { LoadResult } from "./RunLoad.ts"

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

const safe = (text: string): string => text.replace(/[&<>"]/g, (one) => entities[one]!)

/** Of a plot, in pixels. */
const WIDTH = 860
const HEIGHT = 240
const LEFT = 64
const BOTTOM = 28
const TOP = 12
const RIGHT = 12

interface Line {
  readonly name: string
  readonly colour: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

interface Axis {
  /** Place of a value from 0 to 1. */
  readonly place: (value: number) => number
  readonly ticks: ReadonlyArray<readonly [value: number, text: string]>
}

/** The round number from which on a scale is not longer than it must be. */
const roundUp = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)))
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value
}

const evenAxis = (most: number, text: (value: number) => string): Axis => {
  const top = roundUp(most <= 0 ? 1 : most)
  return {
    place: (value) => value / top,
    ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => [part * top, text(part * top)])
  }
}

const plot = (title: string, lines: ReadonlyArray<Line>, x: Axis, y: Axis, below: string): string => {
  const atX = (value: number): number => LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)
  const atY = (value: number): number => HEIGHT - BOTTOM - y.place(value) * (HEIGHT - BOTTOM - TOP)
  const grid = y.ticks.map(([value, text]) => {
    const at = atY(value).toFixed(1)
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/><text x="${LEFT - 6}" y="${at}" class="left">${safe(text)}</text>`
  })
  const marks = x.ticks.map(
    ([value, text]) => `<text x="${atX(value).toFixed(1)}" y="${HEIGHT - 8}" class="below">${safe(text)}</text>`
  )
  const drawn = lines.map(({ colour, points }) => {
    const path = points.map(([px, py]) => `${atX(px).toFixed(1)},${atY(py).toFixed(1)}`).join(" ")
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`
  })
  const legend = lines.map(({ colour, name }) => `<span><i style="background:${colour}"></i>${safe(name)}</span>`)
  return `<h2>${safe(title)}</h2><p class="legend">${legend.join(" ")}</p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${safe(title)}">${[...grid, ...marks, ...drawn].join("")}</svg>
<p class="note">${safe(below)}</p>`
}

const colours = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"]

/** Points of a plot over time; a long run is thinned to the worst of neighbours. */
const POINTS_MAX = 800

const overTime = (
  seconds: ReadonlyArray<Second>,
  value: (second: Second) => number
): ReadonlyArray<readonly [number, number]> => {
  const size = Math.max(1, Math.ceil(seconds.length / POINTS_MAX))
  return Array.from({ length: Math.ceil(seconds.length / size) }, (_, at) => {
    const part = seconds.slice(at * size, (at + 1) * size)
    return [part[0]!.second, Math.max(...part.map(value))] as const
  })
}

const timeAxis = (seconds: ReadonlyArray<Second>): Axis =>
  evenAxis(Math.max(1, seconds.length - 1), (value) => `${Number(value.toFixed(1))} s`)

const timePlot = (
  title: string,
  seconds: ReadonlyArray<Second>,
  series: ReadonlyArray<readonly [string, (second: Second) => number]>,
  text: (value: number) => string,
  below: string
): string => {
  const lines = series.map(([name, value], at) => ({ name, colour: colours[at]!, points: overTime(seconds, value) }))
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)))
  return plot(title, lines, timeAxis(seconds), evenAxis(most, text), below)
}

const percentiles = [0, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999]

/** Percentiles on a scale of nines, as HdrHistogram plots have it. */
const ninesPlot = ({ measure }: LoadResult): string => {
  const place = (percentile: number): number => -Math.log10(1 - percentile / 100) / 5
  const lines = measure.series.slice(0, colours.length).map(({ latency, link, message }, at) => ({
    name: `${message} on ${link}`,
    colour: colours[at]!,
    points: percentiles.map((one) => [one, latency.getValueAtPercentile(one) / 1000] as const)
  }))
  const most = Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y)))
  const x: Axis = { place, ticks: [0, 90, 99, 99.9, 99.99].map((one) => [one, `${one} %`]) }
  return plot(
    "Latency by percentile",
    lines,
    x,
    evenAxis(most, (value) => `${msText(value)} ms`),
    `milliseconds from the intended start${lines.length < measure.series.length ? `; the first ${lines.length} of ${measure.series.length} series` : ""}`
  )
}

const cells = (values: ReadonlyArray<string>, tag: "td" | "th"): string =>
  `<tr>${values.map((value) => `<${tag}>${safe(value)}</${tag}>`).join("")}</tr>`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  `<table>${cells(head, "th")}${rows.map((row) => cells(row, "td")).join("")}</table>`

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}th,td{padding:.25em .7em;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}svg{width:100%;height:auto}.grid{stroke:#e5e5e5}
text{font-size:11px;fill:#555}.left{text-anchor:end;dominant-baseline:middle}.below{text-anchor:middle}
.legend span{margin-right:1em}.legend i{display:inline-block;width:1em;height:.3em;margin-right:.4em;vertical-align:middle}
.note{color:#666;font-size:13px;margin-top:0}.invalid{background:#fdd;padding:.6em 1em;border-left:4px solid #c00}
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}text{fill:#aaa}.grid{stroke:#333}th,td{border-color:#333}.invalid{background:#400}}`

/** Phases that are named; of a replayed profile there may be thousands. */
const PHASES_SHOWN = 12

/** The report of a load as one HTML page with its plots, which fetches nothing. */
export const loadHtml = (result: LoadResult): string => {
  const { invalid, lasted, measure, settings, startedAt } = result
  const totals = measure.totals()
  const number = (value: number): string => Math.round(value).toLocaleString("en-US")
  const rows = [
    ...measure.series.map((one) => [one.message, one.link, one.latency] as const),
    ["all", "", measure.all] as const
  ]
  const latencies = rows.map(([message, link, histogram]) => {
    const { count, mean, p50, p90, p99, p999, p9999, max } = spreadOf(histogram)
    return [message, link, number(count), ...[mean, p50, p90, p99, p999, p9999, max].map(msText)]
  })
  const codes = measure.series.flatMap(({ codes: found, link, message }) =>
    [...found].map(([code, times]) => [message, link, code === "" ? "none" : code, number(times)])
  )
  const counts: ReadonlyArray<ReadonlyArray<string>> = [
    ["sent", number(totals.sent)],
    ["answered", number(totals.answered)],
    ["answered with an error code", number(totals.errors)],
    ["timed out", number(totals.timedOut)],
    ["lost with their connection", number(totals.lost)],
    ["not sent: no connection was there, or free in time", number(totals.notSent)],
    ["waited for a connection to be free", number(measure.waited)],
    ["late answers", number(measure.late)],
    ["unmatched answers", number(measure.unmatched)],
    ["requests of the system that nobody answered", number(measure.unexpected)]
  ]
  const rate = (value: number): string => `${number(value)}/s`
  const ms = (value: number): string => `${msText(value)} ms`
  const seconds = measure.seconds.slice(0, -1).length > 0 ? measure.seconds.slice(0, -1) : measure.seconds
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Load: ${safe(settings.file)}</title><style>${style}</style></head><body>
<h1>Load: ${safe(settings.file)}</h1>
<p>Begun ${new Date(startedAt).toISOString()}, ${(lasted / 1000).toFixed(1)} s, seed ${settings.seed}.
${settings.phases.length} phase${settings.phases.length === 1 ? "" : "s"}: ${safe(
    settings.phases
      .map(({ name }) => name)
      .slice(0, PHASES_SHOWN)
      .join(", ")
  )}${settings.phases.length > PHASES_SHOWN ? `, and ${settings.phases.length - PHASES_SHOWN} more` : ""}.</p>
${stoppedText(result)
  .map((text) => `<p class="invalid"><b>STOPPED</b>: ${safe(text)}</p>`)
  .join("")}
${failedText(result)
  .map((reason) => `<p class="invalid"><b>FAILED</b>: ${safe(reason)}</p>`)
  .join("")}
${invalid.map((reason) => `<p class="invalid"><b>INVALID</b>: ${safe(reason)}</p>`).join("")}
${table(["message", "link", "count", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"], latencies)}
<p class="note">Milliseconds from the instant at which the schedule meant the request to leave, so that a system that stalls does not
hide the requests that it kept from being sent. A request without an answer counts with its timeout.</p>
${timePlot(
  "Latency",
  seconds,
  [
    ["p50", ({ p50 }) => p50],
    ["p99", ({ p99 }) => p99],
    ["p99.9", ({ p999 }) => p999],
    ["max", ({ max }) => max]
  ],
  ms,
  "by second; requests that ended in it"
)}
${timePlot(
  "Rate",
  seconds,
  [
    ["sent", ({ sent }) => sent],
    ["answered", ({ answered }) => answered],
    ["timed out", ({ timedOut }) => timedOut]
  ],
  rate,
  "messages in each second"
)}
${ninesPlot(result)}
${timePlot("Generator lag", seconds, [["largest", ({ lagMax }) => lagMax]], ms, "how much later than meant requests left; the generator's own error")}
<h2>Counts</h2>${table(["", "requests"], counts)}
<h2>Answers</h2>${table(["message", "link", "code", "answers"], codes)}
</body></html>
`
}
