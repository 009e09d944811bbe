/** Rules of a partner file: when they apply, and what they do to an answer. */
import { isSuccess, MessageIndex } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { macWrong, withMac, withPin } from "../../../packages/simulator/src/dialogue/Keys.ts"
import { told } from "../../../packages/simulator/src/dialogue/Observed.ts"
import { Bench, encoded, head, money, reversalOf, stan, wrongOf } from "./Bench.ts"

const bench = (rules: string, more = "", dialect = "cups") => new Bench(head(dialect, `${more}rules:\n${rules}`))

/** Purchases with these changes, one after the other; the codes of the answers. */
const asked = (partner: Bench, changes: ReadonlyArray<Readonly<Record<number, string>>>) => {
  changes.forEach((change, n) => partner.say(money(partner.codec, { 11: stan(n + 1), ...change })))
  return partner.codes()
}

describe("A rule applies", () => {
  it("by card: a whole number, a beginning, one of several", () => {
    const partner = bench('  - { when: { card: ["62055*", "6200000000000005"] }, answer: 41 }\n')
    expect(
      asked(partner, [{ 2: "6205500000000000004" }, { 2: "6200000000000005" }, { 2: "4111111111111111" }])
    ).toEqual([...["41", "41", "00"]])
  })

  it.each([
    ["> 1000", ["00", "05"]],
    ["<= 1000", ["05", "00"]],
    ["1001..2000", ["00", "05"]],
    ["*00", ["05", "00"]],
    ["1000", ["05", "00"]]
  ])("by amount: %s", (amount, codes) => {
    expect(asked(bench(`  - { when: { amount: "${amount}" }, answer: 05 }\n`), [{ 4: "1000" }, { 4: "1001" }])).toEqual(
      codes
    )
  })

  it.each([
    ["0200", "05"],
    ["02xx", "05"],
    ["0100", "00"],
    ["request", "05"],
    ["advice", "00"],
    ["purchase", "05"],
    ["[refund, purchase]", "05"],
    ["inquiry", "00"]
  ])("by type: %s", (type, code) => {
    expect(asked(bench(`  - { when: { type: ${type} }, answer: 05 }\n`), [{}])).toEqual([code])
  })

  it("by any data element, with * for any characters", () => {
    const partner = bench('  - { when: { 41: "TERM*", 42: ["*2", "*1"] }, answer: 05 }\n')
    expect(asked(partner, [{}, { 41: "ATM00001" }])).toEqual(["05", "00"])
  })

  it.each([
    ["cups", "00"],
    ["iso8583v1993Ascii", "000"],
    ["iso8583v1987Ascii", "approved VIP"]
  ])("with a code that approves, and books it like every approval: %s %s", (dialect, code) => {
    const partner = bench(`  - answer: "${code}"\n`, "accounts: { others: { balance: 0 } }\n", dialect)
    partner.say(money(partner.codec))
    const [answer] = partner.heard()

    expect(partner.postings).toMatchObject([{ rule: "debit", amount: -12300 }])
    expect(isSuccess(partner.codec.dialect, String(answer!.fields[39]))).toBe(true)
    expect(answer!.fields[38]).toBeDefined()
  })

  it("at a time of the partner's day, over midnight too", () => {
    const rule = '  - { when: { time: "20:00-06:00" }, answer: cut-over in progress }\n'
    expect(asked(bench(rule, 'time zone: "+00:00"\n'), [{}])).toEqual(["00"])
    // A partner of CUPS has Beijing's day when it does not say.
    for (const zone of ['time zone: "+08:00"\n', ""]) expect(asked(bench(rule, zone), [{}])).toEqual(["90"])
  })

  it.each([
    ["nth: 2", ["00", "05", "00", "00", "00", "00"]],
    ["nth: [1, 3..4]", ["05", "00", "05", "05", "00", "00"]],
    ['nth: "5.."', ["00", "00", "00", "00", "05", "05"]],
    ["every: 3", ["00", "00", "05", "00", "00", "05"]]
  ])("to some of them: %s", (which, codes) => {
    expect(asked(bench(`  - { when: { ${which} }, answer: 05 }\n`), Array(6).fill({}))).toEqual(codes)
  })

  it("to a share of them, to the same ones in every run of a seed", () => {
    const run = (seed: number) =>
      asked(bench("  - { when: { share: 20% }, answer: 05 }\n", `seed: ${seed}\n`), Array(200).fill({}))
    const declined = run(1).filter((code) => code === "05").length

    expect(declined).toBeGreaterThan(20)
    expect(declined).toBeLessThan(60)
    expect(run(1)).toEqual(run(1))
    expect(run(1)).not.toEqual(run(2))
  })

  it("to a repeat only, and not to what it repeats", () => {
    const partner = bench("  - { when: { repeat: yes }, silence: yes }\n")
    partner.say(money(partner.codec, {}, 220))
    partner.say(money(partner.codec, {}, 221))

    expect(partner.codes()).toEqual(["00"])
  })

  it("when it is the first whose conditions all hold", () => {
    const partner = bench('  - { when: { amount: "> 5", type: advice }, answer: 04 }\n  - answer: 05\n  - answer: 06\n')
    expect(asked(partner, [{}])).toEqual(["05"])
  })
})

describe("What a rule does", () => {
  it("declines by the name of a code, in the dialect's own digits, and books nothing", () => {
    for (const [dialect, code] of [
      ["cups", "61"],
      ["iso8583v1993Ascii", "121"],
      ["iso8583v2003", "1021"]
    ] as const) {
      const partner = bench("  - answer: amount limit\n", "", dialect)
      partner.say(money(partner.codec))
      expect(partner.codes()).toEqual([code])
      expect(partner.postings).toEqual([])
    }
  })

  it("approves whatever the account has", () => {
    const partner = bench("  - answer: approve\n", "accounts: { others: { balance: 1 } }\n")
    expect(asked(partner, [{}])).toEqual(["00"])
    expect(partner.postings).toMatchObject([{ rule: "debit", amount: -12300, available: -12299 }])
  })

  it("waits: fixed, between two times, by mean, by median and 99th percentile", () => {
    const waits = (delay: string, most: number) => {
      const partner = bench(`  - delay: ${delay}\n`)
      for (let n = 1; n <= 300; n++) partner.say(money(partner.codec, { 11: stan(n) }))
      const left: Array<number> = []
      for (let ms = 0; ms <= most; ms += 1) {
        partner.pass(1)
        for (const _ of partner.sent.splice(0)) left.push(partner.now)
      }
      return left.sort((one, other) => one - other)
    }
    expect(waits("250ms", 300)).toEqual(Array(300).fill(250))

    const uniform = waits("100ms..200ms", 300)
    expect(uniform).toHaveLength(300)
    expect(uniform[0]).toBeLessThan(110)
    expect(uniform[0]).toBeGreaterThanOrEqual(100)
    expect(uniform.at(-1)).toBeGreaterThan(190)

    const about = waits("about 100ms", 2000)
    expect(about.reduce((sum, one) => sum + one, 0) / 300).toBeGreaterThan(80)
    expect(about.reduce((sum, one) => sum + one, 0) / 300).toBeLessThan(120)

    const shaped = waits("median 100ms, p99 1s", 5000)
    expect(shaped[150]).toBeGreaterThan(75)
    expect(shaped[150]).toBeLessThan(135)
    expect(shaped[290]).toBeGreaterThan(400)
  })

  it("is late by more than the far side waits", () => {
    const partner = bench("  - late: 50ms\n", "timeout: 2s\n")
    partner.say(money(partner.codec))
    partner.pass(2049)

    expect(partner.codes()).toEqual([])

    partner.pass(1)
    expect(partner.codes()).toEqual(["00"])
    expect(partner.history.lines.map(({ answer, what }) => answer ?? what)).toEqual(["linkUp", "delayed", "answered"])
  })

  it("books it and says nothing, or is as if nothing had come", () => {
    const silent = bench("  - silence: yes\n")
    silent.say(money(silent.codec))

    expect([silent.codes(), silent.postings.length, silent.history.lines[1]?.answer]).toEqual([[], 1, "dropped"])

    const lost = bench("  - silence: lost\n")
    lost.say(money(lost.codec))
    expect([lost.codes(), lost.postings.length, lost.history.lines[1]?.answer]).toEqual([[], 0, "ignored"])
  })

  it("answers twice, at once or later, and books it once", () => {
    const partner = bench("  - twice: 100ms\n")
    partner.say(money(partner.codec))
    const [first] = partner.sent
    partner.pass(100)

    expect(partner.sent).toEqual([first, first])
    expect(partner.postings).toHaveLength(1)
  })

  it("puts together what an answer can be at once: twice before the end of the connection, out of order and twice, or later", () => {
    const ended = bench("  - { twice: 200ms, disconnect: RST after the answer }\n")
    ended.say(money(ended.codec))
    ended.pass(199)
    expect([ended.sent.length, ended.closed]).toEqual([1, []])
    ended.pass(1)
    expect([ended.sent.length, ended.closed]).toEqual([2, ["reset"]])

    const held = bench("  - { when: { nth: 1 }, out of order: 1, twice: yes, delay: 50ms }\n")
    held.say(money(held.codec, { 11: stan(1) }))
    held.say(money(held.codec, { 11: stan(2) }))
    expect(held.heard().map(({ fields }) => fields[11])).toEqual([stan(2)])
    held.pass(50)
    expect(held.heard().map(({ fields }) => fields[11])).toEqual([stan(1), stan(1)])
  })

  it("answers out of order: behind so many others", () => {
    const partner = bench("  - { when: { nth: 1 }, out of order: 2 }\n")
    for (let n = 1; n <= 4; n++) partner.say(money(partner.codec, { 11: stan(n) }))
    expect(partner.heard().map(({ fields }) => fields[11])).toEqual([stan(2), stan(3), stan(1), stan(4)])
  })

  it("answers under another STAN, with another amount, with other fields, another MTI, or without some", () => {
    const partner = bench(
      ["  - { wrong: [stan, amount], mti: 0212, 38: ABC123, 44: note, without: [37, 41] }", ""].join("\n")
    )
    partner.say(money(partner.codec))
    const [answer] = partner.heard()

    expect(answer).toMatchObject({
      mti: "0212",
      fields: { 4: "000000012301", 11: "000002", 38: "ABC123", 39: "00", 44: "note" }
    })
    expect(Object.keys(answer!.fields)).not.toContain("37")
    expect(Object.keys(answer!.fields)).not.toContain("41")
  })

  it.each([
    "cups",
    "iso8583v1987Ascii",
    "iso8583v1987Bcd",
    "iso8583v1987Ebcdic",
    "iso8583v1993Ascii",
    "iso8583v2003",
    "nac"
  ])("answers with a field that cannot be read, be it in the answer or not: %s", (dialect) => {
    for (const de of [2, 11, 38, 44, 48, 52]) {
      const partner = bench(`  - malformed: ${de}\n`, "", dialect)
      partner.say(money(partner.codec))
      const [bytes] = partner.sent
      const index = new MessageIndex()
      const wrong = partner.codec.index(bytes!, 0, bytes!.length, index) ?? partner.codec.decode(bytes!)
      expect(wrong, `DE ${de}`).toMatchObject({ _tag: expect.stringMatching(/Field|Message|Trailing/) })
    }
  })

  it.each([
    ["FIN", ["fin"], []],
    ["RST", ["reset"], []],
    ["FIN after the answer", ["fin"], ["00"]],
    ["RST after the answer", ["reset"], ["00"]]
  ])("ends the connection: %s", (disconnect, closed, codes) => {
    const partner = bench(`  - disconnect: ${disconnect}\n`)
    partner.say(money(partner.codec))
    expect([partner.closed, partner.codes()]).toEqual([closed, codes])
    expect(partner.postings).toHaveLength(1)
  })

  it("holds for network management, too", () => {
    const partner = bench("  - { when: { type: sign-on }, answer: 91 }\n  - { when: { type: echo }, silence: yes }\n")
    for (const code of ["001", "301", "002"]) {
      partner.say({ mti: "0820", fields: { 7: "1122210000", 11: "000001", 33: "48020000", 70: code } })
    }
    expect(partner.codes()).toEqual(["91", "00"])
  })

  it("is named in the history, by file and line", () => {
    const partner = bench("  - answer: 05\n")
    partner.say(money(partner.codec))
    partner.say(reversalOf(partner.codec, money(partner.codec)))
    expect(partner.history.lines[1]).toMatchObject({ rule: "declined", code: "05", reason: "partner.yaml:5" })
  })
})

describe("MACs", () => {
  const keys = "keys: { zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 } }\nmac: zak\n"
  const sealedPurchase = (partner: Bench) => {
    const bytes = encoded(partner.codec, money(partner.codec))
    return withMac(partner.plan.form, partner.plan.keys, "zak", bytes)
  }
  const give = (partner: Bench, bytes: Buffer) =>
    partner.partner.received(partner.connection, told(partner.plan.form, bytes, 0))
  const isRight = (partner: Bench, bytes: Buffer) =>
    macWrong(partner.plan.keys, "zak", told(partner.plan.form, bytes, 0)) === undefined

  it("are checked on what comes and made on what goes, and nothing is booked of what has a wrong one", () => {
    const partner = bench("  []\n", keys)
    give(partner, sealedPurchase(partner))

    expect(isRight(partner, partner.sent[0]!)).toBe(true)
    expect(partner.codes()).toEqual(["00"])

    partner.say(money(partner.codec, { 11: "000002" }))

    expect(partner.codes()).toEqual(["A0"])
    expect(partner.postings).toHaveLength(1)
  })

  it("are made wrong by a rule, and all else is right", () => {
    const partner = bench("  - { wrong: mac }\n", keys)
    give(partner, sealedPurchase(partner))
    expect(isRight(partner, partner.sent[0]!)).toBe(false)
    expect(partner.heard()[0]!.fields).toMatchObject({ 11: "000001", 39: "00" })
  })

  it.each([
    [`${keys.replace("mac: zak", "mac: zka")}`, 'did you mean "zak"?'],
    ["mac: zak\n", 'no MAC key is called "zak"; there are none'],
    ["rules: [{ wrong: mac }]\n", "no key makes one"],
    ["keys: { zak: { mac: ansi-x9.19, hex: 00 } }\n", "8 to 32 bytes"]
  ])("that cannot be made are told of: %j", (text, says) => {
    expect(wrongOf(head("cups", text))).toContain(says)
  })
})

describe("PINs", () => {
  const pan = "6200000000000005"
  const keys = "keys: { zpk: { pin: iso0, cipher: tdes, hex: 0DBA199EF7D96446FBEAFE4C57CEFB7C } }\npin: zpk\n"
  const accounts = `accounts: { "${pan}": { pin: "1234", pin tries: 2 }, others: {} }\n`
  const give = (partner: Bench, n: number, pin: string, change: Readonly<Record<number, string>> = {}) => {
    const message = encoded(partner.codec, money(partner.codec, { 11: stan(n), ...change }))
    const bytes = withPin(partner.plan.form, partner.plan.keys, `zpk ${pin}`, message)
    partner.partner.received(partner.connection, told(partner.plan.form, bytes, 0))
    return partner.codes()
  }

  it("that are the account's are taken, another one is declined and not booked", () => {
    const partner = bench("  []\n", keys + accounts)

    expect(give(partner, 1, "1234")).toEqual(["00"])
    expect(give(partner, 2, "4321")).toEqual(["55"])
    expect(partner.postings).toHaveLength(1)
    expect(partner.history.lines.at(-1)).toMatchObject({ rule: "wrongPin", code: "55" })
  })

  it("are refused altogether after so many wrong ones in a row, and a right one before that forgives", () => {
    const partner = bench("  []\n", keys + accounts)

    const codes = ["0000", "1234", "0000", "1111", "1234"].flatMap((pin, n) => give(partner, n + 1, pin))

    expect(codes).toEqual(["55", "00", "55", "55", "75"])
  })

  it("are opened for the card that the message names, and a block of another key is told apart from a wrong PIN", () => {
    const partner = bench("  []\n", keys + accounts)
    const other = bench("  []\n", keys.replace("0DBA199EF7D96446FBEAFE4C57CEFB7C", "6B948A0134A110705BD325CD6E73BC15"))
    const message = encoded(partner.codec, money(partner.codec))

    const bytes = withPin(partner.plan.form, other.plan.keys, "zpk 1234", message)
    partner.partner.received(partner.connection, told(partner.plan.form, bytes, 0))

    expect(partner.codes()).toEqual(["99"])
  })

  it("are not asked for: a request without a block, a card without a PIN and a rule's approval go on", () => {
    const partner = bench("  - { when: { amount: 777 }, answer: approve }\n", keys + accounts)

    partner.say(money(partner.codec, { 11: stan(1) }))

    expect(partner.codes()).toEqual(["00"])
    expect(give(partner, 2, "9999", { 2: "6200000000000013" })).toEqual(["00"])
    expect(give(partner, 3, "9999", { 4: "000000000777" })).toEqual(["00"])
  })

  it("are in no line of the history, and what is wrong in the file is told without their digits", () => {
    const partner = bench("  []\n", keys + accounts)
    give(partner, 1, "4321")

    expect(JSON.stringify(partner.history.lines)).not.toContain("4321")
    expect(wrongOf(head("cups", accounts))).toContain("an account has a PIN, and no key opens a block")
    expect(wrongOf(head("cups", keys.replace("pin: zpk\n", "pin: zkp\n") + accounts))).toContain('did you mean "zpk"?')
    const wrong = wrongOf(head("cups", keys + accounts.replace('"1234"', '"12a4"')))
    expect(wrong).toContain("a PIN of 4 to 12 digits")
    expect(wrong).not.toContain("12a4")
  })
})
