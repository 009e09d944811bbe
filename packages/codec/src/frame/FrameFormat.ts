/**
 * Shapes of frames on a link, as data. What follows from them is in `FrameShape`, writing in `FrameWriter`, reading in `Framer`.
 */
import type { NumberForm } from "../encoding/Digits.ts"

/**
 * A length in front of each message.
 *
 * On the wire: `before`, the length, `after`, the message, the trailer. Without `counts` the length is that of the message
 * alone.
 */
export interface LengthHeader {
  readonly kind: "length"
  /** `ascii` decimal digits, `bcd` packed decimal, `binary` big-endian, `binary-le` little-endian, `hex` ASCII hex digits. */
  readonly encoding: Exclude<NumberForm, "ebcdic">
  /** Bytes of the length itself, 1..10 (binary: 1..4). */
  readonly bytes: number
  /** What the length counts besides the message. Where it counts a part, a length of zero says that nothing follows it. */
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

/** Messages that end with fixed bytes, which cannot be inside. */
export interface DelimiterFrame {
  readonly kind: "delimiter"
  /** As hex, 1..8 bytes. */
  readonly delimiter: string
  readonly lengthMax: number
  /** Whether an empty message is an idle frame; otherwise it is given out like any other. */
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

/** The CUPS centre: 4 ASCII digits, idle frame "0000", at most 1846 + 46 bytes. */
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
