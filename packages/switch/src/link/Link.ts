/**
 * One link to a partner: what it is, whether it may be used, and what happens on it.
 *
 * It owns the link's state, its epochs and its history. Its connections are a `LongLink`'s or a `ShortLink`'s. It knows no
 * journal, no routes and no exchanges: the switch gives it `LinkEvents` and sends through the current session. Single-threaded
 * like all of the switch.
 */
import type { MessageIndex } from "@jinka/codec"
import { Clock, Effect, Latch, type Scope } from "effect"
import { Iso8583 } from "../message/Iso8583.ts"
import type { Language } from "../message/Language.ts"
import { monotonicMs } from "../transport/Monotonic.ts"
import type { Connection, ListenFailed, Transport } from "../transport/Transport.ts"
import { Change } from "./Bell.ts"
import { Doubt } from "./Doubt.ts"
import { EndHistory } from "./EndHistory.ts"
import { answerOverdue, LinkEnded, severityOf } from "./LinkEnded.ts"
import { type LinkEvents, type SessionEpoch, sessionEvents } from "./LinkEvents.ts"
import * as LinkState from "./LinkState.ts"
import { type Carried, carriedBy, carriedByBoth, type LinkStatus, nothingCarried } from "./LinkStatus.ts"
import { LongLink, type LongOwner } from "./LongLink.ts"
import { Notices, oneByOne } from "./Notices.ts"
import { PartnerClock } from "./PartnerClock.ts"
import type { Session } from "./Session.ts"
import type { LinkSettings } from "./Settings.ts"
import { ShortLink, type ShortOwner } from "./ShortLink.ts"
import { Lies, type NotTakenStatus } from "./TurnedAway.ts"

/** The largest number of a connection that a journal entry can hold: 32 bits. */
const EPOCH_MAX = 0xffff_ffff

/** STANs of network management: so many there are, and a run begins where one for each so many milliseconds would be. */
const STANS = 1_000_000
const STAN_MS = 100

/** Whose certificate the partner showed, for a line about its connection; empty without one. */
const shownBy = ({ identity }: Connection): string =>
  identity === undefined ? "" : `, certificate of ${identity.names.join(", ")}`

/** A link, made once for each `links:` entry of the configuration. */
export class Link implements LongOwner, ShortOwner {
  readonly id: number
  readonly settings: LinkSettings
  /** What its messages mean. */
  readonly language: Language
  /** The connections of a short link; `undefined` on a long one. */
  readonly short: ShortLink | undefined
  readonly events: ReturnType<typeof sessionEvents>
  /** Counts connections: the number of the current or last one. */
  epoch = 0
  /** Requests in a row that the partner did not answer. */
  readonly doubt = new Doubt(this)
  readonly lies = new Lies((text, epoch) => this.warned(text, epoch))
  /** Open once it listens, or dials. */
  readonly begun = Latch.makeUnsafe(false)
  /** Happens when a connection has ended. */
  readonly down = new Change()
  private readonly long: LongLink | undefined
  private state = LinkState.initial
  /** How far the partner's clock is from ours. */
  readonly partnerClock = new PartnerClock()
  private readonly owner: LinkEvents<Link>
  private readonly management = { info: new Notices(oneByOne), warning: new Notices(oneByOne) }
  private stan = 0
  private since = 0
  private ends = new EndHistory()
  private strangers: NotTakenStatus | undefined
  /** What was said when the partner closed its direction last. */
  private halfClosedBy: LinkEnded["reason"] | undefined
  private clock: Clock.Clock | undefined
  /** Of the last connection that has ended; of a short link: of all. */
  private last: Carried = nothingCarried

  constructor(id: number, settings: LinkSettings, events: LinkEvents<Link>) {
    this.id = id
    this.settings = settings
    this.language = settings.language ?? new Iso8583(settings)
    this.owner = events
    this.events = sessionEvents(this, events)
    this.short = settings.short === undefined ? undefined : new ShortLink(this, settings.short)
    this.long = settings.short === undefined ? new LongLink(this) : undefined
  }

  /** The session of the connection that is up now. Always `undefined` on a short link. */
  get session(): Session | undefined {
    return this.long?.session
  }

  /** Requests may be sent on it now. */
  get isReady(): boolean {
    return LinkState.isReady(this.state)
  }

  /** It does what it is for: requests may be sent on it, or, where a partner only calls, its calls are taken. */
  private get isServing(): boolean {
    return this.isReady || (this.short?.dials === false && LinkState.isReady({ ...this.state, watchdog: "OKAY" }))
  }

  /** Silent and otherwise ready; the connection is still up. */
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

  /** Drained: it makes no connections and takes none. */
  get isAway(): boolean {
    return this.state.away
  }

  /** An operator has signed us off. */
  get isHeldOff(): boolean {
    return this.state.heldOff
  }

  /** A reload is about to remove it, or to give it another dialect: nothing new may be stored for it. */
  get isLeaving(): boolean {
    return this.state.leaving
  }

  /** Removed by a reload: a closed place. */
  get isGone(): boolean {
    return this.state.gone
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
    if (this.isReady !== was) this.owner.readiness(this, this.isReady)
  }

  /** A connection is up now; see `LongLink`. */
  get isUp(): boolean {
    return this.short?.isOpen ?? this.long!.isUp
  }

  /** Nothing of a connection is left, not even one that still gives answers. */
  get isDown(): boolean {
    return !this.isUp && this.session === undefined
  }

  /** A network management message that came as a `message`, and was found good. False: it passes through the switch. */
  managesItself(epoch: number, index: MessageIndex): boolean {
    const session = this.session?.epoch === epoch ? this.session : this.short?.sessionOf(epoch)
    // On a connection that has ended it means nothing any more.
    return session?.management.received(index) ?? true
  }

  /** See `LinkEvents`. */
  noted(text: string, epoch = this.epoch): void {
    this.owner.noted(this, epoch, text, "info")
  }

  /** The same for what somebody should look at. */
  warned(text: string, epoch = this.epoch): void {
    this.owner.noted(this, epoch, text, "warning")
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
    this.last = carriedByBoth(this.last, carriedBy(session))
    if (ended.reason !== "Done") this.ends.add(session.now(), ended)
    this.down.happened()
    if (isLost) this.owner.ended(this, session.epoch, ended)
  }

  /** See `SessionOwner`. */
  managed(text: string, isWrong: boolean, now: number): void {
    const severity = isWrong ? "warning" : "info"
    const noted = this.management[severity].add("management", text, now)
    if (noted !== undefined) this.owner.noted(this, this.epoch, noted, severity)
  }

  /** An attempt to connect came to nothing. */
  connectFailed(at: number, why: string, reason: LinkEnded["reason"] = "ConnectFailed"): void {
    this.ends.add(at, new LinkEnded({ reason, why }))
  }

  /** Dials now and not after the pause. False when it does not wait for one: it is up, at it, or the partner's to dial. */
  retry(): boolean {
    return this.long?.retry() === true
  }

  /** Closes its connections in order and makes and takes none (`on`), or comes back. */
  leave(on: boolean, ended: LinkEnded): void {
    this.change({ _tag: "away", on })
    this.long?.leave(on, ended)
    if (on) this.short?.close(ended)
  }

  /** For the exchanges the connection has ended, but that answers of the partner's own requests still leave on it. */
  halfClosed({ epoch }: SessionEpoch, ended: LinkEnded): void {
    this.halfClosedBy = ended.reason
    this.endedBy(ended)
    this.owner.ended(this, epoch, ended)
  }

  /** A door that knows this link's partner gives it the partner's connection. */
  offer(connection: Connection): void {
    if (this.isGone) return connection.close("reset")
    const taker = this.short ?? this.long!
    taker.offer(connection)
  }

  /** See `AcceptorOwner`. */
  readonly challenge = (told: () => void): (() => boolean) => this.session!.challenge(told)

  /** Monotonic milliseconds; 0 before it runs. */
  private get now(): number {
    return this.clock === undefined ? 0 : monotonicMs(this.clock)
  }

  /** Ends the current connection; the link comes back by itself. */
  cut(ended: LinkEnded): void {
    this.long?.cut(ended)
    this.short?.cut(ended)
  }

  /** Takes over from the link with other settings that had its place before a reload: its counts, its ends, its block. */
  follow(before: Link): void {
    this.epoch = before.epoch
    this.stan = before.stan
    this.since = before.since
    this.ends = before.ends
    this.last = before.last
    this.change({ _tag: "heldOff", on: before.state.heldOff })
    this.change({ _tag: "blocked", on: before.state.blocked })
  }

  /** The state in words. */
  get phrase(): string {
    const { isClosedForRequests, short, state } = this
    return short === undefined || isClosedForRequests || !state.connected ? LinkState.phrase(state) : short.phrase
  }

  /** Everything an operator asks first. */
  status(): LinkStatus {
    const { long, session, state, short } = this
    const { attempts, nextAttempt, legs } = short?.source ?? long!.status
    const { local, remote } = session?.connection ?? { local: "", remote: "" }
    return {
      name: this.settings.name,
      institution: this.settings.institution,
      state: this.phrase,
      ready: this.isServing,
      blocked: state.blocked,
      draining: state.draining,
      ours: state.ours,
      partners: state.partners,
      signOnAttempts: session?.management.attempts ?? 0,
      epoch: this.epoch,
      local,
      remote,
      legs: legs ?? (session === undefined ? [] : [{ leg: "both", local, remote }]),
      since: short?.unreachableSince ?? this.since,
      turnedAway: this.strangers,
      lies: this.lies.status,
      listens: this.settings.side._tag === "listen" ? this.settings.side.at : undefined,
      ...(short === undefined ? carriedBy(session ?? this.last) : short.carried(this.last)),
      attempts,
      nextAttempt,
      unsent: short?.unsent ?? long!.unsent,
      short: short?.status(),
      unanswered: this.doubt.status,
      clocks: session?.clocks,
      ends: this.ends.all,
      clockAheadMs: this.partnerClock.aheadMs(this.now)
    }
  }

  /** Listens if the partner connects to us, then keeps the link going until interrupted. */
  readonly run: Effect.Effect<never, ListenFailed, Transport | Scope.Scope> = Effect.gen({ self: this }, function* () {
    this.clock = yield* Clock.Clock
    // Behind those of the last run, which nothing remembers: of two key exchanges at once the later STAN counts.
    if (this.stan === 0) this.stan = Math.floor(this.clock.currentTimeMillisUnsafe() / STAN_MS) % STANS
    if (this.since === 0) this.since = this.now
    return yield* this.short?.run ?? this.long!.run(() => this.begun.openUnsafe())
  })

  /** See `LongOwner`. */
  opened({ connection, openedAt }: Session): void {
    this.doubt.clear()
    this.since = openedAt
    this.noted(`connected ${connection.local} to ${connection.remote}${shownBy(connection)}`)
  }

  /** See `LongOwner`. */
  over(session: Session, ended: LinkEnded): void {
    this.last = carriedBy(session)
    // Of a half-closed one log and switch have heard already, and what its group does about it has been done. A partner that
    // closed and comes again replaces nothing.
    const isHeard = ended.reason === this.halfClosedBy || ended.reason === "Replaced" || severityOf(ended) !== "warning"
    if (!session.isHalfClosed || !isHeard) this.endedBy(ended)
    this.down.happened()
    if (!session.isHalfClosed) this.owner.ended(this, session.epoch, ended)
  }

  /** It carries nothing any more, and says why in the same turn: whoever sees it down finds the reason in the log. */
  private endedBy(ended: LinkEnded): void {
    this.since = this.now
    this.ends.add(this.since, ended)
    this.change({ _tag: "ended" })
    this.owner.noted(this, this.epoch, `ended: ${ended.reason}, ${ended.why}`, severityOf(ended))
  }
}
