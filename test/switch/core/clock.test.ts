/** Somebody sets the machine's clock while a request is outstanding: deadlines count monotonic time, whatever the day says. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, purchase } from "./Bench.ts"
import { bench, codes, types } from "./Pair.ts"

const HOUR_MS = 3_600_000

/** The clock of the test, whose time of day is `by()` milliseconds away from the true one. */
const away = (clock: Clock.Clock, by: () => number): Clock.Clock =>
  Object.create(clock, {
    currentTimeMillisUnsafe: { value: () => clock.currentTimeMillisUnsafe() + by() },
    currentTimeMillis: { get: () => Effect.map(clock.currentTimeMillis, (ms) => ms + by()) }
  })

describe("A step of the clock", () => {
  it.effect.each([HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS])(
    "by %i ms ends no request early and none late, and no link",
    (step) =>
      Effect.gen(function* () {
        let by = 0
        const clock = away(yield* Clock.Clock, () => by)
        yield* Effect.gen(function* () {
          yield* TestClock.setTime(1_800_000_000_000)
          const { a, b, commit, running, store } = yield* bench()
          a.say(purchase())
          yield* commit
          yield* TestClock.adjust(500)

          by = step
          yield* TestClock.adjust(300)
          yield* commit
          expect([types(b.heard()), codes(a.heard())]).toEqual([["0200"], []])

          // A request after the step is answered as ever; the one before it ends a second after it was taken.
          a.say(purchase({ 11: "000002" }))
          yield* commit
          const [second] = b.heard()
          b.say(answerTo(second!, "0210"))
          yield* commit
          expect(codes(a.heard())).toEqual(["00"])

          yield* TestClock.adjust(300)
          yield* commit
          expect([codes(a.heard()), types(b.heard())]).toEqual([["98"], ["0420"]])
          expect(running.status().links.map(({ epoch, ready }) => [epoch, ready])).toEqual([
            [1, true],
            [1, true]
          ])
          // The journal has the time of day as the machine tells it.
          expect(Math.abs(store.entries.at(-1)!.at - (1_800_000_000_000 + step))).toBeLessThan(5000)
        }).pipe(Effect.provideService(Clock.Clock, clock))
      })
  )

  it.effect.each([400 * 24 * HOUR_MS, -400 * 24 * HOUR_MS])(
    "by %i ms makes nobody forget what was answered or taken",
    (step) =>
      Effect.gen(function* () {
        let by = 0
        const clock = away(yield* Clock.Clock, () => by)
        yield* Effect.gen(function* () {
          yield* TestClock.setTime(1_800_000_000_000)
          const { a, b, commit } = yield* bench()
          a.say(purchase(), purchase({ 11: "000002" }, "0220"))
          yield* commit
          b.say(...b.heard().map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0230")))
          yield* commit
          const first = codes(a.heard())

          by = step
          yield* TestClock.adjust(300)
          yield* commit
          a.say(purchase({}, "0201"), purchase({ 11: "000002" }, "0221"))
          yield* commit

          expect([first.length, codes(a.heard())]).toEqual([2, ["00", "00"]])
          expect(b.heard()).toEqual([])
        }).pipe(Effect.provideService(Clock.Clock, clock))
      })
  )
})
