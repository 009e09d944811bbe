/**
 * What a partner and the far side tell each other besides money: sign-on, sign-off, echo, cut-over, totals and keys, whoever
 * begins. Owns its own messages, when they are due, and who is signed on; the ledger's day is its owner's.
 */
import { isSuccess } from "@jinka/codec"
import type { Observed } from "../dialogue/Observed.ts"
import type { Connection, Timepiece } from "../partner/Session.ts"
import { answerTo, type Values } from "./Answers.ts"
import type { DayTotals } from "./DayTotals.ts"
import type { Deliveries } from "./Deliveries.ts"
import { type Facts, meaningOf } from "./Facts.ts"
import { type KeyAnswer, KeyTalk } from "./KeyTalk.ts"
import { type Asked, OwnMessages } from "./OwnMessages.ts"
import type { Conduct, PartnerPlan, PlannedRule, Scheduled } from "./PartnerPlan.ts"
import type { PartnerCount, PartnerRecord } from "./PartnerRecord.ts"
import { Timetable } from "./Timetable.ts"
import type { WorkingKeys } from "./WorkingKeys.ts"

/** What it needs of its partner. */
export interface Talker {
  readonly time: Timepiece
  readonly record: PartnerRecord
  readonly count: PartnerCount
  readonly deliveries: Deliveries
  readonly keys: WorkingKeys
  readonly day: DayTotals
  /** A new business day begins. */
  readonly startDay: () => void
}

/** See above. */
export class NetworkTalk {
  private readonly of: Talker
  private readonly live = new Map<number, { readonly connection: Connection<Buffer>; isSignedOn: boolean }>()
  private plan: PartnerPlan
  private own: OwnMessages
  private talk: KeyTalk | undefined
  private timetable: Timetable
  private say: (message: Buffer) => boolean = () => false

  constructor(plan: PartnerPlan, of: Talker) {
    this.of = of
    this.plan = plan
    this.own = new OwnMessages(plan)
    this.talk = this.talkOf(plan)
    this.timetable = new Timetable(plan, of.time)
  }

  private talkOf(plan: PartnerPlan): KeyTalk | undefined {
    const { keys, time } = this.of
    return plan.keyPlan === undefined ? undefined : new KeyTalk(plan, plan.keyPlan, keys, this.own, time)
  }

  /** How messages of our own leave; given once the link is there. */
  speakBy(say: (message: Buffer) => boolean): void {
    this.say = say
  }

  /** Another plan from now on. */
  replan(plan: PartnerPlan): void {
    this.plan = plan
    this.own = new OwnMessages(plan)
    this.talk = this.talkOf(plan)
    this.timetable = new Timetable(plan, this.of.time)
  }

  /** Connections that are up. */
  get connections(): number {
    return this.live.size
  }

  /** Whether requests may come on a connection. */
  isSignedOn(epoch: number): boolean {
    return this.live.get(epoch)?.isSignedOn !== false
  }

  /** A connection is up. */
  up(connection: Connection<Buffer>): void {
    this.live.set(connection.epoch, { connection, isSignedOn: !this.plan.signOn.isExpected })
    this.of.record.link("linkUp", connection.epoch)
    if (this.plan.signOn.isSent) this.begin({ act: "sign-on" }, (message) => connection.send(message))
  }

  /** It has fallen. */
  down({ epoch }: Connection<Buffer>): void {
    this.live.delete(epoch)
  }

  /** Says what is due, and gives up what was not answered. */
  tick(now: number): void {
    const localMs = this.of.time.wall() + this.plan.utcOffsetMs
    for (const scheduled of this.timetable.due(now, localMs)) this.begin(scheduled, this.say)
    for (const { act } of this.own.overdue(now - this.plan.signOn.timeoutMs)) {
      this.of.count.unanswered++
      if (act !== "sign-on") continue
      for (const { connection } of this.live.values()) connection.close("sign-on was not answered")
    }
  }

  /** Signs off, if we signed on. */
  finish(): void {
    if (this.plan.signOn.isSent && this.live.size > 0) this.begin({ act: "sign-off" }, this.say)
  }

  /** Sign-on, sign-off, echo, cut-over and what else is network management: taken, unless a rule says otherwise. */
  manage(connection: Connection<Buffer>, message: Observed, facts: Facts, rule: PlannedRule | undefined): void {
    const { dialect, layout } = this.plan.form.codec
    const meaning = meaningOf(dialect, message.index)
    const conduct = rule?.conduct
    const isLost = conduct?.silence === "lost"
    const key = isLost ? undefined : this.talk?.heard(message, conduct)
    if (key !== undefined) return this.exchanged(connection, key, conduct, facts.mti)
    if (conduct?.silence !== undefined) {
      this.of.count.ignored++
      return
    }
    const verdict = conduct?.verdict
    const code = verdict?._tag === "decline" ? verdict.code : layout.answers.accepted
    const here = this.live.get(connection.epoch)
    if (verdict?._tag !== "decline") {
      if (meaning === "signOn") {
        this.of.count.signOns++
        if (here !== undefined) here.isSignedOn = true
        this.of.record.link("signedOn", connection.epoch, "partner")
      }
      if (meaning === "signOff") {
        if (here !== undefined) here.isSignedOn = !this.plan.signOn.isExpected
        this.of.record.link("signedOff", connection.epoch, "partner")
      }
      if (meaning === "cutoverStart") this.cutOver(connection.epoch)
    }
    this.of.deliveries.deliver(connection, answerTo(this.plan.form.codec, message, code, {}), conduct, facts.mti)
  }

  /** A key message is answered; a key that was asked for goes behind the answer. */
  private exchanged(
    connection: Connection<Buffer>,
    { answer, give, says, seal, what }: KeyAnswer,
    conduct: Conduct | undefined,
    mti: string
  ): void {
    this.of.record.link(what, connection.epoch, says)
    if (what !== "keyRefused" && give.length === 0) this.of.count.keys++
    this.of.deliveries.deliver(connection, answer, conduct, mti, seal)
    if (conduct?.silence !== undefined) return
    for (const kind of give) this.sayKey(this.talk!.give(kind, undefined), (message) => connection.send(message))
  }

  private sayKey(message: Buffer | string, say: (message: Buffer) => unknown): void {
    if (typeof message === "string") this.of.record.link("mismatch", 0, message)
    else say(message)
  }

  /** A new business day: settlement date, day's limits and totals begin anew. */
  private cutOver(epoch: number): void {
    this.of.count.cutOvers++
    this.of.record.link("cutOver", epoch, this.of.day.text)
    this.of.startDay()
  }

  /** Totals of the far side against ours. */
  reconcile(connection: Connection<Buffer>, message: Observed, facts: Facts, rule: PlannedRule | undefined): void {
    const { codec } = this.plan.form
    const { code, fields, isEqual } = this.of.day.compared(codec, message.index)
    this.of.record.link("totals", connection.epoch, `${isEqual ? "equal" : "different"}: ${this.of.day.text}`)
    const verdict = rule?.conduct.verdict
    const said = verdict?._tag === "decline" ? verdict.code : code
    const answer = answerTo(codec, message, said, fields as Values)
    this.of.deliveries.deliver(connection, answer, rule?.conduct, facts.mti)
  }

  /** An answer: to a message of ours, or to nothing; then false. */
  answered(connection: Connection<Buffer>, message: Observed): boolean {
    const asked: Asked | undefined = this.own.answered(message.index)
    if (asked === undefined) return false
    this.answeredTo(asked, connection, message)
    return true
  }

  private answeredTo(asked: Asked, connection: Connection<Buffer>, message: Observed): void {
    const { dialect, layout } = this.plan.form.codec
    const code = message.index.text(layout.roles.responseCode)
    const isTaken = isSuccess(dialect, code) || code === layout.answers.accepted
    switch (asked.act) {
      case "sign-on":
        if (!isTaken) return connection.close("sign-on was refused")
        return this.of.record.link("signedOn", connection.epoch, "own")
      case "sign-off":
        return this.of.record.link("signedOff", connection.epoch, "own")
      case "cut-over":
        return isTaken
          ? this.cutOver(connection.epoch)
          : this.of.record.link("cutOver", connection.epoch, `refused, ${code}`)
      case "totals":
        return this.of.record.link("totals", connection.epoch, `answered ${code}: ${this.of.day.text}`)
      case "echo":
        return this.of.record.link("echo", connection.epoch, `answered ${code}`)
      case "key change":
      case "key request": {
        const became = this.talk?.answered(asked, message, isTaken, code)
        if (became === undefined) return
        if (became.what !== "keyRefused") this.of.count.keys++
        return this.of.record.link(became.what, connection.epoch, became.says)
      }
    }
  }

  /** Says something of our own. */
  private begin(
    { act, of, wrong }: Pick<Scheduled, "act"> & Partial<Scheduled>,
    say: (message: Buffer) => unknown
  ): void {
    if (act === "key change" || act === "key request") {
      for (const kind of of === undefined ? (this.plan.keyPlan?.of ?? []) : [of]) {
        const message = act === "key change" ? this.talk?.give(kind, wrong) : this.talk?.ask(kind)
        if (message !== undefined) this.sayKey(message, say)
      }
      return
    }
    const more = act === "totals" ? this.of.day.fields(this.plan.form.codec) : {}
    const message = this.own.make(act, this.of.time.wall(), this.of.time.monotonic(), more)
    if (typeof message === "string") this.of.record.link("mismatch", 0, message)
    else say(message)
  }
}
