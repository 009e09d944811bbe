/**
 * Partners on a terminal while they run: what all of them did, one row each, and what happened last. It fits into the terminal
 * that there is, from 80 columns and a few rows on; what needs somebody's eyes is first. Pure; printing is the command's.
 */
import Table from "cli-table3"
import type { HistoryLine } from "../history/History.ts"
import { endpointText } from "../link/Listener.ts"
import type { PartnerTotals } from "./PartnerRecord.ts"
import type { RunningPartner } from "./RunningPartner.ts"

/** A terminal's room. */
export interface Room {
  readonly columns: number
  readonly rows: number
}

/** Rows of the last events, and lines of the screen that are no partner's. */
const EVENTS_SHOWN = 8
const LINES_AROUND = 6

/** Columns of the widest name. */
const NAME_MAX = 18

/** A count in at most four characters and its unit: 9,999 then 10k, 1.2M. */
const count = (value: number): string => {
  if (value < 10_000) return value.toLocaleString("en-US")
  if (value < 1_000_000) return `${Math.floor(value / 1000)}k`
  return `${(value / 1_000_000).toFixed(1)}M`
}

const cut = (text: string, columns: number): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`

/** One partner as the screen sees it, looked at once. */
interface Seen {
  readonly name: string
  readonly link: string
  readonly state: string
  readonly totals: PartnerTotals
}

const stateOf = (mode: string, { connections }: PartnerTotals): string => {
  if (mode === "sync-short" || mode === "async-short") return "ready"
  return connections === 0 ? "down" : connections === 1 ? "up" : `up ${connections}`
}

const seenOf = (partner: RunningPartner): Seen => {
  const { link, name } = partner.plan()
  const totals = partner.totals()
  const { mode } = link.mode
  return {
    ...{ name, totals, state: stateOf(mode, totals) },
    link: `${mode} ${partner.link().endpoints.map(endpointText).join(" and ")}`
  }
}

const faultsOf = ({ dropped, faulted, ignored }: PartnerTotals): number => faulted + dropped + ignored

/** Down first, then what was not understood, then in the order of the files. */
const needsEyes = ({ state, totals }: Seen): number => (state === "down" ? 2 : totals.unmatched > 0 ? 1 : 0)

const head = ["partner", "state", "in", "appr", "decl", "rev", "sent", "fault", "wait", "unm"]

const rowOf = ({ name, state, totals }: Seen): ReadonlyArray<string> => [
  cut(name, NAME_MAX),
  state,
  ...[totals.received, totals.approved, totals.declined, totals.reversals, totals.sent].map(count),
  ...[faultsOf(totals), totals.waiting, totals.unmatched].map(count)
]

const sumOf = (seen: ReadonlyArray<Seen>): string => {
  const sum = (of: (totals: PartnerTotals) => number): string =>
    count(seen.reduce((all, { totals }) => all + of(totals), 0))
  const down = seen.filter(({ state }) => state === "down").length
  return (
    `${seen.length} partners, ${down} down: ${sum((one) => one.received)} in, ${sum((one) => one.approved)} approved, ` +
    `${sum((one) => one.declined)} declined, ${sum((one) => one.sent)} sent`
  )
}

/** One event in a line: time, partner, what, and what is known of it. */
export const eventText = (name: string, { amount, at, code, key, mti, reason, rule, what }: HistoryLine): string => {
  const time = new Date(at).toISOString().slice(11, 23)
  const stan = key === undefined ? "" : `STAN ${key.slice(0, 6)}`
  const parts = [what, mti, stan, amount === undefined ? "" : `amount ${amount}`, rule, code, reason]
  return `${time}  ${name}  ${parts.filter((part) => part !== undefined && part !== "").join("  ")}`
}

/** Where the only partner's link is, and the keys that are in use; of several partners as far as there is room. */
const detailsOf = (seen: ReadonlyArray<Seen>, rows: number): ReadonlyArray<string> =>
  seen
    .flatMap(({ link, name, totals }) => [
      ...(seen.length <= rows ? [`${name}: ${link}`] : []),
      ...(totals.checkValues.length === 0 ? [] : [`keys of ${name}: ${totals.checkValues.join(", ")}`])
    ])
    .slice(0, rows)

/** Lines and corners that take room and say nothing; left alone is the line below the head. */
const noFrame = Object.fromEntries(
  ["left", "right", "top", "bottom"].flatMap((side) =>
    [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((part) => [part, ""])
  )
)

/** The whole screen. Partners for whom there is no row are summed up with the others. */
export const screenText = (
  partners: ReadonlyArray<RunningPartner>,
  events: ReadonlyArray<string>,
  title: string,
  { columns, rows }: Room
): string => {
  const all = partners.map(seenOf)
  const room = Math.max(1, rows - LINES_AROUND - Math.min(EVENTS_SHOWN, events.length))
  const ordered = all.length <= room ? all : all.toSorted((one, other) => needsEyes(other) - needsEyes(one))
  const shown = ordered.slice(0, room)
  const table = new Table({
    head,
    colAligns: ["left", "left", ...head.slice(2).map(() => "right" as const)],
    style: { compact: true, head: ["bold"], border: ["grey"], "padding-left": 0, "padding-right": 0 },
    chars: { ...noFrame, middle: " ", "mid-mid": "─" }
  })
  for (const one of shown) table.push([...rowOf(one)])
  const details = detailsOf(all, Math.max(0, room - shown.length))
  const more = all.length - shown.length
  return [
    cut(title, columns),
    cut(sumOf(all), columns),
    table.toString(),
    ...(more > 0 ? [`and ${more} more partners`] : []),
    ...details.map((text) => cut(text, columns)),
    "",
    ...events.slice(-EVENTS_SHOWN).map((text) => cut(text, columns))
  ].join("\n")
}
