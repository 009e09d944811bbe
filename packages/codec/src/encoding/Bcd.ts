/**
 * Packed decimal: two digits a byte. An odd number of digits is to the left (a filling nibble at the end) or to the
 * right (a filling nibble in front). In track data the separator "=" travels as nibble D (docs/domain.md 1.8, notes).
 */

/** Characters of the nibbles 0..15 as they are read: the separator D reads as "=". */
const characters = "0123456789ABC=EF"

/** ASCII codes of the characters of the nibbles 0..15. */
export const bcdCode: Uint8Array = Uint8Array.from(characters, (character) => character.charCodeAt(0))

/** Where the digits of an odd number are in their bytes. */
export type BcdAlign = "left" | "right"

/** Bytes of a number of digits. */
export const bcdLength = (digits: number): number => (digits + 1) >> 1

/** Nibble of a character code, -1 when it has none: 0-9, "=" and D, and the rest of A-F in either case. */
export const bcdNibble: Int8Array = (() => {
  const nibbles = new Int8Array(256).fill(-1)
  for (let value = 0; value < 16; value++) {
    nibbles[value.toString(16).charCodeAt(0)] = value
    nibbles[value.toString(16).toUpperCase().charCodeAt(0)] = value
  }
  nibbles["=".charCodeAt(0)] = 13
  return nibbles
})()

/** Text of `digits` packed digits that begin at byte `from`. The filling nibble is not read. */
export const fromBcd = (bytes: Uint8Array, from: number, digits: number, align: BcdAlign): string => {
  const skip = digits % 2 === 1 && align === "right" ? 1 : 0
  let text = ""
  for (let index = skip; index < digits + skip; index++) {
    const byte = bytes[from + (index >> 1)]!
    text += characters[index % 2 === 0 ? byte >> 4 : byte & 15]!
  }
  return text
}

/** The filling nibble of an odd number of digits; -1 when the number is even. */
export const bcdFill = (bytes: Uint8Array, from: number, digits: number, align: BcdAlign): number => {
  if (digits % 2 === 0) return -1
  return align === "right" ? bytes[from]! >> 4 : bytes[from + (digits >> 1)]! & 15
}

/** Writes text as packed digits; false when a character has no nibble. `fill` is the filling nibble 0..15. */
export const writeBcd = (text: string, out: Uint8Array, at: number, align: BcdAlign, fill: number): boolean => {
  const digits = text.length
  const skip = digits % 2 === 1 && align === "right" ? 1 : 0
  for (let byte = 0; byte < bcdLength(digits); byte++) {
    const first = 2 * byte - skip
    const high = first < 0 ? fill : (bcdNibble[text.charCodeAt(first)] ?? -1)
    const low = first + 1 >= digits ? fill : (bcdNibble[text.charCodeAt(first + 1)] ?? -1)
    if (high < 0 || low < 0) return false
    out[at + byte] = high * 16 + low
  }
  return true
}
