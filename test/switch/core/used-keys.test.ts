import { describe, expect, it } from "@effect/vitest"
import { iso8583v1987Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { diskReading } from "./BadReads.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { bench, codes, types } from "./Pair.ts"

const original = `02000000011122223829${"00048020000".repeat(2)}`

/** Another message under a used key. */
const others: ReadonlyArray<[string, Message, Message]> = [
  ["another amount", purchase({}, "0220"), purchase({ 4: "000000045600" }, "0220")],
  ["another card", purchase({}, "0220"), purchase({ 2: "6200000000000013" }, "0221")],
  ["another type", purchase({}, "0120"), purchase({}, "0220")],
  [
    "another original",
    purchase({ 90: original }, "0420"),
    purchase({ 90: original.replace("000001", "000002") }, "0420")
  ]
]

describe("a used key", () => {
  it.effect("of a request that is open, with a card that goes elsewhere now, gets nobody's answer: it is refused", () =>
    Effect.gen(function* () {
      const links = [linkOf("acquirer", 4802), linkOf("issuer", 103), linkOf("other", 104)]
      const routes = [
        { bin: "62", to: 1 },
        { bin: "63", to: 2 }
      ]
      const { commit, dial } = yield* startBench(links, makeDisk(), { routes })
      const [a, b, c] = [dial(0), dial(1), dial(2)]
      yield* commit
      a.say(purchase())
      yield* commit
      a.say(purchase({ 2: "6300000000000004" }), purchase({ 2: "6400000000000003" }, "0201"), purchase())
      yield* commit
      const told = codes(a.heard())
      b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
      yield* commit

      expect([told, codes(a.heard()), c.heard()]).toEqual([["94", "94"], ["00"], []])
    })
  )

  it.effect.each(others)(
    "of an advice or reversal, with %s: it is refused, and the first one's repeat is not",
    ([, first, other]) =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench()
        a.say(first)
        yield* commit
        a.say(other)
        yield* commit
        a.say(first)
        yield* commit

        expect(codes(a.heard())).toEqual(["00", "30", "00"])
        expect(types(b.heard())).toEqual([first.mti])
      })
  )

  it.effect(
    "of an advice is held against what was taken before a restart, in another dialect and under a STAN of ours",
    () =>
      Effect.gen(function* () {
        const change = { issuer: { ...linkOf("issuer", 103, iso8583v1987Ascii), stan: "own" as const } }
        const disk = makeDisk()
        const advice = purchase({ 11: "000777" }, "0220")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* bench(change, disk)
            a.say(advice)
            yield* commit
            b.say(...b.heard().map((sent) => answerTo(sent, "0230")))
            yield* commit
          })
        )
        const { a, b, commit } = yield* bench(change, disk)
        a.say({ ...advice, mti: "0221" }, purchase({ 11: "000777", 4: "000000045600" }, "0221"))
        yield* commit

        expect(codes(a.heard())).toEqual(["00", "30"])
        expect(b.heard()).toEqual([])
      })
  )

  it.effect("of an advice, as often as it is used at once: whoever comes back says all again, and hears of all", () =>
    Effect.gen(function* () {
      const { a, commit } = yield* bench({}, diskReading({ before: Effect.sleep(10) }))
      const advices = (mti: string) =>
        Array.from({ length: 300 }, (_, n) => purchase({ 11: String(n + 1).padStart(6, "0") }, mti))
      a.say(...advices("0220"))
      yield* commit
      const first = a.heard().length
      a.say(...advices("0221"))
      for (let turn = 0; turn < 20; turn++) {
        yield* TestClock.adjust(10)
        yield* commit
      }

      const again = codes(a.heard())
      expect([first, again.length, new Set(again)]).toEqual([300, 300, new Set(["00"])])
    })
  )

  it.effect("of a reversal, said once as a request and once as an advice, is a repeat", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase({ 90: original }, "0400"))
      yield* commit
      a.say(purchase({ 90: original }, "0420"), purchase({ 90: original }, "0401"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00", "00", "00"])
      expect(types(b.heard())).toEqual(["0400"])
    })
  )

  it.effect("of a request, with another type: it never gets the first one's answer", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase({}, "0100"))
      yield* commit
      b.say(...b.heard().map((sent) => answerTo(sent, "0110")))
      yield* commit
      a.say(purchase({}, "0200"), purchase({}, "0101"))
      yield* commit

      expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0110 00", "0210 94", "0110 00"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect(
    "of a request that is open, with another amount, card or type: refused at once, and the first is answered",
    () =>
      Effect.gen(function* () {
        for (const stan of ["callers", "own"] as const) {
          const { a, b, commit } = yield* bench({ issuer: { stan } })
          a.say(purchase())
          yield* commit
          a.say(purchase({ 4: "000000045600" }), purchase({ 2: "6200000000000013" }), purchase({}, "0100"))
          a.say(purchase(), purchase({}, "0201"))
          yield* commit
          const [seen, ...more] = b.heard()

          expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0210 94", "0210 94", "0110 94"])
          expect(more).toEqual([])

          b.say(answerTo(seen!, "0210"))
          yield* commit

          expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0210 00"])
        }
      })
  )
})
