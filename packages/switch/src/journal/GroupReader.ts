/**
 * Reads committed groups back: finds them, finds the entries in them, opens their seals, and verifies the chain step by
 * step. Runs in the journal's thread, between commits; every call is bounded.
 *
 * A row of `commit_group` holds the very bytes that the chain hashed (`Group.ts`), so nothing has to be rebuilt to verify it.
 */
import { hash } from "node:crypto"
import type Database from "better-sqlite3"
import { entryAt, entryHeaderLength, entryLength, readU64, writeU64 } from "./Entry.ts"
import { EntryKind, noCounts } from "./EntryKind.ts"
import {
  groupAt,
  groupHashLength,
  groupHeaderLength,
  groupKeyIdLength,
  groupNonceLength,
  groupTagLength
} from "./Group.ts"
import { stop } from "./JournalReason.ts"
import type { VerifyCursor, VerifyStep } from "./JournalStore.ts"
import type { Keyring } from "./Seal.ts"
import { databaseFile, genesisHash } from "./SqliteFile.ts"

/** A row of `commit_group`. */
export interface GroupRow {
  readonly first: number
  readonly last: number
  /** Bytes of sealed secrets at the end of `bytes`; 0: none. */
  readonly sealed: number
  readonly hash: Buffer
  readonly bytes: Buffer
}

/** Where an entry stands in its group's bytes, and its secret in the group's secrets in clear. */
export interface Place {
  readonly at: number
  readonly secretFrom: number
}

/** The first entry that cannot be right, and why. */
interface Wrong {
  readonly seq: number
  readonly why: string
}

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

/** The oldest exchange that was open when the group left the writer. */
export const floorOf = ({ bytes }: GroupRow): number => readU64(bytes, groupAt.floor)

/** Id of the key that sealed the group's secrets; empty when it has none. */
export const keyIdOf = ({ bytes, sealed }: GroupRow): string =>
  sealed === 0 ? "" : bytes.toString("hex", groupAt.keyId, groupAt.keyId + groupKeyIdLength)

/** Whether a row holds the kinds of values that were written: a changed byte of SQLite's own can turn one into another. */
const isRow = ({ first, last, sealed, hash, bytes }: { readonly [column in keyof GroupRow]: unknown }): boolean =>
  [first, last, sealed].every((value) => Number.isSafeInteger(value)) && Buffer.isBuffer(hash) && Buffer.isBuffer(bytes)

/** Where the entries of a group stand, in order, or what is wrong with it. It looks at lengths and numbers only. */
export const placesOf = ({ first, last, sealed, bytes }: GroupRow): ReadonlyArray<Place> | Wrong => {
  const end = bytes.length - sealed
  if (
    end < groupHeaderLength ||
    readU64(bytes, groupAt.first) !== first ||
    readU64(bytes, groupAt.last) !== last ||
    bytes.readUInt32BE(groupAt.sealedLength) !== sealed
  ) {
    return { seq: first, why: "a group is not the one that its row says" }
  }
  const places: Array<Place> = []
  let at = groupHeaderLength
  let secretFrom = 0
  for (let seq = first; seq <= last; seq++) {
    const length = at + entryHeaderLength > end ? end : entryLength(bytes, at)
    if (at + length > end || readU64(bytes, at + entryAt.seq) !== seq) return { seq, why: "an entry is missing" }
    places.push({ at, secretFrom })
    secretFrom += bytes.readUInt32BE(at + entryAt.secretLength)
    at += length
  }
  if (at !== end) return { seq: last, why: "a group holds more than its entries" }
  return sealed === (secretFrom === 0 ? 0 : secretFrom + groupTagLength)
    ? places
    : { seq: first, why: "the sealed data has another length than its entries say" }
}

/** Reads the groups of one database. */
export class GroupReader {
  readonly journalId: string
  readonly #keyring: Keyring
  readonly #from: Database.Statement
  readonly #upTo: Database.Statement
  readonly #mark: Database.Statement
  readonly #name: Database.Statement
  readonly #lastSealed: Database.Statement

  constructor(database: Database.Database, journalId: string, keyring: Keyring) {
    this.journalId = journalId
    this.#keyring = keyring
    this.#from = database.prepare("SELECT * FROM commit_group WHERE first >= ? ORDER BY first LIMIT 1")
    this.#upTo = database.prepare("SELECT * FROM commit_group WHERE first <= ? ORDER BY first DESC LIMIT 1")
    this.#mark = database.prepare("SELECT counts FROM mark WHERE seq = ?").pluck()
    this.#name = database
      .prepare(
        "SELECT name || char(10) || dialect FROM name WHERE id = ? AND typeof(name) = 'text' AND typeof(dialect) = 'text'"
      )
      .pluck()
    this.#lastSealed = database.prepare("SELECT * FROM commit_group WHERE sealed > 0 ORDER BY first DESC LIMIT 1")
  }

  /** The group that holds `seq`. */
  groupOf(seq: number): GroupRow | undefined {
    const group = this.#row(this.#upTo, seq)
    return group !== undefined && group.last >= seq ? group : undefined
  }

  /** The last group, or undefined in an empty journal. */
  lastGroup(): GroupRow | undefined {
    return this.#row(this.#upTo, Number.MAX_SAFE_INTEGER)
  }

  /** The last group with sealed data. */
  lastSealedGroup(): GroupRow | undefined {
    return this.#row(this.#lastSealed)
  }

  #row(statement: Database.Statement, ...values: ReadonlyArray<number>): GroupRow | undefined {
    const row = statement.get(...values) as GroupRow | undefined
    return row === undefined || isRow(row)
      ? row
      : stop("Corrupt", databaseFile, "A group's row holds other values than a journal's.")
  }

  /** Where the entries of a group stand. Stops with `Corrupt` when they do not stand where they have to. */
  places(group: GroupRow): ReadonlyArray<Place> {
    const places = placesOf(group)
    return "why" in places
      ? stop("Corrupt", databaseFile, `At entry ${places.seq}: ${places.why}.`, undefined, places.seq)
      : places
  }

  /**
   * The secrets of a group in clear, one after the other; undefined when there are none, or no key, or they do not
   * authenticate.
   */
  secrets(group: GroupRow): Buffer | undefined {
    const { first, last, bytes, sealed } = group
    const nonce = bytes.subarray(groupAt.nonce, groupAt.nonce + groupNonceLength)
    const additional = additionalOf(this.journalId, first, last)
    return this.#keyring.byId(keyIdOf(group))?.open(additional, nonce, bytes.subarray(bytes.length - sealed))
  }

  /** Whether the keyring has the key of this group, or the group needs none. */
  hasKey(group: GroupRow): boolean {
    return group.sealed === 0 || this.#keyring.byId(keyIdOf(group)) !== undefined
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
      const group = this.#from.get(cursor.next) as GroupRow | undefined
      if (group === undefined) return { cursor, done: true }
      const checked = isRow(group)
        ? this.#check(group, cursor)
        : { seq: cursor.next, why: "a group's row holds other values than a journal's" }
      if ("why" in checked) return { cursor, done: true, bad: { seq: checked.seq, why: checked.why } }
      bytes += group.bytes.length
      cursor = checked
    }
    return { cursor, done: false }
  }

  /** The cursor behind a group, or what is wrong with it. */
  #check(group: GroupRow, cursor: VerifyCursor): VerifyCursor | Wrong {
    const { first, last, bytes } = group
    if (first !== cursor.next) return { seq: cursor.next, why: "a group is missing" }
    const found = hash("sha256", bytes, "buffer")
    if (group.hash.length !== groupHashLength || !found.equals(group.hash)) {
      return { seq: first, why: `the hash of entries ${first} to ${last} is not the one written` }
    }
    const places = placesOf(group)
    if ("why" in places) return places
    if (bytes.toString("hex", groupAt.previous, groupAt.previous + groupHashLength) !== cursor.hash) {
      return { seq: first, why: "it is not chained to the entry before it" }
    }
    if (group.sealed > 0 && this.hasKey(group) && this.secrets(group) === undefined) {
      return { seq: first, why: `the sealed data of entries ${first} to ${last} does not authenticate` }
    }
    const counts = [...cursor.counts]
    const wrong = this.#count(group, places, counts)
    return wrong ?? { next: last + 1, hash: found.toString("hex"), groups: cursor.groups + 1, counts }
  }

  /**
   * Counts a verified group's kinds, and compares what is derived from them: names, and the mark if there is one.
   */
  #count({ first, last, bytes }: GroupRow, places: ReadonlyArray<Place>, counts: Array<number>): Wrong | undefined {
    for (let n = 0; n < places.length; n++) {
      const { at } = places[n]!
      const kind = bytes[at + entryAt.kind]!
      counts[kind] = (counts[kind] ?? 0) + 1
      if (kind !== EntryKind.named) continue
      if (this.#name.get(bytes.readUInt32BE(at + entryAt.link)) !== nameAt(bytes, at)) {
        return { seq: first + n, why: "its name was changed" }
      }
    }
    const mark = this.#mark.get(last) as string | undefined
    return mark === undefined || mark === JSON.stringify(counts)
      ? undefined
      : { seq: last, why: "the counts of a mark are wrong" }
  }
}

/** What a `named` entry says: a link's name, a line feed, its dialect. */
export const nameAt = (bytes: Buffer, at: number): string => {
  const end = at + entryLength(bytes, at)
  return bytes.toString("utf8", end - bytes.readUInt32BE(at + entryAt.messageLength), end)
}
