/**
 * One connection of a load: frames written straight into a slab, one write a turn, and whole messages read.
 *
 * Owns the socket, dialling it again when it falls, and the slab. What is written and what an answer means is its owner's. A
 * short one is dialled for what is written and stays until its owner hangs up.
 */
import type { Socket } from "node:net"
import { type FrameFormat, Framer, idleFrame } from "@jinka/codec"
import type { Endpoint } from "./Listener.ts"
import { dialSocket, type TlsMaterial } from "./TlsSide.ts"

/** Where a connection goes. */
export interface LoadTarget {
  readonly connect: Endpoint
  readonly tls?: TlsMaterial | undefined
  /** A connection for each exchange, instead of one that stays. */
  readonly isShort?: boolean | undefined
}

/** What a connection tells its owner. */
export interface LoadEnd {
  readonly up: () => void
  readonly down: (reason: string) => void
  readonly message: (buffer: Buffer, start: number, end: number) => void
}

/** Bytes of one slab. */
const SLAB_BYTES = 262_144

/** Bytes that the kernel has not taken, above which nothing more is written: the generator waits, and its lag shows it. */
const UNSENT_MAX = 8 * 1024 * 1024

/** Milliseconds to wait before dialling again, and for a connection to come up. */
const REDIAL_MS = 200
const DIAL_TIMEOUT_MS = 5000

/** One connection; see the module header. Call `tick` often. */
export class LoadLink {
  private readonly to: LoadTarget
  private readonly frame: FrameFormat
  private readonly owner: LoadEnd
  private readonly idle: Buffer | undefined
  private socket: Socket | undefined
  private isUp = false
  private dialAt = 0
  private reason = "closed by the far side"
  private slab = Buffer.allocUnsafe(SLAB_BYTES)
  private from = 0
  private filled = 0
  private isClosed = false

  constructor(to: LoadTarget, frame: FrameFormat, owner: LoadEnd) {
    this.to = to
    this.frame = frame
    this.owner = owner
    this.idle = idleFrame(frame)
  }

  get isReady(): boolean {
    if (this.to.isShort === true) return this.socket === undefined && !this.isClosed
    return this.isUp && (this.socket?.writableLength ?? UNSENT_MAX) < UNSENT_MAX
  }

  /** Room for so many bytes: the buffer and where to write. What was written is told by `wrote`. */
  room(bytes: number): { readonly out: Buffer; readonly at: number } {
    if (this.filled + bytes > this.slab.length) {
      this.flush()
      this.slab = Buffer.allocUnsafe(Math.max(SLAB_BYTES, bytes))
      this.from = this.filled = 0
    }
    return { out: this.slab, at: this.filled }
  }

  /** So many bytes were written into the room. */
  wrote(bytes: number): void {
    this.filled += bytes
  }

  /** Gives what has gathered to the kernel. */
  flush(): void {
    if (this.from === this.filled) return
    const bytes = this.slab.subarray(this.from, this.filled)
    this.from = this.filled
    if (this.to.isShort === true && this.socket === undefined) this.dial()
    // What is written while it is dialled waits in the socket.
    if (this.socket?.writable === true) this.socket.write(bytes)
  }

  /** The exchange of a short connection is over. */
  hangUp(): void {
    if (this.isUp) this.socket?.end()
    else this.socket?.destroy()
  }

  /** Sends an idle frame, where the link has one. */
  sendIdle(): void {
    if (this.idle !== undefined && this.isUp) this.socket?.write(this.idle)
  }

  /** Dials when it is time to. */
  tick(now: number): void {
    if (this.to.isShort === true || this.isClosed || this.socket !== undefined || now < this.dialAt) return
    this.dialAt = now + REDIAL_MS
    this.dial()
  }

  /** Ends it for good. */
  close(): void {
    this.isClosed = true
    this.flush()
    this.socket?.destroySoon()
  }

  private dial(): void {
    const { connect: at, tls } = this.to
    const { isUpAt, raw, socket } = dialSocket(at, tls, { allowHalfOpen: false }, (error) => {
      this.reason = error.code ?? error.message
    })
    this.socket = socket
    const framer = new Framer(this.frame)
    raw.setTimeout(DIAL_TIMEOUT_MS, () => {
      if (!this.isUp) raw.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }))
    })
    socket.on(isUpAt, () => {
      this.isUp = true
      this.reason = "closed by the far side"
      this.owner.up()
    })
    socket.on("data", (chunk: Buffer) => {
      const error = framer.push(chunk, { frame: this.owner.message, idle: () => undefined })
      if (error !== undefined) this.end(socket, `frame refused: ${error._tag}`)
    })
    socket.on("close", () => this.fell(socket))
  }

  private end(socket: Socket, reason: string): void {
    socket.destroy()
    this.reason = reason
  }

  private fell(socket: Socket): void {
    if (this.socket !== socket) return
    this.socket = undefined
    this.isUp = false
    this.from = this.filled
    // What we close ourselves did not fall.
    if (!this.isClosed) this.owner.down(this.reason)
  }
}
