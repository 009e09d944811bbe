/** What `jinka totals` shows. */
import { describe, expect, it } from "vitest"
import type { TotalsReport, TotalsRow } from "../../../packages/switch/src/operate/totals/TotalsReport.ts"
import { totalsText } from "../../../packages/switch/src/operate/totals/TotalsText.ts"

const none = { count: 0, amount: 0 }
const row = (of: Partial<TotalsRow>): TotalsRow => ({
  date: "2026-11-27",
  link: "centre",
  side: "to",
  mti: "0200",
  type: "00",
  name: "purchase",
  currency: "156",
  decimals: 2,
  approved: none,
  reversed: none,
  declined: none,
  unknown: none,
  undone: none,
  open: none,
  ...of
})

const report: TotalsReport = {
  days: [{ link: "centre", date: "2026-11-28", next: "2026-11-29", state: "closing" }],
  dates: [
    { link: "centre", date: "2026-11-27", isClosed: true },
    { link: "centre", date: "2026-11-28", isClosed: false }
  ],
  rows: [
    row({ approved: { count: 12, amount: 1_234_500 }, reversed: { count: 1, amount: 500 } }),
    row({ date: "2026-11-28", approved: { count: 3, amount: 900 } })
  ]
}

describe("jinka totals", () => {
  it("has a block for each link and date with its state, and a column for each sum that any line has", () => {
    expect(totalsText(report).split("\n")).toEqual([
      "2026-11-27 centre: closed",
      "                                            approved              reversed",
      "  to it 0200 00 purchase (156)      12       1234500       1           500",
      "",
      "2026-11-28 centre: closing, 2026-11-29 comes",
      "                                            approved              reversed",
      "  to it 0200 00 purchase (156)       3           900       0             0",
      "",
      "Count and amount; amounts in minor units."
    ])
  })

  it("says when there is nothing", () => {
    expect(totalsText({ days: [], dates: [], rows: [] })).toBe("No transactions.")
  })
})
