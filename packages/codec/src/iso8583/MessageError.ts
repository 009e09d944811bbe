/**
 * What can be wrong with a message. An error names the place (data element, offset) and the rule that was broken, and never
 * holds a field's value: it may be logged and shown as it is. Offsets count from the first byte of the message, its header
 * included.
 */
import { coverTyped } from "../cover/Typed.ts"

/** The rule that a field or header part broke. The words are stable: programs and tests may compare them. */
export type Rule =
  /** Fewer bytes are left than the field needs. */
  | "short"
  /** The length prefix holds something other than digits of its encoding. */
  | "length-digits"
  /** Longer than the dialect allows, or not the fixed length. */
  | "length"
  /** An n field holds something other than 0-9. */
  | "digits"
  /** A letters field holds something else. */
  | "letters"
  /** An an field holds something other than letters, digits and space. */
  | "letters-digits"
  /** An ans field holds a control character, or a character that its encoding has not. */
  | "text"
  /** A track field holds something other than 0x30-0x3F (digits and separators) or D. */
  | "track"
  /** An x+n field does not begin with C or D. */
  | "sign"
  /** The filling nibble of an odd number of BCD digits, or its place, is not the dialect's. */
  | "fill"
  /** Hex digits were expected. */
  | "hex"
  /** A text was given for bytes, or bytes for a text. */
  | "type"
  /** The parts of a value do not fit the field's structure. */
  | "parts"
  /** A header part does not have the value that the dialect says. */
  | "value"
  /** A length inside the header is not that of the message. */
  | "total-length"

/** The message type is not four digits. */
export interface MtiInvalid {
  readonly _tag: "MtiInvalid"
  readonly offset: number
  readonly rule: Rule
}
/** The bitmap cannot be read, or says that a bitmap follows that this dialect has not. */
export interface BitmapInvalid {
  readonly _tag: "BitmapInvalid"
  readonly offset: number
  readonly rule: Rule
}
/** A field breaks a rule of the dialect. */
export interface FieldInvalid {
  readonly _tag: "FieldInvalid"
  readonly de: number
  /** Of the field's first byte, its length prefix included; -1 when the field is being written. */
  readonly offset: number
  readonly rule: Rule
}
/** The bitmap announces a field that the dialect does not define: nothing behind it can be found. */
export interface FieldUnknown {
  readonly _tag: "FieldUnknown"
  readonly de: number
  readonly offset: number
}
/** Bytes are left after the last field. */
export interface TrailingBytes {
  readonly _tag: "TrailingBytes"
  readonly offset: number
  readonly bytes: number
}
/** The message ends inside its header, type or bitmap. */
export interface TooShort {
  readonly _tag: "TooShort"
  readonly offset: number
}
/** A part of the dialect's header breaks a rule. */
export interface HeaderInvalid {
  readonly _tag: "HeaderInvalid"
  readonly part: string
  readonly offset: number
  readonly rule: Rule
}

/** Everything that reading or building a message can report. */
export type MessageError =
  | MtiInvalid
  | BitmapInvalid
  | FieldInvalid
  | FieldUnknown
  | TrailingBytes
  | TooShort
  | HeaderInvalid

/** Makes an `MtiInvalid`; `offset` -1: while writing. */
export const mtiInvalid = (offset: number, rule: Rule): MtiInvalid => ({ _tag: "MtiInvalid", offset, rule })
/** Makes a `BitmapInvalid`. */
export const bitmapInvalid = (offset: number, rule: Rule): BitmapInvalid => ({ _tag: "BitmapInvalid", offset, rule })
/** Makes a `FieldInvalid`; `offset` -1: while writing. */
export const fieldInvalid = (de: number, offset: number, rule: Rule): FieldInvalid => ({
  _tag: "FieldInvalid",
  de,
  offset,
  rule
})
/** Makes a `FieldUnknown`; `offset` -1: while writing. */
export const fieldUnknown = (de: number, offset: number): FieldUnknown => ({ _tag: "FieldUnknown", de, offset })
/** Makes a `TrailingBytes`. */
export const trailingBytes = (offset: number, bytes: number): TrailingBytes => ({
  _tag: "TrailingBytes",
  offset,
  bytes
})
/** Makes a `TooShort`; `offset` is where the message ends. */
export const tooShort = (offset: number): TooShort => ({ _tag: "TooShort", offset })
/** Makes a `HeaderInvalid`; `offset` -1: while writing. A name that no header has is the caller's word, and may be anything. */
export const headerInvalid = (part: string, offset: number, rule: Rule): HeaderInvalid => ({
  _tag: "HeaderInvalid",
  part: coverTyped(part),
  offset,
  rule
})

/** Tells an error from the message or the bytes that a function gives otherwise. */
export const isMessageError = (value: object): value is MessageError => "_tag" in value

const ruleSentences: Record<Rule, string> = {
  short: "the message ends before the field does",
  "length-digits": "its length prefix is not made of digits",
  length: "its length is not one that the dialect allows",
  digits: "only the digits 0-9 are allowed",
  letters: "only letters and spaces are allowed",
  "letters-digits": "only letters, digits and spaces are allowed",
  text: "a character is not allowed in its encoding",
  track: "only digits and track separators are allowed",
  sign: "it must begin with C or D",
  fill: "the filling of an odd number of digits is not the dialect's",
  hex: "hex digits are expected",
  type: "text was given where bytes are expected, or bytes where text is",
  parts: "its parts do not fit the structure that the dialect gives it",
  value: "it does not have the value that the dialect says",
  "total-length": "it is not the length of the message"
}

/** Nothing while writing. */
const placeOf = ({ offset }: { readonly offset: number }): string => (offset < 0 ? "" : ` at byte ${offset}`)

/** One sentence for a person: place and rule. It holds no value of the message. */
export const explain = (error: MessageError): string => {
  switch (error._tag) {
    case "MtiInvalid":
      return `message type${placeOf(error)}: ${ruleSentences[error.rule]}`
    case "BitmapInvalid":
      return `bitmap${placeOf(error)}: ${ruleSentences[error.rule]}`
    case "FieldInvalid":
      return `field ${error.de}${placeOf(error)}: ${ruleSentences[error.rule]}`
    case "FieldUnknown":
      return `field ${error.de} is not defined in this dialect${error.offset < 0 ? "" : ` (byte ${error.offset})`}`
    case "TrailingBytes":
      return error.bytes === 1
        ? `1 byte is left after the last field, at byte ${error.offset}`
        : `${error.bytes} bytes are left after the last field, from byte ${error.offset}`
    case "TooShort":
      return `the message ends at byte ${error.offset}, inside its header, type or bitmap`
    case "HeaderInvalid":
      return `header part ${error.part}${placeOf(error)}: ${ruleSentences[error.rule]}`
  }
}
