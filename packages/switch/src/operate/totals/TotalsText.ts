/** Totals of business days for people: a block for each link and date, a line for each type of transaction. Pure. */
import type { Sum, TotalsReport, TotalsRow } from "./TotalsReport.ts"

const sums = ["approved", "reversed", "declined", "unknown", "undone", "open"] as const

/** Columns: count and amount of each sum that any line has. */
const COUNT = 8
const AMOUNT = 14

const cells = ({ amount, count }: Sum): string => String(count).padStart(COUNT) + String(amount).padStart(AMOUNT)

const title = ({ currency, mti, name, side, type }: TotalsRow): string =>
  `${side === "from" ? "from it" : "to it"} ${mti} ${type} ${name}${currency === "" ? "" : ` (${currency})`}`

/** `2026-11-27 centre: closed`. */
const heading = ({ date, link }: TotalsRow, { dates, days }: TotalsReport): string => {
  const day = days.find((one) => one.link === link)
  const isClosed = dates.some((one) => one.link === link && one.date === date && one.isClosed)
  const isNow = day !== undefined && day.date === date
  const state = isClosed
    ? "closed"
    : isNow
      ? day.state === "closing"
        ? `closing, ${day.next} comes`
        : "open"
      : "not closed"
  return `${date === "" ? "no business day" : date} ${link}: ${state}`
}

/** The report as lines. */
export const totalsText = (report: TotalsReport): string => {
  const { rows } = report
  if (rows.length === 0) return "No transactions."
  const shown = sums.filter((name) => rows.some((row) => row[name].count !== 0))
  const width = Math.max(...rows.map((row) => title(row).length))
  const head = " ".repeat(width + 2) + shown.map((name) => name.padStart(COUNT + AMOUNT)).join("")
  const lines: Array<string> = []
  let last = ""
  for (const row of rows) {
    const heads = heading(row, report)
    if (heads !== last) lines.push(...(last === "" ? [] : [""]), heads, head)
    last = heads
    lines.push(`  ${title(row).padEnd(width)}${shown.map((name) => cells(row[name])).join("")}`)
  }
  return [...lines, "", "Count and amount; amounts in minor units."].join("\n")
}
