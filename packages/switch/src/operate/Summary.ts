/**
 * The journal as one line for each exchange: what reconciliation and the simulator's checker read.
 *
 * Two passes: the first notes which exchange a reversal is about (there are few), the second tells each exchange when it has
 * ended. So the memory that it takes grows with open exchanges and reversals, not with the journal.
 */
import { type Codec, MessageIndex, mtiText } from "@jinka/codec"
import { Effect } from "effect"
import { sourceOf } from "../exchange/Source.ts"
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalReader } from "../journal/JournalReader.ts"
import type { Dialects } from "./trace/Trace.ts"

/** How an exchange ended. `Rejected`: answered by the switch itself, without a byte to the target. */
export type SummaryEnd = "Answered" | "Rejected" | "TimedOut" | "Acknowledged" | "Abandoned" | "Open"

/** One exchange. Fields of the message are "" where it does not have them; DE 2 is not among them. */
export interface SummaryLine {
  readonly exchange: number
  /** Milliseconds since 1970 of the entry that opened it. */
  readonly at: number
  readonly kind: "request" | "delivery"
  readonly mti: string
  readonly stan: string
  readonly rrn: string
  /** DE 7, MMDDhhmmss. */
  readonly transmissionTime: string
  /** STAN, DE 7, DE 32 and 33 in 11 digits each: DE 90 of a message about this one, without its first four digits. */
  readonly key: string
  /** DE 32 and 33. */
  readonly acquirer: string
  readonly forwarder: string
  readonly processingCode: string
  /** DE 4, minor units. */
  readonly amount: string
  /** Where it came from; "" for the switch's own reversal. */
  readonly link: string
  /** Where it goes; "" when it was refused. */
  readonly target: string
  readonly end: SummaryEnd
  /** DE 39 that the origin got (requests) or the target gave (deliveries); "" when there was none. */
  readonly code: string
  /** The end in the journal's words: timeout, connection lost, restarted; else "". */
  readonly reason: string
  /** Exchange of the switch's own reversal of this one; `reversed` says whether there is one. */
  readonly reversal: number | null
  readonly reversed: boolean
  /** Exchange that this reversal is about. */
  readonly about: number | null
  /** Attempts to send it (deliveries). */
  readonly attempts: number
}

/** Sums over all lines, by end, and how many were reversed. */
export interface SummaryTotals {
  readonly exchanges: number
  readonly requests: number
  readonly deliveries: number
  readonly ends: Readonly<Record<SummaryEnd, number>>
  /** Requests for which the switch wrote a reversal. */
  readonly reversed: number
}

type Journal = Pick<JournalReader, "scan" | "recovered">

/** Reads the whole journal; `each` is called once for each exchange, in the order in which they ended, open ones last. */
export const summarize = Effect.fnUntraced(function* (
  journal: Journal,
  dialects: Dialects,
  each: (line: SummaryLine) => void
): Effect.fn.Return<SummaryTotals, JournalError> {
  const reversals = new Map<number, number>()
  yield* journal.scan(1, ({ kind, about, seq }) => {
    if (kind === EntryKind.queued && about !== 0) reversals.set(about, seq)
  })
  const summary = new Summary(journal.recovered.names, dialects, reversals, each)
  yield* journal.scan(1, (entry) => summary.take(entry))
  return summary.finish()
})

type Open = { -readonly [Key in keyof SummaryLine]: SummaryLine[Key] } & { origin: number }

class Summary {
  private readonly links: ReadonlyMap<number, { readonly name: string; readonly codec: Codec | undefined }>
  private readonly reversals: ReadonlyMap<number, number>
  private readonly each: (line: SummaryLine) => void
  private readonly open = new Map<number, Open>()
  private readonly index = new MessageIndex()
  private requests = 0
  private deliveries = 0
  private reversed = 0
  private readonly ends: Record<SummaryEnd, number> = {
    Answered: 0,
    Rejected: 0,
    TimedOut: 0,
    Acknowledged: 0,
    Abandoned: 0,
    Open: 0
  }

  constructor(
    names: Journal["recovered"]["names"],
    dialects: Dialects,
    reversals: ReadonlyMap<number, number>,
    each: (line: SummaryLine) => void
  ) {
    this.links = new Map(names.map(({ id, name, dialect }) => [id, { name, codec: dialects.codec(dialect) }]))
    this.reversals = reversals
    this.each = each
  }

  take(entry: Entry): void {
    switch (entry.kind) {
      case EntryKind.accepted:
        this.begin(entry, { kind: "request", link: this.name(entry.link), target: entry.code })
        return
      case EntryKind.refused:
        this.begin(entry, { kind: "request", link: this.name(entry.link), target: "" })
        return this.end(entry.seq, "Rejected", entry.code, "")
      case EntryKind.queued: {
        const link = sourceOf(entry.code)?.link ?? ""
        return this.begin(entry, { kind: "delivery", link, target: this.name(entry.link) })
      }
      case EntryKind.sent: {
        const open = this.open.get(entry.exchange)
        if (open !== undefined) open.attempts++
        return
      }
      default:
        return this.takeEnd(entry)
    }
  }

  private takeEnd(entry: Entry): void {
    switch (entry.kind) {
      case EntryKind.answered:
        return this.end(entry.exchange, "Answered", entry.code, "")
      case EntryKind.notSent:
        return this.end(entry.exchange, "Rejected", entry.code, "not sent")
      case EntryKind.timedOut:
        return this.end(entry.exchange, "TimedOut", this.noAnswer(entry.exchange), entry.code)
      case EntryKind.acknowledged:
        return this.end(entry.exchange, "Acknowledged", entry.code, "")
      case EntryKind.abandoned:
        return this.end(entry.exchange, "Abandoned", entry.code, "")
      default:
        return
    }
  }

  /** Tells what is still open, and gives the sums. */
  finish(): SummaryTotals {
    for (const exchange of [...this.open.keys()]) this.end(exchange, "Open", "", "")
    const { requests, deliveries, ends, reversed } = this
    return { exchanges: requests + deliveries, requests, deliveries, ends, reversed }
  }

  private name(link: number): string {
    return this.links.get(link)?.name ?? ""
  }

  /** What the origin is told of a request without an answer: its dialect's code. */
  private noAnswer(exchange: number): string {
    const open = this.open.get(exchange)
    return open === undefined ? "" : (this.links.get(open.origin)?.codec?.dialect.refusal.noAnswer ?? "")
  }

  private begin(entry: Entry, as: Pick<SummaryLine, "kind" | "link" | "target">): void {
    const codec = this.links.get(entry.link)?.codec
    const { index } = this
    const isRead =
      codec !== undefined &&
      entry.message.length > 0 &&
      codec.index(entry.message, 0, entry.message.length, index) === undefined
    const text = (de: number) => (isRead ? index.text(de) : "")
    this.open.set(entry.seq, {
      exchange: entry.seq,
      at: entry.at,
      ...as,
      mti: isRead ? mtiText(index.mti) : "",
      stan: text(11),
      rrn: text(37).trim(),
      transmissionTime: text(7),
      key: isRead ? text(11) + text(7) + text(32).padStart(11, "0") + text(33).padStart(11, "0") : "",
      acquirer: text(32),
      forwarder: text(33),
      processingCode: text(3),
      amount: text(4),
      end: "Open",
      code: "",
      reason: "",
      reversal: this.reversals.get(entry.seq) ?? null,
      reversed: this.reversals.has(entry.seq),
      about: entry.about === 0 ? null : entry.about,
      attempts: 0,
      origin: entry.link
    })
  }

  private end(exchange: number, end: SummaryEnd, code: string, reason: string): void {
    const open = this.open.get(exchange)
    if (open === undefined) return
    this.open.delete(exchange)
    this.ends[end]++
    if (open.kind === "request") this.requests++
    else this.deliveries++
    if (open.reversed) this.reversed++
    const { origin: _, ...line } = open
    this.each({ ...line, end, code, reason })
  }
}
