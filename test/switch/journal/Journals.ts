/** What the journal's tests share: temporary directories, layers over real stores, entries that can be told apart. */
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Exit, Layer } from "effect"
import { type Entry, writeSecret } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import type { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import type { JournalWriter } from "../../../packages/switch/src/journal/JournalWriter.ts"
import { layerSqlite, type SqliteStoreOptions } from "../../../packages/switch/src/journal/SqliteStore.ts"

/** The key of all test journals; not a secret. */
export const testKey = createHash("sha256").update("the key of all test journals").digest()
/** A PAN for tests (UnionPay test range, Luhn-valid). */
export const testPan = "6222021234567890128"

/** A directory that is removed with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "jinka-journal-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** The real journal in a directory. */
export const layerIn = (directory: string, options: Partial<SqliteStoreOptions> = {}) =>
  Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key: testKey, ...options })))

/** Runs `use` with the journal of `directory`, then closes it. */
export const withJournal = <A, E>(
  directory: string,
  use: (journal: Journal["Service"]) => Effect.Effect<A, E>,
  options: Partial<SqliteStoreOptions> = {}
): Effect.Effect<A, E | JournalError> => Effect.provide(Effect.flatMap(Journal, use), layerIn(directory, options))

/** The error with which the journal of `directory` refuses to open; a defect when it opens. */
export const refusal = (directory: string, options: Partial<SqliteStoreOptions> = {}) =>
  Effect.flatMap(Effect.exit(withJournal(directory, () => Effect.void, options)), (exit) =>
    Exit.isSuccess(exit)
      ? Effect.die(new Error("the journal opened"))
      : Effect.flip(Effect.flatten(Effect.succeed(exit as Exit.Exit<never, JournalError>)))
  )

/** What a test writes; everything has a default. */
export interface Written {
  readonly kind?: EntryKind
  readonly exchange?: number
  readonly about?: number
  readonly link?: number
  readonly epoch?: number
  readonly code?: string
  readonly message?: Uint8Array
  readonly pan?: string
  readonly rest?: Uint8Array
}

/** Writes one entry; returns its seq. */
export const write = (writer: JournalWriter, written: Written = {}): number => {
  const { kind = EntryKind.accepted, exchange = 0, about = 0, link = 0, epoch = 0, code = "", pan, rest } = written
  const message = written.message ?? new Uint8Array(0)
  const secretMax = pan === undefined && rest === undefined ? 0 : 20 + (rest?.length ?? 0)
  const at = writer.begin(kind, code, message.length + secretMax)
  if (exchange !== 0) writer.of(exchange)
  writer.about(about)
  writer.on(link, epoch)
  writer.buffer.set(message, at)
  const secret = secretMax === 0 ? 0 : writeSecret(writer.buffer, at + message.length, pan ?? "", rest)
  return writer.end(message.length, secret)
}

/** All entries from `from` on, secrets included. */
export const allEntries = (
  journal: Journal["Service"],
  from = 1
): Effect.Effect<ReadonlyArray<Entry>, JournalError> => {
  const entries: Array<Entry> = []
  return Effect.as(
    journal.scan(from, (entry) => entries.push(entry), { secrets: true }),
    entries
  )
}

/** Entries that must all be told apart from each other: `seq` is in the message. */
export const messageOf = (seq: number, length = 60): Buffer => Buffer.from(`entry ${seq} `.padEnd(length, "."))

/** A directory with a journal of `entries` entries, closed. */
export const journalOf = (entries = 10) =>
  Effect.tap(temporaryDirectory, (directory) =>
    withJournal(directory, ({ writer, drained }) => {
      for (let n = 1; n <= entries; n++) write(writer, { message: messageOf(n), pan: testPan })
      return drained
    })
  )
