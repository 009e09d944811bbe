/**
 * The database file of a journal: its settings, its tables and its identity. Runs in the journal's thread,
 * synchronously; throws `JournalStop`. What is in the tables is the business of `SqliteCommit` and `CommitGroupReader`.
 *
 * The settings, and why each, are in docs/decisions/0004-journal.md.
 */
import { randomBytes } from "node:crypto"
import Database from "better-sqlite3"
import { beginningTable } from "./Beginning.ts"
import { GROUP_HEADER_LENGTH } from "./CommitGroup.ts"
import { ENTRY_HEADER_LENGTH, entryAt } from "./Entry.ts"
import { ENTRY_KIND_MAX, entryKindName } from "./EntryKind.ts"
import { stop } from "./JournalReason.ts"
import { keySlotTable } from "./KeySlots.ts"

/** The database's file in the journal's directory. */
export const databaseFile = "journal.db"

/** `PRAGMA application_id` of a journal: "JNKA". */
export const APPLICATION_ID = 0x4a4e4b41
/** `PRAGMA user_version`: the version of the tables. 4 has the table of keys, 5 the one that says where the journal begins. */
export const SCHEMA_VERSION = 5
/** The oldest version that is taken over: it lacks these tables, and nothing else. */
const SCHEMA_VERSION_MIN = 3
/** The first SQLite without the WAL-reset bug (sqlite.org/wal.html#walresetbug; docs/domain.md 4.2). */
export const sqliteVersionMin = "3.51.3"

/** A pragma that is set and read back. */
export interface Setting {
  readonly name: string
  readonly set: string
  /** What reading it back must give. */
  readonly expected: string | number
}

/** In this order: the lock is asked for before WAL is, so that no shared memory file is made. */
export const settings: ReadonlyArray<Setting> = [
  { name: "locking_mode", set: "EXCLUSIVE", expected: "exclusive" },
  { name: "journal_mode", set: "WAL", expected: "wal" },
  { name: "synchronous", set: "FULL", expected: 2 },
  { name: "fullfsync", set: "ON", expected: 1 },
  { name: "checkpoint_fullfsync", set: "ON", expected: 1 },
  // Checkpoints are made in Checkpoint.ts: those of SQLite swallow their errors.
  { name: "wal_autocheckpoint", set: "0", expected: 0 },
  { name: "journal_size_limit", set: "16777216", expected: 16_777_216 },
  { name: "cell_size_check", set: "ON", expected: 1 },
  { name: "mmap_size", set: "0", expected: 0 }
]

const kindCases = Array.from({ length: ENTRY_KIND_MAX }, (_, n) => `WHEN ${n + 1} THEN '${entryKindName(n + 1)}'`)

/** The big-endian integer of `length` bytes at `at` of an entry: SQLite reads numbers in hexadecimal as JSON only. */
const integer = (at: number, length: number): string =>
  `(('[0x' || hex(substr(g.bytes, e.place + ${at + 1}, ${length})) || ']') ->> 0)`

/** Entries for people with `sqlite3`: it reads every group from the beginning, which nothing in Jinka does. */
const readable = `
CREATE VIEW readable AS
  WITH RECURSIVE e(first, place, seq) AS (
    SELECT first, ${GROUP_HEADER_LENGTH}, first FROM commit_group
    UNION ALL
    SELECT e.first, e.place + ${ENTRY_HEADER_LENGTH} + ${integer(entryAt.codeLength, 2)} + ${integer(entryAt.messageLength, 4)}, e.seq + 1
      FROM e JOIN commit_group g ON g.first = e.first WHERE e.seq < g.last
  )
  SELECT e.seq, strftime('%Y-%m-%d %H:%M:%f', ${integer(entryAt.time, 8)} / 1000.0, 'unixepoch') AS utc,
    CASE ${integer(entryAt.kind, 1)} ${kindCases.join(" ")} END AS kind,
    ${integer(entryAt.exchange, 8)} AS exchange, ${integer(entryAt.about, 8)} AS about,
    (SELECT name FROM name WHERE id = ${integer(entryAt.link, 4)}) AS link, ${integer(entryAt.epoch, 4)} AS epoch,
    CAST(substr(g.bytes, e.place + ${ENTRY_HEADER_LENGTH + 1}, ${integer(entryAt.codeLength, 2)}) AS TEXT) AS code,
    ${integer(entryAt.messageLength, 4)} AS message_bytes,
    hex(substr(g.bytes, e.place + ${ENTRY_HEADER_LENGTH + 1} + ${integer(entryAt.codeLength, 2)}, ${integer(entryAt.messageLength, 4)})) AS message
  FROM e JOIN commit_group g ON g.first = e.first ORDER BY e.seq;`

const schema = `
CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  journal_id TEXT NOT NULL
) STRICT;
CREATE TABLE commit_group (
  first INTEGER PRIMARY KEY,    -- seq of the first and last entry committed together; 1.. without gaps
  last INTEGER NOT NULL,
  sealed INTEGER NOT NULL,      -- bytes of sealed card data at the end of "bytes"
  hash BLOB NOT NULL,           -- SHA-256 over "bytes" in two steps (CommitGroup.ts); they begin with the hash of the group before
  tag BLOB NOT NULL,            -- key id, and HMAC-SHA-256 of journal, "last" and "hash" under the journal's key (Tag.ts)
  bytes BLOB NOT NULL           -- the group as packages/switch/src/journal/CommitGroup.ts lays it out
) STRICT;
CREATE TABLE mark (
  seq INTEGER PRIMARY KEY,      -- last entry counted
  counts TEXT NOT NULL,         -- entries per kind since the journal began, as JSON
  tag BLOB NOT NULL
) STRICT;
CREATE TABLE name (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  dialect TEXT NOT NULL,
  tag BLOB NOT NULL
) STRICT;
${keySlotTable}
${beginningTable}
${readable}
`

/** Whether `version` (`3.51.3`) is at least {@link sqliteVersionMin}. */
export const isSqliteRecent = (version: string): boolean => {
  const parts = version.split(".").map(Number)
  const wanted = sqliteVersionMin.split(".").map(Number)
  for (let n = 0; n < 3; n++) {
    const difference = (parts[n] ?? 0) - (wanted[n] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}

/**
 * Refuses an SQLite that is too old, and any setting that reads back as something else. `read` gives a pragma's
 * value.
 */
export const checkSettings = (
  place: string,
  version: string,
  read: (pragma: string) => unknown,
  wanted: ReadonlyArray<Setting> = settings
): void => {
  if (!isSqliteRecent(version)) {
    stop("SettingsWrong", place, `SQLite is ${version}, and versions before ${sqliteVersionMin} can corrupt a WAL.`)
  }
  for (const { name, expected } of wanted) {
    const value = read(name)
    if (value !== expected) stop("SettingsWrong", place, `PRAGMA ${name} is ${String(value)} and must be ${expected}.`)
  }
}

/** Opens the file, takes its lock, sets and reads back the settings. `readOnly` allows no statement that writes. */
export const openDatabase = (path: string, readOnly: boolean): Database.Database => {
  const database = new Database(path, { fileMustExist: readOnly, timeout: 50 })
  try {
    if (!readOnly) database.pragma("page_size = 4096")
    for (const { name, set } of settings) database.pragma(`${name} = ${set}`)
    const version = String(database.prepare("SELECT sqlite_version()").pluck().get())
    checkSettings(path, version, (pragma) => database.pragma(pragma, { simple: true }))
    // The lock of EXCLUSIVE mode comes with the first transaction; take it now, not with the first commit.
    database.exec("BEGIN IMMEDIATE; COMMIT")
    if (readOnly) database.pragma("query_only = ON")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Whether the file holds nothing yet. */
export const isEmpty = (database: Database.Database): boolean =>
  database.pragma("user_version", { simple: true }) === 0 &&
  database.pragma("application_id", { simple: true }) === 0 &&
  database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0

/** Makes the tables of a new journal, in one transaction. */
export const createSchema = (database: Database.Database): void => {
  database.transaction(() => {
    database.pragma(`application_id = ${APPLICATION_ID}`)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
    database.exec(schema)
    database.prepare("INSERT INTO meta VALUES (1, ?)").run(randomBytes(16).toString("hex"))
  })()
}

/**
 * Takes a journal of an older version over: it gets the tables that it lacks, which are empty, because nothing of its version
 * could fill them. From then on an older Jinka refuses it. Returns what to tell, if anything was done.
 */
export const upgradeSchema = (database: Database.Database): string | undefined => {
  const version = database.pragma("user_version", { simple: true })
  if (version === SCHEMA_VERSION) return undefined
  database.transaction(() => {
    const missing = version === SCHEMA_VERSION_MIN ? `${keySlotTable} ${beginningTable}` : beginningTable
    database.exec(`DROP VIEW readable; ${missing} ${readable}`)
    database.pragma(`user_version = ${SCHEMA_VERSION}`)
  })()
  return `the journal was of version ${String(version)} and is of version ${SCHEMA_VERSION} from here on: it can hold keys, and drop what is old`
}

/** Whether an open database has the table of keys: a journal of version 3 that is only read has none. */
export const hasKeySlots = (database: Database.Database): boolean =>
  database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'key_slot'").pluck().get() === 1

/** Nobody can say whether an older journal is genuine: to tag it now would vouch for whatever is in it. */
const untagged = "Journals before version 3 are not authenticated by a key, so this one is not taken over."
const finishOld =
  "Let the Jinka that wrote it end what is open: run it until `jinka status` shows nothing outstanding or stored, then stop it. Then move the directory away, keep that Jinka to read it, and start with an empty directory."

/** The journal's identity, after checking that it is a journal of this version. */
export const journalIdOf = (database: Database.Database, path: string): string => {
  const application = database.pragma("application_id", { simple: true })
  if (application !== APPLICATION_ID) stop("NotJournal", path, "This is an SQLite database, but not a journal.")
  const version = database.pragma("user_version", { simple: true })
  if (typeof version !== "number" || version < SCHEMA_VERSION_MIN || version > SCHEMA_VERSION) {
    const found = `The journal has version ${String(version)}; this Jinka reads ${SCHEMA_VERSION_MIN} to ${SCHEMA_VERSION}.`
    if (version === 1 || version === 2) stop("VersionUnknown", path, `${found} ${untagged}`, finishOld)
    stop("VersionUnknown", path, found)
  }
  const id = database.prepare("SELECT journal_id FROM meta WHERE id = 1").pluck().get()
  if (typeof id !== "string" || !/^[0-9a-f]{32}$/.test(id)) stop("Corrupt", path, "The journal has lost its identity.")
  return id as string
}
