import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Event, State } from "../../../packages/switch/src/exchange/Exchange.ts"
import { KeyHash } from "../../../packages/switch/src/exchange/entry/KeyHash.ts"
import { Outstanding, TICK_MS } from "../../../packages/switch/src/exchange/request/Outstanding.ts"
import { Shares } from "../../../packages/switch/src/exchange/turns/Shares.ts"

const hash = new KeyHash(1, 2)
const key = (text: string) => Buffer.from(text)
const take = (table: Outstanding, text: string, deadline: number) => {
  const bytes = key(text)
  return table.take(bytes, 0, bytes.length, deadline, 0, 0)
}
const find = (table: Outstanding, text: string) => {
  const bytes = key(text)
  return table.find(bytes, 0, bytes.length)
}
const end = (table: Outstanding, id: number) => {
  table.step(id, Event.sent)
  table.step(id, Event.answered)
  table.step(id, Event.endCommitted)
}

describe("the table of outstanding requests", () => {
  it("finds a request by its key as soon as it is taken, before it is written", () => {
    const table = new Outstanding(8, hash, new Shares(), 0)
    const slot = take(table, "1122|000001", 1000)!
    expect(find(table, "1122|000001")).toBe(slot)
    expect(table.state(slot.id)).toBe(State.accepting)
  })

  it("refuses a second request with a key that is outstanding", () => {
    const table = new Outstanding(8, hash, new Shares(), 0)
    const first = take(table, "same", 1000)!

    expect(take(table, "same", 1000)).toBeUndefined()

    end(table, first.id)

    expect(take(table, "same", 1000)).toBeDefined()
  })

  it("counts the open requests of each desk, whichever link they went to, until their ends are on disk", () => {
    const open = new Shares()
    const tables = [new Outstanding(8, hash, open, 0), new Outstanding(8, hash, open, 0)] as const
    const from = (table: Outstanding, text: string, origin: number) =>
      table.take(key(text), 0, text.length, 1000, 0, origin)!
    const first = from(tables[0], "a", 5)
    const second = from(tables[1], "b", 5)
    from(tables[1], "c", 6)

    expect([open.of(5), open.of(6)]).toEqual([2, 1])

    end(tables[0], first.id)
    tables[1].step(second.id, Event.sent)
    tables[1].step(second.id, Event.answered)
    expect([open.of(5), open.of(6)]).toEqual([1, 1])

    tables[1].detach(second.id)
    expect([open.of(5), open.of(6)]).toEqual([0, 1])
  })

  it("refuses more than its window and takes the next one when a slot is free", () => {
    const table = new Outstanding(2, hash, new Shares(), 0)
    const first = take(table, "a", 1000)!
    take(table, "b", 1000)

    expect(table.isFull).toBe(true)
    expect(take(table, "c", 1000)).toBeUndefined()

    end(table, first.id)
    expect(take(table, "c", 1000)).toBeDefined()
    expect(find(table, "a")).toBeUndefined()
  })

  it("knows every request, with its key, its state and its deadline, while it grows to its window", () => {
    const table = new Outstanding(1000, hash, new Shares(), 0)
    const kept = new Map<string, number>()
    for (let n = 0; n < 1000; n++) {
      kept.set(`k${n}`, take(table, `k${n}`, 1000 + n)!.id)
      // Some leave while it grows, and others take their places.
      if (n % 3 === 0) {
        end(table, kept.get(`k${n}`)!)
        kept.set(`k${n}`, take(table, `k${n}`, 1000 + n)!.id)
      }
    }

    expect(take(table, "one more", 1000)).toBeUndefined()
    for (const [text, id] of kept) expect(find(table, text)?.id).toBe(id)

    const ended: Array<number> = []
    table.expire(1499, ({ id }) => void ended.push(id))
    expect(new Set(ended)).toEqual(new Set([...kept.values()].slice(0, 1480 - 1000 + 1)))
    table.expire(3000, ({ id }) => void ended.push(id))
    expect(new Set(ended)).toEqual(new Set(kept.values()))
  })

  it("ends each request once, at most one tick after its deadline and never before it", () => {
    const times = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 5000 }), (deadlines, step) => {
        const table = new Outstanding(64, hash, new Shares(), 0)
        const due = new Map(deadlines.map((deadline, n) => [take(table, `k${n}`, deadline)!.id, deadline]))
        let before = 0
        for (let now = step; due.size > 0; now += step) {
          table.expire(now, (slot) => {
            const deadline = due.get(slot.id)!
            expect(now).toBeGreaterThanOrEqual(deadline)
            // It was not due at the call before, but for the rounding up to a tick.
            expect(before).toBeLessThan(deadline + TICK_MS)
            due.delete(slot.id)
          })
          before = now
          expect(now).toBeLessThan(200_000)
        }
      }),
      { numRuns: 40 }
    )
  })

  it("does not call back for a request that has ended before its deadline", () => {
    const table = new Outstanding(8, hash, new Shares(), 0)
    const slot = take(table, "a", 500)!
    end(table, slot.id)
    let calls = 0
    table.expire(10_000, () => calls++)

    expect(calls).toBe(0)
  })

  it("ends what is overdue after a pause that is longer than the wheel", () => {
    const table = new Outstanding(8, hash, new Shares(), 0)
    for (const [n, deadline] of [10, 15_000, 25_000, 40_000].entries()) take(table, `k${n}`, deadline)
    let calls = 0
    table.expire(3_600_000, () => calls++)

    expect(calls).toBe(4)
  })

  it("ends no more at once than it is told to, and the rest at the next calls", () => {
    const table = new Outstanding(64, hash, new Shares(), 0)
    for (let n = 0; n < 50; n++) take(table, `k${n}`, n < 30 ? 500 : 900)
    const ended: Array<number> = []
    const calls = [0, 1, 2, 3].map(() => table.expire(10_000, ({ id }) => ended.push(id), 16))

    expect(calls).toEqual([false, false, false, true])
    expect(new Set(ended).size).toBe(50)
  })

  it("keeps its keys, sizes and messages apart over any order of taking and ending", () => {
    const plan = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean()), { maxLength: 300 })
    fc.assert(
      fc.property(plan, (steps) => {
        const table = new Outstanding(16, hash, new Shares(), 0)
        const model = new Map<string, number>()
        for (const [n, taking] of steps) {
          const name = `key-${n}`
          if (taking) {
            const slot = take(table, name, 1000 + n)
            expect(slot === undefined).toBe(model.has(name) || model.size === 16)
            if (slot === undefined) continue
            slot.keepRequest(Buffer.from(name.repeat(n + 1)), 0, name.length * (n + 1))
            model.set(name, slot.id)
          } else if (model.has(name)) {
            end(table, model.get(name)!)
            model.delete(name)
          }
          expect(table.size).toBe(model.size)
        }
        for (const [name, id] of model) {
          const slot = find(table, name)!
          expect(slot.id).toBe(id)
          expect(slot.request.toString("latin1", 0, slot.requestLength).startsWith(name)).toBe(true)
        }
      })
    )
  })
})
