/**
 * One journal on disk, opened and verified: database, anchor, chain. Runs in the journal's thread (or, read-only, in
 * the command line's); synchronous; throws `JournalStop`, or what SQLite and the system throw (`reasonOf` sorts it).
 *
 * Opening refuses whatever it cannot prove: the database must be a journal of this version, chained without a gap and tagged
 * with the journal's key from the last mark in front of the recovery floor to its end, and must reach the anchor.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type Database from "better-sqlite3"
import { Anchor, anchorFile, type FoundAnchor, readAnchor } from "./Anchor.ts"
import { beginningTextOf, writeBeginning } from "./Beginning.ts"
import { genesisHash, groupAt } from "./CommitGroup.ts"
import { CommitGroupReader, floorOf } from "./CommitGroupReader.ts"
import { readU64 } from "./Entry.ts"
import { EntryKind } from "./EntryKind.ts"
import type { Reached } from "./GroupSeal.ts"
import type { Head } from "./Head.ts"
import {
  checkLength,
  checkStartRoom,
  leftovers,
  makeDatabaseFile,
  prepareDirectory,
  refusedWalFile
} from "./JournalDirectory.ts"
import { reasonOf, stop } from "./JournalReason.ts"
import type { NameRecord, Opened } from "./JournalStore.ts"
import { isKeyRow, type KeyRow, rowText, type StoredKeyRow } from "./KeySlots.ts"
import { cursorBehind, Proof } from "./Proof.ts"
import type { Keyring, Seal } from "./Seal.ts"
import {
  createSchema,
  databaseFile,
  hasKeySlots,
  isEmpty,
  journalIdOf,
  openDatabase,
  upgradeSchema
} from "./SqliteFile.ts"
import { sqliteRows } from "./SqliteRows.ts"
import { headText, keyIdOfTag, nameText } from "./Tag.ts"

/** How to open. */
export interface JournalFileOptions {
  readonly directory: string
  readonly keyring: Keyring
  readonly readOnly: boolean
  /** Go on although the journal ends before its anchor, or the anchor is gone. */
  readonly acceptLoss: boolean
  /** Free bytes below which new work is refused; a start needs some of them. Default: none. */
  readonly reserve?: number
  /** Begin a journal although files of an earlier one are there without it. Default: false. */
  readonly begin?: boolean
}

/** An open journal. */
export interface JournalFile {
  readonly directory: string
  readonly database: Database.Database
  readonly groups: CommitGroupReader
  readonly opened: Opened
  readonly reached: Reached
  /** Undefined when read-only. */
  readonly anchor: Anchor | undefined
}

/** Opens the journal in a directory, making both when they are missing (unless read-only). */
export const openJournalFile = (options: JournalFileOptions): JournalFile => {
  const { directory, keyring, readOnly } = options
  const path = join(directory, databaseFile)
  const repaired = prepareDirectory(directory, readOnly)
  if (!readOnly && keyring.current === undefined)
    stop("KeyMissing", directory, "There is no key to seal card data with.")
  checkLength(path)
  const left = leftovers(directory)
  if (left.length > 0 && options.begin !== true) stop("Gone", directory, goneText(left))
  if (!readOnly) {
    checkStartRoom(directory, options.reserve ?? 0)
    makeDatabaseFile(directory)
  }
  const wal = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0)
  const anchor = readAnchor(join(directory, anchorFile), ({ journalId, seq, hash, tag }) =>
    keyring.accepts(headText(journalId, seq, hash), tag)
  )
  if (readOnly && !existsSync(path)) empty(path, anchor)
  const database = openOrExplain(path, readOnly, anchor.head, () => keepWal(directory, wal))
  try {
    const also = isEmpty(database) && !readOnly ? leftovers(directory, true).filter((file) => !left.includes(file)) : []
    if (also.length > 0 && options.begin !== true) stop("Gone", directory, goneText(also))
    const began = [...left, ...also].map((file) => `${file} of an earlier journal`)
    const notes = began.length === 0 ? repaired : [...repaired, `begun again over ${began.join(", ")}`]
    const file = openTables(options, database, anchor, notes)
    if (!readOnly) syncDirectory(directory)
    return file
  } catch (error) {
    keepWal(directory, wal)
    database.close()
    throw error
  }
}

const goneText = (left: ReadonlyArray<string>): string =>
  `The journal is gone: ${databaseFile} and ${anchorFile} are not there, or empty, but ${left.join(", ")} of an earlier one.`

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

/** Nothing is in the database; whether there was ever something, the anchor says. */
const empty = (path: string, { head, missing }: FoundAnchor): never =>
  missing
    ? stop("NotJournal", path, "There is no journal in this directory.", "Name the directory of a switch's journal.")
    : stop("Truncated", path, `The database is empty or gone; journal.head reached entry ${head?.seq ?? "?"}.`)

const openTables = (
  options: JournalFileOptions,
  database: Database.Database,
  found: FoundAnchor,
  notes: ReadonlyArray<string>
): JournalFile => {
  const { directory, keyring, readOnly, acceptLoss } = options
  const path = join(directory, databaseFile)
  const isNew = isEmpty(database)
  if (isNew) {
    if (readOnly || !(found.missing || acceptLoss)) empty(path, found)
    createSchema(database)
  }
  const journalId = journalIdOf(database, path)
  const groups = new CommitGroupReader(sqliteRows(database), journalId, keyring)
  if (!readOnly && groups.isPart) stop("NotJournal", path, partText, partFix)
  const proof = new Proof(keyring, path)
  const reached = recover(database, groups, proof, found.head?.journalId === journalId ? found.head : undefined)
  const lost = isNew ? lossOf(found, found.head?.seq ?? 0) : checkAnchor(options, groups, found, reached.seq, journalId)
  const last = groups.lastGroup()
  const upgraded = readOnly ? undefined : upgradeSchema(database)
  const opened: Opened = {
    journalId,
    firstSeq: groups.start().next,
    lastAt: last === undefined ? 0 : readU64(last.bytes, groupAt.time),
    lastSeq: reached.seq,
    floor: last === undefined ? 1 : floorOf(last),
    counts: reached.counts,
    names: namesOf(database, groups, proof, reached.counts, readOnly ? undefined : keyring.current),
    keys: keysOf(database, groups, proof, reached.counts, readOnly ? undefined : keyring.current),
    ...(lost === undefined ? {} : { lossAccepted: lost }),
    notes: [...notes, ...(upgraded === undefined ? [] : [upgraded]), ...notesOf(found)]
  }
  if (!readOnly) retagBeginning(database, groups, keyring.current!)
  const anchor = readOnly ? undefined : openAnchor(options, journalId, found, reached, lost !== undefined)
  return { directory, database, groups, opened, reached, anchor }
}

/** What was tagged with an older key is tagged again, like the names: that key may be forgotten once no group needs it. */
const retagBeginning = (database: Database.Database, groups: CommitGroupReader, current: Seal): void => {
  const row = groups.beginning
  if (row === undefined || keyIdOfTag(row.tag) === current.keyId) return
  writeBeginning(database, { ...row, tag: current.tag(beginningTextOf(groups.journalId, row)) })
}

/** What an operator should know of an anchor that is good enough. */
const notesOf = ({ odd, head }: FoundAnchor): ReadonlyArray<string> =>
  odd === undefined
    ? []
    : [`${anchorFile}: ${odd}; the journal reaches entry ${head?.seq ?? 0}, which the other slot says`]

/** The names of links, numbered without gaps: one for each entry that names one. */
const namesOf = (
  database: Database.Database,
  groups: CommitGroupReader,
  proof: Proof,
  counts: ReadonlyArray<number>,
  current: Seal | undefined
): ReadonlyArray<NameRecord> => {
  const rows = database.prepare("SELECT id, name, dialect, tag FROM name ORDER BY id").all() as ReadonlyArray<
    NameRecord & { readonly tag: Buffer }
  >
  const named = counts[EntryKind.named]!
  // Of links that came behind the end of an archived part the names are there, and their entries are not.
  const isWhole =
    (rows.length === named || (groups.isPart && rows.length > named)) &&
    rows.every(
      ({ id, name, dialect, tag }, n) =>
        id === n + 1 && typeof name === "string" && typeof dialect === "string" && Buffer.isBuffer(tag)
    )
  if (!isWhole) stop("Corrupt", proof.place, namesChanged)
  for (const { id, name, dialect, tag } of rows)
    proof.demand(groups.checkName(id, name, dialect, tag), tag, namesChanged)
  // Names of an older key are tagged again: the key may be forgotten once no group needs it.
  const retag = database.prepare("UPDATE name SET tag = ? WHERE id = ?")
  for (const { id, name, dialect, tag } of rows) {
    if (current === undefined || keyIdOfTag(tag) === current.keyId) continue
    retag.run(current.tag(nameText(groups.journalId, id, name, dialect)), id)
  }
  return rows.map(({ id, name, dialect }) => ({ id, name, dialect }))
}

const namesChanged = "The table of links' names is not the one written."

/** What the slots hold: as many changes as there are entries that made one. */
const keysOf = (
  database: Database.Database,
  groups: CommitGroupReader,
  proof: Proof,
  counts: ReadonlyArray<number>,
  current: Seal | undefined
): ReadonlyArray<KeyRow> => {
  if (!hasKeySlots(database) || groups.isPart) return []
  const rows = database.prepare("SELECT * FROM key_slot ORDER BY link, slot").all() as ReadonlyArray<StoredKeyRow>
  const changes = rows.reduce((sum, row) => sum + row.changes, 0)
  if (!rows.every(isKeyRow) || changes !== counts[EntryKind.key]) stop("Corrupt", proof.place, keysChanged)
  for (const row of rows) proof.demand(groups.checkSlot(row), row.tag, keysChanged)
  const retag = database.prepare("UPDATE key_slot SET tag = ? WHERE link = ? AND slot = ?")
  for (const row of rows) {
    if (current === undefined || keyIdOfTag(row.tag) === current.keyId) continue
    retag.run(current.tag(rowText(groups.journalId, row)), row.link, row.slot)
  }
  return rows.map(({ link, slot, keys }) => ({ link, slot, keys }))
}

const keysChanged = "The table of keys is not the one written."

const partText = "This is an archived part of a journal: it is read, and no switch writes on it."
const partFix = "Give the switch the directory of its own journal, or a backup of it (`jinka journal restore`)."

const lossOf = (found: FoundAnchor, seq: number): number | undefined => (found.missing ? undefined : seq)

/**
 * Verifies the chain from the last mark in front of the floor to its end. The last group is always verified: the floor is in
 * it, and a changed one would hide open exchanges.
 */
const recover = (
  database: Database.Database,
  groups: CommitGroupReader,
  proof: Proof,
  head: Head | undefined
): Reached => {
  const path = proof.place
  const last = groups.lastGroup()
  if (last !== undefined) proof.key(keyIdOfTag(last.tag))
  const before = last === undefined ? 1 : Math.min(floorOf(last), last.first)
  const marked = database.prepare("SELECT max(seq) FROM mark WHERE seq < ?").pluck()
  const from = marked.get(before) as number | null
  let cursor = from === null ? groups.start() : cursorBehind(groups, from, proof)
  for (let done = false; !done; ) {
    const step = groups.verify(cursor)
    if (step.bad !== undefined)
      stop("Corrupt", path, `At entry ${step.bad.seq}: ${step.bad.why}.`, undefined, step.bad.seq)
    cursor = step.cursor
    done = step.done
  }
  for (const { keyId } of cursor.unopened) proof.key(keyId)
  if (head !== undefined && head.seq > 0 && head.seq < cursor.next) {
    const group = groups.groupOf(head.seq)
    if (group === undefined || group.last !== head.seq || !group.hash.equals(head.hash)) {
      stop("Corrupt", path, `journal.head says something else about entry ${head.seq}.`, undefined, head.seq)
    }
  }
  const mark = (marked.get(Number.MAX_SAFE_INTEGER) as number | null) ?? 0
  return { seq: cursor.next - 1, hash: Buffer.from(cursor.hash, "hex"), counts: cursor.counts, mark }
}

/**
 * Refuses a journal that ends before its anchor. Returns how far it reached when the loss is accepted, undefined when
 * nothing is lost.
 */
const checkAnchor = (
  options: JournalFileOptions,
  groups: CommitGroupReader,
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
    problem = `The anchor is ${found.missing ? "missing" : "not as it was written with this key"}; nothing proves that the journal is whole behind entry ${lastSeq}.`
  } else if (head.journalId !== journalId) {
    problem = "The anchor belongs to another journal; the database was replaced or copied without it."
  } else if (head.seq > lastSeq) {
    problem = `The journal ends at entry ${lastSeq}, but entries up to ${head.seq} were acknowledged.`
  }
  if (problem === undefined) return undefined
  if (!options.acceptLoss) return stop("Truncated", path, problem, undefined, lastSeq)
  return Math.max(lastSeq, head?.journalId === journalId ? head.seq : 0)
}

const openAnchor = (
  { directory, keyring }: JournalFileOptions,
  journalId: string,
  found: FoundAnchor,
  reached: Reached,
  isLossAccepted: boolean
): Anchor => {
  const isFresh = found.slot < 0 || isLossAccepted
  const anchor = new Anchor(join(directory, anchorFile), journalId, isFresh ? -1 : found.slot)
  const write = (seq: number, hash: Buffer) =>
    anchor.write(seq, hash, keyring.current!.tag(headText(journalId, seq, hash)))
  if (isFresh) write(0, genesisHash(journalId))
  if (isFresh || found.odd !== undefined || found.head!.seq < reached.seq) {
    write(reached.seq, reached.hash)
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
