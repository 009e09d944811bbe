/**
 * One connection of a load that is up: frames written straight into a slab, one write a turn, and whole messages read.
 *
 * Owns the socket and the slab. How it came up, what is written and what an answer means is its owner's.
 */
import { type FrameFormat, Framer, idleFrame } from "@jinka/codec"
import type { PartnerEnd } from "./Sockets.ts"

/** What messages are written on, whatever connections carry them. */
export interface Outlet {
  /** Whether a message may be written now. */
  readonly isReady: boolean
  /** Room for so many bytes: the buffer and where to write. What was written is told by `wrote`. */
  readonly room: (bytes: number) => Room
  /** So many bytes were written into the room: one message. `stan` is what its owner calls it when it is lost. */
  readonly wrote: (bytes: number, stan?: number) => void
  /** Gives what has gathered to the kernel. */
  readonly flush: () => void
  /** Looks after time: idle frames, silence. */
  readonly tick: (now: number) => void
  /** What was written has its answer, or is not waited for any more. */
  readonly hangUp: () => void
}

/** Where to write. */
export interface Room {
  readonly out: Buffer
  readonly at: number
}

/** What a connection tells its owner. */
export interface LineOwner {
  readonly message: (buffer: Buffer, start: number, end: number) => void
  /** Told once. */
  readonly down: (line: LoadLine, reason: string) => void
}

/** Times of a connection in milliseconds; `Infinity` for never. */
export interface LineTimes {
  /** Send an idle frame after this long without sending anything. */
  readonly idleMs: number
  /** Close the connection after this long without receiving anything. */
  readonly silenceMs: number
}

/** Bytes of one slab. */
const SLAB_BYTES = 262_144

/** Bytes that the kernel has not taken, above which nothing more is written: requests wait, and their latencies show it. */
const UNSENT_MAX = 8 * 1024 * 1024

/**
 * Reads whole messages from a connection until it ends. `refused` hears why its bytes are no frames: nothing more is read then.
 */
export const readMessages = (
  { raw, socket }: PartnerEnd,
  frame: FrameFormat,
  message: LineOwner["message"],
  refused: (reason: string) => void
): void => {
  const framer = new Framer(frame)
  const sink = { frame: message, idle: () => undefined }
  raw.setNoDelay(true)
  socket.on("data", (chunk: Buffer) => {
    const error = framer.push(chunk, sink)
    if (error !== undefined) refused(`frame refused: ${error._tag}`)
  })
  socket.on("end", () => framer.end(sink))
}

/** Bytes written one after another, taken in pieces that nothing overwrites. */
export class Slab {
  private bytes = Buffer.allocUnsafe(SLAB_BYTES)
  private from = 0
  private filled = 0

  /** Whether the room is too small for so many bytes: then `take` first. */
  isShort(bytes: number): boolean {
    return this.filled + bytes > this.bytes.length
  }

  room(bytes: number): Room {
    if (this.isShort(bytes)) {
      this.bytes = Buffer.allocUnsafe(Math.max(SLAB_BYTES, bytes))
      this.from = this.filled = 0
    }
    return { out: this.bytes, at: this.filled }
  }

  wrote(bytes: number): void {
    this.filled += bytes
  }

  /** What was written since it was taken last; `undefined` for nothing. */
  take(): Buffer | undefined {
    if (this.from === this.filled) return undefined
    const piece = this.bytes.subarray(this.from, this.filled)
    this.from = this.filled
    return piece
  }
}

/** One connection; see the module header. Call `tick` and `flush` often. */
export class LoadLine implements Outlet {
  private readonly end: PartnerEnd
  private readonly times: LineTimes
  private readonly idle: Buffer | undefined
  private readonly slab = new Slab()
  private isClosing = false
  private reason = "closed by the far side"
  private hasSent = true
  private hasHeard = true
  private lastSent = 0
  private lastHeard = 0

  constructor(end: PartnerEnd, frame: FrameFormat, times: LineTimes, owner: LineOwner) {
    this.end = end
    this.times = times
    this.idle = idleFrame(frame)
    const { socket } = end
    socket.on("data", () => {
      this.hasHeard = true
    })
    readMessages(end, frame, owner.message, (reason) => this.fail(reason))
    socket.on("end", () => this.socketEnds())
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!this.isClosing) this.reason = error.code ?? error.message
    })
    socket.on("close", () => owner.down(this, this.reason))
  }

  get isReady(): boolean {
    return !this.isClosing && this.end.socket.writable && this.end.socket.writableLength < UNSENT_MAX
  }

  room(bytes: number): Room {
    if (this.slab.isShort(bytes)) this.flush()
    return this.slab.room(bytes)
  }

  wrote(bytes: number): void {
    this.slab.wrote(bytes)
  }

  flush(): void {
    const piece = this.slab.take()
    if (piece === undefined || !this.end.socket.writable) return
    this.hasSent = true
    this.end.socket.write(piece)
  }

  tick(now: number): void {
    if (this.hasHeard) this.lastHeard = now
    if (this.hasSent) this.lastSent = now
    this.hasHeard = this.hasSent = false
    if (now - this.lastHeard >= this.times.silenceMs) return this.fail("the far side is silent")
    if (this.idle === undefined || now - this.lastSent < this.times.idleMs || this.isClosing) return
    this.hasSent = true
    this.end.socket.write(this.idle)
  }

  /** Nothing: the connection stays. */
  hangUp(): void {}

  /** Closes it behind what was written. */
  close(reason: string): void {
    if (this.isClosing) return
    this.flush()
    this.isClosing = true
    this.reason = reason
    this.end.socket.destroySoon()
  }

  private fail(reason: string): void {
    if (this.isClosing) return
    this.isClosing = true
    this.reason = reason
    this.end.raw.resetAndDestroy()
  }

  /** The far side sends nothing more: a connection that stays is over. */
  private socketEnds(): void {
    if (!this.isClosing) this.end.socket.destroySoon()
  }
}
