/** What the routes of the control socket share: who asks, what was sent, and how something is refused. */
import { Effect, Schema } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import type { OperationRefused } from "../../Operations.ts"
import type { Exit } from "../Exit.ts"

/** The unix user who asks. */
export type User = Effect.Effect<string, never, HttpServerRequest.HttpServerRequest>

/** An answer that says what is wrong; `exit`: the exit code of the command that asked. */
export const refuse = (status: number, error: string, exit?: Exit) =>
  HttpServerResponse.json({ error, ...(exit === undefined ? {} : { exit }) }, { status })

/** The answer to an act that the switch refuses. */
export const refused = ({ reason, says }: OperationRefused) =>
  refuse(409, says, reason === "NoSuchLink" ? "usage" : "bad")

/** The body, which holds what the schema names and nothing else. */
export const body = <A>(schema: Schema.Codec<A, unknown>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ json }) =>
    Effect.flatMap(json, Schema.decodeUnknownEffect(schema, { onExcessProperty: "error" }))
  )

/** The body, as above; none is one that holds nothing. */
export const bodyOrNone = <A>(schema: Schema.Codec<A, unknown>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ text }) =>
    Effect.flatMap(text, (sent) =>
      Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(sent === "" ? "{}" : sent, {
        onExcessProperty: "error"
      })
    )
  )
