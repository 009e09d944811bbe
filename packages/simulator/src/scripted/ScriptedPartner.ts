/**
 * A partner that plays its plan: takes what comes, keeps its ledger, answers as the accounts and the first fitting rule say, and
 * says by itself what its schedule has.
 *
 * Owns the order of things for one message: duplicate, rule, ledger, answer, delivery. Knows no sockets and no clock; a plan
 * may be changed while it plays.
 */
import {
  explain,
  isRequest,
  isSuccess,
  type MessageIndex,
  mtiClass,
  mtiText,
  writeAdditionalAmounts
} from "@jinka/codec"
import { chanceOf } from "../chance/Chance.ts"
import type { Observed } from "../dialogue/Observed.ts"
import type { History } from "../history/History.ts"
import { type Entry, Ledger, type LedgerRule, type Posting, type Terms } from "../issuer/Ledger.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { answerTo, type Values } from "./Answers.ts"
import { codeOfRule } from "./Codes.ts"
import { DayTotals } from "./DayTotals.ts"
import { Deliveries } from "./Deliveries.ts"
import { carriesMac, type Facts, factsOf, isReconciliation, keyOf, kindOf, originalKeyOf } from "./Facts.ts"
import { NetworkTalk } from "./NetworkTalk.ts"
import { sized } from "./OwnMessages.ts"
import type { Conduct, PartnerPlan, PlannedRule } from "./PartnerPlan.ts"
import { noPartnerCount, PartnerRecord, type PartnerTotals } from "./PartnerRecord.ts"
import { Pins } from "./Pins.ts"
import { Rules } from "./Rules.ts"
import { WorkingKeys } from "./WorkingKeys.ts"

/** What was decided about a message. */
interface Decision {
  /** Rule of the ledger, or why it was not asked. */
  readonly rule: string
  readonly code: string
  /** What an answer has besides the code. */
  readonly own: Values
  /** RRN of the original that a reversal found. */
  readonly rrn?: string | undefined
}

/** The answer that was given to a key, for its repeats. */
interface Seen {
  arrivals: number
  answer: ReturnType<typeof answerTo> | undefined
  code: string
}

const APPROVAL_DIGITS = 6

/** One partner at work. */
export class ScriptedPartner implements Session<Observed, Buffer> {
  private plan: PartnerPlan
  private readonly time: Timepiece
  private readonly record: PartnerRecord
  private readonly ledger: Ledger
  private readonly day = new DayTotals()
  private readonly pins = new Pins()
  private readonly seen = new Map<string, Seen>()
  private readonly count = noPartnerCount()
  private readonly deliveries: Deliveries
  private readonly keys: WorkingKeys
  private readonly network: NetworkTalk
  private rules: Rules
  private daysAhead = 0

  constructor(plan: PartnerPlan, history: History, time: Timepiece, onPosting: (posting: Posting) => void) {
    this.plan = plan
    this.time = time
    this.record = new PartnerRecord(history, time)
    this.ledger = new Ledger(termsOf(plan), (posting) => {
      this.day.add(posting)
      onPosting(posting)
    })
    this.keys = new WorkingKeys(plan)
    this.rules = new Rules(plan.rules, plan.seed)
    this.deliveries = new Deliveries(plan, this.keys, time, this.record, this.count)
    const { count, day, deliveries, keys, record } = this
    this.network = new NetworkTalk(plan, {
      time,
      record,
      count,
      deliveries,
      keys,
      day,
      startDay: () => this.startDay()
    })
  }

  /** How messages of our own leave; given once the link is there. */
  speakBy(say: (message: Buffer) => boolean): void {
    this.network.speakBy(say)
  }

  /** Another plan from now on: rules, accounts, schedule and times. The ledger and what was seen stay. */
  replan(plan: PartnerPlan): void {
    this.plan = plan
    this.ledger.change(termsOf(plan))
    this.keys.replan(plan)
    this.network.replan(plan)
    this.rules = new Rules(plan.rules, plan.seed)
    this.deliveries.replan(plan)
  }

  /** Counters and sums so far. */
  totals(): PartnerTotals {
    return {
      ...this.count,
      connections: this.network.connections,
      waiting: this.deliveries.size,
      ledger: this.ledger.totals()
    }
  }

  linkUp(connection: Connection<Buffer>): void {
    this.count.links++
    this.network.up(connection)
  }

  linkDown(connection: Connection<Buffer>, reason: string): void {
    this.network.down(connection)
    this.deliveries.forget(connection.epoch)
    this.record.link("linkDown", connection.epoch, reason)
  }

  received(connection: Connection<Buffer>, message: Observed): void {
    const { index, wrong } = message
    if (wrong !== undefined) return this.unmatched(connection, index, explain(wrong))
    if (!isRequest(index.mti)) {
      if (!this.network.answered(connection, message)) this.unmatched(connection, index, "it answers nothing of ours")
      return
    }
    this.count.received++
    const { layout } = this.plan.form.codec
    const facts = factsOf(layout, message)
    const key = keyOf(layout, index)
    const rule = this.rules.find(facts, key, this.localMs())
    if (mtiClass(index.mti) === "networkManagement") return this.network.manage(connection, message, facts, rule)
    if (isReconciliation(index.mti)) return this.network.reconcile(connection, message, facts, rule)
    this.accept(connection, message, facts, key, rule)
  }

  tick(): void {
    const now = this.time.monotonic()
    this.deliveries.tick(now)
    this.network.tick(now)
  }

  /** The last thing before the links are closed: signs off if we signed on. */
  finish(): void {
    this.network.finish()
  }

  /** A new business day: settlement date, day's limits and totals begin anew. */
  private startDay(): void {
    this.daysAhead++
    this.ledger.startDay()
    this.day.startDay()
  }

  private localMs(): number {
    return this.time.wall() + this.plan.utcOffsetMs
  }

  /** What every request, advice, reversal and notice goes through. */
  private accept(
    connection: Connection<Buffer>,
    message: Observed,
    facts: Facts,
    key: string,
    rule: PlannedRule | undefined
  ): void {
    const name = `${mtiText(message.index.mti).slice(0, 3)} ${key}`
    const seen = this.seen.get(name) ?? { arrivals: 0, answer: undefined, code: "" }
    seen.arrivals++
    this.seen.set(name, seen)
    this.countArrival(connection, message, facts, key, seen)
    const conduct = rule?.conduct
    if (conduct?.silence === "lost") {
      this.count.ignored++
      this.record.received(connection.epoch, this.about(message, facts, key), {
        rule: "ignored",
        arrival: seen.arrivals,
        answer: "ignored",
        place: rule?.place
      })
      return
    }
    const decision = seen.answer === undefined ? this.decide(connection, message, facts, key, conduct) : repeated(seen)
    const answer = seen.answer ?? answerTo(this.plan.form.codec, message, decision.code, decision.own)
    seen.answer = answer
    seen.code = decision.code
    this.record.received(connection.epoch, this.about(message, facts, key), {
      ...decision,
      arrival: seen.arrivals,
      answer: conduct?.silence === "answer" ? "dropped" : this.deliveries.isLater(conduct) ? "delayed" : "sent",
      place: rule?.place,
      isApproved: isSuccess(this.plan.form.codec.dialect, decision.code),
      day: String(answer.fields[this.plan.form.codec.layout.roles.settlementDate] ?? "")
    })
    this.deliveries.deliver(connection, answer, conduct, key)
  }

  private countArrival(connection: Connection<Buffer>, message: Observed, facts: Facts, key: string, seen: Seen): void {
    if (seen.arrivals < 2) return
    if (facts.isRepeat) this.count.repeats++
    else {
      this.count.doubled++
      this.record.doubled(connection.epoch, this.about(message, facts, key))
    }
  }

  private decide(
    { epoch }: Connection<Buffer>,
    message: Observed,
    facts: Facts,
    key: string,
    conduct: Conduct | undefined
  ): Decision {
    const { dialect, layout } = this.plan.form.codec
    const { index } = message
    const kindOfClass = mtiClass(index.mti)
    if (!this.network.isSignedOn(epoch)) return this.refused("notSignedOn", dialect.refusal.notSignedOn)
    if (this.hasWrongMac(message)) return this.refused("macWrong", dialect.refusal.macFailed)
    if (kindOfClass === "unknown") return this.refused("unknown", dialect.refusal.formatError)
    if (kindOfClass === "reversal") return this.reverse(message, conduct)
    const isAsked = kindOfClass === "request"
    const verdict = conduct?.verdict ?? { _tag: "ledger" }
    const kind = kindOf(layout, index)
    if (kindOfClass === "notice") return { rule: "noEffect", code: this.approved(), own: {} }
    if (kind === undefined && verdict._tag === "ledger") {
      return this.refused("unknown", codeOfRule(dialect, "notSupported"))
    }
    const entry: Entry = {
      key,
      rrn: index.text(layout.roles.rrn),
      kind: kind ?? "balanceInquiry",
      pan: facts.card,
      amount: facts.amount,
      original: originalKeyOf(layout, index),
      isDone: kindOfClass === "advice" || verdict._tag === "approve"
    }
    if (verdict._tag === "decline") {
      this.ledger.decline(entry)
      this.count.declined++
      return { rule: "declined", code: verdict.code, own: {} }
    }
    const pinRule =
      isAsked && verdict._tag === "ledger"
        ? this.pins.judge(this.plan, this.keys, message, facts.card, this.time.monotonic())
        : undefined
    if (pinRule === undefined) return this.post(entry, index)
    this.ledger.decline(entry)
    return this.refused(pinRule, codeOfRule(dialect, pinRule))
  }

  private post(entry: Entry, index: MessageIndex): Decision {
    const { dialect, layout } = this.plan.form.codec
    const rule: LedgerRule = this.ledger.post(entry)
    const code = codeOfRule(dialect, rule)
    if (!isSuccess(dialect, code)) {
      this.count.declined++
      return { rule, code, own: {} }
    }
    this.count.approved++
    const own: OwnValues = { [layout.roles.settlementDate]: this.settlementDate() }
    if (mtiClass(index.mti) === "request") own[layout.roles.approvalCode] = this.approvalCode(entry)
    if (entry.kind === "balanceInquiry") {
      const balance = this.balance(entry.pan, index)
      if (balance !== undefined) own[layout.roles.additionalAmounts] = balance
    }
    return { rule, code, own }
  }

  private reverse({ index }: Observed, conduct: Conduct | undefined): Decision {
    const { dialect, layout } = this.plan.form.codec
    if (conduct?.verdict._tag === "decline") return { rule: "declined", code: conduct.verdict.code, own: {} }
    this.count.reversals++
    const { rule, rrn } = this.ledger.reverse(originalKeyOf(layout, index) ?? "")
    const own = { [layout.roles.settlementDate]: this.settlementDate() }
    return { rule, code: conduct?.verdict._tag === "approve" ? this.approved() : codeOfRule(dialect, rule), own, rrn }
  }

  private hasWrongMac(message: Observed): boolean {
    const { form, macKey } = this.plan
    if (macKey === undefined || !carriesMac(form.codec.dialect, message.index.mti)) return false
    return this.keys.isMacWrong(message, this.time.monotonic())
  }

  private refused(rule: string, code: string): Decision {
    this.count.declined++
    return { rule, code, own: {} }
  }

  private approved(): string {
    return this.plan.form.codec.layout.answers.approved
  }

  private about({ index }: Observed, facts: Facts, key: string) {
    const { layout } = this.plan.form.codec
    return {
      mti: facts.mti,
      key,
      rrn: index.text(layout.roles.rrn),
      amount: facts.amount,
      card: facts.card,
      kind: mtiClass(index.mti) === "reversal" ? undefined : kindOf(layout, index),
      original: originalKeyOf(layout, index)
    }
  }

  private unmatched(connection: Connection<Buffer>, index: MessageIndex, reason: string): void {
    this.count.unmatched++
    this.record.unmatched(connection.epoch, mtiText(index.mti), reason)
  }

  /** MMDD in 1987, with the year before it in the later editions. */
  private settlementDate(): string {
    const { codec } = this.plan.form
    const date = new Date(this.localMs() + this.daysAhead * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "")
    const units = codec.layout.fields[codec.layout.roles.settlementDate]?.units ?? date.length
    return date.slice(-units)
  }

  private approvalCode({ key }: Entry): string {
    const { codec } = this.plan.form
    const digits = chanceOf(this.plan.seed, "approval", key).digits(APPROVAL_DIGITS)
    return sized(codec, codec.layout.roles.approvalCode, digits)
  }

  /** Available balance: account type 10, amount type 02 (ISO 8583:1987 and 1993, additional amounts). */
  private balance(pan: string, index: MessageIndex): string | undefined {
    const { dialect, layout } = this.plan.form.codec
    const currency = index.text(layout.roles.currency)
    if (dialect.version > 1 || currency.length !== 3) return undefined
    const minor = BigInt(this.ledger.available(pan))
    return writeAdditionalAmounts([{ accountType: "10", amountType: "02", currency, minor, isDebit: minor < 0n }])
  }
}

type OwnValues = { [de: number]: string }

const repeated = ({ code }: Seen): Decision => ({ rule: "storedAnswer", code, own: {} })

const termsOf =
  ({ accounts }: PartnerPlan): Terms =>
  (pan) =>
    accounts.cards.get(pan) ?? accounts.others
