/**
 * Where a running switch takes commands: HTTP on a unix domain socket that only its own user may open. Who asks is what the
 * kernel says of him (`Peer`), and is in the journal with everything that changes the switch or looks at a transaction.
 *
 *     GET  /status                what `jinka status` shows
 *     GET  /trace?stan=&rrn=      the life of a transaction
 *     POST /trace  {stan,rrn,pan,diff} the same; a card number is never in an address; diff: "true" for both sides of messages
 *     POST /why {stan,rrn,pan}    why answers found no request; no key: the last few
 *     GET  /totals?date=          the totals of business days
 *     GET  /links/NAME            one link, in detail
 *     POST /links/NAME/ACT        {reason} block, unblock, sign-on, sign-off, retry, cut, drain, echo
 *     GET  /alarms                what is wrong now, and what is silenced
 *     POST /alarms/KIND/silence {link, minutes, reason}, and unsilence
 *     GET  /pending?link=&exchange=&state=&olderMs=  what waits to be delivered, and what is in doubt
 *     GET  /audit?before=         who did what and why, newest first, in front of an entry
 *     POST /pending/N/ACT {reason}  close ends what is in doubt; hold, release, retry
 *     ... /keys ...               the keys of partners: `KeyRoutes`
 *     POST /days/NAME/ACT {to, reason}  cut-over, correct: moves a business day
 *     POST /reload {dryRun, reason}  reads the configuration again
 *     POST /backup {directory, reason}  copies the journal while it is written
 *     POST /yield {reason}        hands the switch over to another node (a journal in PostgreSQL)
 *     POST /archive {directory, before, drop, reason}  puts old days of the journal into an archive, drops them
 *     POST /drain {reason}        stops the switch in order; answers when nothing is open any more
 */
import { Effect, FileSystem, type Layer, Path, Schema, type Scope } from "effect"
import { type HttpBody, HttpEffect, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { DayOperations } from "../../DayOperations.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import { type SearchKey, STAN_MAX } from "../../journal/JournalStore.ts"
import { type Act, acts, type OperationRefused, type Operator } from "../../Operations.ts"
import { type PendingAct, type PendingAsked, pendingActs, pendingStates } from "../../Pending.ts"
import type { Retained, RetainRequest } from "../../Retention.ts"
import type { AuditReport } from "../admin/Audit.ts"
import { CommandFailed } from "../Exit.ts"
import { BusinessDate, type TotalsReport } from "../totals/TotalsReport.ts"
import type { TraceReport } from "../trace/TraceReport.ts"
import type { WhyReport } from "../trace/WhyReport.ts"
import { type AlarmsControlled, alarmRoutes } from "./AlarmRoutes.ts"
import { ask } from "./ControlCall.ts"
import { dayRoutes } from "./DayRoutes.ts"
import { serveSocket } from "./HttpSocket.ts"
import { ArchiveRequest, type BackupReport, BackupRequest } from "./JournalReport.ts"
import { type KeysControlled, keyRoutes } from "./KeyRoutes.ts"
import { peerOf, proofHeader } from "./Peer.ts"
import { type ClosedReport, CloseRequest, PendingQuery, type PendingReport } from "./PendingReport.ts"
import {
  type DrainReport,
  type OperatedReport,
  OperatorReport,
  type ReloadReport,
  ReloadRequest,
  type StatusReport,
  StatusReport as StatusSchema
} from "./Report.ts"
import { bodyOrNone, refuse, refused } from "./Routing.ts"

/** What the switch answers with. */
export interface Controlled extends AlarmsControlled {
  /** All links, or the one with this name: then `links` has one entry, or none. */
  readonly status: (link?: string) => Effect.Effect<StatusReport>
  /** Does something to a link. */
  readonly act: (link: string, act: Act, by: Operator) => Effect.Effect<OperatedReport, OperationRefused>
  readonly trace: (key: SearchKey, hasChanges?: boolean) => Effect.Effect<TraceReport, JournalError>
  /** Why answers with these keys, or the last few, found no request that waited. */
  readonly why: (key: SearchKey | undefined) => Effect.Effect<WhyReport, JournalError>
  /** The totals of one business day (`2026-11-28`), or of all that the journal holds. */
  readonly totals: (date: string | undefined) => Effect.Effect<TotalsReport, JournalError>
  /** What persons have done, in front of an entry of the journal: see `AuditReport`. */
  readonly audit: (before: number) => Effect.Effect<AuditReport, JournalError>
  /** What waits to be delivered, and what is in doubt. */
  readonly pending: (asked: PendingAsked) => Effect.Effect<PendingReport, OperationRefused>
  /** Ends what is in doubt; holds a message back, lets it go, wants its next attempt now. */
  readonly settle: (
    act: PendingAct,
    exchange: number,
    user: string,
    reason: string
  ) => Effect.Effect<ClosedReport, OperationRefused>
  /** Reads the configuration again. */
  readonly reload: (by: Operator, isDry: boolean) => Effect.Effect<ReloadReport, CommandFailed>
  /** Copies the journal into a directory beside its work. */
  readonly backup: (directory: string) => Effect.Effect<BackupReport, JournalError>
  /** Archives and drops old days of the journal. */
  readonly archive: (request: RetainRequest) => Effect.Effect<Retained, JournalError>
  /** Stops the switch; ends when it is drained. */
  readonly drain: (by: Operator) => Effect.Effect<DrainReport>
  /** Drains, and lets another node take the switch; ends when it is drained. Refused where no node stands by. */
  readonly yield: (user: string, reason: string) => Effect.Effect<DrainReport, CommandFailed>
  /** What persons do with keys; what was begun is carried to its end by `whole`. */
  readonly keys: KeysControlled
  /** What an operator does to business days. */
  readonly days: Pick<DayOperations, "move">
  readonly whole: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Writes into the journal what somebody does, and why; and what `user` looks at. */
  readonly told: (by: Operator, what: string) => void
  readonly looked: (user: string, what: string) => void
}

/** What a reason may be. */
const reasonRule = "1 to 120 ASCII characters without a run of 8 digits"

/** Keys of a search as they travel. */
export const TraceKey = Schema.Struct({
  stan: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: STAN_MAX }))),
  rrn: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[ -~]{1,12}$/))),
  pan: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{8,19}$/)))
})

const TraceRequest = Schema.Struct({ ...TraceKey.fields, diff: Schema.optionalKey(Schema.Literals(["true", "false"])) })

/** Routes that answer JSON. */
type Routes = Layer.Layer<never, never, HttpRouter.HttpRouter | HttpRouter.Request<"Error", HttpBody.HttpBodyError>>

/** Serves the socket of a running switch until the scope ends. Fails when another switch answers there. */
export const serve = (socket: string, controlled: Controlled) => serveRoutes(socket, (user) => routes(controlled, user))

/** The same with any routes; what they are given says who asks. */
export const serveRoutes = Effect.fnUntraced(function* (
  socket: string,
  routesFor: (user: Asked) => Routes
): Effect.fn.Return<void, CommandFailed, Scope.Scope | FileSystem.FileSystem | Path.Path> {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* makeRoom(socket)
  const unusable = (problem: { readonly message: string }) =>
    new CommandFailed({ exit: "network", says: `The control socket ${socket} cannot be opened: ${problem.message}` })
  yield* files.makeDirectory(path.dirname(socket), { recursive: true, mode: 0o700 }).pipe(Effect.mapError(unusable))
  const answering = yield* HttpRouter.toHttpEffect(routesFor(asked(socket)))
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(
    yield* Effect.context<never>()
  )(answering)
  yield* Effect.mapError(serveSocket(socket, answer), unusable)
  yield* files.chmod(socket, 0o600).pipe(Effect.mapError(unusable))
})

/** The user behind the request that is being answered. */
const asked = (socket: string) =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => peerOf(socket, headers[proofHeader]))

/** How long a switch that lives may take to say so, in milliseconds. */
const LIVING_MS = 2000

/**
 * Removes a socket that nobody answers on; refuses when a living switch does. What holds the socket and is silent is no reason
 * not to start: that no other switch writes the journal is what the journal's own lock is for.
 */
const makeRoom = Effect.fnUntraced(function* (socket: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(files.exists(socket), () => false))) return
  const living = yield* Effect.option(ask(socket, "GET", "/status", StatusSchema, undefined, LIVING_MS))
  if (living._tag === "Some") {
    const { name, pid } = living.value
    const says = `Another switch, ${name} (process ${pid}), answers on ${socket}. Stop it, or give this one its own \`control.directory\`.`
    return yield* new CommandFailed({ exit: "network", says })
  }
  yield* Effect.ignore(files.remove(socket))
})

/** The user behind the request that is being answered. */
export type Asked = ReturnType<typeof asked>

const linkRoutes = ({ act, status }: Controlled, user: Asked) => [
  HttpRouter.route(
    "GET",
    "/links/:name",
    Effect.flatMap(HttpRouter.params, ({ name = "" }) => Effect.flatMap(status(name), HttpServerResponse.json))
  ),
  HttpRouter.route(
    "POST",
    "/links/:name/:act",
    Effect.gen(function* () {
      const { name = "", act: asked } = yield* HttpRouter.params
      const known = acts.find((one) => one === asked)
      if (known === undefined) return yield* refuse(404, `an act is one of ${acts.join(", ")}`)
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { reason } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(OperatorReport))
      return yield* HttpServerResponse.json(yield* act(name, known, { user: yield* user, reason }))
    }).pipe(
      Effect.catchTag("OperationRefused", refused),
      Effect.catchTag(["SchemaError", "HttpServerError"], () => refuse(400, `an act may give a reason: ${reasonRule}`))
    )
  )
]

const AuditQuery = Schema.Struct({
  before: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0)))
})

const auditRoute = ({ audit }: Controlled) =>
  HttpRouter.route(
    "GET",
    "/audit",
    HttpServerRequest.ParsedSearchParams.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(AuditQuery, { onExcessProperty: "error" })),
      Effect.flatMap(({ before = 0 }) => audit(before)),
      Effect.flatMap(HttpServerResponse.json),
      Effect.catchTag("JournalError", ({ message }) => refuse(503, message)),
      Effect.catchTag("SchemaError", () =>
        refuse(400, "acts are asked for in front of an entry: its number, from 1 on")
      )
    )
  )

const noExchange = "an exchange is a number from 1 on: `jinka pending list` shows it"

const pendingRoutes = ({ pending, settle }: Controlled, user: Asked) => [
  HttpRouter.route(
    "GET",
    "/pending",
    HttpServerRequest.ParsedSearchParams.pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(PendingQuery, { onExcessProperty: "error" })),
      Effect.flatMap(pending),
      Effect.flatMap(HttpServerResponse.json),
      Effect.catchTag("OperationRefused", refused),
      Effect.catchTag("SchemaError", () =>
        refuse(
          400,
          `what waits is asked for by link, exchange (a number from 1 on), state (${pendingStates.join(", ")}) and olderMs (milliseconds)`
        )
      )
    )
  ),
  HttpRouter.route(
    "POST",
    "/pending/:exchange/:act",
    Effect.gen(function* () {
      const { act, exchange = "" } = yield* HttpRouter.params
      const known = pendingActs.find((one) => one === act)
      if (known === undefined) return yield* refuse(404, `an act is one of ${pendingActs.join(", ")}`)
      if (!/^[1-9]\d{0,14}$/.test(exchange)) return yield* refuse(404, noExchange)
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { reason } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(CloseRequest))
      return yield* HttpServerResponse.json(yield* settle(known, Number(exchange), yield* user, reason))
    }).pipe(
      Effect.catchTag("OperationRefused", refused),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, "who changes something gives a reason of 1 to 120 ASCII characters without a run of 8 digits")
      )
    )
  )
]

const reloadRoute = ({ reload }: Controlled, user: Asked) =>
  HttpRouter.route(
    "POST",
    "/reload",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { dryRun, reason } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(ReloadRequest))
      return yield* HttpServerResponse.json(yield* reload({ user: yield* user, reason }, dryRun))
    }).pipe(
      Effect.catchTag("CommandFailed", ({ says, exit }) => refuse(409, says, exit === "usage" ? "usage" : "bad")),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, `a reload says whether it is dry (dryRun, true or false), and may give a reason: ${reasonRule}`)
      )
    )
  )

const backupRoute = ({ backup, told }: Controlled, user: Asked) =>
  HttpRouter.route(
    "POST",
    "/backup",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { directory, reason } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(BackupRequest))
      told({ user: yield* user, reason }, "journal backup")
      return yield* HttpServerResponse.json(yield* backup(directory))
    }).pipe(
      Effect.catchTag("JournalError", ({ message }) => refuse(503, message)),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, `directory is an absolute path; a reason is ${reasonRule}`)
      )
    )
  )

const yieldRoute = (controlled: Controlled, user: Asked) =>
  HttpRouter.route(
    "POST",
    "/yield",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { reason } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(CloseRequest))
      return yield* HttpServerResponse.json(yield* controlled.yield(yield* user, reason))
    }).pipe(
      Effect.catchTag("CommandFailed", ({ says, exit }) => refuse(409, says, exit === "usage" ? "usage" : "bad")),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, "who hands a switch over gives a reason of 1 to 120 ASCII characters without a run of 8 digits")
      )
    )
  )

const archiveRoute = ({ archive, told }: Controlled, user: Asked) =>
  HttpRouter.route(
    "POST",
    "/archive",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const asked = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(ArchiveRequest))
      const before = Date.parse(asked.before)
      if (Number.isNaN(before)) return yield* refuse(400, "before is a day such as 2026-09-01")
      const what = [...(asked.directory === undefined ? [] : ["archive"]), ...(asked.drop ? ["drop"] : [])].join(
        " and "
      )
      told({ user: yield* user, reason: asked.reason }, `${what} entries of the journal before ${asked.before}`)
      const done = yield* archive({ archive: asked.directory, before, isDropped: asked.drop })
      return yield* HttpServerResponse.json(done)
    }).pipe(
      Effect.catchTag("JournalError", ({ message }) => refuse(503, message)),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, "who archives names an absolute directory, a day, and a reason of 1 to 120 ASCII characters")
      )
    )
  )

const totalsRoute = ({ totals }: Controlled) =>
  HttpRouter.route(
    "GET",
    "/totals",
    Effect.gen(function* () {
      const { date } = yield* HttpServerRequest.ParsedSearchParams
      if (date !== undefined && !Schema.is(BusinessDate)(date)) return yield* refuse(400, "date is one like 2026-11-28")
      return yield* HttpServerResponse.json(yield* totals(date))
    }).pipe(Effect.catchTag("JournalError", ({ message }) => refuse(503, message)))
  )

const whyRoute = ({ looked, why }: Controlled, user: Asked) =>
  HttpRouter.route(
    "POST",
    "/why",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const key = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(TraceKey, { onExcessProperty: "error" }))
      const names = Object.keys(key).join(", ")
      looked(yield* user, `why ${names === "" ? "the last answers" : `by ${names}`}`)
      return yield* HttpServerResponse.json(yield* why(names === "" ? undefined : key))
    }).pipe(
      Effect.catchTag("JournalError", ({ message }) => refuse(503, message)),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, "stan is 1 to 12 digits, rrn 1 to 12 characters, pan 8 to 19 digits; all are texts")
      )
    )
  )

const routes = (controlled: Controlled, user: Asked) => {
  const { drain, looked, status, trace } = controlled
  const traced = (key: unknown) =>
    Schema.decodeUnknownEffect(TraceRequest, { onExcessProperty: "error" })(key).pipe(
      Effect.matchEffect({
        onFailure: () =>
          refuse(400, "stan is 1 to 12 digits, rrn 1 to 12 characters, pan 8 to 19 digits; all are texts"),
        onSuccess: ({ diff, ...good }) =>
          Object.keys(good).length === 0
            ? refuse(400, "give stan, rrn or pan")
            : Effect.tap(user, (by) => Effect.sync(() => looked(by, `trace by ${Object.keys(good).join(", ")}`))).pipe(
                Effect.andThen(Effect.suspend(() => trace(good, diff === "true"))),
                Effect.flatMap(HttpServerResponse.json)
              )
      }),
      Effect.catchTag("JournalError", (error) => refuse(503, error.message))
    )
  return HttpRouter.addAll([
    HttpRouter.route("GET", "/status", Effect.flatMap(status(), HttpServerResponse.json)),
    ...linkRoutes(controlled, user),
    auditRoute(controlled),
    ...pendingRoutes(controlled, user),
    ...alarmRoutes(controlled, user),
    ...keyRoutes(controlled.keys, user, controlled.whole),
    ...dayRoutes(controlled.days, user, controlled.whole),
    totalsRoute(controlled),
    reloadRoute(controlled, user),
    backupRoute(controlled, user),
    yieldRoute(controlled, user),
    archiveRoute(controlled, user),
    whyRoute(controlled, user),
    HttpRouter.route(
      "GET",
      "/trace",
      Effect.flatMap(HttpServerRequest.ParsedSearchParams, (params) =>
        "pan" in params ? refuse(400, "a card number is sent with POST, so that it is in no address") : traced(params)
      )
    ),
    HttpRouter.route(
      "POST",
      "/trace",
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ json }) =>
        Effect.flatMap(
          Effect.orElseSucceed(json, () => undefined),
          traced
        )
      )
    ),
    HttpRouter.route(
      "POST",
      "/drain",
      Effect.gen(function* () {
        const { reason } = yield* bodyOrNone(OperatorReport)
        return yield* HttpServerResponse.json(yield* drain({ user: yield* user, reason }))
      }).pipe(
        Effect.catchTag(["SchemaError", "HttpServerError"], () =>
          refuse(400, `a stop may give a reason: ${reasonRule}`)
        )
      )
    )
  ])
}
