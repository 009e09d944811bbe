/** Exchange of keys between two partners of files, one on each side of a link: in every dialect, right, wrong, late and lost. */
import { dialects } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import type { KeyWish } from "../../../packages/simulator/src/scripted/keys/KeyPlan.ts"
import { goodKey } from "../../../packages/simulator/src/scripted/keys/KeyPlanFile.ts"
import { encoded, head, money, plansOf, stan, wrongOf } from "./Bench.ts"
import { Link } from "./Couple.ts"

const kek = "3889D6265E54CDD3F8139DC454203146"

const wish = (more: Partial<KeyWish> = {}) => ({ act: "key", key: { kind: undefined, ...goodKey, ...more } }) as const

const side = (giver: string, dialect = "cups", more = "", exchange = "") =>
  head(dialect, `key exchange: { giver: ${giver}, kek: ${kek}${exchange} }\n${more}`)

const pair = (dialect: string, one = "", other = "", exchange = "") =>
  new Link(side("us", dialect, one, exchange), side("far side", dialect, other, exchange))

const withKeys = Object.entries(dialects).filter(([, { keyExchange = [] }]) => keyExchange.length > 0)

describe("keys between two partners", () => {
  it.each(withKeys.map(([name, { keyExchange }]) => [name, keyExchange!] as const))(
    "are exchanged in each way that the dialect %s has, with a common check value at the end",
    (dialect, exchanges) => {
      for (const { ask, deliver, kind, name } of exchanges) {
        const kinds = typeof kind === "string" ? kind : name === "track" ? "[pin, mac, data]" : "[pin, mac]"
        const link = pair(dialect, "", "", `, exchange: ${name}, kinds: ${kinds}`)
        const [beginner, says] = deliver === undefined ? [link.other, "asked for"] : [link.one, "given"]
        beginner.partner.command(wish())
        link.pass(1)

        expect(beginner.keys.join("\n"), name).toContain(says)
        expect(link.one.checkValues, name).not.toEqual([])
        expect(
          link.one.checkValues.map((value) => value.replace(/ (sends|receives)/, "")),
          name
        ).toEqual(link.other.checkValues.map((value) => value.replace(/ (sends|receives)/, "")))
        expect([link.one.partner.totals().keyTroubles, link.other.partner.totals().keyTroubles], name).toEqual([0, 0])
        if (ask === undefined || deliver === undefined) continue

        const before = link.one.checkValues
        link.other.partner.command(wish())
        link.pass(1)

        expect(link.other.keys.join("\n"), name).toContain("is promised")
        expect(link.one.checkValues, name).not.toEqual(before)
      }
    }
  )

  it("come at a sign-on, on a schedule and by command; the one before is good for its window alone", () => {
    const schedule = "schedule: [{ send: key, every: 60s }]\n"
    const link = pair(
      "cups",
      `sign-on: { send: yes }\n${schedule}`,
      "",
      ", at sign-on: yes, window: 90s".replace("at sign-on: yes, ", "")
    )
    expect(link.one.checkValues).toEqual([])
    expect(link.buys(1)).toBe("A0")

    link.pass(60_000)
    const [first] = link.one.checkValues
    expect(link.other.checkValues).toEqual([first])
    expect(link.buys(2)).toBe("00")

    // The first partner does not hear that its next key was taken, and goes on with the one before.
    link.loses = ({ mti }) => mti === "0810"
    link.pass(60_000)
    expect(link.one.checkValues).toEqual([first])
    expect(link.other.checkValues).not.toEqual([first])
    expect(link.buys(3)).toBe("00")
    link.clock.now += 90_000
    expect(link.buys(4)).toBe("A0")

    // It is given again, the same one, until it is answered for.
    link.loses = () => false
    link.one.partner.command(wish())
    link.pass(1)
    expect(link.one.checkValues).toEqual(link.other.checkValues)
    expect(link.other.keys.join("\n")).toContain("came again: nothing changes")
    expect(link.buys(5)).toBe("00")
  })

  it("come with the first sign-on of either side, or with the connection where nobody signs on", () => {
    const atOnce = ", at sign-on: yes"
    const signsOn = new Link(
      side("us", "cups", "sign-on: { send: yes }\n", atOnce),
      side("far side", "cups", "sign-on: { expect: yes }\n")
    )
    const nobody = pair("cups")
    const given = new Link(side("us", "cups", "", atOnce), side("far side"))
    const asked = new Link(side("us"), side("far side", "cups", "", atOnce))

    expect([signsOn, given, asked].map(({ one, other }) => one.checkValues[0] === other.checkValues[0])).toEqual([
      true,
      true,
      true
    ])
    expect(signsOn.other.checkValues).toHaveLength(1)
    expect(nobody.other.checkValues).toEqual([])
    expect(asked.other.keys).toEqual([
      "mac key is asked for",
      "mac key is promised, answered 00",
      expect.stringMatching(/^mac key 1, check value [0-9A-F]{6}, is in use: came$/)
    ])
  })

  it("are taken wrong, late, lost or twice as the file says, and what is wrong is refused with the dialect's code", () => {
    const rules = `rules:
  - { when: { type: key change, nth: 1 }, key: no key }
  - { when: { type: key change, nth: 1 }, key: wrong mac }
  - { when: { type: key change, nth: 1 }, key: lost }
  - { when: { type: key change, nth: 1 }, key: after 20s }
  - { when: { type: key change, nth: 1 }, key: same }
  - { when: { type: key change, nth: 1 }, answer: "96" }
`
    const link = pair("cups", rules)
    const asks = (ms: number) => {
      link.other.partner.command(wish())
      link.pass(1)
      link.pass(ms)
      return link.other.keys.at(-1)!
    }

    expect(asks(0)).toMatch(/^mac key is refused with A7: it has no odd parity$/)
    expect(asks(0)).toMatch(/^mac key is refused with A0: its MAC is that of neither key$/)
    expect(asks(16_000)).toBe("mac key was promised and did not come")
    // A key that was lost is given again when it is asked for, and this one comes too late to be waited for.
    expect(asks(20_000)).toMatch(/is in use: came$/)
    expect(asks(0)).toMatch(/came again: nothing changes$/)
    expect(asks(0)).toBe("mac key was asked for, and answered 96")
    expect(link.one.keys.join("\n")).toContain("is given (wrong mac)")
    expect(link.one.checkValues).toEqual(link.other.checkValues)
  })

  it("have a check value in 1993: a wrong one is refused, and the key before stays", () => {
    const link = pair(
      "iso8583v1993Ascii",
      "schedule: [{ send: key, after: 1s }, { send: key, after: 2s, key: wrong check value }]\n"
    )
    link.pass(1000)
    const [first] = link.one.checkValues
    link.pass(1000)

    expect(link.other.keys.at(-1)).toBe("pin key is refused with 909: its check value is another key's")
    expect(link.one.keys.at(-1)).toContain("was answered 909: the one before stays")
    expect([link.one.checkValues, link.other.checkValues]).toEqual([[first], [first!.replace("sends", "receives")]])
  })

  it("are in use when a message shows it, though the answer never came", () => {
    const link = pair("cups", "", "rules: [{ when: { type: key change }, silence: yes }]\n")
    link.one.partner.command(wish())
    link.pass(1)
    expect(link.one.checkValues).toEqual([])

    const seal = Reflect.get(link.other.partner, "zone") as { sealed: (bytes: Buffer, isWrong: boolean) => Buffer }
    const { codec } = link.other.plan.form
    link.one.hears(seal.sealed(encoded(codec, money(codec, { 11: stan(9) })), false))

    expect(link.one.checkValues).toEqual(link.other.checkValues)
    expect(link.one.keys.at(-1)).toContain("the far side uses it, though its answer did not come")
  })

  it("stay when the file is read again with other rules, and go when it has others", () => {
    const link = pair("cups")
    link.one.partner.command(wish())
    link.pass(1)
    const before = link.one.checkValues
    link.one.partner.replan(plansOf(side("us", "cups", "rules: [{ answer: approve }]\n"))[0]!)
    expect(link.one.checkValues).toEqual(before)

    link.one.partner.replan(plansOf(side("us", "cups", "", ", cipher: des"))[0]!)
    expect(link.one.checkValues).toEqual([])
  })

  it("are nowhere in the history", () => {
    const link = pair("cups")
    link.one.partner.command(wish())
    link.pass(1)
    const zone = Reflect.get(link.one.partner, "zone") as {
      exchanged: (kind: string) => { current: { bytes: Buffer } }
    }
    const { bytes } = zone.exchanged("mac").current
    const said = JSON.stringify([link.one.history.lines, link.other.history.lines]).toUpperCase()

    expect(said).not.toContain(bytes.toString("hex").toUpperCase().slice(0, 12))
    expect(said).not.toContain(kek)
  })
})

describe("key exchange in a partner file", () => {
  it.each([
    [side("us", "cups", "", ", exchange: rest"), 'has no exchange "rest"; did you mean "reset"?'],
    [head("cups", "key exchange: { giver: us }\n"), '"kek:" is missing'],
    [head("cups", "key exchange: { kek: 0011 }\n"), "a tdes key of 16, 24 bytes is expected"],
    [side("us", "cups", "rules: [{ key: wrong check value }]\n"), "the exchange reset carries no check value"],
    [side("us", "iso8583v1993Ascii", "rules: [{ key: wrong mac }]\n"), "the message that brings a key has no MAC"],
    [side("far side", "cups", "rules: [{ key: same }]\n"), "`key` is about keys that this partner gives"],
    [side("us", "cups", "rules: [{ key: sme }]\n"), 'did you mean "same"?'],
    [head("cups", "schedule: [{ send: key, every: 1s }]\n"), "the partner exchanges no keys"],
    [head("cups", "rules: [{ key: same }]\n"), "the partner exchanges no keys"],
    [
      side("us", "unionPayPos", "schedule: [{ send: key, every: 1s }]\n"),
      "keys are given in the answer to the far side's question alone"
    ],
    [side("us", "iso8583v1993Ascii", "", ", kinds: [mac]"), "the dialect's exchange brings pin keys alone"]
  ])("is refused with its line where it cannot work: %#", (text, says) => {
    expect(wrongOf(text)).toMatch(/^partner\.yaml:\d+: /)
    expect(wrongOf(text)).toContain(says)
  })
})
