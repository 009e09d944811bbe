import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Shares } from "../../../packages/switch/src/exchange/turns/Shares.ts"

describe("places that partners share", () => {
  it("leaves a quarter free when one partner takes all it can, and lets it have everything where it is alone", () => {
    const shared = new Shares()
    while (shared.may(1, 1000, true)) shared.take(1)

    expect(shared.of(1)).toBe(750)

    const alone = new Shares()
    while (alone.may(1, 1000, false)) alone.take(1)
    expect(alone.of(1)).toBe(1000)
  })

  it("gives a newcomer a place at once beside any number of partners that take all they can", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 64, max: 4096 }), (floods, capacity) => {
        const shares = new Shares()
        for (let isMoving = true; isMoving; ) {
          isMoving = false
          for (let partner = 0; partner < floods; partner++) {
            if (!shares.may(partner, capacity, true)) continue
            shares.take(partner)
            isMoving = true
          }
        }
        // 1 / (1 + 3 n) of all stays free for n floods, and the newcomer gets nearly all of that.
        let got = 0
        while (shares.may(99, capacity, true)) {
          shares.take(99)
          got++
        }
        expect(got).toBeGreaterThanOrEqual(Math.max(1, Math.floor((0.7 * capacity) / (1 + 3 * floods)) - 1))
      })
    )
  })

  it("never gives out more places than there are, and has them all back in the end", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean()), { maxLength: 300 }),
        (capacity, steps) => {
          const shares = new Shares()
          for (const [partner, isTaking] of steps) {
            if (isTaking && shares.may(partner, capacity, true)) shares.take(partner)
            else if (!isTaking && shares.of(partner) > 0) shares.leave(partner)
            expect(shares.size).toBeLessThanOrEqual(capacity)
          }
          for (let partner = 0; partner < 4; partner++) while (shares.of(partner) > 0) shares.leave(partner)
          expect(shares.size).toBe(0)
        }
      )
    )
  })

  it("has at least one place for each, however few there are, while one is free", () => {
    const shares = new Shares()
    shares.take(1)

    expect(shares.may(2, 2, true)).toBe(true)

    shares.take(2)

    expect(shares.may(3, 2, true)).toBe(false)
  })
})
