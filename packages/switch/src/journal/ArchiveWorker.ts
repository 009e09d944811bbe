/**
 * The thread that verifies and compresses a part for the archive: a day of entries takes minutes, and neither the journal's
 * thread nor the switch's waits for it. It does one thing, says how that went, and ends.
 */
import { parentPort, workerData } from "node:worker_threads"
import { checkArchive, finishArchive } from "./ArchiveFile.ts"
import { copyReasonOf, type JournalReason } from "./JournalReason.ts"

/** `workerData` of the thread. */
export interface ArchiveWork {
  /** `finish` makes the file of what is in `making`; `check` verifies a file that is there. */
  readonly what: "finish" | "check"
  readonly making: string
  readonly file: string
  readonly keys: ReadonlyArray<Uint8Array>
}

/** What it says at its end: why it could not, or nothing. */
export type ArchiveDone = { readonly reason?: JournalReason }

const { what, making, file, keys } = workerData as ArchiveWork

const work = what === "finish" ? finishArchive : checkArchive

const done: ArchiveDone = await work(making, file, keys).then(
  () => ({}),
  (error: unknown) => ({ reason: copyReasonOf(error, making, file) })
)
parentPort?.postMessage(done)
