/**
 * The exchanges of one switch, and the only way in: what links tell comes here, is handled in turns, and goes one way on.
 *
 *     request            -> RequestAdmission -> journal -> Requests -> Crossing -> the other desk's link
 *     answer             -> Requests    -> journal -> Crossing -> the other desk's link
 *     advice, its answer -> Deliveries  -> journal -> StoreAndForward -> Forwarding -> the target's link
 *     timeout, lost link -> Requests    -> Reversals -> journal -> the target's StoreAndForward
 *
 * Some hundred messages of one partner are one turn: handled in one go, recorded as one group, and written as one write. Partners
 * take turns (`Turns`). What waits for the disk is in `Commits`. A partner that fills more than its share of the way to disk is
 * not read until its own have gone.
 */
import { explain, isRequest, type MessageError, type MessageIndex, mtiText } from "@jinka/codec"
import { Deferred, Effect } from "effect"
import type { SecurityModule } from "../guard/SecurityModule.ts"
import { SharedModule } from "../guard/SharedModule.ts"
import type { Journal } from "../journal/Journal.ts"
import { Link } from "../link/Link.ts"
import { LinkEnded, type Severity } from "../link/LinkEnded.ts"
import type { LinkEvents, SessionEpoch } from "../link/LinkEvents.ts"
import { Desk } from "./Desk.ts"
import { Desks, type Limits, type Runtime } from "./Desks.ts"
import { Dispatch } from "./Dispatch.ts"
import { BusinessDays } from "./day/BusinessDays.ts"
import { Reconciliations } from "./day/Reconciliations.ts"
import { Deliveries } from "./delivery/Deliveries.ts"
import { Forwarding } from "./delivery/Forwarding.ts"
import { StoreAndForward } from "./delivery/StoreAndForward.ts"
import { Inquiry } from "./entry/Inquiry.ts"
import { Originals } from "./entry/Originals.ts"
import { OverRate } from "./entry/OverRate.ts"
import { Refusals } from "./entry/Refusals.ts"
import { Repeats } from "./entry/Repeats.ts"
import { RequestAdmission } from "./entry/RequestAdmission.ts"
import { StoredAnswers } from "./entry/StoredAnswers.ts"
import { budgetOf, Guards } from "./gate/Guards.ts"
import { Seals } from "./gate/Seals.ts"
import { WayOut } from "./gate/WayOut.ts"
import type { KeyExchanges } from "./keys/KeyExchanges.ts"
import type { LinkPlan } from "./LinkPlan.ts"
import { Recovery } from "./Recovery.ts"
import type { Router } from "./Router.ts"
import type { Slot } from "./request/Outstanding.ts"
import { Requests } from "./request/Requests.ts"
import { Reversals } from "./request/Reversals.ts"
import { Releases } from "./turns/Releases.ts"
import { Turns } from "./turns/Turns.ts"
import { Containment } from "./watch/Containment.ts"
import { DiskWatch } from "./watch/DiskWatch.ts"
import type { Stall } from "./watch/Stalls.ts"

/** Requests of one link whose time is over that are ended in one turn: a silent partner's come in bursts. */
const EXPIRED_MAX = 64

/** Ends that say nothing about the partner: the other links of a group that falls together stay as they are. */
const closedByUs = new Set<LinkEnded["reason"]>(["GroupFell", "Operator", "Reloaded", "Stopping"])

/** See above. Used only on the switch's own thread. */
export class Exchanges {
  readonly desks: Desks
  /** Brings what the last run left open to its end; before any link is started. */
  readonly recovery: Recovery
  /** Dies with the first defect of what runs outside of a fiber; nothing is done after it (guarantee G9). */
  readonly broken = Deferred.makeUnsafe<never>()
  private readonly refusals: Refusals
  private readonly rates: OverRate
  private readonly wayOut: WayOut
  private readonly containment: Containment
  private readonly dispatch: Dispatch
  private readonly requests: Requests
  private readonly deliveries: Deliveries
  private readonly guards: Guards | undefined
  private readonly disk: DiskWatch
  private readonly turns: Turns
  private readonly events: LinkEvents<Link>
  private readonly releases: Releases
  readonly days: BusinessDays
  readonly reconciliations: Reconciliations

  constructor(
    plans: ReadonlyArray<LinkPlan>,
    router: Router,
    journal: Journal["Service"],
    limits: Limits,
    runtime: Runtime,
    module?: SecurityModule
  ) {
    const desks = new Desks(router, journal, limits, runtime)
    const repeats = new Repeats(desks)
    const originals = new Originals(desks, repeats)
    const budgetMs = budgetOf(limits)
    const seals = module === undefined ? undefined : new Seals(desks, originals, new SharedModule(module), budgetMs)
    const wayOut = new WayOut(desks, seals)
    const answers = new StoredAnswers(desks, wayOut)
    const refusals = new Refusals(desks, wayOut, answers)
    const containment = new Containment(desks, refusals, this.broken)
    const reversals = new Reversals(desks)
    this.desks = desks
    this.wayOut = wayOut
    this.refusals = refusals
    this.containment = containment
    this.days = new BusinessDays(desks, wayOut)
    this.disk = new DiskWatch(desks)
    this.reconciliations = new Reconciliations(desks, wayOut, refusals)
    this.rates = new OverRate(desks, wayOut, refusals, repeats)
    this.requests = new Requests(desks, wayOut, repeats, reversals, originals, this.days)
    const inquiry = new Inquiry(desks, refusals, containment)
    const admission = new RequestAdmission(desks, wayOut, refusals, repeats, originals, inquiry)
    this.deliveries = new Deliveries(desks, wayOut, refusals, answers, repeats, originals, inquiry)
    this.dispatch = new Dispatch(desks, refusals, this.reconciliations, admission, this.requests, this.deliveries)
    this.guards =
      seals === undefined
        ? undefined
        : new Guards(desks, seals, refusals, this.requests, this.dispatch, containment, this.broken)
    this.turns = new Turns((run) => {
      runtime.fork(Effect.andThen(Effect.yieldNow, Effect.sync(run)))
    })
    this.releases = new Releases(desks, this.requests, this.broken)
    this.events = this.eventsTo(desks)
    plans.forEach((plan, id) => {
      this.seat(this.make(id, plan), plan)
    })
    desks.share()
    // It knows the desks that there are by their names.
    this.recovery = new Recovery(desks, reversals, originals, this.days)
    journal.writer.onCommitted = (lastSeq) => this.releases.committed(lastSeq)
  }

  /** The exchange of keys; `undefined`: no security module is configured. */
  get keys(): KeyExchanges | undefined {
    return this.guards?.keys
  }

  /** A link with these settings for desk `id`, not started and known to nobody. */
  make(id: number, { businessDay, delivery, guard, keys, ...settings }: LinkPlan): Link {
    return new Link(id, settings, this.events)
  }

  /**
   * Gives a link made of this plan its desk: a new one behind the others, or the old one of a link that has no request
   * outstanding any more. What is stored for that one stays.
   */
  seat(link: Link, { businessDay, delivery, guard, keys }: LinkPlan): void {
    const { desks } = this
    const { id } = link
    const desk = desks.all[id]
    if (desk === undefined) {
      const forwarding = new Forwarding(desks, this.wayOut, id, this.broken)
      const stored = new StoreAndForward(delivery, forwarding, desks.limits.storedWhole)
      desks.add(new Desk(link, stored, desks.hash, desks.open, desks.now))
    } else {
      link.follow(desk.link)
      desk.change(link, delivery, desks.now)
      desks.record.name(desk)
    }
    this.days.put(desks.at(id), businessDay)
    this.keys?.put(desks.at(id), keys)
    this.guards?.put(desks.at(id), guard)
  }

  /** One tick of the deadline fiber. False when more is due than one turn may take. */
  deadlines(): boolean {
    const { desks, requests } = this
    desks.tick()
    const stall = desks.watchJournal()
    if (stall !== undefined) this.stalled(stall)
    this.disk.tick()
    let isDone = true
    for (const desk of desks.all) {
      const { outstanding, stored } = desk
      const expired = (slot: Slot) => requests.expired(desk, slot)
      if (outstanding.size > 0 && !outstanding.expire(desks.now, expired, EXPIRED_MAX)) isDone = false
      requests.waited(desk)
      stored.tick(desks.now)
    }
    this.releases.tick()
    desks.groups.tick(desks.now)
    desks.keys.tick(desks.now)
    this.guards?.tick(desks.now)
    this.keys?.tick(desks.now)
    desks.questions.tick(desks.now)
    desks.flush()
    return isDone
  }

  /** The switch stood still: what partners saw of it were late answers, and requests that were too old when they were read. */
  private stalled({ what, ms }: Stall): void {
    const { record, runtime } = this.desks
    const who = what === "disk" ? "the journal's disk confirmed nothing" : "the process did not run"
    const text = `stalled: ${who} for ${(ms / 1000).toFixed(1)} s`
    record.switchEvent(text)
    runtime.fork(Effect.logWarning(text))
  }

  /** Tells the journal the oldest open exchange, and looks at its disk. */
  lookAtJournal(): void {
    const { desks } = this
    const { doubts, record } = desks
    desks.stans.sayAgain(record.last)
    if (!desks.journal.scarce()) this.days.sayAgain(record.last)
    if (!desks.journal.scarce())
      doubts.sayAgain(record.last, (one) => record.inDoubt("inDoubt", one, desks.nameOf(one.link)))
    record.floor = desks.floor()
    desks.flush()
    this.disk.look()
  }

  /** Whether a message of desk `id` is put aside, for the journal or the security module: its answer is still to come. */
  isAside(id: number): boolean {
    return this.desks.questions.isAsking(id) || this.guards?.holds(id) === true
  }

  /** Whether a partner still waits for an answer: until all written so far is on disk, and none of its requests is open. */
  private owing({ id }: Link): () => boolean {
    const { desks } = this
    const { last } = desks.record
    return () => !desks.isDone(last) || this.isAside(id) || desks.open.of(id) > 0
  }

  private eventsTo(desks: Desks): LinkEvents<Link> {
    return {
      passes: (link, index) => this.passes(desks.of(link), index),
      exchangesKeys: (link, index) => this.keys?.received(desks.of(link), index) === true,
      cutsOver: (link, index) => this.days.received(desks.of(link), index),
      guards: (link, index) => desks.of(link).guard?.checks(index) === true,
      leaving: (link, message, put) => this.leaving(desks.of(link), message, put),
      message: (link, session, index) => this.message(desks.of(link), session, index),
      mayLeave: desks.journal.isOurs,
      unreadable: (link, session, wrong, bytes, start, end) =>
        this.unreadable(desks.of(link), session, wrong, bytes, start, end),
      nextTurn: (link, bytes) => this.nextTurn(desks.of(link), bytes),
      turn: (link) => this.turn(desks.of(link)),
      turned: desks.turned,
      readiness: (link, ready) => this.readiness(desks.of(link), ready),
      ended: (link, epoch, ended) => this.ended(desks.of(link), epoch, ended),
      owing: (link) => this.owing(link),
      defect: (link, { epoch }, what, thrown) => desks.defects.met(desks.of(link), epoch, what, thrown),
      noted: (link, epoch, text, severity) => {
        this.note(link, epoch, text, severity)
        desks.flush()
      }
    }
  }

  /** Network management that a route names; everything else ends at its link. An answer passes as its request did. */
  private passes(desk: Desk, index: MessageIndex): boolean {
    const { router } = this.desks
    const isAnswer = index.rejectCode !== 0 || !isRequest(index.mti)
    // The routes of today do not matter: a reload may have ended the passing since.
    if (isAnswer) return this.requests.isKnown(desk, index)
    return router.passesManagement && router.route(desk.language, index, desk.id) !== undefined
  }

  /** One message, whatever it holds: what is thrown for it is not thrown at the others. */
  private message(desk: Desk, session: SessionEpoch, index: MessageIndex): void {
    const { steps } = this.desks.record
    try {
      this.handle(desk, session, index)
    } catch (thrown) {
      this.containment.giveUp(desk, session.epoch, index, thrown, steps)
    }
  }

  private handle(desk: Desk, session: SessionEpoch, index: MessageIndex): void {
    const { epoch, lastReceived, arrivedAt } = session
    this.desks.wayOf(desk).taken()
    this.desks.now = lastReceived
    const wrong = desk.language.misnamed(index)
    const isAsking = index.rejectCode === 0 && isRequest(index.mti)
    if (isAsking && !this.rates.isWithin(desk, lastReceived)) {
      if (wrong === undefined) this.rates.refuse(desk, epoch, index)
      else this.rates.impostor(desk, epoch, index, wrong)
      return
    }
    if (isAsking) desk.traffic.asks(index.mti)
    if (wrong !== undefined) return this.refusals.impostor(desk, epoch, index, wrong)
    if (isAsking) this.tellElsewhere(desk, epoch, index)
    const { partnerClock } = desk.link
    if (isAsking && partnerClock.isDue(lastReceived))
      partnerClock.heard(lastReceived, desk.language.sinceSent(index, this.desks.wallMs))
    if (desk.guard !== undefined) return this.guards?.checks.enter(desk, desk.guard, epoch, index, arrivedAt)
    this.dispatch.pass(desk, epoch, index, arrivedAt)
  }

  /** A header that names another destination is taken, since partners differ there; but it may be a line to another system. */
  private tellElsewhere(desk: Desk, epoch: number, index: MessageIndex): void {
    const whom = desk.language.elsewhere(index)
    if (whom === undefined) return
    const text = `a ${mtiText(index.mti)} of the partner ${whom}, and we are ${desk.link.settings.ourInstitution}: it was taken`
    const noted = desk.elsewhere.add("elsewhere", text, this.desks.now)
    if (noted !== undefined) this.note(desk.link, epoch, noted, "warning")
  }

  /** Bytes in a good frame that are no message: noted, answered as a format error when its key can be read. */
  private unreadable(
    desk: Desk,
    { epoch, lastReceived }: SessionEpoch,
    wrong: MessageError,
    bytes: Buffer,
    start: number,
    end: number
  ): void {
    const { record } = this.desks
    const { language, link } = desk
    this.desks.wayOf(desk).taken()
    const text = `unreadable message of ${end - start} bytes: ${explain(wrong)}`
    const noted = desk.unreadable.add("unreadable", text, lastReceived)
    if (noted !== undefined) this.note(link, epoch, noted, "warning")
    const answer = this.formatError(desk, epoch, wrong, bytes, start, end)
    if (answer === undefined) return link.release(epoch)
    if (!this.rates.isWithin(desk, lastReceived)) return this.rates.unreadable(desk, epoch, answer)
    desk.traffic.othersIn++
    desk.traffic.refuse("formatError")
    desk.traffic.answersOut.add(language.refusal.formatError)
    const seq = record.unreadable(desk, epoch, language.refusal.formatError)
    this.desks.afterRefusal(desk, seq, () => this.wayOut.send(desk, epoch, answer))
  }

  private formatError(
    desk: Desk,
    epoch: number,
    wrong: MessageError,
    bytes: Buffer,
    start: number,
    end: number
  ): Buffer | undefined {
    try {
      return desk.language.formatError(wrong, bytes, start, end)
    } catch (thrown) {
      this.desks.defects.met(desk, epoch, "a message that cannot be read was not answered", thrown)
      return undefined
    }
  }

  /** Whether so many bytes of the desk's partner may be worked on now; otherwise what to wait for. */
  private nextTurn({ id }: Desk, bytes: number): Effect.Effect<void> | undefined {
    const { turns } = this
    const partner = this.desks.groups.partner(id)
    if (turns.may(partner, bytes)) return undefined
    return Effect.callback((resume) => turns.wait(partner, bytes, () => resume(Effect.void)))
  }

  /** All of one read was handed over. Returns what the link has to wait for before it is read again. */
  private turn(desk: Desk): Effect.Effect<void> | undefined {
    const { desks } = this
    desks.flush()
    const full = this.guards?.checks.full(desk)
    if (full !== undefined) return full
    return this.releases.wait(desk)
  }

  private readiness(desk: Desk, ready: boolean): void {
    const { desks } = this
    const { link } = desk
    const severity = link.isSuspect ? "warning" : "info"
    this.note(link, link.epoch, ready ? "ready" : `not ready: ${link.phrase}`, severity)
    desks.tick()
    desks.groups.changed(link, desks.now)
    if (ready) {
      desks.carriesAgain(desk)
      this.requests.next(desk)
    }
    desks.flush()
  }

  private ended(desk: Desk, epoch: number, ended: LinkEnded): void {
    const { desks } = this
    const { link } = desk
    desks.tick()
    desks.groups.changed(link, desks.now)
    this.requests.connectionLost(desk, epoch)
    desks.carriedLost(desk, link.short === undefined ? undefined : epoch)
    if (link.short === undefined && !closedByUs.has(ended.reason)) this.fallTogether(link)
    desks.flush()
  }

  /** The CUPS rule, where the link's group has it: the other connections of the group are closed, too, and made again. */
  private fallTogether(link: Link): void {
    const falls = this.desks.groups.fallsWith(link, this.desks.now)
    if (falls === undefined) return
    const why = `${link.settings.name} of the group ${falls.group} ended, and the group falls together`
    for (const other of falls.links) other.cut(new LinkEnded({ reason: "GroupFell", why }))
  }

  /** Network management of ours: it gets a MAC where the link's rule says so. */
  private leaving(desk: Desk, message: Buffer, put: (message: Buffer) => void): void {
    if (desk.guard === undefined || this.guards === undefined) put(message)
    else this.guards.leaving(desk, desk.guard, message, put)
  }

  private note(link: Link, epoch: number, text: string, severity: Severity): void {
    this.desks.note(this.desks.of(link), epoch, text, severity)
  }
}
