/**
 * One connection that is dialled, again and again, or that the far side makes, for programs that are told the time.
 *
 * Owns dialling. The connection itself is LoadLine; what is written and what an answer means is its owner's.
 */
import type { Socket } from "node:net"
import type { FrameFormat } from "@jinka/codec"
import type { Endpoint } from "./Listener.ts"
import { LoadLine, type Room } from "./LoadLine.ts"
import type { PartnerEnd } from "./Sockets.ts"
import { dialSocket, type TlsMaterial } from "./TlsSide.ts"

/** Where a connection goes. */
export interface LoadTarget {
  readonly connect: Endpoint
  readonly tls?: TlsMaterial | undefined
}

/** What a connection tells its owner. */
export interface LoadEnd {
  readonly up: () => void
  readonly down: (reason: string) => void
  readonly message: (buffer: Buffer, start: number, end: number) => void
}

/** Milliseconds to wait before dialling again, and for a connection to come up. */
const REDIAL_MS = 200
const DIAL_TIMEOUT_MS = 5000

/** One that is never silent for too long, and sends no idle frames. */
const noTimes = { idleMs: Number.POSITIVE_INFINITY, silenceMs: Number.POSITIVE_INFINITY }

/** One connection; see the module header. Call `tick` often. */
export class LoadLink {
  private readonly to: LoadTarget | undefined
  private readonly frame: FrameFormat
  private readonly owner: LoadEnd
  private dialling: Socket | undefined
  private line: LoadLine | undefined
  private dialAt = 0
  private isClosed = false

  /** `to` left out: whoever listens gives it the far side's connections by `take`. */
  constructor(to: LoadTarget | undefined, frame: FrameFormat, owner: LoadEnd) {
    this.to = to
    this.frame = frame
    this.owner = owner
  }

  get isReady(): boolean {
    return this.line?.isReady === true
  }

  /** Room for so many bytes on a connection that is ready. What was written is told by `wrote`. */
  room(bytes: number): Room {
    return this.line!.room(bytes)
  }

  /** So many bytes were written into the room. */
  wrote(bytes: number): void {
    this.line?.wrote(bytes)
  }

  /** Gives what has gathered to the kernel. */
  flush(): void {
    this.line?.flush()
  }

  /** Dials when it is time to. */
  tick(now: number): void {
    this.line?.tick(now)
    const { to } = this
    if (to === undefined || this.isClosed || this.line !== undefined || this.dialling !== undefined) return
    if (now < this.dialAt) return
    this.dialAt = now + REDIAL_MS
    this.dial(to)
  }

  /** A connection that the far side has made; it takes the place of the one before, whose end may not have been seen yet. */
  take(end: PartnerEnd): void {
    if (this.isClosed) return void end.raw.resetAndDestroy()
    const before = this.line
    this.opened(end)
    before?.close("another connection came")
  }

  /** Ends it for good. */
  close(): void {
    this.isClosed = true
    this.line?.close("closed")
    this.dialling?.destroy()
  }

  private opened(end: PartnerEnd): void {
    this.line = new LoadLine(end, this.frame, noTimes, {
      message: this.owner.message,
      down: (line, why) => (line === this.line ? this.fell(why) : undefined)
    })
    this.owner.up()
  }

  private dial({ connect: at, tls }: LoadTarget): void {
    let reason = "closed by the far side"
    const { isUpAt, raw, socket } = dialSocket(at, tls, { allowHalfOpen: false }, (error) => {
      reason = error.code ?? error.message
    })
    this.dialling = socket
    raw.setTimeout(DIAL_TIMEOUT_MS, () => {
      if (this.dialling === socket) raw.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }))
    })
    socket.once(isUpAt, () => {
      this.dialling = undefined
      this.opened({ raw, socket })
    })
    socket.once("close", () => {
      if (this.dialling !== socket) return
      this.dialling = undefined
      this.fell(reason)
    })
  }

  private fell(reason: string): void {
    this.line = undefined
    // What we close ourselves did not fall.
    if (!this.isClosed) this.owner.down(reason)
  }
}
