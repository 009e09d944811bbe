/** A request that its own partner has reversed, and repeats. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, makeDisk, purchase } from "./Bench.ts"
import { bench, codes, issuer, types } from "./Pair.ts"

const reversal = purchase({ 11: "000900", 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")
const repeat = purchase({}, "0201")

for (const stan of ["callers", "own"] as const) {
  const links = { issuer: { ...issuer, stan } }

  describe(`A repeat of what its partner has taken back, STANs ${stan},`, () => {
    it.effect("hears that there is no answer, and not that it is approved; also behind a restart", () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const first = yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* bench(links, disk)
            a.say(purchase())
            yield* commit
            b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
            yield* commit
            a.say(repeat)
            yield* commit
            const before = codes(a.heard())
            a.say(reversal, repeat)
            yield* commit
            return [before, codes(a.heard()), types(b.heard())]
          })
        )
        const { a, commit } = yield* bench(links, disk)
        a.say(repeat)
        yield* commit

        expect(first).toEqual([["00", "00"], ["00", "98"], ["0420"]])
        expect(codes(a.heard())).toEqual(["98"])
      })
    )

    it.effect(
      "hears so behind a restart, also when the reversal came before the approval; a decline is told as it was",
      () =>
        Effect.gen(function* () {
          for (const code of ["00", "51"]) {
            const disk = makeDisk()
            yield* Effect.scoped(
              Effect.gen(function* () {
                const { a, b, commit } = yield* bench(links, disk)
                a.say(purchase(), reversal)
                yield* commit
                b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 39: code })))
                yield* commit
              })
            )
            const { a, commit } = yield* bench(links, disk)
            a.say(repeat)
            yield* commit

            expect(codes(a.heard())).toEqual([code === "00" ? "98" : "51"])
          }
        })
    )

    it.effect("hears again that it was declined", () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(links)
        a.say(purchase())
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 39: "51" })))
        yield* commit
        a.say(reversal, repeat)
        yield* commit

        expect(codes(a.heard()).toSorted()).toEqual(["00", "51", "51"])
      })
    )

    it.effect("hears so when the approval comes behind the reversal, and a decline as it was", () =>
      Effect.gen(function* () {
        for (const code of ["00", "51"]) {
          const { a, b, commit } = yield* bench(links)
          a.say(purchase(), reversal)
          yield* commit
          const heard = b.heard()
          b.say(...heard.map((seen) => answerTo(seen, "0210", { 39: code })))
          yield* commit
          a.heard()
          yield* TestClock.adjust(40)
          a.say(repeat)
          yield* commit

          expect(types(heard)).toEqual(["0200"])
          expect(codes(a.heard())).toEqual([code === "00" ? "98" : "51"])
        }
      })
    )
  })
}

describe("A repeat of what its partner has taken back", () => {
  it.effect("hears so also when memory has forgotten what became of it", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase())
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
      yield* commit
      a.say(reversal)
      yield* commit
      for (let n = 0; n < 4200; n += 30) {
        const inquiry = (at: number) =>
          purchase({ 3: "300000", 7: "1122223828", 11: String(1000 + n + at).padStart(6, "0") })
        a.say(...Array.from({ length: 30 }, (_, at) => inquiry(at)))
        yield* commit
        const asked = b.heard().filter(({ mti }) => mti === "0200")
        b.say(...asked.map((seen) => answerTo(seen, "0210")))
        yield* commit
      }
      a.heard()
      a.say(repeat)
      yield* commit
      yield* commit

      expect(codes(a.heard())).toEqual(["98"])
    })
  )
})
