/** How a message about a request finds it, in the editions of the standard: by DE 90, by DE 56, and by nothing. */
import { describe, expect, it } from "@effect/vitest"
import { compile, cups, type Dialect, iso8583v1993Ascii, iso8583v2003, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import type { LinkAll } from "./Bench.ts"
import { answerTo, purchase } from "./Bench.ts"
import { bench } from "./Pair.ts"

/** A later edition on both links; the wires of the bench know frames with four digits of length. */
const edition = (dialect: Dialect, more: Partial<LinkAll> = {}) => {
  const link: Partial<LinkAll> = { dialect, codec: compile(dialect) }
  return { acquirer: link, issuer: { ...link, ...more } }
}

const editions = [
  {
    dialect: iso8583v1993Ascii,
    first: "1",
    fields: { 2: "6200000000000005", 3: "000000", 4: "000000012300", 11: "000777", 12: "261127101112", 32: "48020000" },
    named: (stan: string) => `1200${stan}2611271011120848020000`
  },
  {
    dialect: iso8583v2003,
    first: "2",
    fields: { 2: "6200000000000005", 3: "000000", 11: "000000000777", 12: "20261127101112", 32: "48020000" },
    named: (stan: string) => `2200${stan}2026112710111248020000`
  }
]

const asked = ({ fields, first }: (typeof editions)[number]): Message => ({ mti: `${first}200`, fields })

const reversal = (one: (typeof editions)[number], originalData: string): Message => ({
  mti: `${one.first}420`,
  fields: { ...one.fields, 11: one.fields[11].replace("777", "778"), 56: originalData }
})

describe("A reversal without DE 7 of a later edition", () => {
  for (const one of editions) {
    it.effect(`waits for the original that it names, and is acknowledged with its DE 56: ${one.dialect.name}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(edition(one.dialect))
        a.say(asked(one))
        yield* commit
        const [seen] = b.heard()
        a.say(reversal(one, one.named(one.fields[11])))
        yield* commit
        const [acknowledged] = a.heard()

        expect(acknowledged?.fields[56]).toBe(one.named(one.fields[11]))
        expect(b.heard()).toEqual([])

        b.say(answerTo(seen!, `${one.first}210`, { 39: one.first === "1" ? "000" : "0000" }))
        yield* commit
        yield* TestClock.adjust(20)
        yield* commit

        expect(b.heard().map(({ mti }) => mti)).toEqual([`${one.first}420`])
      })
    )

    it.effect(`names its original by the STAN that it has on a link of our own STANs: ${one.dialect.name}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(edition(one.dialect, { stan: "own" }))
        a.say(asked(one))
        yield* commit
        const [seen] = b.heard()
        const ours = String(seen!.fields[11])

        expect(ours).toHaveLength(one.fields[11].length)
        expect(ours).not.toBe(one.fields[11])

        b.say(answerTo(seen!, `${one.first}210`, { 39: one.first === "1" ? "000" : "0000" }))
        yield* commit
        expect(a.heard()[0]?.fields[11]).toBe(one.fields[11])

        a.say(reversal(one, one.named(one.fields[11])))
        yield* commit
        const [reversed] = b.heard()

        expect(reversed?.fields[56]).toBe(one.named(ours))
      })
    )

    it.effect(
      `keeps on a link of our own STANs what its DE 56 says behind the STAN, also what cannot be told: ${one.dialect.name}`,
      () =>
        Effect.gen(function* () {
          const { a, b, commit } = yield* bench(edition(one.dialect, { stan: "own" }))
          a.say(asked(one))
          yield* commit
          const [seen] = b.heard()
          b.say(answerTo(seen!, `${one.first}210`, { 39: one.first === "1" ? "000" : "0000" }))
          yield* commit
          a.heard()
          // Without the two digits of the acquirer's length; in 2003 there are none.
          const said = `${one.named(one.fields[11]).slice(0, one.first === "1" ? 22 : 30)}48020000`
          a.say(reversal(one, said))
          yield* commit

          const renamed = said.replace(one.fields[11], String(seen!.fields[11]))
          expect(b.heard().map(({ fields }) => fields[56])).toEqual([renamed])
        })
    )

    it.effect(`of ours says that it takes all back, and why: ${one.dialect.name}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(edition(one.dialect))
        a.say({ ...asked(one), fields: { ...one.fields, 24: "200", 25: "1003" } })
        yield* commit
        b.heard()
        yield* TestClock.adjust(1500)
        yield* commit
        const [reversed] = b.heard()

        expect([reversed?.mti, reversed?.fields[24], reversed?.fields[25]]).toEqual([`${one.first}420`, "400", "4021"])
      })
    )

    it.effect(`of ours says so too of an approval that came too late, or that nobody heard: ${one.dialect.name}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(edition(one.dialect))
        const why = (message: Message | undefined) => [message?.mti, message?.fields[24], message?.fields[25]]
        const approved = (message: Message) =>
          answerTo(message, `${one.first}210`, { 39: one.first === "1" ? "000" : "0000" })
        a.say(asked(one))
        yield* commit
        const [seen] = b.heard()
        yield* TestClock.adjust(1500)
        yield* commit
        const [first] = b.heard()
        b.say(answerTo(first!, `${one.first}430`, { 39: one.first === "1" ? "914" : "9114" }))
        yield* commit
        b.say(approved(seen!))
        yield* commit
        yield* commit
        const [again] = b.heard()
        a.takes = false
        a.say({ ...asked(one), fields: { ...one.fields, 11: one.fields[11].replace("777", "779") } })
        yield* commit
        const other = b.heard().find(({ mti }) => mti === `${one.first}200`)
        b.say(approved(other!))
        yield* commit
        a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
        yield* commit
        const [unheard] = b.heard()

        expect([first, again, unheard].map(why)).toEqual([
          [`${one.first}420`, "400", "4021"],
          [`${one.first}420`, "400", "4006"],
          [`${one.first}420`, "400", "4013"]
        ])
      })
    )

    it.effect(`is refused when its DE 56 names nothing, and ends nothing: ${one.dialect.name}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(edition(one.dialect, { stan: "own" }))
        for (const said of ["", "12", one.named(one.fields[11]).slice(0, 12)]) {
          a.say(reversal(one, said))
          yield* commit
          expect(a.heard().map(({ fields }) => fields[39])).toEqual([one.dialect.refusal.formatError])
        }
        a.say(asked(one))
        yield* commit

        expect(b.heard()).toHaveLength(1)
      })
    )
  }
})

describe("Original data of CUPS that hold no digits", () => {
  it.effect("are refused with a format error, on every link", () =>
    Effect.gen(function* () {
      for (const stan of ["callers", "own"] as const) {
        const { a, b, commit } = yield* bench({ issuer: { stan } })
        for (const said of [" ".repeat(42), `0200${"x".repeat(6)}${"0".repeat(32)}`]) {
          const message = compile({ ...cups, fields: { ...cups.fields, 90: { format: "ans42", name: "any" } } }).encode(
            purchase({ 90: said }, "0420")
          )
          a.say(message as Buffer)
          yield* commit
          expect(a.heard().map(({ fields }) => fields[39])).toEqual(["30"])
          expect(b.heard()).toEqual([])
        }
      }
    })
  )
})
