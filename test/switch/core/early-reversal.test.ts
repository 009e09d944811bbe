import { describe, expect, it } from "@effect/vitest"
import { iso8583v1987Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { answerTo, linkOf, makeDisk, purchase } from "./Bench.ts"
import { bench } from "./Pair.ts"

const reversalOf = (mti: string): Message =>
  purchase({ 11: "000900", 90: `${mti}0000011122223829${"00048020000".repeat(2)}` }, "0420")

const told = (messages: ReadonlyArray<Message>) => messages.map(({ mti, fields }) => `${mti} ${fields[39]}`)

/** The issuer's links: what it knows messages by, and in which words. */
const issuers = {
  "its partner's STANs": {},
  "STANs of ours": { stan: "own" as const },
  "another dialect": linkOf("issuer", 103, iso8583v1987Ascii)
}

describe("A reversal that comes before what it takes back", () => {
  for (const [name, issuer] of Object.entries(issuers)) {
    it.effect(`keeps that from being sent when it comes after all, before a restart and after it: ${name}`, () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const before = yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* bench({ issuer }, disk)
            a.say(reversalOf("0200"))
            yield* commit
            b.say(...b.heard().map((seen) => answerTo(seen, "0430", { 39: "25" })))
            yield* commit
            a.say(purchase())
            yield* commit
            return [told(a.heard()), told(b.heard())]
          })
        )
        const { a, b, commit } = yield* bench({ issuer }, disk)
        a.say(purchase({}, "0201"))
        yield* commit

        expect(before).toEqual([["0430 00", "0210 98"], []])
        expect([told(a.heard()), told(b.heard())]).toEqual([["0210 98"], []])
      })
    )
  }

  it.effect("acknowledges an advice behind it as one that was seen before: it is undone already", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(reversalOf("0220"))
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0430", { 39: "25" })))
      yield* commit
      a.say(purchase({}, "0220"), purchase({ 11: "000002" }, "0220"))
      yield* commit

      expect(told(a.heard())).toEqual(["0430 00", "0230 94", "0230 00"])
      expect(b.heard().map(({ fields }) => fields[11])).toEqual(["000002"])
    })
  )
})
