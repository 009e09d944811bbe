/**
 * A journal store in memory, for tests and the deterministic world. It keeps the same bytes as a disk would, makes
 * groups durable when an injected schedule says so, and can crash: what was not durable is gone.
 *
 * No Promise, no timer, no thread, no clock. Nothing is sealed and nothing chained: nobody can tamper with it.
 */
import type { Dialect } from "@jinka/codec"
import { Effect, Layer } from "effect"
import type { AskedAt } from "./Asked.ts"
import { type CommitGroup, GROUP_HEADER_LENGTH, groupAt, groupHashLength } from "./CommitGroup.ts"
import { type Entry, entryAt, entryLength, readEntry, readU64, secretPan } from "./Entry.ts"
import { EntryKind, noCounts } from "./EntryKind.ts"
import { headWord } from "./Head.ts"
import { FIND_MAX, noSearchKeys, RECALL_MAX } from "./IndexedKeys.ts"
import { JournalError } from "./JournalError.ts"
import type { JournalReasonTag } from "./JournalReason.ts"
import {
  type Asked,
  type Extent,
  JournalStore,
  type KeysOf,
  type NameRecord,
  type NewestAsked,
  type Opened,
  type OpenStore,
  type Recalled,
  type RecallKey,
  type SearchKey,
  type StoreEvents,
  type StoreRefusal,
  type VerifyStep
} from "./JournalStore.ts"
import { type KeyRow, readKeyEntry } from "./KeySlots.ts"
import { readingsOf } from "./SearchKeys.ts"
import { tagLength } from "./Tag.ts"

/** Options of a memory store. */
export interface MemoryStoreOptions {
  /** Runs `run` once, `afterMs` of virtual ms later, never before it returns. Decides when a group is durable. */
  readonly schedule: (afterMs: number, run: () => void) => void
  /** How long the next group takes to become durable, in ms; asked once per group. Default: 0. */
  readonly latencyMs?: () => number
  /** Takes STAN and RRN from a message, for `find`; default: messages have none. */
  readonly keysOf?: KeysOf
  /** How long it may be away; default: for ever. */
  readonly yieldAfterMs?: number
}

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
const place = "memory"
const DAY_MS = 86_400_000

/** One durable group: its entries' bytes, secrets in place. */
interface Kept {
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

/** A group handed over and not yet acknowledged. */
interface UnderWay {
  readonly group: CommitGroup
  readonly kept: Kept
  durable: boolean
}

/** See the module header. `new MemoryStore(...)` is an empty journal; `crash()` gives what a restart would find. */
export class MemoryStore {
  /** What `Journal.isOurs` says. */
  isOurs = true
  private refusal: StoreRefusal | undefined
  /** Questions that came while it was away. */
  private readonly held: Array<() => void> = []
  private readonly options: MemoryStoreOptions
  private readonly kept: Array<Kept>
  private dropped: Dropped
  private readonly underWay: Array<UnderWay> = []
  private events: StoreEvents | undefined
  private dialects: Readonly<Record<string, Dialect>> = {}
  private readings = readingsOf({})
  private index = noIndex()
  /** Entries of the first `listed` groups. */
  private readonly list: Array<Entry> = []
  private listed = 0
  private crashed = false
  private failed = false
  private failing: { readonly tag: JournalReasonTag; readonly kept: boolean } | undefined

  constructor(options: MemoryStoreOptions, kept: ReadonlyArray<Kept> = [], dropped: Dropped = noneDropped) {
    this.options = options
    this.kept = [...kept]
    this.dropped = dropped
  }

  /** What `Journal.scarce` says. */
  isScarce = false

  /** What `Journal.refuses` says. While it is `away`, groups become durable and nobody hears of it, and questions wait. */
  get refuses(): StoreRefusal | undefined {
    return this.refusal
  }

  set refuses(refusal: StoreRefusal | undefined) {
    this.refusal = refusal
    if (refusal === "away") return
    this.acknowledge()
    for (const answer of this.held.splice(0)) answer()
  }

  /** The store as a layer; `Journal.layer` goes on top. */
  get layer(): Layer.Layer<JournalStore> {
    return Layer.succeed(JournalStore, {
      open: (events) =>
        Effect.acquireRelease(
          Effect.suspend(() => this.open(events)),
          () => Effect.sync(() => this.close())
        )
    })
  }

  /** Entries that are durable, in order: what a restart would find, acknowledged or not. */
  get entries(): ReadonlyArray<Entry> {
    for (; this.listed < this.kept.length; this.listed++) this.list.push(...this.kept[this.listed]!.entries)
    return this.list
  }

  /**
   * The process dies here: nothing is acknowledged any more. Returns a store with what was durable, that can be
   * opened. `surviving` groups of those under way have reached the disk without being acknowledged (a real crash
   * allows 0 to all of them).
   */
  crash(surviving = 0): MemoryStore {
    this.crashed = true
    this.events = undefined
    return this.copy(surviving)
  }

  /** What a restart would find now, as a store of its own; this one goes on. */
  copy(surviving = 0): MemoryStore {
    const more = this.underWay.slice(0, surviving)
    return new MemoryStore(this.options, [...this.kept, ...more.map(({ kept }) => kept)], this.dropped)
  }

  /**
   * The next group's commit fails, and with it the journal. `kept`: the group is on disk all the same (a failed
   * commit is ambiguous; docs/domain.md 4.1).
   */
  failNext(tag: JournalReasonTag = "DiskFailed", kept = false): void {
    this.failing = { tag, kept }
  }

  private open(events: StoreEvents): Effect.Effect<OpenStore, JournalError> {
    if (this.crashed) return Effect.die(new Error("journal: this memory store has crashed; open the one crash() gave"))
    if (this.events !== undefined) return Effect.fail(JournalError.of("Locked", place, "The journal is open already."))
    this.events = events
    const back = Effect.callback<void>((resume) => void this.held.push(() => resume(Effect.void)))
    const whenOpen = <A>(answer: () => A): Effect.Effect<A, JournalError> =>
      Effect.suspend(() =>
        this.refusal === "away"
          ? Effect.andThen(back, whenOpen(answer))
          : this.events === events
            ? Effect.sync(answer)
            : Effect.fail(JournalError.of("DiskFailed", place, "The journal is closed or has failed."))
      )
    return Effect.succeed({
      opened: this.opened(),
      commit: (group) => this.commit(group),
      find: (key) => whenOpen(() => this.find(key)),
      read: (exchange, secrets) => whenOpen(() => this.read(exchange, secrets)),
      recall: (keys, upTo) => whenOpen(() => this.recall(keys, upTo)),
      newest: (upTo, since) => whenOpen(() => this.newest(upTo, since)),
      entries: (seqs, secrets) => whenOpen(() => seqs.flatMap((seq) => this.single(seq, secrets))),
      learn: (dialects) => {
        this.readings = readingsOf({ ...this.dialects, ...dialects })
        this.dialects = { ...this.dialects, ...dialects }
        this.index = noIndex()
      },
      scan: (from, secrets, kinds) =>
        whenOpen(() => ({
          entries: this.all(secrets).filter(
            (entry) => entry.seq >= from && (kinds === 0 || (kinds & (1 << entry.kind)) !== 0)
          ),
          next: 0
        })),
      verify: () => whenOpen(() => this.verify()),
      head: whenOpen(() => this.head()),
      backup: () => Effect.die(new Error("what is in memory alone has no backup")),
      refuses: () => this.refusal,
      isOurs: () => this.isOurs,
      yieldAfterMs: this.options.yieldAfterMs ?? Number.POSITIVE_INFINITY,
      extent: (before, needed) => whenOpen(() => this.extent(before, needed)),
      drop: (upTo) => whenOpen(() => this.drop(upTo)),
      scarce: () => this.isScarce
    })
  }

  private close(): void {
    this.events = undefined
  }

  private opened(): Opened {
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

  private commit(group: CommitGroup): void {
    const kept = keep(group)
    const underWay: UnderWay = { group, kept, durable: false }
    this.underWay.push(underWay)
    const failing = this.failing
    this.failing = undefined
    this.options.schedule(this.options.latencyMs?.() ?? 0, () => {
      if (this.crashed || this.failed || this.events === undefined) return
      if (failing !== undefined) return this.fail(underWay, failing.tag, failing.kept)
      underWay.durable = true
      this.acknowledge()
    })
  }

  /** Acknowledges in the order of handing over, whatever order the schedule took. */
  private acknowledge(): void {
    while (this.refusal !== "away" && this.underWay[0]?.durable === true) {
      const { group, kept } = this.underWay.shift()!
      this.kept.push(kept)
      this.events?.committed(group)
    }
  }

  private fail(underWay: UnderWay, tag: JournalReasonTag, kept: boolean): void {
    this.failed = true
    if (kept) for (const { kept } of this.underWay.slice(0, this.underWay.indexOf(underWay) + 1)) this.kept.push(kept)
    const events = this.events
    this.events = undefined
    this.underWay.length = 0
    events?.failed(JournalError.of(tag, place, "A commit failed, as the test asked."))
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

  private recall(keys: ReadonlyArray<RecallKey>, upTo: number): ReadonlyArray<ReadonlyArray<Recalled>> {
    const { asked, ends } = this.indexed()
    return keys.map((key) =>
      (asked.get(askedText(key)) ?? [])
        .filter(({ entry }) => entry.seq <= upTo && entry.at >= key.since)
        .toReversed()
        .slice(0, RECALL_MAX)
        .map(({ entry }) => ({ exchange: entry.seq, entries: [entry, ...(ends.get(entry.seq) ?? [])] }))
    )
  }

  private newest(upTo: number, since: number): ReadonlyArray<NewestAsked> {
    const newest = new Map<string, number>()
    for (const { asked, entry } of [...this.indexed().asked.values()].flat()) {
      if (entry.seq > upTo || entry.at < since) continue
      newest.set(asked.link, Math.max(asked.time, newest.get(asked.link) ?? 0))
    }
    return [...newest].map(([link, time]) => ({ link, time }))
  }

  private single(seq: number, secrets: boolean): ReadonlyArray<Entry> {
    const entry = this.indexed().entries.get(seq)
    return entry === undefined ? [] : [secrets ? entry : withoutSecret(entry)]
  }

  private all(secrets: boolean): ReadonlyArray<Entry> {
    return secrets ? this.entries : this.entries.map(withoutSecret)
  }

  private read(exchange: number, secrets: boolean): ReadonlyArray<Entry> {
    return this.all(secrets).filter(
      (entry) => entry.exchange === exchange || entry.about === exchange || entry.seq === exchange
    )
  }

  private find(key: SearchKey): ReadonlyArray<number> {
    const found = new Set<number>()
    const { names } = this.opened()
    const fits = ({ link, message, secret }: Entry): boolean => {
      const keys = (this.options.keysOf ?? noKeys)(names.find(({ id }) => id === link)?.dialect ?? "", message)
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

  private verify(): VerifyStep {
    const { counts, firstSeq, lastSeq } = this.opened()
    return {
      cursor: { from: firstSeq, next: lastSeq + 1, hash: "", groups: this.kept.length, counts, unopened: [] },
      done: true
    }
  }

  /** As a disk would say it; room is the entries' bytes. */
  private extent(before: number, needed: number): Extent {
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
  private drop(upTo: number): { readonly seq: number; readonly isDone: boolean } {
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
  private head(): string {
    const { journalId, lastSeq } = this.opened()
    return headWord({ journalId, seq: lastSeq, hash: Buffer.alloc(groupHashLength), tag: Buffer.alloc(tagLength) })
  }
}

/** Copies a group out of the writer's memory and reads its entries. */
const keep = (group: CommitGroup): Kept => {
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
