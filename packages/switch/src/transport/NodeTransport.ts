/**
 * The transport over real TCP sockets (`node:net`), with TLS where it is asked for.
 *
 * Bytes that were read before a reset are delivered before the end is reported: an answer followed by RST is not lost
 * while this process keeps reading. Nothing in here knows frames.
 */
import * as Net from "node:net"
import { Effect, Layer, type Scope } from "effect"
import { Credentials, layer as credentialsFromFiles } from "./Credentials.ts"
import { isReserved } from "./Handles.ts"
import { listenForCalls } from "./NodeHttp.ts"
import { keepAliveOn, listenForSockets } from "./NodeListener.ts"
import { dialler, type Secured } from "./NodeTls.ts"
import { makePulse, type Pulse } from "./Pulse.ts"
import type { PartnerIdentity, TlsRefused } from "./Tls.ts"
import {
  ConnectFailed,
  type Connection,
  ConnectionEnded,
  type ConnectOptions,
  type Endpoint,
  type ListenFailed,
  type Listening,
  type ListenOptions,
  Transport
} from "./Transport.ts"
import { markWaited } from "./Waited.ts"

/** Unpulled bytes above which the socket is paused, so that a partner cannot fill our memory (guarantee G8). */
const UNPULLED_MAX = 1 << 20

/**
 * How long what is unsent at an orderly close may make no progress before the connection is reset, in milliseconds. Node looks
 * once in this time, so it may last twice as long.
 */
const LINGER_MS = 5000

const nothing = Buffer.alloc(0)

/**
 * Bytes that the kernel has not taken. Node counts a write until all of it is taken; its handle knows how much of it is left.
 * Below TLS these are bytes of the cipher, a little more than those of the messages. Without its handle nobody knows how much of
 * a write was taken before the connection broke: all but its last byte may have been.
 */
const unsentOf = (socket: Net.Socket, raw: Net.Socket): number => {
  if (raw.destroyed) return Math.min(socket.writableLength, 1)
  const handle = (raw as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle
  return Math.min(socket.writableLength, handle?.writeQueueSize ?? Number.POSITIVE_INFINITY)
}
/** Bytes of one read at most: of TCP, and of a TLS record nearly. One that is shorter has left nothing behind. */
const READ_MAX = 65_536
const RECORD_MAX = 16_000

const brokenBy = (error: NodeJS.ErrnoException): ConnectionEnded =>
  new ConnectionEnded({ how: "reset", cause: error.code ?? "the connection broke" })

type Pulled = Effect.Effect<ReadonlyArray<Buffer>, ConnectionEnded>

/** One socket as a `Connection`. Events fill it; at most one pull and one write wait on it. */
class NodeConnection implements Connection {
  readonly local: string
  readonly remote: string
  readonly identity: PartnerIdentity | undefined
  readonly pull: Connection["pull"]
  private readonly pulse: Pulse
  /** See `Pulse.opened`. */
  private readonly since: (now: number) => number
  private readonly socket: Net.Socket
  /** The TCP socket: below TLS it is another one, and only that can be reset. */
  private readonly raw: Net.Socket
  private chunks: Array<Buffer> = []
  /** When each of them may have come, at the earliest. */
  private sinces: Array<number> = []
  /** More may be in the kernel that has been there since then; 0: there is not. */
  private behindSince = 0
  private unpulled = 0
  /** The partner sends no more; what we owe it can still be written. */
  private inputEnded: ConnectionEnded | undefined
  private ended: ConnectionEnded | undefined
  private isClosing = false
  private puller: ((result: Pulled) => void) | undefined
  private writer: ((result: Effect.Effect<void, ConnectionEnded>) => void) | undefined

  constructor({ socket, raw, identity }: Secured, pulse: Pulse) {
    this.pulse = pulse
    this.since = pulse.opened()
    this.socket = socket
    this.raw = raw
    this.identity = identity
    this.local = `${socket.localAddress}:${socket.localPort}`
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`
    raw.setNoDelay(true)
    socket.on("data", (chunk: Buffer) => this.received(chunk))
    socket.on("end", () =>
      this.endInput(new ConnectionEnded({ how: "fin", cause: "the partner closed the connection" }))
    )
    socket.on("error", (error: NodeJS.ErrnoException) => this.end(brokenBy(error)))
    socket.on("close", () => this.end(new ConnectionEnded({ how: "local", cause: "closed by this side" })))
    this.pull = Effect.callback((resume) => {
      if (this.chunks.length > 0) return resume(Effect.succeed(this.take()))
      const ended = this.inputEnded ?? this.ended
      if (ended !== undefined) return resume(Effect.fail(ended))
      this.puller = resume
      return Effect.sync(() => {
        this.puller = undefined
      })
    })
  }

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.suspend(() => {
      if (this.ended !== undefined) return Effect.fail(this.ended)
      this.socket.write(bytes, this.written)
      // A kernel that knows of a reset refuses at once: Node counts nothing as waiting then, and tells its error a moment later.
      const errored = this.socket.errored ?? this.raw.errored
      if (errored !== null) return Effect.fail(brokenBy(errored))
      if (this.socket.writableLength === 0) return Effect.void
      return Effect.callback<void, ConnectionEnded>((resume) => {
        this.writer = resume
        return Effect.sync(() => {
          this.writer = undefined
        })
      })
    })
  }

  unsent(): number {
    return unsentOf(this.socket, this.raw)
  }

  /** An empty write reaches the kernel, and comes back with the reset that has arrived meanwhile. */
  readonly probe: Effect.Effect<void, ConnectionEnded> = Effect.callback((resume) => {
    if (this.ended !== undefined) return resume(Effect.fail(this.ended))
    this.raw.write(nothing, (error) => resume(error == null ? Effect.void : Effect.fail(brokenBy(error))))
  })

  finish(): void {
    this.socket.end()
  }

  close(how: "fin" | "reset"): void {
    // What an orderly close still has to send must not be thrown away by the reset that ends every session.
    if (this.isClosing) return
    this.isClosing = true
    if (how === "reset") this.raw.resetAndDestroy()
    else {
      this.socket.destroySoon()
      // A partner that has stopped reading must not keep the socket, nor get later what has long been given up.
      this.socket.setTimeout(LINGER_MS, () => this.raw.resetAndDestroy())
    }
    this.end(new ConnectionEnded({ how: "local", cause: "closed by this side" }))
  }

  private readonly written = () => {
    const writer = this.writer
    if (writer === undefined || this.socket.writableLength > 0) return
    this.writer = undefined
    writer(Effect.void)
  }

  private received(chunk: Buffer): void {
    const now = this.pulse.now()
    const alive = this.since(now)
    const since = this.behindSince > 0 ? Math.min(this.behindSince, alive) : alive
    const isFull = chunk.length >= (this.socket === this.raw ? READ_MAX : RECORD_MAX)
    this.behindSince = since < now && isFull ? since : 0
    this.chunks.push(chunk)
    this.sinces.push(since)
    this.unpulled += chunk.length
    const puller = this.puller
    if (puller !== undefined) {
      this.puller = undefined
      puller(Effect.succeed(this.take()))
    } else if (this.unpulled > UNPULLED_MAX) {
      this.socket.pause()
      if (this.behindSince === 0) this.behindSince = now
    }
  }

  private take(): ReadonlyArray<Buffer> {
    const { chunks, sinces } = this
    const now = this.pulse.now()
    for (let n = 0; n < chunks.length; n++) markWaited(chunks[n]!, now - sinces[n]!)
    this.chunks = []
    this.sinces = []
    this.unpulled = 0
    if (this.socket.isPaused()) this.socket.resume()
    return chunks
  }

  private endInput(ended: ConnectionEnded): void {
    if (this.inputEnded !== undefined) return
    this.inputEnded = ended
    const { puller } = this
    this.puller = undefined
    puller?.(Effect.fail(ended))
  }

  private end(ended: ConnectionEnded): void {
    if (this.ended !== undefined) return
    this.ended = ended
    const { writer } = this
    this.writer = undefined
    writer?.(Effect.fail(ended))
    this.endInput(ended)
  }
}

const connectReasons: Record<string, ConnectFailed["reason"]> = {
  ECONNREFUSED: "Refused",
  ETIMEDOUT: "Timeout",
  ENOTFOUND: "NameUnknown",
  EAI_AGAIN: "NameUnknown",
  EHOSTUNREACH: "Unreachable",
  ENETUNREACH: "Unreachable"
}

/** A TCP connection, before any handshake. */
const open = (to: Endpoint): Effect.Effect<Net.Socket, ConnectFailed> =>
  Effect.callback((resume) => {
    const socket = Net.connect({ host: to.host, port: to.port, noDelay: true, allowHalfOpen: true })
    const failed = (error: NodeJS.ErrnoException) => {
      const cause = error.code ?? error.message
      resume(Effect.fail(new ConnectFailed({ reason: connectReasons[cause] ?? "Other", cause })))
    }
    socket.once("error", failed)
    socket.once("connect", () => {
      socket.off("error", failed)
      // Until a connection owns it an error is heard as its end.
      socket.on("error", () => undefined)
      resume(Effect.succeed(socket))
    })
    return Effect.sync(() => socket.destroy())
  })

const asFailed = ({ reason, cause }: TlsRefused): ConnectFailed => new ConnectFailed({ reason, cause })

const connect = Effect.fnUntraced(function* (
  pulse: Pulse,
  to: Endpoint,
  { tls, keepAlive }: ConnectOptions = {}
): Effect.fn.Return<Connection, ConnectFailed, Credentials> {
  const greeting = tls === undefined ? undefined : yield* Effect.mapError(dialler(to.host, tls), asFailed)
  const raw = yield* open(to)
  if (isReserved(raw)) {
    raw.resetAndDestroy()
    return yield* new ConnectFailed({ reason: "NoHandles", cause: "the process has as many open files as it may have" })
  }
  if (keepAlive !== undefined) keepAliveOn(raw, keepAlive)
  if (greeting === undefined) return new NodeConnection({ socket: raw, raw, identity: undefined }, pulse)
  return new NodeConnection(yield* Effect.mapError(greeting(raw), asFailed), pulse)
})

const listen = (
  pulse: Pulse,
  at: Endpoint,
  accept: (connection: Connection) => void,
  options?: ListenOptions
): Effect.Effect<Listening, ListenFailed, Scope.Scope | Credentials> =>
  listenForSockets(at, (secured) => accept(new NodeConnection(secured, pulse)), options)

/** The real network, with certificates from a store that the caller holds. */
export const layerWith: Layer.Layer<Transport, never, Credentials> = Layer.effect(
  Transport,
  Effect.gen(function* () {
    const credentials = yield* Credentials
    const pulse = yield* makePulse
    const provided = <A, E, R>(effect: Effect.Effect<A, E, R | Credentials>) =>
      Effect.provideService(effect, Credentials, credentials)
    return Transport.of({
      connect: (to, options) => provided(connect(pulse, to, options)),
      listen: (at, accept, options) => provided(listen(pulse, at, accept, options)),
      listenHttp: (at, take, options) => provided(listenForCalls(pulse, at, take, options))
    })
  })
)

/** The real network. */
export const layer: Layer.Layer<Transport> = layerWith.pipe(Layer.provide(credentialsFromFiles))
