/**
 * The files of an archive: each holds a part of a journal, whole days from the first entry that was there to the last of a day.
 * It is a database of the journal's own form, compressed (gzip): card data stays sealed as it was, and `jinka journal restore`
 * makes a directory of some of them that `journal verify`, `trace` and `export` read.
 *
 * A file has its name only when it was verified, and when what was compressed came out of it again. Runs in `ArchiveWorker`, or
 * in the command line's thread; throws `JournalStop`, or what SQLite and the system throw.
 */
import { createHash } from "node:crypto"
import {
  chmodSync,
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync
} from "node:fs"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip, createGzip } from "node:zlib"
import Database from "better-sqlite3"
import { type AnchoredGroup, writeAnchor } from "./Anchor.ts"
import { openJournalFile } from "./JournalFile.ts"
import { stop } from "./JournalReason.ts"
import { Keyring } from "./Seal.ts"
import { databaseFile } from "./SqliteFile.ts"

/** What a file of an archive holds, as its name says: `jinka-0123abcd-2026-08-29-1-120000.db.gz`. */
export interface ArchiveName {
  /** First 8 digits of the journal's id. */
  readonly journal: string
  /** The day (UTC) of its last entry. */
  readonly day: string
  readonly first: number
  readonly last: number
}

const form = /^jinka-([0-9a-f]{8})-(\d{4}-\d\d-\d\d)-(\d{1,15})-(\d{1,15})\.db\.gz$/

/** The file's name. */
export const archiveFileName = ({ journal, day, first, last }: ArchiveName): string =>
  `jinka-${journal}-${day}-${first}-${last}.db.gz`

/** What a name says; `undefined`: it is no archive's. */
export const archiveNameOf = (file: string): ArchiveName | undefined => {
  const [, journal = "", day = "", first = "", last = ""] = form.exec(file) ?? []
  return journal === "" ? undefined : { journal, day, first: Number(first), last: Number(last) }
}

/** Where a part is put together; what is left there by a process that died is removed. */
export const makingSuffix = ".making"

/** Forces what is in `path` onto the disk. */
const force = (path: string): void => {
  const file = openSync(path, "r")
  fsyncSync(file)
  closeSync(file)
}

/** SHA-256 of a file, or of what comes out of it. */
const digestOf = async (file: string, isCompressed: boolean): Promise<string> => {
  const digest = createHash("sha256")
  if (isCompressed) await pipeline(createReadStream(file), createGunzip(), digest)
  else await pipeline(createReadStream(file), digest)
  return digest.digest("hex")
}

/** Verifies every entry of the part in `directory`. Gives its first and last entry. */
const prove = (
  directory: string,
  keys: ReadonlyArray<Uint8Array>
): { readonly first: number; readonly last: number } => {
  const file = openJournalFile({ directory, keyring: new Keyring(keys), readOnly: true, acceptLoss: false })
  try {
    let step = file.groups.verify(null)
    while (!step.done) step = file.groups.verify(step.cursor)
    const { bad, cursor } = step
    if (bad !== undefined) stop("Corrupt", directory, `At entry ${bad.seq}: ${bad.why}.`, undefined, bad.seq)
    const [unproved] = cursor.unopened
    if (unproved !== undefined)
      stop("KeyWrong", directory, `It was written with the key ${unproved.keyId}, which was not given.`)
    return { first: cursor.from, last: cursor.next - 1 }
  } finally {
    file.database.close()
  }
}

/** Verifies the part in the directory `making` and compresses it into `file`; then the directory goes. */
export const finishArchive = async (making: string, file: string, keys: ReadonlyArray<Uint8Array>): Promise<void> => {
  prove(making, keys)
  const database = join(making, databaseFile)
  const half = join(making, "compressed")
  await pipeline(createReadStream(database), createGzip(), createWriteStream(half, { mode: 0o600, flush: true }))
  if ((await digestOf(half, true)) !== (await digestOf(database, false))) {
    stop("DiskFailed", half, "What was compressed does not come out of the file again.")
  }
  renameSync(half, file)
  force(dirname(file))
  rmSync(making, { recursive: true, force: true })
}

/** Verifies a file that is there already, in the directory `making`, which then goes. */
export const checkArchive = async (making: string, file: string, keys: ReadonlyArray<Uint8Array>): Promise<void> => {
  rmSync(making, { recursive: true, force: true })
  await restoreArchives([file], making)
  prove(making, keys)
  rmSync(making, { recursive: true, force: true })
}

const expand = (file: string, to: string): Promise<void> =>
  pipeline(createReadStream(file), createGunzip(), createWriteStream(to, { mode: 0o600, flags: "wx" }))

/** Makes a directory of archived parts, in their order, for reading. None may be missing between them; they may overlap. */
export const restoreArchives = async (files: ReadonlyArray<string>, directory: string): Promise<void> => {
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (readdirSync(directory).length > 0) {
    const fix = "Name a directory that is empty, or not there yet."
    stop(
      "DirectoryUnusable",
      directory,
      "Archives are restored into a directory of their own, and there is something here.",
      fix
    )
  }
  const [oldest = "", ...later] = files
  const path = join(directory, databaseFile)
  await expand(oldest, path)
  const database = new Database(path)
  try {
    for (const pragma of ["journal_mode = OFF", "synchronous = OFF"]) database.pragma(pragma)
    for (const file of later) {
      const part = join(directory, "part.db")
      await expand(file, part)
      append(database, part, file)
      rmSync(part, { force: true })
    }
    closeEnd(database, directory)
  } finally {
    database.close()
  }
  chmodSync(path, 0o600)
  for (const place of [path, directory]) force(place)
}

/** Puts the entries of another part behind those that are there. */
const append = (database: Database.Database, part: string, file: string): void => {
  database.prepare("ATTACH ? AS part").run(part)
  const value = (sql: string) => database.prepare(sql).pluck().get()
  if (value("SELECT journal_id FROM main.meta") !== value("SELECT journal_id FROM part.meta"))
    stop("NotJournal", file, "This is a part of another journal than the ones before it.", "Restore them one by one.")
  const reached = Number(value("SELECT max(last) FROM main.commit_group") ?? 0)
  const before = Number(value("SELECT seq FROM part.beginning") ?? 0)
  if (before > reached) {
    const problem = `Between the part that ends with entry ${reached} and this one, entries ${reached + 1} to ${before} are missing.`
    stop(
      "Truncated",
      file,
      problem,
      "Put the missing file beside the others, or restore what is before and behind it apart."
    )
  }
  database.exec(`BEGIN;
    INSERT INTO main.commit_group SELECT * FROM part.commit_group WHERE first > ${reached};
    INSERT OR IGNORE INTO main.mark SELECT * FROM part.mark;
    INSERT OR IGNORE INTO main.name SELECT * FROM part.name;
    COMMIT; DETACH part;`)
}

/** Writes the anchor of what is there. */
const closeEnd = (database: Database.Database, directory: string): void => {
  const journalId = String(database.prepare("SELECT journal_id FROM meta").pluck().get())
  const lastTwo = database
    .prepare("SELECT last, hash, tag FROM commit_group ORDER BY first DESC LIMIT 2")
    .all() as Array<AnchoredGroup>
  writeAnchor(directory, journalId, lastTwo.reverse())
}
