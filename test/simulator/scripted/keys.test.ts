/** Key exchange of partners with each other: whatever one gives, the other one takes, in every exchange that a dialect ships. */

import { type MacKey, macAlgorithms, makeMacKey } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { sealedBy } from "../../../packages/simulator/src/dialogue/Keys.ts"
import type { WireFormat } from "../../../packages/simulator/src/dialogue/WireFormat.ts"
import { Bench, encoded, head, money, wrongOf } from "./Bench.ts"

const kek = "6E46FD9B132A1A4C1FA754D9B6E0BA4F"
const zak = "6B948A0134A110705BD325CD6E73BC15"
const zpk = "0DBA199EF7D96446FBEAFE4C57CEFB7C"

const keyed = (more = "", of = "[mac, pin]"): string =>
  [
    `keys: { zak: { mac: ansi-x9.19, hex: ${zak} }, zpk: { pin: iso0, hex: ${zpk} } }`,
    "mac: zak",
    "pin: zpk",
    `key exchange: { under: { cipher: tdes, hex: ${kek} }, of: ${of}${more === "" ? "" : `, ${more}`} }`,
    ""
  ].join("\n")

const schedule = (...items: ReadonlyArray<string>): string =>
  `schedule:\n${items.map((item) => `  - { ${item} }\n`).join("")}`

/** Both sides hear what the other one says until nobody has anything to say. */
const talk = (one: Bench, other: Bench): void => {
  for (let round = 0; round < 6; round++) {
    other.hear(one.sent.splice(0))
    one.hear(other.sent.splice(0))
  }
}

/** What the history says of keys. */
const keysOf = ({ history }: Bench): ReadonlyArray<string> =>
  history.lines.flatMap(({ reason, what }) => (what.startsWith("key") ? [`${what}: ${reason}`] : []))

const checkValues = (bench: Bench): ReadonlyArray<string> =>
  keysOf(bench).flatMap((line) => line.match(/key [0-9A-F]{6}/g) ?? [])

const macOf = (hex: string): MacKey => makeMacKey(macAlgorithms["ansi-x9.19"], Buffer.from(hex, "hex")) as MacKey

const purchase = (bench: Bench, hex: string, stan: string): Buffer =>
  sealedBy(bench.plan.form as WireFormat, macOf(hex), encoded(bench.codec, money(bench.codec, { 11: stan })))

describe("A key that a partner gives", () => {
  it.each([
    ["cups", "exchange: reset", "[mac, pin]", 2],
    ["iso8583v1987Ascii", "exchange: keyBlock", "[mac, pin]", 2],
    ["iso8583v1993Ascii", "exchange: key", "[pin]", 1]
  ])("in %s (%s) is taken by another one, and both use the same", (dialect, exchange, of, count) => {
    const under = exchange === "exchange: keyBlock" ? { cipher: "aes", hex: kek } : { cipher: "tdes", hex: kek }
    const file = keyed(exchange, of).replace("cipher: tdes", `cipher: ${under.cipher}`)
    const giver = new Bench(head(dialect, file + schedule("send: key change, after: 1s")))
    const taker = new Bench(head(dialect, file))
    giver.pass(1000)
    talk(giver, taker)

    expect(keysOf(giver)).toHaveLength(count)
    expect(keysOf(giver).every((line) => line.startsWith("keyGiven"))).toBe(true)
    expect(keysOf(taker).every((line) => line.startsWith("keyTaken"))).toBe(true)
    expect(checkValues(taker)).toEqual(checkValues(giver))
    expect(new Set(checkValues(giver)).size).toBe(count)
    expect([giver.partner.totals().keys, taker.partner.totals().keys]).toEqual([count, count])
  })

  it("is asked for by the one that needs it", () => {
    const giver = new Bench(head("cups", keyed()))
    const asker = new Bench(head("cups", keyed() + schedule("send: key request, of: mac, after: 1s")))
    asker.pass(1000)
    talk(asker, giver)

    expect(keysOf(giver)[0]).toBe("keyGiven: asked for: mac")
    expect(keysOf(asker)).toEqual([keysOf(giver)[1]!.replace("keyGiven", "keyTaken").replace(", answered 00", "")])
  })

  it("comes in the answer to a terminal's question, with all that belong to the set", () => {
    const file = keyed("exchange: double").replace(
      `mac: ansi-x9.19, hex: ${zak}`,
      `mac: unionpay-pos, hex: ${zak.slice(0, 16)}`
    )
    const host = new Bench(head("unionPayPos", file))
    const terminal = new Bench(head("unionPayPos", file + schedule("send: key request, of: mac, after: 1s")))
    terminal.pass(1000)
    talk(terminal, host)

    expect(checkValues(host)).toHaveLength(2)
    expect(checkValues(terminal).toSorted()).toEqual(checkValues(host).toSorted())
  })

  it.each([
    ["cups", "exchange: reset", "mac", "[mac]", "keyRefused: A0: its MAC is by neither key"],
    ["iso8583v1993Ascii", "exchange: key", "check", "[pin]", "its check value is another key's"],
    ["iso8583v1993Ascii", "exchange: key", "key", "[pin]", "its check value is another key's"],
    ["iso8583v1987Ascii", "exchange: keyBlock", "key", "[mac]", "keyRefused: A7: "]
  ])(
    "in %s (%s) with a wrong %s is refused, and both stay with the one before",
    (dialect, exchange, wrong, of, says) => {
      const cipher = exchange === "exchange: keyBlock" ? "aes" : "tdes"
      const file = keyed(exchange, of).replace("cipher: tdes", `cipher: ${cipher}`)
      const giver = new Bench(head(dialect, file + schedule(`send: key change, wrong: ${wrong}, after: 1s`)))
      const taker = new Bench(head(dialect, file))
      giver.pass(1000)
      talk(giver, taker)

      expect(keysOf(taker)).toHaveLength(1)
      expect(keysOf(taker)[0]).toContain(says)
      expect(keysOf(giver)[0]).toMatch(/^keyRefused/)
      expect([giver.partner.totals().keys, taker.partner.totals().keys]).toEqual([0, 0])
    }
  )

  it("is given again when its answer was lost, and is then in use already", () => {
    const silent = "rules:\n  - { when: { type: key change, nth: 1 }, silence: yes }\n"
    const taker = new Bench(head("cups", keyed("", "[mac]") + silent))
    const giver = new Bench(head("cups", keyed("", "[mac]") + schedule("send: key change, every: 20s")))
    giver.pass(20_000)
    talk(giver, taker)
    expect(keysOf(giver)).toEqual([])
    giver.pass(20_000)
    talk(giver, taker)

    expect(keysOf(taker)[1]).toBe(`${keysOf(taker)[0]}, in use already`)
    expect(checkValues(giver)).toEqual([checkValues(taker)[0]])
  })

  it("that a rule refuses is not taken", () => {
    const taker = new Bench(
      head("cups", `${keyed("", "[mac]")}rules:\n  - { when: { type: key change }, answer: A7 }\n`)
    )
    const giver = new Bench(head("cups", keyed("", "[mac]") + schedule("send: key change, after: 1s")))
    giver.pass(1000)
    talk(giver, taker)

    expect(keysOf(taker)).toEqual(["keyRefused: A7: a rule of the file"])
    taker.hear([purchase(taker, zak, "000077")])
    expect(taker.codes()).toEqual(["00"])
  })
})

describe("The key before", () => {
  it("is good on what comes for the window of its exchange, and no longer", () => {
    const taker = new Bench(head("cups", keyed("", "[mac]")))
    const giver = new Bench(head("cups", keyed("", "[mac]") + schedule("send: key change, after: 1s")))
    giver.pass(1000)
    talk(giver, taker)

    taker.hear([purchase(taker, zak, "000011")])
    expect(taker.codes()).toEqual(["00"])
    taker.pass(181_000)
    taker.hear([purchase(taker, zak, "000012")])
    expect(taker.codes()).toEqual(["A0"])
  })
})

describe("What a file says of keys that cannot be", () => {
  it.each([
    [
      "mac: zak\nkeys: { zak: { mac: ansi-x9.19, hex: 00 } }\n",
      "partner.yaml:5: a key of 8 to 32 bytes in hex digits is expected"
    ],
    [
      `key exchange: { under: { hex: ${kek} } }\n`,
      "of: no key is named for MACs or PINs: `keys` and `mac` are missing"
    ],
    [keyed("exchange: rest"), 'the dialect cups has no exchange "rest"; did you mean "reset"?'],
    [keyed("", "[data]"), 'of: "data" is not possible here; known are mac, pin'],
    [schedule("send: key change, after: 1s"), "schedule: a key is given or asked for, and `key exchange` is missing"],
    [keyed("", "[mac]") + schedule("send: key change, of: pin, after: 1s"), "schedule: no key for pin is exchanged"],
    [schedule("send: echo, of: mac, after: 1s"), "of: it is said of a key change or a key request"],
    [schedule("send: echo, wrong: mac, after: 1s"), "wrong: it is said of a key change"],
    [
      keyed().replace("cipher: tdes", "cipher: rot13"),
      'cipher: "rot13" is not possible here; known are des, tdes, aes, sm4'
    ],
    [keyed().replace(kek, kek.slice(0, 20)), "key exchange: a TDES key has 16 or 24 bytes"]
  ])("%# is said with its place", (text, says) => {
    expect(wrongOf(head("cups", text))).toContain(says)
  })
})
