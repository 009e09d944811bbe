import { describe, expect, it } from "@effect/vitest"
import fc from "fast-check"
import { OldestFirst } from "../../../packages/switch/src/exchange/delivery/OldestFirst.ts"

describe("The oldest of many exchanges", () => {
  it("is the one that a look through all of them finds, whatever comes and ends in whatever order", () => {
    const act = fc.oneof(
      fc.record({ what: fc.constant("add" as const), back: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })) }),
      fc.record({ what: fc.constant("end" as const), back: fc.nat(30) })
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const line = new OldestFirst<{ readonly exchange: number }>()
        const all: Array<{ readonly exchange: number }> = []
        let next = 100
        for (const { back, what } of acts) {
          if (back === 0) next += 2
          const one = { exchange: back === 0 ? next : next + 1 - 2 * back }
          if (what === "add" && all.every(({ exchange }) => exchange !== one.exchange)) {
            line.add(one)
            all.push(one)
          } else if (what === "end" && all.length > 0) {
            const [ended] = all.splice(back % all.length, 1)
            line.end(ended!)
          }
          const oldest = all.reduce((least, { exchange }) => Math.min(least, exchange), Number.POSITIVE_INFINITY)
          expect(line.first?.exchange ?? Number.POSITIVE_INFINITY).toBe(oldest)
        }
      })
    )
  })

  it("lets go of what has ended, though the oldest of all never ends", () => {
    const line = new OldestFirst<{ readonly exchange: number }>()
    const kept = { exchange: 1 }
    line.add(kept)
    for (let exchange = 2; exchange < 50_000; exchange++) {
      line.add({ exchange })
      line.end({ exchange })
    }
    expect(line.first).toBe(kept)
    expect((Reflect.get(line, "line") as ReadonlyArray<unknown>).length).toBeLessThan(5000)
  })
})
