/**
 * Hexadecimal text and bytes. Pure; upper case is written, either case is read.
 */

/** The sixteen digits, upper case, by value. */
const digits = "0123456789ABCDEF"

/** Value of an ASCII hex digit by its code, -1 for any other code (0..255). */
export const hexValue: Int8Array = (() => {
  const values = new Int8Array(256).fill(-1)
  for (let value = 0; value < 16; value++) {
    values[digits.charCodeAt(value)] = value
    values[digits.toLowerCase().charCodeAt(value)] = value
  }
  return values
})()

/** ASCII code of the upper-case digit of a value 0..15. */
export const hexDigit: Uint8Array = Uint8Array.from(digits, (digit) => digit.charCodeAt(0))

/** Upper-case hex of `bytes`, two characters a byte, without separators. */
export const toHex = (bytes: Uint8Array, from = 0, to = bytes.length): string => {
  let text = ""
  for (let at = from; at < to; at++) text += digits[bytes[at]! >> 4]! + digits[bytes[at]! & 15]!
  return text
}

/** Bytes of hex text, or `undefined` when it has an odd length or a character that is no hex digit. */
export const fromHex = (text: string): Uint8Array | undefined => {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    const high = hexValue[text.charCodeAt(2 * at)] ?? -1
    const low = hexValue[text.charCodeAt(2 * at + 1)] ?? -1
    if (high < 0 || low < 0) return undefined
    bytes[at] = high * 16 + low
  }
  return bytes
}

/** Bytes of hex text that is in source code or in a checked configuration; throws on a wrong digit. */
export const hex = (text: string): Uint8Array => {
  const bytes = fromHex(text.replaceAll(" ", ""))
  if (bytes === undefined) throw new TypeError("hex text expected: an even number of the digits 0-9 A-F")
  return bytes
}
