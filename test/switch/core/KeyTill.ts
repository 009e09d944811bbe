/** Purchases while keys change: what the acquirer asked and heard, and what the issuer has booked, by amount. */
import type { Message } from "@jinka/codec"
import { answerTo, purchase } from "./Bench.ts"
import { cupsMacOf, sealed } from "./Guarded.ts"
import type { Connected } from "./KeyCrash.ts"
import type { Partner } from "./KeyPartner.ts"

interface Bought {
  readonly request: Message
  readonly answers: Array<string>
  reversals: number
  isReversed: boolean
}

const stanOf = (n: number): string => String(900_000 + n).padStart(6, "0")

/** See above. The acquirer is the partner whose key changes. */
export class KeyTill {
  private readonly partner: Partner
  private readonly bought: Array<Bought> = []
  /** By amount: purchases that came, and whether they are reversed. */
  private readonly booked = new Map<unknown, { requests: number; isReversed: boolean }>()
  private held: Array<Message> = []
  /** The issuer keeps its answers back. */
  isHolding = true
  /** Answers whose MAC was of no key that the acquirer knows. */
  unproved = 0

  constructor(partner: Partner) {
    this.partner = partner
  }

  buy(line: Connected): void {
    const n = this.bought.length + 1
    const plain = purchase({ 4: String(n).padStart(12, "0"), 11: stanOf(n) })
    const request = sealed(plain, this.partner.current!)
    this.bought.push({ request, answers: [], reversals: 0, isReversed: false })
    line.say(request)
  }

  /** A message of the switch to the acquirer. */
  hear(message: Message): void {
    const one = this.bought[(Number(message.fields[11]) % 1000) - 1]
    if (one === undefined || (message.mti !== "0210" && message.mti !== "0430")) return
    const { 128: mac, ...fields } = message.fields
    const keys = [this.partner.current!, ...this.partner.others]
    if (!keys.some((key) => mac === cupsMacOf({ ...message, fields }, key))) {
      this.unproved++
      return
    }
    if (message.mti === "0210") one.answers.push(String(message.fields[39]))
    else one.isReversed ||= message.fields[39] === "00" || message.fields[39] === "25"
  }

  /** The acquirer reverses what it has heard nothing of. */
  reverseUnheard(line: Connected): void {
    for (const [n, one] of this.bought.entries()) {
      if (one.answers.length > 0 || one.isReversed || one.reversals > 50) continue
      const original = `0200${stanOf(n + 1)}1122223829${"00048020000".repeat(2)}`
      const stan = String(800_000 + n + 1 + 0).padStart(6, "0")
      const mti = one.reversals++ === 0 ? "0420" : "0421"
      const { 4: amount } = one.request.fields
      line.say(sealed(purchase({ 4: amount!, 7: "1122223900", 11: stan, 90: original }, mti), this.partner.current!))
    }
  }

  /** What the issuer hears, and answers. */
  issue(messages: ReadonlyArray<Message>, line: Connected): void {
    for (const message of messages) {
      const { 4: amount } = message.fields
      const one = this.booked.get(amount) ?? { requests: 0, isReversed: false }
      this.booked.set(amount, one)
      if (message.mti === "0200") one.requests++
      else if (message.mti === "0420" || message.mti === "0421") one.isReversed = true
      else continue
      this.held.push(answerTo(message, message.mti === "0200" ? "0210" : "0430", {}))
    }
    if (this.isHolding) return
    for (const answer of this.held.splice(0)) line.say(answer)
  }

  /** The connection to the issuer is another one: what it kept back is for nobody. */
  cut(): void {
    this.held = []
    this.isHolding = false
  }

  /** Every purchase has an end that both know. */
  get isSettled(): boolean {
    return this.bought.every(({ answers, isReversed }) => answers.length > 0 || isReversed)
  }

  /** Sentences about what is lost or doubled. */
  findings(): ReadonlyArray<string> {
    return this.bought.flatMap(({ answers, isReversed, request }, n) => {
      const at = this.booked.get(request.fields[4])
      const isStanding = at !== undefined && at.requests > 0 && !at.isReversed
      const isApproved = answers.includes("00") && !isReversed
      return [
        ...(answers.length > 1 ? [`purchase ${n + 1} has the answers ${answers.join(", ")}`] : []),
        ...((at?.requests ?? 0) > 1 ? [`purchase ${n + 1} reached the issuer ${at?.requests} times`] : []),
        ...(answers.length === 0 && !isReversed ? [`purchase ${n + 1} has no end`] : []),
        ...(isApproved !== isStanding
          ? [
              `purchase ${n + 1} is ${isApproved ? "" : "not "}approved at the acquirer and ${isStanding ? "" : "not "}booked`
            ]
          : [])
      ]
    })
  }

  /** The code of the last purchase. */
  get last(): string | undefined {
    return this.bought.at(-1)?.answers[0]
  }
}
