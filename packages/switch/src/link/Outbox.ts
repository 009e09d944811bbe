/**
 * The bytes that wait to be written on one connection: whole frames, in order, in one buffer.
 *
 * Frames are built in place and leave together: one write for all that gathered while the last write ran. An outbox belongs to
 * one connection epoch and dies with it, so nothing that was meant for a broken connection can leave on the next one
 * (docs/decisions/0002-connection-epochs.md).
 */
import { Effect } from "effect"

/** Room of each buffer before it has to grow. */
const START_BYTES = 16 * 1024
const SHORT_START_BYTES = 1024

/** A buffer that a burst has made larger than this is not kept for the next one. */
const KEEP_BYTES = 1 << 20

/** Builds frames and hands them to the sender fiber. Two buffers take turns: one fills while the other is being written. */
export class Outbox {
  private readonly startBytes: number
  private filling: Buffer
  private resting: Buffer | undefined
  private used = 0
  private sender: ((go: Effect.Effect<void>) => void) | undefined

  /** `isShort`: it carries a message or two and is thrown away. */
  constructor(isShort = false) {
    this.startBytes = isShort ? SHORT_START_BYTES : START_BYTES
    this.filling = Buffer.allocUnsafeSlow(this.startBytes)
  }

  /** Room for a frame of at most `length` bytes; returns its offset in `buffer`, which may change with this call. */
  begin(length: number): number {
    if (this.used + length > this.filling.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.used + length))
      this.filling.copy(larger, 0, 0, this.used)
      this.filling = larger
    }
    return this.used
  }

  /** Where `begin` gave room. */
  get buffer(): Buffer {
    return this.filling
  }

  /** The frame begun last is whole and has `length` bytes. */
  end(length: number): void {
    this.used += length
  }

  /** Bytes that no write has taken yet. */
  get waiting(): number {
    return this.used
  }

  /** Wakes the sender if there is something to write. Called once for all frames of one turn. */
  flush(): void {
    const sender = this.sender
    if (sender === undefined || this.used === 0) return
    this.sender = undefined
    sender(Effect.void)
  }

  /** All waiting bytes, or `undefined`. Give them back by `written` when the kernel has them. */
  take(): Buffer | undefined {
    if (this.used === 0) return undefined
    const bytes = this.filling.subarray(0, this.used)
    this.filling = this.resting ?? Buffer.allocUnsafeSlow(this.startBytes)
    this.resting = undefined
    this.used = 0
    return bytes
  }

  /** The buffer of a finished write, to be filled again. */
  written(bytes: Buffer): void {
    if (bytes.buffer.byteLength > KEEP_BYTES) return
    this.resting = Buffer.from(bytes.buffer, 0, bytes.buffer.byteLength)
  }

  /** Waits until there is something to write. */
  readonly wait: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.used > 0) return resume(Effect.void)
    this.sender = resume
    return Effect.sync(() => {
      this.sender = undefined
    })
  })
}
