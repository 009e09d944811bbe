/** A partner's accounts in every dialect: money, limits, reversals, advices, and network management beside them. */
import { dialects, mtiText, responseMti } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { told } from "../../../packages/simulator/src/dialogue/Observed.ts"
import { Bench, encoded, head, money, reversalOf, stan } from "./Bench.ts"

const names = Object.keys(dialects)

const bench = (dialect: string, more = "") => new Bench(head(dialect, more))

const isGood = (partner: Bench, code: unknown): boolean => {
  const { class: kind } = partner.codec.dialect.responseCodes[String(code)] ?? { class: "D" }
  return kind === "S"
}

describe.each(names)("A partner of the dialect %s", (dialect) => {
  it("books a purchase, answers a repeat from memory, and takes it back once", () => {
    const partner = bench(dialect)
    const purchase = money(partner.codec)
    partner.say(purchase)
    partner.say(purchase)
    const reversal = reversalOf(partner.codec, purchase)
    partner.say(reversal)
    partner.say({ ...reversal, mti: `${reversal.mti.slice(0, 3)}1` })

    const codes = partner.codes()

    expect(codes.map((code) => isGood(partner, code))).toEqual([true, true, true, true])
    expect(partner.postings.map(({ amount, rule }) => [rule, amount])).toEqual([
      ["debit", -12300],
      ["undo", 12300]
    ])
    expect(partner.history.lines.filter(({ what }) => what === "doubled")).toHaveLength(1)
  })

  it("takes back what comes after its reversal", () => {
    const partner = bench(dialect)
    const purchase = money(partner.codec)
    partner.say(reversalOf(partner.codec, purchase))
    partner.say(purchase)

    expect(partner.codes().map((code) => isGood(partner, code))).toEqual([false, false])
    expect(partner.postings).toEqual([])
  })

  it("refuses what an account cannot pay, and takes an advice of what has happened all the same", () => {
    const partner = bench(dialect, "accounts: { others: { balance: 100 } }\n")
    partner.say(money(partner.codec))
    partner.say(money(partner.codec, { 11: stan(3) }, partner.codec.dialect.version * 1000 + 220))

    const [refused, taken] = partner.codes()

    expect(partner.codec.dialect.responseCodes[String(refused)]?.name).toBe("insufficient funds")
    expect(isGood(partner, taken)).toBe(true)
    expect(partner.postings).toMatchObject([{ available: -12200 }])
  })

  it("answers with everything that the dialect keeps, and with a number for its approval", () => {
    const partner = bench(dialect)
    const purchase = money(partner.codec)
    partner.say(purchase)
    const [answer] = partner.heard()

    const { answers, roles } = partner.codec.layout

    expect(answer!.mti).toBe(`${purchase.mti.slice(0, 2)}10`)
    for (const de of answers.keeps) {
      if (purchase.fields[de] !== undefined) expect(String(answer!.fields[de]), `DE ${de}`).toBeTruthy()
    }
    expect(answer!.fields[roles.stan]).toBe(purchase.fields[roles.stan])
    expect(answer!.fields[roles.approvalCode]).toMatch(/\d{6}$/)
  })
})

describe("Accounts", () => {
  const accounts = [
    "accounts:",
    '  "6200000000000005": { balance: 50000, limit: { transaction: 20000, day: 30000, count: 3 } }',
    ""
  ].join("\n")
  const named = (partner: Bench) =>
    partner.codes().map((code) => partner.codec.dialect.responseCodes[String(code)]?.name)
  const ask = (partner: Bench, amounts: ReadonlyArray<number>, more: Readonly<Record<number, string>> = {}) => {
    amounts.forEach((amount, n) =>
      partner.say(money(partner.codec, { 4: String(amount), 11: stan(partner.history.lines.length + n), ...more }))
    )
    return named(partner)
  }

  it("have limits for one transaction, a day's sum and a day's count", () => {
    expect(ask(bench("cups", accounts), [20001, 20000, 10001, 10000, 1])).toEqual([
      "amount limit",
      "approved",
      "amount limit",
      "approved",
      "amount limit"
    ])
    expect(ask(bench("cups", accounts), [1, 1, 1, 1])).toEqual(["approved", "approved", "approved", "frequency limit"])
  })

  it("begin their day anew at a cut-over, whoever says it", () => {
    const partner = bench("cups", accounts)
    ask(partner, [20000])
    partner.say({ mti: "0820", fields: { 7: "1122210000", 11: "900001", 33: "00010000", 70: "201" } })
    partner.codes()
    partner.say(money(partner.codec, { 4: "20000", 11: "900002" }))

    const [answer] = partner.heard()

    expect(answer!.fields[39]).toBe("00")
    expect(answer!.fields[15]).toBe("1123")
    expect(partner.history.lines.find(({ what }) => what === "cutOver")?.reason).toContain("debits 1 of 20000")
  })

  it("are only those of the file, unless it says what all others have", () => {
    expect(ask(bench("cups", accounts), [1], { 2: "4111111111111111" })).toEqual(["invalid card number"])
    expect(ask(bench("cups", `${accounts}  others: { balance: 5 }\n`), [1], { 2: "4111111111111111" })).toEqual([
      "approved"
    ])
  })

  it("show their balance in the answer to an inquiry", () => {
    const partner = bench("cups", accounts)
    partner.say(money(partner.codec, { 3: "300000" }))
    expect(partner.heard()[0]!.fields[54]).toBe("1002156C000000050000")
  })

  it("hold a pre-authorisation, and give the rest back when it is completed", () => {
    const partner = bench("cups", "accounts: { others: { balance: 20000 } }\n")
    const hold = money(partner.codec, { 3: "030000", 4: "15000" }, 100)
    partner.say(hold)
    const original = `0100${"000001"}1122210000${"00048020000".repeat(2)}`
    partner.say(money(partner.codec, { 4: "16000", 11: "000002", 90: original }))

    expect(partner.codes()).toEqual(["00", "00"])
    expect(partner.postings.map(({ amount, rule }) => [rule, amount])).toEqual([
      ["hold", -15000],
      ["undo", 15000],
      ["debit", -16000]
    ])
  })

  it("give back a part in a reversal of a part, in each edition's own words", () => {
    for (const [name, mti, part] of [
      ["cups", "0420", { 95: "000000006000".padEnd(42, "0") }],
      ["iso8583v1993Ascii", "1420", { 4: "000000006000", 30: "000000012300".padEnd(24, "0") }]
    ] as const) {
      const partner = bench(name, accounts)
      const asked = money(partner.codec, { 4: "12300" })
      partner.say(asked)
      const reversal = reversalOf(partner.codec, asked)
      partner.say({ ...reversal, mti, fields: { ...reversal.fields, ...part } })

      expect(partner.postings.map(({ amount, rule }) => [rule, amount])).toEqual([
        ["debit", -12300],
        ["undoPart", 6300]
      ])
      expect(partner.history.lines.at(-1)).toMatchObject({ rule: "undone", remains: 6000 })
    }
  })

  it("are found by the card number in a track where no other field has it", () => {
    const partner = bench("unionPayPos", accounts)
    const { fields, mti } = money(partner.codec, { 35: "6200000000000005=30121010000000000" })
    delete fields[2]
    partner.say({ mti, fields: { ...fields, 4: "000000020001" } })

    expect(named(partner)).toEqual(["amount limit"])
    expect(partner.history.lines[1]?.pan).toBe("620000******0005")
  })
})

describe("Network management", () => {
  it.each(names.filter((name) => dialects[name]!.network !== undefined))(
    "is answered in the dialect %s, and its own is said",
    (dialect) => {
      const partner = bench(dialect, "sign-on: { send: yes }\nschedule:\n  - { send: echo, every: 1s }\n")
      const { codec } = partner
      const { network } = codec.dialect
      const [signOn] = partner.heard()

      expect(signOn!.fields[network!.field]).toBe(network!.codes.signOn)

      const answer = { mti: mtiText(responseMti(Number(signOn!.mti))), fields: { ...signOn!.fields } }
      partner.say({
        ...answer,
        fields: { ...answer.fields, [codec.layout.roles.responseCode]: codec.layout.answers.accepted }
      })
      expect(partner.history.lines.at(-1)).toMatchObject({ what: "signedOn", reason: "own" })

      partner.pass(1000)
      expect(partner.heard()[0]!.fields[network!.field]).toBe(network!.codes.echo)

      partner.say(signOn!)
      expect(partner.codes()).toEqual([codec.layout.answers.accepted])
    }
  )

  it("closes a connection on which its sign-on is refused or not answered", () => {
    const refused = bench("cups", "sign-on: { send: yes }\n")
    const [signOn] = refused.heard()
    refused.say({ mti: "0830", fields: { ...signOn!.fields, 39: "91" } })

    expect(refused.closed).toEqual(["fin"])

    const unanswered = bench("cups", "sign-on: { send: yes, timeout: 3s }\n")
    unanswered.pass(3001)
    expect(unanswered.closed).toEqual(["fin"])

    // One that fell with its connection is nobody's business any more.
    const again = bench("cups", "sign-on: { send: yes, timeout: 3s }\n")
    again.partner.linkDown(again.connection, "reset")
    again.pass(1000)
    again.heard()
    again.partner.linkUp({ ...again.connection, epoch: 2 })
    const [second] = again.heard()
    again.partner.received(
      { ...again.connection, epoch: 2 },
      told(again.plan.form, encoded(again.codec, { mti: "0830", fields: { ...second!.fields, 39: "00" } }), 0)
    )
    again.pass(10_000)
    expect(again.closed).toEqual([])
  })

  it("refuses money before the sign-on that it expects", () => {
    const partner = bench("cups", "sign-on: { expect: yes }\n")
    partner.say(money(partner.codec))
    partner.say({ mti: "0820", fields: { 7: "1122210000", 11: "000009", 33: "48020000", 70: "001" } })
    partner.say(money(partner.codec, { 11: "000002" }))

    expect(partner.codes()).toEqual(["91", "00", "00"])
  })

  it("says its totals and a cut-over at a time of the day", () => {
    const partner = bench(
      "cups",
      'time zone: "+00:00"\nschedule:\n  - { send: totals, at: "13:01" }\n  - { send: cut-over, after: 90s }\n'
    )
    partner.say(money(partner.codec))
    partner.codes()
    partner.pass(59_999)

    expect(partner.heard()).toEqual([])

    partner.pass(1)
    const [totals] = partner.heard()
    expect(totals).toMatchObject({ mti: "0522", fields: { 76: "0000000001", 88: "0000000000012300" } })

    partner.pass(30_000)
    const [cutOver] = partner.heard()
    expect(cutOver!.fields).toMatchObject({ 15: "1123", 70: "201" })
    partner.say({ mti: "0830", fields: { ...cutOver!.fields, 39: "00" } })
    partner.say(money(partner.codec, { 11: "000002" }))

    expect(partner.heard()[0]!.fields[15]).toBe("1123")
  })

  it.each([
    ["cups", "0000000000012300", "00", "1"],
    ["cups", "0000000000000001", "00", "2"],
    ["iso8583v1993Ascii", "0000000000012300", "500", undefined],
    ["iso8583v1993Ascii", "0000000000000001", "501", undefined]
  ])("compares totals in %s: debits of %s are answered %s", (dialect, amount, code, settlement) => {
    const partner = bench(dialect)
    partner.say(money(partner.codec))
    partner.codes()
    const { roles } = partner.codec.layout
    partner.say({
      mti: dialect === "cups" ? "0520" : "1520",
      fields: { [roles.transmissionTime]: "1122210000", [roles.stan]: "000008", 76: "0000000001", 88: amount }
    })

    const [answer] = partner.heard()

    expect(answer!.fields[39]).toBe(code)
    if (settlement !== undefined) expect(answer!.fields[66]).toBe(settlement)
  })

  it("notes an answer to nothing and a message that it cannot read, and goes on", () => {
    const partner = bench("cups")
    partner.say(money(partner.codec, { 39: "00" }, 210))
    const bytes = Buffer.from("not a message at all, only text")
    partner.partner.received(partner.connection, {
      form: partner.plan.form,
      bytes,
      at: 0,
      index: { mti: 0 } as never,
      wrong: { _tag: "MtiInvalid", offset: 0, rule: "digits" } as never
    })
    partner.say(money(partner.codec))

    expect(partner.history.lines.filter(({ what }) => what === "unmatched")).toHaveLength(2)
    expect(partner.codes()).toEqual(["00"])
  })
})
