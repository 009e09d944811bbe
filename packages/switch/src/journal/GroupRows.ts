/**
 * Reads groups back from their rows: rebuilds the bytes that the chain hashed, opens the seal, and verifies step by
 * step. Runs in the journal's thread, between commits; every call is bounded.
 */
import { hash } from "node:crypto"
import type Database from "better-sqlite3"
import { entryAt, entryHeaderLength, entryLength, writeAscii, writeU64 } from "./Entry.ts"
import { EntryKind, noCounts } from "./EntryKind.ts"
import { groupAt, groupHashLength, groupHeaderLength, groupTagLength } from "./Group.ts"
import type { VerifyCursor, VerifyStep } from "./JournalStore.ts"
import type { Keyring } from "./Seal.ts"
import { genesisHash } from "./SqliteFile.ts"

/** A row of `commit_group`. */
export interface GroupRow {
  readonly first: number
  readonly last: number
  readonly at: number
  readonly floor: number
  readonly hash: Buffer
  readonly key_id: string
  readonly nonce: Buffer
  readonly sealed: Buffer
}

/** A row of `entry`, in the order of the table's columns. */
export type EntryRow = [
  seq: number,
  at: number,
  kind: number,
  exchange: number,
  about: number,
  link: number,
  epoch: number,
  code: string,
  message: Buffer,
  secret: number,
  pan: number
]

/** A group rebuilt from its rows: the bytes that are hashed, or the first entry that cannot be right. */
export type Rebuilt = { readonly bytes: Buffer } | { readonly seq: number; readonly why: string }

/** Groups that one step of a verification takes at most, and the bytes after which it ends. */
const stepGroupsMax = 64
const stepBytesMax = 1024 * 1024

/** What the seal of a group also authenticates: journal, first and last seq. */
export const additionalOf = (journalId: string, first: number, last: number): Buffer => {
  const bytes = Buffer.alloc(32)
  bytes.write(journalId, 0, "hex")
  writeU64(bytes, first, 16)
  writeU64(bytes, last, 24)
  return bytes
}

/**
 * Writes the canonical bytes of a row at `at`; returns their length. Throws RangeError on a value that no entry has.
 */
export const writeRow = (out: Buffer, at: number, row: EntryRow): number => {
  const [seq, time, kind, exchange, about, link, epoch, code, message, secret, pan] = row
  writeU64(out, seq, at + entryAt.seq)
  writeU64(out, time, at + entryAt.time)
  out.writeUInt8(kind, at + entryAt.kind)
  out.writeUInt32BE(link, at + entryAt.link)
  out.writeUInt32BE(epoch, at + entryAt.epoch)
  writeU64(out, exchange, at + entryAt.exchange)
  writeU64(out, about, at + entryAt.about)
  writeU64(out, pan, at + entryAt.pan)
  out.writeUInt32BE(secret, at + entryAt.secretLength)
  out.writeUInt32BE(message.length, at + entryAt.messageLength)
  out.writeUInt16BE(code.length, at + entryAt.codeLength)
  writeAscii(out, code, at + entryHeaderLength, code.length)
  out.set(message, at + entryHeaderLength + code.length)
  return entryHeaderLength + code.length + message.length
}

/** Bytes a row takes in canonical form. */
export const rowLength = (row: EntryRow): number => entryHeaderLength + row[7].length + row[8].length

/** The groups of one database. */
export class GroupRows {
  readonly journalId: string
  readonly #keyring: Keyring
  readonly #from: Database.Statement
  readonly #upTo: Database.Statement
  readonly #rows: Database.Statement
  readonly #row: Database.Statement
  readonly #mark: Database.Statement
  readonly #name: Database.Statement
  readonly #lastEntry: Database.Statement
  readonly #lastSealed: Database.Statement

  constructor(database: Database.Database, journalId: string, keyring: Keyring) {
    this.journalId = journalId
    this.#keyring = keyring
    this.#from = database.prepare("SELECT * FROM commit_group WHERE first >= ? ORDER BY first LIMIT 1")
    this.#upTo = database.prepare("SELECT * FROM commit_group WHERE first <= ? ORDER BY first DESC LIMIT 1")
    this.#rows = database.prepare("SELECT * FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq").raw()
    this.#row = database.prepare("SELECT * FROM entry WHERE seq = ?").raw()
    this.#mark = database.prepare("SELECT counts FROM mark WHERE seq = ?").pluck()
    this.#name = database.prepare("SELECT name || char(10) || dialect FROM name WHERE id = ?").pluck()
    this.#lastSealed = database.prepare("SELECT * FROM commit_group WHERE key_id <> '' ORDER BY first DESC LIMIT 1")
    this.#lastEntry = database.prepare("SELECT max(seq) FROM entry").pluck()
  }

  /** The group that holds `seq`. */
  groupOf(seq: number): GroupRow | undefined {
    const group = this.#upTo.get(seq) as GroupRow | undefined
    return group !== undefined && group.last >= seq ? group : undefined
  }

  /** The first group that begins at or after `seq`. */
  groupFrom(seq: number): GroupRow | undefined {
    return this.#from.get(seq) as GroupRow | undefined
  }

  /** The last group, or undefined in an empty journal. */
  lastGroup(): GroupRow | undefined {
    return this.#upTo.get(Number.MAX_SAFE_INTEGER) as GroupRow | undefined
  }

  /** The last group with sealed data. */
  lastSealedGroup(): GroupRow | undefined {
    return this.#lastSealed.get() as GroupRow | undefined
  }

  row(seq: number): EntryRow | undefined {
    return this.#row.get(seq) as EntryRow | undefined
  }

  rows(first: number, last: number): Array<EntryRow> {
    return this.#rows.all(first, last) as Array<EntryRow>
  }

  /**
   * The secrets of a group in clear, one after the other; undefined when there are none, or no key, or they do not
   * authenticate.
   */
  secrets(group: GroupRow): Buffer | undefined {
    const additional = additionalOf(this.journalId, group.first, group.last)
    return this.#keyring.byId(group.key_id)?.open(additional, group.nonce, group.sealed)
  }

  /** Whether the keyring has the key of this group, or the group needs none. */
  hasKey(group: GroupRow): boolean {
    return group.key_id === "" || this.#keyring.byId(group.key_id) !== undefined
  }

  /** The bytes that were hashed, from the rows as they are now. */
  rebuild(group: GroupRow, previous: Uint8Array): Rebuilt {
    const { first, last } = group
    try {
      const rows = this.rows(first, last)
      const length = rows.reduce((sum, row) => sum + rowLength(row), 0)
      const bytes = Buffer.alloc(groupHeaderLength + length + group.sealed.length)
      let at = groupHeaderLength
      for (let n = 0; n < rows.length; n++) {
        const row = rows[n]!
        if (row[0] !== first + n) return { seq: first + n, why: "an entry is missing" }
        at += writeRow(bytes, at, row)
      }
      if (rows.length !== last - first + 1) return { seq: first + rows.length, why: "an entry is missing" }
      bytes.set(previous, groupAt.previous)
      writeU64(bytes, first, groupAt.first)
      writeU64(bytes, last, groupAt.last)
      writeU64(bytes, group.at, groupAt.time)
      writeU64(bytes, group.floor, groupAt.floor)
      bytes.writeUInt32BE(rows.length, groupAt.count)
      bytes.writeUInt32BE(length, groupAt.length)
      bytes.writeUInt32BE(group.sealed.length, groupAt.sealedLength)
      bytes.write(group.key_id, groupAt.keyId, "hex")
      bytes.set(group.nonce, groupAt.nonce)
      bytes.set(group.sealed, at)
      return { bytes }
    } catch (error) {
      // A value that no entry has (STRICT tables rule it out, a damaged page does not) is a finding; what SQLite says
      // is not ours.
      if (error instanceof RangeError || error instanceof TypeError) return { seq: first, why: "a row cannot be read" }
      throw error
    }
  }

  /** Where a verification of everything starts. */
  start(): VerifyCursor {
    return { next: 1, hash: genesisHash(this.journalId).toString("hex"), groups: 0, counts: noCounts() }
  }

  /** One bounded step of a verification. */
  verify(from: VerifyCursor | null): VerifyStep {
    let cursor = from ?? this.start()
    let bytes = 0
    for (let n = 0; n < stepGroupsMax && bytes < stepBytesMax; n++) {
      const group = this.groupFrom(cursor.next)
      if (group === undefined) return { cursor, done: true, ...this.#orphans(cursor.next) }
      const checked = this.#check(group, cursor)
      if ("why" in checked) return { cursor, done: true, bad: { seq: checked.seq, why: checked.why } }
      bytes += checked.length
      cursor = checked.cursor
    }
    return { cursor, done: false }
  }

  /** Entries behind the last group belong to none: nobody wrote them. */
  #orphans(next: number): { readonly bad?: { readonly seq: number; readonly why: string } } {
    const last = (this.#lastEntry.get() as number | null) ?? 0
    return last < next ? {} : { bad: { seq: next, why: "an entry belongs to no group" } }
  }

  #check(
    group: GroupRow,
    cursor: VerifyCursor
  ): { readonly cursor: VerifyCursor; readonly length: number } | { readonly seq: number; readonly why: string } {
    if (group.first !== cursor.next) return { seq: cursor.next, why: "a group is missing" }
    const rebuilt = this.rebuild(group, Buffer.from(cursor.hash, "hex"))
    if (!("bytes" in rebuilt)) return rebuilt
    const found = hash("sha256", rebuilt.bytes, "buffer")
    if (group.hash.length !== groupHashLength || !found.equals(group.hash)) {
      return { seq: group.first, why: `the hash of entries ${group.first} to ${group.last} is not the one written` }
    }
    if (this.#keyring.byId(group.key_id) !== undefined && this.secrets(group) === undefined) {
      return {
        seq: group.first,
        why: `the sealed data of entries ${group.first} to ${group.last} does not authenticate`
      }
    }
    const counts = [...cursor.counts]
    const wrong = this.#count(rebuilt.bytes, group, counts)
    if (wrong !== undefined) return wrong
    const next = { next: group.last + 1, hash: found.toString("hex"), groups: cursor.groups + 1, counts }
    return { cursor: next, length: rebuilt.bytes.length }
  }

  /**
   * Counts a verified group's kinds, and compares what is derived from them: sealed length, names, and the mark if
   * there is one.
   */
  #count(bytes: Buffer, group: GroupRow, counts: Array<number>): { seq: number; why: string } | undefined {
    let secret = 0
    let at = groupHeaderLength
    for (let seq = group.first; seq <= group.last; seq++) {
      const kind = bytes[at + entryAt.kind]!
      const length = entryLength(bytes, at)
      counts[kind] = (counts[kind] ?? 0) + 1
      secret += bytes.readUInt32BE(at + entryAt.secretLength)
      if (kind === EntryKind.named) {
        const named = bytes.toString("utf8", at + length - bytes.readUInt32BE(at + entryAt.messageLength), at + length)
        if (this.#name.get(bytes.readUInt32BE(at + entryAt.link)) !== named) return { seq, why: "its name was changed" }
      }
      at += length
    }
    if (group.sealed.length !== (secret === 0 ? 0 : secret + groupTagLength)) {
      return { seq: group.first, why: "the sealed data has another length than its entries say" }
    }
    const mark = this.#mark.get(group.last) as string | undefined
    if (mark !== undefined && mark !== JSON.stringify(counts))
      return { seq: group.last, why: "the counts of a mark are wrong" }
    return undefined
  }
}
