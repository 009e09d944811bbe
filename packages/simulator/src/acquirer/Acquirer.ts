/**
 * The acquirer's program: signs on, sends the workload, ends every request once, reverses what is in doubt.
 *
 * Owns the life of a request on this side: answered, timed out or lost with its link; an in-doubt money request gets
 * its own reversal, repeated until acknowledged. A request that the switch answers with 68, 96 or 98 is failed and not
 * reversed here, because the switch has reversed it (setting `reverseAnswered` for networks with the other rule).
 * Does not own sockets, files or time.
 */
import type { Card } from "../chance/Cards.ts"
import type { History } from "../history/History.ts"
import { isRepeat, messageKey, type PartnerMessage, repeatMti, textOf } from "../message/PartnerMessage.ts"
import { isApproved, isSentAgain, isUnknown, type Kind, kinds } from "../message/Transaction.ts"
import { type Identity, managementAnswer, SignOn } from "../partner/Management.ts"
import { Numbering } from "../partner/Numbering.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { AcquirerHistory } from "./AcquirerHistory.ts"
import { type AcquirerTotals, noCount } from "./AcquirerTotals.ts"
import { Latency } from "./Latency.ts"
import { Originals } from "./Originals.ts"
import { mismatchOf, Outstanding, partApproved, type Waiting } from "./Outstanding.ts"
import { type Repeated, Repeats } from "./Repeats.ts"
import { makeRequest, makeReversal, type Request } from "./Requests.ts"
import { type Intent, intentAt, Schedule, type WorkloadSettings } from "./Workload.ts"

/** Settings of an acquirer. Times in milliseconds. */
export interface AcquirerSettings {
  readonly institution: string
  readonly centre: string
  readonly workload: WorkloadSettings
  readonly cards: ReadonlyArray<Card>
  /** Requests a second. */
  readonly rate: number
  /** How long the load lasts from the first sign-on. */
  readonly duration: number
  /** How many slots the load has at most. */
  readonly count: number
  readonly warmUp: number
  /** Until a request is given up. */
  readonly timeout: number
  /** Between two sendings of a reversal or advice. */
  readonly repeatInterval: number
  readonly signOnTimeout: number
  /** Response codes after which this side reverses, too. */
  readonly reverseAnswered: ReadonlySet<string>
  /** Up to 4 characters in front of every DE 37; must differ between the acquirers of one run. */
  readonly referencePrefix: string
  /** Number of the first DE 37. */
  readonly firstReference: number
}

/** One acquiring institution. */
export class Acquirer implements Session {
  private readonly settings: AcquirerSettings
  private readonly time: Timepiece
  private readonly identity: Identity
  private readonly numbering: Numbering
  private readonly signOn: SignOn
  private readonly outstanding: Outstanding
  private readonly repeats: Repeats
  private readonly originals = new Originals()
  private readonly latency: Latency
  private readonly record: AcquirerHistory
  private readonly count = noCount()
  private schedule: Schedule | undefined
  private current: Connection | undefined
  private isStopped = false
  private isSignedOffNow = false
  private money = 0

  constructor(settings: AcquirerSettings, history: History, time: Timepiece) {
    this.settings = settings
    this.time = time
    this.identity = { institution: settings.institution, centre: settings.centre }
    this.numbering = new Numbering(settings.referencePrefix, settings.firstReference)
    this.signOn = new SignOn(this.identity, this.numbering, time, settings.signOnTimeout)
    this.outstanding = new Outstanding(settings.timeout)
    this.repeats = new Repeats(settings.repeatInterval)
    this.latency = new Latency(settings.warmUp)
    this.record = new AcquirerHistory(history, time, settings.cards)
  }

  /** True while new requests are still to come. */
  get isLoading(): boolean {
    return !this.isStopped && (this.schedule === undefined || !this.schedule.isOver)
  }

  /** True when nothing waits for an answer or an acknowledgement and nothing new will come. */
  get isDrained(): boolean {
    return !this.isLoading && this.outstanding.size === 0 && this.repeats.size === 0
  }

  /** True when the partner has confirmed our sign-off. */
  get isSignedOff(): boolean {
    return this.isSignedOffNow
  }

  /** No new requests; what is under way goes on. */
  stopLoad(): void {
    this.isStopped = true
  }

  /** Asks to sign off and notes what nobody has acknowledged. The last thing before the links are closed. */
  finish(): void {
    this.stopLoad()
    for (const repeated of this.repeats.left()) this.record.unacknowledged(repeated)
    this.signOn.close()
  }

  /** Counters and state so far. */
  totals(): AcquirerTotals {
    const left = this.repeats.left()
    return {
      ...this.count,
      isSignedOn: this.signOn.connection !== undefined,
      isLoading: this.isLoading,
      outstanding: this.outstanding.size,
      inDoubt: left.filter((repeated) => repeated.purpose === "reversal").length,
      advicesOpen: left.filter((repeated) => repeated.purpose === "advice").length,
      money: this.money,
      latency: this.latency.totals()
    }
  }

  linkUp(connection: Connection): void {
    this.count.links++
    this.current = connection
    this.record.link("linkUp", connection)
    this.signOn.open(connection)
  }

  linkDown(connection: Connection, reason: string): void {
    this.signOn.lost(connection)
    this.record.link("linkDown", connection, reason)
    for (const waiting of this.outstanding.sentOn(connection.epoch)) this.giveUp(waiting, "linkLost")
  }

  received(connection: Connection, message: PartnerMessage): void {
    if (message.mti === "0830") return this.managementAnswered(connection, message)
    const management = managementAnswer(message)
    if (management !== undefined) return connection.send(management)
    if (message.reject !== "00000") return this.rejected(connection, message)
    if (message.mti === "0230" || message.mti === "0430") return this.acknowledged(connection, message)
    this.answered(connection, message)
  }

  tick(): void {
    const now = this.time.monotonic()
    if (this.signOn.overdue() === "unanswered") this.current?.close("sign-on was not answered")
    this.load(now)
    for (let over = this.outstanding.overdue(now); over !== undefined; over = this.outstanding.overdue(now)) {
      this.giveUp(over, "timedOut")
    }
    const connection = this.signOn.connection
    if (connection !== undefined)
      this.repeats.send(now, (repeated, message) => this.repeat(connection, repeated, message))
  }

  /** When the next slot, repeat or end of a request's time is due. */
  nextAt(): number {
    const slot = this.isStopped ? undefined : this.schedule?.nextDue
    const repeat = this.signOn.connection === undefined ? undefined : this.repeats.nextDue
    const never = Number.POSITIVE_INFINITY
    return Math.min(slot ?? never, repeat ?? never, this.outstanding.nextDue)
  }

  /** Sends every slot that is due. The load begins with the first sign-on. */
  private load(now: number): void {
    if (this.isStopped || this.schedule === undefined) return
    for (let slot = this.schedule.take(now); slot !== undefined; slot = this.schedule.take(now)) {
      this.open(intentAt(this.settings.workload, slot), this.schedule.dueAt(slot), now)
    }
  }

  private open(intent: Intent, intendedAt: number, now: number): void {
    const needsOriginal = intent.kind === "void" || intent.kind === "refund"
    const original = needsOriginal ? this.originals.take(intent.choice) : undefined
    const kind: Kind = needsOriginal && original === undefined ? "purchase" : intent.kind
    const card = original?.card ?? intent.card
    const drawn = { ...intent, card }
    const at = this.time.wall()
    const request = makeRequest(this.identity, this.numbering, at, drawn, kind, this.settings.cards[card]!, original)
    if (kinds[kind].isAdvice) {
      this.count.advices++
      return this.repeats.add("advice", request.key, request, request.message, asRepeat(request.message))
    }
    const connection = this.signOn.connection
    if (connection === undefined) {
      this.count.notSent++
      return this.record.notSent(request)
    }
    this.count.sent++
    this.outstanding.add({ request, epoch: connection.epoch, intendedAt, sentAt: now })
    this.record.sent(request, connection)
    connection.send(request.message)
  }

  private repeat(connection: Connection, repeated: Repeated, message: PartnerMessage): void {
    if (isRepeat(message.mti)) this.count.repeats++
    this.record.attempt(connection, repeated, message.mti)
    connection.send(message)
  }

  private answered(connection: Connection, message: PartnerMessage): void {
    const key = messageKey(message)
    const waiting = this.outstanding.find(key)
    if (waiting === undefined) return this.unmatched(connection, message, key)
    const mismatch = mismatchOf(waiting.request.message, message)
    if (mismatch !== undefined) {
      this.count.mismatches++
      return this.record.unmatched("mismatch", connection, message, key, mismatch)
    }
    const now = this.time.monotonic()
    this.latency.record(waiting.intendedAt, waiting.sentAt, now)
    const code = textOf(message, 39)
    const what = isApproved(code) ? "approved" : isUnknown(code) ? "failed" : "declined"
    this.count[what]++
    this.outstanding.end(key, what)
    const approved = what === "approved" ? partApproved(waiting.request.message, message) : undefined
    this.record.ended(waiting, what, code, textOf(message, 15), approved)
    if (what === "approved") this.approve(waiting.request, textOf(message, 38), approved)
    else if (this.settings.reverseAnswered.has(code)) this.reverse(waiting.request)
  }

  private approve(request: Request, authorisation: string, approved: number | undefined): void {
    const { key, card } = request
    const amount = approved ?? request.amount
    this.money += kinds[request.kind].sign * amount
    if (request.kind !== "purchase") return
    this.originals.add({ mti: request.message.mti, key, card, amount, authorisation })
  }

  /** An answer that nobody waits for. */
  private unmatched(connection: Connection, message: PartnerMessage, key: string): void {
    const end = this.outstanding.endOf(key)
    if (end === undefined) {
      this.count.unmatched++
      return this.record.unmatched("unmatched", connection, message, key, undefined)
    }
    const isLate = end === "timedOut" || end === "linkLost"
    if (isLate) this.count.late++
    else this.count.duplicateAnswers++
    this.record.unmatched(isLate ? "late" : "duplicateAnswer", connection, message, key, end)
    // From now on a further answer is a second one.
    if (isLate) this.outstanding.remember(key, "late")
  }

  private acknowledged(connection: Connection, message: PartnerMessage): void {
    const key = messageKey(message)
    const repeated = this.repeats.find(key)
    if (repeated === undefined) {
      // Two sendings may both be acknowledged; only an unknown key is worth a line.
      if (this.outstanding.endOf(key) !== undefined) return
      this.count.unmatched++
      return this.record.unmatched("unmatched", connection, message, key, undefined)
    }
    const code = textOf(message, 39)
    if (isSentAgain(code)) return
    this.repeats.remove(key)
    this.outstanding.remember(key, "acknowledged")
    const isRefused = repeated.purpose === "advice" && !isApproved(code)
    this.record.repeatEnded(repeated, connection, isRefused ? "refused" : "acknowledged", code)
    if (repeated.purpose === "reversal") this.count.reversalsAcknowledged++
    else if (isRefused) this.count.advicesRefused++
    else {
      this.count.advicesAcknowledged++
      this.money += kinds[repeated.request.kind].sign * repeated.request.amount
    }
  }

  /** The centre refused a message of ours; what it quotes behind its header is ours, so no field of it is news. */
  private rejected(connection: Connection, message: PartnerMessage): void {
    const key = messageKey(message)
    const waiting = this.outstanding.find(key)
    if (waiting === undefined) return this.unmatched(connection, message, key)
    this.count.rejected++
    this.outstanding.end(key, "rejected")
    this.record.ended(waiting, "rejected", message.reject)
  }

  private giveUp(waiting: Waiting, what: "timedOut" | "linkLost"): void {
    this.latency.record(waiting.intendedAt, waiting.sentAt, this.time.monotonic())
    this.count[what]++
    this.outstanding.end(waiting.request.key, what)
    this.record.ended(waiting, what, undefined)
    if (kinds[waiting.request.kind].isReversible) this.reverse(waiting.request)
  }

  private reverse(request: Request): void {
    if (!kinds[request.kind].isReversible) return
    this.count.reversals++
    const reversal = makeReversal(this.identity, this.numbering, this.time.wall(), request)
    this.repeats.add("reversal", reversal.key, request, reversal.message, asRepeat(reversal.message))
  }

  private managementAnswered(connection: Connection, message: PartnerMessage): void {
    const event = this.signOn.answered(connection, message)
    if (event === "refused") return connection.close("sign-on was refused")
    if (event === "signedOff") this.isSignedOffNow = true
    if (event !== "signedOn") return
    this.count.signOns++
    this.record.link("signedOn", connection)
    this.repeats.restart()
    if (this.schedule !== undefined) return
    const now = this.time.monotonic()
    this.latency.start(now)
    this.schedule = new Schedule(this.settings.rate, now, this.settings.duration, this.settings.count)
  }
}

/** The same message, said again. */
const asRepeat = (message: PartnerMessage): PartnerMessage => ({ ...message, mti: repeatMti(message.mti) })
