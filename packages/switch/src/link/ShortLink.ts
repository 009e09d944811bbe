/**
 * The connections of a short link: many at once, one for each exchange (`sync-short`) or each message (`async-short`).
 *
 * Dialled: a connection is opened for one message. `sync-short` keeps it until the answer is there, `async-short` until the
 * message is written. Accepted: what comes is handed on, and the answer goes back on the same connection (`sync-short`) or on
 * one that is dialled for it (`async-short`). It owns the connections and their limits; it knows no exchanges. There is no
 * sign-on and no watchdog: a connection proves itself by its one exchange.
 */
import { isResponse } from "@jinka/codec"
import { Clock, Effect, type Fiber, FiberSet, type Scope } from "effect"
import type { Language } from "../message/Language.ts"
import { monotonicMs } from "../transport/Monotonic.ts"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import { Change } from "./Bell.ts"
import { listenOn } from "./door/Door.ts"
import { answerOverdue, LinkEnded } from "./LinkEnded.ts"
import type { SessionEpoch, SessionEvents } from "./LinkEvents.ts"
import type * as LinkState from "./LinkState.ts"
import { type Carried, carriedBy, carriedByBoth, type ShortStatus } from "./LinkStatus.ts"
import { counted, Notices } from "./Notices.ts"
import type { PartnerClock } from "./PartnerClock.ts"
import type { Receipt } from "./Receipts.ts"
import { Session } from "./Session.ts"
import type { SessionOwner } from "./SessionOwner.ts"
import type { LinkSettings, ShortSettings } from "./Settings.ts"
import { ShortDialer } from "./ShortDialer.ts"
import type { SourceStatus } from "./Source.ts"
import { type Lies, TurnedAway } from "./TurnedAway.ts"

const done = new LinkEnded({ reason: "Done", why: "the exchange is over" })

/** The end of a connection that was dialled for one message and could not give it away. */
const notTaken = new LinkEnded({ reason: "SlowPeer", why: "the partner did not take the whole message in time" })

/** One connection that is open. */
interface Held {
  readonly session: Session
  /** We dialled it. */
  readonly isDialled: boolean
  /** Answers of ours that are still to come on it, and what happens when one has. */
  due: number
  readonly turned: Change
}

/** What the connections need of their link. All calls are synchronous. */
export interface ShortOwner {
  readonly settings: LinkSettings
  readonly partnerClock: PartnerClock
  readonly language: Language
  /** The number of the next connection. */
  readonly nextEpoch: () => number
  /** STAN for the next network management message. */
  readonly nextStan: () => number
  readonly change: (event: LinkState.Event) => void
  readonly events: SessionEvents
  readonly lies: Lies
  readonly noted: (text: string, epoch?: number) => void
  /** The same for what somebody should look at. */
  readonly warned: (text: string, epoch?: number) => void
  /** A connection was not let in: every one, for the status. */
  readonly turnedAway: (why: string) => void
  /** See `SessionOwner`. */
  readonly managed: (text: string, isWrong: boolean, now: number) => void
  /** Taken away by an operator: no connection is let in. */
  readonly isAway: boolean
  /** An attempt to connect came to nothing. */
  readonly connectFailed: (at: number, why: string) => void
  /** A connection has ended. `isLost`: what was sent on it and not answered has an unknown outcome. */
  readonly shortEnded: (session: Session, ended: LinkEnded, isLost: boolean) => void
}

/** The connections of one link; made by it. */
export class ShortLink implements SessionOwner {
  readonly settings: LinkSettings
  readonly partnerClock: PartnerClock
  readonly language: Language
  readonly lies: Lies
  /** Answers come on the connection of their request. */
  readonly isSync: boolean
  /** There is no sign-on. */
  readonly isSignedOn = true
  readonly isHeldOff = false
  readonly events: SessionEvents
  private readonly link: ShortOwner
  private readonly short: ShortSettings
  /** `undefined`: there is no address to dial. */
  private readonly dialer: ShortDialer | undefined
  private readonly held = new Map<number, Held>()
  private readonly turnedAway: TurnedAway
  private fork: ((effect: Effect.Effect<void, never, Transport>) => Fiber.Fiber<void>) | undefined
  private clock: Clock.Clock | undefined
  private accepted = 0
  private opened = 0
  private readonly badEnds = new Notices(counted)
  /** The second that is being counted, how many were opened in it, and in the one before. */
  private second = 0
  private inSecond = 0
  private lastSecond = 0

  constructor(link: ShortOwner, short: ShortSettings) {
    this.link = link
    this.settings = link.settings
    this.language = link.language
    this.partnerClock = link.partnerClock
    this.lies = link.lies
    this.short = short
    this.isSync = link.settings.mode === "sync-short"
    const { side } = link.settings
    const dialSide = side._tag === "connect" ? side : short.dial
    this.dialer = dialSide === undefined ? undefined : new ShortDialer(link, dialSide)
    this.events = {
      ...link.events,
      message: (session, index) => {
        if (this.received(session, index.rejectCode === 0 && !isResponse(index.mti)))
          link.events.message(session, index)
      },
      unreadable: (session, wrong, bytes, start, end) => {
        if (this.received(session, true)) link.events.unreadable(session, wrong, bytes, start, end)
      },
      turn: (session) => this.turn(session),
      // Each its own: hundreds may wait for their answers at once, and none has to look at each turn of the switch.
      turned: (session) => this.held.get(session.epoch)?.turned ?? link.events.turned(session),
      owing:
        ({ epoch }) =>
        () =>
          (this.held.get(epoch)?.due ?? 0) > 0
    }
    this.turnedAway = new TurnedAway(
      (text) => link.warned(text),
      () => this.now(),
      (why) => link.turnedAway(why)
    )
  }

  /** Messages of ours can be sent: there is an address to dial. */
  get dials(): boolean {
    return this.dialer !== undefined
  }

  /** Store-and-forward may try now: the partner was reachable last, or the pause after a failure is over. */
  get isReachable(): boolean {
    return this.dialer?.mayTry(this.now()) ?? true
  }

  /** What the link does, in one word for a status line. */
  get phrase(): string {
    if (this.dialer === undefined) return "listening"
    return this.dialer.isUnreachable ? "unreachable" : "ready"
  }

  /** Since when the partner cannot be dialled; `undefined`: it can, as far as anybody has tried. */
  get unreachableSince(): number | undefined {
    return this.dialer?.unreachableSince
  }

  /** The connection with this number, while it is open. */
  sessionOf(epoch: number): Session | undefined {
    return this.held.get(epoch)?.session
  }

  /** Listens where the partner connects to us, and serves until interrupted. Dies with any defect on a connection. */
  readonly run: Effect.Effect<never, ListenFailed, Transport | Scope.Scope> = Effect.gen({ self: this }, function* () {
    this.clock = yield* Clock.Clock
    const fibers = yield* FiberSet.make<void, never>()
    this.fork = yield* FiberSet.runtime(fibers)<Transport>()
    // Before its fibers end: nobody may try again on it.
    yield* Effect.addFinalizer(() => Effect.sync(() => this.link.change({ _tag: "ended" })))
    const { side } = this.settings
    if (side._tag === "listen") yield* listenOn(side, this, this.link)
    this.link.change({ _tag: "opened", ours: "none", partners: "none" })
    if (this.dials) this.link.change({ _tag: "watchdog", phase: "OKAY" })
    // What fails on a connection is said there; only a defect comes out here.
    yield* Effect.orDie(FiberSet.join(fibers))
    return yield* Effect.never
  }).pipe(
    Effect.ensuring(Effect.sync(() => this.close(new LinkEnded({ reason: "Stopping", why: "the switch is stopping" }))))
  )

  /**
   * Opens a connection for one message and calls `then` with it, or with `undefined` when there is none by `untilMs` (monotonic),
   * or when the link ends before. Who puts the message into it says so by `sent`.
   */
  open(untilMs: number, then: (session: Session | undefined) => void): void {
    const { dialer } = this
    if (dialer === undefined || this.fork === undefined) return then(undefined)
    const connecting = dialer.connect(untilMs)
    let isTold = false
    const tell = (session: Session | undefined) => {
      if (isTold) return
      isTold = true
      then(session)
    }
    const opening = this.fork(
      Effect.gen({ self: this }, function* () {
        const connection = yield* connecting
        if (connection === undefined) return tell(undefined)
        const session = yield* this.begin(connection, true)
        const why = `our message was not on disk ${this.short.idleMs} ms after its connection was there`
        session.limit(session.openedAt + this.short.idleMs, new LinkEnded({ reason: "IdleTimeout", why }))
        tell(session)
        yield* this.hold(session)
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => tell(undefined))))
    )
    // The link has ended: nothing was begun.
    if (opening.pollUnsafe() !== undefined) tell(undefined)
  }

  /** The message that the session was opened for is in its outbox; `untilMs` (monotonic): when answer or writing is overdue. */
  sent(session: Session, untilMs: number): void {
    session.limit(untilMs, this.isSync ? answerOverdue : notTaken)
    if (!this.isSync) session.close(done)
    else if (this.settings.frame.kind === "until-close") session.closeHalf()
    else session.outbox.flush()
  }

  /** The exchange of connection `epoch` is over: it closes once nothing more is due on it. */
  release(epoch: number): void {
    const held = this.held.get(epoch)
    if (held === undefined) return
    if (held.due > 0) held.due--
    this.leaveMaybe(held)
    held.turned.happened()
  }

  /**
   * Sends an answer of ours to a message that came on connection `epoch`. `sync-short` answers there or not at all: false then.
   * `async-short` dials. `receipt` hears what became of it, also when no connection came about; not when this returned false.
   * `isPromise`: it says what the journal has (`Outbox.promise`).
   */
  answer(epoch: number, bytes: Buffer, length = bytes.length, receipt?: Receipt, isPromise = false): boolean {
    if (!this.isSync) {
      const message = Buffer.from(bytes.subarray(0, length))
      const answered = (session: Session | undefined) => {
        if (session === undefined) {
          receipt?.settle(false)
          this.link.events.turn({ epoch, lastReceived: this.now(), arrivedAt: this.now() })
          return
        }
        session.put(message)
        if (receipt !== undefined) session.receipt(receipt)
        else if (isPromise) session.outbox.promise()
        this.sent(session, this.now() + this.settings.writeTimeoutMs)
      }
      // A flood of refusals must not become a flood of connections.
      if ((this.dialer?.size ?? 0) >= this.short.connectionsMax) answered(undefined)
      else this.open(Number.POSITIVE_INFINITY, answered)
      return true
    }
    const held = this.held.get(epoch)
    if (held?.session.canWrite !== true) return false
    held.session.put(bytes, length)
    if (receipt !== undefined) held.session.receipt(receipt)
    else if (isPromise) held.session.outbox.promise()
    held.session.outbox.flush()
    this.release(epoch)
    return true
  }

  /** What its connections have carried: `ended` those that have ended, and those that are open. */
  carried(ended: Carried): Carried {
    let sum = ended
    for (const { session } of this.held.values()) sum = carriedByBoth(sum, carriedBy(session))
    return sum
  }

  /** Ends all connections. */
  close(ended: LinkEnded): void {
    for (const { session } of this.held.values()) session.close(ended)
  }

  /** Breaks all connections. */
  cut(ended: LinkEnded): void {
    for (const { session } of this.held.values()) session.fail(ended)
  }

  /** A connection is open. */
  get isOpen(): boolean {
    return this.held.size > 0
  }

  /** A connection is being made for a message. */
  get isDialling(): boolean {
    return (this.dialer?.size ?? 0) > 0
  }

  /** Counts for an operator. */
  status(): ShortStatus {
    this.count(0)
    return { open: this.held.size, dialling: this.dialer?.size ?? 0, opened: this.opened, lastSecond: this.lastSecond }
  }

  /** Bytes that partners have not taken, over all connections. */
  get unsent(): number {
    let bytes = 0
    for (const { session } of this.held.values()) bytes += session.outbox.waiting + session.connection.unsent()
    return bytes
  }

  /** For the status: attempts to connect. */
  get source(): SourceStatus {
    return this.dialer?.status ?? { attempts: 0, nextAttempt: 0, legs: undefined }
  }

  // What a session asks of its owner.

  nextStan(): number {
    return this.link.nextStan()
  }

  /** A connection that comes and goes does not change the link. */
  change(): void {}

  /** What was dialled ends at once; what the partner made waits for its answer. */
  halfClosed(): void {}

  noted(text: string): void {
    this.link.noted(text)
  }

  warned(text: string): void {
    this.link.warned(text)
  }

  managed(text: string, isWrong: boolean, now: number): void {
    this.link.managed(text, isWrong, now)
  }

  private turn(session: SessionEpoch): Effect.Effect<void> | undefined {
    const room = this.link.events.turn(session)
    const held = this.held.get(session.epoch)
    // Network management was answered by the session itself.
    if (held !== undefined && !held.isDialled && held.due === 0 && held.session.outbox.waiting > 0)
      this.leaveMaybe(held)
    return room
  }

  /** Something came on a connection. False: that is not open any more, and what came is nobody's. */
  private received({ epoch }: SessionEpoch, isAnswered: boolean): boolean {
    const held = this.held.get(epoch)
    if (held === undefined) return false
    if (held.isDialled) return true
    if (isAnswered && this.isSync) held.due++
    const { idleMs } = this.short
    const why = `nothing came for ${idleMs} ms`
    held.session.limit(held.session.lastReceived + idleMs, new LinkEnded({ reason: "IdleTimeout", why }))
    return true
  }

  private leaveMaybe({ session, isDialled, due }: Held): void {
    if (due > 0 || (!isDialled && this.short.keep && !session.isHalfClosed)) return
    // Who sends closes: another message may be behind this one.
    if (!isDialled && !this.isSync) return session.limit(this.now() + this.short.firstMessageMs, done)
    session.close(done)
  }

  /** The partner has connected. */
  offer(connection: Connection): void {
    const { connectionsMax, firstMessageMs } = this.short
    const { remote } = connection
    if (this.link.isAway) {
      return this.turnedAway.add(connection, "drained", `a connection from ${remote} was closed, the link is drained`)
    }
    if (this.accepted >= connectionsMax) {
      return this.turnedAway.add(
        connection,
        "full",
        `a connection from ${remote} was closed, ${connectionsMax} are open`
      )
    }
    this.accepted++
    this.fork?.(
      Effect.gen({ self: this }, function* () {
        const session = yield* this.begin(connection, false)
        const why = `no whole message came within ${firstMessageMs} ms`
        session.limit(session.openedAt + firstMessageMs, new LinkEnded({ reason: "IdleTimeout", why }))
        yield* this.hold(session)
      }).pipe(Effect.ensuring(Effect.sync(() => this.accepted--)))
    )
  }

  private begin(connection: Connection, isDialled: boolean): Effect.Effect<Session> {
    return Effect.map(Session.open(this, this.link.nextEpoch(), connection), (session) => {
      this.held.set(session.epoch, { session, isDialled, due: 0, turned: new Change() })
      this.count(1)
      return session
    })
  }

  private hold(session: Session): Effect.Effect<void> {
    return Effect.map(session.run, (ended) => {
      const isDialled = this.held.get(session.epoch)?.isDialled === true
      this.held.delete(session.epoch)
      // A partner that connected and closes after its answer, or after its last message, ends in order too.
      const isClosed = !isDialled && ended.reason === "PeerClosed" && session.connection.unsent() === 0
      const isGood = ended.reason === "Done" || ended.reason === "Stopping" || isClosed
      if (!isGood) this.bad(session, ended)
      this.link.shortEnded(session, isGood ? done : ended, isDialled && this.isSync)
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => this.held.delete(session.epoch))))
  }

  private bad(session: Session, ended: LinkEnded): void {
    const text = `${session.connection.remote} ended: ${ended.reason}, ${ended.why}`
    const noted = this.badEnds.add(ended.reason, text, this.now())
    if (noted !== undefined) this.link.warned(noted, session.epoch)
  }

  private count(more: number): void {
    const second = Math.floor(this.now() / 1000)
    if (second !== this.second) {
      this.lastSecond = second === this.second + 1 ? this.inSecond : 0
      this.second = second
      this.inSecond = 0
    }
    this.opened += more
    this.inSecond += more
  }

  private now(): number {
    return this.clock === undefined ? 0 : monotonicMs(this.clock)
  }
}
