/**
 * What a running switch takes on its control socket about keys:
 *
 *     GET  /keys                  all slots, by check values
 *     POST /keys/LINK/ask         {purpose, reason} asks for a new key, or gives one; answers when it is there
 *     POST /keys/LINK/import      a component, or a key as a device has it
 *     POST /keys/LINK/retire      {purpose, direction, reason} destroys the keys of a slot
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { KeyOperations } from "../../KeyOperations.ts"
import { AskKeyRequest, ImportKeyRequest, RetireKeyRequest } from "./KeyReport.ts"
import { body, refuse, refused, type User } from "./Routing.ts"

/** What the routes need of the switch. */
export type KeysControlled = Pick<KeyOperations, "list" | "ask" | "import" | "retire">

const wrong = () =>
  refuse(
    400,
    "a key request says purpose, direction and algorithm by their names, 8 to 32 bytes in hexadecimal, persons and reasons in ASCII characters without a run of 8 digits"
  )

/** The routes. `whole` carries what was begun to its end, whoever hangs up. */
export const keyRoutes = (
  keys: KeysControlled,
  user: User,
  whole: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
) => [
  HttpRouter.route(
    "GET",
    "/keys",
    Effect.catchTag(
      Effect.flatMap(keys.list(), (all) => HttpServerResponse.json({ keys: all })),
      "OperationRefused",
      refused
    )
  ),
  HttpRouter.route(
    "POST",
    "/keys/:name/ask",
    Effect.gen(function* () {
      const { name = "" } = yield* HttpRouter.params
      const { purpose, reason } = yield* body(AskKeyRequest)
      const outcomes = yield* whole(keys.ask(name, purpose, { user: yield* user, reason }))
      return yield* HttpServerResponse.json({ outcomes })
    }).pipe(Effect.catchTag("OperationRefused", refused), Effect.catchTag(["SchemaError", "HttpServerError"], wrong))
  ),
  HttpRouter.route(
    "POST",
    "/keys/:name/import",
    Effect.gen(function* () {
      const { name: link = "" } = yield* HttpRouter.params
      const { component, reason, text, ...asked } = yield* body(ImportKeyRequest)
      const by = { user: yield* user, reason }
      const brought =
        component === undefined
          ? undefined
          : { number: component.number, of: component.of, bytes: Buffer.from(component.hex, "hex") }
      const imported = yield* whole(keys.import({ link, ...asked, component: brought, text }, by))
      return yield* HttpServerResponse.json(imported)
    }).pipe(Effect.catchTag("OperationRefused", refused), Effect.catchTag(["SchemaError", "HttpServerError"], wrong))
  ),
  HttpRouter.route(
    "POST",
    "/keys/:name/retire",
    Effect.gen(function* () {
      const { name: link = "" } = yield* HttpRouter.params
      const { direction, purpose, reason } = yield* body(RetireKeyRequest)
      const says = yield* whole(keys.retire({ link, purpose, direction }, { user: yield* user, reason }))
      return yield* HttpServerResponse.json({ says })
    }).pipe(Effect.catchTag("OperationRefused", refused), Effect.catchTag(["SchemaError", "HttpServerError"], wrong))
  )
]
