/**
 * GBK text that loses no byte. A field of fixed length may cut a Chinese character in two (DE 43 of CUPS): the half that is
 * left, and any byte that is no GBK, becomes a lone surrogate U+DC80..U+DCFF and turns back into the same byte when written.
 * Lengths on the wire count bytes, never characters.
 */
import iconv from "iconv-lite"

/** Lone surrogates U+DC80..U+DCFF stand for the bytes 0x80..0xFF. */
const ESCAPES = 0xdc00

interface Tables {
  /** Character of a byte pair, by first * 256 + second; 0: the pair has none. */
  readonly character: Uint16Array
  /** Byte pair of a character; 0: it has none. */
  readonly pair: Uint16Array
}

let made: Tables | undefined

/** Second bytes of pairs begin here; it ends no pair, and is none by itself. */
const SECOND_MIN = 0x40
const separator = "\n"

/** What each pair with this first byte is, decoded at once: one call for each takes ten times as long. */
const decodedRow = (first: number): ReadonlyArray<string> => {
  const pairs = Array.from({ length: 0xff - SECOND_MIN }, (_, n) => [first, SECOND_MIN + n, separator.charCodeAt(0)])
  return iconv.decode(Buffer.from(pairs.flat()), "gbk").split(separator)
}

/** Built when the first character that is not ASCII comes: only pairs that come back as the same two bytes are taken. */
const tables = (): Tables => {
  if (made !== undefined) return made
  const character = new Uint16Array(0x10000)
  const pair = new Uint16Array(0x10000)
  for (let first = 0x81; first <= 0xfe; first++) {
    const row = decodedRow(first)
    for (let second = SECOND_MIN; second <= 0xfe; second++) {
      const text = second === 0x7f ? "" : row[second - SECOND_MIN]!
      const code = text.length === 1 ? text.charCodeAt(0) : 0
      if (code < 0x80 || code === 0xfffd || (code & 0xf800) === 0xd800 || pair[code] !== 0) continue
      character[first * 256 + second] = code
      pair[code] = first * 256 + second
    }
  }
  made = { character, pair }
  return made
}

/** Text of GBK bytes. Bytes that make no character become escapes: `gbkBytes` gives exactly the same bytes back. */
export const fromGbk = (bytes: Uint8Array, from: number, to: number): string => {
  let text = ""
  for (let at = from; at < to; at++) {
    const first = bytes[at]!
    const code = first >= 0x80 && at + 1 < to ? tables().character[first * 256 + bytes[at + 1]!]! : 0
    if (code !== 0) at++
    text += String.fromCharCode(first < 0x80 ? first : code !== 0 ? code : ESCAPES + first)
  }
  return text
}

const isEscape = (code: number): boolean => code >= ESCAPES + 0x80 && code <= ESCAPES + 0xff

/** Bytes that `text` takes in GBK, or -1 when it holds a character that GBK has not. */
export const gbkLength = (text: string): number => {
  let length = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80 || isEscape(code)) length += 1
    else if (tables().pair[code] !== 0) length += 2
    else return -1
  }
  return length
}

/** Writes text as GBK; the caller has checked `gbkLength`. Returns the bytes written. */
export const writeGbk = (text: string, out: Uint8Array, at: number): number => {
  let to = at
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80) out[to++] = code
    else if (isEscape(code)) out[to++] = code - ESCAPES
    else {
      const pair = tables().pair[code]!
      out[to++] = pair >> 8
      out[to++] = pair & 255
    }
  }
  return to - at
}

/** The text without what cannot be shown: each escaped byte becomes U+FFFD. For display only. */
export const shownGbk = (text: string): string => text.replace(/[\udc80-\udcff]/g, "\ufffd")
