/**
 * One direction of a proxied connection.
 *
 * Owns the bytes between reading them on one side and writing them on the other, and what faults do to them in
 * between. Order is always kept; only a black hole loses bytes, and a stream that lost bytes never carries any again.
 */
import type { Socket } from "node:net"

/** What is done to one direction now. */
export interface FlowFaults {
  /** Milliseconds that every byte is held back. */
  readonly delay: number
  /** Largest write in bytes, one write a tick; 0: as they come. */
  readonly slice: number
  /** Bytes wait until this ends: a partition that heals. */
  readonly isHeld: boolean
  /** Bytes disappear: a partition that does not heal. */
  readonly isBlackHole: boolean
}

/** No fault. */
export const noFlowFaults: FlowFaults = { delay: 0, slice: 0, isHeld: false, isBlackHole: false }

/** Bytes that wait in a flow before its source is no longer read. */
const WAITING_MAX = 4 * 1024 * 1024

/** Moves bytes from one socket to another. Times in monotonic milliseconds. */
export class FaultFlow {
  private readonly source: Socket
  private readonly target: Socket
  private readonly queue: Array<{ readonly due: number; bytes: Buffer }> = []
  private waiting = 0
  private isEnded = false
  private isEndSent = false
  private lost = 0

  constructor(source: Socket, target: Socket, faults: () => FlowFaults, now: () => number) {
    this.source = source
    this.target = target
    source.on("data", (bytes: Buffer) => this.take(bytes, faults(), now()))
    source.on("end", () => {
      this.isEnded = true
      this.pump(faults(), now())
    })
    target.on("drain", () => this.resume())
  }

  /** Bytes that a black hole has swallowed. */
  get swallowed(): number {
    return this.lost
  }

  /** Writes what is due; called every tick. */
  pump(faults: FlowFaults, now: number): void {
    if (faults.isHeld || faults.isBlackHole) return
    while (this.queue.length > 0 && this.queue[0]!.due <= now) {
      if (faults.slice > 0) {
        this.writeSlice(faults.slice)
        return
      }
      const { bytes } = this.queue.shift()!
      this.write(bytes)
    }
    this.resume()
    if (!this.isEnded || this.isEndSent || this.queue.length > 0) return
    this.isEndSent = true
    this.target.end()
  }

  private take(bytes: Buffer, faults: FlowFaults, now: number): void {
    if (faults.isBlackHole || this.lost > 0) {
      this.lost += bytes.length
      return
    }
    this.queue.push({ due: now + faults.delay, bytes })
    this.waiting += bytes.length
    if (this.waiting > WAITING_MAX) this.source.pause()
    // With a slice the tick sets the pace, otherwise reads would be joined again.
    if (faults.slice === 0) this.pump(faults, now)
  }

  private writeSlice(slice: number): void {
    const first = this.queue[0]!
    const bytes = first.bytes.subarray(0, slice)
    first.bytes = first.bytes.subarray(slice)
    if (first.bytes.length === 0) this.queue.shift()
    this.write(bytes)
  }

  private write(bytes: Buffer): void {
    this.waiting -= bytes.length
    if (this.target.writable && !this.target.write(bytes)) this.source.pause()
  }

  private resume(): void {
    if (this.waiting <= WAITING_MAX && !this.target.writableNeedDrain && this.source.isPaused()) this.source.resume()
  }
}
