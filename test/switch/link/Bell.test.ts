/** What ends a wait from plain code. */
import { expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { describe } from "vitest"
import { Bell } from "../../../packages/switch/src/link/Bell.ts"

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
