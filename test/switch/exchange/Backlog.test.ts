import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Backlog, NONE } from "../../../packages/switch/src/exchange/delivery/Backlog.ts"
import { Rows } from "../../../packages/switch/src/exchange/delivery/Rows.ts"
import type { Kept } from "../../../packages/switch/src/exchange/delivery/Stored.ts"

const kept = (exchange: number, more: Partial<Kept> = {}): Kept => ({
  exchange,
  about: 7,
  origin: -1,
  mti: 420,
  stan: "000123",
  at: 1_800_000_000_000,
  attempts: 0,
  ...more
})

const act = fc.record({
  isEnd: fc.boolean(),
  which: fc.nat(40),
  back: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, { arbitrary: fc.integer({ min: 1, max: 20 }), weight: 1 }),
  transaction: fc.nat(6)
})

describe("What a queue knows of its messages", () => {
  it("is what plain lists of objects would know, whatever comes and ends in whatever order", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const backlog = new Backlog()
        let all: Array<{ readonly kept: Kept; readonly row: number; readonly transaction: number }> = []
        let next = 100
        for (const { back, isEnd, transaction, which } of acts) {
          if (isEnd && all.length > 0) {
            const gone = all[which % all.length]!
            const before = all.find((one) => one.transaction === gone.transaction)
            all = all.filter((one) => one !== gone)
            const first = all.find((one) => one.transaction === gone.transaction)
            expect(backlog.remove(gone.row)).toBe(before === gone ? (first?.row ?? NONE) : NONE)
          } else {
            if (back === 0) next += 2
            const exchange = back === 0 ? next : next + 1 - 2 * back
            if (backlog.find(exchange) !== NONE) continue
            const one = kept(exchange, { about: which, origin: which - 1, stan: which === 3 ? "A1" : String(which) })
            all.push({ kept: one, row: backlog.add(one, transaction), transaction })
          }
          const byAge = [...all].sort((a, b) => a.kept.exchange - b.kept.exchange)
          const rows: Array<number> = []
          for (let row = backlog.oldest; row !== NONE; row = backlog.newer(row)) rows.push(row)
          expect(rows).toEqual(byAge.map(({ row }) => row))
          expect(rows.map((row) => backlog.kept(row))).toEqual(byAge.map((one) => one.kept))
          for (const one of all) {
            expect(backlog.find(one.kept.exchange)).toBe(one.row)
            expect(backlog.isFirst(one.row)).toBe(all.find((o) => o.transaction === one.transaction) === one)
          }
          for (let n = 0; n < 7; n++) expect(backlog.holds(n)).toBe(all.some((one) => one.transaction === n))
          expect(backlog.size).toBe(all.length)
        }
      })
    )
  })

  it("keeps a STAN as it is: its zeros, twelve digits of them, none, and letters", () => {
    const backlog = new Backlog()
    const stans = ["000000", "000123", "999999999999", "", "AB 12", "123456789012345", "1234567890123456"]
    const rows = stans.map((stan, n) => backlog.add(kept(n + 1, { stan }), n))
    expect(rows.map((row) => backlog.kept(row).stan)).toEqual(stans)
  })

  it("lets go of all memory when nothing waits any more, and of none while something does", () => {
    const backlog = new Backlog()
    const rows = Array.from({ length: 10_000 }, (_, n) => backlog.add(kept(n + 1), n % 100))
    const blocks = () => (Reflect.get(backlog, "numbers") as ReadonlyArray<unknown>).length

    expect(blocks()).toBe(3)

    for (const row of rows.slice(0, 9999)) backlog.remove(row)
    for (let n = 0; n < 9000; n++) backlog.add(kept(20_000 + n), n)
    expect(blocks()).toBe(3)

    for (let row = backlog.oldest; row !== NONE; row = backlog.oldest) backlog.remove(row)
    expect(blocks()).toBe(0)
    expect(backlog.kept(backlog.add(kept(5), 1)).exchange).toBe(5)
  })
})

describe("Rows found by a number", () => {
  it("are found like in a map, however they come and go", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(300)), { maxLength: 600 }), (acts) => {
        // Numbers that fall on few places.
        const numbers = Array.from({ length: 301 }, (_, n) => (n % 7) * 2 ** 40 + Math.floor(n / 7))
        const rows = new Rows((row) => numbers[row]!)
        const there = new Set<number>()
        for (const [isPut, row] of acts) {
          if (isPut) {
            rows.put(row)
            there.add(row)
          } else {
            rows.remove(numbers[row]!)
            there.delete(row)
          }
        }
        for (let row = 0; row <= 300; row++) expect(rows.find(numbers[row]!)).toBe(there.has(row) ? row : -1)
      })
    )
  })
})
