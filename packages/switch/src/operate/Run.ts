/**
 * `jinka run`: one switch from its configuration to its end.
 *
 * It opens the journal, starts the links, serves the control socket, says when all of that is up, waits for a reason to stop,
 * drains, and says what was left. Standard output carries two lines of JSON, `ready` and `stopped`; the log is on standard error.
 */
import { Clock, Console, Deferred, Effect, type FileSystem, Layer, type Path, Redacted, type Scope } from "effect"
import type { LinksMissing } from "../exchange/LinksMissing.ts"
import { openHsm } from "../guard/hsm/HsmModule.ts"
import type { KeysElsewhere } from "../guard/KeysElsewhere.ts"
import { Journal } from "../journal/Journal.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalStore } from "../journal/JournalStore.ts"
import { layerPostgres } from "../journal/postgres/PostgresStore.ts"
import { layerSqlite } from "../journal/SqliteStore.ts"
import { type Side, sidesOf } from "../link/Settings.ts"
import * as Switch from "../Switch.ts"
import * as Credentials from "../transport/Credentials.ts"
import { monotonicMs } from "../transport/Monotonic.ts"
import * as NodeTransport from "../transport/NodeTransport.ts"
import type { Endpoint, ListenFailed, Transport } from "../transport/Transport.ts"
import { serveAdmin } from "./admin/Admin.ts"
import { makeLook } from "./admin/Look.ts"
import { RefusedCalls } from "./admin/RefusedCalls.ts"
import { logsTo, sendMetrics, sendSpans, type TelemetrySettings } from "./admin/Telemetry.ts"
import type { AdminSettings } from "./admin/Users.ts"
import { Alarms } from "./alarm/Alarms.ts"
import { type AlarmSettings, watchAlarms } from "./alarm/AlarmWatch.ts"
import { keepRates } from "./alarm/SuccessRatesFile.ts"
import * as Certificates from "./Certificates.ts"
import {
  type Configuration,
  load,
  loadAdmin,
  loadAlarms,
  loadKeys,
  loadModule,
  loadPostgres,
  type ModulePlan
} from "./Configuration.ts"
import { withoutMemory } from "./CoreDumps.ts"
import { counted } from "./Counted.ts"
import type { PostgresSettings } from "./configuration/journal/PostgresPlan.ts"
import { problemText } from "./configuration/text/Problem.ts"
import { durationMs } from "./configuration/text/Units.ts"
import { type Ending, makeControlled } from "./control/Answers.ts"
import { serve } from "./control/Control.ts"
import type { DrainReport } from "./control/Report.ts"
import { entriesByKind, type Identity } from "./control/Status.ts"
import { CommandFailed, exitCodes, failedBy } from "./Exit.ts"
import * as Listening from "./Listening.ts"
import { haltOthers, Tenure } from "./owner/Claim.ts"
import { connectOwners, standbysOf } from "./owner/OwnerRows.ts"
import { owning, type Served } from "./owner/Ownership.ts"
import { ProcessEdge } from "./ProcessEdge.ts"
import { type InForce, reload } from "./Reloading.ts"
import { sayReady, sayStopping, starting, supervised } from "./Supervised.ts"

/** What the edge and the platform give. */
type Edge = FileSystem.FileSystem | Path.Path | ProcessEdge

type Services = Edge | Journal | Transport | Credentials.Credentials | Listening.Listening | Scope.Scope

/** What a start has read: all of it once, for the secrets leave the environment then. */
interface Start {
  readonly configuration: Configuration
  readonly admin: AdminSettings | undefined
  readonly alarms: AlarmSettings
  /** The present one first. */
  readonly journalKeys: ReadonlyArray<Uint8Array>
  readonly plan: ModulePlan | undefined
  /** Where the journal is kept. */
  readonly store: Layer.Layer<JournalStore>
  /** `undefined`: the journal is on this machine, and no other node can have the switch. */
  readonly postgres: (PostgresSettings & { readonly tenure: Tenure }) | undefined
}

/** Runs the switch of a configuration file until it is told to stop. */
export const run = (file: string): Effect.Effect<void, CommandFailed, Edge> =>
  supervised(
    Effect.gen(function* () {
      const start = yield* starting(read(file))
      const { admin, configuration, postgres } = start
      if (postgres === undefined) return yield* Effect.asVoid(served(start, configuration))
      const where = Redacted.value(postgres.place)
      const place = {
        name: where.name,
        node: where.node,
        socket: configuration.socket,
        admin,
        connect: connectOwners(where),
        takeoverAfterMs: postgres.takeoverAfterMs
      }
      yield* owning(place, configuration, {
        serve: (now) => served(start, now),
        overtaken: (error) => Effect.andThen(halting(start, error), atOnce(error)),
        tenure: postgres.tenure
      })
    })
  )

/** Reads the file and every secret that it names, and says what is odd about them. */
const read = Effect.fnUntraced(function* (file: string): Effect.fn.Return<Start, CommandFailed, Edge> {
  const configuration = yield* Effect.mapError(load(file), failedBy)
  for (const warning of configuration.warnings) yield* Effect.logWarning(problemText(file, warning))
  yield* withoutMemory(configuration.document.coreDumps)
  const keys = yield* Effect.mapError(loadKeys(configuration), failedBy)
  const { key, previousKeys } = configuration.document.journal
  const admin = yield* Effect.mapError(loadAdmin(configuration), failedBy)
  const plan = yield* Effect.mapError(loadModule(configuration), failedBy)
  if (plan?._tag === "software") yield* Effect.logWarning(softwareWarning)
  const alarms = yield* Effect.mapError(loadAlarms(configuration), failedBy)
  const postgres = yield* Effect.mapError(loadPostgres(configuration), failedBy)
  for (const warning of postgres?.warnings ?? []) yield* Effect.logWarning(warning)
  yield* (yield* ProcessEdge).keepToSelf([
    ...[key, ...previousKeys].flatMap(({ env }) => env ?? []),
    ...secrets(configuration),
    ...storageKeys(configuration)
  ])
  const clock = yield* Clock.Clock
  const owned = postgres === undefined ? undefined : { ...postgres, tenure: new Tenure(postgres.takeoverAfterMs) }
  const opened = { key: Redacted.value(keys.key), previousKeys: keys.previousKeys.map(Redacted.value) }
  const { directory, dialects } = configuration.journal
  const store =
    owned === undefined
      ? layerSqlite({ ...configuration.journal, ...opened })
      : layerPostgres({
          place: Redacted.value(owned.place),
          directory,
          dialects,
          yieldAfterMs: owned.yieldAfterMs,
          isOurs: () => owned.tenure.isSure(monotonicMs(clock)),
          durable: (last) => owned.tenure.wrote(last),
          ...opened
        })
  const journalKeys = [opened.key, ...opened.previousKeys]
  return { configuration, admin, alarms, journalKeys, plan, store, postgres: owned }
})

/** The switch from its journal's opening to its end in order. */
const served = (start: Start, configuration: Configuration): Effect.Effect<Served, CommandFailed, Edge> => {
  const network = Layer.provideMerge(Listening.layer.pipe(Layer.provide(NodeTransport.layerWith)), Credentials.layer)
  const { telemetry } = configuration.document
  const logs = telemetry?.logs === true ? logsTo(telemetryOf(configuration)!) : Layer.empty
  return hold(start, configuration).pipe(
    Effect.catchTag("JournalError", (error) => Effect.andThen(halting(start, error), atOnce(error))),
    Effect.scoped,
    Effect.provide(Layer.mergeAll(Journal.layer.pipe(Layer.provide(start.store)), network, logs)),
    Effect.tapError((failed) => (failed._tag === "JournalError" ? halting(start, failed) : Effect.void)),
    Effect.mapError(failedBy)
  )
}

/** What this node's journal knows to be lost keeps the other nodes from going on without it. */
const halting = ({ postgres }: Start, error: JournalError): Effect.Effect<void> =>
  postgres === undefined
    ? Effect.void
    : haltOthers(connectOwners(Redacted.value(postgres.place)), error, postgres.takeoverAfterMs)

/** Variables that hold tokens of users, the secret of the webhook and the URL of PostgreSQL. */
const secrets = ({ document: { admin, alarms, journal } }: Configuration): ReadonlyArray<string> =>
  [
    ...(admin?.users ?? []).map(({ token }) => token?.env),
    alarms.webhook?.secret.env,
    journal.postgres?.url.env
  ].flatMap((env) => env ?? [])

/** Variables that hold the key under which partners' keys are stored. */
const storageKeys = ({ document: { security } }: Configuration): ReadonlyArray<string> =>
  [security?.software ?? []]
    .flat()
    .flatMap(({ previousStorageKeys, storageKey }) =>
      [storageKey, ...previousStorageKeys].flatMap(({ env }) => env ?? [])
    )

const softwareWarning =
  "keys of partners are used in this process (security.software): for tests and certification; in production PINs must not be translated in software (PCI PIN)"

/** The journal cannot be trusted any more: nothing else may leave this process, not even in order (guarantee G9). */
const atOnce = Effect.fnUntraced(function* (error: JournalError) {
  const { exitNow, killNow } = yield* ProcessEdge
  const { exit, says } = failedBy(error)
  yield* Console.error(`jinka: ${says}`)
  return yield* error.reason._tag === "DiskStalled" ? killNow : exitNow(exitCodes[exit])
})

/** The switch while it runs, and its end. */
const hold = Effect.fnUntraced(function* (
  { admin, alarms, journalKeys, plan, postgres }: Start,
  configuration: Configuration
): Effect.fn.Return<Served, CommandFailed | JournalError | KeysElsewhere | LinksMissing | ListenFailed, Services> {
  const { pid, takeSignals } = yield* ProcessEdge
  const signal = yield* takeSignals
  const startedAt = yield* Clock.currentTimeMillis
  const owned = postgres === undefined ? undefined : yield* ownership(postgres, startedAt)
  const identity: Identity = { name: configuration.document.name, pid, startedAt, ...owned?.identity }
  const ofDevices = plan?._tag === "hsm" && plan.settings.tls !== undefined ? [plan.settings.tls] : []
  yield* Effect.mapError(Certificates.readAll(configuration.settings, ofDevices), failedBy)
  const module = plan?._tag === "hsm" ? yield* openHsm(plan.settings) : plan?.module
  const running = yield* starting(Switch.make(configuration.settings, module))
  yield* sayJournal
  const stop = Deferred.makeUnsafe<Ending>()
  const drained = Deferred.makeUnsafe<DrainReport>()
  let isStopping = false
  const inForce: InForce = { configuration, admin: undefined }
  // Whoever comes to the operators' listener refuses its certificate, too, when that has run out.
  const others = () => [...ofDevices, ...[inForce.admin?.tls() ?? []].flat()]
  yield* Effect.forkScoped(Certificates.watch(() => inForce.configuration.settings, others))
  const standing = new Alarms(alarms.remindMs)
  const kept = yield* keepRates(configuration.journal.directory, alarms.successPercent)
  const controlled = yield* makeControlled(inForce, identity, running, {
    stop,
    drained,
    standbys: owned?.standbys,
    alarms: standing,
    rates: kept.rates
  })
  yield* serve(configuration.socket, controlled)
  const certificates = yield* Certificates.makeEnding(() => inForce.configuration.settings, others)
  const refused = new RefusedCalls()
  const look = yield* makeLook(running, identity.startedAt, certificates, kept, refused)
  yield* Effect.forkScoped(running.retention.watch({ ...configuration.retention, keys: journalKeys }))
  yield* watchAlarms(identity.name, alarms, look, standing, kept)
  inForce.admin = yield* serveAdmin(admin, {
    look,
    controlled,
    alarms: () => standing.report(),
    isStopping: () => isStopping,
    refused
  })
  const { telemetry } = configuration.document
  if (telemetry !== undefined) {
    const to = telemetryOf(configuration)!
    const journal = yield* Journal
    yield* sendMetrics(to, look)
    const { traces } = telemetry
    if (traces > 0) yield* sendSpans(to, { ...journal, last: () => journal.writer.committedSeq }, traces)
  }
  const { doors = [], http = [], links } = configuration.settings
  const listeners = links.flatMap(sidesOf).filter(({ _tag }) => _tag === "listen").length + doors.length + http.length
  yield* Effect.raceFirst(running.failed, (yield* Listening.Listening).reached(listeners))
  yield* ready(configuration, identity, running.recovered, inForce.admin.endpoint())
  yield* sayReady(`runs with ${counted(links.length, "link", "links")}`)
  const ending = endingSignal(signal, hangUp(inForce, running))
  const signalled = Effect.map(ending, (why): Ending => {
    running.operations.told({ user: why, reason: "a signal" }, "stop")
    return { why, isYield: false }
  })
  const end = yield* Effect.raceAllFirst([running.failed, signalled, Deferred.await(stop)])
  isStopping = true
  const { drainTimeoutMs } = inForce.configuration
  yield* sayStopping(drainTimeoutMs)
  yield* Effect.logInfo(`stopping: ${end.why}, waiting up to ${drainTimeoutMs} ms for what is outstanding`)
  const unfinished = yield* Effect.raceAllFirst([
    running.failed,
    running.drain(drainTimeoutMs),
    hurried(endingSignal(signal, Effect.void))
  ])
  yield* Effect.raceFirst(running.failed, (yield* Journal).drained)
  yield* Effect.raceFirst(running.failed, sayAnchor(yield* Journal))
  yield* stopped(identity, end.why, running, unfinished)
  Deferred.doneUnsafe(drained, Effect.succeed({ unfinished }))
  return { ...end, configuration: inForce.configuration }
})

/** What the owner of a switch says of itself, and how it finds out who stands by. */
const ownership = Effect.fnUntraced(function* ({ place, takeoverAfterMs }: PostgresSettings, since: number) {
  const { node } = Redacted.value(place)
  const { epoch = 0 } = (yield* Journal).recovered
  yield* Effect.logInfo(`node ${node} has the switch, epoch ${epoch}`)
  return {
    identity: { owned: { node, epoch, since } },
    standbys: standbysOf(Redacted.value(place), 2 * takeoverAfterMs)
  }
})

/** Where metrics, logs and spans are sent; `undefined`: nowhere. */
const telemetryOf = ({ document: { name, telemetry } }: Configuration): TelemetrySettings | undefined =>
  telemetry === undefined ? undefined : { otlp: telemetry.otlp, everyMs: durationMs(telemetry.every)!, name }

/** How often a running switch logs its anchor. */
const anchorEvery = "1 hour"

/** What the log holds shows later that the journal is no older copy (`jinka journal verify --anchor`). */
const sayAnchor = ({ head }: Journal["Service"]) => Effect.flatMap(head, (word) => Effect.logInfo(`anchor: ${word}`))

/** Logs what is odd about the journal, and its anchor now and from time to time. */
const sayJournal = Effect.gen(function* () {
  const journal = yield* Journal
  for (const note of journal.recovered.notes) yield* Effect.logWarning(note)
  yield* sayAnchor(journal)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(anchorEvery), sayAnchor(journal))))
})

/** The next signal that means the end; every SIGHUP before it does what hanging up means. */
const endingSignal = <R>(
  signal: Effect.Effect<string>,
  hangingUp: Effect.Effect<void, never, R>
): Effect.Effect<string, never, R> =>
  Effect.flatMap(signal, (name) =>
    name === "SIGHUP" ? Effect.andThen(hangingUp, endingSignal(signal, hangingUp)) : Effect.succeed(name)
  )

/** SIGHUP reloads; what comes of it is in the log. It runs beside: a signal to stop must not wait for it. */
const hangUp = (inForce: InForce, running: Switch.Running) =>
  reload(inForce, running, { by: { user: "SIGHUP", reason: "a signal" }, isDry: false }).pipe(
    Effect.asVoid,
    Effect.ignore,
    Effect.forkScoped,
    Effect.asVoid
  )

/** A second signal: what is open stays open in the journal, and the next start ends it. */
const hurried = (signal: Effect.Effect<string>): Effect.Effect<never, CommandFailed> =>
  Effect.flatMap(signal, (name) =>
    Effect.fail(
      new CommandFailed({
        exit: "hurried",
        says: `A second signal (${name}) came before the switch was drained. What was open is ended and reversed at the next start.`
      })
    )
  )

const ready = Effect.fnUntraced(function* (
  { settings, socket }: Configuration,
  { name, pid }: Identity,
  recovered: Switch.Running["recovered"],
  admin: Endpoint | undefined
) {
  const { endpointOf } = yield* Listening.Listening
  const place = (side: Side) => {
    if (side._tag === "door") return { door: side.door }
    const { host, port } = side._tag === "listen" ? (endpointOf(side.at) ?? side.at) : side.to
    return side._tag === "listen" ? { listens: { host, port } } : { connects: { host, port } }
  }
  const links = settings.links.map(({ name, side }) =>
    side._tag === "legs"
      ? { name, legs: { send: place(side.send), receive: place(side.receive) } }
      : { name, ...place(side) }
  )
  const doors = [...(settings.doors ?? []), ...(settings.http ?? [])].map((door) => ({
    name: door.name,
    listens: endpointOf(door.at) ?? door.at
  }))
  yield* Console.log(
    JSON.stringify({
      event: "ready",
      name,
      pid,
      control: socket,
      links,
      doors,
      ...(admin === undefined ? {} : { admin }),
      recovered
    })
  )
})

const stopped = Effect.fnUntraced(function* (
  { name }: Identity,
  reason: string,
  running: Switch.Running,
  unfinished: DrainReport["unfinished"]
) {
  const { entries, answers, unwritten } = running.status()
  for (const { exchange, link, outcome } of unfinished) {
    yield* Effect.logWarning(`unfinished: exchange ${exchange} on ${link}, outcome ${outcome}`)
  }
  yield* Console.log(
    JSON.stringify({ event: "stopped", name, reason, unfinished, entries: entriesByKind(entries), answers, unwritten })
  )
})
