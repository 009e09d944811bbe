/** What ends a wait from plain code. */
import { expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { describe } from "vitest"
import { Bell, Change } from "../../../packages/switch/src/link/Bell.ts"

describe("A bell", () => {
  it.effect("wakes the fiber that waits, and says whether one did", () =>
    Effect.gen(function* () {
      const bell = new Bell<undefined>()
      const before = bell.ring(undefined)
      const waiting = yield* Effect.forkChild(bell.rung, { startImmediately: true })
      const stillWaits = waiting.pollUnsafe() === undefined

      const first = bell.ring(undefined)
      yield* Fiber.join(waiting)

      expect([before, stillWaits, first, bell.ring(undefined)]).toEqual([false, true, true, false])
    })
  )

  it.effect("wakes nobody who has given up", () =>
    Effect.gen(function* () {
      const bell = new Bell<undefined>()
      const waiting = yield* Effect.forkChild(bell.rung, { startImmediately: true })
      yield* Fiber.interrupt(waiting)

      expect(bell.ring(undefined)).toBe(false)
    })
  )
})

describe("A change", () => {
  it.effect("ends a wait when what is waited for has come, and not with the changes before", () =>
    Effect.gen(function* () {
      const change = new Change()
      let left = 2
      const waiting = yield* Effect.forkChild(
        change.until(() => left === 0, 60_000),
        { startImmediately: true }
      )

      left--
      change.happened()
      const early = waiting.pollUnsafe()
      left--
      change.happened()
      yield* Fiber.join(waiting)

      expect(early).toBeUndefined()
    })
  )

  it.effect("forgets a wait that is over, however it ended", () =>
    Effect.gen(function* () {
      const change = new Change()
      let isDone = false
      let looks = 0
      const look = () => {
        looks++
        return isDone
      }
      const waits = yield* Effect.forEach([60_000, 60_000, 1000], (limitMs) =>
        Effect.forkChild(change.until(look, limitMs), { startImmediately: true })
      )
      yield* Fiber.interrupt(waits[0]!)
      yield* TestClock.adjust(1000)
      yield* Fiber.join(waits[2]!)
      isDone = true
      change.happened()
      yield* Fiber.join(waits[1]!)

      looks = 0
      change.happened()
      expect(looks).toBe(0)
    })
  )

  it.effect("waits for nothing that is so already, and no longer than it was told", () =>
    Effect.gen(function* () {
      const change = new Change()

      yield* change.until(() => true, 60_000)
      const waiting = yield* Effect.forkChild(
        change.until(() => false, 1000),
        { startImmediately: true }
      )
      yield* TestClock.adjust(1000)
      yield* Fiber.join(waiting)
    })
  )
})
