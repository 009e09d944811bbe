/**
 * Reads committed groups back: finds them, finds the entries in them, opens their seals, and verifies the chain step by
 * step. Synchronous; every call is bounded. Where the rows are, `GroupRows` knows.
 *
 * A row of `commit_group` holds the very bytes that the chain hashed (`CommitGroup.ts`): nothing is rebuilt to verify it.
 * What is tagged with a key that was not given cannot be proved genuine: that is counted and told, never taken for good.
 */
import { type BeginningRow, beginningTextOf, isBeginning } from "./Beginning.ts"
import {
  chainHash,
  digestOf,
  GROUP_HEADER_LENGTH,
  GROUP_KEY_ID_LENGTH,
  GROUP_NONCE_LENGTH,
  GROUP_TAG_LENGTH,
  genesisHash,
  groupAt,
  groupHashLength
} from "./CommitGroup.ts"
import { ENTRY_HEADER_LENGTH, entryAt, entryLength, readU64 } from "./Entry.ts"
import { EntryKind, noCounts } from "./EntryKind.ts"
import type { GroupRow, GroupRows, MarkRow } from "./GroupRows.ts"
import type { Head } from "./Head.ts"
import { stop } from "./JournalReason.ts"
import type { Unopened, VerifyCursor, VerifyStep } from "./JournalStore.ts"
import { isKeyRow, isRowOf, readKeyEntry, rowText, type StoredKeyRow } from "./KeySlots.ts"
import type { Keyring, Verdict } from "./Seal.ts"
import { headText, keyIdOfTag, markText, nameText } from "./Tag.ts"

/** Where an entry is in its group's bytes, and its secret in the group's secrets in clear. */
export interface Place {
  readonly at: number
  readonly secretFrom: number
}

/** The first entry that cannot be right, and why. */
interface Wrong {
  readonly seq: number
  readonly why: string
}

/** Bytes after which one step of a verification ends. */
const STEP_BYTES_MAX = 1024 * 1024

const notRow = "A group's row holds other values than a journal's."

/** What the seal of a group also authenticates: the journal, the group before, and its own header and entries. */
export const additionalOf = (journalId: string, previous: Buffer, digest: Buffer): Buffer =>
  Buffer.concat([Buffer.from(journalId, "hex"), previous, digest])

/** The oldest exchange that was open when the group left the writer. */
export const floorOf = ({ bytes }: GroupRow): number => readU64(bytes, groupAt.floor)

/** Id of the key that sealed the group's secrets; empty when it has none. */
export const keyIdOf = ({ bytes, sealed }: GroupRow): string =>
  sealed === 0 ? "" : bytes.toString("hex", groupAt.keyId, groupAt.keyId + GROUP_KEY_ID_LENGTH)

/** Whether a row holds the kinds of values that were written: a changed byte of SQLite's own can turn one into another. */
const isRow = ({ first, last, sealed, ...blobs }: { readonly [column in keyof GroupRow]: unknown }): boolean =>
  [first, last, sealed].every((value) => Number.isSafeInteger(value)) &&
  [blobs.hash, blobs.tag, blobs.bytes].every((value) => Buffer.isBuffer(value))

/** Where the entries of a group are, in order, or what is wrong with it. It looks at lengths and numbers only. */
export const placesOf = ({ first, last, sealed, bytes }: GroupRow): ReadonlyArray<Place> | Wrong => {
  const end = bytes.length - sealed
  if (
    end < GROUP_HEADER_LENGTH ||
    readU64(bytes, groupAt.first) !== first ||
    readU64(bytes, groupAt.last) !== last ||
    bytes.readUInt32BE(groupAt.sealedLength) !== sealed
  ) {
    return { seq: first, why: "a group is not the one that its row says" }
  }
  const places: Array<Place> = []
  let at = GROUP_HEADER_LENGTH
  let secretFrom = 0
  for (let seq = first; seq <= last; seq++) {
    const length = at + ENTRY_HEADER_LENGTH > end ? end : entryLength(bytes, at)
    if (at + length > end || readU64(bytes, at + entryAt.seq) !== seq) return { seq, why: "an entry is missing" }
    places.push({ at, secretFrom })
    secretFrom += bytes.readUInt32BE(at + entryAt.secretLength)
    at += length
  }
  if (at !== end) return { seq: last, why: "a group holds more than its entries" }
  return sealed === (secretFrom === 0 ? 0 : secretFrom + GROUP_TAG_LENGTH)
    ? places
    : { seq: first, why: "the sealed data has another length than its entries say" }
}

/** Reads the groups of one journal. */
export class CommitGroupReader {
  readonly journalId: string
  private readonly keyring: Keyring
  private readonly rows: GroupRows

  constructor(rows: GroupRows, journalId: string, keyring: Keyring) {
    this.journalId = journalId
    this.keyring = keyring
    this.rows = rows
  }

  /** The group that holds `seq`. */
  groupOf(seq: number): GroupRow | undefined {
    const group = this.sound(this.rows.upTo(seq))
    return group !== undefined && group.last >= seq ? group : undefined
  }

  /** The first group that is there, or undefined in an empty journal. */
  firstGroup(): GroupRow | undefined {
    for (const row of this.from(0)) return row
    return undefined
  }

  /** The last group, or undefined in an empty journal. */
  lastGroup(): GroupRow | undefined {
    return this.sound(this.rows.upTo(Number.MAX_SAFE_INTEGER))
  }

  /** Groups from the one that begins at `first` on, some at a time; the caller stops when it has enough. */
  *from(first: number): IterableIterator<GroupRow> {
    for (const row of this.rows.from(first)) {
      yield isRow(row) ? row : stop("Corrupt", this.rows.place, notRow)
    }
  }

  private sound(row: GroupRow | undefined): GroupRow | undefined {
    return row === undefined || isRow(row) ? row : stop("Corrupt", this.rows.place, notRow)
  }

  /** Where the entries of a group are. Stops with `Corrupt` when they are not where they have to. */
  places(group: GroupRow): ReadonlyArray<Place> {
    const places = placesOf(group)
    return "why" in places
      ? stop("Corrupt", this.rows.place, `At entry ${places.seq}: ${places.why}.`, undefined, places.seq)
      : places
  }

  /**
   * The secrets of a group in clear, one after the other; undefined when there are none, or no key, or they do not
   * authenticate.
   */
  secrets(group: GroupRow): Buffer | undefined {
    const seal = this.keyring.byId(keyIdOf(group))
    return seal?.open(...this.sealedOf(group, digestOf(group.bytes, group.bytes.length - group.sealed)))
  }

  private sealedOf({ bytes, sealed }: GroupRow, digest: Buffer): [additional: Buffer, nonce: Buffer, sealed: Buffer] {
    const previous = bytes.subarray(groupAt.previous, groupAt.previous + groupHashLength)
    const nonce = bytes.subarray(groupAt.nonce, groupAt.nonce + GROUP_NONCE_LENGTH)
    return [additionalOf(this.journalId, previous, digest), nonce, bytes.subarray(bytes.length - sealed)]
  }

  /**
   * Whether a head of this journal, a group's or an anchor's, is genuine: `unknown` when the key of its tag is not here.
   */
  checkHead(seq: number, hash: Buffer, tag: Buffer): Verdict {
    return this.keyring.check(headText(this.journalId, seq, hash), tag)
  }

  /** What of a head kept elsewhere is not so in this journal, which ends at `lastSeq`; undefined: all of it is. */
  faultOf({ journalId, seq, hash, tag }: Head, lastSeq: number): string | undefined {
    if (journalId !== this.journalId) return "it is of another journal"
    if (this.checkHead(seq, hash, tag) === "forged") return "it was not made with this journal's key"
    if (seq > lastSeq)
      return `it says entry ${seq}, and the journal ends at ${lastSeq}: an older copy, or its end is cut off`
    const { from, hash: before } = this.start()
    // What was dropped shows nothing any more, but for the last hash of it. `JournalReader.begins` says how far that is.
    if (seq < from - 1 || seq === 0) return undefined
    if (seq === from - 1) return hash.toString("hex") === before ? undefined : rewritten(seq)
    const group = this.groupOf(seq)
    return group?.last === seq && group.hash.equals(hash) ? undefined : rewritten(seq)
  }

  /** Whether a mark's counts are those that were written. */
  checkMark({ seq, counts, tag }: MarkRow): Verdict {
    return this.keyring.check(markText(this.journalId, seq, counts), tag)
  }

  /** Whether a link's name is the one that was written. */
  checkName(id: number, name: string, dialect: string, tag: Buffer): Verdict {
    return this.keyring.check(nameText(this.journalId, id, name, dialect), tag)
  }

  /** Whether a row of the table of keys is the one that was written. */
  checkSlot(row: StoredKeyRow): Verdict {
    return this.keyring.check(rowText(this.journalId, row), row.tag)
  }

  /** The first mark at `seq` or behind it. */
  markFrom(seq: number): MarkRow | undefined {
    const mark = this.rows.mark(seq)
    const isMark =
      mark === undefined ||
      (Number.isSafeInteger(mark.seq) && typeof mark.counts === "string" && Buffer.isBuffer(mark.tag))
    return isMark ? mark : stop("Corrupt", this.rows.place, "A mark's row holds other values than a journal's.")
  }

  /** What was dropped from the front, as its row says; `undefined`: nothing. Stops with `Corrupt` when nobody wrote that row. */
  get beginning(): BeginningRow | undefined {
    const row = this.rows.beginning()
    if (row === undefined) return undefined
    const isKept = isBeginning(row) && countsOf(row.counts) !== undefined && this.checkBeginning(row) !== "forged"
    return isKept
      ? row
      : stop("Corrupt", this.rows.place, "The row that says where the journal begins is not the one written.")
  }

  private checkBeginning(row: BeginningRow): Verdict {
    return this.keyring.check(beginningTextOf(this.journalId, row), row.tag)
  }

  /** Whether this is an archived part of a journal: it has no table of keys, and names of links that came later. */
  get isPart(): boolean {
    return this.beginning?.part === 1
  }

  /** Where a verification of everything starts: behind what was dropped. */
  start(): VerifyCursor {
    const row = this.beginning
    if (row === undefined) {
      const hash = genesisHash(this.journalId).toString("hex")
      return { from: 1, next: 1, hash, groups: 0, counts: noCounts(), unopened: [] }
    }
    const { seq, hash, counts, tag } = row
    const isUnknown = this.checkBeginning(row) === "unknown"
    const unopened = isUnknown ? [{ keyId: keyIdOfTag(tag), groups: 0, from: 1, to: seq }] : []
    return { from: seq + 1, next: seq + 1, hash: hash.toString("hex"), groups: 0, counts: countsOf(counts)!, unopened }
  }

  /** One bounded step of a verification: as far as entry `upTo`, and no further than some `bytesMax`. */
  verify(from: VerifyCursor | null, upTo = Number.MAX_SAFE_INTEGER, bytesMax = STEP_BYTES_MAX): VerifyStep {
    const walk = new Walk(from ?? this.start())
    let bytes = 0
    let isEnd = true
    let mark = this.markFrom(walk.next)
    for (const group of this.rows.from(walk.next)) {
      if (group.last > upTo) break
      isEnd = false
      const wrong = isRow(group)
        ? this.check(group, walk)
        : { seq: walk.next, why: "a group's row holds other values than a journal's" }
      if (wrong !== undefined) return { cursor: walk.cursor(), done: true, bad: { seq: wrong.seq, why: wrong.why } }
      while (mark !== undefined && mark.seq < group.last) mark = this.markFrom(mark.seq + 1)
      if (mark?.seq === group.last && !this.isMark(mark, walk.counts)) {
        return { cursor: walk.cursor(), done: true, bad: { seq: group.last, why: "the counts of a mark are wrong" } }
      }
      bytes += group.bytes.length
      if (bytes >= bytesMax) break
    }
    return { cursor: walk.cursor(), done: isEnd }
  }

  /** Whether a group is what was written, as far as it says so itself: its hash, and its tag. */
  checkGroup({ bytes, sealed, last, hash, tag }: GroupRow): Verdict {
    const end = Math.max(0, bytes.length - sealed)
    const isWhole = chainHash(digestOf(bytes, end), bytes.subarray(end)).equals(hash)
    return isWhole ? this.checkHead(last, hash, tag) : "forged"
  }

  /** Takes the walk behind a group, or says what is wrong with it. */
  private check(group: GroupRow, walk: Walk): Wrong | undefined {
    const { first, last, bytes, sealed } = group
    if (first !== walk.next) return { seq: walk.next, why: "a group is missing" }
    const end = Math.max(0, bytes.length - sealed)
    const digest = digestOf(bytes, end)
    if (!chainHash(digest, bytes.subarray(end)).equals(group.hash)) {
      return { seq: first, why: `the hash of entries ${first} to ${last} is not the one written` }
    }
    const places = placesOf(group)
    if ("why" in places) return places
    if (!walk.hash.equals(bytes.subarray(groupAt.previous, groupAt.previous + groupHashLength))) {
      return { seq: first, why: "it is not chained to the entry before it" }
    }
    const wrong = this.checkKeys(group, digest, walk)
    return wrong ?? this.count(group, places, walk)
  }

  /** What only the key can show: that the tag is genuine, and that the seal opens. */
  private checkKeys(group: GroupRow, digest: Buffer, walk: Walk): Wrong | undefined {
    const { first, last, sealed, tag } = group
    const keyId = keyIdOfTag(tag)
    switch (this.checkHead(last, group.hash, tag)) {
      case "forged":
        return { seq: first, why: `the tag of entries ${first} to ${last} was not made with the journal's key` }
      case "unknown":
        walk.unopened(keyId, first, last)
        return undefined
      default:
        if (sealed === 0) return undefined
        return this.keyring.byId(keyIdOf(group))?.open(...this.sealedOf(group, digest)) === undefined
          ? { seq: first, why: `the sealed data of entries ${first} to ${last} does not authenticate` }
          : undefined
    }
  }

  /** Counts a verified group's kinds, and compares the names and keys that are derived from it. */
  private count({ first, last, hash, bytes }: GroupRow, places: ReadonlyArray<Place>, walk: Walk): Wrong | undefined {
    for (let n = 0; n < places.length; n++) {
      const { at } = places[n]!
      const kind = bytes[at + entryAt.kind]!
      walk.counts[kind] = (walk.counts[kind] ?? 0) + 1
      if (kind === EntryKind.named && !this.isName(bytes.readUInt32BE(at + entryAt.link), messageAt(bytes, at))) {
        return { seq: first + n, why: "its name was changed" }
      }
      if (kind === EntryKind.key && !this.isKeyEntry(messageAt(bytes, at), first + n)) {
        return { seq: first + n, why: "the keys that it wrote were changed" }
      }
    }
    walk.next = last + 1
    walk.hash = hash
    walk.groups++
    return undefined
  }

  private isMark(mark: MarkRow, counts: ReadonlyArray<number>): boolean {
    return isSameCounts(mark.counts, counts) && this.checkMark(mark) !== "forged"
  }

  private isKeyEntry(message: string, seq: number): boolean {
    if (this.isPart) return true
    const entry = readKeyEntry(message)
    const row = this.rows.slot(entry.link, entry.slot)
    if (row === undefined || !isKeyRow(row)) return false
    return isRowOf(row, entry, seq) && this.checkSlot(row) !== "forged"
  }

  private isName(id: number, written: string): boolean {
    const row: { readonly name: unknown; readonly dialect: unknown; readonly tag: unknown } | undefined =
      this.rows.name(id)
    if (row === undefined || !Buffer.isBuffer(row.tag)) return false
    const { name, dialect, tag } = row
    return `${name}\n${dialect}` === written && this.checkName(id, `${name}`, `${dialect}`, tag) !== "forged"
  }
}

const rewritten = (seq: number): string =>
  `entry ${seq}, or something before it, is another one now: it was rewritten, or lost and begun again`

/** A verification on its way. */
class Walk {
  private readonly from: number
  next: number
  hash: Buffer
  groups: number
  readonly counts: Array<number>
  private readonly unopenedByKey: Map<string, Unopened>

  constructor({ from, next, hash, groups, counts, unopened }: VerifyCursor) {
    this.from = from
    this.next = next
    this.hash = Buffer.from(hash, "hex")
    this.groups = groups
    this.counts = [...counts]
    this.unopenedByKey = new Map(unopened.map((one) => [one.keyId, one]))
  }

  /** A group could not be proved genuine for want of its key. */
  unopened(keyId: string, first: number, last: number): void {
    const { groups = 0, from = first } = this.unopenedByKey.get(keyId) ?? {}
    this.unopenedByKey.set(keyId, { keyId, groups: groups + 1, from, to: last })
  }

  cursor(): VerifyCursor {
    const { from, next, hash, groups, counts } = this
    return { from, next, hash: hash.toString("hex"), groups, counts, unopened: [...this.unopenedByKey.values()] }
  }
}

/** Counts as a mark holds them; `undefined` when it holds something else. Kinds that came later than the mark count 0. */
export const countsOf = (text: unknown): ReadonlyArray<number> | undefined => {
  if (typeof text !== "string" || !/^\[\d+(,\d+)*\]$/.test(text)) return undefined
  const counts = JSON.parse(text) as ReadonlyArray<number>
  const all = noCounts()
  return counts.length > all.length ? undefined : all.map((none, kind) => counts[kind] ?? none)
}

const isSameCounts = (text: string, counts: ReadonlyArray<number>): boolean =>
  countsOf(text)?.every((count, kind) => count === counts[kind]) === true

/** The message of the entry at `at` as text: of a `named` entry a link's name, a line feed, its dialect. */
export const messageAt = (bytes: Buffer, at: number): string => {
  const end = at + entryLength(bytes, at)
  return bytes.toString("utf8", end - bytes.readUInt32BE(at + entryAt.messageLength), end)
}
