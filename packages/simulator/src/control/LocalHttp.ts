/**
 * Commands to a process that runs on this machine, over HTTP, both ends. Owns the exchange: it listens on loopback, a request
 * that a web page made for another host's name is refused, and the answer is one JSON object.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { Data, Effect, type Scope } from "effect"
import { type Endpoint, endpointText } from "../link/Listener.ts"
import { ListenFailed, reasonOf } from "../SimulatorError.ts"

/** Longest command, in bytes. */
const BODY_MAX = 4096

/** How much of a longer one is read, so that whoever sends it hears why it is refused. */
const READ_MAX = 1_048_576

/** Milliseconds that an answer may take. */
const ANSWER_MAX_MS = 5000

/** It was not done: why, in the words of who refused it, or the system's. */
export class ControlFailed extends Data.TaggedError("ControlFailed")<{ readonly says: string }> {
  override get message(): string {
    return this.says
  }
}

/** What a command is answered. */
export interface Answer {
  readonly status: number
  readonly says: object
}

/** What is said where a command is refused. */
export const refuse = (status: number, says: string): Answer => ({ status, says: { error: says } })

/** Answers one command. */
export type AnswerOf = (method: string, path: string, body: string) => Answer

/** Whether an address is one of this machine alone. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const isOwnName = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host)

const exchange = (answerOf: AnswerOf, request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= BODY_MAX) chunks.push(chunk)
    else if (bytes > READ_MAX) request.destroy()
  })
  request.on("error", () => response.destroy())
  request.on("end", () => {
    const { headers, method = "GET", url = "/" } = request
    const body = Buffer.concat(chunks).toString("utf8")
    const answer =
      bytes > BODY_MAX
        ? refuse(413, `a command has at most ${BODY_MAX} bytes`)
        : isOwnName(headers.host)
          ? answerOf(method, url, body)
          : refuse(403, "ask by the loopback address")
    const text = `${JSON.stringify(answer.says)}\n`
    response.writeHead(answer.status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    response.end(text)
  })
}

/** Serves commands until the scope closes; gives the address that was taken. */
export const serveLocal = (answerOf: AnswerOf, at: Endpoint): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>, ListenFailed>((resume) => {
      const http = createServer((asked, response) => exchange(answerOf, asked, response))
      http.once("error", (error) =>
        resume(Effect.fail(new ListenFailed({ address: endpointText(at), reason: reasonOf(error) })))
      )
      http.listen(at.port, at.host, () => resume(Effect.succeed(http)))
    }),
    (http) =>
      Effect.sync(() => {
        http.close()
        http.closeAllConnections()
      })
  ).pipe(Effect.map((http) => ({ host: at.host, port: (http.address() as { readonly port: number }).port })))

/** Whom a command is for, in error texts. */
export interface Asked {
  readonly at: Endpoint
  /** `proxy`, `partner`. */
  readonly who: string
  /** Where its address is said. */
  readonly hint: string
}

/** Asks a running process. The answer's object, or why there is none. */
export const askLocal = (
  { at, hint, who }: Asked,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body = ""
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> =>
  Effect.callback<{ readonly [key: string]: unknown }, ControlFailed>((resume) => {
    const unreachable = (error: Error) => {
      const says = `no ${who} answers at ${endpointText(at)} (${reasonOf(error)}); ${hint}`
      resume(Effect.fail(new ControlFailed({ says })))
    }
    const asking = request({ host: at.host, port: at.port, method, path, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.once("error", unreachable)
      response.once("end", () =>
        resume(answered(at, who, response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8")))
      )
    })
    asking.once("error", unreachable)
    asking.end(body)
    return Effect.sync(() => asking.destroy())
  }).pipe(
    Effect.timeoutOrElse({
      duration: ANSWER_MAX_MS,
      orElse: () =>
        Effect.fail(new ControlFailed({ says: `no answer from ${endpointText(at)} in ${ANSWER_MAX_MS} ms` }))
    })
  )

const answered = (
  at: Endpoint,
  who: string,
  status: number,
  text: string
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> => {
  const parsed = parsedObject(text)
  if (parsed === undefined) {
    return Effect.fail(new ControlFailed({ says: `what answers at ${endpointText(at)} is no ${who} of jinka-sim` }))
  }
  if (status === 200) return Effect.succeed(parsed)
  return Effect.fail(new ControlFailed({ says: String(parsed["error"] ?? `status ${status}`) }))
}

const parsedObject = (text: string): { readonly [key: string]: unknown } | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as { readonly [key: string]: unknown }) : undefined
  } catch {
    return undefined
  }
}
