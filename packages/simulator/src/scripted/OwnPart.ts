/**
 * What a partner begins by itself: by its schedule, by command, at a sign-on, and in the exchange of its keys; and what the
 * answers to it mean. What comes from the far side is `ScriptedPartner`'s.
 */
import { isSuccess } from "@jinka/codec"
import type { Observed } from "../dialogue/Observed.ts"
import type { Connection, Timepiece } from "../partner/Session.ts"
import type { BusinessDate } from "./BusinessDate.ts"
import type { DayTotals } from "./DayTotals.ts"
import { exchangesKeys } from "./keys/KeyMacs.ts"
import { goodKey } from "./keys/KeyPlanFile.ts"
import { KeyTrade } from "./keys/KeyTrade.ts"
import type { Zone } from "./keys/Zone.ts"
import { OwnMessages } from "./OwnMessages.ts"
import type { OwnAct, OwnWish, PartnerPlan } from "./PartnerPlan.ts"
import type { PartnerCount, PartnerRecord } from "./PartnerRecord.ts"
import { Timetable } from "./Timetable.ts"

/** YYYYMMDD. */
const WHOLE_DATE = 8

/** Something said by itself, with nothing wrong in it. */
export const plainly = (act: OwnAct): OwnWish => ({ act, key: { kind: undefined, ...goodKey } })

/** See above. */
export class OwnPart {
  private plan: PartnerPlan
  private readonly time: Timepiece
  private readonly record: PartnerRecord
  private readonly count: PartnerCount
  private readonly day: DayTotals
  private readonly date: BusinessDate
  /** The business day that the last cut-over of ours begins. */
  private askedDay = 0
  readonly messages: OwnMessages
  private readonly signedOn = new Set<number>()
  /** Sign-ons that wait for their answer, by number, with their connection. */
  private readonly signOns = new Map<string, number>()
  private readonly timetable: Timetable
  /** The exchange of its keys, where it has one. */
  trade: KeyTrade | undefined
  /** How messages leave where no connection is meant. */
  say: (message: Buffer) => boolean = () => false
  /** The far side has agreed to a new business day: to this one. */
  private readonly cutOver: (epoch: number, to: number) => void

  constructor(
    plan: PartnerPlan,
    zone: Zone,
    time: Timepiece,
    record: PartnerRecord,
    count: PartnerCount,
    day: DayTotals,
    date: BusinessDate,
    cutOver: (epoch: number, to: number) => void
  ) {
    this.plan = plan
    this.time = time
    this.record = record
    this.count = count
    this.day = day
    this.date = date
    this.cutOver = cutOver
    this.messages = new OwnMessages(plan)
    this.timetable = new Timetable(plan, time)
    this.trade = this.tradeOf(zone)
  }

  /** Another plan from now on; numbers go on, and what waits for its answer still does. */
  replan(plan: PartnerPlan, zone: Zone): void {
    this.plan = plan
    this.messages.replan(plan)
    this.timetable.replan(plan, this.time.monotonic())
    this.trade = this.tradeOf(zone)
  }

  /** A connection is up: signs on, or begins with its keys where nobody signs on. */
  linkUp(connection: Connection<Buffer>): void {
    const say = (message: Buffer): void => connection.send(message)
    const { isExpected, isSent } = this.plan.signOn
    if (isSent) this.begin(plainly("sign-on"), say, connection.epoch)
    else if (!isExpected) this.keysAtSignOn(say)
  }

  /** Whether our sign-on of this connection was taken, or none is sent. */
  isSignedOn(epoch: number): boolean {
    return !this.plan.signOn.isSent || this.signedOn.has(epoch)
  }

  /** The connection has fallen. */
  linkDown(epoch: number): void {
    this.signedOn.delete(epoch)
    for (const [stan, of] of this.signOns) {
      if (of !== epoch) continue
      this.signOns.delete(stan)
      this.messages.forget(stan)
    }
  }

  /** All its keys, where the file wants them at each sign-on. */
  keysAtSignOn(say: (message: Buffer) => void): void {
    if (this.plan.keyPlan?.isAtSignOn === true) this.begin(plainly("key"), say)
  }

  /** When something has to be said or given up; Infinity: nothing has. */
  get nextDue(): number {
    const { messages, timetable, trade } = this
    return Math.min(timetable.nextDue, messages.nextDue, trade?.nextDue ?? Number.POSITIVE_INFINITY)
  }

  /** Says what is due. Gives the connections whose sign-on was not answered in its time; 0: one that was said to all. */
  tick(now: number): ReadonlyArray<number> {
    for (const wish of this.timetable.due(now, this.time.wall() + this.plan.utcOffsetMs)) this.begin(wish)
    this.trade?.tick(now)
    const unanswered: Array<number> = []
    for (const asked of this.messages.overdue(now)) {
      this.count.unanswered++
      if (asked.act === "key") this.trade?.unanswered(asked)
      if (asked.act === "sign-on") unanswered.push(this.signOns.get(asked.stan) ?? 0)
      this.signOns.delete(asked.stan)
    }
    return unanswered
  }

  /** Says something of our own. Why not, where it cannot be said. */
  begin({ act, key }: OwnWish, say: (message: Buffer) => unknown = this.say, epoch = 0): string | undefined {
    if (act === "key") {
      if (this.trade === undefined) return "it exchanges no keys"
      this.trade.begin(key, say)
      return undefined
    }
    if (act === "cut-over") this.askedDay = this.date.next
    const more = this.fieldsOf(act)
    const made = this.messages.make(act, this.time.wall(), this.time.monotonic(), more)
    if (typeof made === "string") {
      this.record.link("mismatch", 0, made)
      return made
    }
    if (act === "sign-on" && epoch > 0) this.signOns.set(made.stan, epoch)
    return say(made.message) === false ? "its link has no connection" : undefined
  }

  /** Takes the answer to a message of ours. False: it answers nothing of ours. */
  answered(connection: Connection<Buffer>, message: Observed): boolean {
    const { index } = message
    const { epoch } = connection
    const asked = this.messages.answered(index)
    if (asked === undefined) return false
    this.signOns.delete(asked.stan)
    const { dialect, layout } = this.plan.form.codec
    const code = index.text(layout.roles.responseCode)
    const isTaken = isSuccess(dialect, code) || code === layout.answers.accepted
    switch (asked.act) {
      case "sign-on":
        if (!isTaken) connection.close("sign-on was refused")
        else {
          this.signedOn.add(epoch)
          this.record.link("signedOn", epoch, "own")
          this.keysAtSignOn((bytes) => connection.send(bytes))
        }
        break
      case "sign-off":
        this.signedOn.delete(epoch)
        this.record.link("signedOff", epoch, "own")
        break
      case "cut-over":
        if (isTaken) this.cutOver(epoch, this.askedDay)
        else this.record.link("cutOver", epoch, `refused, ${code}`)
        break
      case "cut-over end":
        this.record.link("cutOver", epoch, `its end answered ${code}`)
        break
      case "totals":
        this.record.link("totals", epoch, `answered ${code}: ${this.day.text}`)
        break
      case "key":
        this.trade?.answered(asked, epoch, message)
        break
      case "echo":
        this.record.link("echo", epoch, `answered ${code}`)
    }
    return true
  }

  /** What a message of ours says besides what it is: the day's sums, and which day. */
  private fieldsOf(act: OwnAct): { readonly [de: number]: string } {
    if (act === "cut-over") return this.dated(this.askedDay)
    if (act === "cut-over end") return this.dated()
    return act === "totals" ? { ...this.day.fields(this.plan.form.codec), ...this.dated() } : {}
  }

  /** The settlement date, where the dialect has one. */
  private dated(day?: number): { readonly [de: number]: string } {
    const { layout } = this.plan.form.codec
    const { settlementDate } = layout.roles
    return layout.fields[settlementDate] === undefined ? {} : { [settlementDate]: this.settlementDate(day) }
  }

  /** MMDD in 1987, with the year before it in the later editions; of the day that is open, or of another one. */
  settlementDate(day?: number): string {
    const { layout } = this.plan.form.codec
    return this.date.text(layout.fields[layout.roles.settlementDate]?.units ?? WHOLE_DATE, day)
  }

  /** The exchange of its keys; one that is under way goes on where the plan still has the same keys. */
  private tradeOf(zone: Zone): KeyTrade | undefined {
    const { count, messages, plan, record, time } = this
    if (!exchangesKeys(plan)) return undefined
    if (this.trade?.zone !== zone) return new KeyTrade(plan, zone, messages, time, record, count)
    this.trade.replan(plan)
    return this.trade
  }
}
