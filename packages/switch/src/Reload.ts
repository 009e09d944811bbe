/**
 * New settings for a running switch, without touching the links that did not change.
 *
 * The new links are made, known to nobody; removed and changed ones are drained and closed; then, in one synchronous turn, links,
 * routes and limits are swapped; then the new connections are made. So every message meets the old settings whole or the new ones
 * whole. Whatever is in the way before that turn takes everything back (docs/decisions/0015-reload.md).
 *
 * A desk keeps its number for ever: exchanges, store-and-forward queues and the keys of recent exchanges name it by that. A
 * changed link comes to its own old desk; a removed one stays at its desk, gone, until a link of the same name takes its place.
 */
import { isDeepStrictEqual } from "node:util"
import type { Codec, Dialect } from "@jinka/codec"
import { Data, Effect, Semaphore } from "effect"
import { actText } from "./ActText.ts"
import type { Doors } from "./Doors.ts"
import { drainLinks, type Unfinished, unfinishedOf } from "./Drain.ts"
import type { Desks, Limits } from "./exchange/Desks.ts"
import type { Exchanges } from "./exchange/Exchanges.ts"
import { destinations } from "./exchange/Groups.ts"
import type { LinkPlan } from "./exchange/LinkPlan.ts"
import { LinksMissing } from "./exchange/LinksMissing.ts"
import { type Route, Router } from "./exchange/Router.ts"
import { inSlices } from "./exchange/turns/Slices.ts"
import type { DoorSettings } from "./link/door/Door.ts"
import type { HttpDoorSettings } from "./link/door/HttpDoor.ts"
import type { Link } from "./link/Link.ts"
import type { GroupSettings } from "./link/LinkGroup.ts"
import { type LinkSettings, sidesOf } from "./link/Settings.ts"
import { type Operator, whyOf } from "./Operations.ts"
import { type RunningLinks, reloaded } from "./RunningLinks.ts"
import { type Endpoint, type ListenFailed, Transport } from "./transport/Transport.ts"

/** Beyond the longest request, how long what a closed link left behind may take to reach the disk, in milliseconds. */
const SETTLE_MS = 5000

/** The new settings; routes by positions in `links`, and behind them in `groups`. */
export interface Next {
  readonly links: ReadonlyArray<LinkPlan>
  readonly groups?: ReadonlyArray<GroupSettings>
  readonly routes: ReadonlyArray<Route>
  readonly limits: Limits
  readonly doors?: ReadonlyArray<DoorSettings>
  readonly http?: ReadonlyArray<HttpDoorSettings>
}

/** What the links of the running switch become, by name. */
interface Changes {
  /** All links of the new settings. */
  readonly plans: ReadonlyMap<string, LinkPlan>
  readonly added: ReadonlySet<string>
  readonly changed: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
}

/** A link that was made of a plan, and has no desk yet. */
interface Made {
  readonly plan: LinkPlan
  readonly link: Link
}

/** Why a reload was not done. Nothing is changed then. */
export class ReloadRefused extends Data.TaggedError("ReloadRefused")<{
  readonly reason: "Busy" | "LinksMissing" | "CannotListen" | "NotQuiet"
  readonly says: string
}> {}

/** Whether a link is the same to the switch: its compiled codec follows from the rest, and former names matter to a start. */
export const isSame = (one: LinkPlan, other: LinkPlan): boolean =>
  isSameDialect(one.dialect, other.dialect) &&
  isDeepStrictEqual({ ...one, codec: 0, dialect: 0, formerly: 0 }, { ...other, codec: 0, dialect: 0, formerly: 0 })

/** What came of two dialects: a thousand links share a few, and to compare two takes as long as the rest of a link. */
const comparedDialects = new WeakMap<Dialect, WeakMap<Dialect, boolean>>()

const isSameDialect = (one: Dialect, other: Dialect): boolean => {
  if (one === other) return true
  const known = comparedDialects.get(one) ?? new WeakMap<Dialect, boolean>()
  comparedDialects.set(one, known)
  const same = known.get(other) ?? isDeepStrictEqual(one, other)
  known.set(other, same)
  return same
}

/** Swaps the settings of one switch. */
export class Reload {
  private readonly exchanges: Exchanges
  private readonly desks: Desks
  private readonly runningLinks: RunningLinks
  private readonly doors: Doors
  private readonly one = Semaphore.makeUnsafe(1)
  /** What each link was made with, by name. */
  private plans: ReadonlyMap<string, LinkPlan>
  /** The switch is being drained: no reload begins, and none is carried out. */
  isStopping = false

  constructor(exchanges: Exchanges, runningLinks: RunningLinks, doors: Doors, plans: ReadonlyArray<LinkPlan>) {
    this.exchanges = exchanges
    this.desks = exchanges.desks
    this.runningLinks = runningLinks
    this.doors = doors
    this.plans = plansOf(plans)
  }

  /** Looks for what is in the way, without touching anything. */
  check(next: Next): Effect.Effect<void, ReloadRefused, Transport> {
    return Effect.flatMap(this.compare(next), (changes) => this.mayBecome(next, changes))
  }

  /** What would become of the links. In slices: another reload may come between, and then it looks again. */
  private compare(next: Next): Effect.Effect<Changes> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const before = this.plans
        const added = new Set<string>()
        const changed = new Set<string>()
        yield* inSlices(next.links, (plan) => {
          const old = before.get(plan.name)
          if (old === undefined) added.add(plan.name)
          else if (!isSame(old, plan)) changed.add(plan.name)
        })
        if (before !== this.plans) continue
        const plans = plansOf(next.links)
        return { plans, added, changed, removed: new Set([...before.keys()].filter((name) => !plans.has(name))) }
      }
    })
  }

  private mayBecome(next: Next, changes: Changes): Effect.Effect<void, ReloadRefused, Transport> {
    if (this.isStopping) return Effect.fail(new ReloadRefused({ reason: "Busy", says: "The switch is stopping." }))
    const missing = this.missing(this.closing(changes), changes)
    return missing === undefined ? this.canListen(next, changes) : Effect.fail(missing)
  }

  /** The links that are closed: they go, or become others. */
  private closing({ changed, removed }: Changes): ReadonlyArray<Link> {
    return this.desks.present.filter(({ name }) => changed.has(name) || removed.has(name)).map(({ link }) => link)
  }

  /** Does it. Returns what a closed link's drain could not wait for. */
  run(next: Next, by: Operator, drainMs: number): Effect.Effect<ReadonlyArray<Unfinished>, ReloadRefused, Transport> {
    return this.one.withPermits(1)(
      Effect.gen({ self: this }, function* () {
        const changes = yield* this.compare(next)
        yield* this.mayBecome(next, changes)
        const closing = this.closing(changes)
        const made = yield* this.make(changes, closing)
        const wasAway = new Set(closing.filter(({ isAway }) => isAway).map(({ id }) => id))
        for (const link of closing) link.change({ _tag: "leaving", on: loses(changes, link) })
        const takeBack = Effect.sync(() => this.takeBack(closing, wasAway))
        const doors = yield* this.openDoors(next, closing, drainMs).pipe(Effect.onError(() => takeBack))
        const unfinished = yield* this.quiet(changes, closing, by, drainMs).pipe(
          Effect.onError(() => Effect.andThen(doors.takeBack, takeBack))
        )
        this.swap(next, changes, closing, made, wasAway, by)
        doors.take()
        yield* this.note(changes, closing, made, by)
        for (const link of closing) yield* this.runningLinks.stop(link)
        yield* doors.close
        for (const { link } of made) yield* this.runningLinks.join(link, this.desks.runtime.monotonicMs)
        this.doors.refresh()
        yield* doors.open
        return unfinished
      })
    )
  }

  /** As at a start: open deliveries of a link that would not be there, or not be the same, keep the settings as they are. */
  private missing(closing: ReadonlyArray<Link>, changes: Changes): ReloadRefused | undefined {
    const losing = closing
      .filter((link) => loses(changes, link))
      .map((link) => this.desks.of(link))
      .filter(({ stored }) => stored.size > 0)
    if (losing.length === 0) return undefined
    const open = losing.reduce((sum, { stored }) => sum + stored.size, 0)
    const { message } = new LinksMissing({ links: losing.map(({ name }) => name), open })
    return new ReloadRefused({ reason: "LinksMissing", says: message })
  }

  /** Addresses that no link of ours holds are tried: who cannot listen is refused before anything is closed. */
  private canListen(next: Next, changes: Changes): Effect.Effect<void, ReloadRefused, Transport> {
    const ports = new Set([...portsOf([...this.plans.values()]), ...this.doors.ports])
    const coming = comingOf(changes).flatMap(listening)
    const fresh = [...coming, ...this.doors.coming(next)].filter(({ port }) => port !== 0 && !ports.has(port))
    return Effect.forEach(
      fresh,
      (at) =>
        Effect.flatMap(Transport, ({ listen }) => listen(at, (connection) => connection.close("reset"))).pipe(
          Effect.scoped,
          Effect.mapError(cannotListen)
        ),
      { discard: true }
    )
  }

  /** The doors as they will be, with their new addresses open: who cannot listen is refused while nothing is closed yet. */
  private openDoors(next: Next, closing: ReadonlyArray<Link>, drainMs: number) {
    const freed = new Set(portsOf(closing.map(({ settings }) => settings)))
    return Effect.mapError(this.doors.prepare(next, freed, drainMs), cannotListen)
  }

  /** Closes the links in order and waits until nothing that is under way knows them any more. */
  private quiet(changes: Changes, closing: ReadonlyArray<Link>, by: Operator, drainMs: number) {
    return Effect.gen({ self: this }, function* () {
      const unfinished = closing.length === 0 ? [] : yield* this.close(changes, closing, by, drainMs)
      if (this.isStopping) return yield* new ReloadRefused({ reason: "Busy", says: "The switch is stopping." })
      return unfinished
    })
  }

  private close(changes: Changes, closing: ReadonlyArray<Link>, by: Operator, drainMs: number) {
    return Effect.gen({ self: this }, function* () {
      const { desks } = this
      const unfinished = yield* drainLinks(desks, closing, drainMs, reloaded(by.user))
      const end = desks.runtime.monotonicMs() + desks.limits.requestTimeoutMs + SETTLE_MS
      const left = () => Math.max(0, end - desks.runtime.monotonicMs())
      const losing = new Set(closing.filter((link) => loses(changes, link)).map(({ id }) => id))
      yield* desks.turned.until(() => this.open(closing, losing) === 0, left())
      // What was accepted for them before they closed is in their queues once it is on disk.
      const last = desks.record.last
      yield* desks.turned.until(() => desks.isDone(last), left())
      const open = this.open(closing, losing)
      if (open > 0 || !desks.isDone(last)) {
        const says = `${open} messages of links that would be closed have not ended, or the journal lags. Try again.`
        return yield* new ReloadRefused({ reason: "NotQuiet", says })
      }
      const missing = this.missing(closing, changes)
      if (missing !== undefined) return yield* missing
      if (closing.some(({ isDown, isAway }) => !isDown || !isAway)) {
        const says = "Somebody brought a link back while it was being closed for the reload. Try again."
        return yield* new ReloadRefused({ reason: "Busy", says })
      }
      return unfinished
    })
  }

  /**
   * How much is under way that knows the links that close. An answer on its way to its origin does where one of their links is
   * `losing`: should nobody hear the approval, its reversal goes out there, made of the request as it came.
   */
  private open(closing: ReadonlyArray<Link>, losing: ReadonlySet<number>): number {
    const { desks, exchanges } = this
    const aside = closing.filter(({ id }) => exchanges.isAside(id)).length
    const telling = desks.telling.countOf(({ origin, target }) => losing.has(origin) || losing.has(target))
    return unfinishedOf(desks, closing).length + aside + telling
  }

  private takeBack(closing: ReadonlyArray<Link>, wasAway: ReadonlySet<number>): void {
    for (const link of closing) {
      link.change({ _tag: "leaving", on: false })
      // A switch that stops drains them itself.
      if (this.isStopping || wasAway.has(link.id)) continue
      link.change({ _tag: "draining", on: false })
      link.leave(false, reloaded("nobody"))
    }
  }

  /** The links that come, for the desks that they will have. Nobody else makes desks while a reload is under way. */
  private make(changes: Changes, closing: ReadonlyArray<Link>): Effect.Effect<ReadonlyArray<Made>> {
    return Effect.gen({ self: this }, function* () {
      const { desks, exchanges } = this
      const places = this.placesOf(closing)
      const dialects = new Map(desks.all.map(({ link: { settings } }) => [settings.dialect, settings.codec]))
      const made: Array<Made> = []
      let next = desks.all.length
      yield* inSlices(comingOf(changes), (coming) => {
        const plan = adopted(coming, dialects)
        dialects.set(plan.dialect, plan.codec)
        made.push({ plan, link: exchanges.make(places.get(plan.name) ?? next++, plan) })
      })
      return made
    })
  }

  /** The one turn in which the settings change. Nothing waits in here. */
  private swap(
    next: Next,
    { added, changed, plans, removed }: Changes,
    closing: ReadonlyArray<Link>,
    made: ReadonlyArray<Made>,
    wasAway: ReadonlySet<number>,
    by: Operator
  ): void {
    const { desks } = this
    const counts = `links added ${added.size}, changed ${changed.size}, removed ${removed.size}`
    const text = { user: by.user, what: "reload", why: whyOf(by) }
    desks.record.act(undefined, actText({ ...text, came: `${counts}; routes now ${next.routes.length}` }))
    for (const link of closing) {
      if (removed.has(link.settings.name)) link.change({ _tag: "gone" })
      // What a short link was dialling for ends with its fibers; nobody else would tell the queue.
      desks.carriedLost(desks.of(link))
    }
    for (const { link, plan } of made) {
      this.exchanges.seat(link, plan)
      if (!wasAway.has(link.id)) continue
      link.change({ _tag: "draining", on: true })
      link.leave(true, reloaded("nobody"))
    }
    this.plans = plans
    const present = new Map(desks.present.map(({ id, name }) => [name, id]))
    const numbers = next.links.map(({ name }) => present.get(name)!)
    desks.router = new Router(destinations(next.routes, numbers))
    desks.groups.change(next.groups ?? [], numbers, desks.now)
    desks.limits = next.limits
    desks.share()
    desks.stans.say()
    desks.flush()
  }

  /** Says of each link what became of it: the switch itself has said how many there are, in the turn of the change. */
  private note({ added, removed }: Changes, closing: ReadonlyArray<Link>, made: ReadonlyArray<Made>, by: Operator) {
    const ended = closing.map((link) => ({ link, what: removed.has(link.settings.name) ? "removed" : "changed" }))
    const begun = made.map(({ link }) => link).filter(({ settings }) => added.has(settings.name))
    return inSlices([...ended, ...begun.map((link) => ({ link, what: "added" }))], ({ link, what }) =>
      link.noted(actText({ user: by.user, what: "reload", why: whyOf(by), came: what }))
    )
  }

  /** Numbers of desks by the names of their links: those of links that are gone, and of those that close. */
  private placesOf(closing: ReadonlyArray<Link>): ReadonlyMap<string, number> {
    const gone = this.desks.all.map(({ link }) => link).filter(({ isGone }) => isGone)
    // The first desk of a name is its own; a link that closes is the one of its name.
    return new Map([...gone.reverse(), ...closing].map(({ id, settings }) => [settings.name, id]))
  }
}

const plansOf = (links: ReadonlyArray<LinkPlan>): ReadonlyMap<string, LinkPlan> =>
  new Map(links.map((plan) => [plan.name, plan]))

/** The links that are made, in the order of the file. */
const comingOf = ({ added, changed, plans }: Changes): ReadonlyArray<LinkPlan> =>
  [...plans.values()].filter(({ name }) => added.has(name) || changed.has(name))

/** Whether what is stored for the link could not go out under the new settings: it is removed, or has another dialect. */
const loses = ({ plans }: Changes, { settings }: Link): boolean => {
  const plan = plans.get(settings.name)
  return plan === undefined || !isSameDialect(settings.dialect, plan.dialect)
}

/** Links of one dialect share it and its codec, so that messages between them keep their bytes: also old ones with new ones. */
const adopted = (plan: LinkPlan, dialects: ReadonlyMap<Dialect, Codec>): LinkPlan => {
  for (const [dialect, codec] of dialects) if (isSameDialect(dialect, plan.dialect)) return { ...plan, dialect, codec }
  return plan
}

const cannotListen = ({ cause, host, port }: ListenFailed): ReloadRefused =>
  new ReloadRefused({ reason: "CannotListen", says: `Cannot listen on ${host}:${port}: ${cause}.` })

const portsOf = (links: ReadonlyArray<LinkSettings>): ReadonlyArray<number> =>
  links.flatMap((link) => listening(link).map(({ port }) => port))

/** The addresses that a link listens on; a simplex link may have two. */
const listening = (plan: LinkSettings): ReadonlyArray<Endpoint> =>
  sidesOf(plan).flatMap((side) => (side._tag === "listen" ? [side.at] : []))
