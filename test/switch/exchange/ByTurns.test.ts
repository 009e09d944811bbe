import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByTurns } from "../../../packages/switch/src/exchange/turns/ByTurns.ts"

describe("what waits, by partner", () => {
  it("gives each partner its turn, however many of another one wait", () => {
    const waiting = new ByTurns<string>()
    for (let n = 1; n <= 1000; n++) waiting.push(1, `a${n}`)
    waiting.push(2, "b1")
    waiting.push(2, "b2")
    waiting.push(3, "c1")

    expect(Array.from({ length: 6 }, () => waiting.next())).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"])
  })

  it("passes a partner that may not have its turn now, and does not forget it", () => {
    const waiting = new ByTurns<string>()
    waiting.push(1, "a1")
    waiting.push(2, "b1")

    expect(waiting.next((partner) => partner !== 1)).toBe("b1")
    expect(waiting.next((partner) => partner !== 1)).toBeUndefined()
    expect(waiting.next()).toBe("a1")
  })

  it("loses nothing, doubles nothing, keeps each partner's order, and no partner waits longer than one round", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("push" as const), partner: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ do: fc.constant("front" as const), partner: fc.integer({ min: 0, max: 4 }) }),
      fc.record({ do: fc.constant("next" as const), partner: fc.constant(0) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const waiting = new ByTurns<{ partner: number; n: number }>()
        const model = new Map<number, Array<number>>()
        const passed = new Map<number, number>()
        let n = 0
        for (const { do: what, partner } of steps) {
          const queue = model.get(partner) ?? []
          model.set(partner, queue)
          n++
          if (what === "push") {
            waiting.push(partner, { partner, n })
            queue.push(n)
          } else if (what === "front") {
            waiting.pushFront(partner, { partner, n })
            queue.unshift(n)
          } else {
            const one = waiting.next()
            const isEmpty = [...model.values()].every(({ length }) => length === 0)
            expect(one === undefined).toBe(isEmpty)
            if (one === undefined) continue
            expect(model.get(one.partner)!.shift()).toBe(one.n)
            passed.set(one.partner, 0)
            for (const [other, { length }] of model) {
              if (other === one.partner || length === 0) continue
              passed.set(other, (passed.get(other) ?? 0) + 1)
              expect(passed.get(other)!).toBeLessThanOrEqual(4)
            }
            for (const [other, { length }] of model) if (length === 0) passed.delete(other)
          }
          expect(waiting.length).toBe([...model.values()].reduce((sum, { length }) => sum + length, 0))
        }
      })
    )
  })
})
