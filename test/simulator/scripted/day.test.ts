/** A partner's business day: when it begins, which date it has, and what its limits and totals count. */
import { describe, expect, it } from "vitest"
import { Bench, head, money, reversalOf, stan } from "./Bench.ts"

const DAY_MS = 86_400_000

const limited = (limit: string): string =>
  `accounts:\n  "6200000000000005": { balance: 1000000, limit: ${limit} }\n  others: {}\n`

const cutOver = (n: number, date?: string) => ({
  mti: "0820",
  fields: {
    7: "1122210000",
    11: stan(900_000 + n),
    33: "00010000",
    70: "201",
    ...(date === undefined ? {} : { 15: date })
  }
})

/** The code and the settlement date of the answer to a purchase. */
const buy = (partner: Bench, n: number, amount = 1, more: Readonly<Record<number, string>> = {}) => {
  partner.say(money(partner.codec, { 4: String(amount), 11: stan(n), 37: `RRN${String(n).padStart(9, "0")}`, ...more }))
  return partner.heard().at(-1)!.fields
}

const dayAfter = (partner: Bench, n: number) => buy(partner, n)[15]

describe("The business day of a partner", () => {
  it("is moved once by one cut-over, however often it comes and whoever says it", () => {
    const partner = new Bench(head("cups"))
    partner.say(cutOver(1))
    partner.say(cutOver(1))
    expect(dayAfter(partner, 1)).toBe("1123")

    const both = new Bench(head("cups", "schedule:\n  - { send: cut-over, after: 1s }\n"))
    both.pass(1000)
    const [ours] = both.heard()
    both.say(cutOver(1, "1123"))
    both.say({ mti: "0830", fields: { ...ours!.fields, 39: "00" } })
    expect(dayAfter(both, 1)).toBe("1123")
    expect(both.partner.totals().cutOvers).toBe(1)
  })

  it("has the date that the cut-over names, and without one that of the day after", () => {
    const named = new Bench(head("cups"))
    named.say(cutOver(1, "1126"))
    expect(dayAfter(named, 1)).toBe("1126")
    named.say(cutOver(2))
    expect(dayAfter(named, 2)).toBe("1127")

    const odd = new Bench(head("cups"))
    odd.say(cutOver(1, "0231"))
    expect(dayAfter(odd, 1)).toBe("1123")
  })

  it("lasts over midnight once it was cut over, and follows the calendar with limits and totals before", () => {
    const partner = new Bench(head("cups", limited("{ day: 100 }")))
    partner.say(cutOver(1))
    partner.heard()
    partner.pass(DAY_MS / 2)
    expect(buy(partner, 1, 100)).toMatchObject({ 15: "1123", 39: "00" })
    partner.pass(DAY_MS / 2)
    expect(buy(partner, 2, 1)).toMatchObject({ 39: "61" })

    const plain = new Bench(head("cups", limited("{ day: 100 }")))
    expect(buy(plain, 1, 100)).toMatchObject({ 15: "1122", 39: "00" })
    plain.pass(DAY_MS)
    expect(buy(plain, 2, 100)).toMatchObject({ 15: "1123", 39: "00" })
    expect(plain.history.lines.find(({ what }) => what === "cutOver")?.reason).toContain("debits 1 of 100")
  })

  it("ends with a word of its own where the dialect has one", () => {
    const partner = new Bench(head("cups", "schedule:\n  - { send: cut-over end, after: 1s }\n"))
    partner.say(cutOver(1))
    partner.heard()
    partner.pass(1000)
    expect(partner.heard()[0]!.fields).toMatchObject({ 15: "1123", 70: "202" })
  })
})

describe("The limits of a day", () => {
  it("get back what was taken back on the same day, sum and count", () => {
    const partner = new Bench(head("cups", limited("{ day: 100, count: 1 }")))
    const purchase = money(partner.codec, { 4: "100", 11: stan(1) })
    partner.say(purchase)
    partner.say(reversalOf(partner.codec, purchase))
    partner.heard()
    expect(buy(partner, 3, 100)).toMatchObject({ 39: "00" })
    expect(buy(partner, 4, 1)).toMatchObject({ 39: "61" })

    const voided = new Bench(head("cups", limited("{ count: 1 }")))
    voided.say(purchase)
    const original = `0200${stan(1)}1122210000${"00048020000".repeat(2)}`
    voided.say(money(voided.codec, { 3: "200000", 4: "100", 11: stan(2), 90: original }))
    expect(voided.codes()).toEqual(["00", "00"])
    expect(buy(voided, 3, 100)).toMatchObject({ 39: "00" })
    expect(buy(voided, 4, 1)).toMatchObject({ 39: "65" })
  })

  it("are not raised by a reversal of what was taken on the day before", () => {
    const partner = new Bench(head("cups", limited("{ day: 100 }")))
    const purchase = money(partner.codec, { 4: "100", 11: stan(1) })
    partner.say(purchase)
    partner.say(cutOver(1))
    partner.say(reversalOf(partner.codec, purchase))
    expect(partner.codes()).toEqual(["00", "00", "00"])
    expect(buy(partner, 3, 101)).toMatchObject({ 39: "61" })
    expect(buy(partner, 4, 100)).toMatchObject({ 39: "00" })
  })

  it("count a completed pre-authorisation once", () => {
    const partner = new Bench(head("cups", limited("{ day: 1000, count: 2 }")))
    partner.say(money(partner.codec, { 3: "030000", 4: "600", 11: stan(1) }, 100))
    const original = `0100${stan(1)}1122210000${"00048020000".repeat(2)}`
    partner.say(money(partner.codec, { 4: "700", 11: stan(2), 90: original }))
    expect(partner.codes()).toEqual(["00", "00"])
    expect(buy(partner, 3, 301)).toMatchObject({ 39: "61" })
    expect(buy(partner, 4, 300)).toMatchObject({ 39: "00" })
    expect(buy(partner, 5, 0)).toMatchObject({ 39: "65" })
  })
})
