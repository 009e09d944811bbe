/**
 * A partner that plays its plan: takes what comes, keeps its ledger, answers as the accounts and the first fitting rule say, and
 * says by itself what its schedule has.
 *
 * Owns the order of things for one message: duplicate, rule, ledger, answer, delivery. Knows no sockets and no clock; a plan
 * may be changed while it plays.
 */
import { explain, isRequest, isSuccess, type MessageIndex, mtiClass, mtiText } from "@jinka/codec"
import type { Observed } from "../dialogue/Observed.ts"
import type { History } from "../history/History.ts"
import type { Posting } from "../issuer/Ledger.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { answerTo, type Values } from "./Answers.ts"
import { Authorizer, type Decision } from "./Authorizer.ts"
import { BusinessDate } from "./BusinessDate.ts"
import { Deliveries } from "./Deliveries.ts"
import { aboutOf, carriesMac, type Facts, factsOf, isReconciliation, keyOf, meaningOf } from "./Facts.ts"
import { isSameZone, Zone } from "./keys/Zone.ts"
import { OwnPart, plainly } from "./OwnPart.ts"
import type { Conduct, OwnWish, PartnerPlan, PlannedRule, Verdict } from "./PartnerPlan.ts"
import { type About, noPartnerCount, PartnerRecord, type PartnerTotals } from "./PartnerRecord.ts"
import { Rules } from "./Rules.ts"
import { Sender, sendsItself } from "./sends/Sender.ts"

/** The answer that was given to a key, for its repeats. */
interface Seen {
  arrivals: number
  answer: ReturnType<typeof answerTo> | undefined
  code: string
}

/** One partner at work. */
export class ScriptedPartner implements Session<Observed, Buffer> {
  private plan: PartnerPlan
  private readonly time: Timepiece
  private readonly record: PartnerRecord
  private readonly authorizer: Authorizer
  private readonly date: BusinessDate
  /** The last cut-over that came: it may come again. */
  private lastCutOver = ""
  private readonly seen = new Map<string, Seen>()
  private readonly live = new Map<number, { readonly connection: Connection<Buffer>; isSignedOn: boolean }>()
  private readonly count = noPartnerCount()
  private readonly deliveries: Deliveries
  private readonly own: OwnPart
  private sender: Sender | undefined
  private readonly history: History
  private zone: Zone
  private readonly rules: Rules

  constructor(plan: PartnerPlan, history: History, time: Timepiece, onPosting: (posting: Posting) => void) {
    this.plan = plan
    this.time = time
    this.history = history
    this.record = new PartnerRecord(history, time)
    this.date = new BusinessDate(() => this.localMs())
    this.authorizer = new Authorizer(plan, this.count, () => this.own.settlementDate(), onPosting)
    this.rules = new Rules(plan.rules)
    this.zone = new Zone(plan, time)
    const cutOver = (epoch: number, to: number): void => this.cutOver(epoch, to)
    this.own = new OwnPart(plan, this.zone, time, this.record, this.count, this.authorizer.day, this.date, cutOver)
    this.sender = this.senderOf(plan)
    this.deliveries = new Deliveries(plan, this.zone, time, this.record, this.count)
  }

  /** How messages of our own leave; given once the link is there. */
  speakBy(say: (message: Buffer) => boolean): void {
    this.own.say = say
  }

  /** Says something by itself, by a command. Why not, where it cannot. */
  command(wish: OwnWish): string | undefined {
    return this.own.begin(wish)
  }

  /** Another plan from now on: rules, accounts, schedule and times. The ledger and what was seen stay. */
  replan(plan: PartnerPlan): void {
    if (!isSameZone(this.plan, plan)) this.zone = new Zone(plan, this.time)
    this.zone.replan(plan)
    this.plan = plan
    this.authorizer.replan(plan)
    this.own.replan(plan, this.zone)
    this.sender = this.senderOf(plan)
    this.rules.replan(plan.rules)
    this.deliveries.replan(plan, this.zone)
  }

  /** Counters and sums so far. */
  totals(): PartnerTotals {
    return {
      ...this.count,
      connections: this.live.size,
      waiting: this.deliveries.size,
      checkValues: this.zone.shown(),
      ledger: this.authorizer.totals()
    }
  }

  linkUp(connection: Connection<Buffer>): void {
    this.count.links++
    this.live.set(connection.epoch, { connection, isSignedOn: !this.plan.signOn.isExpected })
    this.record.link("linkUp", connection.epoch)
    this.own.linkUp(connection)
  }

  linkDown(connection: Connection<Buffer>, reason: string): void {
    this.live.delete(connection.epoch)
    this.own.linkDown(connection.epoch)
    this.sender?.lost(connection.epoch)
    this.deliveries.forget(connection.epoch)
    this.record.link("linkDown", connection.epoch, reason)
  }

  received(connection: Connection<Buffer>, message: Observed): void {
    const { index, wrong } = message
    if (wrong !== undefined) return this.unmatched(connection, index, explain(wrong))
    if (!isRequest(index.mti)) {
      const wasReady = this.isReady()
      const isOurs = this.own.answered(connection, message) || this.sender?.answered(message, connection.epoch) === true
      if (!wasReady && this.isReady()) this.sender?.ready()
      return isOurs ? undefined : this.unmatched(connection, index, "it answers nothing of ours")
    }
    this.count.received++
    if (this.date.hasTurned()) this.startDay(connection.epoch)
    const { layout } = this.plan.form.codec
    const facts = factsOf(layout, message)
    const key = keyOf(layout, index)
    const rule = this.rules.find(facts, key, this.localMs(), this.plan.seed)
    if (mtiClass(index.mti) === "networkManagement") return this.manage(connection, message, facts, rule)
    if (isReconciliation(index.mti)) return this.reconcile(connection, message, facts, rule)
    this.accept(connection, message, facts, key, rule)
  }

  /** When the next thing is due that has its own time. */
  nextAt(): number {
    return Math.min(this.deliveries.nextDue, this.own.nextDue, this.sender?.nextDue ?? Number.POSITIVE_INFINITY)
  }

  tick(): void {
    const now = this.time.monotonic()
    this.deliveries.tick(now)
    this.sender?.tick(now)
    for (const epoch of this.own.tick(now)) {
      for (const { connection } of this.live.values()) {
        if (epoch === 0 || connection.epoch === epoch) connection.close("sign-on was not answered")
      }
    }
  }

  /** No new transactions of its own. */
  stopSending(): void {
    this.sender?.stop()
  }

  /** Whether nothing that it sent waits for an end. */
  get isDrained(): boolean {
    return this.sender?.isDrained ?? true
  }

  /** The last thing before the links are closed: signs off if we signed on. */
  finish(): void {
    this.sender?.finish()
    if (this.plan.signOn.isSent && this.live.size > 0) this.own.begin(plainly("sign-off"))
  }

  /** What it sends by itself; what is under way goes on under another plan. */
  private senderOf(plan: PartnerPlan): Sender | undefined {
    if (!sendsItself(plan)) return undefined
    if (this.sender !== undefined) {
      this.sender.replan(plan)
      return this.sender
    }
    const way = {
      say: (message: Buffer) => this.own.say(message),
      isReady: () => this.isReady(),
      epoch: () => this.live.keys().next().value ?? 0
    }
    return new Sender(plan, () => this.zone, this.own.messages, this.time, this.history, this.count, way)
  }

  /** Whether transactions of its own can leave: the connection that they leave on is signed on, or each has its own. */
  private isReady(): boolean {
    const { mode } = this.plan.link.mode
    if (!this.zone.isReady) return false
    if (mode === "sync-short" || mode === "async-short") return true
    const [first] = this.live
    return first?.[1].isSignedOn === true && this.own.isSignedOn(first[0])
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
    const refusal = this.refusalOf(connection.epoch, message)
    const isKnown = refusal === undefined && seen.answer !== undefined
    const decision =
      refusal ?? (isKnown ? repeated(seen) : this.authorizer.decide(message, facts, key, conduct, this.zone))
    const answer = isKnown ? seen.answer! : answerTo(this.plan.form.codec, message, decision.code, decision.own)
    // What was refused unread, or what may be decided again, is as if it had never come.
    if (refusal === undefined && decision.isOpen !== true) Object.assign(seen, { answer, code: decision.code })
    this.record.received(connection.epoch, this.about(message, facts, key), {
      ...decision,
      arrival: seen.arrivals,
      answer: leavesNever(conduct) ? "dropped" : this.deliveries.isLater(conduct) ? "delayed" : "sent",
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

  /** Why a message is refused unread: nobody has signed on, or its MAC is wrong. */
  private refusalOf(epoch: number, message: Observed): Decision | undefined {
    const { refusal } = this.plan.form.codec.dialect
    if (this.live.get(epoch)?.isSignedOn === false) return this.refused("notSignedOn", refusal.notSignedOn)
    return this.hasWrongMac(message) ? this.refused("macWrong", refusal.macFailed) : undefined
  }

  private hasWrongMac(message: Observed): boolean {
    return carriesMac(this.plan.form.codec.dialect, message.index.mti) && this.zone.hasWrongMac(message)
  }

  /** Management or totals whose MAC is wrong: nothing of it is done. */
  private refuseMac(
    connection: Connection<Buffer>,
    message: Observed,
    { mti }: Facts,
    conduct: Conduct | undefined
  ): void {
    const { code } = this.refused("macWrong", this.plan.form.codec.dialect.refusal.macFailed)
    this.record.unmatched(connection.epoch, mti, "its MAC is wrong")
    this.deliveries.deliver(connection, answerTo(this.plan.form.codec, message, code, {}), conduct, mti)
  }

  private refused(rule: string, code: string): Decision {
    this.count.declined++
    return { rule, code, own: {} }
  }

  private about({ index }: Observed, facts: Facts, key: string): About {
    return aboutOf(this.plan.form.codec.layout, index, facts, key)
  }

  /** Sign-on, sign-off, echo, cut-over and what else is network management: taken, unless a rule says otherwise. */
  private manage(connection: Connection<Buffer>, message: Observed, facts: Facts, rule: PlannedRule | undefined): void {
    const { dialect, layout } = this.plan.form.codec
    const meaning = meaningOf(dialect, message.index)
    const conduct = rule?.conduct
    const say = (bytes: Buffer): void => connection.send(bytes)
    const isLost = conduct?.silence === "lost"
    const reply = isLost ? undefined : this.own.trade?.received(message, connection.epoch, conduct, say)
    if (reply !== undefined) {
      const answer = answerTo(this.plan.form.codec, message, reply.code, reply.own, reply.keeps)
      return this.deliveries.deliver(connection, answer, conduct, facts.mti, reply.seal)
    }
    if (conduct?.silence !== undefined) {
      this.count.ignored++
      return
    }
    if (this.hasWrongMac(message)) return this.refuseMac(connection, message, facts, conduct)
    const verdict = conduct?.verdict
    const code = saidBy(verdict) ?? layout.answers.accepted
    const here = this.live.get(connection.epoch)
    if (verdict?._tag !== "decline") {
      if (meaning === "signOn") {
        this.count.signOns++
        if (here !== undefined) here.isSignedOn = true
        this.record.link("signedOn", connection.epoch, "partner")
      }
      if (meaning === "signOff") {
        if (here !== undefined) here.isSignedOn = !this.plan.signOn.isExpected
        this.record.link("signedOff", connection.epoch, "partner")
      }
      if (meaning === "cutoverStart") this.cutOverOf(connection.epoch, message.index)
    }
    this.deliveries.deliver(connection, answerTo(this.plan.form.codec, message, code, {}), conduct, facts.mti)
    if (meaning === "signOn" && verdict?._tag !== "decline") this.own.keysAtSignOn(say)
  }

  /** The cut-over of the far side: to the date that it names. */
  private cutOverOf(epoch: number, index: MessageIndex): void {
    const { layout } = this.plan.form.codec
    const key = keyOf(layout, index)
    const named = this.date.named(index.text(layout.roles.settlementDate))
    if (named === undefined && key === this.lastCutOver) return
    this.lastCutOver = key
    this.cutOver(epoch, named ?? this.date.next)
  }

  private cutOver(epoch: number, to: number): void {
    if (!this.date.cutOver(to)) return
    this.count.cutOvers++
    this.startDay(epoch)
  }

  /** A new business day: settlement date, day's limits and totals start again. */
  private startDay(epoch: number): void {
    this.record.link("cutOver", epoch, this.authorizer.day.text)
    this.authorizer.startDay()
  }

  /** Totals of the far side against ours. */
  private reconcile(
    connection: Connection<Buffer>,
    message: Observed,
    facts: Facts,
    rule: PlannedRule | undefined
  ): void {
    if (this.hasWrongMac(message)) return this.refuseMac(connection, message, facts, rule?.conduct)
    const { codec } = this.plan.form
    const { code, fields, isEqual } = this.authorizer.day.compared(codec, message.index)
    this.record.link("totals", connection.epoch, `${isEqual ? "equal" : "different"}: ${this.authorizer.day.text}`)
    const said = saidBy(rule?.conduct.verdict) ?? code
    const answer = answerTo(codec, message, said, fields as Values)
    this.deliveries.deliver(connection, answer, rule?.conduct, facts.mti)
  }

  private unmatched(connection: Connection<Buffer>, index: MessageIndex, reason: string): void {
    this.count.unmatched++
    this.record.unmatched(connection.epoch, mtiText(index.mti), reason)
  }
}

/** The code that a rule writes down, whatever would be said without it. */
const saidBy = (verdict: Verdict | undefined): string | undefined =>
  verdict?._tag === "decline" || verdict?._tag === "approve" ? verdict.code : undefined

const repeated = ({ code }: Seen): Decision => ({ rule: "storedAnswer", code, own: {} })

const leavesNever = (conduct: Conduct | undefined): boolean =>
  conduct?.silence === "answer" || conduct?.disconnect?.isAfterAnswer === false
