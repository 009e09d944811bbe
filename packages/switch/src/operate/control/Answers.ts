/**
 * What a running switch answers whoever steers it: joins the switch, its journal and the kernel's view.
 */
import { coverTyped } from "@jinka/codec"
import { Clock, Deferred, Effect, Fiber, FileSystem, type Path, type Scope } from "effect"
import { Journal } from "../../journal/Journal.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import { OperationRefused, type Operator } from "../../Operations.ts"
import type * as Switch from "../../Switch.ts"
import type { Credentials } from "../../transport/Credentials.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import { auditOf } from "../admin/Audit.ts"
import type { Alarms } from "../alarm/Alarms.ts"
import type { SuccessRates } from "../alarm/SuccessRates.ts"
import type { Configuration } from "../Configuration.ts"
import { counted } from "../Counted.ts"
import { CommandFailed } from "../Exit.ts"
import type { ProcessEdge } from "../ProcessEdge.ts"
import { type InForce, reload } from "../Reloading.ts"
import { totals } from "../totals/Totals.ts"
import { Dialects } from "../trace/Dialects.ts"
import { trace } from "../trace/Trace.ts"
import { why } from "../trace/Why.ts"
import type { Controlled } from "./Control.ts"
import type { Earlier } from "./Disagreement.ts"
import { type KernelView, look } from "./KernelSockets.ts"
import type { DrainReport } from "./Report.ts"
import { connectionsOf, type Identity, reportOf, steady, type Told } from "./Status.ts"

/** Why a switch ends, and whether another node is to have it. */
export interface Ending {
  readonly why: string
  readonly isYield: boolean
}

/** How a running switch comes to its end. */
export interface Endings {
  readonly stop: Deferred.Deferred<Ending>
  readonly drained: Deferred.Deferred<DrainReport>
  /** Nodes that stand by; left out: no other node can have the switch. */
  readonly standbys: Effect.Effect<ReadonlyArray<string>, JournalError> | undefined
  readonly alarms: Alarms
  readonly rates: SuccessRates
}

/** What a running switch answers with; what was begun for somebody is carried to its end while the scope is open. */
export const makeControlled = Effect.fnUntraced(function* (
  inForce: InForce,
  identity: Identity,
  running: Switch.Running,
  { alarms, rates, stop, drained, standbys }: Endings
): Effect.fn.Return<
  Controlled,
  never,
  FileSystem.FileSystem | Path.Path | Journal | Credentials | ProcessEdge | Scope.Scope
> {
  const journal = yield* Journal
  const services = yield* Effect.context<FileSystem.FileSystem | Path.Path | Journal | Credentials | ProcessEdge>()
  const scope = yield* Effect.scope
  // Whoever asked may hang up; what was begun is carried to its end.
  const whole = <A, E>(effect: Effect.Effect<A, E>) => Effect.flatMap(Effect.forkIn(effect, scope), Fiber.join)
  const status = yield* makeStatus(identity, running, () => ({
    alarms: alarms.report().alarms,
    success: (link) => rates.status(link)
  }))
  const totalsOf = (date: string | undefined) =>
    totals({ ...journal, names: () => journal.names() }, dialectsOf(inForce.configuration), date)
  running.reconcileBy(totalsOf)
  const keys = running.keyOperations
  /** What is refused to a person is in the journal, too. */
  const orNoted =
    (by: Operator, what: string) =>
    <A>(done: Effect.Effect<A, OperationRefused>) =>
      Effect.tapError(done, ({ says }) => Effect.sync(() => running.operations.told(by, what, `not done: ${says}`)))
  const end = (ending: Ending) => {
    Deferred.doneUnsafe(stop, Effect.succeed(ending))
    return Deferred.await(drained)
  }
  return {
    status,
    act: (link, act, by) => whole(running.operations.act(link, act, by, inForce.configuration.drainTimeoutMs)),
    trace: (key, hasChanges) => trace(journal, dialectsOf(inForce.configuration), key, hasChanges),
    why: (key) => why({ ...journal, last: () => journal.writer.committedSeq }, dialectsOf(inForce.configuration), key),
    totals: totalsOf,
    audit: (before) => auditOf({ scan: journal.scan, next: journal.writer.next, names: journal.names() }, before),
    pending: (asked) => running.pending.told(asked),
    settle: (act, exchange, user, reason) =>
      running.pending[act](exchange, user, reason).pipe(
        orNoted({ user, reason }, `pending ${act} exchange ${exchange}`),
        Effect.map((closed) => ({ closed }))
      ),
    reload: (by, isDry) => whole(Effect.provideContext(reload(inForce, running, { by, isDry }), services)),
    backup: (directory) => whole(Effect.map(journal.backup(directory), (entries) => ({ entries }))),
    alarms: Effect.sync(() => alarms.report()),
    silence: (of, minutes, { reason = "", user }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const what = `silence alarm ${alarmWords(of)} for ${counted(minutes, "minute", "minutes")}`
        const missing = of.link === "" ? undefined : running.operations.missing(of.link)
        if (missing !== undefined) return orNoted({ user, reason }, what)(Effect.fail(missing))
        const until = now + minutes * 60_000
        running.operations.told({ user, reason }, what)
        alarms.silence({ ...of, until, user, reason })
        return Effect.succeed(alarms.report())
      }),
    unsilence: (of, by) =>
      Effect.suspend(() => {
        if (!alarms.unsilence(of)) {
          const says = `The alarm ${alarmWords(of)} is not silenced. \`jinka alarm list\` shows what is.`
          const refused = new OperationRefused({ reason: "NotNow", says })
          return orNoted(by, `unsilence alarm ${alarmWords(of)}`)(Effect.fail(refused))
        }
        running.operations.told(by, `unsilence alarm ${alarmWords(of)}`)
        return Effect.succeed(alarms.report())
      }),
    archive: (request) => whole(running.retention.byHand(request)),
    drain: (by) =>
      Effect.suspend(() => {
        running.operations.told(by, "stop")
        return end({ why: `${by.user} asked for it`, isYield: false })
      }),
    yield: (user, reason) =>
      Effect.gen(function* () {
        yield* Effect.tapError(someoneStandsBy(standbys), ({ says }) =>
          Effect.sync(() => running.operations.told({ user, reason }, "yield", `not done: ${says}`))
        )
        running.operations.told({ user, reason }, "yield")
        return yield* end({ why: `${user} hands over: ${reason}`, isYield: true })
      }),
    keys: {
      list: (link) => keys.list(link),
      ask: (link, kind, by) => orNoted(by, `key ask for ${coverTyped(link)}`)(keys.ask(link, kind, by)),
      import: (asked, by) => orNoted(by, `key import for ${coverTyped(asked.link)}`)(keys.import(asked, by)),
      retire: (asked, by) => orNoted(by, `key retire of ${coverTyped(asked.link)}`)(keys.retire(asked, by))
    },
    days: {
      move: (link, act, to, by) =>
        orNoted(by, `day ${act} of ${coverTyped(link)} to ${to}`)(running.dayOperations.move(link, act, to, by))
    },
    whole,
    told: (by, what) => running.operations.told(by, what),
    looked: (user, what) => running.operations.looked(user, what)
  }
})

/** Whoever hands over wants another node to go on. */
const someoneStandsBy = Effect.fnUntraced(function* (standbys: Endings["standbys"]) {
  const refused = (says: string) => Effect.fail(new CommandFailed({ exit: "bad", says }))
  if (standbys === undefined) {
    return yield* refused("Its journal is on this machine: no other node can have it. `jinka stop` ends it.")
  }
  const there = yield* Effect.catch(standbys, (error) =>
    refused(`The database does not say which nodes stand by: ${error.message}`)
  )
  if (there.length > 0) return
  yield* refused("No other node stands by: start one with the same `journal.postgres`. `jinka stop` ends this one.")
})

const alarmWords = ({ kind, link }: { readonly kind: string; readonly link: string }): string =>
  link === "" ? kind : `${kind} of ${coverTyped(link)}`

const known = new WeakMap<Configuration, Dialects>()

/** The dialects of a configuration, compiled once for all traces. */
const dialectsOf = (configuration: Configuration): Dialects => {
  const dialects =
    known.get(configuration) ?? new Dialects(configuration.journal.dialects, configuration.settings.links)
  known.set(configuration, dialects)
  return dialects
}

/** The status with the kernel's view beside ours; remembers the kernel's send queues from one status to the next. */
const makeStatus = Effect.fnUntraced(function* (identity: Identity, running: Switch.Running, told: () => Told) {
  const clock = yield* Clock.Clock
  const files = yield* FileSystem.FileSystem
  const clocks = steady()
  let earlier: ReadonlyMap<string, Earlier> = new Map()
  return (name?: string) =>
    Effect.gen(function* () {
      const all = running.status()
      const status = name === undefined ? all : { ...all, links: all.links.filter((link) => link.name === name) }
      const view = yield* Effect.provideService(look(connectionsOf(status)), FileSystem.FileSystem, files)
      const now = clocks({ wallMs: clock.currentTimeMillisUnsafe(), monotonicMs: monotonicMs(clock) })
      const report = reportOf(identity, status, now, { view, earlier }, told())
      earlier = queues(view, now.monotonicMs)
      return report
    })
})

const queues = (view: KernelView, at: number): ReadonlyMap<string, Earlier> =>
  view._tag === "absent"
    ? new Map()
    : new Map([...view.sockets].map(([key, { sendQueue }]) => [key, { sendQueue, at }] as const))
