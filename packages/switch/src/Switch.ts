/**
 * The switch: links on one side, the journal on the other, and the exchanges between them.
 *
 * This file is composition: it starts the parts in their order and says what a running switch can be asked for. It needs a
 * `Transport` and a `Journal`; both may be simulated.
 */
import { Clock, Context, Deferred, Effect, Fiber, Random, type Scope } from "effect"
import { DayOperations } from "./DayOperations.ts"
import { Doors } from "./Doors.ts"
import { drainAll, type Unfinished } from "./Drain.ts"
import type { Limits } from "./exchange/Desks.ts"
import type { SumUp } from "./exchange/day/Reconciliations.ts"
import { Exchanges } from "./exchange/Exchanges.ts"
import { destinations } from "./exchange/Groups.ts"
import type { LinkPlan } from "./exchange/LinkPlan.ts"
import type { LinksMissing } from "./exchange/LinksMissing.ts"
import type { Recovered } from "./exchange/Recovery.ts"
import { type Route, Router } from "./exchange/Router.ts"
import { TICK_MS } from "./exchange/request/Outstanding.ts"
import type { KeyRing } from "./guard/KeyRing.ts"
import { KeysElsewhere } from "./guard/KeysElsewhere.ts"
import type { SecurityModule } from "./guard/SecurityModule.ts"
import { Journal } from "./journal/Journal.ts"
import type { JournalError } from "./journal/JournalError.ts"
import { KeyOperations } from "./KeyOperations.ts"
import type { DoorSettings } from "./link/door/Door.ts"
import type { HttpDoorSettings } from "./link/door/HttpDoor.ts"
import type { Link } from "./link/Link.ts"
import type { GroupSettings } from "./link/LinkGroup.ts"
import { Operations, type Operator } from "./Operations.ts"
import { Pending } from "./Pending.ts"
import { Reload, type ReloadRefused } from "./Reload.ts"
import { Retention } from "./Retention.ts"
import { RunningLinks } from "./RunningLinks.ts"
import { type SwitchStatus, statusOf } from "./SwitchStatus.ts"
import { monotonicMs } from "./transport/Monotonic.ts"
import type { ListenFailed, Transport } from "./transport/Transport.ts"

/** How often the journal's floor and its disk are looked at, in ticks of the deadline fiber. */
const LOOK_TICKS = 50

/** All settings of one switch. */
export interface SwitchSettings {
  readonly links: ReadonlyArray<LinkPlan>
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
  /** By number; removed ones are among them. */
  readonly links: ReadonlyArray<Link>
  /** The keys of guarded links. */
  readonly keys: KeyRing
  /** What persons may do with keys. */
  readonly keyOperations: KeyOperations
  /** What an operator may do to a link. */
  readonly operations: Operations
  /** What an operator may do to a partner's business day. */
  readonly dayOperations: DayOperations
  /** From now on `sumUp` sums the journal up for partners that compare totals; before, none are known. */
  readonly reconcileBy: (sumUp: SumUp) => void
  /** What waits to be delivered, and what is in doubt. */
  readonly pending: Pending
  /** How long the journal is kept. */
  readonly retention: Retention
  /** Whether other settings could be taken now. */
  readonly check: (next: SwitchSettings) => Effect.Effect<void, ReloadRefused>
  /**
   * Takes other settings: see `Reload`. Links that are closed for it are drained for up to `drainMs`; returns what that could not
   * wait for. `by` is in the journal.
   */
  readonly reload: (
    next: SwitchSettings,
    by: Operator,
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

/**
 * Starts a switch in the scope: recovers the journal first, then opens the links. Nothing is accepted before recovery is on disk.
 * `module`: what holds the keys of guarded links; left out: no link has any.
 */
export const make = Effect.fnUntraced(function* (
  settings: SwitchSettings,
  module?: SecurityModule
): Effect.fn.Return<Running, JournalError | LinksMissing | KeysElsewhere, Journal | Transport | Scope.Scope> {
  const journal = yield* Journal
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const numbers = settings.links.map((_, id) => id)
  const router = new Router(destinations(settings.routes, numbers))
  const runtime = {
    monotonicMs: () => monotonicMs(clock),
    wallMs: () => clock.currentTimeMillisUnsafe(),
    chance: () => random.nextDoubleUnsafe(),
    fork
  }
  const exchanges = new Exchanges(settings.links, router, journal, settings.limits, runtime, module)
  const { desks } = exchanges
  const elsewhere = exchanges.keys?.elsewhere() ?? []
  if (module !== undefined && elsewhere.length > 0)
    return yield* new KeysElsewhere({ slots: elsewhere, module: module.status().module })
  // The journal's search reads messages with them; a store in a thread of its own has been given the same at its opening.
  journal.learn(Object.fromEntries(settings.links.map(({ dialect }) => [dialect.name, dialect])))
  desks.groups.change(settings.groups ?? [], numbers, desks.now)
  const recovered = yield* exchanges.recovery.run
  const runningLinks = new RunningLinks(yield* Effect.scope)
  const doors = new Doors(settings, desks, yield* Effect.scope)
  const links = desks.all.map(({ link }) => link)
  const open = yield* Effect.forkScoped(Effect.andThen(opening(links, runningLinks, doors), Effect.never))
  const transport = yield* Effect.context<Transport>()
  const reload = new Reload(exchanges, runningLinks, doors, settings.links)
  const retention = new Retention(desks)
  const clockwork = yield* Effect.forkScoped(deadlines(exchanges))
  return {
    recovered,
    get links() {
      return desks.all.map(({ link }) => link)
    },
    check: (next) => Effect.provideContext(reload.check(next), transport),
    reload: (next, by, drainMs) => Effect.provideContext(reload.run(next, by, drainMs), transport),
    keys: desks.keys,
    keyOperations: new KeyOperations(desks, exchanges.keys, module),
    operations: new Operations(desks),
    dayOperations: new DayOperations(desks, exchanges.days),
    reconcileBy: (sumUp) => {
      exchanges.reconciliations.sumUp = sumUp
    },
    pending: new Pending(desks),
    retention,
    status: () => statusOf(desks, doors, module, retention),
    drain: (limitMs) =>
      Effect.suspend(() => {
        reload.isStopping = true
        return drainAll(desks, limitMs)
      }),
    failed: Effect.raceAllFirst<Effect.Effect<never, JournalError | ListenFailed>>([
      journal.failed,
      Deferred.await(exchanges.broken),
      Fiber.join(clockwork),
      Fiber.join(open),
      Deferred.await(runningLinks.failed)
    ])
  }
})

/**
 * Opens every address before any partner is called: a switch that cannot listen ends without having taken the place of the
 * connection that a partner has with the one that does.
 */
const opening = Effect.fnUntraced(function* (links: ReadonlyArray<Link>, runningLinks: RunningLinks, doors: Doors) {
  const listening = links.filter(({ settings: { side } }) =>
    (side._tag === "legs" ? [side.send, side.receive] : [side]).some(({ _tag }) => _tag === "listen")
  )
  yield* Effect.forEach(listening, (link) => runningLinks.start(link), { discard: true })
  yield* doors.listen
  yield* Effect.forEach(listening, (link) => link.begun.await, { discard: true })
  const others = links.filter((link) => !listening.includes(link))
  yield* Effect.forEach(others, (link) => runningLinks.start(link), { discard: true })
})

/** The one fiber for every deadline of the switch. */
const deadlines = (exchanges: Exchanges): Effect.Effect<never> => {
  let ticks = 0
  let isDone = true
  return Effect.suspend(() => (isDone ? Effect.sleep(TICK_MS) : Effect.yieldNow)).pipe(
    Effect.map(() => {
      isDone = exchanges.deadlines()
      if (++ticks % LOOK_TICKS === 0) exchanges.lookAtJournal()
    }),
    // It sleeps or yields itself, each time.
    Effect.forever({ disableYield: true })
  )
}
