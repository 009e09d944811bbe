/**
 * Numbers on the wire: lengths of frames and of messages, length prefixes, message types. One reader and one writer for all the
 * ways in which they are written.
 */
import { hexDigit, hexValue } from "./Hex.ts"

/**
 * How a number is written: decimal digits in ASCII or EBCDIC, packed decimal (two digits a byte), hex digits in ASCII, or an
 * integer in network order (`binary`) or with the lowest byte first (`binary-le`).
 */
export type NumberForm = "ascii" | "ebcdic" | "bcd" | "hex" | "binary" | "binary-le"

/** What each byte is worth to the next one. */
const bases: { readonly [Form in NumberForm]: number } = {
  ascii: 10,
  ebcdic: 10,
  bcd: 100,
  hex: 16,
  binary: 256,
  "binary-le": 256
}

/** The greatest number that `bytes` bytes of this form can hold. */
export const numberMax = (form: NumberForm, bytes: number): number => bases[form] ** bytes - 1

/** The number in ASCII digits `[from, to)`, -1 when a byte is no digit. */
export const readDecimal = (bytes: Uint8Array, from: number, to: number): number => {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** The number in `[from, to)`, -1 when a byte is no digit of its form. Up to 2^53. */
export const readNumber = (form: NumberForm, bytes: Uint8Array, from: number, to: number): number => {
  if (form === "ascii") return readDecimal(bytes, from, to)
  let value = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[form === "binary-le" ? from + to - 1 - at : at]!
    switch (form) {
      case "ebcdic":
        if (byte < 0xf0 || byte > 0xf9) return -1
        value = value * 10 + byte - 0xf0
        break
      case "bcd":
        if (byte >> 4 > 9 || (byte & 15) > 9) return -1
        value = value * 100 + (byte >> 4) * 10 + (byte & 15)
        break
      case "hex":
        if (hexValue[byte]! < 0) return -1
        value = value * 16 + hexValue[byte]!
        break
      default:
        value = value * 256 + byte
    }
  }
  return value
}

/** Writes a number into `[from, to)`, zeros in front; false when it is greater than the bytes can hold. */
export const writeNumber = (form: NumberForm, value: number, out: Uint8Array, from: number, to: number): boolean => {
  let rest = value
  for (let at = to - 1; at >= from; at--) {
    const place = form === "binary-le" ? from + to - 1 - at : at
    switch (form) {
      case "ascii":
        out[place] = 0x30 + (rest % 10)
        break
      case "ebcdic":
        out[place] = 0xf0 + (rest % 10)
        break
      case "bcd":
        out[place] = Math.floor((rest % 100) / 10) * 16 + (rest % 10)
        break
      case "hex":
        out[place] = hexDigit[rest % 16]!
        break
      default:
        out[place] = rest % 256
    }
    rest = Math.floor(rest / bases[form])
  }
  return rest === 0
}
