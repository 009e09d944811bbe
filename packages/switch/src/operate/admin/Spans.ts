/**
 * Sends some transactions as spans to an OpenTelemetry collector: one of so many, read from the journal when it has ended. What
 * carries messages does nothing for it, whether a transaction is among them or not; a collector that is away costs a line in
 * the log.
 *
 * A span has names of links, types and codes, and no field of a message besides.
 */
import { Context, Effect, Exit, Option, type Tracer } from "effect"
import type { Entry } from "../../journal/Entry.ts"
import { EntryKind, entryKindName } from "../../journal/EntryKind.ts"
import type { Journal } from "../../journal/Journal.ts"
import type { JournalError } from "../../journal/JournalError.ts"

/** What it needs of the journal. */
export interface SpannedJournal extends Pick<Journal["Service"], "entries" | "read" | "names"> {
  /** The last entry that is on disk. */
  readonly last: () => number
}

/** Entries that are asked for at once: a few groups, between two commits. */
const ASKED_MAX = 20
/** Questions of one look: what comes faster is sampled less. */
const QUESTIONS_MAX = 10
/** Sampled transactions that may wait for their end, and for how many looks each. */
const WAITING_MAX = 1000
const LOOKS_MAX = 600

const ends = new Set<number>([EntryKind.answered, EntryKind.timedOut, EntryKind.notSent])

interface Waiting {
  readonly exchange: number
  looks: number
}

/** Samples one of `oneOf` transactions at each call, and ends the spans of those that have ended. */
export const spansOf = (journal: SpannedJournal, tracer: Tracer.Tracer, oneOf: number) => {
  let reached = journal.last()
  let waiting: Array<Waiting> = []
  const names = () => new Map(journal.names().map(({ id, name }) => [id, name]))

  const sample = Effect.gen(function* () {
    const last = journal.last()
    const first = Math.floor(reached / oneOf) * oneOf + oneOf
    reached = last
    const count = Math.min(
      Math.floor((last - first) / oneOf) + 1,
      ASKED_MAX * QUESTIONS_MAX,
      WAITING_MAX - waiting.length
    )
    for (let n = 0; n < count; n += ASKED_MAX) {
      const seqs = Array.from({ length: Math.min(ASKED_MAX, count - n) }, (_, at) => first + (n + at) * oneOf)
      for (const { kind, seq } of yield* journal.entries(seqs))
        if (kind === EntryKind.accepted) waiting.push({ exchange: seq, looks: 0 })
    }
  })

  const end = Effect.gen(function* () {
    const open: Array<Waiting> = []
    for (const one of waiting) {
      const entries = yield* journal.read(one.exchange)
      if (!isOver(one.exchange, entries) && ++one.looks < LOOKS_MAX) open.push(one)
      else span(tracer, names(), one.exchange, entries)
    }
    waiting = open
  })
  return Effect.andThen(sample, end) as Effect.Effect<void, JournalError>
}

/** It has ended; a reversal goes on by itself, and is named. */
const isOver = (exchange: number, entries: ReadonlyArray<Entry>): boolean =>
  entries.some((entry) => entry.exchange === exchange && ends.has(entry.kind))

const nanos = (ms: number): bigint => BigInt(ms) * 1_000_000n

const span = (
  tracer: Tracer.Tracer,
  names: ReadonlyMap<number, string>,
  exchange: number,
  entries: ReadonlyArray<Entry>
) => {
  const request = entries.find(({ seq }) => seq === exchange)
  const end = entries.find((entry) => entry.exchange === exchange && ends.has(entry.kind))
  if (request === undefined) return
  const reversal = entries.find(({ about, kind }) => kind === EntryKind.queued && about === exchange)
  const root = begun(tracer, "jinka.transaction", request.at)
  root.attribute("jinka.exchange", exchange)
  root.attribute("jinka.link", names.get(request.link) ?? "")
  root.attribute("jinka.target", request.code)
  root.attribute("jinka.end", end === undefined ? "open" : entryKindName(end.kind))
  root.attribute("jinka.code", end?.code ?? "")
  if (reversal !== undefined) root.attribute("jinka.reversal", reversal.seq)
  for (const { at, code, kind } of entries)
    if (kind === EntryKind.late || kind === EntryKind.undelivered) root.event(entryKindName(kind), nanos(at), { code })
  root.end(nanos(end?.at ?? request.at), Exit.void)
}

const begun = (tracer: Tracer.Tracer, name: string, at: number): Tracer.Span =>
  tracer.span({
    name,
    parent: Option.none(),
    annotations: Context.empty(),
    links: [],
    startTime: nanos(at),
    kind: "server",
    root: true,
    sampled: true
  })
