/**
 * What the journal's thread and the main thread say to each other. Plain objects; no code but the layout of the
 * control words.
 */
import type { MessagePort } from "node:worker_threads"
import type { Dialect } from "@jinka/codec"
import type { Answer, ThreadQuestion } from "./JournalQueries.ts"
import type { JournalReason } from "./JournalReason.ts"
import type { Opened } from "./JournalStore.ts"

/** Options of the thread; all of it can be cloned. */
export interface ThreadOptions {
  readonly directory: string
  /** The current key, then previous ones. */
  readonly keys: ReadonlyArray<Uint8Array>
  /** Dialects besides the built-in ones, by name, as data. */
  readonly dialects: Readonly<Record<string, Dialect>>
  readonly reserve: number
  readonly acceptLoss: boolean
  readonly begin: boolean
  readonly walMax: number
}

/** `workerData` of the thread. */
export interface ThreadStart {
  readonly port: MessagePort
  /** Shared words; see {@link controlAt}. */
  readonly control: Int32Array
  readonly options: ThreadOptions
}

/**
 * Words of `control`. `wake`: counted up and notified after each message. `lowSpace`: 1 while free space is below the
 * reserve, 2 while it is below half of it. `away`: 1 while the store cannot be reached.
 */
export const controlAt = { wake: 0, lowSpace: 1, away: 2, words: 3 } as const

/** To the thread. A group's memory comes with its first use; `isOnce`: it will not be used again. */
export type ToThread =
  | { readonly group: number; readonly memory?: SharedArrayBuffer; readonly isOnce: boolean }
  | { readonly ask: number; readonly question: ThreadQuestion }
  /** Dialects that entries behind this message may be in, by name. */
  | { readonly dialects: Readonly<Record<string, Dialect>> }
  | { readonly close: true }

/** From the thread. A number alone is the seq of the last entry of a group that is durable. */
export type FromThread =
  | number
  | { readonly opened: Opened }
  | { readonly refused: JournalReason }
  | { readonly failed: JournalReason }
  /** What is wrong with the disk while the journal still works; "" when it is over. */
  | { readonly trouble: string }
  | { readonly ask: number; readonly answer: Answer }
  | { readonly ask: number; readonly reason: JournalReason }
  | { readonly closed: true }
