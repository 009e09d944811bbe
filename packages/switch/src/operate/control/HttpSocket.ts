/**
 * HTTP over a unix domain socket, both ends: `node:http` with a whole body each way. Knows nothing of what is asked.
 */
import { createServer, request as httpRequest } from "node:http"
import { Data, Effect, type Scope } from "effect"
import { answerWhole } from "../../transport/NodeWeb.ts"

/** Until when a request has to be whole, in milliseconds, and how often that is looked at. */
const REQUEST_MS = 10_000
const LOOK_EVERY_MS = 1000

/** The socket cannot be served or did not answer; `code` is the system's (ENOENT, ECONNREFUSED, EADDRINUSE), or ETIMEDOUT. */
export class SocketFailed extends Data.TaggedError("SocketFailed")<{
  readonly code: string
  readonly message: string
}> {}

const failed = (error: unknown): SocketFailed => {
  const { code = "", message = "" } = error as { readonly code?: string; readonly message?: string }
  return new SocketFailed({ code, message })
}

/** An answer as it arrived: its status and its body. */
export interface SocketAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Answers every request on `path` until the scope closes. Whoever does not send his request whole in ten seconds, or sends more
 * than 64 KiB, is cut off.
 */
export const serveSocket = (
  path: string,
  answer: (request: Request) => Promise<Response>
): Effect.Effect<void, SocketFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>, SocketFailed>((resume) => {
      const times = {
        requestTimeout: REQUEST_MS,
        headersTimeout: REQUEST_MS,
        connectionsCheckingInterval: LOOK_EVERY_MS
      }
      const http = createServer(times, (request, response) => void answerWhole(request, response, answer))
      http.once("error", (error) => resume(Effect.fail(failed(error))))
      http.listen(path, () => resume(Effect.succeed(http)))
    }),
    (http) =>
      Effect.callback<void>((resume) => {
        http.close(() => resume(Effect.void))
        http.closeIdleConnections()
      }).pipe(Effect.timeoutOption("1 second"), Effect.andThen(Effect.sync(() => http.closeAllConnections())))
  ).pipe(Effect.asVoid)

/** Asks once; fails when nobody answers in `limitMs` milliseconds. */
export const askSocket = (
  path: string,
  { body, headers, limitMs, method, url }: SocketQuestion
): Effect.Effect<SocketAnswer, SocketFailed> =>
  Effect.callback<SocketAnswer, SocketFailed>((resume) => {
    const text = body === undefined ? "" : JSON.stringify(body)
    const length = text === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }
    const request = httpRequest(
      { socketPath: path, path: url, method, headers: { ...headers, ...length }, agent: false },
      (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.once("error", (error) => resume(Effect.fail(failed(error))))
        response.once("end", () =>
          resume(Effect.succeed({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
        )
      }
    )
    request.once("error", (error) => resume(Effect.fail(failed(error))))
    request.end(text)
    return Effect.sync(() => request.destroy())
  }).pipe(
    Effect.timeoutOrElse({
      duration: limitMs,
      orElse: () => Effect.fail(new SocketFailed({ code: "ETIMEDOUT", message: `no answer in ${limitMs} ms` }))
    })
  )

/** One question: its path with parameters, its body as JSON, and how long it may take. */
export interface SocketQuestion {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly limitMs: number
}
