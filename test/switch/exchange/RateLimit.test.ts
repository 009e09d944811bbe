import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { RateLimit } from "../../../packages/switch/src/exchange/entry/RateLimit.ts"

describe("a rate limit", () => {
  it("lets a second's worth through at once, and then as many as come in time", () => {
    const limit = new RateLimit(10)
    const taken = (now: number, count: number) =>
      Array.from({ length: count }, () => limit.take(now)).filter(Boolean).length

    expect(taken(1000, 15)).toBe(10)
    expect(taken(1100, 3)).toBe(1)
    expect(taken(1250, 3)).toBe(1)
    expect(taken(60_000, 100)).toBe(10)
  })

  it("never lets more through in any time than its rate and one second's worth, and never less than its rate where as many come", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 300 }),
        (perSecond, pauses) => {
          const limit = new RateLimit(perSecond)
          const taken: Array<number> = []
          let now = 0
          for (const pause of pauses) {
            now += pause
            if (limit.take(now)) taken.push(now)
          }
          for (let first = 0; first < taken.length; first++) {
            for (let last = first; last < taken.length; last++) {
              const span = taken[last]! - taken[first]!
              expect(last - first + 1).toBeLessThanOrEqual(perSecond + (span * perSecond) / 1000 + 1)
            }
          }
          if (pauses.every((pause) => pause >= 1000 / perSecond)) expect(taken.length).toBe(pauses.length)
        }
      )
    )
  })
})
