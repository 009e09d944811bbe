/**
 * Writes frames around messages, and idle frames; says beforehand what a frame can hold.
 */
import { writeNumber } from "../encoding/Digits.ts"
import { hex } from "../encoding/Hex.ts"
import type { FrameFormat } from "./FrameFormat.ts"
import { frameOverhead, idleBytes, isIdleText, type LengthShape, saidOf, shapeOf, xor } from "./FrameShape.ts"

const writeLength = ({ header, before }: LengthShape, said: number, out: Uint8Array, at: number): void => {
  const from = at + before.length
  if (!writeNumber(header.encoding, said, out, from, from + header.bytes))
    throw new RangeError(`a length of ${said} does not fit the frame's length header`)
}

/**
 * Writes a frame around the message of `length` bytes that is already at `at + frameOverhead(format).before`. Returns the
 * bytes of the whole frame. Throws a `RangeError` when the length does not fit the header or a fixed frame's size, or is less
 * than what the length does not count.
 */
export const writeFrame = (format: FrameFormat, out: Buffer, at: number, length: number): number => {
  if (format.kind !== "length") {
    if (format.kind === "fixed" && length !== format.bytes)
      throw new RangeError(`a frame of this link has ${format.bytes} bytes, not ${length}`)
    const delimiter = format.kind === "delimiter" ? hex(format.delimiter) : undefined
    if (delimiter !== undefined) out.set(delimiter, at + length)
    return length + (delimiter?.length ?? 0)
  }
  const shape = shapeOf(format)
  const said = saidOf(shape, length)
  if (said < 0) throw new RangeError("the message is shorter than the bytes that the frame's length does not count")
  if (said === 0 && length > 0 && shape.idle !== undefined)
    throw new RangeError("the message has only bytes that the frame's length does not count: it would be an idle frame")
  return writeParts(shape, said, out, at, length)
}

const writeParts = (shape: LengthShape, said: number, out: Buffer, at: number, length: number): number => {
  if (shape.before.length > 0) out.set(shape.before, at)
  writeLength(shape, said, out, at)
  if (shape.after.length > 0) out.set(shape.after, at + shape.lengthTo)
  const to = at + shape.headerBytes + length
  if (shape.trailerBytes > 0) {
    out.set(shape.trailer, to)
    if (shape.lrc) out[to + 1] = xor(out, at + shape.before.length, to + 1)
  }
  return shape.headerBytes + length + shape.trailerBytes
}

/**
 * A message in its frame, in a new buffer. Throws a `RangeError` when the message does not fit the length header or a fixed
 * frame's size; whether it keeps to `lengthMax` and holds no delimiter is not looked at: `frameTakes` tells. For a stream of
 * messages, `writeFrame` needs no second buffer.
 */
export const wholeFrame = (format: FrameFormat, message: Uint8Array): Buffer => {
  const { before, after } = frameOverhead(format)
  const frame = Buffer.allocUnsafe(before + message.length + after)
  frame.set(message, before)
  writeFrame(format, frame, 0, message.length)
  return frame
}

/**
 * Whether the message `[from, to)` can go out in a frame of this format: its length is one that the other side takes, it is no
 * idle frame, and the delimiter is not in it. What comes from elsewhere is to be asked for before it is written: a delimiter
 * inside makes two messages of one.
 */
export const frameTakes = (format: FrameFormat, message: Uint8Array, from = 0, to = message.length): boolean => {
  if (format.kind === "fixed") return to - from === format.bytes
  if (to - from > format.lengthMax) return false
  if (format.kind === "length") {
    const shape = shapeOf(format)
    const { idle } = shape
    if (to === from || saidOf(shape, to - from) < (idle === undefined ? 0 : 1)) return false
    return idle === undefined || !isIdleText(idle, message, from, to)
  }
  if (format.kind !== "delimiter") return true
  const bytes = Buffer.from(message.buffer, message.byteOffset + from, to - from)
  const delimiter = hex(format.delimiter)
  // The end of the message and the beginning of the delimiter may make one too.
  const end = Buffer.concat([bytes.subarray(Math.max(0, bytes.length - delimiter.length + 1)), delimiter])
  return bytes.indexOf(delimiter) < 0 && end.indexOf(delimiter) === end.length - delimiter.length
}

/** The whole idle frame of a link, `undefined` when it has none. */
export const idleFrame = (format: FrameFormat): Buffer | undefined => {
  if (format.kind === "delimiter") return format.idle === "zero-length" ? Buffer.from(hex(format.delimiter)) : undefined
  if (format.kind !== "length") return undefined
  const shape = shapeOf(format)
  const { idle, headerBytes } = shape
  if (idle === undefined) return undefined
  if (idle.length > 0) return wholeFrame(format, idle)
  // The zero is the length's own, whatever it counts; what follows it is the shape's to say.
  const frame = Buffer.alloc(headerBytes + shape.trailerBytes)
  writeParts(shape, 0, frame, 0, 0)
  return frame.subarray(0, idleBytes(shape))
}
