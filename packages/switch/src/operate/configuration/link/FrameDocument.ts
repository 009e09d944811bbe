/**
 * The frame of a link as the configuration writes it: the codec's `FrameFormat`, key by key.
 */
import { Schema } from "effect"
import { count, described, Hex, option, optional, Truth, text } from "../text/Terms.ts"

/** Longest message that a frame may be set to, in bytes. */
export const MESSAGE_LENGTH_MAX = 1024 * 1024

const lengthMax = described(
  count(1, MESSAGE_LENGTH_MAX),
  "Most bytes of a message, without the frame. A longer one ends the connection before anything of it is kept."
)

const Counts = Schema.Struct({
  itself: option(Truth, false, "The length counts its own bytes."),
  before: option(Truth, false, "The length counts the bytes of `before`."),
  after: option(Truth, false, "The length counts the bytes of `after`."),
  trailer: option(Truth, false, "The length counts the trailer.")
})

const IdleText = Schema.Struct({ text: described(Hex, "The idle frame's message.") })

const LengthDocument = Schema.Struct({
  kind: described(Schema.Literal("length"), "A length in front of each message."),
  encoding: described(
    Schema.Literals(["ascii", "bcd", "binary", "binary-le", "hex"]),
    "How the length is written: decimal digits, packed decimal, big-endian, little-endian, hex digits."
  ),
  bytes: described(count(1, 10), "Bytes of the length itself; 1 to 4 where it is binary."),
  counts: optional(
    Counts,
    "What the length counts besides the message. Nothing when left out. Where it counts a part, a length of zero is an idle frame and nothing follows it."
  ),
  uncounted: optional(count(0, 64), "First bytes of the message that the length does not count, such as a TPDU of 5."),
  times: optional(count(1, 8), "The length is this many times the bytes; 2 where it counts hex digits."),
  before: optional(Hex, "Fixed bytes in front of the length (STX is 02)."),
  after: optional(Hex, "Bytes between the length and the message."),
  trailer: optional(
    text(/^(?:none|etx-lrc|(?:[0-9a-fA-F]{2})+)$/, "none, etx-lrc, or bytes as pairs of hex digits in quotes"),
    "Behind the message: nothing, ETX with the XOR of all from the length to ETX, or fixed bytes."
  ),
  lengthMax,
  idle: option(
    Schema.Union([Schema.Literals(["none", "zero-length"]), IdleText]),
    "zero-length",
    "What an idle frame is: none, a length of zero, or a message of exactly these bytes."
  )
})

const FixedDocument = Schema.Struct({
  kind: described(Schema.Literal("fixed"), "Messages of one size."),
  bytes: described(count(1, MESSAGE_LENGTH_MAX), "Bytes of every message.")
})

const DelimiterDocument = Schema.Struct({
  kind: described(Schema.Literal("delimiter"), "Messages that end with fixed bytes."),
  delimiter: described(
    text(/^(?:[0-9a-fA-F]{2}){1,8}$/, "1 to 8 bytes as pairs of hex digits, in quotes"),
    "The bytes; they cannot be inside a message."
  ),
  lengthMax,
  idle: option(Schema.Literals(["none", "zero-length"]), "none", "Whether an empty message is an idle frame.")
})

const UntilCloseDocument = Schema.Struct({
  kind: described(
    Schema.Literal("until-close"),
    "One message each way: it ends where its sender closes. For sync-short."
  ),
  lengthMax
})

const SingleReadDocument = Schema.Struct({
  kind: described(
    Schema.Literal("single-read"),
    "Each read is a message. Only for a partner without any framing: the network may cut a message in two, and then it is lost."
  ),
  lengthMax
})

/** A frame written out. */
export const FrameDocument = Schema.Union([
  LengthDocument,
  FixedDocument,
  DelimiterDocument,
  UntilCloseDocument,
  SingleReadDocument
])
export type FrameDocument = typeof FrameDocument.Type

const decode = Schema.decodeUnknownOption(FrameDocument, { onExcessProperty: "error" })

/** What was asked of each frame before: the rules between keys ask for the same one many times. */
const asked = new WeakMap<object, boolean>()

/** Whether every key of a written frame is right by itself. */
export const isFrameDocument = (written: object): boolean => {
  const before = asked.get(written)
  if (before !== undefined) return before
  const is = decode(written)._tag === "Some"
  asked.set(written, is)
  return is
}
