/**
 * A simulated issuer: books requests and reversals in its ledger and answers late, twice, out of order or not at all, as the
 * seed says. What it received goes into the history.
 */
import type { History } from "../check/History.ts"
import { answerTo, type CupsMessage, keyOf, originalKeyOf } from "./Cups.ts"
import type { DaysKnown } from "./DayKeeper.ts"
import type { Host } from "./Host.ts"
import { Ledger } from "./Ledger.ts"
import { Line, type LineOptions, type LineOwner, type SecondHost, type Session } from "./Line.ts"
import { Stans } from "./Numbers.ts"
import { everyPin, zoneOf } from "./Zone.ts"

/** What the seed drew for an issuer. Chances 0..1, times in milliseconds. */
export interface IssuerOptions {
  readonly name: string
  readonly line: LineOptions
  readonly second?: SecondHost
  readonly bin: string
  readonly declines: number
  /** No answer at all. */
  readonly keepsSilent: number
  /** The answer twice. */
  readonly answersTwice: number
  /** An answer after `lateAfter` instead of `thinks`. */
  readonly answersLate: number
  readonly thinks: readonly [number, number]
  readonly lateAfter: readonly [number, number]
  /** Answers go out on the newest session, not on the one the request came on. */
  readonly answersOnNewest: boolean
  /** DE 39 of the answer to a reversal of something unknown: "00" or "25". */
  readonly unknownOriginal: string
}

/** Fields of a request that its answer carries unchanged, where present (domain facts 1.6, response columns). */
const echoed = [2, 3, 4, 7, 11, 12, 13, 18, 25, 32, 33, 37, 41, 42, 49, 90] as const

export class Issuer {
  readonly options: IssuerOptions
  readonly ledger = new Ledger()
  private readonly host: Host
  private readonly history: History
  /** One for each host; they share the ledger. */
  private readonly lines: Array<Line> = []
  private readonly owner: LineOwner
  private behavesWell = false

  constructor(host: Host, options: IssuerOptions, history: History) {
    this.host = host
    this.options = options
    this.history = history
    this.owner = {
      received: (message, session, at) => this.serve(message, session, at),
      changed: () => history.keyChanges++,
      failed: (why) => history.findings.push(`${options.name} got bytes that it cannot read: ${why}`)
    }
    this.lines.push(new Line(host, options.line, new Stans(), this.owner))
  }

  /** Opens the line of its own host. */
  start(): void {
    this.lines[0]!.start()
  }

  /** Its second host joins it. */
  join(host: Host, options: LineOptions): void {
    const second = new Line(host, options, new Stans(), this.owner)
    this.lines.push(second)
    second.start()
  }

  /** Business days that it keeps, by the links of its lines. */
  get daysKnown(): ReadonlyArray<readonly [string, DaysKnown]> {
    const names = [this.options.name, this.options.second?.name ?? ""]
    return this.lines.flatMap(({ days }, n) => (days === undefined ? [] : [[names[n]!, days.known] as const]))
  }

  /** MAC keys that it changes, by the links of its lines. */
  get keysInUse(): ReadonlyArray<readonly [string, string]> {
    const names = [this.options.name, this.options.second?.name ?? ""]
    return this.lines.flatMap(({ keyInUse }, n) => (keyInUse === undefined ? [] : [[names[n]!, keyInUse] as const]))
  }

  /** No new keys from now on. */
  settle(): void {
    for (const line of this.lines) line.settle()
  }

  /** From now on every answer comes, once and in time. */
  behaveWell(): void {
    this.behavesWell = true
    for (const line of this.lines) line.isHonest = true
  }

  /** True with a chance, as long as the issuer misbehaves. */
  private misbehaves(chance: number): boolean {
    return this.host.random.chance(chance) && !this.behavesWell
  }

  private serve(message: CupsMessage, session: Session, at: number): void {
    this.record(message, at)
    this.lookAtPin(message)
    const code = this.book(message, this.host.random.chance(this.options.declines))
    if (code === undefined) return
    const answer = answerTo(message, echoed, code === "00" ? { 38: "123456", 39: code } : { 39: code })
    if (this.misbehaves(this.options.keepsSilent)) return
    const isTwice = this.misbehaves(this.options.answersTwice)
    this.answer(answer, session, () => {
      if (isTwice) this.answer(answer, session, () => {})
    })
  }

  private record(message: CupsMessage, at: number): void {
    const { fields } = message
    this.history.receipts.push({
      ...{ at, issuer: this.options.name, mti: message.mti, key: keyOf(message), originalKey: originalKeyOf(message) },
      ...{ rrn: fields[37] ?? "", amount: Number(fields[4]) }
    })
  }

  /** A PIN block must be of the issuer's own zone, and hold the PIN that every card here has. */
  private lookAtPin({ fields, mti }: CupsMessage): void {
    const { name, line } = this.options
    const block = fields[52]
    if (block === undefined) return
    this.history.pinBlocks.add(block)
    this.history.pins++
    if (line.zone === undefined) this.history.findings.push(`${name} got a PIN block, and has no zone`)
    else if (block !== zoneOf(line.institution).pinBlock(everyPin, fields[2]!))
      this.history.findings.push(`${name} got a PIN block of another zone, PIN or card in a ${mti}`)
  }

  /** The response code, or undefined for a message that an issuer does not answer. */
  private book(message: CupsMessage, isDeclined: boolean): string | undefined {
    const rrn = message.fields[37] ?? ""
    switch (message.mti) {
      case "0200":
        return this.ledger.request(keyOf(message), rrn, Number(message.fields[4]), isDeclined).code
      case "0420":
      case "0421":
        return this.ledger.reverse(originalKeyOf(message) ?? "", rrn) ? "00" : this.options.unknownOriginal
      default:
        this.history.findings.push(`${this.options.name} got an unexpected ${message.mti}`)
        return undefined
    }
  }

  private answer(answer: CupsMessage, session: Session, then: () => void): void {
    const isLate = this.misbehaves(this.options.answersLate)
    const waits = this.host.random.between(...(isLate ? this.options.lateAfter : this.options.thinks))
    this.host.after(waits, () => {
      // Of two hosts the second answers for both: the switch takes an answer on every link of the group.
      const newest = this.lines.findLast((line) => line.session !== undefined)?.session
      const chosen = this.options.answersOnNewest && this.options.line.isShort !== true ? newest : session
      if (chosen?.isOpen === true) chosen.send(answer)
      then()
    })
  }
}
