/** A journal whose entries cannot be read for a while, or slowly, although it goes on writing: a damaged group, a bad sector. */
import { Effect, Layer } from "effect"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import { JournalStore } from "../../../packages/switch/src/journal/JournalStore.ts"
import { makeDisk } from "./Bench.ts"

/** What comes of reading entries; left out: what is there. */
export interface Reads {
  answer?: Effect.Effect<ReadonlyArray<Entry>, JournalError> | undefined
  /** What reading entries waits for. */
  before?: Effect.Effect<void> | undefined
  /** The same for all entries of an exchange. */
  exchange?: Effect.Effect<ReadonlyArray<Entry>, JournalError> | undefined
}

/** What a group says that cannot be read. */
export const damaged = Effect.fail(JournalError.of("Corrupt", "the test", "A group cannot be read."))

/** A disk that reads as `reads` says. */
export const diskReading = (reads: Reads): ReturnType<typeof makeDisk> => {
  const disk = makeDisk()
  const { layer } = disk.store
  Object.defineProperty(disk.store, "layer", {
    value: Layer.effect(
      JournalStore,
      Effect.map(JournalStore, ({ open }) => ({
        open: (events) =>
          Effect.map(open(events), (opened) => ({
            ...opened,
            read: (exchange, secrets) => Effect.suspend(() => reads.exchange ?? opened.read(exchange, secrets)),
            entries: (seqs, secrets) =>
              Effect.suspend(() => reads.before ?? Effect.void).pipe(
                Effect.andThen(Effect.suspend(() => reads.answer ?? opened.entries(seqs, secrets)))
              )
          }))
      }))
    ).pipe(Layer.provide(layer))
  })
  return disk
}
