import { expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { inSlices } from "../../../packages/switch/src/exchange/turns/Slices.ts"

/** A clock on which only the work of a test takes time. */
const workClock = () => {
  const clock = { ms: 0 }
  const service: Clock.Clock = {
    currentTimeMillisUnsafe: () => clock.ms,
    currentTimeNanosUnsafe: () => BigInt(clock.ms) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => clock.ms),
    currentTimeNanos: Effect.sync(() => BigInt(clock.ms) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(clock.ms) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(clock.ms) * 1_000_000n),
    sleep: () => Effect.yieldNow
  }
  return { clock, service }
}

it.effect("long work beside a running switch gives way every few milliseconds, and is done whole and in order", () =>
  Effect.gen(function* () {
    const { clock, service } = workClock()
    const done: Array<number | string> = []
    const work = inSlices([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], (item) => {
      clock.ms += 2
      done.push(item)
    })
    const message = Effect.sync(() => done.push("message"))
    const messages = Effect.forever(Effect.andThen(message, Effect.yieldNow), { disableYield: true })
    const others = yield* Effect.forkChild(messages)
    yield* Effect.provideService(work, Clock.Clock, service)
    yield* Fiber.interrupt(others)
    const runs = done.join(" ").split(/(?:message ?)+/)

    expect(done.filter((one) => one !== "message")).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(Math.max(...runs.map((run) => run.split(" ").filter((one) => one !== "").length))).toBe(3)
  })
)
