/**
 * The comparison of totals with partners: a link that answers their messages (`businessDay.reconcile`) holds the totals in them
 * against those of the journal, and says what came of it.
 *
 * The sums are made beside the work, one message of a link at a time, and are those of `jinka totals`. A partner that is the
 * acquirer (0500, 0520) is held against what came from it, one that is the issuer (0502, 0522) against what went to it. Nothing
 * is remembered: a repeat is compared again.
 */
import {
  isIssuers,
  isReconciliation,
  isRequest,
  MessageIndex,
  mtiText,
  noTotals,
  type Reconciliation,
  type Totals,
  totalsKindOf
} from "@jinka/codec"
import { Effect } from "effect"
import type { JournalError } from "../../journal/JournalError.ts"
import { compared, totalsAnswer } from "../../message/Reconciliation.ts"
import { dateOf, settlementDigits } from "../../message/SettlementDate.ts"
import type { Desk } from "../Desk.ts"
import type { Desks } from "../Desks.ts"
import type { Refusals } from "../entry/Refusals.ts"
import type { WayOut } from "../gate/WayOut.ts"

interface Sum {
  readonly count: number
  readonly amount: number
}

/** One type of transaction of one link on one business day, as far as it is compared. */
export interface DayRow {
  readonly link: string
  readonly side: "from" | "to"
  readonly date: string
  readonly mti: string
  readonly type: string
  readonly currency: string
  readonly approved: Sum
  readonly reversed: Sum
  readonly unknown: Sum
  readonly undone: Sum
  readonly open: Sum
}

/** What sums the journal up for a business day. */
export type SumUp = (date: string) => Effect.Effect<{ readonly rows: ReadonlyArray<DayRow> }, JournalError>

/** How a comparison came out: what the partner hears, and what an operator does. */
interface Verdict {
  readonly what: "inBalance" | "outOfBalance" | "notKnown"
  readonly says: string
}

/** Digits in groups: an event holds no run of digits that may be a card number. */
const grouped = (value: number): string => value.toLocaleString("en")

/** See above. */
export class Reconciliations {
  /** Sums the journal up; `undefined`: nobody does, and no totals are known. */
  sumUp: SumUp | undefined = undefined
  private readonly desks: Desks
  private readonly wayOut: WayOut
  private readonly refusals: Refusals
  /** Links whose totals are being summed up. */
  private readonly underWay = new Set<Desk>()

  constructor(desks: Desks, wayOut: WayOut, refusals: Refusals) {
    this.desks = desks
    this.wayOut = wayOut
    this.refusals = refusals
  }

  /** A message of the partner. False: it compares no totals, or goes where a route says. */
  received(desk: Desk, epoch: number, index: MessageIndex): boolean {
    if (!isReconciliation(index.mti) || !isRequest(index.mti) || desk.day?.settings.reconcile !== "answer") return false
    const { codec } = desk.link.settings
    const rules = codec.dialect.reconciliation
    if (rules === undefined) return false
    if (!desk.link.isSignedOn) this.refusals.refuse(desk, epoch, index, "notSignedOn")
    else if (this.underWay.has(desk)) this.refusals.refuse(desk, epoch, index, "malfunction")
    else this.begin(desk, epoch, rules, Buffer.from(index.buffer.subarray(index.start, index.end)))
    return true
  }

  private begin(desk: Desk, epoch: number, rules: Reconciliation, bytes: Buffer): void {
    const { codec } = desk.link.settings
    const index = new MessageIndex()
    codec.index(bytes, 0, bytes.length, index)
    this.underWay.add(desk)
    this.desks.runtime.fork(
      this.verdict(desk, rules, index).pipe(
        Effect.map(({ says, what }) => {
          const text = `${mtiText(index.mti)} of the partner: ${says}`
          if (what === "inBalance") this.desks.note(desk, epoch, text, "info")
          else this.desks.alarm(desk, epoch, text)
          this.wayOut.send(desk, epoch, totalsAnswer(codec, rules, index, what))
          this.desks.flush()
        }),
        Effect.ensuring(Effect.sync(() => this.underWay.delete(desk)))
      )
    )
  }

  private verdict(desk: Desk, rules: Reconciliation, index: MessageIndex): Effect.Effect<Verdict> {
    const { codec } = desk.link.settings
    const digits = settlementDigits(codec.layout, index)
    const date = digits === "" ? desk.day?.now.date : dateOf(digits, this.desks.wallMs)
    const notKnown = (says: string): Verdict => ({ what: "notKnown", says: `its totals were not compared: ${says}` })
    if (date === undefined) return Effect.succeed(notKnown("its settlement date does not exist"))
    if (date === "") return Effect.succeed(notKnown("it has no date, and the business day is not known"))
    if (this.sumUp === undefined) return Effect.succeed(notKnown("nothing sums the journal up"))
    return this.sumUp(date).pipe(
      Effect.map(({ rows }) => this.held(desk, rules, index, date, rows)),
      Effect.catch(({ message }) => Effect.succeed(notKnown(message)))
    )
  }

  private held(
    desk: Desk,
    rules: Reconciliation,
    index: MessageIndex,
    date: string,
    all: ReadonlyArray<DayRow>
  ): Verdict {
    const { codec } = desk.link.settings
    const side = isIssuers(index.mti) ? "to" : "from"
    const { currency } = codec.layout.roles
    const asked = codec.layout.fields[currency] !== undefined && index.has(currency) ? index.text(currency) : ""
    const rows = all.filter(
      (row) =>
        row.link === desk.name && row.side === side && row.date === date && (asked === "" || row.currency === asked)
    )
    const day = `totals of ${date}`
    const currencies = new Set(rows.map((row) => row.currency))
    if (currencies.size > 1) {
      const says = `${day} were not compared: they are in ${[...currencies].join(", ")}, and the message names none`
      return { what: "notKnown", says }
    }
    const result = compared(codec, rules, index, this.totals(rules, rows))
    if (result === "none") return { what: "notKnown", says: `${day} were not compared: the message says none` }
    const { count, different } = result
    if (different.length === 0)
      return { what: "inBalance", says: `${day} are in balance, ${count} counts and amounts compared` }
    const told = different.map(({ name, ours, theirs }) => `${name}: ${grouped(theirs)} there, ${grouped(ours)} here`)
    return { what: "outOfBalance", says: `${day} are out of balance: ${[...told, ...hints(rows)].join("; ")}` }
  }

  /** What was approved, also what was taken back since, and that once more by itself. */
  private totals(rules: Reconciliation, rows: ReadonlyArray<DayRow>): Totals {
    const totals = noTotals()
    for (const { approved, mti, reversed, type } of rows) {
      const kind = totalsKindOf(rules, Number(mti), type)
      if (kind === undefined) continue
      const sums = totals[kind]
      sums.number += approved.count
      sums.amount += approved.amount
      sums.reversals += reversed.count
      sums.reversedAmount += reversed.amount
    }
    return totals
  }
}

/** What may be why totals differ. */
const hints = (rows: ReadonlyArray<DayRow>): ReadonlyArray<string> => {
  const of = (name: "unknown" | "undone" | "open") => rows.reduce((sum, row) => sum + row[name].count, 0)
  return [
    ...(of("unknown") === 0 ? [] : [`${of("unknown")} of unknown outcome`]),
    ...(of("undone") === 0 ? [] : [`${of("undone")} without an answer, taken back`]),
    ...(of("open") === 0 ? [] : [`${of("open")} not ended yet`])
  ]
}
