/** The live screen of partners: it fits into 80 columns and 24 rows, also with two hundred, and has first who needs eyes. */
import { stripVTControlCharacters } from "node:util"
import { describe, expect, it } from "vitest"
import { noPartnerCount } from "../../../packages/simulator/src/scripted/PartnerRecord.ts"
import type { RunningPartner } from "../../../packages/simulator/src/scripted/RunningPartner.ts"
import { eventText, screenText } from "../../../packages/simulator/src/scripted/Screen.ts"
import { plansOf } from "./Bench.ts"

const ledger = { accounts: 0, opening: 0, available: 0, postings: 0, standing: 0, undone: 0, tombstones: 0 }

const plans = plansOf(
  'partner: "a-branch-with-a-long-name-{n}"\ncopies: 200\nlink: { listen: "127.0.0.1:{20000+n}" }\n'
)

/** Partners that run, as far as the screen looks at them. */
const partners = (count: number, change: (n: number) => object = () => ({})): ReadonlyArray<RunningPartner> =>
  plans.slice(0, count).map(
    (plan, n) =>
      ({
        plan: () => plan,
        link: () => ({ endpoints: [{ host: "127.0.0.1", port: 20_001 + n }] }),
        totals: () => ({
          ...noPartnerCount(),
          ...{ received: 12_345_678, approved: 9_999_999, declined: 1_234_567, reversals: 10_000, sent: 123_456 },
          ...{ connections: 1, waiting: 9999, checkValues: [], ledger },
          ...change(n)
        })
      }) as unknown as RunningPartner
  )

const event = eventText("a-branch-with-a-long-name-117", {
  ...{ at: 0, op: "info", what: "received", epoch: 1, mti: "0200", key: "000123", amount: 123_456_789 },
  ...{ rule: "insufficientFunds", code: "51", reason: "partners/branches.yaml:117 and more that is far too long" }
})

const linesOf = (shown: ReadonlyArray<RunningPartner>, room = { columns: 80, rows: 24 }) =>
  stripVTControlCharacters(
    screenText(shown, new Array<string>(50).fill(event), `jinka-sim partner ${"branches.yaml ".repeat(9)}`, room)
  ).split("\n")

describe("the screen of partners", () => {
  it.each([1, 7, 200])("fits into 80 columns and 24 rows with %i of them", (count) => {
    const lines = linesOf(partners(count))

    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80)
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(lines[1]).toContain(`${count} partners, 0 down`)
  })

  it("has no line that says nothing: one below the head, and no corners", () => {
    const lines = linesOf(partners(2))
    expect(lines.filter((line) => /[┌┐└┘├┤┼│]/.test(line))).toEqual([])
    expect(lines.filter((line) => /^─+$/.test(line))).toHaveLength(1)
  })

  it("shows more on a larger terminal, and the link and the keys where there is room for them", () => {
    expect(linesOf(partners(200), { columns: 132, rows: 60 }).length).toBeGreaterThan(50)

    const [line] = linesOf(
      partners(1, () => ({ checkValues: ["mac 1B1077"] })),
      { columns: 132, rows: 40 }
    ).filter((text) => text.includes("async-duplex"))

    expect(line).toContain("127.0.0.1:20001")
    expect(linesOf(partners(1, () => ({ checkValues: ["mac 1B1077"] }))).join("\n")).toContain("mac 1B1077")
  })

  it("has those that are down first, and says how many have no row", () => {
    const lines = linesOf(partners(200, (n) => (n === 177 ? { connections: 0 } : n === 150 ? { unmatched: 2 } : {})))
    const rows = lines.filter((text) => /^a-branch/.test(text))

    expect(rows[0]).toMatch(/^a-branch-\S+ +down/)
    expect(rows[1]).toMatch(/ 2 *$/)
    expect(lines.join("\n")).toMatch(/and 19\d more partners/)
    expect(lines[1]).toContain("1 down")
  })
})
