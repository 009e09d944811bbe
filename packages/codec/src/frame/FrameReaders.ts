/**
 * Readers of frames without a length header: fixed size, delimiter, until close, single read. All keep at most one partial
 * frame within the link's limit; time is linear.
 */
import type { FrameError, FrameRule } from "./FrameError.ts"
import type { DelimiterFrame, FixedFrame, SingleReadFrame, UntilCloseFrame } from "./FrameFormat.ts"
import type { FrameReader, FrameSink } from "./FrameSink.ts"

const error = (tag: FrameError["_tag"], offset: number, rule: FrameRule): FrameError => ({
  _tag: tag,
  offset,
  rule,
  first: ""
})

/** Bytes that grow by doubling, up to a limit that the caller keeps. */
class Gathered {
  private buffer = Buffer.alloc(0)
  length = 0

  add(chunk: Buffer, from: number, to: number): void {
    const needed = this.length + to - from
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffer.length, 256))
      this.buffer.copy(grown, 0, 0, this.length)
      this.buffer = grown
    }
    this.length += chunk.copy(this.buffer, this.length, from, to)
  }

  /** Gives the bytes away and starts again. */
  take(): Buffer {
    const taken = this.buffer.subarray(0, this.length)
    this.buffer = Buffer.alloc(0)
    this.length = 0
    return taken
  }

  at(index: number): number {
    return this.buffer[index]!
  }
}

/** Messages of one size. */
export class FixedReader implements FrameReader {
  private readonly bytes: number
  private readonly held = new Gathered()
  private offset = 0

  constructor({ bytes }: FixedFrame) {
    this.bytes = bytes
  }

  get open(): number {
    return this.held.length
  }

  push(chunk: Buffer, sink: FrameSink): FrameError | undefined {
    let at = 0
    if (this.held.length > 0) {
      at = Math.min(this.bytes - this.held.length, chunk.length)
      this.held.add(chunk, 0, at)
      if (this.held.length < this.bytes) return undefined
      sink.frame(this.held.take(), 0, this.bytes)
      this.offset += this.bytes
    }
    for (; chunk.length - at >= this.bytes; at += this.bytes) {
      sink.frame(chunk, at, at + this.bytes)
      this.offset += this.bytes
    }
    if (at < chunk.length) this.held.add(chunk, at, chunk.length)
    return undefined
  }

  end(): FrameError | undefined {
    return this.held.length === 0 ? undefined : error("FrameTruncated", this.offset, "end")
  }
}

/** Messages that end with fixed bytes. */
export class DelimiterReader implements FrameReader {
  private readonly format: DelimiterFrame
  private readonly delimiter: Uint8Array
  private readonly held = new Gathered()
  private offset = 0

  constructor(format: DelimiterFrame, delimiter: Uint8Array) {
    if (delimiter.length < 1 || delimiter.length > 8) throw new TypeError("delimiter: 1..8 bytes expected")
    this.format = format
    this.delimiter = delimiter
  }

  get open(): number {
    return this.held.length
  }

  push(chunk: Buffer, sink: FrameSink): FrameError | undefined {
    const last = this.delimiter.at(-1)!
    let from = 0
    for (let at = chunk.indexOf(last); at >= 0; at = chunk.indexOf(last, at + 1)) {
      if (!this.endsAt(chunk, from, at)) continue
      const failed = this.emit(chunk, from, at + 1, sink)
      if (failed !== undefined) return failed
      from = at + 1
    }
    if (this.held.length + chunk.length - from > this.format.lengthMax + this.delimiter.length - 1)
      return error("FrameTooLong", this.offset, "length-max")
    if (from < chunk.length) this.held.add(chunk, from, chunk.length)
    return undefined
  }

  /** Whether the delimiter's last byte at `at` ends a delimiter that begins in this chunk or in what is held. */
  private endsAt(chunk: Buffer, from: number, at: number): boolean {
    for (let index = 0; index < this.delimiter.length; index++) {
      const place = at - this.delimiter.length + 1 + index
      const held = this.held.length + place - from
      if (held < 0) return false
      if ((place >= from ? chunk[place] : this.held.at(held)) !== this.delimiter[index]) return false
    }
    return true
  }

  private emit(chunk: Buffer, from: number, to: number, sink: FrameSink): FrameError | undefined {
    const size = this.held.length + to - from
    const length = size - this.delimiter.length
    if (length > this.format.lengthMax) return error("FrameTooLong", this.offset, "length-max")
    let frame = chunk
    let start = from
    if (this.held.length > 0) {
      this.held.add(chunk, from, to)
      frame = this.held.take()
      start = 0
    }
    this.offset += size
    if (length === 0 && this.format.idle === "zero-length") sink.idle(frame, start, start + size)
    else sink.frame(frame, start, start + length)
    return undefined
  }

  end(): FrameError | undefined {
    return this.held.length === 0 ? undefined : error("FrameTruncated", this.offset, "end")
  }
}

/** One message, to the end of the connection. */
export class UntilCloseReader implements FrameReader {
  private readonly lengthMax: number
  private readonly held = new Gathered()

  constructor({ lengthMax }: UntilCloseFrame) {
    this.lengthMax = lengthMax
  }

  get open(): number {
    return this.held.length
  }

  push(chunk: Buffer): FrameError | undefined {
    if (this.held.length + chunk.length > this.lengthMax) return error("FrameTooLong", 0, "length-max")
    this.held.add(chunk, 0, chunk.length)
    return undefined
  }

  end(sink: FrameSink): FrameError | undefined {
    if (this.held.length === 0) return undefined
    const frame = this.held.take()
    sink.frame(frame, 0, frame.length)
    return undefined
  }
}

/** One message for each chunk. */
export class SingleReadReader implements FrameReader {
  private readonly lengthMax: number
  readonly open = 0
  private offset = 0

  constructor({ lengthMax }: SingleReadFrame) {
    this.lengthMax = lengthMax
  }

  push(chunk: Buffer, sink: FrameSink): FrameError | undefined {
    if (chunk.length > this.lengthMax) return error("FrameTooLong", this.offset, "length-max")
    this.offset += chunk.length
    if (chunk.length > 0) sink.frame(chunk, 0, chunk.length)
    return undefined
  }

  end(): FrameError | undefined {
    return undefined
  }
}
