/**
 * What a journal in memory holds: its durable groups, and what a disk's journal would say of them. It keeps them, looks things up
 * and drops the oldest; when a group becomes durable is `MemoryStore`'s.
 */
import type { Dialect } from "@jinka/codec"
import type { AskedAt } from "./Asked.ts"
import { type CommitGroup, GROUP_HEADER_LENGTH, groupAt, groupHashLength } from "./CommitGroup.ts"
import { type Entry, entryAt, entryLength, readEntry, readU64, secretPan } from "./Entry.ts"
import { EntryKind, noCounts } from "./EntryKind.ts"
import { headWord } from "./Head.ts"
import { FIND_MAX, noSearchKeys, RECALL_MAX } from "./IndexedKeys.ts"
import type {
  Asked,
  Extent,
  KeysOf,
  NameRecord,
  NewestAsked,
  Opened,
  Recalled,
  RecallKey,
  SearchKey,
  VerifyStep
} from "./JournalStore.ts"
import { type KeyRow, readKeyEntry } from "./KeySlots.ts"
import { readingsOf } from "./SearchKeys.ts"
import { tagLength } from "./Tag.ts"

/** Kinds of entries that say how an exchange ended, for its origin. */
const endKinds = new Set<number>([EntryKind.answered, EntryKind.timedOut, EntryKind.notSent, EntryKind.undelivered])

/** What is looked up; grows with the groups. */
interface Index {
  groups: number
  readonly names: Array<NameRecord>
  readonly entries: Map<number, Entry>
  readonly ends: Map<number, Array<Entry>>
  readonly asked: Map<string, Array<{ readonly entry: Entry; readonly asked: AskedAt }>>
}

const noIndex = (names: ReadonlyArray<NameRecord> = []): Index => ({
  groups: 0,
  names: [...names],
  entries: new Map(),
  ends: new Map(),
  asked: new Map()
})

const askedText = ({ link, kind, key }: Asked): string => `${link}\n${kind}\n${key}`

const put = <K, A>(map: Map<K, Array<A>>, key: K, one: A): void => {
  const all = map.get(key)
  if (all === undefined) map.set(key, [one])
  else all.push(one)
}

const withoutSecret = (entry: Entry): Entry => ({ ...entry, secret: entry.secret.subarray(0, 0) })

const noKeys: KeysOf = () => noSearchKeys
const DAY_MS = 86_400_000

/** One group: its entries' bytes, secrets in place. */
export interface Kept {
  readonly bytes: Buffer
  readonly first: number
  readonly last: number
  readonly floor: number
  /** When it was written, milliseconds since the epoch. */
  readonly at: number
  readonly entries: ReadonlyArray<Entry>
}

/** What was dropped: of it only the names of links and what slots of keys hold are known. */
interface Dropped {
  readonly seq: number
  /** Entries by kind, without those that last. */
  readonly counts: ReadonlyArray<number>
  readonly lasting: ReadonlyArray<Entry>
}

const noneDropped: Dropped = { seq: 0, counts: noCounts(), lasting: [] }

const isLasting = (kind: number): boolean => kind === EntryKind.named || kind === EntryKind.key

/** Copies a group out of the writer's memory and reads its entries. */
export const keep = (group: CommitGroup): Kept => {
  const bytes = Buffer.alloc(GROUP_HEADER_LENGTH + group.length)
  group.buffer.copy(bytes, 0, 0, bytes.length)
  const entries: Array<Entry> = []
  for (let at = GROUP_HEADER_LENGTH; at < bytes.length; ) {
    entries.push(readEntry(bytes, at, true))
    at += entryLength(bytes, at) + bytes.readUInt32BE(at + entryAt.secretLength)
  }
  return {
    bytes,
    first: group.first,
    last: group.last,
    floor: readU64(bytes, groupAt.floor),
    at: readU64(bytes, groupAt.time),
    entries
  }
}

/** See above. */
export class MemoryGroups {
  private readonly keysOf: KeysOf
  private readonly kept: Array<Kept>
  private dropped: Dropped
  private dialects: Readonly<Record<string, Dialect>> = {}
  private readings = readingsOf({})
  private index = noIndex()
  /** Entries of the first `listed` groups. */
  private readonly list: Array<Entry> = []
  private listed = 0

  /** `keysOf`: STAN and RRN of a message, for `find`; left out: messages have none. */
  constructor(keysOf: KeysOf = noKeys, kept: ReadonlyArray<Kept> = [], dropped: Dropped = noneDropped) {
    this.keysOf = keysOf
    this.kept = [...kept]
    this.dropped = dropped
  }

  /** A group is durable from now on. */
  add(kept: Kept): void {
    this.kept.push(kept)
  }

  /** A copy, with these groups behind the others. */
  with(more: ReadonlyArray<Kept>): MemoryGroups {
    return new MemoryGroups(this.keysOf, [...this.kept, ...more], this.dropped)
  }

  /** Dialects that messages are read by from now on. */
  learn(dialects: Readonly<Record<string, Dialect>>): void {
    this.dialects = { ...this.dialects, ...dialects }
    this.readings = readingsOf(this.dialects)
    this.index = noIndex()
  }

  /** All entries, in order. */
  get entries(): ReadonlyArray<Entry> {
    for (; this.listed < this.kept.length; this.listed++) this.list.push(...this.kept[this.listed]!.entries)
    return this.list
  }

  /** What an opening finds. */
  opened(): Opened {
    const counts = [...this.dropped.counts]
    const names: Array<NameRecord> = []
    const keys = new Map<string, KeyRow>()
    for (const { kind, link, message, secret } of [...this.dropped.lasting, ...this.entries]) {
      counts[kind] = (counts[kind] ?? 0) + 1
      const [name = "", dialect = ""] = message.toString().split("\n")
      if (kind === EntryKind.named) names.push({ id: link, name, dialect })
      if (kind !== EntryKind.key) continue
      const row = readKeyEntry(message.toString())
      keys.set(`${row.link}\n${row.slot}`, { link: row.link, slot: row.slot, keys: secret.toString() })
    }
    const last = this.kept.at(-1)
    return {
      journalId: "0".repeat(32),
      firstSeq: this.dropped.seq + 1,
      lastAt: this.kept.at(-1)?.at ?? 0,
      lastSeq: last?.last ?? this.dropped.seq,
      floor: last?.floor ?? 1,
      counts,
      names,
      keys: [...keys.values()],
      notes: []
    }
  }

  /** What the index of a disk's journal has, as far as the groups are durable now. */
  private indexed(): Index {
    const index = this.index
    const dialectOf = (name: string) => index.names.findLast((record) => record.name === name)?.dialect ?? ""
    for (; index.groups < this.kept.length; index.groups++) {
      for (const entry of this.kept[index.groups]!.entries) {
        const [name = "", dialect = ""] = entry.kind === EntryKind.named ? entry.message.toString().split("\n") : []
        if (name !== "") index.names.push({ id: entry.link, name, dialect })
        index.entries.set(entry.seq, entry)
        if (endKinds.has(entry.kind)) put(index.ends, entry.exchange, withoutSecret(entry))
        const link = index.names.findLast(({ id }) => id === entry.link)
        const asked = link === undefined ? undefined : this.readings.askedOf({ ...entry, link }, dialectOf)
        if (asked !== undefined) put(index.asked, askedText(asked), { entry, asked })
      }
    }
    return index
  }

  /** See `OpenStore.recall`; so are the next ones. */
  recall(keys: ReadonlyArray<RecallKey>, upTo: number): ReadonlyArray<ReadonlyArray<Recalled>> {
    const { asked, ends } = this.indexed()
    return keys.map((key) =>
      (asked.get(askedText(key)) ?? [])
        .filter(({ entry }) => entry.seq <= upTo && entry.at >= key.since)
        .toReversed()
        .slice(0, RECALL_MAX)
        .map(({ entry }) => ({ exchange: entry.seq, entries: [entry, ...(ends.get(entry.seq) ?? [])] }))
    )
  }

  newest(upTo: number, since: number): ReadonlyArray<NewestAsked> {
    const newest = new Map<string, number>()
    for (const { asked, entry } of [...this.indexed().asked.values()].flat()) {
      if (entry.seq > upTo || entry.at < since) continue
      newest.set(asked.link, Math.max(asked.time, newest.get(asked.link) ?? 0))
    }
    return [...newest].map(([link, time]) => ({ link, time }))
  }

  single(seq: number, secrets: boolean): ReadonlyArray<Entry> {
    const entry = this.indexed().entries.get(seq)
    return entry === undefined ? [] : [secrets ? entry : withoutSecret(entry)]
  }

  all(secrets: boolean): ReadonlyArray<Entry> {
    return secrets ? this.entries : this.entries.map(withoutSecret)
  }

  read(exchange: number, secrets: boolean): ReadonlyArray<Entry> {
    return this.all(secrets).filter(
      (entry) => entry.exchange === exchange || entry.about === exchange || entry.seq === exchange
    )
  }

  find(key: SearchKey): ReadonlyArray<number> {
    const found = new Set<number>()
    const { names } = this.opened()
    const fits = ({ link, message, secret }: Entry): boolean => {
      const keys = this.keysOf(names.find(({ id }) => id === link)?.dialect ?? "", message)
      return (
        (key.stan === undefined || key.stan === keys.stan) &&
        (key.rrn === undefined || key.rrn.trim() === keys.rrn.trim()) &&
        (key.pan === undefined || key.pan === secretPan(secret))
      )
    }
    if (key.stan === undefined && key.rrn === undefined && key.pan === undefined) return []
    for (const entry of this.entries) if (fits(entry)) found.add(entry.exchange || entry.seq)
    return [...found].sort((one, other) => other - one).slice(0, FIND_MAX)
  }

  verify(): VerifyStep {
    const { counts, firstSeq, lastSeq } = this.opened()
    return {
      cursor: { from: firstSeq, next: lastSeq + 1, hash: "", groups: this.kept.length, counts, unopened: [] },
      done: true
    }
  }

  /** As a disk would say it; room is the entries' bytes. */
  extent(before: number, needed: number): Extent {
    const { firstSeq, lastSeq } = this.opened()
    const bytesOf = (groups: ReadonlyArray<Kept>) => groups.reduce((sum, { bytes }) => sum + bytes.length, 0)
    const old = this.kept.slice(0, -1).filter(({ at }) => at < before)
    const may = old.filter(({ last }) => last < needed)
    return {
      first: firstSeq,
      last: lastSeq,
      since: this.kept[0]?.at ?? 0,
      size: bytesOf(this.kept),
      free: 0,
      perDay: bytesOf(this.kept.filter(({ at }) => at > (this.kept.at(-1)?.at ?? 0) - DAY_MS)),
      upTo: may.at(-1)?.last ?? 0,
      droppable: bytesOf(may),
      isHeldBack: old.length > may.length
    }
  }

  /** One group a step. */
  drop(upTo: number): { readonly seq: number; readonly isDone: boolean } {
    const [oldest] = this.kept
    if (oldest === undefined || oldest.last > upTo) return { seq: this.dropped.seq, isDone: true }
    this.kept.shift()
    if (this.listed > 0) {
      this.listed--
      this.list.splice(0, oldest.entries.length)
    }
    const counts = [...this.dropped.counts]
    for (const { kind } of oldest.entries) if (!isLasting(kind)) counts[kind] = (counts[kind] ?? 0) + 1
    const lasting = oldest.entries.filter(({ kind }) => isLasting(kind))
    this.dropped = { seq: oldest.last, counts, lasting: [...this.dropped.lasting, ...lasting] }
    this.index = noIndex(this.opened().names)
    return { seq: oldest.last, isDone: oldest.last >= upTo }
  }

  /** There is no chain, so the head says the number alone. */
  head(): string {
    const { journalId, lastSeq } = this.opened()
    return headWord({ journalId, seq: lastSeq, hash: Buffer.alloc(groupHashLength), tag: Buffer.alloc(tagLength) })
  }
}
