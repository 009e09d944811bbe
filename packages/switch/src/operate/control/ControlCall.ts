/**
 * A question to a running switch over its control socket.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Schema } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { CommandFailed } from "../Exit.ts"
import { Refused } from "./Report.ts"

const decodeRefused = Schema.decodeUnknownOption(Refused)

/** Asks, and reads the answer with its schema. Fails when nobody answers or the switch refuses. */
export const ask = <A>(
  socket: string,
  method: "GET" | "POST",
  path: string,
  schema: Schema.Codec<A, unknown>,
  body?: unknown
): Effect.Effect<A, CommandFailed> => {
  const plain = HttpClientRequest.make(method)(`http://jinka${path}`)
  const request = body === undefined ? plain : HttpClientRequest.bodyJsonUnsafe(plain, body)
  return Effect.gen(function* () {
    const response = yield* HttpClient.execute(request).pipe(Effect.mapError(() => silent(socket)))
    const answer = yield* response.json.pipe(Effect.mapError(() => silent(socket)))
    if (response.status !== 200) {
      const refused = decodeRefused(answer)
      const why = refused._tag === "Some" ? refused.value.error : `HTTP status ${response.status}`
      const usual = response.status === 400 ? "usage" : "journal"
      return yield* new CommandFailed({
        exit: refused._tag === "Some" ? (refused.value.exit ?? usual) : usual,
        says: `The switch refuses: ${why}`
      })
    }
    return yield* Schema.decodeUnknownEffect(schema)(answer).pipe(Effect.mapError(() => foreign(socket)))
  }).pipe(Effect.provide(NodeHttpClient.layerNodeHttpOptions({ socketPath: socket })))
}

const silent = (socket: string): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `No switch answers on ${socket}. Is it running, and with this configuration? Does this user own the socket?`
  })

const foreign = (socket: string): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `What answers on ${socket} is another version of Jinka. Use the \`jinka\` that the switch was started with.`
  })
