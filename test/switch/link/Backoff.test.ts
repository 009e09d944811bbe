import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { attemptAfter, delayMs, STABLE_MS } from "../../../packages/switch/src/link/Backoff.ts"

describe("the wait before the next attempt to connect", () => {
  it("never exceeds the cap and never falls below half of the minimum", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, chance) => {
        const delay = delayMs({ minMs: 100, maxMs: 30_000 }, attempt, chance)
        expect(delay).toBeGreaterThanOrEqual(50)
        expect(delay).toBeLessThanOrEqual(30_000)
      })
    )
  })

  it("spreads over the whole doubling interval, so that partners do not return in step", () => {
    expect(delayMs({ minMs: 100, maxMs: 30_000 }, 3, 0.999)).toBeCloseTo(799, 0)
    expect(delayMs({ minMs: 100, maxMs: 30_000 }, 3, 0.25)).toBe(200)
  })

  it("starts from the shortest wait again only after a minute up", () => {
    expect(attemptAfter(7, STABLE_MS - 1)).toBe(8)
    expect(attemptAfter(7, STABLE_MS)).toBe(0)
  })
})
