import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

describe("The steps of the codec, counted in its own code", () => {
  const program = fileURLToPath(new URL("Steps.ts", import.meta.url))
  const text = execFileSync(process.execPath, [program, "1000"], { encoding: "utf8" })
  const rows: Record<string, { readonly one: number; readonly two: number }> = JSON.parse(text)

  it("were counted for every kind of value, frames, TLV and the doctor", () => {
    expect(Object.keys(rows).length).toBe(16)
  })

  for (const [name, { one, two }] of Object.entries(rows)) {
    it(`grow no faster than the input: ${name}`, () => {
      // An input of a thousand units takes at least a step a unit; twice the input at most twice the steps, and a little.
      expect(one).toBeGreaterThan(1000)
      expect(two / one).toBeLessThan(2.1)
    })
  }
})
