/** What a running switch takes on its control socket about alarms: which there are, and which are silenced. */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { OperationRefused, Operator } from "../../Operations.ts"
import { type AlarmsReport, type SilenceOf, SilenceRequest, UnsilenceRequest } from "../alarm/Alarms.ts"
import { alarmKinds } from "../alarm/Conditions.ts"
import { body, refuse, refused, type User } from "./Routing.ts"

/** What the routes need of the switch. */
export interface AlarmsControlled {
  /** What is wrong now, and what is silenced. */
  readonly alarms: Effect.Effect<AlarmsReport>
  /** Silences an alarm of a link, or of all (""), for some minutes; and tells it again. */
  readonly silence: (of: SilenceOf, minutes: number, by: Operator) => Effect.Effect<AlarmsReport, OperationRefused>
  readonly unsilence: (of: SilenceOf, by: Operator) => Effect.Effect<AlarmsReport, OperationRefused>
}

/** The kind in the address; `undefined`: there is none such. */
const kindAsked = Effect.map(HttpRouter.params, ({ kind }) => alarmKinds.find((one) => one === kind))

const wrong = () =>
  refuse(
    400,
    "who silences an alarm says for how many minutes (1 to 10080, a week) and why, in 1 to 120 ASCII characters"
  )

/** What the control socket answers about alarms: `jinka alarm`. */
export const alarmRoutes = ({ alarms, silence, unsilence }: AlarmsControlled, user: User) => [
  HttpRouter.route("GET", "/alarms", Effect.flatMap(alarms, HttpServerResponse.json)),
  HttpRouter.route(
    "POST",
    "/alarms/:kind/silence",
    Effect.gen(function* () {
      const kind = yield* kindAsked
      if (kind === undefined) return yield* refuse(404, `an alarm is one of ${alarmKinds.join(", ")}`)
      const { link = "", minutes, reason } = yield* body(SilenceRequest)
      return yield* HttpServerResponse.json(yield* silence({ kind, link }, minutes, { user: yield* user, reason }))
    }).pipe(Effect.catchTag("OperationRefused", refused), Effect.catchTag(["SchemaError", "HttpServerError"], wrong))
  ),
  HttpRouter.route(
    "POST",
    "/alarms/:kind/unsilence",
    Effect.gen(function* () {
      const kind = yield* kindAsked
      if (kind === undefined) return yield* refuse(404, `an alarm is one of ${alarmKinds.join(", ")}`)
      const { link = "", reason } = yield* body(UnsilenceRequest)
      return yield* HttpServerResponse.json(yield* unsilence({ kind, link }, { user: yield* user, reason }))
    }).pipe(Effect.catchTag("OperationRefused", refused), Effect.catchTag(["SchemaError", "HttpServerError"], wrong))
  )
]
