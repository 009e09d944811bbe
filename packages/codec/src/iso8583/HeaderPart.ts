/**
 * One part of a header: how it is written and what it is for (fixed, the length of the message, an address, a reject code, given
 * back or turned around in an answer), and its value read and written. A part that can be read is written to the same bytes.
 */
import { readNumber, writeNumber } from "../encoding/Digits.ts"
import { hexValue, toHex } from "../encoding/Hex.ts"
import { latin1 } from "../encoding/Latin1.ts"
import type { Rule } from "./MessageError.ts"

/**
 * How a part is written and shown. `text`: Latin-1, filled with spaces to the right. `digits`: ASCII digits, zeros in front.
 * `bcd`: packed decimal, shown as its digits. `binary`: an integer in network order of at most 4 bytes, shown as a decimal
 * number. `hex`: bytes as they are, shown as hex digits.
 */
export type HeaderForm = "text" | "digits" | "bcd" | "binary" | "hex"

/** One part of a header. */
export interface HeaderPart {
  readonly name: string
  readonly bytes: number
  readonly form: HeaderForm
  /** Written when a message does not say; checked when reading if `fixed`. Spaces or zeros when left out. */
  readonly value?: string
  /** The part always has its value; any other is `HeaderInvalid`. */
  readonly fixed?: boolean
  /**
   * The part holds the length of the header and the message (`all`), or of the message behind the header (`message`): checked
   * when reading, kept right when writing.
   */
  readonly length?: "all" | "message"
  /** The part names an institution: who gets the message, or who sends it. A link writes its partner's code and ours. */
  readonly address?: "destination" | "source"
  /** The part says that a message is a reject: any value but its own. The original is behind, its own header included. */
  readonly reject?: boolean
  /**
   * The part's value in the header of a reject, where that header has more parts (`only`): it tells one header from the other.
   * Such a part is fixed.
   */
  readonly rejected?: string
  /** The part is in the header of a reject and in no other. */
  readonly only?: "reject"
  /**
   * What an answer has in it: what the request had (`echo`, the rule), the part's own value again (`own`), or what another part
   * of the same size had, by its name (addresses that change places name each other).
   */
  readonly answer?: string
}

/** A part with its place and its usual bytes. */
export interface PlacedPart extends HeaderPart {
  /** From the header's first byte. */
  readonly offset: number
  readonly value: string
  /** Bytes of the value. */
  readonly usual: Uint8Array
}

/** How a part's number is written, where it has one. */
export const numberForm = (part: HeaderPart): "ascii" | "bcd" | "binary" =>
  part.form === "bcd" || part.form === "binary" ? part.form : "ascii"

/** The value of a part of the header at `start`. */
export const partValue = (part: PlacedPart, buffer: Uint8Array, start: number): string => {
  const from = start + part.offset
  const to = from + part.bytes
  switch (part.form) {
    case "hex":
    case "bcd":
      return toHex(buffer, from, to)
    case "binary":
      return String(readNumber("binary", buffer, from, to))
    default:
      return latin1(buffer, from, to)
  }
}

/** The number in a part of the header at `start`, -1 where it is none. */
export const partNumber = (part: PlacedPart, buffer: Uint8Array, start: number): number => {
  if (part.form === "hex") return -1
  const from = start + part.offset
  return readNumber(numberForm(part), buffer, from, from + part.bytes)
}

/** Whether the part of the header at `start` has the bytes of its own value. */
export const hasUsual = ({ offset, usual }: PlacedPart, buffer: Uint8Array, start: number): boolean => {
  for (let at = 0; at < usual.length; at++) if (buffer[start + offset + at] !== usual[at]) return false
  return true
}

/** Bytes of a part's value, filled to its size; `undefined` when it is too long or not written like the part. */
export const partBytes = (part: HeaderPart, value: string): Uint8Array | undefined => {
  const bytes = new Uint8Array(part.bytes)
  return writePart(part, value, bytes, 0) === undefined ? bytes : undefined
}

/**
 * Writes a part's value at `at`; the rule that it breaks, if any. With `isExact` a value of the part's own length is written as
 * it was read, whatever it is: the original inside a reject may have been rejected for just that.
 */
export const writePart = (
  part: HeaderPart,
  value: string,
  out: Uint8Array,
  at: number,
  isExact = false
): Rule | undefined => {
  switch (part.form) {
    case "text":
      return writeText(value, part.bytes, out, at)
    case "digits":
      return isExact && value.length === part.bytes
        ? writeText(value, part.bytes, out, at)
        : writeDigits(value, part.bytes, out, at)
    case "binary":
      if (!/^\d*$/.test(value)) return "digits"
      return writeNumber("binary", Number(value), out, at, at + part.bytes) ? undefined : "length"
    case "bcd":
      if (!isExact && !/^\d*$/.test(value)) return "digits"
      return value.length > 2 * part.bytes
        ? "length"
        : writeHex(value.padStart(2 * part.bytes, "0"), part.bytes, out, at)
    case "hex":
      return writeHex(value, part.bytes, out, at)
  }
}

const writeText = (value: string, bytes: number, out: Uint8Array, at: number): Rule | undefined => {
  if (value.length > bytes) return "length"
  for (let index = 0; index < bytes; index++) {
    const code = index < value.length ? value.charCodeAt(index) : 0x20
    if (code > 255) return "text"
    out[at + index] = code
  }
  return undefined
}

const writeDigits = (value: string, bytes: number, out: Uint8Array, at: number): Rule | undefined => {
  if (value.length > bytes) return "length"
  const missing = bytes - value.length
  for (let index = 0; index < bytes; index++) {
    const code = index < missing ? 0x30 : value.charCodeAt(index - missing)
    if (code < 0x30 || code > 0x39) return "digits"
    out[at + index] = code
  }
  return undefined
}

const writeHex = (value: string, bytes: number, out: Uint8Array, at: number): Rule | undefined => {
  if (value.length !== 2 * bytes) return "hex"
  for (let index = 0; index < bytes; index++) {
    const high = hexValue[value.charCodeAt(2 * index)] ?? -1
    const low = hexValue[value.charCodeAt(2 * index + 1)] ?? -1
    if (high < 0 || low < 0) return "hex"
    out[at + index] = high * 16 + low
  }
  return undefined
}
