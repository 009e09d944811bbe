import { Effect, Random } from "effect"
import { describe, expect, it } from "vitest"
import { freePort, givePortBack } from "../../examples/shared/FreePort.ts"

/** The port that chance gives with this seed, unless somebody has it. */
const next = Random.withSeed(freePort, "ports")

describe.runIf(process.platform === "linux")("A free port", () => {
  it("is given to nobody else before its owner listens on it, until he gives it back", async () => {
    const first = await Effect.runPromise(next)
    const second = await Effect.runPromise(next)
    await Effect.runPromise(Effect.andThen(givePortBack(first), givePortBack(second)))
    const again = await Effect.runPromise(next)
    await Effect.runPromise(givePortBack(again))

    expect(second).not.toBe(first)
    expect(again).toBe(first)
  })
})
