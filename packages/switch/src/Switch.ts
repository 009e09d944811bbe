/**
 * The switch: links on one side, the journal on the other, and the exchanges between them.
 *
 * This file joins the parts and owns the turns: what arrives in one read is handled in one go, recorded as one group, and
 * written as one write. It needs a `Transport` and a `Journal`; both may be simulated.
 */
import { explain, isRequest, type MessageError, type MessageIndex, mtiClass, mtiText, reservedMti } from "@jinka/codec"
import { Clock, Context, Deferred, Effect, Fiber, Latch, type Scope } from "effect"
import { Doors } from "./Doors.ts"
import { drainAll, type Unfinished } from "./Drain.ts"
import { Books, type Limits } from "./exchange/Books.ts"
import { Deliveries } from "./exchange/Deliveries.ts"
import { FairShare } from "./exchange/FairShare.ts"
import { destinations } from "./exchange/Groups.ts"
import { TICK_MS } from "./exchange/Outstanding.ts"
import { type LinksMissing, type Recovered, Recovery } from "./exchange/Recovery.ts"
import { Refusals } from "./exchange/Refusals.ts"
import { Requests } from "./exchange/Requests.ts"
import { type Route, Router } from "./exchange/Router.ts"
import { formatErrorAnswer } from "./exchange/Salvage.ts"
import type { Settings as DeliverySettings } from "./exchange/StoreAndForward.ts"
import { StoredAnswers } from "./exchange/StoredAnswers.ts"
import { Fleet } from "./Fleet.ts"
import { Journal } from "./journal/Journal.ts"
import type { JournalError } from "./journal/JournalError.ts"
import type { DoorSettings } from "./link/door/Door.ts"
import type { HttpDoorSettings } from "./link/door/HttpDoor.ts"
import { LinkEnded, type Severity } from "./link/Ended.ts"
import type { GroupSettings } from "./link/Group.ts"
import { Link } from "./link/Link.ts"
import type { LinkEvents } from "./link/LinkEvents.ts"
import { Notices } from "./link/Notices.ts"
import type { SessionEpoch } from "./link/SessionOwner.ts"
import type { LinkSettings } from "./link/Settings.ts"
import { Operations } from "./Operations.ts"
import { type Changes, Reload, type ReloadRefused } from "./Reload.ts"
import { type SwitchStatus, statusOf } from "./SwitchStatus.ts"
import type { ListenFailed, Transport } from "./transport/Transport.ts"

/** How often the oldest open exchange is looked up for the journal, and its disk looked at, in ticks of the deadline fiber. */
const FLOOR_TICKS = 50

/** Ends that say nothing about the partner: the other links of a group that falls together stay as they are. */
const closedByUs = new Set<LinkEnded["reason"]>(["GroupFell", "Operator", "Reloaded", "Stopping"])

/** All that one switch is told. */
export interface SwitchSettings {
  readonly links: ReadonlyArray<LinkSettings & { readonly delivery: DeliverySettings }>
  /** Addresses that links share. */
  readonly doors?: ReadonlyArray<DoorSettings>
  readonly http?: ReadonlyArray<HttpDoorSettings>
  /** Links used as one destination, by their positions in `links`; a link is in one of them at most. */
  readonly groups?: ReadonlyArray<GroupSettings>
  /** Routes by the destinations' numbers: positions in `links`, and behind them positions in `groups`. */
  readonly routes: ReadonlyArray<Route>
  readonly limits: Limits
}

/** A running switch. */
export interface Running {
  readonly recovered: Recovered
  readonly status: () => SwitchStatus
  /** By number; closed places of removed links are among them. */
  readonly links: ReadonlyArray<Link>
  /** What an operator may do to a link. */
  readonly operations: Operations
  /** What other settings would change of the links. */
  readonly changes: (next: SwitchSettings) => Changes
  /** Whether other settings could be taken now. */
  readonly check: (next: SwitchSettings) => Effect.Effect<void, ReloadRefused>
  /**
   * Takes other settings: see `Reload`. Links that are closed for it are drained for up to `drainMs`; returns what that could not
   * wait for. `user` stands in the journal.
   */
  readonly reload: (
    next: SwitchSettings,
    user: string,
    drainMs: number
  ) => Effect.Effect<ReadonlyArray<Unfinished>, ReloadRefused>
  /**
   * Takes no new requests, waits up to `limitMs` for what is outstanding, signs off, closes, and returns what had not ended.
   * Advices and reversals stay in the journal and go on after the next start.
   */
  readonly drain: (limitMs: number) => Effect.Effect<ReadonlyArray<Unfinished>>
  /**
   * Never succeeds; fails when the journal stops (guarantee G9) or an address cannot be listened on, and dies with any defect of
   * the switch: then it must not go on.
   */
  readonly failed: Effect.Effect<never, JournalError | ListenFailed>
}

/** The running switch as a service. */
export class Switch extends Context.Service<Switch, Running>()("@jinka/switch/Switch") {}

/** Joins the parts and owns the turns. */
class Core {
  readonly books: Books
  readonly requests: Requests
  private readonly refusals: Refusals
  readonly deliveries: Deliveries
  private readonly unreadables: Array<Notices> = []
  private readonly shares: Array<FairShare> = []
  private isLow = false
  private readonly roomLatch = Latch.makeUnsafe(true)
  private readonly room: Effect.Effect<void> = Effect.asVoid(this.roomLatch.await)
  /** Dies with the first defect of what runs outside of a fiber; nothing is done after it (guarantee G9). */
  readonly broken = Deferred.makeUnsafe<never>()

  constructor(settings: SwitchSettings, journal: Journal["Service"], runtime: Books["runtime"]) {
    const numbers = settings.links.map((_, id) => id)
    this.books = new Books(new Router(destinations(settings.routes, numbers)), journal, settings.limits, runtime, {
      forward: (link, id) => this.requests.forward(link, id),
      deliver: (link, id) => this.requests.deliver(link, id)
    })
    const answers = new StoredAnswers(this.books)
    this.refusals = new Refusals(this.books, (link, epoch, exchange, request, otherwise) =>
      answers.again(link, epoch, exchange, request, otherwise)
    )
    this.requests = new Requests(
      this.books,
      (origin, target, request, exchange) => this.deliveries.reverse(origin, target, request, exchange),
      this.refusals
    )
    this.deliveries = new Deliveries(this.books, this.refusals)
    settings.links.forEach((link, id) => {
      this.books.put(this.link(id, link), link.delivery, this.queue)
    })
    this.books.groups.change(settings.groups ?? [], numbers, this.books.now)
    journal.writer.onCommitted = (lastSeq) => this.committed(lastSeq)
  }

  /** A link for place `id`, not started. */
  readonly link = (id: number, settings: LinkSettings): Link => {
    this.unreadables[id] ??= new Notices()
    this.shares[id] ??= new FairShare()
    return new Link(id, settings, this.events)
  }

  /** A store-and-forward queue for a link's place. */
  readonly queue = (link: Link, delivery: DeliverySettings) => this.deliveries.queue(link, delivery)

  /** The journal has everything up to `lastSeq` on disk: what waited for that is done, in order. */
  private committed(lastSeq: number): void {
    if (Deferred.isDoneUnsafe(this.broken)) return
    try {
      this.release(lastSeq)
    } catch (defect) {
      Deferred.doneUnsafe(this.broken, Effect.die(defect))
    }
  }

  private release(lastSeq: number): void {
    const { books } = this
    books.tick()
    books.commits.run(lastSeq)
    books.flush()
    if (books.record.pendingBytes < books.limits.unwrittenStop / 2) this.roomLatch.openUnsafe()
  }

  /** One tick of the deadline fiber. */
  deadlines(): void {
    const { books } = this
    books.tick()
    for (const link of books.links) {
      const outstanding = books.outstanding[link.id]!
      if (outstanding.size > 0) outstanding.expire(books.now, (slot) => this.requests.expired(link, slot))
      this.requests.waited(link)
      books.queues[link.id]!.tick(books.now)
    }
    books.groups.tick(books.now)
    books.flush()
  }

  /** The journal's disk as it is now: when its room runs out all new work is refused, and nobody else would say so. */
  lookAtDisk(): void {
    const { books } = this
    books.journal.look(books.now)
    const isLow = books.journal.lowSpace()
    if (isLow === this.isLow) return
    this.isLow = isLow
    const text = isLow
      ? "the journal's disk is nearly full: new requests are refused until there is room"
      : "the journal's disk has room again: requests are taken"
    books.record.switchEvent(text)
    books.flush()
    books.runtime.fork(isLow ? Effect.logError(text) : Effect.logInfo(text))
  }

  private readonly events: LinkEvents<Link> = {
    message: (link, session, index) => this.message(link, session, index),
    unreadable: (link, session, wrong, bytes, start, end) => this.unreadable(link, session, wrong, bytes, start, end),
    turn: (link) => {
      const { books } = this
      books.flush()
      const seq = this.shares[link.id]!.waitsFor(books.record.last, books.journal.writer.committedSeq)
      if (seq > 0) return this.written(seq)
      if (books.record.pendingBytes <= books.limits.unwrittenStop) return undefined
      this.roomLatch.closeUnsafe()
      return this.room
    },
    readiness: (link, ready) => {
      const severity = link.isSuspect ? "warning" : "info"
      this.noted(link, link.epoch, ready ? "ready" : `not ready: ${link.phrase}`, severity)
      this.books.tick()
      this.books.groups.changed(link, this.books.now)
      if (ready) {
        this.books.carriesAgain(link)
        this.requests.next(link)
      }
      this.books.flush()
    },
    ended: (link, epoch, ended) => {
      this.books.tick()
      this.books.groups.changed(link, this.books.now)
      this.requests.connectionLost(link, epoch)
      this.books.carriedLost(link, link.short === undefined ? undefined : epoch)
      if (link.short === undefined && !closedByUs.has(ended.reason)) this.fallTogether(link)
      this.books.flush()
    },
    owing: (link) => this.books.owing(link),
    noted: (link, epoch, text, severity) => {
      this.noted(link, epoch, text, severity)
      this.books.flush()
    }
  }

  /** The CUPS rule, where the link's group has it: the other connections of the group are closed, too, and made anew. */
  private fallTogether(link: Link): void {
    const falls = this.books.groups.fallsWith(link, this.books.now)
    if (falls === undefined) return
    const why = `${link.settings.name} of the group ${falls.group} ended, and the group falls together`
    for (const other of falls.links) other.cut(new LinkEnded({ reason: "GroupFell", why }))
  }

  /** Waits until entry `seq` is on disk. */
  private written(seq: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const takeBack = this.books.journal.writer.whenCommitted(seq, () => resume(Effect.void))
      return Effect.sync(takeBack)
    })
  }

  private message(link: Link, { epoch, lastReceived }: SessionEpoch, index: MessageIndex): void {
    this.shares[link.id]!.taken()
    this.books.now = lastReceived
    // A reject brings our own message back: whatever its MTI says, it is an answer.
    if (index.rejectCode !== 0) return this.answer(link, epoch, index)
    switch (mtiClass(index.mti)) {
      case "request":
        return this.requests.request(link, epoch, index)
      case "response":
        return this.requests.answer(link, epoch, index)
      case "advice":
      case "reversal":
      case "notice":
        return this.deliveries.advice(link, epoch, index)
      case "adviceResponse":
      case "reversalResponse":
      case "noticeResponse":
        return this.answer(link, epoch, index)
      default:
        return this.unknown(link, { epoch, lastReceived }, index)
    }
  }

  /** A message type that its edition reserves: whoever asks hears that it was not understood, an answer is nobody's. */
  private unknown(link: Link, { epoch, lastReceived }: SessionEpoch, index: MessageIndex): void {
    const isAnswered = isRequest(index.mti)
    const what = isAnswered ? `refused ${link.settings.dialect.refusal.formatError}` : "dropped"
    const text = `message type ${mtiText(index.mti)} was ${what}: its ${reservedMti(index.mti)} digit is reserved`
    const noted = this.unreadables[link.id]!.take(lastReceived, text)
    if (noted !== undefined) this.noted(link, epoch, noted, "warning")
    if (isAnswered) return this.refusals.refuse(link, epoch, index, "formatError")
    this.books.record.stray("unmatched", 0, link, epoch, "reserved message type", index)
    link.settled(epoch)
  }

  private answer(link: Link, epoch: number, index: MessageIndex): void {
    if (!this.deliveries.answer(link, epoch, index)) this.requests.answer(link, epoch, index)
  }

  /** Bytes in a good frame that are no message: noted, answered as a format error when its key can be read. */
  private unreadable(
    link: Link,
    { epoch, lastReceived }: SessionEpoch,
    wrong: MessageError,
    bytes: Buffer,
    start: number,
    end: number
  ): void {
    const { books } = this
    this.shares[link.id]!.taken()
    const text = `unreadable message of ${end - start} bytes: ${explain(wrong)}`
    const noted = this.unreadables[link.id]!.take(lastReceived, text)
    if (noted !== undefined) this.noted(link, epoch, noted, "warning")
    const answer = formatErrorAnswer(link.settings, wrong, bytes, start, end)
    if (answer === undefined) return link.settled(epoch)
    const seq = books.record.unreadable(link, epoch, link.settings.dialect.refusal.formatError)
    books.commits.after(seq, () => books.send(link, epoch, answer))
  }

  private noted(link: Link, epoch: number, text: string, severity: Severity): void {
    this.books.record.event(link, text, epoch)
    const where = { link: link.settings.name, epoch }
    this.books.runtime.fork(
      (severity === "info" ? Effect.logInfo(text) : Effect.logWarning(text)).pipe(Effect.annotateLogs(where))
    )
  }
}

/**
 * Starts a switch in the scope: recovers the journal first, then opens the links. Nothing is accepted before recovery is on disk.
 */
export const make = Effect.fnUntraced(function* (
  settings: SwitchSettings
): Effect.fn.Return<Running, JournalError | LinksMissing, Journal | Transport | Scope.Scope> {
  const journal = yield* Journal
  const clock = yield* Clock.Clock
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const core = new Core(settings, journal, {
    monotonicMs: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    wallMs: () => clock.currentTimeMillisUnsafe(),
    fork
  })
  const { books } = core
  const recovered = yield* new Recovery(books, core.deliveries).run
  const fleet = new Fleet(yield* Effect.scope)
  const doors = new Doors(settings.doors ?? [], settings.http ?? [], books)
  const open = yield* Effect.forkScoped(Effect.andThen(opening(books.links, fleet, doors), Effect.never))
  const transport = yield* Effect.context<Transport>()
  const reload = new Reload(books, fleet, settings.links, core.link, core.queue)
  const clockwork = yield* Effect.forkScoped(deadlines(core))
  return {
    recovered,
    links: books.links,
    changes: (next) => reload.changes(next),
    check: (next) => Effect.provideContext(reload.check(next), transport),
    reload: (next, user, drainMs) =>
      Effect.tap(Effect.provideContext(reload.run(next, user, drainMs), transport), () =>
        Effect.sync(() => doors.refresh())
      ),
    operations: new Operations(books),
    status: () => statusOf(books, doors),
    drain: (limitMs) =>
      Effect.suspend(() => {
        reload.isStopping = true
        return drainAll(books, limitMs)
      }),
    failed: Effect.raceAllFirst<Effect.Effect<never, JournalError | ListenFailed>>([
      journal.failed,
      Deferred.await(core.broken),
      Fiber.join(clockwork),
      Fiber.join(open),
      Deferred.await(fleet.failed)
    ])
  }
})

/**
 * Opens every address before any partner is called: a switch that cannot listen ends without having taken the place of the
 * connection that a partner has with the one that does.
 */
const opening = Effect.fnUntraced(function* (links: ReadonlyArray<Link>, fleet: Fleet, doors: Doors) {
  const listening = links.filter(({ settings: { side } }) =>
    (side._tag === "legs" ? [side.send, side.receive] : [side]).some(({ _tag }) => _tag === "listen")
  )
  yield* Effect.forEach(listening, (link) => fleet.start(link), { discard: true })
  yield* doors.listen
  yield* Effect.forEach(listening, (link) => link.begun.await, { discard: true })
  const others = links.filter((link) => !listening.includes(link))
  yield* Effect.forEach(others, (link) => fleet.start(link), { discard: true })
})

/** The one fiber for every deadline of the switch. */
const deadlines = (core: Core): Effect.Effect<never> => {
  let ticks = 0
  return Effect.sleep(TICK_MS).pipe(
    Effect.map(() => {
      core.deadlines()
      if (++ticks % FLOOR_TICKS !== 0) return
      core.books.record.floor = core.books.floor()
      core.lookAtDisk()
    }),
    Effect.forever
  )
}
