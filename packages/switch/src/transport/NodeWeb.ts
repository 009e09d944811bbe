/**
 * HTTP for people and their programs (`node:http`): each request and each answer whole, in the web's own types. Knows nothing of
 * what is asked; messages of partners come in by `NodeHttp`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { ReadableStream } from "node:stream/web"
import { Effect, Latch, type Scope } from "effect"
import type { Credentials } from "./Credentials.ts"
import { listenForSockets, plainAddress } from "./NodeListener.ts"
import { Places } from "./Places.ts"
import type { PartnerIdentity, TlsSettings } from "./Tls.ts"
import type { Endpoint, ListenFailed, Listening } from "./Transport.ts"

/** Bytes of a request's body; commands are short. */
const BODY_MAX = 65_536

/** What goes on for as long as the asker listens. */
const events = "text/event-stream"

/** Connections at once, in all and of one address: monitoring has a few, and a page in a browser six. */
const CONNECTIONS_MAX = 64
const OF_ONE_ADDRESS_MAX = 32

/** Until when a request has to be whole, and how long a connection may wait for its next one, in milliseconds. */
const REQUEST_MS = 10_000
const IDLE_MS = 60_000

/** Methods that the web's own type of a request does not know. */
const unknown = new Set(["TRACE", "TRACK", "CONNECT"])

/**
 * Answers one request with a whole body each way; cuts off whoever sends more than 64 KiB. `streams`: what goes on for as long as
 * the asker listens begins. HEAD is answered as GET is, without the body (RFC 9110, 9.3.2).
 */
export const answerWhole = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: Request) => Promise<Response>,
  streams: () => void = () => {}
): Promise<void> => {
  try {
    const chunks: Array<Buffer> = []
    let bytes = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > BODY_MAX) return void response.writeHead(413, { connection: "close" }).end()
      chunks.push(chunk)
    }
    const asked = request.method ?? "GET"
    if (unknown.has(asked)) return void response.writeHead(405, { allow: "GET, HEAD, POST", connection: "close" }).end()
    const isHead = asked === "HEAD"
    const method = isHead ? "GET" : asked
    const body = method === "GET" ? null : Buffer.concat(chunks)
    const headers = Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as [string, string]] : []
    )
    const answered = await answer(new Request(`http://jinka${request.url ?? "/"}`, { method, headers, body }))
    if (answered.headers.get("content-type") === events && answered.body !== null) {
      response.writeHead(answered.status, Object.fromEntries(answered.headers))
      if (isHead) {
        await answered.body.cancel()
        return void response.end()
      }
      streams()
      await pipeline(Readable.fromWeb(answered.body as ReadableStream), response)
      return
    }
    const text = Buffer.from(await answered.arrayBuffer())
    response.writeHead(answered.status, {
      "content-type": "application/json",
      ...Object.fromEntries(answered.headers),
      "content-length": text.length
    })
    response.end(text)
  } catch {
    // The asker hung up in the middle of his request, or sent what is no request.
    response.destroy()
  }
}

/** How long the end waits for answers that are being written, in milliseconds. */
const LAST_ANSWERS_MS = 1000

/** Where it is listened, and for whom. */
export interface WebSettings {
  readonly at: Endpoint
  readonly tls: TlsSettings | undefined
  /** Whether an address may connect. */
  readonly admits: (address: string) => boolean
  /** A connection that was admitted, and whose handshake came to nothing. */
  readonly refused?: (address: string) => void
}

/** Whose certificate was shown, and the address that asks. */
export interface WebAsker {
  readonly identity: PartnerIdentity | undefined
  readonly address: string
}

/** Answers a request. */
export type WebAnswer = (request: Request, asker: WebAsker) => Promise<Response>

/** Listens on TCP until the scope ends. */
export const listenForRequests = Effect.fnUntraced(function* (
  { admits, at, refused = () => {}, tls }: WebSettings,
  answer: WebAnswer
): Effect.fn.Return<Listening, ListenFailed, Scope.Scope | Credentials> {
  const places = new Places<Socket>(CONNECTIONS_MAX, OF_ONE_ADDRESS_MAX)
  const rawOf = new WeakMap<Socket, Socket>()
  const identities = new Map<Socket, PartnerIdentity | undefined>()
  let open = 0
  const idle = Latch.makeUnsafe(true)
  const times = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS }
  const http = createServer(times, (request, response) => {
    const identity = identities.get(request.socket)
    const raw = rawOf.get(request.socket) ?? request.socket
    const address = plainAddress(raw.remoteAddress ?? "")
    open++
    idle.closeUnsafe()
    response.once("close", () => {
      if (--open === 0) idle.openUnsafe()
    })
    // Not before: who sends its body byte by byte waits for nothing of ours, and gives way.
    const asked = (whole: Request) => {
      places.asks(raw)
      response.once("close", () => places.answered(raw))
      return answer(whole, { address, identity })
    }
    void answerWhole(request, response, asked, () => places.listens(raw))
  })
  const listening = yield* listenForSockets(
    at,
    ({ identity, raw, socket }) => {
      identities.set(socket, identity)
      rawOf.set(socket, raw)
      socket.on("error", () => undefined)
      socket.once("close", () => identities.delete(socket))
      http.emit("connection", socket)
    },
    {
      ...(tls === undefined ? {} : { tls }),
      refused,
      admit: (address, isCrowded, raw) => {
        if (isCrowded || !admits(address)) return undefined
        return places.arrive(raw, address, () => raw.resetAndDestroy()) ? () => places.gone(raw) : undefined
      }
    }
  )
  // Whoever asked for the end still gets his answer.
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      Effect.timeoutOption(idle.await, LAST_ANSWERS_MS),
      Effect.sync(() => {
        for (const socket of identities.keys()) socket.destroy()
      })
    )
  )
  return listening
})
