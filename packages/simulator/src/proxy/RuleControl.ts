/**
 * Rules of a running proxy over HTTP, both ends: `GET /rules`, `POST /rules`, `PUT /rules/3`, `DELETE /rules/3`, `DELETE /rules`.
 *
 * Owns the exchange and its texts. A rule travels as plain text. Only for this machine: it listens on loopback, and a request
 * that a web page made for another host's name is refused.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import { coverTyped } from "@jinka/codec"
import { Data, Effect, type Scope } from "effect"
import { type Endpoint, endpointText } from "../link/Listener.ts"
import { ListenFailed, reasonOf } from "../SimulatorError.ts"
import { needsMessages } from "./FaultRule.ts"
import type { FaultRules } from "./FaultRules.ts"
import { parseRule, RuleInvalid } from "./RuleText.ts"

/** Longest rule, in bytes. */
const BODY_MAX = 4096

/** Milliseconds that an answer of a proxy may take. */
const ANSWER_MAX_MS = 5000

/** The proxy did not do it: why, in its own words or the system's. */
export class ControlFailed extends Data.TaggedError("ControlFailed")<{ readonly says: string }> {
  override get message(): string {
    return this.says
  }
}

interface Answer {
  readonly status: number
  readonly says: object
}

const refuse = (status: number, says: string): Answer => ({ status, says: { error: says } })

const put = (rules: FaultRules, text: string, id: number | undefined): Answer => {
  try {
    const rule = parseRule(text.trim())
    if (needsMessages(rule) && !rules.readsMessages)
      return refuse(400, "the rule is about messages, and the proxy's file gives no dialect")
    const number = rules.set(rule, id)
    return number === undefined ? refuse(404, `there is no rule ${id}`) : { status: 200, says: { id: number } }
  } catch (error) {
    if (error instanceof RuleInvalid) return refuse(400, coverTyped(error.message))
    throw error
  }
}

const answerOf = (rules: FaultRules, method: string, path: string, body: string): Answer => {
  const found = /^\/rules(?:\/(\d{1,9}))?$/.exec(path)
  if (found === null) return refuse(404, "known are /rules and /rules/<number>")
  const id = found[1] === undefined ? undefined : Number(found[1])
  if (method === "GET" && id === undefined) return { status: 200, says: { rules: rules.list() } }
  if (method === "POST" && id === undefined) return put(rules, body, undefined)
  if (method === "PUT" && id !== undefined) return put(rules, body, id)
  if (method !== "DELETE") return refuse(405, "known are GET, POST and DELETE /rules, PUT and DELETE /rules/<number>")
  const cleared = rules.clear(id)
  return id !== undefined && cleared === 0 ? refuse(404, `there is no rule ${id}`) : { status: 200, says: { cleared } }
}

const isOwnName = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host)

const exchange = (rules: FaultRules, request: IncomingMessage, response: ServerResponse): void => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > BODY_MAX) request.destroy()
    else chunks.push(chunk)
  })
  request.on("error", () => response.destroy())
  request.on("end", () => {
    const { headers, method = "GET", url = "/" } = request
    const body = Buffer.concat(chunks).toString("utf8")
    const answer = isOwnName(headers.host)
      ? answerOf(rules, method, url, body)
      : refuse(403, "ask by the loopback address")
    const text = `${JSON.stringify(answer.says)}\n`
    response.writeHead(answer.status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
    response.end(text)
  })
}

/** Serves the rules until the scope closes; gives the address that was taken. */
export const serveRules = (rules: FaultRules, at: Endpoint): Effect.Effect<Endpoint, ListenFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>, ListenFailed>((resume) => {
      const http = createServer((asked, response) => exchange(rules, asked, response))
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

/** Asks a running proxy. The answer's object, or why there is none. */
export const askRules = (
  at: Endpoint,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: string,
  body = ""
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> =>
  Effect.callback<{ readonly [key: string]: unknown }, ControlFailed>((resume) => {
    const unreachable = (error: Error) => {
      const says = `no proxy answers at ${endpointText(at)} (${reasonOf(error)}); its file's "control:" says where it does`
      resume(Effect.fail(new ControlFailed({ says })))
    }
    const asking = request({ host: at.host, port: at.port, method, path, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.once("error", unreachable)
      response.once("end", () => resume(answered(at, response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"))))
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
  status: number,
  text: string
): Effect.Effect<{ readonly [key: string]: unknown }, ControlFailed> => {
  const parsed = parsedObject(text)
  if (parsed === undefined) {
    return Effect.fail(new ControlFailed({ says: `what answers at ${endpointText(at)} is no proxy of jinka-sim` }))
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
