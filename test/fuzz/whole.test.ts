/** The whole switch, fuzzed in virtual time: a short form of `test/fuzz/whole/main.ts`. */
import type { Codec } from "@jinka/codec"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { isLong } from "../Runs.ts"
import { runWorld } from "./whole/Whole.ts"
import { worldOf, worldText } from "./whole/worlds.ts"

/** Enough to have each dialect on either side, with the kept messages of each. */
const seeds = Array.from({ length: 11 }, (_, n) => n + 1)
/** JINKA_LAB=long: twice as many. */
const ROUNDS = isLong ? 16 : 8

/** Worlds that found something, with their rounds: an advice was delivered twice after a refusal under its key. */
const found: ReadonlyArray<readonly [seed: number, rounds: number]> = [
  [4, 25],
  [8, 25]
]

describe("The whole switch among partners that lie", () => {
  it(`meets no defect, serves the honest ones and ends every exchange, in ${seeds.length} worlds`, async () => {
    let forwarded = 0
    for (const seed of seeds) {
      const world = worldOf(seed, ROUNDS)
      const run = await Effect.runPromise(runWorld(world))
      forwarded += run.forwarded
      expect(run.findings, worldText(world)).toEqual([])
    }
    expect(forwarded).toBeGreaterThan(100)
  })

  it("does not do again what it once did wrong", async () => {
    for (const [seed, rounds] of found) {
      const world = { ...worldOf(seed, rounds), replays: false }
      expect((await Effect.runPromise(runWorld(world))).findings, worldText(world)).toEqual([])
    }
  })

  it("is told apart from one with a defect, which costs the liars their messages and the honest ones nothing", async () => {
    const corrupt = (codec: Codec): Codec =>
      new Proxy(codec, {
        get: (target, name) => {
          if (name !== "patch") return Reflect.get(target, name)
          return () => {
            throw new TypeError("a defect on purpose")
          }
        }
      })
    const { findings } = await Effect.runPromise(runWorld({ ...worldOf(3, ROUNDS), corrupt }))

    expect(findings.join("\n")).toMatch(/defects: .*a defect of the switch/)
    expect(findings.join("\n")).not.toMatch(/honest|stopped|ends, not one/)
  })
})
