/**
 * A simulated acquirer: sends purchases, gives up in time, takes back what it does not know the outcome of, repeats until
 * that is acknowledged. What it saw goes into the history; whether that was right is for the checkers.
 */
import type { History, Purchase } from "../check/History.ts"
import type { Event } from "../world/EventHeap.ts"
import type { Leave } from "./Caller.ts"
import { type CupsMessage, keyOf, newMessage, originalDataOf } from "./Cups.ts"
import type { DaysKnown } from "./DayKeeper.ts"
import type { Host } from "./Host.ts"
import { Line, type LineOptions, type LineOwner, type SecondHost, type Session } from "./Line.ts"
import { Stans, timesAt } from "./Numbers.ts"
import { everyPin, zoneOf } from "./Zone.ts"

/** What the seed drew for an acquirer. Times in milliseconds. */
export interface AcquirerOptions {
  readonly name: string
  readonly line: LineOptions
  readonly second?: SecondHost
  /** Pauses between purchases. */
  readonly pause: readonly [number, number]
  readonly answerWithin: number
  readonly reversalEvery: number
  /** Chance that a request is sent again, byte for byte, within `repeatWithin`. */
  readonly repeats: number
  readonly repeatWithin: number
  /** Chance that a purchase is followed by a message in the name of another acquirer. */
  readonly lies: number
  /** Chance that a caller over HTTP leaves before its answer, within `leavesWithin`. */
  readonly leaves: number
  readonly leavesWithin: number
}

/** Cards of one issuer: what follows is the number of the card. */
export interface IssuerCards {
  readonly issuer: string
  /** First digits of the issuer's card numbers (BIN). */
  readonly bin: string
}

const shop = "TEST SHOP".padEnd(40)

/** Answers after which a reversal is repeated: nobody knows yet. All others end it (domain facts 1.15). */
const REVERSAL_OPEN = new Set(["A0", "09", "68", "90", "91", "92", "96", "98"])

export class Acquirer {
  readonly options: AcquirerOptions
  private readonly host: Host
  private readonly history: History
  private readonly cards: ReadonlyArray<IssuerCards>
  /** One for each host; they take turns. */
  private readonly lines: Array<Line> = []
  private readonly owner: LineOwner
  private turn = 0
  private readonly stans = new Stans()
  /** When it gives a purchase up, by key. */
  private readonly open = new Map<string, Event>()
  private readonly byKey = new Map<string, Purchase>()
  private readonly byReversalKey = new Map<string, Purchase>()
  /** Keys of messages in another one's name. */
  private readonly lies = new Set<string>()
  private isTrading = true
  private count = 0

  constructor(host: Host, options: AcquirerOptions, cards: ReadonlyArray<IssuerCards>, history: History) {
    this.host = host
    this.options = options
    this.cards = cards
    this.history = history
    this.owner = {
      received: (message, _session, at) => this.received(message, at),
      spoilt: () => history.spoilt++,
      changed: () => history.keyChanges++,
      failed: (why) => history.findings.push(`${options.name} got bytes that it cannot read: ${why}`)
    }
    this.lines.push(new Line(host, options.line, this.stans, this.owner))
  }

  /** Begins to trade, on the line of its own host. */
  start(): void {
    this.trade()
    this.lines[0]!.start()
  }

  /** Its second host joins it. */
  join(host: Host, options: LineOptions): void {
    const second = new Line(host, options, this.stans, this.owner)
    this.lines.push(second)
    second.start()
  }

  /** A session that may be used, of the hosts in turn. */
  private get session(): Session | undefined {
    const sessions = this.lines.flatMap(({ session }) => session ?? [])
    return sessions[this.turn++ % Math.max(1, sessions.length)]
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

  /** No new purchases from now on. */
  stopTrading(): void {
    this.isTrading = false
  }

  /** What is not at its end, in words. */
  pending(): ReadonlyArray<string> {
    const named: Array<string> = []
    for (const purchase of this.byKey.values()) {
      const { rrn, outcome, reversal } = purchase
      if (outcome === "open") named.push(`purchase ${rrn} of ${this.options.name} is open`)
      if (outcome === "unknown" && reversal?.code === undefined) {
        named.push(
          `reversal of ${rrn} is not acknowledged to ${this.options.name} after ${reversal?.attempts ?? 0} sends`
        )
      }
    }
    return named
  }

  private trade(): void {
    this.host.after(this.host.random.between(...this.options.pause), () => {
      if (!this.isTrading) return
      const { session } = this
      if (session !== undefined) this.purchase(session)
      this.trade()
    })
  }

  private purchase(session: Session): void {
    const { message, purchase } = this.makeRequest()
    const givesUp = this.host.after(this.options.answerWithin, () => {
      this.open.delete(purchase.key)
      purchase.outcome = "unknown"
      this.reverse(message, purchase)
    })
    this.open.set(purchase.key, givesUp)
    if (session.call === undefined) session.send(message)
    else this.mayLeave(session.call(message), purchase)
    this.history.said.set(this.options.name, message)
    this.lie(session, message)
    this.sendAgain(message, purchase)
  }

  /** Sometimes a caller is gone before its answer: it takes the purchase back in time, or it never says anything again. */
  private mayLeave(leave: Leave, purchase: Purchase): void {
    const { random } = this.host
    if (!random.chance(this.options.leaves)) return
    const how = random.pick(["fin", "reset"] as const)
    const isForGood = random.chance(0.5)
    this.host.after(random.between(0, this.options.leavesWithin), () => {
      if (purchase.outcome !== "open") return
      leave(how)
      if (!isForGood) return
      purchase.outcome = "left"
      this.givesUp(purchase.key)
    })
  }

  /** It has its answer. */
  private givesUp(key: string): void {
    const timer = this.open.get(key)
    if (timer !== undefined) timer.cancelled = true
    this.open.delete(key)
  }

  private makeRequest(): { readonly message: CupsMessage; readonly purchase: Purchase } {
    const { random } = this.host
    const { institution, centre } = this.options.line
    const { transmission, time, date } = timesAt(this.host.now)
    const { issuer, bin } = random.pick(this.cards)
    const card = bin + String(random.whole(0, 999_999_999)).padStart(16 - bin.length, "0")
    const amount = random.whole(1, 1_000_000)
    const rrn = `${institution.slice(-4)}${String(++this.count).padStart(8, "0")}`
    const fields: Record<number, string> = {
      2: card,
      3: "000000",
      4: String(amount).padStart(12, "0"),
      7: transmission,
      11: this.stans.next(),
      12: time,
      13: date,
      18: "5411",
      22: "012",
      25: "00",
      32: institution,
      33: institution,
      37: rrn,
      41: "TERM0001",
      42: "MERCHANT0000001",
      43: shop,
      49: "156"
    }
    this.putPin(fields, card)
    const message = newMessage("0200", { source: institution, destination: centre }, fields)
    const purchase: Purchase = {
      acquirer: this.options.name,
      issuer,
      key: keyOf(message),
      rrn,
      amount,
      startedAt: this.host.now,
      sends: 1,
      answers: [],
      outcome: "open",
      reversal: undefined
    }
    this.history.cards.add(card)
    this.history.purchases.set(rrn, purchase)
    this.history.begun.set(rrn, this.host.now)
    this.byKey.set(purchase.key, purchase)
    return { message, purchase }
  }

  /** Every second purchase has a PIN, where this partner has keys. */
  private putPin(fields: Record<number, string>, card: string): void {
    const { institution, zone } = this.options.line
    if (zone === undefined || this.count % 2 === 0) return
    const block = zoneOf(institution).pinBlock(everyPin, card)
    this.history.pinBlocks.add(block)
    fields[52] = block
    fields[53] = "2600000000000000"
  }

  /** Sometimes the same request once more, as a careless front end does. */
  private sendAgain(message: CupsMessage, purchase: Purchase): void {
    const { random } = this.host
    if (random.nextDoubleUnsafe() >= this.options.repeats) return
    this.host.after(random.between(0, this.options.repeatWithin), () => {
      const { session } = this
      if (session === undefined || purchase.outcome === "unknown" || purchase.outcome === "left") return
      purchase.sends++
      session.send(message)
    })
  }

  /**
   * Sometimes a message that another acquirer could have sent: its next purchase, or the reversal of its last one, with its
   * source in the header or with our own. Whatever comes of it must be the code of a refusal, and nobody else may feel it.
   */
  private lie(session: Session, own: CupsMessage): void {
    const { random } = this.host
    if (this.options.lies === 0 || !random.chance(this.options.lies)) return
    const others = [...this.history.said].filter(([name]) => name !== this.options.name).map(([, message]) => message)
    const other = others.length === 0 ? undefined : random.pick(others)
    const stranger: CupsMessage = { ...own, fields: { ...own.fields, 32: "48099999", 33: "48099999" } }
    const { fields, source } = other ?? stranger
    const { transmission } = timesAt(this.host.now)
    const next = { 7: transmission, 11: String((Number(fields[11]) % 999_999) + random.whole(1, 5)).padStart(6, "0") }
    const message: CupsMessage = {
      ...(other ?? stranger),
      source: random.chance(0.5) ? source : own.source,
      ...(random.chance(0.5)
        ? { mti: "0200", fields: { ...fields, ...next, 37: `LIE${String(++this.count).padStart(9, "0")}` } }
        : { mti: "0420", fields: { ...fields, ...next, 90: originalDataOf(other ?? stranger) } })
    }
    const rrn = message.fields[37] ?? ""
    if (!this.history.begun.has(rrn)) this.history.begun.set(rrn, this.host.now)
    this.lies.add(`${message.mti} ${keyOf(message)}`)
    this.history.lies++
    session.send(message)
  }

  /** 0420, then 0421 with the same keys, until somebody says that it is known. */
  private reverse(original: CupsMessage, purchase: Purchase): void {
    const { 35: _track, 52: _pin, 55: _chip, ...kept } = original.fields
    const { transmission } = timesAt(this.host.now)
    const fields = { ...kept, 7: transmission, 11: this.stans.next(), 90: originalDataOf(original) }
    const message = { ...original, mti: "0420", fields }
    const reversal = { key: keyOf(message), attempts: 0, code: undefined as string | undefined }
    purchase.reversal = reversal
    this.byReversalKey.set(reversal.key, purchase)
    const attempt = () => {
      if (reversal.code !== undefined) return
      const { session } = this
      session?.send({ ...message, mti: reversal.attempts === 0 ? "0420" : "0421" })
      if (session !== undefined) reversal.attempts++
      this.host.after(this.options.reversalEvery, attempt)
    }
    attempt()
  }

  private received(message: CupsMessage, at: number): void {
    const asked = `${message.mti === "0210" ? "0200" : "0420"} ${keyOf(message)}`
    if (this.lies.has(asked)) {
      const code = message.fields[39]
      if (code !== "63" && code !== "A0")
        this.history.findings.push(`G6: a lie of ${this.options.name} was answered ${code}: ${asked}`)
    } else if (message.mti === "0210") this.answered(message, at)
    else if (message.mti === "0430") this.reversed(message)
    else this.history.findings.push(`${this.options.name} got an unexpected ${message.mti}`)
  }

  private answered(message: CupsMessage, at: number): void {
    const purchase = this.byKey.get(keyOf(message))
    if (purchase === undefined) {
      this.history.findings.push(`${this.options.name} got an answer to nothing it asked, RRN ${message.fields[37]}`)
      return
    }
    const code = message.fields[39] ?? ""
    const isLate = purchase.outcome !== "open"
    const { fields } = message
    purchase.answers.push({ at, code, rrn: fields[37] ?? "", amount: Number(fields[4]), isLate })
    if (isLate) return
    purchase.outcome = code === "00" ? "approved" : "declined"
    this.givesUp(purchase.key)
  }

  private reversed(message: CupsMessage): void {
    const purchase = this.byReversalKey.get(keyOf(message))
    const code = message.fields[39] ?? ""
    if (purchase?.reversal === undefined) {
      this.history.findings.push(`${this.options.name} got a reversal answer to nothing it sent`)
    } else if (!REVERSAL_OPEN.has(code)) purchase.reversal.code ??= code
  }
}
