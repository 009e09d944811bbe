/**
 * One link to a partner: it gets a connection, runs a session on it, and gets the next one when that has ended, for ever.
 *
 * It owns the link's state, its epochs and its reconnecting. It knows no journal, no routes and no exchanges: the switch gives
 * it `LinkEvents` and sends through the current session. Single-threaded like all of the switch.
 */

import type { MessageError, MessageIndex } from "@jinka/codec"
import { Clock, Effect, Latch, type Scope } from "effect"
import { Iso8583 } from "../message/Iso8583.ts"
import type { Language } from "../message/Language.ts"
import { monotonicMs } from "../transport/Monotonic.ts"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import { Acceptor, type AcceptorOwner } from "./Acceptor.ts"
import { Bell } from "./Bell.ts"
import { carriedBy, nothing, together } from "./Carried.ts"
import { challenge, shownBy } from "./Challenge.ts"
import { Dialer, type DialerOwner } from "./Dialer.ts"
import { Doubt } from "./Doubt.ts"
import { EndHistory } from "./EndHistory.ts"
import { Lies } from "./Lies.ts"
import { answerOverdue, LinkEnded, severityOf } from "./LinkEnded.ts"
import type { LinkEvents } from "./LinkEvents.ts"
import * as LinkState from "./LinkState.ts"
import type { LinkStatus } from "./LinkStatus.ts"
import { Notices } from "./Notices.ts"
import { openSession } from "./OpenSession.ts"
import type { Session } from "./Session.ts"
import type { SessionEpoch, SessionOwner } from "./SessionOwner.ts"
import type { LinkSettings } from "./Settings.ts"
import { ShortLink } from "./ShortLink.ts"
import { Legs, type LegsOwner } from "./simplex/Legs.ts"
import type { TurnedAwayStatus } from "./TurnedAway.ts"

/** The largest number of a connection that a journal entry can hold: 32 bits. */
const EPOCH_MAX = 0xffff_ffff

/** A link, made once for each `links:` entry of the configuration. */
export class Link implements SessionOwner, DialerOwner, AcceptorOwner, LegsOwner {
  readonly id: number
  readonly settings: LinkSettings
  /** What its messages mean. */
  readonly language: Language
  /** The session of the connection that is up now. Always `undefined` on a short link, which has `short`. */
  session: Session | undefined
  /** The connections of a short link. */
  readonly short: ShortLink | undefined
  /** Counts connections: the number of the current or last one. */
  epoch = 0
  private state = LinkState.initial
  private readonly events: LinkEvents<Link>
  private readonly management = { info: new Notices(), warning: new Notices() }
  /** Requests in a row that the partner did not answer. */
  readonly doubt = new Doubt(this)
  readonly lies = new Lies((text, epoch) => this.warned(text, epoch))
  private stan = 0
  /** Where a long link's connections come from. */
  private readonly source: Dialer | Acceptor | Legs
  private since = 0
  private ends = new EndHistory()
  private strangers: TurnedAwayStatus | undefined
  private clock: Clock.Clock | undefined
  /** Of the last connection that has ended; of a short link: of all. */
  private last = nothing
  /** Taken away by a drain: makes no connections and takes none. */
  isAway = false
  /** A reload is about to remove it, or to give it another dialect: nothing new may be stored for it. */
  isLeaving = false
  /** Removed by a reload: a closed place. */
  isGone = false
  /** An operator has signed us off: a new connection does not sign on by itself. */
  isSignedOff = false
  /** The link is taken away. */
  private readonly goingAway = new Bell<undefined>()
  /** Open once it listens, or dials. */
  readonly begun = Latch.makeUnsafe(false)
  private readonly back = Latch.makeUnsafe(true)

  constructor(id: number, settings: LinkSettings, events: LinkEvents<Link>) {
    this.id = id
    this.settings = settings
    const { side } = settings
    if (side._tag === "legs") this.source = new Legs(this, side)
    else this.source = side._tag === "connect" ? new Dialer(this, side) : new Acceptor(this, side)
    this.language = settings.language ?? new Iso8583(settings)
    this.events = events
    this.short = settings.short === undefined ? undefined : new ShortLink(this, settings.short)
  }

  /** Requests may be sent on it now. */
  get isReady(): boolean {
    return LinkState.isReady(this.state)
  }

  /** Silent, and would be ready else: the connection stands. */
  get isSuspect(): boolean {
    return LinkState.isSuspect(this.state)
  }

  /** Requests of the partner are taken now: everything but a missing sign-on is no reason against it. */
  get isSignedOn(): boolean {
    return LinkState.isSignedOn(this.state)
  }

  /** Being emptied, blocked by an operator, or without a way back for an answer: the partner's new requests are refused. */
  get isClosedForRequests(): boolean {
    return this.state.draining || this.state.blocked || this.state.collecting || this.lacks !== ""
  }

  /** What keeps its messages from being guarded. */
  get lacks(): LinkState.Lacks {
    return this.state.lacks
  }

  /** What is written to the session can leave: there is a connection, not closed by us, and its sending leg is up. */
  get canSend(): boolean {
    return this.session?.canWrite === true && !this.state.collecting
  }

  /** Taken out of use by an operator. */
  get isBlocked(): boolean {
    return this.state.blocked
  }

  /** Takes no new work: being drained, or drained. */
  get isDraining(): boolean {
    return this.state.draining
  }

  /** Our own sign-on on the present connection. */
  get signedOn(): LinkState.SignOn {
    return this.state.ours
  }

  /** The next STAN for a network management message of ours, 1..999999. */
  nextStan(): number {
    this.stan = this.stan >= 999_999 ? 1 : this.stan + 1
    return this.stan
  }

  /** Writes what waits in the current session's outbox. */
  flush(): void {
    this.session?.outbox.flush()
  }

  /** Applies an event to the state and tells the switch when that makes the link usable or not. */
  change(event: LinkState.Event): void {
    const was = this.isReady
    const { phrase } = this
    this.state = LinkState.step(this.state, event)
    if (this.phrase !== phrase) this.since = this.now
    // A short link says so once it listens.
    if (event._tag === "opened") this.begun.openUnsafe()
    if (this.isReady !== was) this.events.readiness(this, this.isReady)
  }

  /** A connection is up now. One whose partner has closed its direction does not stand in the way of the next. */
  get isUp(): boolean {
    if (this.short !== undefined) return this.short.isOpen
    return this.session !== undefined && !this.session.isHalfClosed
  }

  /** Nothing of a connection is left, not even one that still gives answers. */
  get isDown(): boolean {
    return !this.isUp && this.session === undefined
  }

  /** See `LinkEvents`. */
  passes(index: MessageIndex): boolean {
    return this.events.passes(this, index)
  }

  /** See `LinkEvents`. */
  guards(index: MessageIndex): boolean {
    return this.events.guards(this, index)
  }

  /** See `LinkEvents`. */
  leaving(message: Buffer, put: (message: Buffer) => void): void {
    this.events.leaving(this, message, put)
  }

  /** A network management message that came as a `message`, and was found good. False: it passes through the switch. */
  managesItself(epoch: number, index: MessageIndex): boolean {
    const session = this.session?.epoch === epoch ? this.session : this.short?.sessionOf(epoch)
    // On a connection that has ended it means nothing any more.
    return session?.management.received(index) ?? true
  }

  /** See `LinkEvents`. */
  message(session: SessionEpoch, index: MessageIndex): void {
    this.events.message(this, session, index)
  }

  /** See `LinkEvents`. */
  defect(session: SessionEpoch, what: string, thrown: unknown): void {
    this.events.defect(this, session, what, thrown)
  }

  /** See `LinkEvents`. */
  unreadable(session: SessionEpoch, wrong: MessageError, bytes: Buffer, start: number, end: number): void {
    this.events.unreadable(this, session, wrong, bytes, start, end)
  }

  /** See `LinkEvents`. */
  nextTurn(bytes: number): Effect.Effect<void> | undefined {
    return this.events.nextTurn(this, bytes)
  }

  /** See `LinkEvents`. */
  turn(): Effect.Effect<void> | undefined {
    return this.events.turn(this)
  }

  /** See `LinkEvents`. */
  noted(text: string, epoch = this.epoch): void {
    this.events.noted(this, epoch, text, "info")
  }

  /** The same for what somebody should look at. */
  warned(text: string, epoch = this.epoch): void {
    this.events.noted(this, epoch, text, "warning")
  }

  /** A connection was not let in. */
  turnedAway(why: string): void {
    this.strangers = { count: (this.strangers?.count ?? 0) + 1, at: this.now, why }
  }

  /** The number of the next connection; a short link may make more of them than the journal has room for in its number. */
  nextEpoch(): number {
    this.epoch = this.epoch >= EPOCH_MAX ? 1 : this.epoch + 1
    return this.epoch
  }

  /** The exchange of the connection `epoch` is over: a short connection may close. */
  release(epoch: number): void {
    this.short?.release(epoch)
  }

  /**
   * No answer came in time to a request that was sent on connection `epoch`. Where one request at a time is under way its
   * connection is closed, or its late answer could be taken for the next one's.
   */
  overdue(epoch: number): void {
    if (this.settings.mode !== "sync-long" || this.session?.epoch !== epoch) return
    this.session.fail(answerOverdue)
    // At once: nothing may be sent on it any more.
    this.change({ _tag: "ended" })
  }

  /** A connection of a short link has ended. `isLost`: what was sent on it and not answered has an unknown outcome. */
  shortEnded(session: Session, ended: LinkEnded, isLost: boolean): void {
    this.last = together(this.last, session)
    if (ended.reason !== "Done") this.ends.add(session.now(), ended)
    if (isLost) this.events.ended(this, session.epoch, ended)
  }

  /** See `SessionOwner`. */
  managed(text: string, isWrong = false, now = this.session!.lastReceived): void {
    const severity = isWrong ? "warning" : "info"
    const noted = this.management[severity].take(now, text)
    if (noted !== undefined) this.events.noted(this, this.epoch, noted, severity)
  }

  /** An attempt to connect came to nothing. */
  connectFailed(at: number, why: string, reason: LinkEnded["reason"] = "ConnectFailed"): void {
    this.ends.add(at, new LinkEnded({ reason, why }))
  }

  /** Dials now and not after the pause. False when it does not wait for one: it is up, at it, or the partner's to dial. */
  retry(): boolean {
    return this.short === undefined && !(this.source instanceof Acceptor) && this.source.retry()
  }

  /** Closes its connection in order and makes and takes none (`on`), or comes back. */
  leave(on: boolean, ended: LinkEnded): void {
    this.isAway = on
    if (this.source instanceof Legs) this.source.leave(on)
    if (!on) {
      this.back.openUnsafe()
      return
    }
    this.back.closeUnsafe()
    // What has come and is nobody's yet would find a link that reads nothing.
    if (this.source instanceof Acceptor) this.source.close()
    this.session?.close(ended)
    this.short?.close(ended)
    this.goingAway.ring(undefined)
  }

  /** See `LinkEvents`. */
  owing(): () => boolean {
    return this.events.owing(this)
  }

  /** For the exchanges the connection has ended, but that answers of the partner's own requests still leave on it. */
  halfClosed({ epoch }: SessionEpoch, ended: LinkEnded): void {
    this.change({ _tag: "ended" })
    this.events.ended(this, epoch, ended)
  }

  /** A door that knows this link's partner gives it the partner's connection. */
  offer(connection: Connection): void {
    const taker = this.short ?? this.source
    if (this.isGone || taker instanceof Dialer || taker instanceof Legs) connection.close("reset")
    else taker.offer(connection)
  }

  /** See `AcceptorOwner`. */
  readonly challenge = (told: () => void) => challenge(this.session!, this.settings.watchdog.probe, told)

  /** Monotonic milliseconds; 0 before it runs. */
  private get now(): number {
    return this.clock === undefined ? 0 : monotonicMs(this.clock)
  }

  /** Ends the current connection; the link comes back by itself. */
  cut(ended: LinkEnded): void {
    this.session?.fail(ended)
    this.short?.cut(ended)
  }

  /** Takes over from the link with other settings that had its place before a reload: its counts, its ends, its block. */
  follow(before: Link): void {
    this.epoch = before.epoch
    this.stan = before.stan
    this.since = before.since
    this.ends = before.ends
    this.last = before.last
    this.isSignedOff = before.isSignedOff
    this.change({ _tag: "blocked", on: before.state.blocked })
  }

  /** The state in words. */
  get phrase(): string {
    const { isClosedForRequests, short, state } = this
    return short === undefined || isClosedForRequests || !state.connected ? LinkState.phrase(state) : short.phrase
  }

  /** Everything an operator asks first. */
  status(): LinkStatus {
    const { session, source, state, short } = this
    const dialer = short ?? (source instanceof Dialer ? source : undefined)
    const { local, remote } = session?.connection ?? { local: "", remote: "" }
    return {
      name: this.settings.name,
      institution: this.settings.institution,
      state: this.phrase,
      ready: this.isReady,
      blocked: state.blocked,
      draining: state.draining,
      ours: state.ours,
      partners: state.partners,
      signOnAttempts: session?.management.attempts ?? 0,
      epoch: this.epoch,
      local,
      remote,
      legs: source instanceof Legs ? source.status() : session === undefined ? [] : [{ leg: "both", local, remote }],
      since: this.since,
      turnedAway: this.strangers,
      lies: this.lies.status,
      listens: this.settings.side._tag === "listen" ? this.settings.side.at : undefined,
      ...carriedBy(session ?? this.last),
      attempts: dialer?.attempts ?? 0,
      nextAttempt: dialer?.nextAttempt ?? 0,
      unsent: session === undefined ? (short?.unsent ?? 0) : session.outbox.waiting + session.connection.unsent(),
      short: short?.status(),
      unanswered: this.doubt.status,
      clocks: session?.clocks,
      ends: this.ends.all
    }
  }

  /** Listens if the partner connects to us, then keeps the link going until interrupted. */
  readonly run: Effect.Effect<never, ListenFailed, Transport | Scope.Scope> = Effect.gen({ self: this }, function* () {
    const { source, short } = this
    this.clock = yield* Clock.Clock
    if (this.since === 0) this.since = this.now
    if (short !== undefined) return yield* short.run
    if (!(source instanceof Dialer)) yield* source.listen
    this.begun.openUnsafe()
    const coming = source.next as Effect.Effect<Connection, never, Transport>
    const next = Effect.raceFirst(coming, this.goingAway.rung)
    const whole = Effect.forever(
      Effect.andThen(
        this.back.await,
        Effect.flatMap(next, (connection) => {
          if (connection !== undefined && !this.isAway) return this.hold(connection)
          return Effect.sync(() => connection?.close("reset"))
        })
      )
    )
    if (source instanceof Legs) return yield* Effect.raceFirst(whole, source.keep)
    const close = source instanceof Acceptor ? Effect.sync(() => source.close()) : Effect.void
    return yield* Effect.ensuring(whole, close)
  })

  /** One connection, from its opening to its end. */
  private hold(connection: Connection): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const session = yield* openSession(this, this.nextEpoch(), connection)
      this.session = session
      this.doubt.clear()
      this.since = session.openedAt
      this.noted(`connected ${connection.local} to ${connection.remote}${shownBy(connection)}`)
      const ended = yield* session.run.pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => this.over(session, new LinkEnded({ reason: "Stopping", why: "the switch is stopping" })))
        )
      )
      this.over(session, ended)
    })
  }

  private over(session: Session, ended: LinkEnded): void {
    const now = session.now()
    this.session = undefined
    this.last = carriedBy(session)
    this.since = now
    // A connection that we gave up for a missing answer is no failed attempt.
    const lastedMs = ended === answerOverdue ? Number.POSITIVE_INFINITY : now - session.openedAt
    if (this.source instanceof Dialer) this.source.ended(lastedMs)
    this.ends.add(now, ended)
    this.change({ _tag: "ended" })
    this.events.noted(this, this.epoch, `ended: ${ended.reason}, ${ended.why}`, severityOf(ended))
    // Of a half-closed one the switch has heard already, and what its group does about it has been done.
    if (!session.isHalfClosed) this.events.ended(this, session.epoch, ended)
  }
}
