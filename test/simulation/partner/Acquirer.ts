/**
 * A simulated acquirer: sends purchases, gives up in time, takes back what it does not know the outcome of, repeats until
 * that is acknowledged. What it saw goes into the history; whether that was right is for the checkers.
 */
import { Clock, Deferred, Effect, Exit, Random } from "effect"
import type { Transport } from "../../../packages/switch/src/transport/Transport.ts"
import type { History, Purchase } from "../check/History.ts"
import { type CupsMessage, keyOf, newMessage, originalDataOf } from "./Cups.ts"
import { Line, type LineOptions, type LineOwner, type SecondHost, type Session } from "./Line.ts"
import { Stans, transmissionTime } from "./Numbers.ts"
import { everyPin, Zone } from "./Zone.ts"

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
}

/** Cards of one issuer: what follows is the number of the card. */
export interface IssuerCards {
  readonly issuer: string
  /** First digits of the issuer's card numbers (BIN). */
  readonly bin: string
}

/** Answers after which a reversal is repeated: nobody knows yet. All others end it (domain facts 1.15). */
const REVERSAL_OPEN = new Set(["A0", "09", "68", "90", "91", "92", "96", "98"])

export class Acquirer {
  readonly options: AcquirerOptions
  private readonly history: History
  private readonly cards: ReadonlyArray<IssuerCards>
  /** One for each host; they take turns. */
  private readonly lines: Array<Line> = []
  private readonly owner: LineOwner
  private turn = 0
  private readonly stans = new Stans()
  private readonly open = new Map<string, Deferred.Deferred<void>>()
  private readonly byKey = new Map<string, Purchase>()
  private readonly byReversalKey = new Map<string, Purchase>()
  /** Keys of messages in another one's name. */
  private readonly lies = new Set<string>()
  private isTrading = true
  private count = 0

  constructor(
    transport: Transport["Service"],
    options: AcquirerOptions,
    cards: ReadonlyArray<IssuerCards>,
    history: History
  ) {
    this.options = options
    this.cards = cards
    this.history = history
    this.owner = {
      received: (message, _session, at) => this.received(message, at),
      spoilt: () => history.spoilt++,
      changed: () => history.keyChanges++,
      failed: (why) => history.findings.push(`${options.name} got bytes that it cannot read: ${why}`)
    }
    this.lines.push(new Line(transport, options.line, this.stans, this.owner))
  }

  /** The program of its second host; never ends. */
  secondHost(transport: Transport["Service"], line: LineOptions): Effect.Effect<never> {
    const second = new Line(transport, line, this.stans, this.owner)
    this.lines.push(second)
    return second.run
  }

  /** A session that may be used, of the hosts in turn. */
  private get session(): Session | undefined {
    const sessions = this.lines.flatMap(({ session }) => session ?? [])
    return sessions[this.turn++ % Math.max(1, sessions.length)]
  }

  /** The acquirer's program; never ends. */
  get run(): Effect.Effect<never> {
    return Effect.andThen(Effect.forkChild(this.trade), this.lines[0]!.run)
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

  private get trade() {
    return Effect.gen({ self: this }, function* () {
      while (this.isTrading) {
        yield* Effect.sleep(yield* Random.nextBetween(...this.options.pause))
        const { session } = this
        if (session !== undefined && this.isTrading) yield* Effect.forkDetach(this.purchase(session))
      }
    })
  }

  private purchase(session: Session) {
    return Effect.gen({ self: this }, function* () {
      const request = yield* this.makeRequest
      const { purchase } = request
      const answered = Deferred.makeUnsafe<void>()
      this.open.set(purchase.key, answered)
      session.send(request.message)
      this.history.said.set(this.options.name, request.message)
      yield* Effect.forkDetach(this.lie(session, request.message))
      yield* Effect.forkDetach(this.sendAgain(request.message, purchase))
      const inTime = yield* Deferred.await(answered).pipe(Effect.timeoutOption(this.options.answerWithin))
      this.open.delete(purchase.key)
      if (inTime._tag === "Some") return
      purchase.outcome = "unknown"
      yield* this.reverse(request.message, purchase)
    })
  }

  private get makeRequest() {
    return Effect.gen({ self: this }, function* () {
      const { institution, centre } = this.options.line
      const { transmission, time, date } = yield* transmissionTime
      const { issuer, bin } = this.cards[yield* Random.nextIntBetween(0, this.cards.length - 1)]!
      const card = bin + String(yield* Random.nextIntBetween(0, 999_999_999)).padStart(16 - bin.length, "0")
      const amount = yield* Random.nextIntBetween(1, 1_000_000)
      const rrn = `${institution.slice(-4)}${String(++this.count).padStart(8, "0")}`
      const message = newMessage(
        "0200",
        { source: institution, destination: centre },
        {
          ...{ 2: card, 3: "000000", 4: String(amount).padStart(12, "0"), 7: transmission, 11: this.stans.next() },
          ...{ 12: time, 13: date, 18: "5411", 22: "012", 25: "00", 32: institution, 33: institution, 37: rrn },
          ...{ 41: "TERM0001", 42: "MERCHANT0000001", 43: "TEST SHOP".padEnd(40), 49: "156" },
          ...this.pinOf(card)
        }
      )
      const purchase: Purchase = {
        ...{ acquirer: this.options.name, issuer, key: keyOf(message), rrn, amount },
        ...{ startedAt: yield* Clock.currentTimeMillis, sends: 1, answers: [], outcome: "open", reversal: undefined }
      }
      this.history.cards.add(card)
      this.history.purchases.set(rrn, purchase)
      this.byKey.set(purchase.key, purchase)
      return { message, purchase }
    })
  }

  /** Every second purchase has a PIN, where this partner has keys. */
  private pinOf(card: string): Readonly<Record<number, string>> {
    const { institution, zone } = this.options.line
    if (zone === undefined || this.count % 2 === 0) return {}
    const block = new Zone(institution).pinBlock(everyPin, card)
    this.history.pinBlocks.add(block)
    return { 52: block, 53: "2600000000000000" }
  }

  /** Sometimes the same request once more, as a careless front end does. */
  private sendAgain(message: CupsMessage, purchase: Purchase) {
    return Effect.gen({ self: this }, function* () {
      if ((yield* Random.next) >= this.options.repeats) return
      yield* Effect.sleep(yield* Random.nextBetween(0, this.options.repeatWithin))
      const { session } = this
      if (session === undefined || purchase.outcome === "unknown") return
      purchase.sends++
      session.send(message)
    })
  }

  /**
   * Sometimes a message that another acquirer could have sent: its next purchase, or the reversal of its last one, with its
   * source in the header or with our own. Whatever comes of it must be the code of a refusal, and nobody else may feel it.
   */
  private lie(session: Session, own: CupsMessage) {
    return Effect.gen({ self: this }, function* () {
      if (this.options.lies === 0 || (yield* Random.next) >= this.options.lies) return
      const others = [...this.history.said].filter(([name]) => name !== this.options.name).map(([, message]) => message)
      const other = others[yield* Random.nextIntBetween(0, Math.max(0, others.length - 1))]
      const { transmission } = yield* transmissionTime
      const stranger: CupsMessage = { ...own, fields: { ...own.fields, 32: "48099999", 33: "48099999" } }
      const { fields, source } = other ?? stranger
      const ahead = yield* Random.nextIntBetween(1, 5)
      const next = { 7: transmission, 11: String((Number(fields[11]) % 999_999) + ahead).padStart(6, "0") }
      const message = {
        ...(other ?? stranger),
        source: (yield* Random.next) < 0.5 ? source : own.source,
        ...((yield* Random.next) < 0.5
          ? { mti: "0200", fields: { ...fields, ...next, 37: `LIE${String(++this.count).padStart(9, "0")}` } }
          : { mti: "0420", fields: { ...fields, ...next, 90: originalDataOf(other ?? stranger) } })
      }
      this.lies.add(`${message.mti} ${keyOf(message)}`)
      this.history.lies++
      session.send(message)
    })
  }

  /** 0420, then 0421 with the same keys, until somebody says that it is known. */
  private reverse(original: CupsMessage, purchase: Purchase) {
    return Effect.gen({ self: this }, function* () {
      const { transmission } = yield* transmissionTime
      const { 35: _track, 52: _pin, 55: _chip, ...kept } = original.fields
      const fields = { ...kept, 7: transmission, 11: this.stans.next(), 90: originalDataOf(original) }
      const message = { ...original, mti: "0420", fields }
      const reversal = { key: keyOf(message), attempts: 0, code: undefined as string | undefined }
      purchase.reversal = reversal
      this.byReversalKey.set(reversal.key, purchase)
      while (reversal.code === undefined) {
        const { session } = this
        session?.send({ ...message, mti: reversal.attempts === 0 ? "0420" : "0421" })
        if (session !== undefined) reversal.attempts++
        yield* Effect.sleep(this.options.reversalEvery)
      }
    })
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
    const waiting = this.open.get(purchase.key)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Exit.void)
  }

  private reversed(message: CupsMessage): void {
    const purchase = this.byReversalKey.get(keyOf(message))
    const code = message.fields[39] ?? ""
    if (purchase?.reversal === undefined) {
      this.history.findings.push(`${this.options.name} got a reversal answer to nothing it sent`)
    } else if (!REVERSAL_OPEN.has(code)) purchase.reversal.code ??= code
  }
}
