/**
 * How a simulated partner keeps its line to the switch: connect or accept, idle frames, echo, sign-on, giving up on silence.
 *
 * Ordinary Effect code over the transport seam. It shares nothing with the switch's link code but that seam. It hands every
 * message that is no network management to its owner and answers the network management itself.
 */
import { Clock, Effect, Queue, Random } from "effect"
import type { Connection, Endpoint, Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type CupsMessage, FrameReader, frameOf, idleFrame, newMessage, readMessage } from "./Cups.ts"
import { type Stans, transmissionTime } from "./Numbers.ts"
import { keepPair, type PairOptions } from "./Pair.ts"
import { hasMac, Zone } from "./Zone.ts"

/** Facts of a partner's line. Times in milliseconds. */
export interface LineOptions {
  readonly role: "dials" | "listens"
  /** Where to dial, or where to listen. */
  readonly endpoint: Endpoint
  /** Two connections in place of the one at `endpoint`: a simplex link of the switch. */
  readonly pair?: PairOptions
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

const connectMax = "5 seconds"
const signOnAgain = "5 seconds"

/** A partner's line. `session` is the newest one that may be used, if there is one. */
export class Line {
  readonly options: LineOptions
  private readonly transport: Transport["Service"]
  private readonly owner: LineOwner
  private readonly stans: Stans
  private readonly sessions: Array<Session> = []
  private readonly zone: Zone | undefined
  private count = 0
  /** A key was delivered and is not answered for. */
  private isKeyOut = false
  private isSettled = false
  /** No MAC is wrong on purpose any more. */
  isHonest = false

  constructor(transport: Transport["Service"], options: LineOptions, stans: Stans, owner: LineOwner) {
    this.transport = transport
    if (options.zone !== undefined) this.zone = new Zone(options.institution)
    this.options = options
    this.stans = stans
    this.owner = owner
  }

  /** The newest session that is open and, where this partner signs on, signed on. */
  get session(): Session | undefined {
    return this.sessions.findLast((session) => session.isOpen && (session.isSignedOn || !this.options.signsOn))
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
  }

  /** Keeps the line for ever. */
  get run(): Effect.Effect<never> {
    return Effect.raceFirst(this.keep, this.changeKeys)
  }

  private get keep(): Effect.Effect<never> {
    const { pair } = this.options
    if (pair !== undefined) return keepPair(this.transport, pair, this.pause, (connection) => this.converse(connection))
    return this.options.role === "dials" ? Effect.forever(this.dialOnce) : this.listen
  }

  /** Delivers a new key every so often, and the same one again until the switch has answered for it. */
  private get changeKeys(): Effect.Effect<never> {
    const { changesEvery = 0 } = this.options.zone ?? {}
    if (changesEvery === 0 || this.zone === undefined) return Effect.never
    return Effect.gen({ self: this }, function* () {
      const { institution, centre, endpoint } = this.options
      for (;;) {
        yield* Effect.sleep(this.isKeyOut ? 3000 : changesEvery)
        const { session } = this
        if (session === undefined || (this.isSettled && !this.isKeyOut)) continue
        const { transmission } = yield* transmissionTime
        this.isKeyOut = true
        session.send(
          newMessage(
            "0800",
            { source: institution, destination: centre },
            {
              ...{
                7: transmission,
                11: this.stans.next(),
                48: this.zone!.delivery(`${endpoint.host} ${endpoint.port}`)
              },
              ...{ 53: "2600000000000000", 70: "101", 96: "\0".repeat(8), 100: centre }
            }
          )
        )
      }
    })
  }

  /** The switch has answered for the key; an answer to an earlier delivery of it says as much. */
  private keyAnswered(message: CupsMessage): void {
    if (!this.isKeyOut || this.zone === undefined) return
    const code = message.fields[39]
    // While the module or the disk is away it is delivered again.
    if (code === "96") return
    if (code !== "00") return this.owner.failed(`key refused with ${code}`)
    this.isKeyOut = false
    if (!this.zone.taken(message)) this.owner.failed("wrong MAC in the answer to a key")
    this.owner.changed?.()
  }

  private get dialOnce(): Effect.Effect<void> {
    return this.transport.connect(this.options.endpoint).pipe(
      Effect.timeout(connectMax),
      Effect.flatMap((connection) => this.converse(connection)),
      Effect.ignore,
      Effect.andThen(this.pause)
    )
  }

  private get pause(): Effect.Effect<void> {
    return Effect.flatMap(Random.nextBetween(...this.options.reconnectAfter), Effect.sleep)
  }

  private get listen(): Effect.Effect<never> {
    return Effect.scoped(
      Effect.gen({ self: this }, function* () {
        const run = Effect.runForkWith(yield* Effect.context<never>())
        yield* this.transport.listen(this.options.endpoint, (connection) => run(this.converse(connection)))
        return yield* Effect.never
      })
    ).pipe(Effect.orDie)
  }

  /** One connection from its opening to its end. */
  private converse(connection: Connection): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const out = yield* Queue.unbounded<Buffer>()
      const session: Session = {
        send: (message) => void Queue.offerUnsafe(out, frameOf(this.sealed(message))),
        isOpen: true,
        isSignedOn: false
      }
      const last = { sent: yield* Clock.currentTimeMillis, received: yield* Clock.currentTimeMillis }
      this.sessions.push(session)
      const activities = [this.receive(connection, session, last), this.deliver(connection, out, last)]
      const duties = [this.idle(out, last), this.echo(session), this.watch(last), this.signOn(session)]
      yield* Effect.raceAll([...activities, ...duties]).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            session.isOpen = false
            this.sessions.splice(this.sessions.indexOf(session), 1)
            connection.close("reset")
          })
        )
      )
    }).pipe(Effect.ignore)
  }

  private receive(connection: Connection, session: Session, last: { received: number }) {
    const reader = new FrameReader()
    const takeAll = (chunks: ReadonlyArray<Buffer>, now: number): void => {
      last.received = now
      for (const chunk of chunks) for (const frame of reader.read(chunk)) this.take(frame, session, now)
    }
    return Effect.zipWith(connection.pull, Clock.currentTimeMillis, takeAll).pipe(
      Effect.forever,
      Effect.catchDefect((defect) => Effect.sync(() => this.owner.failed(String(defect)))),
      // A success, whatever it was: the first activity that ends decides the race of this connection.
      Effect.exit
    )
  }

  /** The message with its MAC, where this partner has keys; now and then with a wrong one. */
  private sealed(message: CupsMessage): CupsMessage {
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
    if (!hasMac(message.mti)) return message
    const { 128: mac, ...fields } = message.fields
    const bare = { ...message, fields }
    if (this.zone?.proves(bare, mac) !== true && !(this.zone === undefined && mac === undefined)) {
      this.owner.failed(this.zone === undefined ? `MAC in a ${message.mti}` : `wrong MAC in a ${message.mti}`)
    }
    return bare
  }

  private take(frame: Buffer, session: Session, at: number): void {
    if (frame.length === 0) return
    const message = readMessage(frame)
    if (message.rejectCode !== "00000") this.owner.failed(`rejected with ${message.rejectCode}`)
    else if (message.mti === "0810") this.keyAnswered(message)
    else if (message.mti === "0820") session.send(answerTo(message, [7, 11, 33, 70, 100], { 39: "00" }))
    else if (message.mti === "0830") {
      if (message.fields[70] === "001" && message.fields[39] === "00") session.isSignedOn = true
    } else this.owner.received(this.proved(message), session, at)
  }

  private deliver(connection: Connection, out: Queue.Queue<Buffer>, last: { sent: number }) {
    return Effect.gen(function* () {
      for (;;) {
        yield* connection.write(Buffer.concat(yield* Queue.takeAll(out)))
        last.sent = yield* Clock.currentTimeMillis
      }
    }).pipe(Effect.exit)
  }

  private idle(out: Queue.Queue<Buffer>, last: { sent: number }) {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        yield* Effect.sleep(this.options.idleEvery)
        if ((yield* Clock.currentTimeMillis) - last.sent >= this.options.idleEvery) Queue.offerUnsafe(out, idleFrame())
      }
    })
  }

  private echo(session: Session) {
    return Effect.forever(Effect.andThen(Effect.sleep(this.options.echoEvery), this.manage(session, "301")))
  }

  private watch(last: { readonly received: number }) {
    return Effect.gen({ self: this }, function* () {
      while ((yield* Clock.currentTimeMillis) - last.received < this.options.silenceMax) yield* Effect.sleep(1000)
    })
  }

  private signOn(session: Session) {
    return Effect.gen({ self: this }, function* () {
      while (this.options.signsOn && !session.isSignedOn) {
        yield* this.manage(session, "001")
        yield* Effect.sleep(signOnAgain)
      }
      return yield* Effect.never
    })
  }

  /** Sends one network management request. */
  private manage(session: Session, code: string) {
    return Effect.map(transmissionTime, (time) => {
      const { institution, centre } = this.options
      const fields = { 7: time.transmission, 11: this.stans.next(), 33: institution, 70: code }
      session.send(newMessage("0820", { source: institution, destination: centre }, fields))
    })
  }
}
