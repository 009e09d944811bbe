/**
 * Where a running switch takes commands: HTTP on a unix domain socket that only its own user may open.
 *
 *     GET  /status                what `jinka status` shows
 *     GET  /trace?stan=&rrn=      the life of a transaction
 *     POST /trace  {stan,rrn,pan} the same; a card number never stands in an address
 *     GET  /links/NAME            one link, in detail
 *     POST /links/NAME/ACT        {user,reason} block, unblock, sign-on, sign-off, retry, cut, drain, echo
 *     POST /reload {user,dryRun}  reads the configuration again
 *     POST /drain                 stops the switch in order; answers when nothing is open any more
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, FileSystem, Layer, Path, Schema, type Scope } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { JournalError } from "../../journal/JournalError.ts"
import type { SearchKey } from "../../journal/JournalStore.ts"
import { type Act, acts, type OperationRefused, type Operator } from "../../Operations.ts"
import { CommandFailed, type Exit } from "../Exit.ts"
import type { TraceReport } from "../trace/TraceReport.ts"
import { ask } from "./ControlCall.ts"
import {
  type DrainReport,
  type OperatedReport,
  OperatorReport,
  type ReloadReport,
  ReloadRequest,
  type StatusReport,
  StatusReport as StatusSchema
} from "./Report.ts"

/** What the switch answers with. */
export interface Controlled {
  /** All links, or the one with this name: then `links` has one entry, or none. */
  readonly status: (link?: string) => Effect.Effect<StatusReport>
  /** Does something to a link. */
  readonly act: (link: string, act: Act, by: Operator) => Effect.Effect<OperatedReport, OperationRefused>
  readonly trace: (key: SearchKey) => Effect.Effect<TraceReport, JournalError>
  /** Reads the configuration again. */
  readonly reload: (user: string, isDry: boolean) => Effect.Effect<ReloadReport, CommandFailed>
  /** Drains; ends when the switch is drained. */
  readonly drain: Effect.Effect<DrainReport>
}

/** Keys of a search as they travel. */
export const TraceKey = Schema.Struct({
  stan: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 999_999 }))),
  rrn: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[ -~]{1,12}$/))),
  pan: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{8,19}$/)))
})

/** Serves the socket until the scope ends. Fails when another switch answers there. */
export const serve = Effect.fnUntraced(function* (
  socket: string,
  controlled: Controlled
): Effect.fn.Return<void, CommandFailed, Scope.Scope | FileSystem.FileSystem | Path.Path> {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* makeRoom(socket)
  const unusable = (problem: { readonly message: string }) =>
    new CommandFailed({ exit: "network", says: `The control socket ${socket} cannot be opened: ${problem.message}` })
  yield* files.makeDirectory(path.dirname(socket), { recursive: true, mode: 0o700 }).pipe(Effect.mapError(unusable))
  const listening = NodeHttpServer.layerServer(createServer, { path: socket, gracefulShutdownTimeout: "1 second" })
  yield* HttpRouter.serve(routes(controlled), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(listening),
    Layer.build,
    Effect.mapError(unusable)
  )
  yield* files.chmod(socket, 0o600).pipe(Effect.mapError(unusable))
})

/** Removes a socket that a dead switch left behind; refuses when a living one answers. */
const makeRoom = Effect.fnUntraced(function* (socket: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(files.exists(socket), () => false))) return
  const living = yield* Effect.option(ask(socket, "GET", "/status", StatusSchema))
  if (living._tag === "Some") {
    const { name, pid } = living.value
    const says = `Another switch, ${name} (process ${pid}), answers on ${socket}. Stop it, or give this one its own \`control.directory\`.`
    return yield* new CommandFailed({ exit: "network", says })
  }
  yield* Effect.ignore(files.remove(socket))
})

/** Exit codes of the command, by the reason of a refused act. */
const exits = { NoSuchLink: "usage", NotNow: "bad", NoAnswer: "bad" } as const

const linkRoutes = ({ act, status }: Controlled) => [
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
      const by = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(OperatorReport))
      return yield* HttpServerResponse.json(yield* act(name, known, by))
    }).pipe(
      Effect.catchTag("OperationRefused", ({ reason, says }) => refuse(409, says, exits[reason])),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(400, "an act names its user, and a reason of at most 120 plain characters without a run of 8 digits")
      )
    )
  )
]

const reloadRoute = ({ reload }: Controlled) =>
  HttpRouter.route(
    "POST",
    "/reload",
    Effect.gen(function* () {
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { user, dryRun } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(ReloadRequest))
      return yield* HttpServerResponse.json(yield* reload(user, dryRun))
    }).pipe(
      Effect.catchTag("CommandFailed", ({ says, exit }) => refuse(409, says, exit === "usage" ? "usage" : "bad")),
      Effect.catchTag(["SchemaError", "HttpServerError"], () => refuse(400, "a reload names its user"))
    )
  )

const routes = (controlled: Controlled) => {
  const { status, trace, drain } = controlled
  const traced = (key: unknown) =>
    Schema.decodeUnknownEffect(TraceKey, { onExcessProperty: "error" })(key).pipe(
      Effect.matchEffect({
        onFailure: () => refuse(400, "stan is 0 to 999999, rrn 1 to 12 characters, pan 8 to 19 digits; all are texts"),
        onSuccess: (good) =>
          Object.keys(good).length === 0
            ? refuse(400, "give stan, rrn or pan")
            : Effect.flatMap(trace(good), HttpServerResponse.json)
      }),
      Effect.catchTag("JournalError", (error) => refuse(503, error.message))
    )
  return HttpRouter.addAll([
    HttpRouter.route("GET", "/status", Effect.flatMap(status(), HttpServerResponse.json)),
    ...linkRoutes(controlled),
    reloadRoute(controlled),
    HttpRouter.route(
      "GET",
      "/trace",
      Effect.flatMap(HttpServerRequest.ParsedSearchParams, (params) =>
        "pan" in params
          ? refuse(400, "a card number is sent with POST, so that it stands in no address")
          : traced(params)
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
    HttpRouter.route("POST", "/drain", Effect.flatMap(drain, HttpServerResponse.json))
  ])
}

const refuse = (status: number, error: string, exit?: Exit) =>
  HttpServerResponse.json({ error, ...(exit === undefined ? {} : { exit }) }, { status })
