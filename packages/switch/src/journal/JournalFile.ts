/**
 * One journal on disk, opened and verified: database, anchor, chain. Runs in the journal's thread (or, read-only, in
 * the command line's); synchronous; throws `JournalStop`, or what SQLite and the system throw (`reasonOf` sorts it).
 *
 * Opening refuses whatever it cannot prove: the database must be a journal of this version, chained without a gap
 * from the last mark in front of the recovery floor to its end, and must reach the anchor.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import type Database from "better-sqlite3"
import { Anchor, anchorFile, type Head, readAnchor } from "./Anchor.ts"
import { noCounts } from "./EntryKind.ts"
import type { Reached } from "./GroupCommit.ts"
import { floorOf, GroupReader, keyIdOf } from "./GroupReader.ts"
import { reasonOf, stop } from "./JournalReason.ts"
import type { NameRecord, Opened, VerifyCursor } from "./JournalStore.ts"
import type { Keyring } from "./Seal.ts"
import { createSchema, databaseFile, genesisHash, isEmpty, journalIdOf, openDatabase } from "./SqliteFile.ts"

/** How to open. */
export interface JournalFileOptions {
  readonly directory: string
  readonly keyring: Keyring
  readonly readOnly: boolean
  /** Go on although the journal ends before its anchor, or the anchor is gone. */
  readonly acceptLoss: boolean
}

/** Copy of a WAL that was found when an opening was refused; SQLite would leave nothing of it. */
export const refusedWalFile = `${databaseFile}-wal.refused`

/** An open journal. */
export interface JournalFile {
  readonly directory: string
  readonly database: Database.Database
  readonly groups: GroupReader
  readonly opened: Opened
  readonly reached: Reached
  /** Undefined when read-only. */
  readonly anchor: Anchor | undefined
}

/** Opens the journal in a directory, making both when they are missing (unless read-only). */
export const openJournalFile = (options: JournalFileOptions): JournalFile => {
  const { directory, keyring, readOnly } = options
  const path = join(directory, databaseFile)
  prepareDirectory(directory, path, readOnly)
  if (!readOnly && keyring.current === undefined)
    stop("KeyMissing", directory, "There is no key to seal card data with.")
  const wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0)
  const anchor = readAnchor(join(directory, anchorFile))
  const database = openOrExplain(path, readOnly, anchor.head, () => keepWal(directory, wal))
  try {
    const file = openTables(options, database, anchor)
    if (!readOnly) syncDirectory(directory)
    return file
  } catch (error) {
    keepWal(directory, wal)
    database.close()
    throw error
  }
}

/**
 * Closing the database removes the WAL; what could not be read from it may still be evidence. The first one is kept.
 */
const keepWal = (directory: string, wal: Buffer): void => {
  if (wal.length === 0) return
  try {
    writeFileSync(join(directory, refusedWalFile), wal, { mode: 0o600, flag: "wx" })
  } catch {
    // There is one already, or nothing can be written here, SQLite's removal of the WAL included. The refusal is what
    // matters.
  }
}

const prepareDirectory = (directory: string, path: string, readOnly: boolean): void => {
  try {
    if (!readOnly) mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (!statSync(directory).isDirectory()) stop("DirectoryUnusable", directory, "This is not a directory.")
    accessSync(directory, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK)
    if (readOnly && !existsSync(path)) stop("NotJournal", directory, "There is no journal in this directory.")
  } catch (error) {
    const reason = reasonOf(error, directory, "The journal's directory cannot be used")
    stop(reason._tag === "NotJournal" ? "NotJournal" : "DirectoryUnusable", directory, reason.problem)
  }
}

/**
 * Opens the database; a file that is none is a damaged journal when there is an anchor beside it. `refused` is called when this
 * process alone had the file, and closed it.
 */
const openOrExplain = (
  path: string,
  readOnly: boolean,
  head: Head | undefined,
  refused: () => void
): Database.Database => {
  try {
    return openDatabase(path, readOnly)
  } catch (error) {
    const reason = reasonOf(error, path, "The journal cannot be opened")
    if (reason._tag !== "Locked") refused()
    if (reason._tag === "NotJournal" && head !== undefined) {
      stop("Corrupt", path, "The file is no database any more, though journal.head says that it was one.")
    }
    return stop(reason._tag, path, reason.problem)
  }
}

type FoundAnchor = ReturnType<typeof readAnchor>

const openTables = (options: JournalFileOptions, database: Database.Database, found: FoundAnchor): JournalFile => {
  const { directory, keyring, readOnly, acceptLoss } = options
  const path = join(directory, databaseFile)
  const isNew = isEmpty(database)
  if (isNew) {
    if (readOnly) stop("NotJournal", path, "The file is empty.")
    if (!found.missing && !acceptLoss) {
      stop("Truncated", path, `The database is empty or gone; journal.head reached entry ${found.head?.seq ?? "?"}.`)
    }
    createSchema(database)
  }
  const journalId = journalIdOf(database, path)
  const groups = new GroupReader(database, journalId, keyring)
  const reached = recover(database, groups, found.head?.journalId === journalId ? found.head : undefined, path)
  const lost = isNew ? lossOf(found, found.head?.seq ?? 0) : checkAnchor(options, groups, found, reached.seq, journalId)
  checkKey(groups, keyring, directory, readOnly)
  const last = groups.lastGroup()
  const opened: Opened = {
    journalId,
    lastSeq: reached.seq,
    floor: last === undefined ? 1 : floorOf(last),
    counts: reached.counts,
    names: namesOf(database, path),
    ...(lost === undefined ? {} : { lossAccepted: lost })
  }
  const anchor = readOnly ? undefined : openAnchor(directory, journalId, found, reached, lost !== undefined)
  return { directory, database, groups, opened, reached, anchor }
}

/** The names of links, numbered without gaps. Whether each is the one written is found by verifying its own entry. */
const namesOf = (database: Database.Database, path: string): ReadonlyArray<NameRecord> => {
  const names = database.prepare("SELECT id, name, dialect FROM name ORDER BY id").all() as Array<NameRecord>
  const isWhole = names.every(
    ({ id, name, dialect }, n) => id === n + 1 && typeof name === "string" && typeof dialect === "string"
  )
  return isWhole ? names : stop("Corrupt", path, "The table of links' names is not the one written.")
}

const lossOf = (found: FoundAnchor, seq: number): number | undefined => (found.missing ? undefined : seq)

/** Counts as a mark holds them; undefined when it holds something else. */
const countsOf = (text: unknown): ReadonlyArray<number> | undefined => {
  if (typeof text !== "string" || !/^\[\d+(,\d+)*\]$/.test(text)) return undefined
  const counts = JSON.parse(text) as ReadonlyArray<number>
  return counts.length === noCounts().length ? counts : undefined
}

/**
 * Verifies the chain from the last mark in front of the floor to its end. The last group is always verified: the floor stands in
 * it, and a changed one would hide open exchanges.
 */
const recover = (database: Database.Database, groups: GroupReader, head: Head | undefined, path: string): Reached => {
  const last = groups.lastGroup()
  const mark = database
    .prepare("SELECT seq, counts FROM mark WHERE seq < ? ORDER BY seq DESC LIMIT 1")
    .get(last === undefined ? 1 : Math.min(floorOf(last), last.first)) as { seq: number; counts: unknown } | undefined
  let cursor: VerifyCursor = groups.start()
  if (mark !== undefined) {
    const group = groups.groupOf(mark.seq)
    if (group === undefined || group.last !== mark.seq) stop("Corrupt", path, `The mark at ${mark.seq} ends no group.`)
    const counts = countsOf(mark.counts) ?? stop("Corrupt", path, `The mark at ${mark.seq} holds no counts.`)
    cursor = { next: mark.seq + 1, hash: group!.hash.toString("hex"), groups: 0, counts }
  }
  for (let done = false; !done; ) {
    const step = groups.verify(cursor)
    if (step.bad !== undefined)
      stop("Corrupt", path, `At entry ${step.bad.seq}: ${step.bad.why}.`, undefined, step.bad.seq)
    cursor = step.cursor
    done = step.done
  }
  if (head !== undefined && head.seq > 0 && head.seq < cursor.next) {
    const group = groups.groupOf(head.seq)
    if (group === undefined || group.last !== head.seq || !group.hash.equals(head.hash)) {
      stop("Corrupt", path, `journal.head says something else about entry ${head.seq}.`, undefined, head.seq)
    }
  }
  const marked = database.prepare("SELECT max(seq) FROM mark").pluck().get() as number | null
  return { seq: cursor.next - 1, hash: Buffer.from(cursor.hash, "hex"), counts: cursor.counts, mark: marked ?? 0 }
}

/**
 * Refuses a journal that ends before its anchor. Returns how far it reached when the loss is accepted, undefined when
 * nothing is lost.
 */
const checkAnchor = (
  options: JournalFileOptions,
  groups: GroupReader,
  found: FoundAnchor,
  lastSeq: number,
  journalId: string
): number | undefined => {
  const path = join(options.directory, anchorFile)
  const { head } = found
  let problem: string | undefined
  if (head === undefined) {
    // A crash right after the tables were made leaves no anchor; with entries there always is one.
    if (lastSeq === 0 && found.missing && groups.lastGroup() === undefined) return undefined
    problem = `The anchor is ${found.missing ? "missing" : "unreadable"}; nothing proves that the journal is whole behind entry ${lastSeq}.`
  } else if (head.journalId !== journalId) {
    problem = "The anchor belongs to another journal; the database was replaced or copied without it."
  } else if (head.seq > lastSeq) {
    problem = `The journal ends at entry ${lastSeq}, but entries up to ${head.seq} were acknowledged.`
  }
  if (problem === undefined) return undefined
  if (!options.acceptLoss) return stop("Truncated", path, problem, undefined, lastSeq)
  return Math.max(lastSeq, head?.journalId === journalId ? head.seq : 0)
}

/** Refuses a key that cannot read the last sealed group. */
const checkKey = (groups: GroupReader, keyring: Keyring, directory: string, readOnly: boolean): void => {
  const group = groups.lastSealedGroup()
  if (group === undefined || (readOnly && keyring.current === undefined)) return
  if (!groups.hasKey(group)) {
    const given = keyring.all.map(({ keyId }) => keyId).join(", ")
    stop("KeyWrong", directory, `The journal was sealed with the key ${keyIdOf(group)}; given: ${given}.`)
  }
  if (groups.secrets(group) === undefined) {
    stop("Corrupt", directory, `The sealed data of entries ${group.first} to ${group.last} does not authenticate.`)
  }
}

const openAnchor = (
  directory: string,
  journalId: string,
  found: FoundAnchor,
  reached: Reached,
  isLossAccepted: boolean
): Anchor => {
  const anchor = new Anchor(join(directory, anchorFile), journalId, isLossAccepted ? -1 : found.slot)
  if (found.slot < 0 || isLossAccepted || (found.head?.seq ?? 0) < reached.seq) {
    anchor.write(reached.seq, reached.seq === 0 ? genesisHash(journalId) : reached.hash)
    anchor.sync()
  }
  return anchor
}

/** Forces names of new files onto the disk. */
const syncDirectory = (directory: string): void => {
  const handle = openSync(directory, "r")
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
