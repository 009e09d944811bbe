/**
 * What generated code calls and the tables it reads, and the reference's value reader and writer for everything that has no fast
 * form. A check answers "certainly right"; otherwise the reference decides.
 */
import { bcdNibble } from "../../encoding/Bcd.ts"
import { cp037, cp1047, type EbcdicPage } from "../../encoding/Ebcdic.ts"
import { gbkLength } from "../../encoding/Gbk.ts"
import { hexDigit, hexValue, toHex } from "../../encoding/Hex.ts"
import { latin1 } from "../../encoding/Latin1.ts"
import { ebcdicHexValue } from "../Bitmap.ts"
import type { FieldContent, FieldLayout } from "../Field.ts"
import { Sensitive } from "../Sensitive.ts"
import { contentRule, fillRule, isAllowed, readBytes, readText, unitsAt, writePrefix, writeValue } from "../Value.ts"
import { room } from "./Slab.ts"

let view: DataView = new DataView(new ArrayBuffer(0))

/** A view of the memory of a buffer that is read; the last one is kept, because many messages are in one chunk. */
export const viewOf = (buffer: Buffer): DataView => {
  if (buffer.buffer !== view.buffer) view = new DataView(buffer.buffer)
  return view
}

let outView: DataView = new DataView(new ArrayBuffer(0))

/** The same for a buffer that is written, kept apart: reading and writing take turns. */
export const outViewOf = (buffer: Buffer): DataView => {
  if (buffer.buffer !== outView.buffer) outView = new DataView(buffer.buffer)
  return outView
}

/** Whether bytes `[from, to)` are printable ASCII, 0x20-0x7E. */
export const arePrintable = (view: DataView, from: number, to: number): boolean => {
  let right = 0x40404040
  let wrong = 0
  let at = from
  for (; at <= to - 4; at += 4) {
    const word = view.getInt32(at)
    // From 0x20 on bit 5 or 6 is set; 0x7F and anything above leaves bit 7 set when 1 is added or before.
    right &= word | (word << 1)
    wrong |= word | (word + 0x01010101)
  }
  for (; at < to; at++) {
    const byte = view.getUint8(at)
    if (byte < 0x20 || byte > 0x7e) return false
  }
  return right === 0x40404040 && (wrong & 0x80808080) === 0
}

/**
 * Writes a text of `length` characters; false when one is not printable ASCII. It is written as UTF-8, because a character that
 * is no ASCII then gives bytes that are none.
 */
export const putLong = (text: string, out: Buffer, at: number, length: number): boolean =>
  out.write(text, at, length) === length &&
  arePrintable(outViewOf(out), out.byteOffset + at, out.byteOffset + at + length)

/** Whether a byte is something else than two packed digits. */
const isNoPair: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => (byte >> 4 > 9 || (byte & 15) > 9 ? 1 : 0))

/**
 * Where the separator, nibble D, is among `units` packed digits from nibble `from` of the buffer on, counted from the first
 * of them; -1: nowhere, -2: there are two, or a nibble that is no digit.
 */
export const separatorIn = (buffer: Uint8Array, from: number, units: number): number => {
  const to = from + units
  let separator = -1
  for (let nibble = from; nibble < to; nibble++) {
    const byte = buffer[nibble >> 1]!
    if ((nibble & 1) === 0 && nibble + 1 < to && isNoPair[byte] === 0) {
      nibble++
      continue
    }
    const value = (nibble & 1) === 0 ? byte >> 4 : byte & 15
    if (value <= 9) continue
    if (value !== 13 || separator >= 0) return -2
    separator = nibble - from
  }
  return separator
}

/** Text of track data whose `units` digits are in the hex text from `from` on, and its separator where `separatorIn` says. */
export const trackOf = (hex: string, from: number, units: number, separator: number): string => {
  const to = from + units
  if (separator < 0) return hex.substring(from, to)
  return `${hex.substring(from, from + separator)}=${hex.substring(from + separator + 1, to)}`
}

/** Bytes and a view of them. */
interface Scratch {
  readonly bytes: Buffer
  readonly view: DataView
}

const makeScratch = (length: number): Scratch => {
  const bytes = Buffer.allocUnsafeSlow(length)
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset) }
}

let scratch = makeScratch(4096)

/** Room for a message whose EBCDIC is translated; valid until the next call. */
export const scratchOf = (length: number): Scratch => {
  if (scratch.bytes.length < length) scratch = makeScratch(2 * length)
  return scratch
}

/** Any field's value by the reference, `undefined` when it breaks a rule. */
export const valueByTable = (
  field: FieldLayout,
  lenient: boolean,
  buffer: Buffer,
  from: number,
  to: number
): string | Uint8Array | undefined => {
  if (field.bytes) return readBytes(field, buffer, from, to)
  const units = unitsAt(field, buffer, from, to - from)
  const text = readText(field, buffer, from, to, units)
  if (lenient) return text
  return (contentRule(field, text) ?? fillRule(field, buffer, from, units)) === undefined ? text : undefined
}

// Every Node has this Buffer method, untyped.
interface NativeBuffer {
  hexSlice(from: number, to: number): string
}

const native = Buffer.prototype as unknown as NativeBuffer

/** Hex text of bytes at native speed, lower case: only digits are taken from it. */
export const nativeHex = (buffer: Buffer, from: number, to: number): string => native.hexSlice.call(buffer, from, to)

const decimals = (digits: number): ReadonlyArray<string> =>
  Array.from({ length: 10 ** digits }, (_, value) => String(value).padStart(digits, "0"))

/** Texts of all numbers of one to four digits: length prefixes, and short n fields without a text of their own. */
export const decimals1: ReadonlyArray<string> = decimals(1)
/** Texts of all numbers of two digits, zeros in front. */
export const decimals2: ReadonlyArray<string> = decimals(2)
/** Texts of all numbers of three digits, zeros in front. */
export const decimals3: ReadonlyArray<string> = decimals(3)
/** Texts of all numbers of four digits, zeros in front. */
export const decimals4: ReadonlyArray<string> = decimals(4)

/** Codes of two characters of each text, as a 16-bit number. */
const pairs = (texts: ReadonlyArray<string>): Uint16Array =>
  Uint16Array.from(texts, (text) => (text.charCodeAt(0) << 8) | text.charCodeAt(1))

/** ASCII of all numbers of two digits. */
export const asciiPairs: Uint16Array = pairs(decimals2)

/** Upper-case hex of each byte. */
export const hexBytes: ReadonlyArray<string> = Array.from({ length: 256 }, (_, byte) => toHex(Uint8Array.of(byte)))

/** ASCII of the upper-case hex of each byte. */
const hexPairs: Uint16Array = pairs(hexBytes)

/** Writes bytes as upper-case hex digits, two bytes at a time. */
export const putHex = (bytes: Uint8Array, view: DataView, at: number): void => {
  const even = bytes.length & ~1
  for (let index = 0; index < even; index += 2)
    view.setInt32(at + 2 * index, (hexPairs[bytes[index]!]! << 16) | hexPairs[bytes[index + 1]!]!)
  if (even < bytes.length) view.setInt16(at + 2 * even, hexPairs[bytes[even]!]!)
}

/** Four digits as a number, -1 for anything else. */
export const mtiNumber = (mti: string): number => {
  let value = 0
  for (let index = 0; index < 4; index++) {
    const digit = mti.charCodeAt(index) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return mti.length === 4 ? value : -1
}

/** By character code 0..255 what is on the wire, 256 where the field's content must not hold the character. */
const wireTable = (content: FieldContent, byteOf: (code: number) => number): Uint16Array =>
  Uint16Array.from({ length: 256 }, (_, code) => {
    const byte = isAllowed(content, code) ? byteOf(code) : -1
    return byte < 0 ? 256 : byte
  })

/** By byte on the wire its character in Latin-1, 256 where the field's content must not hold it. */
const textTable = (content: FieldContent, { toLatin1 }: EbcdicPage): Uint16Array =>
  Uint16Array.from(toLatin1, (code) => (isAllowed(content, code) ? code : 256))

const contents = ["n", "a", "an", "ans", "ansb", "ns", "z"] as const

/** Tables of the text encodings of one byte a character, both ways, under the names that generated code uses. */
export const wireTables: Readonly<Record<string, Uint16Array>> = Object.fromEntries(
  contents.flatMap((content) => [
    [`bytesOf_ascii_${content}`, wireTable(content, (code) => code)],
    [`bytesOf_ebcdic_${content}`, wireTable(content, (code) => cp037.fromLatin1[code]!)],
    [`bytesOf_ebcdic1047_${content}`, wireTable(content, (code) => cp1047.fromLatin1[code]!)],
    [`textOf_ebcdic_${content}`, textTable(content, cp037)],
    [`textOf_ebcdic1047_${content}`, textTable(content, cp1047)],
    [`nibblesOf_${content}`, wireTable(content, (code) => bcdNibble[code]!)]
  ])
)

/** By the codes of two hex digits, as a 16-bit number, the byte they say; -1: one is no hex digit. */
const byteOfPair: Int16Array = Int16Array.from({ length: 65_536 }, (_, pair) => {
  const high = hexValue[pair >> 8]!
  const low = hexValue[pair & 255]!
  return high < 0 || low < 0 ? -1 : high * 16 + low
})

/** Bytes of hex digits, `undefined` when one is none; a slab costs less than an array of their own. */
export const hexField = (buffer: Uint8Array, from: number, to: number): Uint8Array | undefined => {
  const bytes = room((to - from) >> 1)
  let wrong = 0
  for (let at = from; at < to - 1; at += 2) {
    const byte = byteOfPair[(buffer[at]! << 8) | buffer[at + 1]!]!
    wrong |= byte
    bytes[(at - from) >> 1] = byte
  }
  return wrong < 0 ? undefined : bytes
}

/** Writes a value whose length has been checked; false when it breaks a content rule. */
export const putValue = (field: FieldLayout, value: string | Uint8Array, out: Uint8Array, at: number): boolean =>
  (typeof value !== "string" || contentRule(field, value) === undefined) &&
  writeValue(field, value, out, at) === undefined

export { cp037, cp1047, ebcdicHexValue, gbkLength, hexDigit, hexValue, latin1, Sensitive, writePrefix }
