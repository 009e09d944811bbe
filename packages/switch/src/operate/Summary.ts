/**
 * The journal as one line for each exchange: what reconciliation and the simulator's checker read.
 *
 * Two passes: the first notes which exchange a reversal is about, how it ended, and what a person has ended (there are few), the
 * second tells each exchange when it has ended. So the memory that it takes grows with open exchanges and reversals, not with
 * the journal.
 */
import { type Codec, isSuccess, MessageIndex, mtiText } from "@jinka/codec"
import { Effect } from "effect"
import type { Entry } from "../journal/Entry.ts"
import { EntryKind } from "../journal/EntryKind.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalReader } from "../journal/JournalReader.ts"
import { sourceOf } from "../journal/Source.ts"
import { deliveryEndKinds, LastEnds } from "./LastEnds.ts"
import type { Dialects } from "./trace/Dialects.ts"

/** How an exchange ended. `Rejected`: answered by the switch itself, without a byte to the target. */
export type SummaryEnd = "Answered" | "Rejected" | "TimedOut" | DeliveryEnd | "Open"

/** How a delivery ended. With the second and the third it is in doubt until a person ends it. */
type DeliveryEnd = "Acknowledged" | "Abandoned" | "Declined"

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
  /** The end in the journal's words: timeout, connection lost, restarted; otherwise "". */
  readonly reason: string
  /** Exchange of the switch's own reversal of this one, and how that ended; null when there is none. */
  readonly reversal: number | null
  readonly reversalEnd: DeliveryEnd | "Open" | null
  /** The reversal was acknowledged: what this one did is undone. */
  readonly reversed: boolean
  /** It, or its reversal, is in doubt: abandoned, declined, or money without a reversal. */
  readonly inDoubt: boolean
  /** Who ended that and why; "" when nobody has. */
  readonly closed: string
  /** Exchange that this reversal is about. */
  readonly about: number | null
  /** Attempts to send it (deliveries). */
  readonly attempts: number
  /** Code of an approval that came when it had ended; "": none. Both sides are even when it is `reversed`, or was closed. */
  readonly late: string
}

/** Sums over all lines, by end, and how many were reversed. */
export interface SummaryTotals {
  readonly exchanges: number
  readonly requests: number
  readonly deliveries: number
  readonly ends: Readonly<Record<SummaryEnd, number>>
  /** Requests for which the switch wrote a reversal, by its end. */
  readonly reversed: number
  readonly reversalAbandoned: number
  readonly reversalDeclined: number
  readonly reversalOpen: number
  /** Requests that move money and have no reversal. */
  readonly unreversed: number
  /** What is in doubt and no person has ended. */
  readonly inDoubt: number
  /**
   * Requests that were approved when they had ended; and those of them whose reversal is not acknowledged or closed by a
   * person.
   */
  readonly lateApproved: number
  readonly lateUneven: number
}

type Journal = Pick<JournalReader, "scan" | "recovered">

/**
 * Reads the whole journal; `each` is called once for each exchange, in the order in which they ended, open ones last, and
 * `between` is run from time to time, for what `each` has gathered. `each` returning false ends it.
 */
export const summarize = Effect.fnUntraced(function* (
  journal: Journal,
  dialects: Dialects,
  each: (line: SummaryLine) => boolean,
  between: Effect.Effect<void>
): Effect.fn.Return<SummaryTotals, JournalError> {
  const known = new Known()
  yield* journal.scan(1, (entry) => known.take(entry), { kinds: knownKinds })
  const summary = new Summary(journal.recovered.names, dialects, known, each)
  yield* journal.scan(1, (entry) => summary.take(entry), { between })
  return summary.finish()
})

interface Reversal {
  readonly exchange: number
  end: DeliveryEnd | "Open"
}

const deliveryEnds: ReadonlyMap<number, DeliveryEnd> = new Map([
  [EntryKind.acknowledged, "Acknowledged"],
  [EntryKind.abandoned, "Abandoned"],
  [EntryKind.declined, "Declined"]
])

/** Kinds that {@link Known} needs of the first pass: few entries are of these. */
const knownKinds: ReadonlyArray<EntryKind> = [
  EntryKind.queued,
  EntryKind.late,
  EntryKind.unreversed,
  EntryKind.closed,
  ...deliveryEndKinds
]

/** What the first pass notes: what becomes of an exchange after its own end. */
class Known {
  /** The switch's own reversals, by the exchange that they are about and by their own. */
  readonly reversals = new Map<number, Reversal>()
  private readonly byExchange = new Map<number, Reversal>()
  /** Money without a reversal, and who ended what and why. */
  readonly unreversed = new Set<number>()
  readonly closed = new Map<number, string>()
  /** Answers that came too late: their link and code. */
  readonly late = new Map<number, { readonly link: number; readonly code: string }>()
  readonly lastEnds = new LastEnds()

  take(entry: Entry): void {
    const { kind, about, exchange, link, seq, code } = entry
    if (kind === EntryKind.queued && about !== 0) {
      const reversal: Reversal = { exchange: seq, end: "Open" }
      this.reversals.set(about, reversal)
      this.byExchange.set(seq, reversal)
    } else if (kind === EntryKind.late) this.late.set(exchange, { link, code })
    else if (kind === EntryKind.unreversed) this.unreversed.add(exchange)
    else if (kind === EntryKind.closed) this.closed.set(exchange, code)
    else if (deliveryEnds.has(kind)) {
      const reversal = this.byExchange.get(exchange)
      if (reversal !== undefined) reversal.end = deliveryEnds.get(kind)!
      this.lastEnds.take(entry)
    }
  }
}

type Open = { -readonly [Key in keyof SummaryLine]: SummaryLine[Key] } & { origin: number }

class Summary {
  private readonly links: ReadonlyMap<number, { readonly name: string; readonly codec: Codec | undefined }>
  private readonly known: Known
  private readonly each: (line: SummaryLine) => boolean
  private isWanted = true
  private readonly open = new Map<number, Open>()
  private readonly index = new MessageIndex()
  private requests = 0
  private deliveries = 0
  private unreversed = 0
  private lateApproved = 0
  private lateUneven = 0
  private inDoubt = 0
  private readonly reversals: Record<DeliveryEnd | "Open", number> = {
    Acknowledged: 0,
    Abandoned: 0,
    Declined: 0,
    Open: 0
  }
  private readonly ends: Record<SummaryEnd, number> = {
    Answered: 0,
    Rejected: 0,
    TimedOut: 0,
    Acknowledged: 0,
    Abandoned: 0,
    Declined: 0,
    Open: 0
  }

  constructor(
    names: Journal["recovered"]["names"],
    dialects: Dialects,
    known: Known,
    each: (line: SummaryLine) => boolean
  ) {
    this.links = new Map(names.map(({ id, name, dialect }) => [id, { name, codec: dialects.codec(dialect) }]))
    this.known = known
    this.each = each
  }

  /** Takes an entry; returns whether the next is wanted. */
  take(entry: Entry): boolean {
    this.read(entry)
    return this.isWanted
  }

  private read(entry: Entry): void {
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
      default: {
        const end = deliveryEnds.get(entry.kind)
        const isLast = end !== undefined && this.known.lastEnds.isLast(entry)
        if (isLast) this.end(entry.exchange, end, entry.code, "")
      }
    }
  }

  /** Tells what is still open, and gives the sums. */
  finish(): SummaryTotals {
    for (const exchange of [...this.open.keys()]) this.end(exchange, "Open", "", "")
    const { requests, deliveries, ends, inDoubt, lateApproved, lateUneven, reversals, unreversed } = this
    return {
      exchanges: requests + deliveries,
      requests,
      deliveries,
      ends,
      reversed: reversals.Acknowledged,
      reversalAbandoned: reversals.Abandoned,
      reversalDeclined: reversals.Declined,
      reversalOpen: reversals.Open,
      unreversed,
      inDoubt,
      lateApproved,
      lateUneven
    }
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
      ...this.reversalOf(entry.seq),
      inDoubt: false,
      closed: "",
      about: entry.about === 0 ? null : entry.about,
      attempts: 0,
      late: this.lateOf(entry.seq),
      origin: entry.link
    })
  }

  private lateOf(exchange: number): string {
    const late = this.known.late.get(exchange)
    const dialect = this.links.get(late?.link ?? 0)?.codec?.dialect
    return late !== undefined && dialect !== undefined && isSuccess(dialect, late.code) ? late.code : ""
  }

  private reversalOf(exchange: number): Pick<SummaryLine, "reversal" | "reversalEnd" | "reversed"> {
    const reversal = this.known.reversals.get(exchange)
    if (reversal === undefined) return { reversal: null, reversalEnd: null, reversed: false }
    return { reversal: reversal.exchange, reversalEnd: reversal.end, reversed: reversal.end === "Acknowledged" }
  }

  private end(exchange: number, end: SummaryEnd, code: string, reason: string): void {
    const open = this.open.get(exchange)
    if (open === undefined) return
    this.open.delete(exchange)
    this.ends[end]++
    if (open.kind === "request") this.requests++
    else this.deliveries++
    if (open.reversalEnd !== null) this.reversals[open.reversalEnd]++
    if (open.late !== "") {
      this.lateApproved++
      // Without a reversal it moved no money, or it is unreversed.
      const isOpen = open.reversal === null ? this.known.unreversed.has(exchange) : !open.reversed
      if (isOpen && !this.known.closed.has(open.reversal ?? exchange)) this.lateUneven++
    }
    const isUnreversed = this.known.unreversed.has(exchange)
    if (isUnreversed) this.unreversed++
    // A request is in doubt with its reversal, which is counted by itself.
    const isOwn = isUnreversed || end === "Abandoned" || end === "Declined"
    const own = this.known.closed.get(exchange)
    if (isOwn && own === undefined) this.inDoubt++
    const closed = own ?? this.known.closed.get(open.reversal ?? 0) ?? ""
    const isDoubtful = isOwn || open.reversalEnd === "Abandoned" || open.reversalEnd === "Declined"
    const { origin: _, ...line } = open
    if (this.isWanted) this.isWanted = this.each({ ...line, end, code, reason, inDoubt: isDoubtful, closed })
  }
}
