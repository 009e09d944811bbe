/**
 * A question to a running switch over its control socket.
 */
import { Effect, Schema } from "effect"
import { CommandFailed } from "../Exit.ts"
import { askSocket, type SocketFailed } from "./HttpSocket.ts"
import { proof, proofHeader } from "./Peer.ts"
import { Refused } from "./Report.ts"

const decodeRefused = Schema.decodeUnknownOption(Refused)

/** What only looks at the switch is answered at once; what changes something may wait for partners and drains (24 h at most). */
const LOOK_MS = 10_000
const ACT_MS = 24 * 3_600_000

/**
 * Asks, and reads the answer with its schema. Fails when nobody answers in `limitMs` milliseconds (10 s for GET, a day for
 * POST), or when the switch refuses.
 */
export const ask = <A>(
  socket: string,
  method: "GET" | "POST",
  path: string,
  schema: Schema.Codec<A, unknown>,
  body?: unknown,
  limitMs = method === "GET" ? LOOK_MS : ACT_MS
): Effect.Effect<A, CommandFailed> =>
  Effect.gen(function* () {
    const shown = method === "GET" ? undefined : yield* proof(socket, yield* processId)
    const headers = shown === undefined ? {} : { [proofHeader]: shown }
    const { status, text } = yield* askSocket(socket, { method, url: path, headers, body, limitMs }).pipe(
      Effect.mapError((error) => silent(socket, error))
    )
    const answer = yield* Effect.try({ try: (): unknown => JSON.parse(text), catch: () => foreign(socket) })
    if (status !== 200) {
      const refused = decodeRefused(answer)
      const why = refused._tag === "Some" ? refused.value.error : `HTTP status ${status}`
      return yield* new CommandFailed({
        exit: (refused._tag === "Some" ? refused.value.exit : undefined) ?? exits[status] ?? "journal",
        says: `The switch refuses: ${why}`
      })
    }
    return yield* Schema.decodeUnknownEffect(schema)(answer).pipe(Effect.mapError(() => foreign(socket)))
  }).pipe(Effect.scoped)

/** What a refusal means for whoever asked, where it does not say so itself. */
const exits: Readonly<Record<number, "usage" | "bad">> = { 400: "usage", 404: "usage", 409: "bad" }

const processId = Effect.sync(() => process.pid)

/** What kept the call from the switch, by the system's code. */
const causes: Readonly<Record<string, string>> = {
  ENOENT:
    "There is no such socket: the switch does not run, is still starting, or runs with another configuration. `--control DIRECTORY` names where a running one takes commands, as its `ready` line says it.",
  ENOTDIR: "A file is where a directory is expected: --control takes the directory of control.sock.",
  ECONNREFUSED:
    "The socket is there and nobody listens: the switch has ended without stopping in order. Start it again.",
  EACCES: "This user may not use it: ask as the user that the switch runs as.",
  ETIMEDOUT:
    "The process that has the socket open does not answer. Look at it (`ss -xlp`): it may be suspended or overloaded."
}

const silent = (socket: string, { code }: SocketFailed): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `No switch answers on ${socket}. ${causes[code] ?? "Is it running, and with this configuration?"}`
  })

const foreign = (socket: string): CommandFailed =>
  new CommandFailed({
    exit: "network",
    says: `What answers on ${socket} is another version of Jinka. Use the \`jinka\` that the switch was started with.`
  })
