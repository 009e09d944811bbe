import { describe, expect, it } from "vitest"
import corpus from "../../fixtures/fuzz/corpus.json" with { type: "json" }
import { isLong } from "../../Runs.ts"
import { Chance, mutate } from "./Mutation.ts"
import { seeds } from "./Seeds.ts"
import { targets } from "./Targets.ts"

/** The doctor tries every frame and dialect, and takes longer than all others; JINKA_LAB=long: as often for it, too. */
const turnsOf = (name: string): number => (name === "doctor" && !isLong ? 25 : 100)

const inputs = corpus.inputs as unknown as Record<string, ReadonlyArray<string>>

describe("Inputs that the fuzzer found worth keeping", () => {
  for (const [name, target] of Object.entries(targets)) {
    it(`break no promise: ${name}`, () => {
      const kept = (inputs[name] ?? []).map((hex) => Buffer.from(hex, "hex"))

      expect(kept.length).toBeGreaterThan(0)

      const all = [...seeds[name]!, ...kept]
      for (const bytes of all) target(bytes)
      const chance = new Chance(20260101)
      for (let turn = 0; turn < turnsOf(name); turn++) target(mutate(all, chance))
    })
  }
})
