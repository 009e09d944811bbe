/**
 * Writes of one socket, gathered per turn of the event loop.
 *
 * Owns the slab that frames are written into and the one `write` per turn (a system call costs more than a message).
 * Bytes given to the socket are never touched again: the slab's next part is used, then a new slab.
 */
import type { PartnerSocket } from "./Sockets.ts"

/** Bytes of one slab; a larger message gets a slab of its own. */
const SLAB_SIZE = 65_536

/** Gathers frames and writes them at the end of the turn. */
export class Outbox {
  private readonly socket: Pick<PartnerSocket, "writable" | "write">
  private slab = Buffer.allocUnsafe(SLAB_SIZE)
  private from = 0
  private to = 0
  private isScheduled = false
  private readonly onFlush: () => void
  private readonly atTurnEnd: (act: () => void) => void

  constructor(
    socket: Pick<PartnerSocket, "writable" | "write">,
    onFlush: () => void = () => undefined,
    atTurnEnd: (act: () => void) => void = queueMicrotask
  ) {
    this.socket = socket
    this.onFlush = onFlush
    this.atTurnEnd = atTurnEnd
  }

  /** Copies the bytes; they leave with this turn's write. */
  add(bytes: Uint8Array): void {
    if (this.to + bytes.length > this.slab.length) this.renew(bytes.length)
    this.slab.set(bytes, this.to)
    this.to += bytes.length
    if (this.isScheduled) return
    this.isScheduled = true
    this.atTurnEnd(() => this.flush())
  }

  /** Writes what has gathered. */
  flush(): void {
    this.isScheduled = false
    if (this.from === this.to) return
    const bytes = this.slab.subarray(this.from, this.to)
    this.from = this.to
    if (this.socket.writable) {
      this.socket.write(bytes)
      this.onFlush()
    }
  }

  private renew(needed: number): void {
    this.flush()
    this.slab = Buffer.allocUnsafe(Math.max(SLAB_SIZE, needed))
    this.from = 0
    this.to = 0
  }
}
