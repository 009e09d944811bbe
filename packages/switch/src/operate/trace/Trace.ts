/**
 * Finds a transaction in the journal and tells its life: every entry of its exchange, and its reversal with every attempt.
 *
 * Reads only what the journal shows without secrets: card data is covered there already.
 */
import { type Codec, compile, type Dialect, describe, explain } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { entryKindName } from "../../journal/EntryKind.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { NameRecord, SearchKey } from "../../journal/JournalStore.ts"
import { shippedDialects } from "../configuration/Shipped.ts"
import { entryWords } from "./EntryWords.ts"
import type { TraceEntry, TraceExchange, TraceReport } from "./TraceReport.ts"

/** Exchanges that one report tells in full. */
export const EXCHANGES_MAX = 20

/** What a trace needs of a journal, running or not. */
export interface Readable extends Pick<Journal["Service"], "find" | "read"> {
  /** Names of links by number. */
  readonly names: () => ReadonlyArray<NameRecord>
}

/** Dialects by name: those of a configuration, else the shipped ones. */
export class Dialects {
  private readonly given: Readonly<Record<string, Dialect>>
  private readonly codecs = new Map<string, Codec | undefined>()

  constructor(given: Readonly<Record<string, Dialect>> = {}) {
    this.given = given
  }

  /** The codec of a dialect; `undefined` when nobody knows the name. */
  codec(name: string): Codec | undefined {
    if (!this.codecs.has(name)) {
      const dialect = this.given[name] ?? shippedDialects[name]?.dialect
      this.codecs.set(name, dialect === undefined ? undefined : compile(dialect))
    }
    return this.codecs.get(name)
  }
}

/** Traces everything that fits the key, newest first. */
export const trace = Effect.fnUntraced(function* (
  journal: Readable,
  dialects: Dialects,
  key: SearchKey
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
    told.push(yield* tell(journal, dialects, root, root === exchange ? entries : yield* journal.read(root)))
  }
  return { exchanges: told, more: found.length - looked }
})

/** The exchange that a reversal is about; the exchange itself when it is no reversal. */
const originalOf = (exchange: number, entries: ReadonlyArray<Entry>): number => {
  const about = entries.find(({ seq }) => seq === exchange)?.about ?? 0
  return about === 0 ? exchange : about
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
  return { exchange, entries: own.map((entry) => tellEntry(entry, own[0]!.at, names, dialects)), deliveries }
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
