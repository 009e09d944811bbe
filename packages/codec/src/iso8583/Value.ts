/**
 * Values of fields on the wire: length prefixes, text and bytes, and the rules of their content. This is the slow and exact
 * reference; the generated code in `Generated` does the same for the usual encodings.
 */
import { bcdFill, fromBcd, writeBcd } from "../encoding/Bcd.ts"
import { numberMax, readNumber, writeNumber } from "../encoding/Digits.ts"
import { cp037, cp1047, fromEbcdic, writeEbcdic } from "../encoding/Ebcdic.ts"
import { fromGbk, gbkLength, writeGbk } from "../encoding/Gbk.ts"
import { hexDigit, hexValue } from "../encoding/Hex.ts"
import { latin1 } from "../encoding/Latin1.ts"
import { type FieldContent, type FieldLayout, wireLength } from "./Field.ts"
import type { Rule } from "./MessageError.ts"

/** Number that a length prefix says, or -1 when it holds something else than its digits. Its bytes must be there. */
export const readPrefix = (field: FieldLayout, buffer: Uint8Array, at: number): number =>
  readNumber(field.prefix, buffer, at, at + field.prefixBytes)

/** Writes a length prefix; the count is known to fit. */
export const writePrefix = (field: FieldLayout, count: number, out: Uint8Array, at: number): void => {
  writeNumber(field.prefix, count, out, at, at + field.prefixBytes)
}

/** Most that a prefix of this form can say. */
export const prefixMax = (field: FieldLayout): number => numberMax(field.prefix, field.prefixBytes)

/** Bytes of the value that a prefix announces; the number of units when it counts bytes of BCD is twice that. */
export const announcedLength = (field: FieldLayout, count: number): number =>
  field.countsBytes ? count : wireLength(field, count)

/** Units of a value from what its prefix announces; of packed digits the most that it may mean. */
export const announcedUnits = (field: FieldLayout, count: number): number => {
  if (!field.countsBytes) return count
  if (field.encoding === "hex") return count >> 1
  if (field.encoding !== "bcd") return count
  return field.content === "xn" ? Math.max(0, 2 * count - 1) : 2 * count
}

/**
 * Whether an odd number of packed digits can be told from an even one behind a prefix that counts bytes: by a filling nibble that
 * is no digit and no separator.
 */
const tellsOdd = ({ content, fill }: FieldLayout): boolean => fill > 9 && !(content === "z" && fill === 13)

/** Whether a prefix that counts bytes of packed digits says how many there are; otherwise a digit would come back too many. */
export const canCount = (field: FieldLayout, units: number): boolean => {
  if (!field.countsBytes || field.encoding !== "bcd" || tellsOdd(field)) return true
  return units % 2 === (field.content === "xn" ? 1 : 0)
}

/** Units of packed digits, `length` bytes long, behind a prefix that counts bytes: the filling tells an odd number. */
const packedUnits = (field: FieldLayout, buffer: Uint8Array, from: number, length: number): number => {
  const units = announcedUnits(field, length)
  const sign = field.content === "xn" ? 1 : 0
  if (length <= sign || !tellsOdd(field)) return units
  const filling = field.align === "right" ? buffer[from + sign]! >> 4 : buffer[from + length - 1]! & 15
  return filling === field.fill ? units - 1 : units
}

/** Units of the value that is at `from`, `length` bytes long: a variable BCD field's number is in its prefix. */
export const unitsAt = (field: FieldLayout, buffer: Uint8Array, from: number, length: number): number => {
  if (field.fixed >= 0) return field.units
  if (field.encoding === "bcd" && field.countsBytes) return packedUnits(field, buffer, from, length)
  if (field.encoding === "bcd") return readPrefix(field, buffer, from - field.prefixBytes)
  return field.encoding === "hex" ? length >> 1 : length
}

/** Text of a text field. Bytes that break a rule still give some text of the same length. */
export const readText = (field: FieldLayout, buffer: Uint8Array, from: number, to: number, units: number): string => {
  switch (field.encoding) {
    case "bcd":
      if (units < 1) return ""
      return field.content === "xn"
        ? String.fromCharCode(buffer[from]!) + fromBcd(buffer, from + 1, units - 1, field.align)
        : fromBcd(buffer, from, units, field.align)
    case "ebcdic":
      return fromEbcdic(buffer, from, to, cp037)
    case "ebcdic1047":
      return fromEbcdic(buffer, from, to, cp1047)
    case "gbk":
      return fromGbk(buffer, from, to)
    default:
      return latin1(buffer, from, to)
  }
}

/** Bytes of a b field: a view into the buffer when they are raw, `undefined` when they are hex and a digit is wrong. */
export const readBytes = (field: FieldLayout, buffer: Uint8Array, from: number, to: number): Uint8Array | undefined => {
  if (field.encoding === "binary") return buffer.subarray(from, to)
  const bytes = new Uint8Array((to - from) >> 1)
  for (let at = 0; at < bytes.length; at++) {
    const high = hexValue[buffer[from + 2 * at]!]!
    const low = hexValue[buffer[from + 2 * at + 1]!]!
    if (high < 0 || low < 0) return undefined
    bytes[at] = high * 16 + low
  }
  return bytes
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isLetter = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)

const rules: Record<Exclude<FieldContent, "b">, { readonly rule: Rule; readonly allows: (code: number) => boolean }> = {
  n: { rule: "digits", allows: isDigit },
  xn: { rule: "digits", allows: isDigit },
  a: { rule: "letters", allows: (code) => isLetter(code) || code === 0x20 },
  an: { rule: "letters-digits", allows: (code) => isLetter(code) || isDigit(code) || code === 0x20 },
  ans: { rule: "text", allows: (code) => code >= 0x20 && code !== 0x7f },
  ansb: { rule: "text", allows: () => true },
  ns: { rule: "text", allows: (code) => code >= 0x20 && code !== 0x7f },
  z: { rule: "track", allows: (code) => (code >= 0x30 && code <= 0x3f) || code === 0x44 }
}

/** Whether a text field with this content may hold the character; the sign of x+n, its first character, is apart. */
export const isAllowed = (content: FieldContent, code: number): boolean =>
  content !== "b" && rules[content].allows(code)

/** The rule that a text breaks in this field, if any. */
export const contentRule = (field: FieldLayout, text: string): Rule | undefined => {
  if (field.content === "b") return "type"
  const { rule, allows } = rules[field.content]
  const first = field.content === "xn" ? 1 : 0
  if (first === 1 && text[0] !== "C" && text[0] !== "D") return "sign"
  for (let index = first; index < text.length; index++) if (!allows(text.charCodeAt(index))) return rule
  return undefined
}

/** The rule that the filling nibble of an odd number of BCD digits breaks, if any. */
export const fillRule = (field: FieldLayout, buffer: Uint8Array, from: number, units: number): Rule | undefined => {
  if (field.encoding !== "bcd") return undefined
  const sign = field.content === "xn" ? 1 : 0
  const fill = bcdFill(buffer, from + sign, units - sign, field.align)
  return fill === -1 || ((field.fills >> fill) & 1) === 1 ? undefined : "fill"
}

/** Units of a value in this field, or the rule it breaks. */
export const unitsOf = (field: FieldLayout, value: string | Uint8Array): number | Rule => {
  if (typeof value !== "string") return field.bytes && value instanceof Uint8Array ? value.length : "type"
  if (field.bytes) return "type"
  if (field.encoding !== "gbk") return value.length
  const length = gbkLength(value)
  return length < 0 ? "text" : length
}

/** Writes a value of `units` that has been checked; returns a rule when the encoding cannot hold a character. */
export const writeValue = (
  field: FieldLayout,
  value: string | Uint8Array,
  out: Uint8Array,
  at: number
): Rule | undefined => {
  if (typeof value !== "string") {
    if (field.encoding === "binary") out.set(value, at)
    else writeHex(value, out, at)
    return undefined
  }
  switch (field.encoding) {
    case "bcd": {
      const sign = field.content === "xn" ? 1 : 0
      if (sign === 1) out[at] = value.charCodeAt(0)
      return writeBcd(sign === 1 ? value.slice(1) : value, out, at + sign, field.align, field.fill)
        ? undefined
        : "digits"
    }
    case "ebcdic":
      return writeEbcdic(value, out, at, cp037) ? undefined : "text"
    case "ebcdic1047":
      return writeEbcdic(value, out, at, cp1047) ? undefined : "text"
    case "gbk":
      writeGbk(value, out, at)
      return undefined
    default:
      return writeLatin1(value, out, at) ? undefined : "text"
  }
}

const writeHex = (value: Uint8Array, out: Uint8Array, at: number): void => {
  for (let index = 0; index < value.length; index++) {
    out[at + 2 * index] = hexDigit[value[index]! >> 4]!
    out[at + 2 * index + 1] = hexDigit[value[index]! & 15]!
  }
}

const writeLatin1 = (text: string, out: Uint8Array, at: number): boolean => {
  let wide = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    wide |= code
    out[at + index] = code
  }
  return wide < 256
}
