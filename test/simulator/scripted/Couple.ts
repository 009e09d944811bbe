/** Two partners of files on one link, without sockets, in made-up time: each hears what the other one says. */
import type { Message } from "@jinka/codec"
import { told } from "../../../packages/simulator/src/dialogue/Observed.ts"
import { memoryHistory } from "../../../packages/simulator/src/history/History.ts"
import type { Posting } from "../../../packages/simulator/src/issuer/Ledger.ts"
import type { Connection } from "../../../packages/simulator/src/partner/Session.ts"
import { ScriptedPartner } from "../../../packages/simulator/src/scripted/ScriptedPartner.ts"
import { encoded, money, plansOf, stan, wallStart } from "./Bench.ts"

/** One partner of a file, with what it says to the other one. */
export class Side {
  readonly history = memoryHistory()
  readonly postings: Array<Posting> = []
  readonly sent: Array<Buffer> = []
  readonly partner: ScriptedPartner
  readonly plan
  readonly connection: Connection<Buffer>

  constructor(text: string, clock: { now: number }) {
    this.plan = plansOf(text)[0]!
    const time = { monotonic: () => clock.now, wall: () => wallStart + clock.now }
    this.partner = new ScriptedPartner(this.plan, this.history, time, (posting) => this.postings.push(posting))
    this.connection = { epoch: 1, send: (bytes) => this.sent.push(bytes), close: () => undefined }
    this.partner.speakBy((bytes) => this.sent.push(bytes) > 0)
  }

  hears(bytes: Buffer): void {
    this.partner.received(this.connection, told(this.plan.form, bytes, 0))
  }

  /** What it says of keys. */
  get keys(): ReadonlyArray<string> {
    return this.history.lines.flatMap(({ reason, what }) => (what === "key" ? [reason!] : []))
  }

  get checkValues(): ReadonlyArray<string> {
    return this.partner.totals().checkValues
  }
}

/** Two partners on one link: each hears what the other one says. */
export class Link {
  readonly clock = { now: 0 }
  readonly one: Side
  readonly other: Side
  /** Loses a message on its way. */
  loses: (message: Message) => boolean = () => false
  readonly passed: Array<Message> = []

  constructor(one: string, other: string) {
    this.one = new Side(one, this.clock)
    this.other = new Side(other, this.clock)
    this.one.partner.linkUp(this.one.connection)
    this.other.partner.linkUp(this.other.connection)
    this.pass(0)
  }

  pass(ms: number): void {
    this.clock.now += ms
    this.one.partner.tick()
    this.other.partner.tick()
    for (;;) {
      const [there, back] = [this.one.sent.splice(0), this.other.sent.splice(0)]
      if (there.length + back.length === 0) return
      for (const bytes of there) this.carry(bytes, this.other)
      for (const bytes of back) this.carry(bytes, this.one)
      this.one.partner.tick()
      this.other.partner.tick()
    }
  }

  /** The code of a purchase that the first says to the second, with the MAC of the first. */
  buys(n: number): unknown {
    const { codec } = this.one.plan.form
    const seal = Reflect.get(this.one.partner, "zone") as { sealed: (bytes: Buffer, isWrong: boolean) => Buffer }
    this.other.hears(seal.sealed(encoded(codec, money(codec, { 11: stan(n) })), false))
    const answers = this.other.sent.splice(0).map((bytes) => codec.decode(bytes) as Message)
    return answers.at(-1)?.fields[39]
  }

  private carry(bytes: Buffer, to: Side): void {
    const message = to.plan.form.codec.decode(bytes) as Message
    this.passed.push(message)
    if (!this.loses(message)) to.hears(bytes)
  }
}
