/**
 * The issuer's program: takes requests, advices and reversals, keeps the ledger, answers as its behaviour says.
 *
 * Owns duplicate detection (the same key twice is answered from memory and has no second effect; without the repeat
 * mark it is counted as doubled) and the answers. Does not own money rules (Ledger), chance (Behaviour) or sockets.
 * Remembers every key of the run, about 300 bytes each.
 */
import { chanceOf } from "../chance/Chance.ts"
import { maskPan } from "../chance/Cards.ts"
import type { History, HistoryLine } from "../history/History.ts"
import {
  answerHeader,
  answerMti,
  type Fields,
  firstMti,
  isRepeat,
  notRejected,
  type PartnerMessage,
  pickFields,
  textOf
} from "../message/PartnerMessage.ts"
import { isApproved, kindOf, originalKey, transactionKey } from "../message/Transaction.ts"
import { DueQueue } from "../partner/DueQueue.ts"
import { type Identity, managementAnswer, managementCode, SignOn } from "../partner/Management.ts"
import { Numbering, transmissionTime } from "../partner/Numbering.ts"
import type { Connection, Session, Timepiece } from "../partner/Session.ts"
import { adviceFate, type BehaviourSettings, type Fate, requestFate } from "./Behaviour.ts"
import { codeOf, type Entry, Ledger, type LedgerTotals, type Posting } from "./Ledger.ts"

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

/** Counters of an issuer, since its start. */
export interface IssuerTotals {
  readonly received: number
  readonly approved: number
  readonly declined: number
  readonly answered: number
  readonly delayed: number
  readonly dropped: number
  readonly ignored: number
  /** Answers that could not be sent because their connection had fallen. */
  readonly answersLost: number
  readonly repeats: number
  /** The same transaction twice without the repeat mark. */
  readonly doubled: number
  readonly reversals: number
  readonly unmatched: number
  readonly signOns: number
  readonly links: number
  readonly ledger: LedgerTotals
}

/** Fields of an answer that repeat the request (CUPS field matrix); F14, F15, F38, F39, F54 are the issuer's own. */
const echoed = [2, 3, 4, 7, 11, 12, 13, 14, 18, 25, 32, 33, 37, 41, 42, 49, 60, 90, 100]

interface Seen {
  arrivals: number
  /** The answer that was decided; undefined while the message was only ever ignored. */
  answer: PartnerMessage | undefined
}

interface Delayed {
  readonly connection: Connection
  readonly answer: PartnerMessage
  readonly key: string
}

/** One issuing institution. */
export class Issuer implements Session {
  private readonly settings: IssuerSettings
  private behaviour: BehaviourSettings
  private readonly history: History
  private readonly time: Timepiece
  private readonly ledger: Ledger
  private readonly signOn: SignOn
  private readonly seen = new Map<string, Seen>()
  private readonly references = new Map<string, string>()
  private readonly delayed = new DueQueue<Delayed>()
  private readonly live = new Map<number, Connection>()
  private readonly count = {
    received: 0,
    approved: 0,
    declined: 0,
    answered: 0,
    delayed: 0,
    dropped: 0,
    ignored: 0,
    answersLost: 0,
    repeats: 0,
    doubled: 0,
    reversals: 0,
    unmatched: 0,
    signOns: 0,
    links: 0
  }

  constructor(
    settings: IssuerSettings,
    history: History,
    time: Timepiece,
    onPosting: (posting: Posting) => void = () => undefined
  ) {
    this.settings = settings
    this.behaviour = settings.behaviour
    this.history = history
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
    this.note({ op: "info", what: "linkUp", epoch: connection.epoch })
    if (this.settings.signsOn) this.signOn.open(connection)
  }

  linkDown(connection: Connection, reason: string): void {
    this.live.delete(connection.epoch)
    this.signOn.lost(connection)
    this.note({ op: "info", what: "linkDown", epoch: connection.epoch, reason })
  }

  received(connection: Connection, message: PartnerMessage): void {
    if (message.mti === "0830") return this.managementAnswered(connection, message)
    const management = managementAnswer(message)
    if (management !== undefined) return this.manage(connection, message, management)
    const first = firstMti(message.mti)
    if (first === "0420") return this.accept(connection, message, () => this.reverse(message))
    const kind = kindOf(first, textOf(message, 3))
    if (kind === undefined) return this.refuseUnknown(connection, message)
    this.accept(connection, message, (fate) => this.post(message, this.entryOf(message, kind), fate))
  }

  tick(): void {
    const now = this.time.monotonic()
    for (let next = this.delayed.take(now); next !== undefined; next = this.delayed.take(now)) this.deliver(next)
    if (this.signOn.overdue() === "unanswered") {
      for (const connection of this.live.values()) connection.close("sign-on was not answered")
    }
  }

  /** Signs off if we signed on: the last thing before the links are closed. */
  finish(): void {
    this.signOn.close()
  }

  /** The frame that every request, advice and reversal goes through: duplicate, fate, effect, answer. */
  private accept(connection: Connection, message: PartnerMessage, apply: (fate: Fate) => Applied): void {
    this.count.received++
    const key = keyOf(message)
    const isReversal = firstMti(message.mti) === "0420"
    const seen = this.seen.get(key) ?? { arrivals: 0, answer: undefined }
    seen.arrivals++
    this.seen.set(key, seen)
    if (this.isDoubled(message, key, seen)) this.noteDoubled(connection, message, key)
    if (isRepeat(message.mti) && seen.arrivals > 1) this.count.repeats++
    const fate = this.fateOf(message, seen.arrivals)
    if (fate.answer === "ignored") {
      this.count.ignored++
      return this.noteReceived(connection, message, key, seen, { rule: "ignored", code: undefined }, fate)
    }
    if (seen.answer !== undefined) {
      const code = textOf(seen.answer, 39)
      this.noteReceived(connection, message, key, seen, { rule: "storedAnswer", code }, fate)
      return this.answer(connection, seen.answer, key, fate)
    }
    if (isReversal) this.count.reversals++
    const applied = apply(fate)
    seen.answer = this.answerTo(message, applied)
    this.noteReceived(connection, message, key, seen, applied, fate)
    this.answer(connection, seen.answer, key, fate)
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

  private fateOf(message: PartnerMessage, arrival: number): Fate {
    const isAdvice = message.mti[2] === "2" || message.mti[1] === "4"
    const draw = isAdvice ? adviceFate : requestFate
    return draw(this.behaviour, textOf(message, 37), message.mti, arrival)
  }

  private entryOf(message: PartnerMessage, kind: Entry["kind"]): Entry {
    const f90 = textOf(message, 90)
    return {
      key: keyOf(message),
      rrn: textOf(message, 37),
      kind,
      pan: textOf(message, 2),
      amount: Number(textOf(message, 4)),
      original: f90 === "" ? undefined : originalKey(f90)
    }
  }

  private post(message: PartnerMessage, entry: Entry, fate: Fate): Applied {
    if (fate.decline !== undefined) {
      this.ledger.decline(entry)
      this.count.declined++
      return { rule: "declined", code: fate.decline }
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
    const { rule } = this.ledger.reverse(originalKey(textOf(message, 90)))
    return { rule, code: codeOf[rule] }
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

  private answer(connection: Connection, answer: PartnerMessage, key: string, fate: Fate): void {
    if (fate.answer === "dropped") {
      this.count.dropped++
      return
    }
    if (fate.answer === "delayed") {
      this.count.delayed++
      return this.delayed.add(this.time.monotonic() + fate.delay, { connection, answer, key })
    }
    this.count.answered++
    connection.send(answer)
  }

  /** An answer goes out on the connection of its request or not at all. */
  private deliver({ connection, answer, key }: Delayed): void {
    const isUp = this.live.has(connection.epoch)
    if (isUp) {
      this.count.answered++
      connection.send(answer)
    } else this.count.answersLost++
    this.note({
      op: "info",
      what: isUp ? "answered" : "answerLost",
      epoch: connection.epoch,
      mti: answer.mti,
      key,
      rrn: textOf(answer, 37),
      code: textOf(answer, 39)
    })
  }

  private manage(connection: Connection, message: PartnerMessage, answer: PartnerMessage): void {
    connection.send(answer)
    const code = textOf(message, 70)
    if (code === managementCode.signOn) {
      this.count.signOns++
      this.note({ op: "info", what: "signedOn", epoch: connection.epoch, reason: "partner" })
    }
    if (code === managementCode.signOff) {
      this.note({ op: "info", what: "signedOff", epoch: connection.epoch, reason: "partner" })
    }
  }

  private managementAnswered(connection: Connection, message: PartnerMessage): void {
    const event = this.signOn.answered(connection, message)
    if (event === "signedOn" || event === "signedOff") {
      this.note({ op: "info", what: event, epoch: connection.epoch, reason: "own" })
    }
    if (event === "refused") connection.close("sign-on was refused")
  }

  /** 40: function not supported. Answers and anything else that is no request are only counted. */
  private refuseUnknown(connection: Connection, message: PartnerMessage): void {
    this.count.unmatched++
    this.note({ op: "info", what: "unmatched", epoch: connection.epoch, mti: message.mti, rrn: textOf(message, 37) })
    const isAsking = Number(message.mti[2]) % 2 === 0 && Number(message.mti[1]) < 5
    if (isAsking) connection.send(this.answerTo(message, { rule: "unknown", code: "40" }))
  }

  private authorisation(message: PartnerMessage): string {
    return chanceOf(this.behaviour.seed, "authorisation", textOf(message, 37)).digits(6)
  }

  /** F54: account type 10, amount type 02 (available), currency, sign, 12 digits. */
  private balanceField(pan: string): string {
    const available = this.ledger.available(pan)
    return `1002156${available < 0 ? "D" : "C"}${String(Math.abs(available)).padStart(12, "0")}`
  }

  private noteDoubled(connection: Connection, message: PartnerMessage, key: string): void {
    this.count.doubled++
    this.note({ op: "info", what: "doubled", epoch: connection.epoch, ...facts(message, key) })
  }

  private noteReceived(
    connection: Connection,
    message: PartnerMessage,
    key: string,
    seen: Seen,
    applied: Applied,
    fate: Fate
  ): void {
    const isEffective = applied.rule === "posted" || applied.rule === "undone"
    this.note({
      op: isEffective ? "ok" : applied.code === undefined || isApproved(applied.code) ? "info" : "fail",
      what: "received",
      epoch: connection.epoch,
      ...facts(message, key),
      attempt: seen.arrivals,
      rule: applied.rule,
      answer: fate.answer,
      ...(applied.code === undefined ? {} : { code: applied.code })
    })
  }

  private note(line: Omit<HistoryLine, "at">): void {
    this.history.append({ at: this.time.wall(), ...line })
  }
}

interface Applied {
  readonly rule: string
  readonly code: string | undefined
  /** Fields of the answer that only an approval has. */
  readonly own?: Fields
}

const keyOf = (message: PartnerMessage): string =>
  transactionKey({
    stan: textOf(message, 11),
    transmitted: textOf(message, 7),
    acquirer: textOf(message, 32),
    forwarder: textOf(message, 33)
  })

/** What a line says about a message. */
const facts = (message: PartnerMessage, key: string): Partial<HistoryLine> => {
  const kind = kindOf(firstMti(message.mti), textOf(message, 3))
  const f90 = textOf(message, 90)
  return {
    mti: message.mti,
    key,
    rrn: textOf(message, 37),
    amount: Number(textOf(message, 4)),
    pan: maskPan(textOf(message, 2)),
    ...(kind === undefined ? {} : { kind }),
    ...(f90 === "" ? {} : { original: originalKey(f90) })
  }
}
