import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { watchProcess } from "../../../packages/switch/src/transport/NodeProcess.ts"

describe("How the process is", () => {
  it("is the same for everybody who asks: a look of one takes nothing away from the other's", async () => {
    const twice = Effect.gen(function* () {
      const look = yield* watchProcess
      for (;;) {
        const busyUntil = performance.now() + 60
        while (performance.now() < busyUntil);
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        const first = look().loop
        if (first.max > 0) return [first, look().loop] as const
      }
    })

    const [first, second] = await Effect.runPromise(Effect.scoped(twice))

    expect(second).toEqual(first)
  })
})
