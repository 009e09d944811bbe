/**
 * Puts the oldest days of a journal into a file of an archive, beside the journal's work: groups are copied between its
 * commits, and a thread of its own verifies and compresses them (`ArchiveFile.ts`). Nothing is dropped here.
 *
 * Whatever breaks it off, the next attempt starts again; a file that is there with the entries that are wanted is verified and
 * taken.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { Worker } from "node:worker_threads"
import { Effect } from "effect"
import { archiveFileName, archiveNameOf, makingSuffix, restoreArchives } from "./ArchiveFile.ts"
import type { ArchiveDone, ArchiveWork } from "./ArchiveWorker.ts"
import type { Journal } from "./Journal.ts"
import { attempt, attemptCopy, JournalError } from "./JournalError.ts"
import { reasonOf } from "./JournalReason.ts"

/** What an archive is made of. */
export interface ArchiveSource extends Pick<Journal["Service"], "backup"> {
  readonly journalId: string
  /** Keys that the journal was written with: what nobody can prove is not archived. */
  readonly keys: ReadonlyArray<Uint8Array>
}

/** Entries that go into one file, and the day (UTC) of the last. */
export interface ArchiveRange {
  readonly day: string
  readonly first: number
  /** Ends a group. */
  readonly last: number
}

const threadFile = new URL(
  import.meta.url.endsWith(".ts") ? "./ArchiveWorker.ts" : "./ArchiveWorker.js",
  import.meta.url
)

/** Archives from the journal's first entry on into a file of `directory`, which is made where it is missing. Gives its path. */
export const archiveInto = Effect.fnUntraced(function* (
  { backup, journalId, keys }: ArchiveSource,
  directory: string,
  { day, first, last }: ArchiveRange
): Effect.fn.Return<string, JournalError> {
  const journal = journalId.slice(0, 8)
  const there = yield* attemptCopy(directory, directory, () => prepared(directory, journal))
  const known = there.find((one) => one.first <= first && one.last >= last)
  const name = archiveFileName(known ?? { journal, day, first, last })
  const file = join(directory, name)
  const making = `${file}${makingSuffix}`
  if (known === undefined) yield* backup(making, last)
  yield* inThread({ what: known === undefined ? "finish" : "check", making, file, keys })
  return file
})

/** Makes the directory, removes what was left half done, and gives the files of this journal that are there. */
const prepared = (directory: string, journal: string) => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const names = readdirSync(directory)
  for (const name of names) {
    if (name.startsWith(`jinka-${journal}-`) && name.endsWith(makingSuffix))
      rmSync(join(directory, name), { recursive: true, force: true })
  }
  return names.flatMap((name) => archiveNameOf(name) ?? []).filter((one) => one.journal === journal)
}

/**
 * The files of an archive at a path, oldest first: those in a directory whose last day is within `since` and `until` (each "" for
 * no bound), or the one file. None: it is no archive. Fails where the path cannot be looked at.
 */
export const archivesAt = (
  place: string,
  since: string,
  until: string
): Effect.Effect<ReadonlyArray<string>, JournalError> =>
  attempt(place, "The archive cannot be read", () => {
    const isDirectory = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true
    const directory = isDirectory ? place : dirname(place)
    const names = isDirectory ? readdirSync(place) : [basename(place)]
    return names
      .flatMap((name) => {
        const known = archiveNameOf(name)
        return known === undefined ? [] : [{ ...known, name }]
      })
      .filter(({ day }) => (since === "" || day >= since) && (until === "" || day <= until))
      .sort((one, other) => one.first - other.first || other.last - one.last)
      .map(({ name }) => join(directory, name))
  })

/** Makes a directory of the files of an archive, in their order, for reading. */
export const restoreArchive = (files: ReadonlyArray<string>, directory: string): Effect.Effect<void, JournalError> =>
  Effect.tryPromise({
    try: () => restoreArchives(files, directory),
    catch: (error) => new JournalError({ reason: reasonOf(error, directory, "The archive cannot be restored") })
  })

const inThread = (work: ArchiveWork): Effect.Effect<void, JournalError> =>
  Effect.callback<void, JournalError>((resume) => {
    const broken = (error: unknown) =>
      resume(Effect.fail(new JournalError({ reason: reasonOf(error, work.file, "The archive's thread broke") })))
    const thread = new Worker(threadFile, { workerData: work, execArgv: [], name: "jinka-archive" })
    thread.on("message", ({ reason }: ArchiveDone) =>
      resume(reason === undefined ? Effect.void : Effect.fail(new JournalError({ reason })))
    )
    thread.on("error", broken)
    thread.on("exit", () => broken(new Error("it ended unexpectedly")))
    return Effect.promise(() => thread.terminate())
  })
