import { Effect, Exit, Layer, Scope } from "effect"
import { describe, expect, it } from "vitest"
import { secretPan } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { allEntries, testPan, write } from "./Journals.ts"

/** A schedule that the test runs by hand, in the order of virtual time. */
const schedule = () => {
  const due: Array<{ readonly at: number; readonly run: () => void }> = []
  let now = 0
  return {
    schedule: (afterMs: number, run: () => void) => void due.push({ at: now + afterMs, run }),
    advance: (ms: number) => {
      now += ms
      due.sort((one, other) => one.at - other.at)
      while (due[0] !== undefined && due[0].at <= now) due.shift()!.run()
    }
  }
}

/** Opens the journal without any Promise; the deterministic world does the same. */
const openSync = (store: MemoryStore): Journal["Service"] =>
  Effect.runSync(
    Effect.flatMap(Scope.make(), (scope) =>
      Effect.map(Layer.buildWithScope(Journal.layer.pipe(Layer.provide(store.layer)), scope), (context) =>
        Effect.runSync(Effect.provide(Journal, Layer.succeedContext(context)))
      )
    )
  )

describe("the memory store", () => {
  it("makes a group durable when the schedule says so, and not before", () => {
    const time = schedule()
    const store = new MemoryStore({ schedule: time.schedule, latencyMs: () => 5 })
    const journal = openSync(store)

    write(journal.writer, { code: "00", pan: testPan })
    journal.writer.flush()
    time.advance(4)

    expect([journal.writer.committedSeq, store.entries.length]).toEqual([0, 0])

    time.advance(1)

    expect(journal.writer.committedSeq).toBe(1)

    const [entry] = Effect.runSync(allEntries(journal))
    expect([entry!.seq, entry!.kind, entry!.exchange, entry!.code]).toEqual([1, EntryKind.accepted, 1, "00"])
    expect(secretPan(entry!.secret)).toBe(testPan)
  })

  it("acknowledges in order although a later group was faster", () => {
    const time = schedule()
    const latencies = [10, 1]
    const store = new MemoryStore({ schedule: time.schedule, latencyMs: () => latencies.shift()! })
    const { writer } = openSync(store)
    const committed: Array<number> = []
    writer.onCommitted = (last) => committed.push(last)

    write(writer)
    writer.flush()
    write(writer)
    writer.flush()
    time.advance(5)

    expect(committed).toEqual([])

    time.advance(5)

    expect(committed).toEqual([1, 2])
  })

  it("loses in a crash what was not durable, and gives a store that opens with the rest", () => {
    const time = schedule()
    const store = new MemoryStore({ schedule: time.schedule, latencyMs: () => 5 })
    const journal = openSync(store)
    const link = journal.nameId("bank-a", "cups")
    write(journal.writer, { link })
    journal.writer.flush()
    time.advance(5)
    write(journal.writer)
    journal.writer.flush()

    const after = openSync(store.crash())
    time.advance(100)

    expect(journal.writer.committedSeq).toBe(2)
    expect(after.recovered.lastSeq).toBe(2)
    expect(after.writer.next).toBe(3)
    expect(after.names()).toEqual([{ id: 1, name: "bank-a", dialect: "cups" }])
    expect(after.nameId("bank-a", "cups")).toBe(link)
    expect(after.counts()[EntryKind.accepted]).toBe(1)
    expect(() => openSync(store)).toThrow(/crashed/)
  })

  it("can let unacknowledged groups survive a crash, as a disk may", () => {
    const time = schedule()
    const store = new MemoryStore({ schedule: time.schedule, latencyMs: () => 5 })
    const journal = openSync(store)
    write(journal.writer)
    journal.writer.flush()
    write(journal.writer)
    journal.writer.flush()

    expect(openSync(store.crash(1)).recovered.lastSeq).toBe(1)
  })

  it("stops for good when a commit fails, with or without the group on disk", () => {
    for (const kept of [false, true]) {
      const time = schedule()
      const store = new MemoryStore({ schedule: time.schedule })
      const journal = openSync(store)
      store.failNext("DiskFull", kept)
      write(journal.writer)
      journal.writer.flush()

      time.advance(1)

      expect(journal.stopped()?.reason._tag).toBe("DiskFull")
      expect(Effect.runSyncExit(journal.failed)).toEqual(Exit.fail(journal.stopped()))
      expect(journal.writer.committedSeq).toBe(0)
      expect(openSync(store.crash()).recovered.lastSeq).toBe(kept ? 1 : 0)
    }
  })

  it("finds and reads exchanges like the real store", () => {
    const time = schedule()
    const keysOf = (_: string, message: Buffer) => ({ stan: message[0] ?? -1, rrn: "" })
    const store = new MemoryStore({ schedule: time.schedule, keysOf })
    const journal = openSync(store)
    const request = write(journal.writer, { message: Buffer.of(7), pan: testPan })
    write(journal.writer, { kind: EntryKind.timedOut, exchange: request })
    const reversal = write(journal.writer, { kind: EntryKind.queued, about: request, message: Buffer.of(8) })
    journal.writer.flush()
    time.advance(1)

    expect(Effect.runSync(journal.find({ stan: 7 }))).toEqual([request])
    expect(Effect.runSync(journal.find({ stan: 8, pan: testPan }))).toEqual([])

    const read = Effect.runSync(journal.read(request))
    expect(read.map(({ seq }) => seq)).toEqual([request, request + 1, reversal])
    expect(read.every(({ secret }) => secret.length === 0)).toBe(true)
  })
})
