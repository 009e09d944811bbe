/**
 * How a simulated partner keeps its line to the switch: connect or accept, idle frames, echo, sign-on, giving up on silence.
 *
 * Plain code over the world's network (`Host.ts`). It shares nothing with the switch's link code but the wire. It hands every
 * message that is no network management to its owner and answers the network management itself.
 */

import type { Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import type { Event } from "../world/EventHeap.ts"
import { Caller, type CallerOptions, type Leave } from "./Caller.ts"
import { answerTo, type CupsMessage, FrameReader, frameOf, idleFrame, newMessage, readMessage } from "./Cups.ts"
import { DayKeeper } from "./DayKeeper.ts"
import type { Host, Wire } from "./Host.ts"
import { type Stans, timesAt } from "./Numbers.ts"
import { PairKeeper, type PairOptions } from "./Pair.ts"
import { hasMac, Zone } from "./Zone.ts"

/** Facts of a partner's line. Times in milliseconds. */
export interface LineOptions {
  readonly role: "dials" | "listens"
  /** Where to dial, or where to listen. */
  readonly endpoint: Endpoint
  /** Two connections in place of the one at `endpoint`: a simplex link of the switch. */
  readonly pair?: PairOptions
  /** A connection for each message of this partner and its answer. */
  readonly isShort?: true
  /** With `isShort`: each message on a connection of its own, and what comes on others: where it dials, and where it listens. */
  readonly oneWay?: { readonly sends: Endpoint; readonly hears: Endpoint }
  /** It calls over HTTP. */
  readonly calls?: CallerOptions["connections"]
  /** It comes to the address that it shares with others (in place of its endpoint's port). */
  readonly atDoor?: true
  /** This partner's institution code and the one it puts into the header as destination. */
  readonly institution: string
  readonly centre: string
  /** True: signs on by itself after connecting and uses no connection before. */
  readonly signsOn: boolean
  readonly idleEvery: number
  readonly echoEvery: number
  /** Nothing received for so long: the connection is given up. */
  readonly silenceMax: number
  readonly reconnectAfter: readonly [number, number]
  /** It has keys of its own, and every so many messages its MAC is wrong (0: never). */
  readonly zone?: {
    readonly spoilsEvery: number
    /** It delivers a new MAC key every so often, in milliseconds; 0: never. */
    readonly changesEvery: number
  }
  /** It begins another business day every so often, in milliseconds; left out: never. */
  readonly daysEvery?: number
}

/** A second host of a partner, on a machine of its own: a group of two links of the switch. */
export interface SecondHost {
  readonly name: string
  readonly line: LineOptions
  readonly use: "primary-backup" | "round-robin" | "least-outstanding" | "sticky"
  readonly fallTogether: boolean
}

/** The partner that a machine belongs to: second hosts are named after it. */
export const partnerOf = (machine: string): string => machine.replace(/-b$/, "")

/** One connection of a partner, as its owner sees it. */
export interface Session {
  /** Queues a message; lost when the connection ends before it left. */
  readonly send: (message: CupsMessage) => void
  /** The same over HTTP, with what leaves the call before its answer. */
  readonly call?: (message: CupsMessage) => Leave
  isOpen: boolean
  isSignedOn: boolean
}

/** What the owner of a line does with it. `at` is wall time in milliseconds; `failed` is told what could not be read. */
export interface LineOwner {
  readonly received: (message: CupsMessage, session: Session, at: number) => void
  readonly failed: (why: string) => void
  /** Told of each message that leaves with a wrong MAC. */
  readonly spoilt?: (message: CupsMessage) => void
  /** Told of each key that the switch has taken. */
  readonly changed?: () => void
}

/** A sign-on without an answer is sent again after so long, and a key; milliseconds. */
const SIGN_ON_AGAIN = 5000
const KEY_AGAIN = 3000

/** Bytes in front of a message on a connection that carries several. */
const LENGTH = 4

/** A partner's line. `session` is the newest one that may be used, if there is one. */
export class Line {
  readonly options: LineOptions
  readonly host: Host
  readonly stans: Stans
  private readonly owner: LineOwner
  private readonly sessions: Array<Conversation> = []
  private readonly zone: Zone | undefined
  private caller: Caller | undefined
  private count = 0
  /** A key was delivered and is not answered for; the STANs that it was delivered with. */
  private isKeyOut = false
  private readonly keyStans = new Set<string>()
  private isSettled = false
  /** Its business days, where it keeps some. */
  days: DayKeeper | undefined
  /** No MAC is wrong on purpose any more. */
  isHonest = false

  constructor(host: Host, options: LineOptions, stans: Stans, owner: LineOwner) {
    this.host = host
    if (options.zone !== undefined) this.zone = new Zone(options.institution)
    this.options = options
    this.stans = stans
    this.owner = owner
  }

  /** The newest session that is open and, where this partner signs on, signed on. */
  get session(): Session | undefined {
    const { calls, isShort, oneWay, role } = this.options
    if (calls !== undefined) return this.callSession
    if (isShort === true && (role === "dials" || oneWay !== undefined)) return this.shortSession
    return this.sessions.findLast((session) => session.isSignedOn || !this.options.signsOn)
  }

  private get checkValue(): string | undefined {
    return (this.options.zone?.changesEvery ?? 0) > 0 ? this.zone?.checkValue : undefined
  }

  /** What both sides must have at the end; `undefined`: its key never changes. */
  get keyInUse(): string | undefined {
    return this.isKeyOut ? "not answered for" : this.checkValue
  }

  /** No new keys from now on; one that was not answered for is still delivered. */
  settle(): void {
    this.isSettled = true
    if (this.days !== undefined) this.days.isSettled = true
  }

  /** Keeps the line from now on. */
  start(): void {
    const { endpoint, oneWay, pair, role } = this.options
    const pause = () => this.host.random.between(...this.options.reconnectAfter)
    const converse = (wire: Wire, ended: () => void) => this.converse(wire, ended)
    if (oneWay !== undefined) return this.host.listen(oneWay.hears, (wire) => void this.converse(wire, () => {}))
    if (this.options.isShort === true && role === "dials") return
    if (pair !== undefined) new PairKeeper(pair, { host: this.host, pause, converse }).start()
    else if (role === "listens") this.host.listen(endpoint, (wire) => void this.converse(wire, () => {}))
    else this.dial(pause)
    if ((this.options.zone?.changesEvery ?? 0) > 0) this.changeKey()
    if (this.options.daysEvery !== undefined) this.keepDays(this.options.daysEvery)
  }

  private keepDays(everyMs: number): void {
    const refused = (code: string) => this.owner.failed(`a cut-over was refused with ${code}`)
    this.days = new DayKeeper(this.host, this.options, this.stans, () => this.session, refused)
    this.days.start(everyMs)
  }

  private dial(pause: () => number): void {
    const again = () => void this.host.after(pause(), () => this.dial(pause))
    this.host.dial(this.options.endpoint, (wire) => {
      if (wire === undefined) again()
      else this.converse(wire, again)
    })
  }

  private converse(wire: Wire, ended: () => void): () => void {
    const one = new Conversation(this, wire, () => {
      this.sessions.splice(this.sessions.indexOf(one), 1)
      ended()
    })
    this.sessions.push(one)
    one.start()
    return () => one.end()
  }

  /** Each message on a connection of its own, which lasts until something has come or silence has been long enough. */
  private readonly shortSession: Session = {
    isOpen: true,
    isSignedOn: true,
    send: (message) =>
      this.host.dial(this.options.oneWay?.sends ?? this.options.endpoint, (wire) => {
        if (wire === undefined) return
        if (this.options.oneWay !== undefined) {
          wire.send(frameOf(this.sealed(message)))
          return wire.close("fin")
        }
        const one = new Conversation(this, wire, () => {})
        one.start()
        one.send(message)
      })
  }

  /** A call for each message. */
  private readonly callSession: Session = {
    isOpen: true,
    isSignedOn: true,
    send: (message) => void this.call(message),
    call: (message) => this.call(message)
  }

  private call(message: CupsMessage): Leave {
    const { calls, endpoint, institution, silenceMax } = this.options
    this.caller ??= new Caller(
      this.host,
      { endpoint, path: `/${institution}`, connections: calls!, silenceMax },
      {
        got: (body) => this.owner.received(this.proved(readMessage(body)), this.callSession, this.host.now),
        unreadable: (error) => this.unreadable(error)
      }
    )
    return this.caller.call(frameOf(this.sealed(message)).subarray(LENGTH))
  }

  // ---------------------------------------------------------------- keys

  /** Delivers a new key every so often, and the same one again until the switch has answered for it. */
  private changeKey(): void {
    this.host.after(this.isKeyOut ? KEY_AGAIN : this.options.zone!.changesEvery, () => {
      this.deliverKey()
      this.changeKey()
    })
  }

  private deliverKey(): void {
    const { session } = this
    if (session === undefined || (this.isSettled && !this.isKeyOut)) return
    const { centre, endpoint, institution } = this.options
    if (!this.isKeyOut) this.keyStans.clear()
    this.isKeyOut = true
    const stan = this.stans.next()
    this.keyStans.add(stan)
    const ends = { source: institution, destination: centre }
    session.send(
      newMessage("0800", ends, {
        7: timesAt(this.host.now).transmission,
        11: stan,
        48: this.zone!.delivery(`${endpoint.host} ${endpoint.port}`),
        53: "2600000000000000",
        70: "101",
        96: "\0".repeat(8),
        100: centre
      })
    )
  }

  /**
   * The switch has answered for the key; an answer to an earlier delivery of it says as much. One for the key before, which comes
   * late, says nothing.
   */
  private keyAnswered(message: CupsMessage): void {
    const { 11: stan = "", 39: code } = message.fields
    if (!this.isKeyOut || this.zone === undefined || !this.keyStans.has(stan)) return
    // While the module or the disk is away it is delivered again.
    if (code === "96") return
    if (code !== "00") return this.owner.failed(`key refused with ${code}`)
    this.isKeyOut = false
    if (!this.zone.taken(message)) this.owner.failed("wrong MAC in the answer to a key")
    this.owner.changed?.()
  }

  // ---------------------------------------------------------------- messages

  /** The message with its MAC, where this partner has keys; now and then with a wrong one. */
  sealed(message: CupsMessage): CupsMessage {
    if (this.zone === undefined || !hasMac(message.mti)) return message
    const mac = this.zone.macOf(message)
    const every = this.options.zone?.spoilsEvery ?? 0
    const isSpoilt = every > 0 && !this.isHonest && ++this.count % every === 0
    if (isSpoilt) this.owner.spoilt?.(message)
    const wrong = mac.startsWith("0") ? `1${mac.slice(1)}` : `0${mac.slice(1)}`
    return { ...message, fields: { ...message.fields, 128: isSpoilt ? wrong : mac } }
  }

  /** What came, without its MAC: which must be right, where this partner has keys, and not there, where it has none. */
  private proved(message: CupsMessage): CupsMessage {
    if (this.zone === undefined && message.fields[128] === undefined) return message
    if (!hasMac(message.mti)) return message
    const { 128: mac, ...fields } = message.fields
    const bare = { ...message, fields }
    if (this.zone === undefined) this.owner.failed(`MAC in a ${message.mti}`)
    else if (!this.zone.proves(bare, mac)) this.owner.failed(`wrong MAC in a ${message.mti}`)
    return bare
  }

  /** One frame of a session. */
  take(frame: Buffer, session: Conversation, at: number): void {
    if (frame.length === 0) return
    const message = readMessage(frame)
    if (message.rejectCode !== "00000") this.owner.failed(`rejected with ${message.rejectCode}`)
    else if (message.mti === "0810") this.keyAnswered(message)
    else if (message.mti === "0820") session.send(answerTo(message, [7, 11, 33, 70, 100], { 39: "00" }))
    else if (message.mti === "0830") {
      if (message.fields[70] === "001" && message.fields[39] === "00") session.isSignedOn = true
      this.days?.answered(message)
    } else {
      const way = this.options.oneWay === undefined ? session : this.shortSession
      this.owner.received(this.proved(message), way, at)
    }
  }

  /** What came on a session cannot be read. */
  unreadable(error: unknown): void {
    this.owner.failed(String(error))
  }
}

/** One connection of a line, from its opening to its end. */
class Conversation implements Session {
  isOpen = true
  isSignedOn = false
  private hasServed = false
  private readonly line: Line
  private readonly wire: Wire
  private readonly ended: () => void
  private readonly reader = new FrameReader()
  private readonly timers = new Map<string, Event>()
  private lastSent: number
  private lastReceived: number

  constructor(line: Line, wire: Wire, ended: () => void) {
    this.line = line
    this.wire = wire
    this.ended = ended
    this.lastSent = this.lastReceived = line.host.now
  }

  start(): void {
    const { echoEvery, idleEvery, isShort, signsOn, silenceMax } = this.line.options
    this.later("silence", silenceMax, () => this.watch())
    if (isShort !== true) {
      this.later("idle", idleEvery, () => this.idle())
      this.later("echo", echoEvery, () => this.echo())
      if (signsOn) this.signOn()
    }
    this.wire.hear(
      (chunks) => this.receive(chunks),
      () => this.end()
    )
  }

  send(message: CupsMessage): void {
    this.write(frameOf(this.line.sealed(message)))
  }

  end(): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const timer of this.timers.values()) timer.cancelled = true
    this.wire.close("reset")
    if (!this.hasServed) this.line.host.leave()
    this.ended()
  }

  /** A short connection of ours has served its message. */
  private served(): void {
    const { isShort, oneWay, role } = this.line.options
    if (isShort !== true || oneWay !== undefined || role !== "dials") return
    this.hasServed = true
    this.end()
  }

  private write(bytes: Buffer): void {
    if (!this.isOpen) return
    this.lastSent = this.line.host.now
    this.wire.send(bytes)
  }

  private receive(chunks: ReadonlyArray<Buffer>): void {
    this.lastReceived = this.line.host.now
    try {
      for (const chunk of chunks) {
        for (const frame of this.reader.read(chunk)) {
          this.line.take(frame, this, this.lastReceived)
          this.served()
        }
      }
    } catch (error) {
      this.line.unreadable(error)
      this.end()
    }
  }

  private later(name: string, ms: number, happen: () => void): void {
    if (this.isOpen) this.timers.set(name, this.line.host.after(ms, happen))
  }

  private idle(): void {
    const { idleEvery } = this.line.options
    if (this.line.host.now - this.lastSent >= idleEvery) this.write(idleFrame())
    this.later("idle", idleEvery, () => this.idle())
  }

  private echo(): void {
    this.manage("301")
    this.later("echo", this.line.options.echoEvery, () => this.echo())
  }

  private watch(): void {
    const left = this.lastReceived + this.line.options.silenceMax - this.line.host.now
    if (left <= 0) this.end()
    else this.later("silence", left, () => this.watch())
  }

  private signOn(): void {
    if (this.isSignedOn) return
    this.manage("001")
    this.later("sign-on", SIGN_ON_AGAIN, () => this.signOn())
  }

  /** Sends one network management request. */
  private manage(code: string): void {
    const { host, options, stans } = this.line
    const { centre, institution } = options
    const { transmission } = timesAt(host.now)
    const fields = { 7: transmission, 11: stans.next(), 33: institution, 70: code }
    this.send(newMessage("0820", { source: institution, destination: centre }, fields))
  }
}
