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
    const response = yield* HttpClient.execute(request).pipe(Effect.mapError((error) => silent(socket, codeIn(error))))
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

/** What kept the call from the switch, by the system's code. */
const causes: Readonly<Record<string, string>> = {
  ENOENT: "There is no such socket: the switch does not run, or runs with another configuration.",
  ECONNREFUSED:
    "The socket is there and nobody listens: the switch has ended without stopping in order. Start it again.",
  EACCES: "This user may not use it: ask as the user that the switch runs as."
}

/** The system's code in the error or in what caused it. */
const codeIn = (error: unknown): string => {
  for (let at: unknown = error; typeof at === "object" && at !== null; ) {
    const { code, cause, reason } = at as {
      readonly code?: unknown
      readonly cause?: unknown
      readonly reason?: unknown
    }
    if (typeof code === "string") return code
    at = cause ?? reason
  }
  return ""
}

const silent = (socket: string, code = ""): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `No switch answers on ${socket}. ${causes[code] ?? "Is it running, and with this configuration?"}`
  })

const foreign = (socket: string): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `What answers on ${socket} is another version of Jinka. Use the \`jinka\` that the switch was started with.`
  })
