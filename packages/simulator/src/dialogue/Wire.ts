/**
 * One partner's end of the wire: a TCP connection, in clear or with TLS, what came on it and when, and how it ended.
 *
 * Owns sockets and framing of a dialogue. Times are taken when bytes arrive, not when a step looks at them. Nothing is answered
 * here, and nothing is closed unless a step says so.
 */
import type { Server, Socket } from "node:net"
import { type FrameError, Framer } from "@jinka/codec"
import { Effect, Schedule } from "effect"
import { type Endpoint, endpointText, listen } from "../link/Listener.ts"
import { dialSocket, type OpenSocket, type TlsMaterial, takeSocket } from "../link/TlsSide.ts"
import { reasonOf } from "../SimulatorError.ts"
import type { WireFormat } from "./WireFormat.ts"

/** How a connection ended, seen from the partner. `local`: a step closed it. */
export type End = "FIN" | "RST" | "local"

/** Something that happened on the wire. Times are monotonic milliseconds. */
export type Happening =
  | { readonly _tag: "message"; readonly at: number; readonly bytes: Buffer }
  | { readonly _tag: "idle"; readonly at: number; readonly bytes: Buffer }
  | { readonly _tag: "garbage"; readonly at: number; readonly bytes: Buffer; readonly error: FrameError }
  | { readonly _tag: "ended"; readonly at: number; readonly how: End; readonly cause: string }
  | { readonly _tag: "opened"; readonly at: number; readonly remote: string }

/** A connection that could not be made, or an address that could not be listened on. */
export interface WireFailed {
  readonly says: string
}

/** Milliseconds between two attempts to connect. */
const RETRY_MS = 20

/** Connections of one partner, one at a time. `on` is told everything, synchronously. */
export class Wire {
  private readonly form: WireFormat
  private readonly tls: TlsMaterial | undefined
  private readonly now: () => number
  private readonly on: (happening: Happening) => void
  private socket: Socket | undefined
  /** The TCP socket below it: the same without TLS. A reset has to come from here. */
  private raw: Socket | undefined
  private lastReason = ""
  private listening: Server | undefined
  private arrived: Array<OpenSocket> = []
  private onArrival: (() => void) | undefined

  constructor(form: WireFormat, tls: TlsMaterial | undefined, now: () => number, on: (happening: Happening) => void) {
    this.form = form
    this.tls = tls
    this.now = now
    this.on = on
  }

  /** A connection is up, or half of it. */
  get isOpen(): boolean {
    return this.socket !== undefined && !this.socket.destroyed
  }

  /** Connects; tries again while nobody listens there, because a system under test may be starting. */
  connect(to: Endpoint, limitMs: number): Effect.Effect<void, WireFailed> {
    return this.dial(to).pipe(
      Effect.retry(Schedule.spaced(RETRY_MS)),
      Effect.timeoutOrElse({
        duration: limitMs,
        orElse: () => Effect.fail({ says: `no connection to ${endpointText(to)} in ${limitMs} ms${this.lastReason}` })
      })
    )
  }

  private dial(to: Endpoint): Effect.Effect<void, WireFailed> {
    return Effect.callback<void, WireFailed>((resume) => {
      let isOver = false
      const failed = (error: NodeJS.ErrnoException) => {
        isOver = true
        raw.destroy()
        if (error.code !== "ECONNRESET") {
          this.lastReason = `: ${reasonOf(error)}`
          return resume(Effect.fail({ says: `no connection: ${reasonOf(error)}` }))
        }
        // It was made and reset before we heard of it.
        this.on({ _tag: "opened", at: this.now(), remote: endpointText(to) })
        this.on({ _tag: "ended", at: this.now(), how: "RST", cause: "ECONNRESET" })
        resume(Effect.void)
      }
      const { isUpAt, raw, socket } = dialSocket(to, this.tls, { allowHalfOpen: true }, (error) => {
        if (!isOver) failed(error)
      })
      socket.once(isUpAt, () => {
        isOver = true
        this.take({ socket, raw })
        resume(Effect.void)
      })
      return Effect.sync(() => raw.destroy())
    })
  }

  /** Listens; connections wait until a step accepts them. */
  listen(at: Endpoint): Effect.Effect<void, WireFailed> {
    const arrive = (open: OpenSocket) => {
      // Until it is accepted nothing may be lost, and an error must not fall on the floor.
      open.socket.pause().on("error", () => {})
      this.arrived.push(open)
      this.onArrival?.()
    }
    const refused = (why: string) => {
      this.lastReason = `: ${why}`
    }
    return listen(at, takeSocket(this.tls, arrive, refused), { allowHalfOpen: true }).pipe(
      Effect.map((listening) => {
        this.listening = listening
      }),
      Effect.mapError((failed) => ({ says: failed.message }))
    )
  }

  /** Takes no more connections; those that nobody accepted are reset. */
  stopListening(): void {
    this.listening?.close()
    this.listening = undefined
    for (const { raw } of this.arrived.splice(0)) raw.resetAndDestroy()
  }

  /** The next connection that was made to us. */
  accept(limitMs: number): Effect.Effect<void, WireFailed> {
    return Effect.callback<void>((resume) => {
      const taken = () => {
        const open = this.arrived.shift()
        if (open === undefined) return false
        this.onArrival = undefined
        this.take(open)
        open.socket.resume()
        resume(Effect.void)
        return true
      }
      if (!taken()) this.onArrival = taken
      return Effect.sync(() => {
        this.onArrival = undefined
      })
    }).pipe(
      Effect.timeoutOrElse({
        duration: limitMs,
        orElse: () => Effect.fail({ says: `nobody connected in ${limitMs} ms${this.lastReason}` })
      })
    )
  }

  /** Gives bytes to the kernel. Bytes for a connection that has ended go nowhere, as on a real line. */
  write(bytes: Buffer): void {
    if (this.socket?.writable === true) this.socket.write(bytes)
  }

  /** Ends the connection. FIN leaves the other direction open until the far side closes it. */
  close(how: "FIN" | "RST"): void {
    const { socket } = this
    if (socket === undefined) return
    if (how === "FIN") socket.end()
    else {
      this.raw?.resetAndDestroy()
      this.socket = undefined
    }
  }

  /** Ends everything, whatever was open. */
  destroy(): void {
    this.stopListening()
    this.raw?.resetAndDestroy()
    this.socket = undefined
  }

  private take({ raw, socket }: OpenSocket): void {
    this.socket = socket
    this.raw = raw
    const framer = new Framer(this.form.frame)
    let hasEnded = false
    const end = (how: End, cause: string) => {
      if (hasEnded) return
      hasEnded = true
      this.on({ _tag: "ended", at: this.now(), how: this.socket === socket ? how : "local", cause })
    }
    raw.setNoDelay(true)
    socket.on("data", (chunk: Buffer) => this.received(framer, chunk))
    socket.on("end", () => end("FIN", ""))
    socket.on("error", (error: NodeJS.ErrnoException) => end("RST", error.code ?? error.message))
    socket.on("close", () => end("local", ""))
    this.on({ _tag: "opened", at: this.now(), remote: `${raw.remoteAddress}:${raw.remotePort}` })
  }

  private received(framer: Framer, chunk: Buffer): void {
    const at = this.now()
    const error = framer.push(chunk, {
      frame: (buffer, start, end) => this.on({ _tag: "message", at, bytes: Buffer.from(buffer.subarray(start, end)) }),
      idle: (buffer, start, end) => this.on({ _tag: "idle", at, bytes: Buffer.from(buffer.subarray(start, end)) })
    })
    if (error !== undefined) this.on({ _tag: "garbage", at, bytes: chunk, error })
  }
}
