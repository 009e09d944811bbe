/**
 * What ends the reading of a link: bytes that are no frame. After one the place of the next frame is unknown, so the
 * connection has to be closed; resynchronising would be guessing. An error holds bytes of a frame's header only, with
 * long runs of digits covered.
 */

/** The rule that was broken. */
export type FrameRule =
  /** The length is not made of digits of its encoding. */
  | "length-digits"
  /** The length is smaller than what it counts, or zero where no idle frames are agreed. */
  | "length-small"
  /** The message is longer than the link allows. */
  | "length-max"
  /** The fixed bytes in front of the length are others. */
  | "before"
  /** The bytes behind the message are not the agreed ones, or their check is wrong. */
  | "trailer"
  /** The connection ended inside a frame. */
  | "end"

interface FrameErrorFacts {
  /** Of the frame's first byte, counted from the beginning of the connection. */
  readonly offset: number
  readonly rule: FrameRule
  /**
   * Hex of the frame's header bytes as far as they came; at most 32. A run of 8 digits or more, of a text, packed or of EBCDIC,
   * is stars behind its first 6: what was taken for a header may be card data. Empty where a frame has no header.
   */
  readonly first: string
}

/** A message longer than the link allows, known from its header before any room was made for it. */
export interface FrameTooLong extends FrameErrorFacts {
  readonly _tag: "FrameTooLong"
}
/** A header or trailer that breaks the format of the link. */
export interface LengthInvalid extends FrameErrorFacts {
  readonly _tag: "LengthInvalid"
}
/** The connection ended in the middle of a frame. */
export interface FrameTruncated extends FrameErrorFacts {
  readonly _tag: "FrameTruncated"
}

/** Everything that reading frames can report. */
export type FrameError = FrameTooLong | LengthInvalid | FrameTruncated

const sentences: Record<FrameRule, string> = {
  "length-digits": "the length is not made of digits of its encoding",
  "length-small": "the length is too small, or zero where no idle frames are agreed",
  "length-max": "the message is longer than this link allows",
  before: "the bytes in front of the length are not the agreed ones",
  trailer: "the bytes behind the message are not the agreed ones",
  end: "the connection ended inside a frame"
}

/** One sentence for a person; what the first bytes often mean is said too (a TLS or HTTP partner). */
export const explainFrame = (error: FrameError): string => {
  const bytes = error.first === "" ? "" : `; the frame begins with ${error.first}`
  return `frame at byte ${error.offset} of the connection: ${sentences[error.rule]}${bytes}${guess(error.first)}`
}

const guess = (first: string): string => {
  if (first.startsWith("1603")) return " (this looks like TLS)"
  if (/^(474554|504F5354|485454)/.test(first)) return " (this looks like HTTP)"
  return ""
}
