/**
 * What a running switch takes on its control socket about business days; what they are is in the status.
 *
 *     POST /days/LINK/cut-over {to, reason}   the link's day is `to` from now on
 *     POST /days/LINK/correct  {to, reason}   the same, back as well as forward
 */
import { Effect, Schema } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { DayOperations } from "../../DayOperations.ts"
import { dayActs } from "../../exchange/day/BusinessDay.ts"
import { DayRequest } from "./DayReport.ts"
import { refuse, refused, type User } from "./Routing.ts"

/** The routes. `whole` carries what was begun to its end, whoever hangs up. */
export const dayRoutes = (
  days: Pick<DayOperations, "move">,
  user: User,
  whole: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) => [
  HttpRouter.route(
    "POST",
    "/days/:name/:act",
    Effect.gen(function* () {
      const { act, name = "" } = yield* HttpRouter.params
      const known = dayActs.find((one) => one === act)
      if (known === undefined) return yield* refuse(404, `an act is one of ${dayActs.join(", ")}`)
      const { json } = yield* HttpServerRequest.HttpServerRequest
      const { reason, to } = yield* Effect.flatMap(json, Schema.decodeUnknownEffect(DayRequest))
      return yield* HttpServerResponse.json(yield* whole(days.move(name, known, to, { user: yield* user, reason })))
    }).pipe(
      Effect.catchTag("OperationRefused", refused),
      Effect.catchTag(["SchemaError", "HttpServerError"], () =>
        refuse(
          400,
          "who moves a business day says to which date, like 2026-11-29, and why, in 1 to 120 ASCII characters without a run of 8 digits"
        )
      )
    )
  )
]
