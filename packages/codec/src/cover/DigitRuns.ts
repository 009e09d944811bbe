/**
 * Covers every long run of digits, whatever it is: for bytes that could not be read as a message. Where the table is the wrong
 * one a card number or a piece of a track can be in any field, so nothing long is shown.
 */
import { coverCardData, coverCardText } from "./CardData.ts"

/** Digits in a row of which none is shown in something that was not understood. */
export const UNREAD_DIGITS_MIN = 8

/** Digits of a text; what EBCDIC digits look like when they are read as Latin-1. */
const textRun = new RegExp(`[0-9]{${UNREAD_DIGITS_MIN},}|[\\u00f0-\\u00f9]{${UNREAD_DIGITS_MIN},}`, "g")
/** Packed digits, and with them digits of a text; digits of EBCDIC. */
const hexRun = new RegExp(`[0-9]{${UNREAD_DIGITS_MIN},}|(?:[fF][0-9]){${UNREAD_DIGITS_MIN},}`, "g")

const stars = (run: string): string => "*".repeat(run.length)

/** A text without its long runs of digits, and without what is shaped like a card number in groups. */
export const coverRuns = (text: string): string => coverCardText(text.replace(textRun, stars))

/**
 * What looks like packed digits and is none: a text of fewer than 8 characters that begins with a digit, as a length header of
 * four digits does, and the first bytes of TLS (RFC 8446, 5.1), with which no card number begins.
 */
const isPlain = (run: string): boolean =>
  (run.length < 2 * UNREAD_DIGITS_MIN && /^3[0-9](?:[2-7][0-9])*$/.test(run)) || /^16030[0-4]0[0-9]$/.test(run)

/**
 * Hex of bytes without long runs of digits: packed, of a text or of EBCDIC. Of each run the first `shown` hex digits stay, at
 * most 7.
 */
export const coverRunsOfHex = (hex: string, shown = 0): string =>
  hex.replace(hexRun, (run) => (isPlain(run) ? run : run.slice(0, shown) + stars(run.slice(shown))))

const ASTERISK = 0x2a

const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f
const isTextDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
const isEbcdicDigit = (byte: number): boolean => byte >= 0xf0 && byte <= 0xf9
const isPacked = (byte: number): boolean => byte >> 4 <= 9 && (byte & 15) <= 9

/** Covers the runs of at least `least` bytes for which `is` holds, and `also` for one of them. */
const coverBytes = (
  bytes: Uint8Array,
  least: number,
  is: (byte: number) => boolean,
  also: (byte: number) => boolean
): void => {
  for (let from = 0; from < bytes.length; from++) {
    let to = from
    while (to < bytes.length && is(bytes[to]!)) to++
    if (to - from >= least && bytes.subarray(from, to).some(also)) bytes.fill(ASTERISK, from, to)
    from = to
  }
}

/** Covers long runs of digits in bytes, in place: of a text, of EBCDIC, and packed where a byte of them is no text. */
export const coverRunsOfBytes = (bytes: Uint8Array): void => {
  coverCardData(bytes, 0, bytes.length, "bytes")
  coverBytes(bytes, UNREAD_DIGITS_MIN, isTextDigit, () => true)
  coverBytes(bytes, UNREAD_DIGITS_MIN, isEbcdicDigit, () => true)
  coverBytes(bytes, UNREAD_DIGITS_MIN / 2, isPacked, (byte) => !isPrintable(byte))
}
