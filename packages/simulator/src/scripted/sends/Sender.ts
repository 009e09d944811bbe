/**
 * What a partner sends by itself, by `sends` of its file: transactions at a rate, ended once each; a reversal for each that was
 * in doubt and advices, said until they are acknowledged, with the repeat mark and the same keys.
 *
 * An answer that says that nobody knows (the dialect's codes for no answer and malfunction) ends a request as failed, and is not
 * reversed: who gave it has done that. Keeps no ledger; whose accounts they are the far side's issuer knows.
 */
import { isSuccess, type Message } from "@jinka/codec"
import { Originals } from "../../acquirer/Originals.ts"
import { Repeats } from "../../acquirer/Repeats.ts"
import { intentAt, Schedule, type WorkloadSettings } from "../../acquirer/Workload.ts"
import { chanceOf } from "../../chance/Chance.ts"
import type { Observed } from "../../dialogue/Observed.ts"
import type { History } from "../../history/History.ts"
import { type Kind, kinds } from "../../message/Transaction.ts"
import type { Timepiece } from "../../partner/Session.ts"
import { carriesMac, keyOf, partApproved } from "../Facts.ts"
import type { Zone } from "../keys/Zone.ts"
import type { OwnMessages } from "../OwnMessages.ts"
import type { PartnerPlan } from "../PartnerPlan.ts"
import type { PartnerCount } from "../PartnerRecord.ts"
import { asRepeat, mismatchOf, SendMessages, type Sent } from "./SendMessages.ts"
import type { SendPlan } from "./SendPlan.ts"
import { type End, SendRecord } from "./SendRecord.ts"

/** A partner that sends. */
export type Sending = PartnerPlan & { readonly sends: SendPlan }

/** Whether a partner sends by itself. */
export const sendsItself = (plan: PartnerPlan): plan is Sending => plan.sends !== undefined

/** Where messages leave: false where there is no way now. `epoch` is that of the connection, 0 where each has its own. */
export interface Way {
  readonly say: (message: Buffer) => boolean
  readonly isReady: () => boolean
  readonly epoch: () => number
}

interface Open {
  readonly sent: Sent
  readonly epoch: number
  readonly until: number
}

/** How many ended requests are remembered, to tell a late or second answer from an unknown one. */
const ENDED_MAX = 100_000

/** RRNs: a prefix of the partner's own, and a number that no earlier start has given. */
const RRN_PREFIX = 4
const RRN_NUMBERS = 100_000_000

/** See above. */
export class Sender {
  private plan: Sending
  private readonly zone: () => Zone
  private readonly time: Timepiece
  private readonly count: PartnerCount
  private readonly way: Way
  private readonly record: SendRecord
  private readonly messages: SendMessages
  private repeats: Repeats<Sent, Message>
  private readonly open = new Map<string, Open>()
  private readonly ended = new Map<string, { readonly sent: Sent; isAnswered: boolean }>()
  private readonly originals = new Originals<Sent>()
  private schedule: Schedule | undefined
  private reference: number
  private isStopped = false

  constructor(
    plan: Sending,
    zone: () => Zone,
    own: OwnMessages,
    time: Timepiece,
    history: History,
    count: PartnerCount,
    way: Way
  ) {
    this.plan = plan
    this.zone = zone
    this.time = time
    this.count = count
    this.way = way
    this.record = new SendRecord(history, time)
    this.messages = new SendMessages(plan, own)
    this.repeats = new Repeats(plan.sends.repeatMs)
    this.reference = Math.floor(time.wall() / 100) % RRN_NUMBERS
  }

  /** Another plan: what is under way goes on, other transactions start again. */
  replan(plan: Sending): void {
    if (JSON.stringify(plan.sends) !== JSON.stringify(this.plan.sends)) this.schedule = undefined
    this.plan = plan
    this.messages.replan(plan)
  }

  /** Whether nothing waits for an answer or an acknowledgement. */
  get isDrained(): boolean {
    return this.open.size === 0 && this.repeats.size === 0
  }

  /** No new transactions; what is under way goes on. */
  stop(): void {
    this.isStopped = true
  }

  /** Notes what nobody has acknowledged. */
  finish(): void {
    for (const left of this.repeats.left()) this.record.repeatEnded(left, "unacknowledged")
  }

  /** The link is ready again: what waits for its acknowledgement is said at once. */
  ready(): void {
    this.repeats.restart()
  }

  /** A connection has fallen: what was sent on it is in doubt. */
  lost(epoch: number): void {
    for (const one of [...this.open.values()]) if (epoch > 0 && one.epoch === epoch) this.giveUp(one, "linkLost")
  }

  /** When something has to be sent or given up; Infinity: nothing has. */
  get nextDue(): number {
    const isReady = this.way.isReady()
    const begins = isReady ? 0 : Number.POSITIVE_INFINITY
    const [first] = this.open.values()
    return Math.min(
      this.isStopped ? Number.POSITIVE_INFINITY : (this.schedule?.nextDue ?? begins),
      first?.until ?? Number.POSITIVE_INFINITY,
      isReady ? this.repeats.nextDue : Number.POSITIVE_INFINITY
    )
  }

  tick(now: number): void {
    this.load(now)
    for (const one of this.open.values()) {
      if (one.until > now) break
      this.giveUp(one, "timedOut")
    }
    if (!this.way.isReady()) return
    this.repeats.send(now, (repeated, message) => {
      this.record.attempt(repeated, message.mti)
      this.say(message)
    })
  }

  /** Takes an answer. False: it answers nothing that was sent. */
  answered(message: Observed, epoch: number): boolean {
    const { layout } = this.plan.form.codec
    const key = keyOf(layout, message.index)
    const code = message.index.text(layout.roles.responseCode)
    const repeated = this.repeats.find(key)
    const waiting = this.open.get(key)
    const sent = waiting?.sent ?? repeated?.request
    if (sent === undefined) return this.strange(key, epoch, code)
    const isMacWrong =
      carriesMac(layout.dialect, message.index.mti) && this.zone().hasWrongMac(message) ? "the MAC" : undefined
    const wrong = isMacWrong ?? (waiting === undefined ? undefined : mismatchOf(layout, sent, message))
    if (wrong !== undefined) {
      this.record.strange("mismatch", sent, epoch, code, wrong)
      return true
    }
    if (repeated !== undefined) this.acknowledged(key, code)
    else if (waiting !== undefined) {
      const what = this.endOf(code)
      const approved = what === "approved" ? partApproved(layout, message.index, sent.amount) : undefined
      const day = message.index.text(layout.roles.settlementDate)
      this.end(waiting, what, {
        code,
        ...(day === "" ? {} : { day }),
        ...(approved === undefined ? {} : { approved })
      })
      // A void gives back what was taken.
      if (what === "approved" && sent.kind === "purchase") {
        this.originals.add({ ...sent, amount: approved ?? sent.amount })
      }
    }
    return true
  }

  private load(now: number): void {
    const { sends } = this.plan
    if (this.isStopped) return
    if (this.schedule === undefined) {
      if (!this.way.isReady()) return
      this.schedule = new Schedule(sends.rate, now, sends.durationMs, sends.count)
    }
    for (let slot = this.schedule.take(now); slot !== undefined; slot = this.schedule.take(now)) this.begin(slot, now)
  }

  private begin(slot: number, now: number): void {
    const { name, seed, sends } = this.plan
    const { amount, card, choice, kind: drawn, terminal } = intentAt(workloadOf(seed, name, sends), slot)
    const original = drawn === "void" ? this.originals.take(choice) : undefined
    const kind: Kind = drawn === "void" && original === undefined ? "purchase" : drawn
    const prefix = chanceOf(seed, "reference", name).digits(RRN_PREFIX)
    this.reference = (this.reference + 1) % RRN_NUMBERS
    const rrn = `${prefix}${String(this.reference).padStart(12 - RRN_PREFIX, "0")}`
    const wanted = {
      ...{ kind, terminal, rrn, original },
      card: original?.card ?? sends.cards[card]!,
      amount: original?.amount ?? amount
    }
    const sent = this.messages.request(wanted, this.time.wall())
    // A file whose values do not fit is told when it is read; a row that does not is one transaction less.
    if (typeof sent === "string") return void this.count.notSent++
    if (kinds[kind].isAdvice) {
      this.repeats.add("advice", sent.key, sent, sent.message, asRepeat(sent.message))
      return
    }
    const epoch = this.way.epoch()
    if (!this.way.isReady() || !this.say(sent.message)) {
      this.count.notSent++
      return this.record.notSent(sent, "the link is not ready")
    }
    this.count.sent++
    this.record.sent(sent, epoch)
    this.open.set(sent.key, { sent, epoch, until: now + sends.timeoutMs })
  }

  private say(message: Message): boolean {
    const { pin } = this.plan.sends
    const plain = this.messages.bytes(message)
    const isRequest = message.mti.slice(1, 3) === "20" || message.mti.slice(1, 3) === "10"
    const withPin = pin !== undefined && isRequest ? this.zone().withPin(plain, pin) : plain
    const isSealed = carriesMac(this.plan.form.codec.dialect, Number(message.mti))
    return this.way.say(isSealed ? this.zone().sealed(withPin, false) : withPin)
  }

  private endOf(code: string): End {
    const { dialect } = this.plan.form.codec
    if (isSuccess(dialect, code)) return "approved"
    const { malfunction, noAnswer } = dialect.refusal
    return code === noAnswer || code === malfunction ? "failed" : "declined"
  }

  private end({ epoch, sent }: Open, what: End, said: Parameters<SendRecord["ended"]>[3]): void {
    this.open.delete(sent.key)
    this.remember(sent.key, sent, what !== "timedOut" && what !== "linkLost")
    this.count[what === "approved" ? "sentApproved" : what === "declined" ? "sentDeclined" : "sentUnknown"]++
    this.record.ended(sent, what, epoch, said)
  }

  private giveUp(one: Open, what: "timedOut" | "linkLost"): void {
    this.end(one, what, {})
    if (!one.sent.isReversible) return
    const reversal = this.messages.reversal(one.sent, this.time.wall())
    if (typeof reversal === "string") return
    this.count.sentReversals++
    this.repeats.add("reversal", reversal.key, one.sent, reversal.message, asRepeat(reversal.message))
  }

  private acknowledged(key: string, code: string): void {
    const repeated = this.repeats.find(key)!
    const { acknowledged, refusal } = this.plan.form.codec.dialect
    const again = [
      refusal.issuerDown,
      refusal.noRoute,
      refusal.malfunction,
      refusal.noAnswer,
      refusal.cutOver,
      refusal.macFailed
    ]
    if (again.includes(code)) return
    this.repeats.remove(key)
    this.remember(key, repeated.request, true)
    const isTaken =
      repeated.purpose === "reversal" ||
      isSuccess(this.plan.form.codec.dialect, code) ||
      acknowledged?.advice.includes(code) === true
    this.record.repeatEnded(repeated, isTaken ? "acknowledged" : "refused", code)
  }

  /** An answer that nobody waits for. */
  private strange(key: string, epoch: number, code: string): boolean {
    const known = this.ended.get(key)
    if (known === undefined) return false
    // Two sendings of a reversal or advice may both be acknowledged.
    const isRepeated = known.sent.key !== key || kinds[known.sent.kind].isAdvice
    if (!isRepeated) {
      const what = known.isAnswered ? "duplicateAnswer" : "late"
      this.record.strange(what, known.sent, epoch, code, known.isAnswered ? "its answer" : "its time")
    }
    known.isAnswered = true
    return true
  }

  private remember(key: string, sent: Sent, isAnswered: boolean): void {
    this.ended.set(key, { sent, isAnswered })
    if (this.ended.size > ENDED_MAX) this.ended.delete(this.ended.keys().next().value!)
  }
}

const workloadOf = (seed: number, name: string, sends: SendPlan): WorkloadSettings => ({
  seed: chanceOf(seed, "sends", name).below(RRN_NUMBERS),
  mix: sends.mix,
  cards: sends.cards.length,
  terminals: sends.terminals,
  amountFrom: sends.amountFrom,
  amountTo: sends.amountTo,
  track2: 0,
  pin: 0
})
