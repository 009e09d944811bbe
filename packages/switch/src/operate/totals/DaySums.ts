/** Sums by business day, link and type of transaction. Pure; what an outcome is and which day it is on is not decided here. */
import { currencyExponent } from "@jinka/codec"
import type { BusinessDay } from "../../exchange/day/BusinessDay.ts"
import type { Sum, TotalsReport, TotalsRow } from "./TotalsReport.ts"

/** What became of a transaction; `none`: it moves nothing, and is not counted. */
export type Outcome = "approved" | "declined" | "unknown" | "reversed" | "undone" | "open" | "none"

type Row = Omit<TotalsRow, Exclude<Outcome, "none">> & { readonly [Name in Exclude<Outcome, "none">]: Sum }

/** What a sum is of. */
export interface Counted extends Pick<TotalsRow, "mti" | "type" | "name" | "currency"> {
  /** The links that it came from and went to; "": none, it was our own. */
  readonly from: string
  readonly to: string
}

const zero = (): Sum => ({ count: 0, amount: 0 })

/** Counts and amounts by link, date, side and type of transaction. */
export class DaySums {
  private readonly rows = new Map<string, Row>()

  /** Counts one on both of its links, each on its own date; `times` -1 takes it out again. */
  add(counted: Counted, dates: readonly [from: string, to: string], outcome: Outcome, amount: number, times = 1): void {
    if (outcome === "none") return
    for (const [link, side, date] of [
      [counted.from, "from", dates[0]],
      [counted.to, "to", dates[1]]
    ] as const) {
      // What never left is nothing to the partner that it was meant for: see `declined` of its origin.
      if (link === "") continue
      const sum = this.row(counted, link, side, date)[outcome]
      sum.count += times
      sum.amount += times * amount
    }
  }

  /** The rows of one date, or of all, in order, and which dates are over for good. */
  report(days: ReadonlyMap<string, BusinessDay>, date: string | undefined): Pick<TotalsReport, "dates" | "rows"> {
    const rows = [...this.rows.values()]
      .filter((row) => date === undefined || row.date === date)
      .sort((a, b) => keyOf(a).localeCompare(keyOf(b)))
    const dates = new Map<string, TotalsReport["dates"][number]>()
    for (const { date, link, open, unknown } of rows) {
      const isOver = date !== "" && date < (days.get(link)?.date ?? "") && open.count + unknown.count === 0
      const key = `${link} ${date}`
      dates.set(key, { link, date, isClosed: isOver && dates.get(key)?.isClosed !== false })
    }
    return { rows, dates: [...dates.values()] }
  }

  private row({ currency, mti, name, type }: Counted, link: string, side: "from" | "to", date: string): Row {
    const of = { date, link, side, mti, type, currency }
    const key = keyOf(of)
    const known = this.rows.get(key)
    if (known !== undefined) return known
    const made: Row = {
      ...of,
      name,
      decimals: currencyExponent(currency),
      approved: zero(),
      reversed: zero(),
      declined: zero(),
      unknown: zero(),
      undone: zero(),
      open: zero()
    }
    this.rows.set(key, made)
    return made
  }
}

const keyOf = ({
  currency,
  date,
  link,
  mti,
  side,
  type
}: Omit<Counted, "from" | "to" | "name"> & Pick<TotalsRow, "date" | "link" | "side">) =>
  `${date} ${link} ${side} ${mti} ${type} ${currency}`
