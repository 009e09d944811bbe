/**
 * Finds runs of hex digits in a text that may say digits of another text, in ASCII (`34313131`) or EBCDIC (`F4F1F1F1`): a host
 * that writes a dump into a field that is shown. Packed digits written so are digits of the text itself.
 */
import { hexValue } from "../encoding/Hex.ts"
import { TRACK_DIGITS_MIN } from "./Symbols.ts"

/** Hex digits that the digits in front of a track's separator take. */
const HEX_MIN = 2 * TRACK_DIGITS_MIN

/** Values of hex digits of a text in ASCII, by their codes; -1 for any other. */
export const asciiHex: Int8Array = hexValue

/** The same of a text in EBCDIC: digits, and A to F in either case. */
export const ebcdicHex: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0xf0 && byte <= 0xf9) return byte - 0xf0
  const letter = byte & 0xbf
  return letter >= 0x81 && letter <= 0x86 ? letter - 0x81 + 10 : -1
})

/** The end of the run of hex digits at `from`. */
const hexRunEnd = (bytes: Uint8Array, from: number, to: number, values: Int8Array): number => {
  let end = from
  while (end < to && values[bytes[end]!]! >= 0) end++
  return end
}

/** Whether enough pairs of the run, one behind another, say digits of a text (3 or F, and 0 to 9), from any hex digit on. */
const saysDigits = (bytes: Uint8Array, from: number, to: number, values: Int8Array): boolean => {
  for (let parity = 0; parity < 2; parity++) {
    let pairs = 0
    for (let at = from + parity; at + 1 < to; at += 2) {
      const high = values[bytes[at]!]!
      pairs = (high === 3 || high === 15) && values[bytes[at + 1]!]! <= 9 ? pairs + 1 : 0
      if (pairs === TRACK_DIGITS_MIN) return true
    }
  }
  return false
}

/** The same of packed digits: pairs of halves of bytes, from any half on. */
export const halvesSayDigits = (bytes: Uint8Array, from: number, to: number): boolean => {
  let whole = 0
  let across = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    whole = byte >= 0x30 && byte <= 0x39 ? whole + 1 : 0
    across = (byte & 15) === 3 && at + 1 < to && bytes[at + 1]! >> 4 <= 9 ? across + 1 : 0
    if (whole === TRACK_DIGITS_MIN || across === TRACK_DIGITS_MIN) return true
  }
  return false
}

/** Whether a run of hex digits may say a card number or a track. So long a run cannot hide between two places so far apart. */
export const lookAtHex = (bytes: Uint8Array, from: number, to: number, values: Int8Array): boolean => {
  for (let at = from + HEX_MIN - 1; at < to; at += HEX_MIN) {
    if (values[bytes[at]!]! < 0) continue
    let start = at
    while (start > from && values[bytes[start - 1]!]! >= 0) start--
    const end = hexRunEnd(bytes, at, to, values)
    if (end - start >= HEX_MIN && saysDigits(bytes, start, end, values)) return true
    at = Math.max(at, end - 1)
  }
  return false
}

/** What a run of hex digits says, from its digit `at` on. */
export interface Said {
  readonly at: number
  readonly bytes: Uint8Array
}

/** The bytes that each run of hex digits says; they may begin at its first digit or at its second one. */
export const saidInHex = (bytes: Uint8Array, from: number, to: number, values: Int8Array): ReadonlyArray<Said> => {
  const found: Array<Said> = []
  for (let at = from; at < to; at++) {
    const end = hexRunEnd(bytes, at, to, values)
    if (end - at >= HEX_MIN)
      for (const start of [at, at + 1]) found.push({ at: start, bytes: pairs(bytes, start, end, values) })
    at = Math.max(at, end)
  }
  return found
}

const pairs = (bytes: Uint8Array, from: number, to: number, values: Int8Array): Uint8Array =>
  Uint8Array.from(
    { length: (to - from) >> 1 },
    (_, at) => 16 * values[bytes[from + 2 * at]!]! + values[bytes[from + 2 * at + 1]!]!
  )
