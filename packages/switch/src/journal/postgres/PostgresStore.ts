/**
 * The journal store in PostgreSQL, in a thread of its own (`PostgresWorker`). To open it is to take the journal over: nobody else
 * commits into it from then on.
 */
import type { Dialect } from "@jinka/codec"
import { Effect, Layer } from "effect"
import { JournalStore, type StoreEvents } from "../JournalStore.ts"
import { startThread } from "../SqliteStore.ts"
import { placeText } from "./PostgresAddress.ts"
import type { PostgresPlace } from "./PostgresConnection.ts"
import type { PostgresThreadOptions } from "./PostgresMessages.ts"

/** Options of the store. */
export interface PostgresStoreOptions {
  readonly place: PostgresPlace
  /** Of this node's anchor and search index; made when missing. One switch each. */
  readonly directory: string
  /** 32 bytes; see `JournalKey`. */
  readonly key: Uint8Array
  /** Keys that older groups were sealed with. */
  readonly previousKeys?: ReadonlyArray<Uint8Array>
  /** Dialects of the configuration by name, as data: searches by STAN and RRN read messages with them. */
  readonly dialects?: Readonly<Record<string, Dialect>>
  /** How long PostgreSQL may be away before the journal stops, in ms. Default: for ever. */
  readonly yieldAfterMs?: number
  /** Whether nobody else can have the journal now; see `OpenStore.isOurs`. Default: it always is ours. */
  readonly isOurs?: () => boolean
  /** Told of the last entry of each group that is durable. */
  readonly durable?: (last: number) => void
  /** Go on although acknowledged entries are lost: an operator's decision, written into the journal. Default: false. */
  readonly acceptLoss?: boolean
}

/** The thread's file, in the same form as this one: `.ts` from source, `.js` from `dist`. */
const threadFile = new URL(
  import.meta.url.endsWith(".ts") ? "./PostgresWorker.ts" : "./PostgresWorker.js",
  import.meta.url
)

const always = (): boolean => true

/** The store as a layer; nothing is connected to before `Journal.layer` does. */
export const layerPostgres = (options: PostgresStoreOptions): Layer.Layer<JournalStore> =>
  Layer.succeed(JournalStore, {
    open: (events) =>
      Effect.map(
        Effect.acquireRelease(
          startThread(
            {
              file: threadFile,
              options: threadOptions(options),
              place: placeText(options.place.address),
              yieldAfterMs: options.yieldAfterMs ?? Number.POSITIVE_INFINITY
            },
            telling(events, options.durable)
          ),
          (thread) => thread.close
        ),
        (thread) => ({ ...thread.store, isOurs: options.isOurs ?? always })
      )
  })

/** The same events, and who else hears of what is durable. */
const telling = (events: StoreEvents, durable: PostgresStoreOptions["durable"]): StoreEvents =>
  durable === undefined
    ? events
    : {
        ...events,
        committed: (group) => {
          durable(group.last)
          events.committed(group)
        }
      }

const threadOptions = (options: PostgresStoreOptions): PostgresThreadOptions => ({
  place: options.place,
  directory: options.directory,
  keys: [options.key, ...(options.previousKeys ?? [])],
  dialects: options.dialects ?? {},
  acceptLoss: options.acceptLoss ?? false
})
