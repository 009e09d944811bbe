/** What a partner books, by an arithmetic of its own: what comes again, what was refused, what was approved in part. */
import { describe, expect, it } from "vitest"
import { withMac } from "../../../packages/simulator/src/dialogue/Keys.ts"
import { told } from "../../../packages/simulator/src/dialogue/Observed.ts"
import { Bench, encoded, head, money, reversalOf, stan } from "./Bench.ts"

const mac = "keys:\n  zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 }\nmac: zak\n"
const rules = (text: string): string => `rules:\n${text}`
const balance = (partner: Bench): number => partner.partner.totals().ledger.available

const original = (mti: string, n: number): string => `${mti}${stan(n)}1122210000${"00048020000".repeat(2)}`

describe("What was refused unread", () => {
  it("is decided when it comes again: before the sign-on, with a wrong MAC", () => {
    const early = new Bench(head("cups", "sign-on: { expect: yes }\n"))
    early.say(money(early.codec))
    early.say({ mti: "0820", fields: { 7: "1122210000", 11: "000009", 33: "48020000", 70: "001" } })
    early.say(money(early.codec))
    expect(early.codes()).toEqual(["91", "00", "00"])
    expect(early.postings).toHaveLength(1)
  })

  it("is taken with its right MAC after one with a wrong one, and refused with a wrong one after that", () => {
    const partner = new Bench(head("cups", mac))
    const right = withMac(partner.plan.form, partner.plan.keys, "zak", encoded(partner.codec, money(partner.codec)))
    const wrong = Buffer.from(right)
    wrong[wrong.length - 1]! ^= 1
    for (const bytes of [wrong, right, wrong]) {
      partner.partner.received(partner.connection, told(partner.plan.form, bytes, 0))
    }
    expect(partner.codes()).toEqual(["A0", "00", "A0"])
    expect(partner.postings).toHaveLength(1)
  })

  it("is also what is no money: totals and a sign-on of a dialect that gives them a MAC", () => {
    const ours = "name: ours\nextends: cups\nsecurity: { mac: { messages: [100, 200, 220, 420, 520, 820] } }\n"
    const partner = new Bench(head("./ours.yaml", `sign-on: { expect: yes }\n${mac}`), { "ours.yaml": ours })
    partner.say({ mti: "0820", fields: { 7: "1122210000", 11: "000009", 33: "48020000", 70: "001" } })
    partner.say({ mti: "0520", fields: { 7: "1122210000", 11: "000008" } })
    expect(partner.codes()).toEqual(["A0", "A0"])
    expect(partner.partner.totals().signOns).toBe(0)
  })

  it("is refused although it was answered before: a repeat with a wrong MAC, and one after the sign-off", () => {
    const partner = new Bench(head("cups", "sign-on: { expect: yes }\n"))
    const management = (n: number, code: string) => ({
      mti: "0820",
      fields: { 7: "1122210000", 11: stan(n), 33: "48020000", 70: code }
    })
    partner.say(management(1, "001"))
    partner.say(money(partner.codec, { 11: stan(2) }))
    partner.say(management(3, "002"))
    partner.say(money(partner.codec, { 11: stan(2) }, 201))
    expect(partner.codes()).toEqual(["00", "00", "00", "91"])
  })
})

describe("What a rule has refused", () => {
  it.each([220, 420])("of class %i is decided anew when it comes again", (mti) => {
    const type = mti === 220 ? "advice" : "reversal"
    const partner = new Bench(head("cups", rules(`  - { when: { type: ${type}, nth: 1 }, answer: 96 }\n`)))
    const purchase = money(partner.codec)
    if (mti === 420) partner.say(purchase)
    partner.codes()
    const message = mti === 220 ? money(partner.codec, { 11: stan(2) }, 220) : reversalOf(partner.codec, purchase)
    const again = { ...message, mti: `${message.mti.slice(0, 3)}1` }
    partner.say(message)
    for (let n = 0; n < 3; n++) partner.say(again)
    expect(partner.codes()).toEqual(["96", "00", "00", "00"])
    expect(balance(partner)).toBe(100_000_000 - (mti === 220 ? 12_300 : 0))
  })

  it("stays refused where it was a request", () => {
    const partner = new Bench(head("cups", rules("  - { when: { type: request, nth: 1 }, answer: 96 }\n")))
    partner.say(money(partner.codec))
    partner.say(money(partner.codec, {}, 201))
    expect(partner.codes()).toEqual(["96", "96"])
    expect(partner.postings).toEqual([])
  })
})

describe("A partial approval", () => {
  const partly = (percent: number): string => rules(`  - answer: approve ${percent}%\n`)

  it("is taken back by what was booked, once", () => {
    const partner = new Bench(head("cups", partly(40)))
    const purchase = money(partner.codec)
    partner.say(purchase)
    const [answer] = partner.heard()
    expect(answer!.fields).toMatchObject({ 4: "000000004920", 39: "10" })
    partner.say(reversalOf(partner.codec, purchase))
    partner.say(reversalOf(partner.codec, purchase))
    expect(partner.postings.map(({ amount }) => amount)).toEqual([-4920, 4920])
  })

  it.each([
    ["inquiry", { 3: "300000" }, 200, "00"],
    ["advice", {}, 220, "00"],
    ["refund", { 3: "200000" }, 220, "00"]
  ] as const)("is for what takes money alone: %s", (_, change, mti, code) => {
    const partner = new Bench(head("cups", partly(40)))
    partner.say(money(partner.codec, change, mti))
    expect(partner.codes()).toEqual([code])
    expect(partner.postings.every(({ amount }) => Math.abs(amount) === 12_300)).toBe(true)
  })

  it("is of at least one minor unit", () => {
    const partner = new Bench(head("cups", partly(1)))
    partner.say(money(partner.codec, { 4: "7" }))
    expect(partner.postings).toMatchObject([{ amount: -1 }])
  })
})

describe("A reversal", () => {
  it("of a completion puts the hold back that it completed", () => {
    const partner = new Bench(head("cups", "accounts: { others: { balance: 20000 } }\n"))
    partner.say(money(partner.codec, { 3: "030000", 4: "15000", 11: stan(1) }, 100))
    const completion = money(partner.codec, { 4: "16000", 11: stan(2), 90: original("0100", 1) })
    partner.say(completion)
    expect(balance(partner)).toBe(4000)
    partner.say(reversalOf(partner.codec, completion, stan(3)))
    expect(partner.codes()).toEqual(["00", "00", "00"])
    expect(balance(partner)).toBe(5000)
    partner.say(money(partner.codec, { 4: "15000", 11: stan(4), 90: original("0100", 1) }))
    expect(balance(partner)).toBe(5000)
  })

  it("of a refund lets the purchase be refunded again, and one of a refunded purchase gives nothing twice", () => {
    const partner = new Bench(head("cups", "accounts: { others: { balance: 20000 } }\n"))
    const purchase = money(partner.codec, { 4: "10000", 11: stan(1) })
    const refund = (n: number) =>
      money(partner.codec, { 3: "200000", 4: "10000", 11: stan(n), 90: original("0200", 1) }, 220)
    partner.say(purchase)
    partner.say(refund(2))
    partner.say(reversalOf(partner.codec, refund(2), stan(3)))
    expect(balance(partner)).toBe(10_000)
    partner.say(refund(4))
    expect(balance(partner)).toBe(20_000)
    partner.say(reversalOf(partner.codec, purchase, stan(5)))
    expect(balance(partner)).toBe(20_000)
  })
})

describe("A condition on card or amount", () => {
  it.each(['card: "*"', 'amount: "<= 100"', 'amount: "0"', 'amount: "*0"'])("does not hold without one: %s", (when) => {
    const partner = new Bench(head("cups", rules(`  - { when: { ${when} }, answer: 91 }\n`)))
    partner.say({ mti: "0820", fields: { 7: "1122210000", 11: "000009", 33: "48020000", 70: "001" } })
    expect(partner.codes()).toEqual(["00"])
  })
})

describe("The history", () => {
  it.each(["FIN", "RST"])("says of an answer that a rule's %s took the place of that it never left", (how) => {
    const partner = new Bench(head("cups", rules(`  - disconnect: ${how}\n`)))
    partner.say(money(partner.codec))
    expect(partner.history.lines.find(({ what }) => what === "received")?.answer).toBe("dropped")
  })
})
