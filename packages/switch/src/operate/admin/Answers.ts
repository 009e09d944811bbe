/** Fills the contract of `Api` with what a running switch can: the same operations as the control socket has. */
import { coverTyped } from "@jinka/codec"
import { Effect, Layer, type Schema, SchemaIssue } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import type { SearchKey } from "../../journal/JournalStore.ts"
import type { OperationRefused } from "../../Operations.ts"
import type { AlarmsReport } from "../alarm/Alarms.ts"
import type { Role } from "../configuration/door/AdminDocument.ts"
import type { Controlled } from "../control/Control.ts"
import { Asking, api, Checked, Forbidden, Known, NotThere, Refused, Unknown, Unreadable, Wrong } from "./Api.ts"
import { may, namedIn, notEnough, type User, whoAreYou } from "./Users.ts"

/** The user whom the listener found; nobody else writes that header. */
const known = (users: ReadonlyArray<User>) =>
  Layer.succeed(
    Known,
    Known.of({
      token: (answer) =>
        Effect.gen(function* () {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const user = namedIn(users, headers)
          if (user === undefined) return yield* new Unknown({ error: whoAreYou })
          return yield* Effect.provideService(answer, Asking, user)
        })
    })
  )

/** Parts of a request that may be wrong, in the words of whoever sent it. */
const parts: Readonly<Record<string, string>> = {
  Params: "What the path of",
  Query: "The query that",
  Payload: "The body that"
}

const hint = (kind: string): string =>
  kind === "Payload" ? "; where it has a reason, that has 1 to 120 ASCII characters and no run of 8 digits" : ""

const listed = SchemaIssue.makeFormatterStandardSchemaV1()

/** Where it is wrong, by the names alone; "": as a whole. Whoever asked may have written a name, too. */
const placesIn = ({ issue }: Schema.SchemaError): string => {
  const paths = listed(issue).issues.map(({ path = [] }) => path.map((part) => String(part)).join("."))
  const names = [...new Set(paths)].filter((name) => name !== "").slice(0, 5)
  return names.length === 0 ? "" : `: ${names.map((name) => coverTyped(name)).join(", ")}`
}

const checked = HttpApiMiddleware.layerSchemaErrorTransform(Checked, (wrong, { endpoint }) =>
  Effect.fail(
    new Wrong({
      error: `${parts[wrong.kind] ?? "What"} ${endpoint.method} ${endpoint.path} got is not as /openapi.json says${placesIn(wrong.cause)}${hint(wrong.kind)}.`
    })
  )
)

/** Goes on as the user who asks, when his role is enough. */
const as = (role: Role) =>
  Effect.flatMap(Asking, (user) =>
    may(user, role) ? Effect.succeed(user.name) : Effect.fail(new Forbidden({ error: notEnough(user, role) }))
  )

const refused = ({ reason, says }: OperationRefused) =>
  reason === "NoSuchLink" ? new NotThere({ error: says }) : new Refused({ error: says })

const keyOf = ({
  stan,
  ...rest
}: {
  readonly stan?: string
  readonly rrn?: string
  readonly pan?: string
}): SearchKey => (stan === undefined ? rest : { ...rest, stan: Number(stan) })

const view = (controlled: Controlled, alarms: () => AlarmsReport) =>
  HttpApiBuilder.group(api, "view", (handlers) =>
    handlers
      .handle("status", () => Effect.andThen(as("view"), controlled.status()))
      .handle("link", ({ params: { name } }) =>
        Effect.gen(function* () {
          yield* as("view")
          const report = yield* controlled.status(name)
          if (report.links.length === 0) return yield* new NotThere({ error: `There is no link ${coverTyped(name)}.` })
          return report
        })
      )
      .handle("totals", ({ query: { date } }) =>
        Effect.andThen(
          as("view"),
          Effect.mapError(controlled.totals(date), ({ message }) => new Unreadable({ error: message }))
        )
      )
      .handle("pending", ({ query }) =>
        Effect.andThen(
          as("view"),
          Effect.mapError(controlled.pending(query), ({ says }) => new NotThere({ error: says }))
        )
      )
      .handle("alarms", () => Effect.map(as("view"), alarms))
      .handle("audit", ({ params: { before } }) =>
        Effect.andThen(
          as("view"),
          Effect.mapError(controlled.audit(before), ({ message }) => new Unreadable({ error: message }))
        )
      )
      .handle("trace", ({ payload: { diff, ...asked } }) =>
        Effect.gen(function* () {
          const user = yield* as("view")
          const key = keyOf(asked)
          controlled.looked(user, `trace by ${Object.keys(key).join(", ")}`)
          return yield* Effect.mapError(
            controlled.trace(key, diff === true),
            ({ message }) => new Unreadable({ error: message })
          )
        })
      )
      .handle("why", ({ payload }) =>
        Effect.gen(function* () {
          const user = yield* as("view")
          const key = keyOf(payload)
          const names = Object.keys(key).join(", ")
          controlled.looked(user, `why ${names === "" ? "the last answers" : `by ${names}`}`)
          return yield* Effect.mapError(
            controlled.why(names === "" ? undefined : key),
            ({ message }) => new Unreadable({ error: message })
          )
        })
      )
  )

const operate = (controlled: Controlled) =>
  HttpApiBuilder.group(api, "operate", (handlers) =>
    handlers
      .handle("act", ({ params: { act, name }, payload: { reason } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.catchTag(controlled.act(name, act, { user, reason }), "OperationRefused", (error) =>
            Effect.fail(refused(error))
          )
        )
      )
      .handle("silence", ({ params: { kind }, payload: { link = "", minutes, reason } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.catchTag(controlled.silence({ kind, link }, minutes, { user, reason }), "OperationRefused", (error) =>
            Effect.fail(refused(error))
          )
        )
      )
      .handle("unsilence", ({ params: { kind }, payload: { link = "", reason } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.catchTag(controlled.unsilence({ kind, link }, { user, reason }), "OperationRefused", ({ says }) =>
            Effect.fail(new Refused({ error: says }))
          )
        )
      )
      .handle("moveDay", ({ params: { act, name }, payload: { reason, to } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.mapError(controlled.whole(controlled.days.move(name, act, to, { user, reason })), refused)
        )
      )
      .handle("settle", ({ params: { act, exchange }, payload: { reason } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.catchTag(controlled.settle(act, exchange, user, reason), "OperationRefused", ({ says }) =>
            Effect.fail(new Refused({ error: says }))
          )
        )
      )
      .handle("reload", ({ payload: { dryRun, reason } }) =>
        Effect.flatMap(as("operate"), (user) =>
          Effect.catchTag(controlled.reload({ user, reason }, dryRun), "CommandFailed", ({ says }) =>
            Effect.fail(new Refused({ error: says }))
          )
        )
      )
      .handle("drain", ({ payload: { reason } }) =>
        Effect.flatMap(as("operate"), (user) => controlled.drain({ user, reason }))
      )
  )

const keys = (controlled: Controlled) =>
  HttpApiBuilder.group(api, "keys", (handlers) =>
    handlers
      .handle("keys", () =>
        Effect.flatMap(as("view"), () => Effect.orDie(Effect.map(controlled.keys.list(), (all) => ({ keys: all }))))
      )
      .handle("askKey", ({ params: { name }, payload: { purpose, reason } }) =>
        Effect.flatMap(as("keys"), (user) =>
          controlled.whole(controlled.keys.ask(name, purpose, { user, reason })).pipe(
            Effect.map((outcomes) => ({ outcomes })),
            Effect.mapError(refused)
          )
        )
      )
      .handle("retireKey", ({ params: { name }, payload: { direction, purpose, reason } }) =>
        Effect.flatMap(as("keys"), (user) =>
          controlled.whole(controlled.keys.retire({ link: name, purpose, direction }, { user, reason })).pipe(
            Effect.map((says) => ({ says })),
            Effect.mapError(refused)
          )
        )
      )
  )

/** The routes of the contract. */
export const apiRoutes = (users: ReadonlyArray<User>, controlled: Controlled, alarms: () => AlarmsReport) =>
  HttpApiBuilder.layer(api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([view(controlled, alarms), operate(controlled), keys(controlled)]),
    Layer.provide([known(users), checked])
  )
