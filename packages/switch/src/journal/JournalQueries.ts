/**
 * Questions to an open journal: search, the entries of one exchange, scans, verification. Runs in the journal's
 * thread between commits; each answer is bounded, so that a commit never waits long. Answers are bytes that cross
 * threads without a copy.
 */
import type { CommitGroupReader, Place } from "./CommitGroupReader.ts"
import { type Entry, entryAt, entryLength, readEntry, readU64 } from "./Entry.ts"
import { extentOf, type Room } from "./Extent.ts"
import type { GroupRow } from "./GroupRows.ts"
import type { JournalFile } from "./JournalFile.ts"
import type {
  Extent,
  NameRecord,
  NewestAsked,
  Recalled,
  RecallKey,
  SearchKey,
  VerifyCursor,
  VerifyStep
} from "./JournalStore.ts"
import type { Keyring } from "./Seal.ts"
import type { Names, SearchIndex } from "./SearchIndex.ts"

/** A question that the groups answer. */
export type Question =
  | { readonly what: "find"; readonly key: SearchKey }
  | { readonly what: "read"; readonly exchange: number; readonly secrets: boolean }
  | { readonly what: "recall"; readonly keys: ReadonlyArray<RecallKey>; readonly upTo: number }
  | { readonly what: "newest"; readonly upTo: number; readonly since: number }
  | { readonly what: "seqs"; readonly seqs: ReadonlyArray<number>; readonly secrets: boolean }
  /** `kinds`: a bit for each kind of which entries are wanted; 0: all. */
  | { readonly what: "scan"; readonly from: number; readonly secrets: boolean; readonly kinds: number }
  | { readonly what: "verify"; readonly cursor: VerifyCursor | null }
  | { readonly what: "extent"; readonly before: number; readonly needed: number }

/** Asks the journal's thread how far the journal is. */
export interface HeadQuestion {
  readonly what: "head"
}

/** Asks the journal's thread for one step of a backup into this directory (`Backup.ts`). */
export interface BackupQuestion {
  readonly what: "backup"
  readonly directory: string
  /** Where a part for the archive ends; left out: a whole backup. */
  readonly upTo?: number | undefined
}

/** Asks the journal's thread for one step of dropping (`Dropping.ts`). */
export interface DropQuestion {
  readonly what: "drop"
  readonly upTo: number
}

/** All that the journal's thread is asked. */
export type ThreadQuestion = Question | HeadQuestion | BackupQuestion | DropQuestion

/** Its answer. `later`: the index has to catch up first; ask again. */
export type Answer =
  | { readonly what: "found"; readonly exchanges: ReadonlyArray<number> }
  /** `next`: the entry that a scan goes on with, or how many of the asked numbers were looked at; 0: that was all. */
  | { readonly what: "entries"; readonly bytes: ArrayBuffer; readonly next: number }
  /** The exchanges of each key, and the entries of all of them. */
  | {
      readonly what: "recalled"
      readonly exchanges: ReadonlyArray<ReadonlyArray<number>>
      readonly bytes: ArrayBuffer
    }
  | { readonly what: "newest"; readonly links: ReadonlyArray<NewestAsked> }
  | { readonly what: "verified"; readonly step: VerifyStep }
  /** How far the journal is on disk (`Head.ts`). */
  | { readonly what: "head"; readonly word: string }
  /** Entries that the backup holds; `isDone`: it is whole, and on disk. */
  | { readonly what: "backup"; readonly seq: number; readonly isDone: boolean }
  /** The last entry that is dropped now; `isDone`: all of it is. */
  | { readonly what: "dropped"; readonly seq: number; readonly isDone: boolean }
  | { readonly what: "extent"; readonly extent: Extent }
  | { readonly what: "later" }

/** Bytes of groups after which a scan step ends; it always takes a whole group. */
const SCAN_BYTES_MAX = 256 * 1024
/** Most entries of one exchange that `read` gives. */
const READ_MAX = 1000

/** Steps of the index that one question takes before it says `later`: some milliseconds. */
const CATCH_UP_STEPS = 8

/** Whether the index has everything up to `last`, after a bounded effort. */
const catchUp = (index: SearchIndex, last: number): boolean => {
  for (let step = 0; step < CATCH_UP_STEPS; step++) if (index.step(last)) return true
  return false
}

/** A journal that is open, wherever it is. */
interface Questioned {
  readonly groups: CommitGroupReader
  readonly room: () => Room
}

/** Answers questions about one journal. */
export class JournalQueries {
  private readonly file: Questioned
  private readonly keyring: Keyring
  private readonly index: () => SearchIndex

  /** `index` opens the search index when it is not open. */
  constructor(file: Questioned, keyring: Keyring, index: () => SearchIndex) {
    this.file = file
    this.keyring = keyring
    this.index = index
  }

  /** Answers about all entries up to `last`. Throws what SQLite throws. */
  answer(question: Question, last: number): Answer {
    switch (question.what) {
      case "verify":
        return { what: "verified", step: this.file.groups.verify(question.cursor) }
      case "extent":
        return {
          what: "extent",
          extent: extentOf(this.file.groups, this.file.room(), question.before, question.needed)
        }
      case "scan":
        return this.scan(question.from, question.secrets, question.kinds)
      case "find": {
        const index = this.index()
        if (!catchUp(index, last)) return { what: "later" }
        const panKeys = this.keyring.all.map((seal) => (isPan(question.key.pan) ? seal.panKey(question.key.pan) : 0))
        return { what: "found", exchanges: index.find(question.key, panKeys) }
      }
      case "recall": {
        const index = this.index()
        if (!catchUp(index, Math.min(question.upTo, last))) return { what: "later" }
        return this.recall(index, question.keys)
      }
      case "newest": {
        const index = this.index()
        // Nobody is in a hurry for it: the index goes on by itself.
        if (index.upto < Math.min(question.upTo, last)) return { what: "later" }
        return { what: "newest", links: index.newest(question.upTo, question.since) }
      }
      case "seqs":
        return this.entries(question.seqs, last, question.secrets)
      case "read": {
        const index = this.index()
        if (!catchUp(index, last)) return { what: "later" }
        return this.read(index.members(question.exchange).slice(0, READ_MAX), question.exchange, question.secrets)
      }
    }
  }

  private recall(index: SearchIndex, keys: ReadonlyArray<RecallKey>): Answer {
    const out = new EntryBytes()
    const exchanges = keys.map((key) =>
      index.recalled(key).filter((exchange) => {
        const group = this.file.groups.groupOf(exchange)
        const place = group === undefined ? undefined : this.file.groups.places(group)[exchange - group.first]!
        if (group === undefined || place === undefined) return false
        if (readU64(group.bytes, place.at + entryAt.time) < key.since) return false
        const plain = this.file.groups.secrets(group)
        out.add(group.bytes, place, plain)
        plain?.fill(0)
        for (const seq of index.ends(exchange)) {
          const of = this.file.groups.groupOf(seq)
          if (of !== undefined) out.add(of.bytes, this.file.groups.places(of)[seq - of.first]!, undefined)
        }
        return true
      })
    )
    return { what: "recalled", exchanges, bytes: out.bytes() }
  }

  /** Entries at `seqs`, as far as `last`: some of them where their groups are many, so that a commit never waits long. */
  private entries(seqs: ReadonlyArray<number>, last: number, secrets: boolean): Answer {
    const out = new EntryBytes()
    const groups = new OpenedGroups(this.file.groups, secrets)
    let looked = 0
    while (looked < seqs.length && groups.read < SCAN_BYTES_MAX) {
      const seq = seqs[looked++]!
      const at = seq <= last ? groups.of(seq) : undefined
      if (at !== undefined) out.add(at.group.bytes, at.places[seq - at.group.first]!, at.plain)
    }
    groups.close()
    return { what: "entries", bytes: out.bytes(), next: looked < seqs.length ? looked : 0 }
  }

  /** The entries at `seqs` that are of `exchange` or about it: the journal decides, not the index. */
  private read(seqs: ReadonlyArray<number>, exchange: number, secrets: boolean): Answer {
    const out = new EntryBytes()
    const groups = new OpenedGroups(this.file.groups, secrets)
    for (const seq of seqs) {
      const at = groups.of(seq)
      if (at === undefined) continue
      const { bytes, first } = at.group
      const place = at.places[seq - first]!
      const isOf =
        seq === exchange ||
        readU64(bytes, place.at + entryAt.exchange) === exchange ||
        readU64(bytes, place.at + entryAt.about) === exchange
      if (isOf) out.add(bytes, place, at.plain)
    }
    groups.close()
    return { what: "entries", bytes: out.bytes(), next: 0 }
  }

  private scan(from: number, secrets: boolean, kinds: number): Answer {
    const out = new EntryBytes()
    const { groups } = this.file
    let next = Math.max(1, from)
    let read = 0
    let isEnd = true
    for (const group of groups.from(groups.groupOf(next)?.first ?? next)) {
      isEnd = false
      const plain = secrets ? groups.secrets(group) : undefined
      const places = groups.places(group)
      for (let n = Math.max(0, next - group.first); n < places.length; n++) {
        if (kinds === 0 || (kinds & (1 << group.bytes[places[n]!.at + entryAt.kind]!)) !== 0)
          out.add(group.bytes, places[n]!, plain)
      }
      plain?.fill(0)
      next = group.last + 1
      read += group.bytes.length
      if (read >= SCAN_BYTES_MAX) break
    }
    return { what: "entries", bytes: out.bytes(), next: isEnd ? 0 : next }
  }
}

/** Groups one after the other, each opened once for all of its entries that are wanted in a row. */
class OpenedGroups {
  /** Bytes of the groups that were opened. */
  read = 0
  private readonly groups: CommitGroupReader
  private readonly secrets: boolean
  private open: { group: GroupRow; places: ReadonlyArray<Place>; plain: Buffer | undefined } | undefined

  constructor(groups: CommitGroupReader, secrets: boolean) {
    this.groups = groups
    this.secrets = secrets
  }

  /** The group that holds `seq`, with its secrets in clear where they are wanted. */
  of(seq: number): typeof this.open {
    if (this.open !== undefined && seq >= this.open.group.first && seq <= this.open.group.last) return this.open
    this.close()
    const group = this.groups.groupOf(seq)
    if (group === undefined) return undefined
    this.read += group.bytes.length
    const places = this.groups.places(group)
    this.open = { group, places, plain: this.secrets ? this.groups.secrets(group) : undefined }
    return this.open
  }

  /** Wipes what is in clear. */
  close(): void {
    this.open?.plain?.fill(0)
    this.open = undefined
  }
}

const isPan = (pan: string | undefined): pan is string => pan !== undefined && /^\d{1,19}$/.test(pan)

/** The names of a journal, from its table; new ones are looked up as they come. */
export const namesOf = (file: JournalFile): Names => {
  const names = new Map(file.opened.names.map((record) => [record.id, record]))
  const byId = file.database.prepare("SELECT id, name, dialect FROM name WHERE id = ?")
  const byName = file.database.prepare("SELECT dialect FROM name WHERE name = ? ORDER BY id DESC LIMIT 1").pluck()
  return {
    of: (link) => {
      const known = names.get(link)
      if (known !== undefined || link === 0) return known
      const record = byId.get(link) as NameRecord | undefined
      if (record !== undefined) names.set(link, record)
      return record
    },
    dialectOf: (name) => (byName.get(name) as string | undefined) ?? ""
  }
}

/** Collects entries as canonical bytes, each followed by its secret where that was given. */
class EntryBytes {
  private out = Buffer.from(new ArrayBuffer(4096))
  length = 0

  /**
   * Adds the entry at `place` of a group, with its secret out of `plain`, the group's secrets in clear, where these are
   * given: then the flag byte of the entry is set.
   */
  add(bytes: Buffer, { at, secretFrom }: Place, plain: Buffer | undefined): void {
    const length = entryLength(bytes, at)
    const secretLength = plain === undefined ? 0 : bytes.readUInt32BE(at + entryAt.secretLength)
    const need = this.length + length + secretLength
    if (need > this.out.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(need, 2 * this.out.length)))
      this.out.copy(larger, 0, 0, this.length)
      this.out.fill(0)
      this.out = larger
    }
    const to = this.length
    bytes.copy(this.out, to, at, at + length)
    this.length += length
    if (plain === undefined || secretLength === 0) return
    this.out[to + secretGivenAt] = 1
    this.length += plain.copy(this.out, this.length, secretFrom, secretFrom + secretLength)
  }

  bytes(): ArrayBuffer {
    return (this.out.buffer as ArrayBuffer).slice(0, this.length)
  }
}

/** The zero byte of an entry's header says, in answers only, that the secret follows. */
const secretGivenAt = entryAt.kind + 1

/** What an answer recalled, for each key. */
export const recalledOf = (
  exchanges: ReadonlyArray<ReadonlyArray<number>>,
  bytes: ArrayBuffer
): ReadonlyArray<ReadonlyArray<Recalled>> => {
  const all = entriesOf(bytes)
  const of = (exchange: number) => all.filter((entry) => entry.exchange === exchange || entry.seq === exchange)
  return exchanges.map((found) => found.map((exchange) => ({ exchange, entries: of(exchange) })))
}

/** Reads the entries of an answer. */
export const entriesOf = (bytes: ArrayBuffer): ReadonlyArray<Entry> => {
  const buffer = Buffer.from(bytes)
  const entries: Array<Entry> = []
  for (let at = 0; at < buffer.length; ) {
    const isSecretGiven = buffer[at + secretGivenAt] === 1
    entries.push(readEntry(buffer, at, isSecretGiven))
    at += entryLength(buffer, at) + (isSecretGiven ? buffer.readUInt32BE(at + entryAt.secretLength) : 0)
  }
  return entries
}
