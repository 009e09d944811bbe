/**
 * Finds a transaction in the journal and tells its life: every entry of its exchange, and its reversal with every attempt.
 *
 * Reads only what the journal shows without secrets: card data is covered there already.
 */
import { type Codec, describe, explain } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind, entryKindName } from "../../journal/EntryKind.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { NameRecord, SearchKey } from "../../journal/JournalStore.ts"
import { changesOf } from "./Changes.ts"
import type { Dialects, Readable } from "./Dialects.ts"
import { entryWords } from "./EntryWords.ts"
import { evenness } from "./Even.ts"
import type { TraceEntry, TraceExchange, TraceReport } from "./TraceReport.ts"

/** Most exchanges that one report shows in full. */
export const EXCHANGES_MAX = 20

/** Traces everything that fits the key, newest first. */
export const trace = Effect.fnUntraced(function* (
  journal: Readable,
  dialects: Dialects,
  key: SearchKey,
  hasChanges = false
): Effect.fn.Return<TraceReport, JournalError> {
  const found = yield* journal.find(key)
  const roots = new Set<number>()
  const told: Array<TraceExchange> = []
  let looked = 0
  for (const exchange of found) {
    if (told.length === EXCHANGES_MAX) break
    looked++
    const entries = yield* journal.read(exchange)
    const root = originalOf(exchange, entries)
    if (roots.has(root)) continue
    roots.add(root)
    const all = root === exchange ? entries : yield* journal.read(root)
    const one = yield* tell(journal, dialects, root, all)
    told.push(hasChanges ? { ...one, changes: changes(journal, dialects, root, all) } : one)
  }
  return { exchanges: told, more: found.length - looked }
})

/** The exchange that a reversal is about; the exchange itself when it is no reversal. */
const originalOf = (exchange: number, entries: ReadonlyArray<Entry>): number => {
  const about = entries.find(({ seq }) => seq === exchange)?.about ?? 0
  return about === 0 ? exchange : about
}

const changes = (journal: Readable, dialects: Dialects, exchange: number, all: ReadonlyArray<Entry>) => {
  const names = new Map(journal.names().map(({ id, name }) => [id, name]))
  return changesOf({
    entries: all.filter(isOf(exchange)),
    caused: all.filter(({ about, kind }) => about === exchange && kind === EntryKind.queued),
    nameOf: (link) => names.get(link) ?? "",
    planOf: (name) => dialects.link(name)
  })
}

const isOf = (exchange: number) => (entry: Entry) => entry.exchange === exchange || entry.seq === exchange

const tell = Effect.fnUntraced(function* (
  journal: Readable,
  dialects: Dialects,
  exchange: number,
  entries: ReadonlyArray<Entry>
): Effect.fn.Return<TraceExchange, JournalError> {
  const names = new Map(journal.names().map((name) => [name.id, name]))
  const caused = entries.filter(({ about, exchange: own, seq }) => about === exchange && (own || seq) !== exchange)
  const deliveries: Array<TraceExchange["deliveries"][number]> = []
  for (const id of new Set(caused.map(({ exchange: own, seq }) => own || seq))) {
    const own = (yield* journal.read(id)).filter(isOf(id))
    deliveries.push({ exchange: id, entries: own.map((entry) => tellEntry(entry, own[0]!.at, names, dialects)) })
  }
  const own = entries.filter(isOf(exchange))
  const late = (yield* evenness(journal, dialects, exchange, entries)) ?? null
  const told = own.map((entry) => tellEntry(entry, own[0]!.at, names, dialects))
  // In the order of `TraceExchange`: the text is the same whether it passed through its schema or not.
  return { exchange, entries: told, late, deliveries }
})

const tellEntry = (
  entry: Entry,
  from: number,
  names: ReadonlyMap<number, NameRecord>,
  dialects: Dialects
): TraceEntry => {
  const name = names.get(entry.link)
  const codec = name === undefined ? undefined : dialects.codec(name.dialect)
  const described = codec === undefined || entry.message.length === 0 ? undefined : describe(codec, entry.message)
  const mti = Number(described?.rows.find(({ id }) => id === "mti")?.value ?? 0)
  return {
    seq: entry.seq,
    at: new Date(entry.at).toISOString(),
    sinceMs: entry.at - from,
    kind: entryKindName(entry.kind),
    link: name?.name ?? "",
    epoch: entry.epoch,
    code: entry.code,
    says: entryWords(entry, name?.name ?? "", mti, codec?.dialect),
    fields: (described?.rows ?? []).map(({ id, name: title, value, meaning }) => ({ id, name: title, value, meaning })),
    unreadable: unreadable(entry, name, codec) ?? (described?.error === undefined ? null : explain(described.error))
  }
}

const unreadable = (entry: Entry, name: NameRecord | undefined, codec: Codec | undefined): string | undefined =>
  entry.message.length > 0 && codec === undefined
    ? `the dialect ${name?.dialect || "of this link"} is not known here; give the configuration file instead of the directory`
    : undefined
