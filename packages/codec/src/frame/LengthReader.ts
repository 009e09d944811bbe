/**
 * Reads frames with a length header. It keeps at most one partial frame, of a length that was checked before room for it was
 * made; time is linear.
 */
import { coverRunsOfHex } from "../cover/DigitRuns.ts"
import { readNumber } from "../encoding/Digits.ts"
import { toHex } from "../encoding/Hex.ts"
import type { FrameError } from "./FrameError.ts"
import type { LengthHeader } from "./FrameFormat.ts"
import { idleBytes, isIdleText, type LengthShape, messageBytes, shapeOf, xor } from "./FrameShape.ts"
import type { FrameReader, FrameSink } from "./FrameSink.ts"

/** Frames with a length header. */
export class LengthReader implements FrameReader {
  private readonly format: LengthHeader
  private readonly shape: LengthShape
  /** The open frame: its bytes up to the length while that is incomplete, then the whole frame in its own buffer. */
  private frame: Buffer
  private readonly header: Buffer
  private held = 0
  /** Bytes of the open frame; 0: not known yet. */
  private size = 0
  private offset = 0

  constructor(format: LengthHeader) {
    this.format = format
    this.shape = shapeOf(format)
    this.header = Buffer.alloc(this.shape.lengthTo)
    this.frame = this.header
  }

  get open(): number {
    return this.held
  }

  push(chunk: Buffer, sink: FrameSink): FrameError | undefined {
    let at = 0
    if (this.held > 0) {
      const taken = this.resume(chunk, sink)
      if (typeof taken !== "number") return taken
      if (this.held > 0) return undefined
      at = taken
    }
    const { lengthTo } = this.shape
    while (chunk.length - at >= lengthTo) {
      const size = this.sizeAt(chunk, at)
      if (typeof size !== "number") return size
      if (chunk.length - at < size) {
        this.size = size
        this.frame = Buffer.allocUnsafeSlow(size)
        break
      }
      const error = this.emit(chunk, at, size, sink)
      if (error !== undefined) return error
      at += size
    }
    if (at < chunk.length) this.held = chunk.copy(this.frame, 0, at)
    return undefined
  }

  /** Adds to the open frame; gives the bytes taken from the chunk. */
  private resume(chunk: Buffer, sink: FrameSink): number | FrameError {
    let at = 0
    if (this.size === 0) {
      at = chunk.copy(this.header, this.held)
      this.held += at
      if (this.held < this.shape.lengthTo) return at
      const size = this.sizeAt(this.header, 0)
      if (typeof size !== "number") return size
      this.size = size
      this.frame = Buffer.allocUnsafeSlow(size)
      this.header.copy(this.frame)
    }
    const taken = chunk.copy(this.frame, this.held, at)
    this.held += taken
    if (this.held < this.size) return at + taken
    const frame = this.frame
    this.frame = this.header
    this.held = 0
    this.size = 0
    return this.emit(frame, 0, frame.length, sink) ?? at + taken
  }

  /** Bytes of the whole frame that begins at `at`, of which the length is there. */
  private sizeAt(buffer: Buffer, at: number): number | FrameError {
    const shape = this.shape
    const { before, lengthTo } = shape
    for (let index = 0; index < before.length; index++)
      if (buffer[at + index] !== before[index]) return this.invalid("before", buffer, at)
    const said = readNumber(this.format.encoding, buffer, at + before.length, at + lengthTo)
    if (said < 0) return this.invalid("length-digits", buffer, at)
    if (said === 0 && shape.idle !== undefined) return idleBytes(shape)
    const length = messageBytes(shape, said)
    if (length < shape.uncounted || !Number.isInteger(length) || (length === 0 && shape.idle === undefined))
      return this.invalid("length-small", buffer, at)
    if (length > this.format.lengthMax) return this.invalid("length-max", buffer, at)
    return shape.headerBytes + length + shape.trailerBytes
  }

  private emit(buffer: Buffer, at: number, size: number, sink: FrameSink): FrameError | undefined {
    const { headerBytes, trailerBytes, idle } = this.shape
    const start = at + headerBytes
    const end = at + size - trailerBytes
    // Less than the parts around a message: an idle frame whose length says that nothing follows.
    const isShort = start > end
    if (!isShort && trailerBytes > 0 && !this.trailerIs(buffer, at, end)) return this.invalid("trailer", buffer, at)
    this.offset += size
    if (idle !== undefined && (start >= end || isIdleText(idle, buffer, start, end))) sink.idle(buffer, at, at + size)
    else sink.frame(buffer, start, end)
    return undefined
  }

  private trailerIs(buffer: Buffer, at: number, end: number): boolean {
    const { trailer, lrc, before } = this.shape
    for (let index = 0; index < trailer.length; index++) if (buffer[end + index] !== trailer[index]) return false
    return !lrc || buffer[end + 1] === xor(buffer, at + before.length, end + 1)
  }

  private invalid(rule: FrameError["rule"], buffer: Buffer, at: number): FrameError {
    const first = shownHeader(buffer, at, Math.min(this.shape.lengthTo, 32))
    return { _tag: rule === "length-max" ? "FrameTooLong" : "LengthInvalid", offset: this.offset, rule, first }
  }

  end(): FrameError | undefined {
    if (this.held === 0) return undefined
    const first = shownHeader(this.frame, 0, Math.min(this.held, this.shape.lengthTo, 32))
    return { _tag: "FrameTruncated", offset: this.offset, rule: "end", first }
  }
}

/** Bytes that were taken for a header may be the middle of a message: of a long run of digits three bytes are shown. */
const shownHeader = (buffer: Buffer, from: number, bytes: number): string =>
  coverRunsOfHex(toHex(buffer, from, Math.min(from + bytes, buffer.length)), 6)
