/**
 * What a message about money comes to at a partner: the verdict of its rule, the PIN, the account, and what the answer says of
 * it. Owns the ledger and the sums of the business day. Knows no connections; duplicates never get here.
 */
import { isSuccess, type MessageIndex, mtiClass } from "@jinka/codec"
import { chanceOf } from "../chance/Chance.ts"
import type { Observed } from "../dialogue/Observed.ts"
import { type Entry, Ledger, type LedgerRule, type LedgerTotals, type Posting, type Terms } from "../issuer/Ledger.ts"
import { balanceText, type Values } from "./Answers.ts"
import { codeOfRule } from "./Codes.ts"
import { DayTotals } from "./DayTotals.ts"
import { amountText, type Facts, kindOf, originalKeyOf, remainsOf } from "./Facts.ts"
import type { Zone } from "./keys/Zone.ts"
import { sized } from "./OwnMessages.ts"
import type { Conduct, PartnerPlan, Verdict } from "./PartnerPlan.ts"
import type { PartnerCount } from "./PartnerRecord.ts"
import { Pins } from "./Pins.ts"

/** What was decided about a message. */
export interface Decision {
  /** Rule of the ledger, or why it was not asked. */
  readonly rule: string
  readonly code: string
  /** What an answer has besides the code. */
  readonly own: Values
  /** RRN of the original that a reversal found. */
  readonly rrn?: string | undefined
  /** What was approved of the amount, where that is only a part. */
  readonly approved?: number
  /** The same message is decided again when it comes again. */
  readonly isOpen?: boolean
}

const APPROVAL_DIGITS = 6

/** The authorizer of one partner. */
export class Authorizer {
  readonly day = new DayTotals()
  private plan: PartnerPlan
  private readonly settlementDate: () => string
  private readonly count: PartnerCount
  private readonly ledger: Ledger
  private readonly pins = new Pins()

  constructor(
    plan: PartnerPlan,
    count: PartnerCount,
    settlementDate: () => string,
    onPosting: (posting: Posting) => void
  ) {
    this.plan = plan
    this.count = count
    this.settlementDate = settlementDate
    this.ledger = new Ledger(termsOf(plan), onPosting)
  }

  /** Other accounts from now on; what is booked stays. */
  replan(plan: PartnerPlan): void {
    this.plan = plan
    this.ledger.change(termsOf(plan))
  }

  /** A new business day: its limits and sums start again. */
  startDay(): void {
    this.ledger.startDay()
    this.day.startDay()
  }

  /** Sums so far. */
  totals(): LedgerTotals {
    return this.ledger.totals()
  }

  /** A request, advice, reversal or notice that is heard for the first time. */
  decide(message: Observed, facts: Facts, key: string, conduct: Conduct | undefined, zone: Zone): Decision {
    const { dialect, layout } = this.plan.form.codec
    const { index } = message
    const kindOfClass = mtiClass(index.mti)
    if (kindOfClass === "unknown") return this.refused("unknown", dialect.refusal.formatError)
    if (kindOfClass === "reversal") return this.reverse(message, conduct)
    if (kindOfClass === "notice") return { rule: "noEffect", code: layout.answers.approved, own: {} }
    const isAdvice = kindOfClass === "advice"
    const kind = kindOf(layout, index)
    const verdict = verdictFor(conduct, !isAdvice && (kind === "purchase" || kind === "preAuthorisation"))
    if (kind === undefined && verdict._tag === "ledger") {
      return this.refused("unknown", codeOfRule(dialect, "notSupported"))
    }
    const entry: Entry = {
      key,
      rrn: index.text(layout.roles.rrn),
      kind: kind ?? "balanceInquiry",
      pan: facts.card,
      amount: verdict._tag === "part" ? partOf(facts.amount, verdict.percent) : facts.amount,
      original: originalKeyOf(layout, index),
      isDone: isAdvice || verdict._tag === "approve"
    }
    if (verdict._tag === "decline") {
      this.ledger.decline(entry)
      this.count.declined++
      return { rule: "declined", code: verdict.code, own: {}, isOpen: isAdvice }
    }
    const pinRule =
      !isAdvice && verdict._tag !== "approve" ? this.pins.judge(this.plan, zone, message, facts.card) : undefined
    if (pinRule === undefined) return this.post(entry, index, verdict)
    this.ledger.decline(entry)
    return this.refused(pinRule, codeOfRule(dialect, pinRule))
  }

  private post(entry: Entry, index: MessageIndex, verdict: Verdict): Decision {
    const { codec } = this.plan.form
    const { dialect, layout } = codec
    const rule: LedgerRule = this.ledger.post(entry)
    const found = codeOfRule(dialect, rule)
    const isPartly = verdict._tag === "part" && isSuccess(dialect, found)
    const approved = verdict._tag === "approve" && isSuccess(dialect, found) ? (verdict.code ?? found) : found
    const code = isPartly ? layout.answers.partialApproval[0]! : approved
    if (!isSuccess(dialect, code)) {
      this.count.declined++
      return { rule, code, own: {} }
    }
    this.count.approved++
    this.day.approved(codec, index, entry.key, entry.amount)
    const own: { [de: number]: string } = { [layout.roles.settlementDate]: this.settlementDate() }
    if (isPartly) own[layout.roles.amount] = amountText(layout, index, entry.amount)
    if (mtiClass(index.mti) === "request") own[layout.roles.approvalCode] = this.approvalCode(entry)
    if (entry.kind === "balanceInquiry") {
      const balance = balanceText(codec, this.ledger.available(entry.pan), index)
      if (balance !== undefined) own[layout.roles.additionalAmounts] = balance
    }
    return { rule, code, own, ...(isPartly ? { approved: entry.amount } : {}) }
  }

  private reverse({ index }: Observed, conduct: Conduct | undefined): Decision {
    const { dialect, layout } = this.plan.form.codec
    if (conduct?.verdict._tag === "decline") {
      return { rule: "declined", code: conduct.verdict.code, own: {}, isOpen: true }
    }
    this.count.reversals++
    const original = originalKeyOf(layout, index) ?? ""
    const remains = remainsOf(layout, index)
    const { rule, rrn } = this.ledger.reverse(original, remains)
    if (rule === "undone") this.day.reversed(original, remains)
    const isApproved = conduct?.verdict._tag === "approve"
    return {
      rule,
      code: isApproved ? (conduct.verdict.code ?? layout.answers.approved) : codeOfRule(dialect, rule),
      own: { [layout.roles.settlementDate]: this.settlementDate() },
      rrn
    }
  }

  private refused(rule: string, code: string): Decision {
    this.count.declined++
    return { rule, code, own: {} }
  }

  private approvalCode({ key }: Entry): string {
    const { codec } = this.plan.form
    const digits = chanceOf(this.plan.seed, "approval", key).digits(APPROVAL_DIGITS)
    return sized(codec, codec.layout.roles.approvalCode, digits)
  }
}

/** A part can be approved only of what a request takes. */
const verdictFor = (conduct: Conduct | undefined, isTaking: boolean): Verdict => {
  const verdict = conduct?.verdict ?? { _tag: "ledger" }
  return verdict._tag === "part" && !isTaking ? { _tag: "ledger" } : verdict
}

/** Whole minor units, and never nothing of something. */
const partOf = (amount: number, percent: number): number =>
  Math.max(Math.min(amount, 1), Math.floor((amount * percent) / 100))

const termsOf =
  ({ accounts }: PartnerPlan): Terms =>
  (pan) =>
    accounts.cards.get(pan) ?? accounts.others
