/**
 * Cuts a stream of chunks into frames, whatever the chunks' borders. It keeps at most one partial frame, of a length that was
 * checked before room for it was made; time is linear in the bytes. A framer serves one connection and is finished after its
 * first error.
 */
import { hex, toHex } from "../encoding/Hex.ts"
import type { FrameError } from "./FrameError.ts"
import { type FrameFormat, type LengthHeader, type LengthShape, readLength, shapeOf, xor } from "./FrameFormat.ts"
import { DelimiterReader, FixedReader, SingleReadReader, UntilCloseReader } from "./FrameReaders.ts"
import type { FrameReader, FrameSink } from "./FrameSink.ts"

const readerOf = (format: FrameFormat): FrameReader => {
  const limit = format.kind === "fixed" ? format.bytes : format.lengthMax
  if (!(Number.isInteger(limit) && limit >= 1)) throw new TypeError(`frame ${format.kind}: at least 1 byte is expected`)
  switch (format.kind) {
    case "length":
      return new LengthReader(format)
    case "fixed":
      return new FixedReader(format)
    case "delimiter":
      return new DelimiterReader(format, hex(format.delimiter))
    case "until-close":
      return new UntilCloseReader(format)
    case "single-read":
      return new SingleReadReader(format)
  }
}

/** Cuts chunks into frames; see the module header. */
export class Framer {
  readonly #reader: FrameReader
  #error: FrameError | undefined

  /** Throws a `TypeError` when the format makes no sense. */
  constructor(format: FrameFormat) {
    this.#reader = readerOf(format)
  }

  /**
   * Feeds one chunk, which must not be changed afterwards. The sink is called for each whole frame in order. Gives the error
   * that finished the framer, now or before.
   */
  push(chunk: Uint8Array, sink: FrameSink): FrameError | undefined {
    if (this.#error !== undefined) return this.#error
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    this.#error = this.#reader.push(buffer, sink)
    return this.#error
  }

  /** The connection ended in order: an open frame is truncated, or (until-close) complete. */
  end(sink: FrameSink): FrameError | undefined {
    this.#error ??= this.#reader.end(sink)
    return this.#error
  }

  /** Bytes of the partial frame held now; 0 between frames. */
  get open(): number {
    return this.#reader.open
  }
}

/** Frames with a length header. */
class LengthReader implements FrameReader {
  readonly #format: LengthHeader
  readonly #shape: LengthShape
  /** The open frame: its header while that is incomplete, then the whole frame in its own buffer. */
  #frame: Buffer
  readonly #header: Buffer
  #held = 0
  /** Bytes of the open frame; 0: not known yet. */
  #size = 0
  #offset = 0

  constructor(format: LengthHeader) {
    this.#format = format
    this.#shape = shapeOf(format)
    this.#header = Buffer.alloc(this.#shape.headerBytes)
    this.#frame = this.#header
  }

  get open(): number {
    return this.#held
  }

  push(chunk: Buffer, sink: FrameSink): FrameError | undefined {
    let at = 0
    if (this.#held > 0) {
      const taken = this.#resume(chunk, sink)
      if (typeof taken !== "number") return taken
      if (this.#held > 0) return undefined
      at = taken
    }
    const { headerBytes } = this.#shape
    while (chunk.length - at >= headerBytes) {
      const size = this.#sizeAt(chunk, at)
      if (typeof size !== "number") return size
      if (chunk.length - at < size) {
        this.#size = size
        this.#frame = Buffer.allocUnsafeSlow(size)
        break
      }
      const error = this.#emit(chunk, at, size, sink)
      if (error !== undefined) return error
      at += size
    }
    if (at < chunk.length) this.#held = chunk.copy(this.#frame, 0, at)
    return undefined
  }

  /** Adds to the open frame; gives the bytes taken from the chunk. */
  #resume(chunk: Buffer, sink: FrameSink): number | FrameError {
    let at = 0
    if (this.#size === 0) {
      at = chunk.copy(this.#header, this.#held)
      this.#held += at
      if (this.#held < this.#shape.headerBytes) return at
      const size = this.#sizeAt(this.#header, 0)
      if (typeof size !== "number") return size
      this.#size = size
      this.#frame = Buffer.allocUnsafeSlow(size)
      this.#header.copy(this.#frame)
    }
    const taken = chunk.copy(this.#frame, this.#held, at)
    this.#held += taken
    if (this.#held < this.#size) return at + taken
    const frame = this.#frame
    this.#frame = this.#header
    this.#held = 0
    this.#size = 0
    return this.#emit(frame, 0, frame.length, sink) ?? at + taken
  }

  /** Bytes of the whole frame whose header stands at `at`. */
  #sizeAt(buffer: Buffer, at: number): number | FrameError {
    const { before, headerBytes, trailerBytes, surplus, times, idle } = this.#shape
    for (let index = 0; index < before.length; index++)
      if (buffer[at + index] !== before[index]) return this.#invalid("before", buffer, at)
    const said = readLength(this.#format, buffer, at + before.length)
    if (said < 0) return this.#invalid("length-digits", buffer, at)
    if (said === 0 && idle !== undefined && surplus !== 0) return headerBytes + trailerBytes
    const length = said / times - surplus
    if (length < 0 || !Number.isInteger(length) || (length === 0 && idle === undefined))
      return this.#invalid("length-small", buffer, at)
    if (length > this.#format.lengthMax) return this.#invalid("length-max", buffer, at)
    return headerBytes + length + trailerBytes
  }

  #emit(buffer: Buffer, at: number, size: number, sink: FrameSink): FrameError | undefined {
    const { headerBytes, trailerBytes, idle } = this.#shape
    const start = at + headerBytes
    const end = at + size - trailerBytes
    if (trailerBytes > 0 && !this.#trailerIs(buffer, at, end)) return this.#invalid("trailer", buffer, at)
    this.#offset += size
    if (idle !== undefined && isIdle(idle, buffer, start, end)) sink.idle(buffer, at, at + size)
    else sink.frame(buffer, start, end)
    return undefined
  }

  #trailerIs(buffer: Buffer, at: number, end: number): boolean {
    const { trailer, lrc, before } = this.#shape
    for (let index = 0; index < trailer.length; index++) if (buffer[end + index] !== trailer[index]) return false
    return !lrc || buffer[end + 1] === xor(buffer, at + before.length, end + 1)
  }

  #invalid(rule: FrameError["rule"], buffer: Buffer, at: number): FrameError {
    const first = toHex(buffer, at, at + Math.min(this.#shape.headerBytes, 32))
    return { _tag: rule === "length-max" ? "FrameTooLong" : "LengthInvalid", offset: this.#offset, rule, first }
  }

  end(): FrameError | undefined {
    if (this.#held === 0) return undefined
    const first = toHex(this.#frame, 0, Math.min(this.#held, this.#shape.headerBytes, 32))
    return { _tag: "FrameTruncated", offset: this.#offset, rule: "end", first }
  }
}

/** A zero length is idle wherever idle frames are agreed (domain.md 2.3: it is swallowed). */
const isIdle = (idle: Uint8Array, buffer: Buffer, start: number, end: number): boolean => {
  if (end - start === 0) return true
  if (end - start !== idle.length) return false
  for (let index = 0; index < idle.length; index++) if (buffer[start + index] !== idle[index]) return false
  return true
}
