/**
 * A trace as text for a terminal: one line for each entry, its message below it. Pure.
 *
 * The message that opens an exchange is shown whole; of a later one only what differs from it.
 */
import { counted } from "../Counted.ts"
import type { Changed, TraceEntry, TraceExchange, TraceField, TraceReport } from "./TraceReport.ts"

/** The whole report. */
export const traceText = (report: TraceReport): string => {
  const parts = report.exchanges.map(exchangeText)
  if (report.more > 0) parts.push(`${report.more} older exchanges fit too; ask with more keys to see them.`)
  return parts.join("\n\n")
}

const exchangeText = ({ exchange, entries, deliveries, late, changes = [] }: TraceExchange): string => {
  const opening = new Map((entries[0]?.fields ?? []).map(({ id, value }) => [id, value]))
  return [
    title(exchange, entries),
    ...(late === null ? [] : [`  ${late.isEven ? "late approval" : "! late approval"}: ${late.says}`]),
    ...entries.flatMap((entry, at) => entryLines(entry, at === 0 ? new Map() : opening)),
    ...deliveries.flatMap((delivery) => [
      `  reversal or advice, exchange ${delivery.exchange}`,
      ...delivery.entries.flatMap((entry) => entryLines(entry, opening))
    ]),
    ...changes.flatMap(changedLines)
  ].join("\n")
}

/** Both sides of one message: the bytes, covered, and a line for each change. */
const changedLines = ({ after, before, fields, from, note, to, what }: Changed): ReadonlyArray<string> => [
  `  ${what}, ${from} to ${to}: ${note === "" ? (fields.length === 0 ? "nothing was changed" : counted(fields.length, "change", "changes")) : note}`,
  ...[[from, before] as const, [to, after] as const]
    .filter(([, bytes]) => bytes !== "")
    .map(([side, bytes]) => `      ${side.padEnd(16)} ${bytes}`),
  ...fields.map(
    (field) =>
      `${field.id.padStart(16)}  ${field.name.slice(0, 32).padEnd(32)}  ${field.before || "-"} -> ${field.after || "-"}  (${field.why})`
  )
]

/** `exchange 41  2026-11-22  0200  STAN 000123  RRN 000000000123  PAN 621234******0005`. */
const title = (exchange: number, entries: ReadonlyArray<TraceEntry>): string => {
  const fields = entries[0]?.fields ?? []
  const value = (id: string) => fields.find((field) => field.id === id)?.value
  const parts = [
    ["", value("mti")],
    ["STAN ", value("11")],
    ["RRN ", value("37")],
    ["PAN ", value("2")],
    ["amount ", value("4")]
  ]
  const named = parts.flatMap(([name, text]) => (text === undefined ? [] : [`${name}${text}`]))
  return [`exchange ${exchange}`, entries[0]?.at.slice(0, 10) ?? "", ...named].join("  ")
}

const entryLines = (entry: TraceEntry, known: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const since = `+${entry.sinceMs} ms`.padStart(10)
  const link = `${entry.link}${entry.epoch > 0 ? `#${entry.epoch}` : ""}`.padEnd(16)
  const head = `  ${entry.at.slice(11, 23)} ${since}  ${link} ${entry.says}`
  const fields = entry.fields.filter((field) => isTold(field) && known.get(field.id) !== field.value)
  const wrong = entry.unreadable === null ? [] : [`${" ".repeat(28)}(${entry.unreadable})`]
  return [head, ...fields.map(fieldLine), ...wrong]
}

/** Of a header only what says who speaks to whom, and that it is a reject. */
const isTold = ({ id, value }: TraceField): boolean => {
  if (!/^(header|rejected)\./.test(id)) return id !== "bitmap"
  return /\.(destination|source)$/.test(id) || (id.endsWith(".rejectCode") && !/^0*$/.test(value))
}

const fieldLine = ({ id, name, value, meaning }: TraceField): string => {
  const said = meaning === "" ? "" : `  (${meaning})`
  return `${" ".repeat(28)}${id.replace(/^(header|rejected)\./, "").padStart(11)}  ${name.padEnd(42)}  ${value.trimEnd()}${said}`
}
