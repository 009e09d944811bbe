/**
 * The issuer's program: takes requests, advices and reversals, keeps the ledger, answers as its behaviour says.
 *
 * Owns duplicate detection (the same key twice is answered from memory and has no second effect; without the repeat
 * mark it is counted as doubled) and the answers. Does not own money rules (Ledger), chance (Behaviour) or sockets.
 * Remembers every key of the run, about 300 bytes each.
 */
import { chanceOf } from "../chance/Chance.ts"
import type { History } from "../history/History.ts"
import {
  answerHeader,
  answerMti,
  type Fields,
  firstMti,
  isRepeat,
  messageKey,
  notRejected,
  type PartnerMessage,
  pickFields,
  textOf
} from "../message/PartnerMessage.ts"
import { isApproved, kindOf, originalKey, remainsIn } from "../message/Transaction.ts"
import { DueQueue } from "../partner/DueQueue.ts"
import { type Identity, managementAnswer, managementCode, SignOn } from "../partner/Management.ts"
import { Numbering, transmissionTime } from "../partner/Numbering.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { adviceReaction, type BehaviourSettings, type Reaction, requestReaction } from "./Behaviour.ts"
import { type Decision, IssuerHistory } from "./IssuerHistory.ts"
import { type IssuerTotals, noCount } from "./IssuerTotals.ts"
import { codeOf, type Entry, Ledger, type Posting } from "./Ledger.ts"

/** Settings of an issuer. Times in milliseconds, amounts in minor units. */
export interface IssuerSettings {
  readonly institution: string
  readonly centre: string
  /** Opening balance of an account that is seen for the first time. */
  readonly balance: number
  readonly behaviour: BehaviourSettings
  /** Sign on by ourselves when a connection is up. */
  readonly signsOn: boolean
  readonly signOnTimeout: number
}

/** Fields of an answer that repeat the request (CUPS field matrix); DE 14, 15, 38, 39, 54 are the issuer's own. */
const echoed = [2, 3, 4, 7, 11, 12, 13, 14, 18, 25, 32, 33, 37, 41, 42, 49, 60, 90, 100]

interface Seen {
  arrivals: number
  /** The answer that was decided; undefined while the message was only ever ignored. */
  answer: PartnerMessage | undefined
}

interface Delayed {
  readonly connection: Connection
  readonly answer: PartnerMessage
}

interface Applied extends Decision {
  /** Fields of the answer that only an approval has. */
  readonly own?: Fields
}

/** One issuing institution. */
export class Issuer implements Session {
  private readonly settings: IssuerSettings
  private behaviour: BehaviourSettings
  private readonly record: IssuerHistory
  private readonly time: Timepiece
  private readonly ledger: Ledger
  private readonly signOn: SignOn
  private readonly seen = new Map<string, Seen>()
  private readonly references = new Map<string, string>()
  private readonly delayed = new DueQueue<Delayed>()
  private readonly live = new Map<number, Connection>()
  private readonly count = noCount()

  constructor(
    settings: IssuerSettings,
    history: History,
    time: Timepiece,
    onPosting: (posting: Posting) => void = () => undefined
  ) {
    this.settings = settings
    this.behaviour = settings.behaviour
    this.record = new IssuerHistory(history, time)
    this.time = time
    this.ledger = new Ledger(settings.balance, onPosting)
    const identity: Identity = { institution: settings.institution, centre: settings.centre }
    this.signOn = new SignOn(identity, new Numbering("", 1), time, settings.signOnTimeout)
  }

  /** Connections that are up. */
  get connections(): number {
    return this.live.size
  }

  /** Changes the mix for what arrives from now on. */
  behave(change: Partial<BehaviourSettings>): void {
    this.behaviour = { ...this.behaviour, ...change }
  }

  /** Counters so far. */
  totals(): IssuerTotals {
    return { ...this.count, ledger: this.ledger.totals() }
  }

  linkUp(connection: Connection): void {
    this.count.links++
    this.live.set(connection.epoch, connection)
    this.record.link("linkUp", connection)
    if (this.settings.signsOn) this.signOn.open(connection)
  }

  linkDown(connection: Connection, reason: string): void {
    this.live.delete(connection.epoch)
    this.signOn.lost(connection)
    this.record.link("linkDown", connection, reason)
  }

  received(connection: Connection, message: PartnerMessage): void {
    if (message.mti === "0830") return this.managementAnswered(connection, message)
    const management = managementAnswer(message)
    if (management !== undefined) return this.manage(connection, message, management)
    const first = firstMti(message.mti)
    if (first === "0420") return this.accept(connection, message, () => this.reverse(message))
    const kind = kindOf(first, textOf(message, 3))
    if (kind === undefined) return this.refuseUnknown(connection, message)
    this.accept(connection, message, (reaction) => this.post(message, this.entryOf(message, kind), reaction))
  }

  tick(): void {
    const now = this.time.monotonic()
    for (let next = this.delayed.take(now); next !== undefined; next = this.delayed.take(now)) this.deliver(next)
    if (this.signOn.overdue() === "unanswered") {
      for (const connection of this.live.values()) connection.close("sign-on was not answered")
    }
  }

  /** When the next delayed answer is due. */
  nextAt(): number {
    return this.delayed.nextDue
  }

  /** Signs off if we signed on: the last thing before the links are closed. */
  finish(): void {
    this.signOn.close()
  }

  /** What every request, advice and reversal goes through: duplicate, reaction, posting, answer. */
  private accept(connection: Connection, message: PartnerMessage, apply: (reaction: Reaction) => Applied): void {
    this.count.received++
    const key = messageKey(message)
    const seen = this.seen.get(key) ?? { arrivals: 0, answer: undefined }
    seen.arrivals++
    this.seen.set(key, seen)
    if (this.isDoubled(message, key, seen)) {
      this.count.doubled++
      this.record.doubled(connection, message)
    }
    if (isRepeat(message.mti) && seen.arrivals > 1) this.count.repeats++
    const reaction = this.reactionTo(message, seen.arrivals)
    const applied = this.applied(seen, reaction, apply)
    const answer = reaction.answer === "ignored" ? undefined : (seen.answer ?? this.answerTo(message, applied))
    const day = answer === undefined ? "" : textOf(answer, 15)
    this.record.received(connection, message, seen.arrivals, { ...applied, day }, reaction)
    if (answer === undefined) return
    seen.answer = answer
    this.answer(connection, answer, reaction)
  }

  private applied(seen: Seen, reaction: Reaction, apply: (reaction: Reaction) => Applied): Applied {
    if (reaction.answer === "ignored") {
      this.count.ignored++
      return { rule: "ignored", code: undefined }
    }
    return seen.answer === undefined ? apply(reaction) : { rule: "storedAnswer", code: textOf(seen.answer, 39) }
  }

  /** Twice the same key without the repeat mark, or one RRN under two keys: somebody sent a request again. */
  private isDoubled(message: PartnerMessage, key: string, seen: Seen): boolean {
    if (seen.arrivals > 1) return !isRepeat(message.mti)
    if (firstMti(message.mti) === "0420") return false
    const reference = textOf(message, 37)
    if (reference === "") return false
    const earlier = this.references.get(reference)
    this.references.set(reference, key)
    return earlier !== undefined && earlier !== key
  }

  private reactionTo(message: PartnerMessage, arrival: number): Reaction {
    const isAdvice = message.mti[2] === "2" || message.mti[1] === "4"
    const draw = isAdvice ? adviceReaction : requestReaction
    return draw(this.behaviour, textOf(message, 37), message.mti, arrival)
  }

  private entryOf(message: PartnerMessage, kind: Entry["kind"]): Entry {
    const f90 = textOf(message, 90)
    return {
      key: messageKey(message),
      rrn: textOf(message, 37),
      kind,
      pan: textOf(message, 2),
      amount: Number(textOf(message, 4)),
      original: f90 === "" ? undefined : originalKey(f90)
    }
  }

  private post(message: PartnerMessage, entry: Entry, reaction: Reaction): Applied {
    if (reaction.decline !== undefined) {
      this.ledger.decline(entry)
      this.count.declined++
      return { rule: "declined", code: reaction.decline }
    }
    const rule = this.ledger.post(entry)
    const code = codeOf[rule]
    if (!isApproved(code)) {
      this.count.declined++
      return { rule, code }
    }
    this.count.approved++
    const own: Fields = { 38: this.authorisation(message) }
    if (entry.kind === "balanceInquiry") own[54] = this.balanceField(entry.pan)
    return { rule, code, own }
  }

  private reverse(message: PartnerMessage): Applied {
    this.count.reversals++
    const { rule, rrn } = this.ledger.reverse(originalKey(textOf(message, 90)), remainsIn(textOf(message, 95)))
    return { rule, code: codeOf[rule], rrn }
  }

  private answerTo(message: PartnerMessage, applied: Applied): PartnerMessage {
    const fields = pickFields(message.fields, echoed)
    fields[15] = transmissionTime(this.time.wall()).slice(0, 4)
    fields[39] = applied.code ?? "96"
    return {
      header: answerHeader(message.header),
      mti: answerMti(message.mti),
      fields: { ...fields, ...applied.own },
      reject: notRejected
    }
  }

  private answer(connection: Connection, answer: PartnerMessage, reaction: Reaction): void {
    if (reaction.answer === "dropped") {
      this.count.dropped++
      return
    }
    if (reaction.answer === "delayed") {
      this.count.delayed++
      return this.delayed.add(this.time.monotonic() + reaction.delay, { connection, answer })
    }
    this.count.answered++
    connection.send(answer)
  }

  /** An answer goes out on the connection of its request or not at all. */
  private deliver({ connection, answer }: Delayed): void {
    const isUp = this.live.has(connection.epoch)
    if (isUp) {
      this.count.answered++
      connection.send(answer)
    } else this.count.answersLost++
    this.record.delivered(connection, answer, isUp)
  }

  private manage(connection: Connection, message: PartnerMessage, answer: PartnerMessage): void {
    connection.send(answer)
    const code = textOf(message, 70)
    if (code === managementCode.signOn) {
      this.count.signOns++
      this.record.link("signedOn", connection, "partner")
    }
    if (code === managementCode.signOff) this.record.link("signedOff", connection, "partner")
  }

  private managementAnswered(connection: Connection, message: PartnerMessage): void {
    const event = this.signOn.answered(connection, message)
    if (event === "signedOn" || event === "signedOff") this.record.link(event, connection, "own")
    if (event === "refused") connection.close("sign-on was refused")
  }

  /** 40: function not supported. Answers and anything else that is no request are only counted. */
  private refuseUnknown(connection: Connection, message: PartnerMessage): void {
    this.count.unmatched++
    this.record.unmatched(connection, message)
    const isAsking = Number(message.mti[2]) % 2 === 0 && Number(message.mti[1]) < 5
    if (isAsking) connection.send(this.answerTo(message, { rule: "unknown", code: "40" }))
  }

  private authorisation(message: PartnerMessage): string {
    return chanceOf(this.behaviour.seed, "authorisation", textOf(message, 37)).digits(6)
  }

  /** DE 54: account type 10, amount type 02 (available), currency, sign, 12 digits. */
  private balanceField(pan: string): string {
    const available = this.ledger.available(pan)
    return `1002156${available < 0 ? "D" : "C"}${String(Math.abs(available)).padStart(12, "0")}`
  }
}
