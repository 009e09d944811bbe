/**
 * HTTP over a unix domain socket, both ends: `node:http` with a whole body each way. Knows nothing of what is asked.
 */
import { createServer, request as httpRequest, type IncomingMessage } from "node:http"
import { Data, Effect, type Scope } from "effect"
import { answerWhole } from "../../transport/NodeWeb.ts"

/** Until when a request has to be whole, in milliseconds, and how often that is looked at. */
const REQUEST_MS = 10_000
const LOOK_EVERY_MS = 1000

/** Callers at a time: fewer than the open files that are kept back for them (`transport/Handles`). */
const CALLERS_MAX = 10

/** Of these may be silent, however many wait for their answers: a drain takes as long as it takes. */
const SILENT_MIN = 4

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

/** The socket of one caller. */
type Socket = IncomingMessage["socket"]

/**
 * Who is connected. When there are too many, the one goes that has asked nothing for longest: nobody can keep the others out by
 * being there and saying nothing. Whoever waits for an answer stays.
 */
class Callers {
  private readonly silent = new Set<Socket>()
  private readonly busy = new Set<Socket>()

  /** One more has come. */
  came(socket: Socket): void {
    this.silent.add(socket)
    socket.once("close", () => this.left(socket))
    if (this.silent.size <= Math.max(SILENT_MIN, CALLERS_MAX - this.busy.size)) return
    const [oldest] = this.silent
    this.left(oldest!)
    oldest!.destroy()
  }

  /** It has asked, all of its question is here, and it waits for its answer. */
  asked(socket: Socket): void {
    if (this.silent.delete(socket)) this.busy.add(socket)
  }

  /** It has its answer. */
  answered(socket: Socket): void {
    if (this.busy.delete(socket)) this.silent.add(socket)
  }

  private left(socket: Socket): void {
    this.silent.delete(socket)
    this.busy.delete(socket)
  }
}

/**
 * Answers every request on `path` until the scope closes. Whoever does not send his request whole in ten seconds, or sends more
 * than 64 KiB, is cut off. Ten callers at a time: another one takes the place of the one that has been silent for longest.
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
      const callers = new Callers()
      const http = createServer(times, (request, response) => {
        const { socket } = request
        response.once("close", () => callers.answered(socket))
        void answerWhole(request, response, (whole) => {
          callers.asked(socket)
          return answer(whole)
        })
      })
      http.on("connection", (socket) => callers.came(socket))
      http.once("error", (error) => resume(Effect.fail(failed(error))))
      http.listen(path, () => resume(Effect.succeed(http)))
    }),
    (http) =>
      Effect.callback<void>((resume) => {
        http.close(() => resume(Effect.void))
        http.closeIdleConnections()
      }).pipe(Effect.timeoutOption("1 second"), Effect.andThen(Effect.sync(() => http.closeAllConnections())))
  ).pipe(Effect.asVoid)

/** How often what only looks is asked again when its connection had to make room for another one. */
const AGAIN_MAX = 4

const hadToGo = ({ code }: SocketFailed): boolean => code === "ECONNRESET" || code === "EPIPE"

/**
 * Asks; fails when nobody answers in `limitMs` milliseconds. What changes something is asked once: whether it was done shows when
 * one looks.
 */
export const askSocket = (path: string, question: SocketQuestion): Effect.Effect<SocketAnswer, SocketFailed> =>
  askOnce(path, question).pipe(
    Effect.retry({ times: question.method === "GET" ? AGAIN_MAX : 0, while: hadToGo }),
    Effect.timeoutOrElse({
      duration: question.limitMs,
      orElse: () => Effect.fail(new SocketFailed({ code: "ETIMEDOUT", message: `no answer in ${question.limitMs} ms` }))
    })
  )

const askOnce = (
  path: string,
  { body, headers, method, url }: SocketQuestion
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
  })

/** One question: its path with parameters, its body as JSON, and how long it may take. */
export interface SocketQuestion {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly limitMs: number
}
