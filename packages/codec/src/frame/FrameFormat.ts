/**
 * Shapes of frames on a link, as data, and what follows from them: header sizes, idle frames, writing a frame around a message.
 * Reading is in `Framer`. Forms met in practice: domain.md 1.3, 2.3, 2.4.
 */
import { hex, hexDigit } from "../encoding/Hex.ts"

/**
 * A length in front of each message.
 *
 * On the wire: `before`, the length, `after`, the message, the trailer. Without `counts` the length is that of the message
 * alone.
 */
export interface LengthHeader {
  readonly kind: "length"
  /** `ascii` decimal digits, `bcd` packed decimal, `binary` big-endian, `binary-le` little-endian, `hex` ASCII hex digits. */
  readonly encoding: "ascii" | "bcd" | "binary" | "binary-le" | "hex"
  /** Bytes of the length itself, 1..10 (binary: 1..4). */
  readonly bytes: number
  /** What the length counts besides the message. */
  readonly counts?: {
    readonly itself?: boolean
    readonly before?: boolean
    readonly after?: boolean
    readonly trailer?: boolean
  }
  /** First bytes of the message that the length does not count (a TPDU of 5 bytes on some links). */
  readonly uncounted?: number
  /** The length is this many times the bytes: 2 where it counts hex digits of a message that travels as bytes. */
  readonly times?: number
  /** Fixed bytes in front of the length, as hex (STX: "02"). Any others are `LengthInvalid`. */
  readonly before?: string
  /** Bytes between length and message, as hex; written as given, on reading only their number counts (VAP: a format byte). */
  readonly after?: string
  /** Behind the message: nothing, fixed bytes as hex, or ETX and the XOR of everything from the length to ETX. */
  readonly trailer?: "none" | "etx-lrc" | (string & {})
  /** Most bytes of a message; more is `FrameTooLong` before anything is kept. */
  readonly lengthMax: number
  /** What an idle frame is: none (a zero length is an error), a zero length, or a message of exactly these bytes (hex). */
  readonly idle: "none" | "zero-length" | { readonly text: string }
}

/** Messages of one size. */
export interface FixedFrame {
  readonly kind: "fixed"
  readonly bytes: number
}

/** Messages that end with fixed bytes, which cannot stand inside. */
export interface DelimiterFrame {
  readonly kind: "delimiter"
  /** As hex, 1..8 bytes. */
  readonly delimiter: string
  readonly lengthMax: number
  /** Whether an empty message is an idle frame; else it is given out like any other. */
  readonly idle: "none" | "zero-length"
}

/** One message, from the first byte to the end of the connection. */
export interface UntilCloseFrame {
  readonly kind: "until-close"
  readonly lengthMax: number
}

/** One message for each read. Only for partners that know no framing: TCP may cut or glue reads at will. */
export interface SingleReadFrame {
  readonly kind: "single-read"
  readonly lengthMax: number
}

/** Shape of the frames on a link. */
export type FrameFormat = LengthHeader | FixedFrame | DelimiterFrame | UntilCloseFrame | SingleReadFrame

/** The CUPS centre: 4 ASCII digits, idle frame "0000", at most 1846 + 46 bytes (domain.md 1.3). */
export const cupsFrame: FrameFormat = {
  kind: "length",
  encoding: "ascii",
  bytes: 4,
  lengthMax: 1892,
  idle: "zero-length"
}

/** UnionPay terminals and most NAC links: 2 bytes big-endian, not counting themselves. */
export const binaryFrame: FrameFormat = {
  kind: "length",
  encoding: "binary",
  bytes: 2,
  lengthMax: 4096,
  idle: "zero-length"
}

/** A length header with every choice made; sizes in bytes. */
export interface LengthShape {
  readonly header: LengthHeader
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly trailer: Uint8Array
  readonly lrc: boolean
  /** Bytes in front of the message. */
  readonly headerBytes: number
  /** Bytes behind the message. */
  readonly trailerBytes: number
  /** What the length says more than the message's bytes. */
  readonly surplus: number
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
  return {
    header,
    before,
    after,
    trailer,
    lrc,
    headerBytes: before.length + header.bytes + after.length,
    trailerBytes,
    surplus:
      (counts?.itself === true ? header.bytes : 0) +
      (counts?.before === true ? before.length : 0) +
      (counts?.after === true ? after.length : 0) +
      (counts?.trailer === true ? trailerBytes : 0) -
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

/** Bytes that a frame has in front of its message and behind it. */
export const frameOverhead = (format: FrameFormat): { readonly before: number; readonly after: number } => {
  if (format.kind === "length") {
    const { headerBytes, trailerBytes } = shapeOf(format)
    return { before: headerBytes, after: trailerBytes }
  }
  return { before: 0, after: format.kind === "delimiter" ? hex(format.delimiter).length : 0 }
}

/** The length that a header says, -1 when it holds something else than digits of its encoding. */
export const readLength = (header: LengthHeader, buffer: Uint8Array, at: number): number => {
  let value = 0
  if (header.encoding === "ascii") {
    for (let index = at; index < at + header.bytes; index++) {
      const digit = buffer[index]! - 0x30
      if (digit < 0 || digit > 9) return -1
      value = value * 10 + digit
    }
    return value
  }
  for (let index = 0; index < header.bytes; index++) {
    const byte = buffer[at + index]!
    switch (header.encoding) {
      case "bcd":
        if (byte >> 4 > 9 || (byte & 15) > 9) return -1
        value = value * 100 + (byte >> 4) * 10 + (byte & 15)
        break
      case "binary":
        value = value * 256 + byte
        break
      case "binary-le":
        value += byte * 256 ** index
        break
      case "hex": {
        const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57
        if (digit < 0 || digit > 15 || (digit > 9 && (byte | 0x20) < 0x61)) return -1
        value = value * 16 + digit
      }
    }
  }
  return value
}

const writeLength = (header: LengthHeader, value: number, out: Uint8Array, at: number): void => {
  // A message shorter than what its length does not count.
  if (value < 0) throw new RangeError("the message is shorter than the bytes that the frame's length does not count")
  let rest = value
  for (let index = 0; index < header.bytes; index++) {
    const to = header.encoding === "binary-le" ? at + index : at + header.bytes - 1 - index
    switch (header.encoding) {
      case "ascii":
        out[to] = 0x30 + (rest % 10)
        rest = Math.floor(rest / 10)
        break
      case "bcd":
        out[to] = Math.floor((rest % 100) / 10) * 16 + (rest % 10)
        rest = Math.floor(rest / 100)
        break
      case "hex":
        out[to] = hexDigit[rest % 16]!
        rest = Math.floor(rest / 16)
        break
      default:
        out[to] = rest % 256
        rest = Math.floor(rest / 256)
    }
  }
  if (rest > 0) throw new RangeError(`a length of ${value} does not fit the frame's length header`)
}

/**
 * Writes a frame around the message of `length` bytes that already stands at `at + frameOverhead(format).before`. Returns the
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
  const lengthAt = at + shape.before.length
  if (shape.before.length > 0) out.set(shape.before, at)
  writeLength(format, (length + shape.surplus) * shape.times, out, lengthAt)
  if (shape.after.length > 0) out.set(shape.after, lengthAt + format.bytes)
  const to = at + shape.headerBytes + length
  if (shape.trailerBytes > 0) writeTrailer(shape, out, lengthAt, to)
  return shape.headerBytes + length + shape.trailerBytes
}

const writeTrailer = (shape: LengthShape, out: Buffer, lengthAt: number, to: number): void => {
  out.set(shape.trailer, to)
  if (shape.lrc) out[to + 1] = xor(out, lengthAt, to + 1)
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
 * Whether the message `[from, to)` can go out in a frame of this format: its length is one that the other side takes, and the
 * delimiter does not stand in it. What comes from elsewhere is to be asked for before it is written: a delimiter inside makes
 * two messages of one.
 */
export const frameTakes = (format: FrameFormat, message: Uint8Array, from = 0, to = message.length): boolean => {
  if (format.kind === "fixed") return to - from === format.bytes
  if (to - from > format.lengthMax) return false
  if (format.kind === "length") return format.uncounted === undefined || to - from + shapeOf(format).surplus >= 0
  if (format.kind !== "delimiter") return true
  const bytes = Buffer.from(message.buffer, message.byteOffset + from, to - from)
  const delimiter = hex(format.delimiter)
  // The end of the message and the beginning of the delimiter may make one too.
  const end = Buffer.concat([bytes.subarray(Math.max(0, bytes.length - delimiter.length + 1)), delimiter])
  return bytes.indexOf(delimiter) < 0 && end.indexOf(delimiter) === end.length - delimiter.length
}

/** XOR of bytes `[from, to)`: the longitudinal redundancy check of serial concentrators. */
export const xor = (buffer: Uint8Array, from: number, to: number): number => {
  let check = 0
  for (let at = from; at < to; at++) check ^= buffer[at]!
  return check
}

/** The whole idle frame of a link, `undefined` when it has none. */
export const idleFrame = (format: FrameFormat): Buffer | undefined => {
  if (format.kind === "delimiter") return format.idle === "zero-length" ? Buffer.from(hex(format.delimiter)) : undefined
  if (format.kind !== "length") return undefined
  const { idle, headerBytes, trailerBytes, before, surplus } = shapeOf(format)
  if (idle === undefined) return undefined
  const frame = Buffer.alloc(headerBytes + idle.length + trailerBytes)
  frame.set(idle, headerBytes)
  if (idle.length > 0 || surplus >= 0) writeFrame(format, frame, 0, idle.length)
  else {
    // What is not counted is not there either: a length of zero and nothing behind it.
    frame.set(before, 0)
    writeLength(format, 0, frame, before.length)
  }
  return frame
}
