/**
 * The totals of business days, out of the journal: how many transactions of which type, and how much, each partner's link took
 * and gave on each date.
 *
 * The date of a transaction is the settlement date of its answer, else the business day of its link when it ended; a reversal has
 * its original's. What nobody knows the outcome of has a sum of its own until its reversal is acknowledged. Two passes: the first
 * notes what is reversed, of which there is little, so memory grows with open exchanges and reversals and not with the journal.
 * Both begin where the date that is asked for was first named.
 */
import {
  type Codec,
  isSuccess,
  type Layout,
  MessageIndex,
  mtiClass,
  mtiText,
  partialReversal,
  readAmount2003
} from "@jinka/codec"
import { Effect } from "effect"
import { type BusinessDay, dayOf } from "../../exchange/day/BusinessDay.ts"
import { type Entry, secretRest } from "../../journal/Entry.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import type { JournalReader } from "../../journal/JournalReader.ts"
import type { NameRecord } from "../../journal/JournalStore.ts"
import { sourceOf } from "../../journal/Source.ts"
import { originalOf, ownTransactionOf, transactionOf } from "../../message/Reversal.ts"
import { dateOf, settlementDigits } from "../../message/SettlementDate.ts"
import { stanOf } from "../../message/Stamp.ts"
import { deliveryEndKinds, LastEnds } from "../LastEnds.ts"
import type { Dialects } from "../trace/Dialects.ts"
import { DaySums, type Outcome } from "./DaySums.ts"
import type { TotalsReport } from "./TotalsReport.ts"

/** What totals need of a journal, running or not. */
export interface Summed extends Pick<JournalReader, "scan"> {
  readonly names: () => ReadonlyArray<NameRecord>
}

/** The totals of one date, or of all that the journal holds. `between` is run from time to time. */
export const totals = Effect.fnUntraced(function* (
  journal: Summed,
  dialects: Dialects,
  date: string | undefined,
  between: Effect.Effect<void> = Effect.yieldNow
): Effect.fn.Return<TotalsReport, JournalError> {
  const fold = new Fold(journal, dialects)
  yield* journal.scan(1, (entry) => fold.said(entry), { kinds: [EntryKind.day], between })
  const from = fold.from(date)
  yield* journal.scan(from, (entry) => fold.note(entry), { kinds: firstKinds, secrets: true, between })
  yield* journal.scan(from, (entry) => fold.take(entry), { between })
  return fold.report(date)
})

/** Kinds that the first pass needs. */
const firstKinds: ReadonlyArray<EntryKind> = [EntryKind.queued, ...deliveryEndKinds]

/**
 * Entries before the first that names a date, in which what is answered on that date may have begun: a quarter of a minute at
 * 2,000 transactions a second.
 */
const BEFORE_MAX = 100_000

/** A transaction from its first message to its end. */
interface Open {
  readonly outcomes: { readonly approved: Outcome; readonly declined: Outcome }
  readonly from: string
  readonly to: string
  readonly mti: string
  readonly type: string
  readonly name: string
  readonly currency: string
  readonly amount: number
  /** What its reversal names it by. */
  readonly text: string
}

/** What a reversal says of its original. */
interface Named {
  readonly keys: ReadonlyArray<string>
  /** The amount that it had, and what remains of it; 0: nothing, or nobody knows. */
  readonly amount: number
  readonly remains: number
}

/** An open reversal: what it takes back. */
interface Undoing extends Pick<Open, "from" | "to" | "mti" | "type" | "name" | "currency" | "amount">, Named {}

/** A transaction that something in the journal takes back, as it was counted. */
interface Ended {
  readonly open: Open
  readonly dates: readonly [from: string, to: string]
  readonly amount: number
  isUnknown: boolean
  /** What remains of the amount. */
  left: number
  isUndone: boolean
}

/** A repeat's type without its repeat digit. */
const firstMti = (mti: number): string => mtiText(mti - (mti % 10))

/** An amount as a message writes it; the 2003 edition writes the currency with it. */
const amountOf = ({ dialect }: Layout, text: string): { readonly amount: number; readonly currency?: string } => {
  if (dialect.version !== 2) return { amount: /^\d{1,15}$/.test(text) ? Number(text) : 0 }
  const { currency = "", minor = 0n } = readAmount2003(text) ?? {}
  return { amount: Number(minor), currency }
}

class Fold {
  private readonly journal: Summed
  private readonly dialects: Dialects
  private readonly sums = new DaySums()
  private readonly days = new Map<string, BusinessDay>()
  /** What the whole journal says of days, in order. */
  private readonly allDays: Array<{ readonly seq: number; readonly link: string; readonly day: BusinessDay }> = []
  private readonly open = new Map<number, Open>()
  private readonly undoing = new Map<number, Undoing>()
  /** What each reversal says, as it came: what the journal shows of it may be covered, where institutions look like a card. */
  private readonly reversals = new Map<number, Named>()
  /** Whatever a reversal names, by exchange, transaction or STAN of ours, and what it was. */
  private readonly named = new Map<string, Ended | undefined>()
  private readonly lastEnds = new LastEnds()
  private readonly index = new MessageIndex()
  private links = new Map<number, NameRecord>()

  constructor(journal: Summed, dialects: Dialects) {
    this.journal = journal
    this.dialects = dialects
  }

  /** Before the passes: the days, of which there are few. */
  said({ code, link, seq }: Entry): void {
    const day = dayOf(code)
    if (day !== undefined) this.allDays.push({ seq, link: this.nameOf(link), day })
  }

  /** Where the passes begin, with the business days of that moment. A date that no link has named may be anywhere. */
  from(date: string | undefined): number {
    const named = this.allDays.find(({ day }) => day.date === date || day.next === date)
    const from = named === undefined ? 1 : Math.max(1, named.seq - BEFORE_MAX)
    for (const { day, link, seq } of this.allDays) if (seq < from) this.days.set(link, day)
    return from
  }

  /** Takes an entry in the first pass: notes which originals its reversal names, and which end is the last. */
  note(entry: Entry): void {
    if (entry.kind !== EntryKind.queued) return this.lastEnds.take(entry)
    const whole = secretRest(entry.secret)
    const codec = this.read(whole.length > 0 ? { ...entry, message: whole } : entry)
    if (codec === undefined || mtiClass(this.index.mti) !== "reversal") return
    const keys = this.keysOf(entry, codec)
    this.reversals.set(entry.seq, { keys, ...this.undoes(codec.layout) })
    for (const key of keys) this.named.set(key, undefined)
  }

  /** Takes an entry in the second pass: counts what it opens or ends. */
  take(entry: Entry): void {
    const { exchange, kind } = entry
    switch (kind) {
      case EntryKind.day: {
        const day = dayOf(entry.code)
        if (day !== undefined) this.days.set(this.nameOf(entry.link), day)
        return
      }
      case EntryKind.accepted:
        return this.begin(entry, this.nameOf(entry.link), entry.code)
      case EntryKind.queued:
        return this.queued(entry)
      case EntryKind.answered:
        return this.answered(entry)
      case EntryKind.timedOut:
        return this.end(exchange, "unknown")
      case EntryKind.notSent:
        return this.end(exchange, "declined")
      case EntryKind.acknowledged:
        return this.undoing.has(exchange) ? this.undone(entry) : this.end(exchange, "approved")
      case EntryKind.declined:
        return this.end(exchange, "declined")
      case EntryKind.abandoned:
        if (this.lastEnds.isLast(entry)) this.end(exchange, "unknown")
    }
  }

  report(date: string | undefined): TotalsReport {
    for (const exchange of this.open.keys()) this.end(exchange, "open")
    const days = [...this.days].map(([link, { date, next }]) => ({
      link,
      date,
      next,
      state: next === "" ? "open" : "closing"
    }))
    return { days, ...this.sums.report(this.days, date) }
  }

  /** Indexes the entry's message; its codec, or `undefined` when it cannot be read. */
  private read({ link, message }: Entry): Codec | undefined {
    const codec = this.codecOf(link)
    const isRead =
      codec !== undefined && message.length > 0 && codec.index(message, 0, message.length, this.index) === undefined
    return isRead ? codec : undefined
  }

  private nameRecord(link: number): NameRecord | undefined {
    if (!this.links.has(link)) this.links = new Map(this.journal.names().map((name) => [name.id, name]))
    return this.links.get(link)
  }

  private nameOf(link: number): string {
    return this.nameRecord(link)?.name ?? ""
  }

  private codecOf(link: number): Codec | undefined {
    const record = this.nameRecord(link)
    return record === undefined ? undefined : this.dialects.codec(record.dialect)
  }

  /** By what a reversal finds its original: the exchange that it is about, otherwise its transaction. */
  private keysOf({ about, code, link }: Entry, { layout }: Codec): ReadonlyArray<string> {
    if (about !== 0) return [`exchange ${about}`]
    // With STANs of ours on the way to the target, its original is known there by one as well.
    const original = sourceOf(code)?.stan === undefined ? undefined : originalOf(layout, this.index)
    const stan = original?.[layout.roles.stan]
    return [stan === undefined ? transactionOf(layout, this.index) : `own ${this.nameOf(link)} ${Number(stan)}`]
  }

  private begin(entry: Entry, from: string, to: string): void {
    const codec = this.read(entry)
    if (codec !== undefined) this.open.set(entry.seq, this.opened(codec, from, to))
  }

  private opened({ dialect, layout }: Codec, from: string, to: string): Open {
    const { index } = this
    const { roles } = layout
    const type = index.has(roles.processingCode) ? index.text(roles.processingCode).slice(0, 2) : ""
    const kind = mtiClass(index.mti)
    // Network management and reconciliation move nothing.
    const isCounted = type !== "" && (kind === "request" || kind === "advice" || kind === "reversal")
    return {
      outcomes: isCounted ? { approved: "approved", declined: "declined" } : { approved: "none", declined: "none" },
      from,
      to,
      mti: firstMti(index.mti),
      type,
      name: dialect.processingCodes?.[type]?.name ?? "",
      ...this.money(layout),
      text: ownTransactionOf(layout, index)
    }
  }

  /** Amount and currency; the 2003 edition writes both into one data element. */
  private money(layout: Layout): Pick<Open, "amount" | "currency"> {
    const { roles } = layout
    const text = (de: number) => (this.index.has(de) ? this.index.text(de) : "")
    const { amount, currency = text(roles.currency) } = amountOf(layout, text(roles.amount))
    return { amount, currency }
  }

  /** The amounts of a reversal. */
  private undoes(layout: Layout): Pick<Named, "amount" | "remains"> {
    const part = partialReversal(layout, this.index)
    if (typeof part !== "object") return { amount: this.money(layout).amount, remains: 0 }
    return { amount: amountOf(layout, part.original).amount, remains: amountOf(layout, part.remains).amount }
  }

  private queued(entry: Entry): void {
    const codec = this.read(entry)
    if (codec === undefined) return
    const from = sourceOf(entry.code)?.link ?? ""
    const opened = this.opened(codec, from, this.nameOf(entry.link))
    if (mtiClass(this.index.mti) === "reversal")
      this.undoing.set(entry.seq, { ...opened, keys: [], remains: 0, ...this.reversals.get(entry.seq) })
    else this.open.set(entry.seq, opened)
  }

  private answered(entry: Entry): void {
    const codec = this.read(entry)
    const open = this.open.get(entry.exchange)
    if (codec === undefined || open === undefined) return this.end(entry.exchange, "unknown")
    const { dialect, layout } = codec
    const isPartial = layout.answers.partialApproval.includes(entry.code)
    const settled = dateOf(settlementDigits(layout, this.index), entry.at) ?? ""
    const amount = isPartial && this.index.has(layout.roles.amount) ? this.money(layout).amount : open.amount
    const outcome = isSuccess(dialect, entry.code) ? open.outcomes.approved : open.outcomes.declined
    this.end(entry.exchange, outcome, settled, amount, ownTransactionOf(layout, this.index))
  }

  private end(exchange: number, outcome: Outcome, settled = "", amount?: number, text?: string): void {
    const open = this.open.get(exchange)
    this.undoing.delete(exchange)
    if (open === undefined) return
    this.open.delete(exchange)
    if (open.outcomes.approved === "none") return
    const sum = amount ?? open.amount
    const dates = this.datesOf(open, settled)
    this.sums.add(open, dates, outcome, sum)
    const ended: Ended = { open, dates, amount: sum, isUnknown: outcome === "unknown", left: sum, isUndone: false }
    if (outcome !== "approved" && outcome !== "unknown") return
    const keys = [`exchange ${exchange}`, text ?? open.text, `own ${open.to} ${Number(stanOf(exchange))}`]
    for (const key of keys) if (this.named.has(key)) this.named.set(key, ended)
  }

  /** A reversal was acknowledged: what it is about is taken back, once, or a part of it, on that one's date. */
  private undone({ code, exchange, link }: Entry): void {
    const { keys, remains, ...undoing } = this.undoing.get(exchange)!
    this.undoing.delete(exchange)
    const ended = keys.map((key) => this.named.get(key)).find((one) => one !== undefined)
    const dialect = this.codecOf(link)?.dialect
    const isDone = dialect !== undefined && isSuccess(dialect, code)
    if (ended === undefined) {
      // Its original is not in this journal, or was answered otherwise. Where there was nothing to undo nothing is undone.
      const amount = Math.max(0, undoing.amount - remains)
      if (isDone) this.sums.add(undoing, this.datesOf(undoing, ""), "reversed", amount)
      return
    }
    // We and its partner have both reversed it; or no part was taken back, and all of it remains.
    if (ended.isUndone || (remains > 0 && !isDone)) return
    this.takeBack(ended, remains)
  }

  /** So much remains of what had ended. */
  private takeBack(ended: Ended, remains: number): void {
    const { amount, dates, isUnknown, left, open } = ended
    ended.left = Math.min(remains, left)
    ended.isUndone = remains === 0
    ended.isUnknown = false
    if (isUnknown) this.sums.add(open, dates, "unknown", amount, -1)
    // Of what was done in part its partner says that it was done.
    if (isUnknown && remains > 0) this.sums.add(open, dates, "approved", amount)
    this.sums.add(open, dates, isUnknown && remains === 0 ? "undone" : "reversed", left - ended.left)
  }

  private datesOf({ from, to }: Pick<Open, "from" | "to">, settled: string): readonly [string, string] {
    if (settled !== "") return [settled, settled]
    const theirs = this.days.get(to)?.date ?? ""
    return [this.days.get(from)?.date || theirs, theirs]
  }
}
