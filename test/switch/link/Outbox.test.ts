import { Effect, Fiber } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Outbox } from "../../../packages/switch/src/link/Outbox.ts"

/** Puts a frame of this many bytes in, all of them `mark`. */
const put = (outbox: Outbox, mark: number, length: number): void => {
  const at = outbox.begin(length)
  outbox.buffer.fill(mark, at, at + length)
  outbox.end(length)
}

/** Takes everything, write by write. */
const drain = (outbox: Outbox, each: (bytes: Buffer) => void = () => {}): Buffer => {
  const all: Array<Buffer> = []
  for (let bytes = outbox.take(); bytes !== undefined; bytes = outbox.take()) {
    all.push(Buffer.from(bytes))
    each(bytes)
    outbox.written(bytes)
  }
  return Buffer.concat(all)
}

describe("an outbox", () => {
  it("lets an urgent frame overtake what no write has taken, and only that", () => {
    const outbox = new Outbox()
    for (let n = 0; n < 5; n++) put(outbox, n, 50_000)
    const writes: Array<number> = []
    const first = outbox.take()!
    writes.push(first[0]!)
    outbox.written(first)
    outbox.putUrgent(Buffer.alloc(10, 0xff))
    drain(outbox, (bytes) => writes.push(bytes[0]!))

    // The first write took two frames of 50,000 bytes; the urgent one comes right behind it.
    expect(first.length).toBe(100_000)
    expect(writes).toEqual([0, 0xff, 2, 4])
    expect(outbox.waiting).toBe(0)
  })

  it("knows whether something waits that rests on the journal, and forgets it with the write that takes it", () => {
    const outbox = new Outbox()
    put(outbox, 1, 10)

    expect(outbox.holdsPromise).toBe(false)
    expect(outbox.promise()).toBe(10)

    put(outbox, 2, 10)

    expect(outbox.holdsPromise).toBe(true)

    drain(outbox)
    put(outbox, 3, 10)
    outbox.putUrgent(Buffer.alloc(10, 0xff))

    expect(outbox.holdsPromise).toBe(false)

    outbox.promiseUrgent()

    expect(outbox.holdsPromise).toBe(true)

    outbox.written(outbox.take()!)

    expect(outbox.holdsPromise).toBe(false)
  })

  it("lets one frame go at once, and several with what else the turn of the event loop brings", async () => {
    const outbox = new Outbox()
    const taken: Array<string> = []
    const write = Effect.andThen(
      outbox.wait,
      Effect.sync(() => taken.push(drain(outbox).toString("latin1")))
    )
    const writer = Effect.runFork(Effect.forever(write, { disableYield: true }))

    put(outbox, 0x61, 1)
    outbox.flush()
    expect(taken).toEqual(["a"])
    put(outbox, 0x62, 1)
    put(outbox, 0x63, 1)
    outbox.flush()
    put(outbox, 0x64, 1)
    outbox.flush()
    expect(taken).toEqual(["a"])
    await Effect.runPromise(Effect.yieldNow)

    expect(taken).toEqual(["a", "bcd"])
    await Effect.runPromise(Fiber.interrupt(writer))
  })

  it("knows which frames a write has taken", () => {
    const outbox = new Outbox()
    put(outbox, 1, 100_000)
    const one = outbox.position
    put(outbox, 2, 100_000)
    const two = outbox.position

    expect([outbox.hasTaken(one), outbox.hasTaken(two)]).toEqual([false, false])

    outbox.written(outbox.take()!)
    expect([outbox.hasTaken(one), outbox.hasTaken(two)]).toEqual([true, false])

    outbox.written(outbox.take()!)
    expect(outbox.hasTaken(two)).toBe(true)
  })

  it("keeps the order and every byte of both lanes, whatever the sizes, and never cuts a frame", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("put" as const), length: fc.integer({ min: 1, max: 90_000 }) }),
      fc.record({ kind: fc.constant("urgent" as const), length: fc.integer({ min: 1, max: 500 }) }),
      fc.record({ kind: fc.constant("take" as const), length: fc.constant(0) })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const outbox = new Outbox()
        const lanes = { put: [] as Array<Buffer>, urgent: [] as Array<Buffer> }
        const seen = { put: [] as Array<Buffer>, urgent: [] as Array<Buffer> }
        const take = () => {
          const bytes = outbox.take()
          if (bytes === undefined) return
          ;(bytes[0]! >= 128 ? seen.urgent : seen.put).push(Buffer.from(bytes))
          outbox.written(bytes)
        }
        steps.forEach(({ kind, length }, n) => {
          if (kind === "put") {
            put(outbox, n, length)
            lanes.put.push(Buffer.alloc(length, n))
          } else if (kind === "urgent") {
            outbox.putUrgent(Buffer.alloc(length, 128 + n))
            lanes.urgent.push(Buffer.alloc(length, 128 + n))
          } else take()
        })
        while (outbox.waiting > 0) take()
        expect(Buffer.concat(seen.put).equals(Buffer.concat(lanes.put))).toBe(true)
        expect(Buffer.concat(seen.urgent).equals(Buffer.concat(lanes.urgent))).toBe(true)
        // A write ends where a frame ends: the next one begins with another frame's bytes.
        const endsOf = (frames: ReadonlyArray<Buffer>) => {
          let end = 0
          return frames.map(({ length }) => {
            end += length
            return end
          })
        }
        const ends = new Set(endsOf(lanes.put))
        for (const end of endsOf(seen.put)) expect(ends.has(end)).toBe(true)
      })
    )
  })
})
