/** How often a partner looks at its clock: when something is due, and hardly otherwise; in virtual time. */
import { it } from "@effect/vitest"
import { Clock, Effect, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect } from "vitest"
import { makeTicks, type Ticks } from "../../packages/simulator/src/link/Ticks.ts"
import { timepieceOf } from "../../packages/simulator/src/partner/Session.ts"

/** A session with one thing to do, at `due`: the times at which it was ticked. */
const watched = Effect.fnUntraced(function* (
  most: number
): Effect.fn.Return<
  { readonly at: Array<number>; readonly ticks: Ticks; readonly wants: (due: number) => void },
  never,
  Scope.Scope
> {
  const time = timepieceOf(yield* Clock.Clock)
  const began = time.monotonic()
  const at: Array<number> = []
  let due = Number.POSITIVE_INFINITY
  const tick = (): void => {
    const now = time.monotonic() - began
    at.push(now)
    if (due <= now) due = Number.POSITIVE_INFINITY
  }
  const ticks = makeTicks({ most, nextAt: () => began + due, tick, time })
  yield* Effect.forkScoped(ticks.run)
  yield* TestClock.adjust("1 millis")
  return { at, ticks, wants: (ms) => (due = ms) }
})

describe("A partner's ticks", () => {
  it.effect("come twenty times a second while nothing is due", () =>
    Effect.gen(function* () {
      const { at } = yield* watched(50)
      yield* TestClock.adjust("10 seconds")

      expect(at.length).toBeGreaterThanOrEqual(200)
      expect(at.length).toBeLessThan(205)
    })
  )

  it.effect("come when something is due, and no sooner for it", () =>
    Effect.gen(function* () {
      const { at, wants } = yield* watched(50)
      wants(77)
      yield* TestClock.adjust("110 millis")

      expect(at).toEqual([0, 50, 77])
    })
  )

  it.effect("come for what a message has made due before the next one", () =>
    Effect.gen(function* () {
      const { at, ticks, wants } = yield* watched(50)
      yield* TestClock.adjust("9 millis")
      wants(17)
      ticks.look()
      yield* TestClock.adjust("30 millis")

      expect(at.slice(-1)).toEqual([17])
    })
  )
})
