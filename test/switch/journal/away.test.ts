import { Effect, Exit, Layer, Scope } from "effect"
import { describe, expect, it } from "vitest"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { JournalStore, type StoreEvents } from "../../../packages/switch/src/journal/JournalStore.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"

/** A journal whose store never answers for what is committed to it, and what tells of that store. */
const open = () => {
  const memory = new MemoryStore({ schedule: () => undefined })
  let events: StoreEvents | undefined
  const store = Effect.map(Effect.service(JournalStore), (inner) =>
    JournalStore.of({
      open: (told) => {
        events = told
        return inner.open(told)
      }
    })
  )
  const layer = Journal.layer.pipe(Layer.provide(Layer.effect(JournalStore, store)), Layer.provide(memory.layer))
  const scope = Scope.makeUnsafe()
  const journal = Effect.runSync(
    Scope.provide(
      Effect.map(Layer.build(layer), (built) => built),
      scope
    )
  ).pipe((context) => Effect.runSync(Effect.provide(Effect.service(Journal), context)))
  return { journal, memory, events: events!, close: () => Effect.runFork(Scope.close(scope, Exit.void)) }
}

describe("The end of a journal", () => {
  it("does not wait for a store that goes away while it waits for the last commit", () => {
    const { close, events, journal, memory } = open()
    journal.writer.note("the last words")
    journal.writer.flush()

    const closing = close()
    expect(closing.pollUnsafe()).toBeUndefined()
    memory.refuses = "away"
    events.troubled("PostgreSQL is away")

    expect(closing.pollUnsafe()).toBeDefined()
  })

  it("waits for the last commit as long as the store only has trouble", () => {
    const { close, events, journal } = open()
    journal.writer.note("the last words")
    journal.writer.flush()

    const closing = close()
    events.troubled("the disk is slow")

    expect(closing.pollUnsafe()).toBeUndefined()
  })
})
