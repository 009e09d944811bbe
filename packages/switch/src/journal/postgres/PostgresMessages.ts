/** What the thread of a journal in PostgreSQL is started with; it speaks as the one of SQLite does (`SqliteMessages.ts`). */
import type { MessagePort } from "node:worker_threads"
import type { Dialect } from "@jinka/codec"
import type { PostgresPlace } from "./PostgresConnection.ts"

/** Options of the thread; all of it can be cloned. */
export interface PostgresThreadOptions {
  readonly place: PostgresPlace
  /** Of the search index and the anchor. */
  readonly directory: string
  /** The current key, then previous ones. */
  readonly keys: ReadonlyArray<Uint8Array>
  readonly dialects: Readonly<Record<string, Dialect>>
  readonly acceptLoss: boolean
}

/** `workerData` of the thread. */
export interface PostgresThreadStart {
  readonly port: MessagePort
  /** Shared words; see `controlAt`. */
  readonly control: Int32Array
  readonly options: PostgresThreadOptions
}
