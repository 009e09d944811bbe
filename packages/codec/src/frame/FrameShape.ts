/**
 * What follows from the shape of a length header: the sizes of its parts, what the length says for a message, and what a length
 * of zero means. Reader and writer both ask here.
 */
import { hex } from "../encoding/Hex.ts"
import type { FrameFormat, LengthHeader } from "./FrameFormat.ts"

/** A length header with every choice made; sizes in bytes. */
export interface LengthShape {
  readonly header: LengthHeader
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly trailer: Uint8Array
  readonly lrc: boolean
  /** Bytes up to the end of the length: with them the size of the frame is known. */
  readonly lengthTo: number
  /** Bytes in front of the message. */
  readonly headerBytes: number
  /** Bytes behind the message. */
  readonly trailerBytes: number
  /** Bytes besides the message that the length counts. */
  readonly counted: number
  /** First bytes of the message that it does not count. */
  readonly uncounted: number
  readonly times: number
  /** The idle frame's message; empty: a zero length; `undefined`: no idle frames. */
  readonly idle: Uint8Array | undefined
}

/** Resolves a length header. Throws a `TypeError` when it makes no sense. */
export const lengthShape = (header: LengthHeader): LengthShape => {
  const bytesMax = header.encoding.startsWith("binary") ? 4 : 10
  if (!(Number.isInteger(header.bytes) && header.bytes >= 1 && header.bytes <= bytesMax))
    throw new TypeError(`length header: bytes must be 1..${bytesMax}`)
  const { times = 1, uncounted = 0 } = header
  if (!(Number.isInteger(times) && times >= 1)) throw new TypeError("length header: times must be at least 1")
  if (!(Number.isInteger(uncounted) && uncounted >= 0))
    throw new TypeError("length header: uncounted must be at least 0")
  if (!(header.lengthMax >= 1)) throw new TypeError("length header: lengthMax must be at least 1")
  const before = hex(header.before ?? "")
  const after = hex(header.after ?? "")
  const lrc = header.trailer === "etx-lrc"
  const trailer = lrc ? hex("03") : hex(header.trailer === undefined || header.trailer === "none" ? "" : header.trailer)
  const trailerBytes = trailer.length + (lrc ? 1 : 0)
  const { counts } = header
  const lengthTo = before.length + header.bytes
  return {
    header,
    before,
    after,
    trailer,
    lrc,
    lengthTo,
    headerBytes: lengthTo + after.length,
    trailerBytes,
    counted:
      (counts?.itself === true ? header.bytes : 0) +
      (counts?.before === true ? before.length : 0) +
      (counts?.after === true ? after.length : 0) +
      (counts?.trailer === true ? trailerBytes : 0),
    uncounted,
    times,
    idle: header.idle === "none" ? undefined : header.idle === "zero-length" ? new Uint8Array(0) : hex(header.idle.text)
  }
}

const shapes = new WeakMap<FrameFormat, LengthShape>()

/** The resolved shape of a format, made once. */
export const shapeOf = (header: LengthHeader): LengthShape => {
  let shape = shapes.get(header)
  if (shape === undefined) {
    shape = lengthShape(header)
    shapes.set(header, shape)
  }
  return shape
}

/** What the length says for a message of `length` bytes; negative: it is shorter than what the length does not count. */
export const saidOf = (shape: LengthShape, length: number): number =>
  length < shape.uncounted ? -1 : (length - shape.uncounted + shape.counted) * shape.times

/** Bytes of the message for which the length says `said`; negative or no whole number: no message has such a length. */
export const messageBytes = (shape: LengthShape, said: number): number =>
  said / shape.times - shape.counted + shape.uncounted

/**
 * Bytes of an idle frame whose length says zero. Where the length counts a part nothing follows it: whatever followed would have
 * been counted. Else the parts that are never counted are there as always, around no message.
 */
export const idleBytes = (shape: LengthShape): number =>
  shape.counted > 0 ? shape.lengthTo : shape.headerBytes + shape.trailerBytes

/** Bytes that a frame has in front of its message and behind it. */
export const frameOverhead = (format: FrameFormat): { readonly before: number; readonly after: number } => {
  if (format.kind === "length") {
    const { headerBytes, trailerBytes } = shapeOf(format)
    return { before: headerBytes, after: trailerBytes }
  }
  return { before: 0, after: format.kind === "delimiter" ? hex(format.delimiter).length : 0 }
}

/** XOR of bytes `[from, to)`: the longitudinal redundancy check of serial concentrators. */
export const xor = (buffer: Uint8Array, from: number, to: number): number => {
  let check = 0
  for (let at = from; at < to; at++) check ^= buffer[at]!
  return check
}

/** Whether the bytes `[start, end)` are those of an idle message. */
export const isIdleText = (idle: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean => {
  if (end - start !== idle.length) return false
  for (let index = 0; index < idle.length; index++) if (buffer[start + index] !== idle[index]) return false
  return true
}
