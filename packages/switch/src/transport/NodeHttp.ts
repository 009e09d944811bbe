/**
 * HTTP over the sockets of a listener (`node:http`): keep-alive, Content-Length and chunked bodies, and every wait with an end.
 *
 * Who may connect, and TLS, are the listener's. Node parses; a body is given out whole or not at all.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Clock, Effect, Latch, type Scope } from "effect"
import type { Credentials } from "./Credentials.ts"
import { type HttpAnswer, type HttpCall, type HttpLimits, problem } from "./Http.ts"
import { monotonicMs } from "./Monotonic.ts"
import { listenForSockets } from "./NodeListener.ts"
import type { Pulse } from "./Pulse.ts"
import type { PartnerIdentity } from "./Tls.ts"
import type { Endpoint, ListenFailed, Listening, ListenOptions } from "./Transport.ts"
import { markWaited } from "./Waited.ts"

/** Bytes of a request's line and headers. */
const HEADERS_MAX = 8192

/** How often overdue connections are looked for, in milliseconds. */
const LOOK_EVERY_MS = 250

/** One connection: who it is, and until when its next request has to be whole; infinite while one is being answered. */
interface Caller {
  readonly identity: PartnerIdentity | undefined
  /** See `Pulse.opened`. */
  readonly since: (now: number) => number
  /** Requests that have begun and have no answer, and how many of them are whole (HTTP may send the next one before). */
  readonly open: Set<ServerResponse>
  whole: number
  due: number
}

/** Listens until the scope closes; `take` gets every POST whose body is whole. */
export const listenForCalls = Effect.fnUntraced(function* (
  pulse: Pulse,
  at: Endpoint,
  take: (call: HttpCall) => void,
  options: ListenOptions & HttpLimits
): Effect.fn.Return<Listening<ListenOptions & HttpLimits>, ListenFailed, Scope.Scope | Credentials> {
  const clock = yield* Clock.Clock
  const now = () => monotonicMs(clock)
  const callers = new Map<Socket, Caller>()
  let limits: HttpLimits = options
  let isRetired = false
  const left = Latch.makeUnsafe(false)
  // Deadlines are kept below, on the one clock that also the rest of the switch has.
  const http = createServer({ maxHeaderSize: HEADERS_MAX, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 })
  http.on("clientError", (_error, socket) => {
    if (answersFirst(callers.get(socket as Socket))) return
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    else socket.destroy()
  })
  http.on("request", (request, response) => {
    const caller = callers.get(request.socket)
    if (caller === undefined) return void request.socket.destroy()
    caller.open.add(response)
    if (isRetired) response.shouldKeepAlive = false
    let isWhole = false
    response.once("close", () => {
      caller.open.delete(response)
      if (isWhole) caller.whole--
      if (caller.whole === 0) caller.due = now() + (caller.open.size === 0 ? limits.idleMs : limits.requestMs)
    })
    collect(request, response, limits.bodyMax, (call) => {
      isWhole = true
      caller.whole++
      caller.due = Number.POSITIVE_INFINITY
      const at = pulse.now()
      markWaited(call.body, at - caller.since(at))
      take({ ...call, identity: caller.identity })
    })
  })
  const listening = yield* listenForSockets(
    at,
    ({ socket, identity }) => {
      socket.allowHalfOpen = false
      callers.set(socket, { identity, since: pulse.opened(), open: new Set(), whole: 0, due: now() + limits.requestMs })
      socket.on("error", () => undefined)
      socket.once("close", () => {
        callers.delete(socket)
        if (isRetired && callers.size === 0) left.openUnsafe()
      })
      http.emit("connection", socket)
    },
    options
  )
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of callers.keys()) socket.destroySoon()
    })
  )
  yield* Effect.sync(() => {
    for (const [socket, { due }] of callers) if (now() >= due) socket.destroy()
  }).pipe(Effect.andThen(Effect.sleep(LOOK_EVERY_MS)), Effect.forever, Effect.forkScoped)
  return {
    endpoint: listening.endpoint,
    prepare: (other) =>
      Effect.map(listening.prepare!(other), (take) => () => {
        take()
        limits = other
      }),
    // Whoever waits for an answer gets it, and with it that it is the last one here.
    retire: Effect.suspend(() => {
      isRetired = true
      for (const [socket, { open }] of callers) {
        if (open.size === 0) socket.destroySoon()
        for (const response of open) response.shouldKeepAlive = false
      }
      if (callers.size === 0) left.openUnsafe()
      return Effect.as(listening.retire!, left.await)
    })
  }
})

/** What comes behind whole requests in bad form does not cost them their answers: the last of those ends the connection. */
const answersFirst = (caller: Caller | undefined): boolean => {
  const last = [...(caller?.open ?? [])].findLast(({ req }) => req.complete)
  if (last === undefined) return false
  last.shouldKeepAlive = false
  last.once("close", () => last.req.socket.destroySoon())
  return true
}

/** Reads the body and hands the call on, or answers why not. */
const collect = (
  request: IncomingMessage,
  response: ServerResponse,
  bodyMax: number,
  take: (call: Omit<HttpCall, "identity">) => void
): void => {
  const refuse = (answer: HttpAnswer, more: { readonly [name: string]: string } = {}): void => {
    // What else comes of the body is nobody's.
    response.setHeader("connection", "close")
    for (const [name, value] of Object.entries(more)) response.setHeader(name, value)
    respond(response, answer)
    request.resume()
  }
  if (request.method !== "POST") {
    return refuse(problem(405, "MethodNotAllowed", "A message is sent with POST."), { allow: "POST" })
  }
  if ((request.headers["content-encoding"] ?? "identity").toLowerCase() !== "identity") {
    return refuse(problem(415, "EncodingUnknown", "A body comes as it is, without a content encoding."))
  }
  const tooLong = problem(413, "BodyTooLong", `A body has at most ${bodyMax} bytes.`)
  if (Number(request.headers["content-length"] ?? 0) > bodyMax) return refuse(tooLong)
  const chunks: Array<Buffer> = []
  let bytes = 0
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bodyMax) chunks.push(chunk)
    else if (!response.writableEnded) refuse(tooLong)
  })
  request.once("end", () => {
    if (response.writableEnded) return
    const { socket } = request
    take({
      path: (request.url ?? "/").split("?", 1)[0]!,
      type: (request.headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase(),
      body: Buffer.concat(chunks),
      local: `${socket.localAddress}:${socket.localPort}`,
      remote: `${socket.remoteAddress}:${socket.remotePort}`,
      answer: (answer, told) => respond(response, answer, told),
      hasClosed: () => socket.readableEnded,
      abort: () => socket.destroy()
    })
  })
}

const respond = (
  response: ServerResponse,
  { status, type, body, retryAfter }: HttpAnswer,
  told: (isHanded: boolean) => void = () => undefined
): void => {
  const { socket } = response.req
  // A caller that has sent FIN is not answered any more: Node has closed our half, too.
  if (response.writableEnded || response.destroyed || !socket.writable) return told(false)
  const over = () => {
    socket.off("close", over)
    told(response.writableFinished)
  }
  response.once("finish", over)
  // An answer that waits for the one before it (pipelining) does not hear of the socket's end by itself.
  socket.once("close", over)
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) })
  })
  response.end(body)
}
