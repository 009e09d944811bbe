/**
 * Where a journal begins: with its first entry, or behind the last one that was dropped. Of what was dropped its last hash and
 * its counts are kept, in one row with a tag: the chain goes on from there, and nobody without the journal's key can cut the
 * front off.
 *
 * The row is written in the transaction that drops (`Dropping.ts`). An archived part of a journal has one, too.
 */
import type Database from "better-sqlite3"
import { beginningText } from "./Tag.ts"

/** The table, as SQLite is told of it. */
export const beginningTable = `
CREATE TABLE beginning (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,         -- last entry that was dropped
  hash BLOB NOT NULL,           -- hash of the group that it ended
  counts TEXT NOT NULL,         -- entries per kind up to it, as JSON
  part INTEGER NOT NULL,        -- 1: an archived part of a journal, which no switch writes on
  tag BLOB NOT NULL
) STRICT;
`

/** The row that says where the journal begins, since older entries were dropped. */
export interface BeginningRow {
  /** Last entry that was dropped; 0 at the beginning of an archived part from which nothing was. */
  readonly seq: number
  readonly hash: Buffer
  readonly counts: string
  readonly part: number
  readonly tag: Buffer
}

/** The text that the row's tag is of. */
export const beginningTextOf = (journalId: string, { seq, hash, counts, part }: Omit<BeginningRow, "tag">): Buffer =>
  beginningText(journalId, seq, hash, `${part}\n${counts}`)

/** Whether an open database has the table: a journal of an older version that is only read has none. */
const hasBeginning = (database: Database.Database): boolean =>
  database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'beginning'").pluck().get() === 1

/** Reads the row as it is, unchecked; `undefined`: nothing was dropped. */
export const readBeginning = (database: Database.Database): BeginningRow | undefined =>
  hasBeginning(database)
    ? (database.prepare("SELECT seq, hash, counts, part, tag FROM beginning").get() as BeginningRow | undefined)
    : undefined

/** Whether a row holds the kinds of values that are written. */
export const isBeginning = ({ seq, hash, counts, part, tag }: BeginningRow): boolean =>
  Number.isSafeInteger(seq) &&
  seq >= 0 &&
  Number.isSafeInteger(part) &&
  typeof counts === "string" &&
  Buffer.isBuffer(hash) &&
  Buffer.isBuffer(tag)

/** Writes the row, inside a transaction. */
export const writeBeginning = (database: Database.Database, { seq, hash, counts, part, tag }: BeginningRow): void => {
  database.prepare("INSERT OR REPLACE INTO beginning VALUES (1, ?, ?, ?, ?, ?)").run(seq, hash, counts, part, tag)
}
