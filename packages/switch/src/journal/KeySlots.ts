/**
 * The table of keys beside the journal's entries: for each slot of a link what is held now, in the words of whoever writes it.
 *
 * A row is written in the same transaction as the `key` entry that changes it, and the entry carries the row's digest: a row that
 * was changed, taken out, or put back from an older copy is found at the next opening and by a verification. What was held before
 * is nowhere: the entry says what happened, and only the row holds the (wrapped) keys. Pure, but for the statements.
 */
import { hash } from "node:crypto"
import type Database from "better-sqlite3"
import { keysText } from "./Tag.ts"

/** A row: what one slot holds. */
export interface KeyRow {
  /** Name of the link. */
  readonly link: string
  /** Purpose and direction: `mac/both`. */
  readonly slot: string
  /** What is held; never a key in clear. */
  readonly keys: string
}

/** A row as it is in the database. */
export interface StoredKeyRow extends KeyRow {
  /** Entries that have changed the slot: only up, so that an older row shows. */
  readonly changes: number
  /** The last of them. */
  readonly seq: number
  readonly tag: Buffer
}

/** The table, as SQLite is told of it. */
export const keySlotTable = `
CREATE TABLE key_slot (
  link TEXT NOT NULL,
  slot TEXT NOT NULL,           -- purpose and direction
  changes INTEGER NOT NULL,     -- entries of kind "key" for this slot
  seq INTEGER NOT NULL,         -- the last of them
  keys TEXT NOT NULL,           -- what is held now: wrapped keys with versions, check values and times
  tag BLOB NOT NULL,
  PRIMARY KEY (link, slot)
) STRICT;
`

/** What the message of a `key` entry says: its row, the digest of what the row then held, and what happened, in JSON. */
export interface KeyEntry {
  readonly link: string
  readonly slot: string
  readonly digest: string
  readonly event: string
}

/** SHA-256 of what a row holds, in hexadecimal. */
const digestOf = (keys: string): string => hash("sha256", keys)

/** The message of an entry that gives `row` to the table. `event`: JSON of one line. */
export const keyEntryText = ({ link, slot, keys }: KeyRow, event: string): string =>
  `${link}\n${slot}\n${digestOf(keys)}\n${event}`

/** Reads the message of a `key` entry. */
export const readKeyEntry = (message: string): KeyEntry => {
  const [link = "", slot = "", digest = "", event = ""] = message.split("\n")
  return { link, slot, digest, event }
}

/** The text that the tag of a row is of. */
export const rowText = (journalId: string, { link, slot, changes, seq, keys }: Omit<StoredKeyRow, "tag">): Buffer =>
  keysText(journalId, seq, changes, `${link}\n${slot}`, keys)

/** Whether a value out of the database is a row. */
export const isKeyRow = (row: { readonly [column in keyof StoredKeyRow]: unknown }): boolean =>
  [row.link, row.slot, row.keys].every((text) => typeof text === "string") &&
  [row.changes, row.seq].every((value) => Number.isSafeInteger(value)) &&
  Buffer.isBuffer(row.tag)

/** Whether a row is what the entry `seq` wrote, or what a later one has written. */
export const isRowOf = (row: Omit<StoredKeyRow, "tag">, entry: KeyEntry, seq: number): boolean =>
  row.seq > seq || (row.seq === seq && digestOf(row.keys) === entry.digest)

/** Writes the rows of one database. */
export class KeySlotWriter {
  private readonly changes: Database.Statement
  private readonly upsert: Database.Statement

  constructor(database: Database.Database) {
    this.changes = database.prepare("SELECT changes FROM key_slot WHERE link = ? AND slot = ?").pluck()
    this.upsert = database.prepare(
      "INSERT INTO key_slot VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET changes = excluded.changes, seq = excluded.seq, keys = excluded.keys, tag = excluded.tag"
    )
  }

  /** Writes what the entry `seq` says; inside its transaction. `tagOf` makes the tag of a text. */
  put({ link, slot, keys }: KeyRow, seq: number, journalId: string, tagOf: (text: Buffer) => Buffer): void {
    const changes = ((this.changes.get(link, slot) as number | undefined) ?? 0) + 1
    this.upsert.run(link, slot, changes, seq, keys, tagOf(rowText(journalId, { link, slot, changes, seq, keys })))
  }
}
