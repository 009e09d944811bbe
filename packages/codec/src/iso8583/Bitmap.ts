/**
 * Bitmaps: which fields a message carries. In memory 32 bits a word, field 1 in the highest bit of the first word; bits 1 and
 * (with a third bitmap) 65 announce the next bitmap and are no fields.
 */
import { hexDigit, hexValue } from "../encoding/Hex.ts"
import type { Layout } from "./Dialect.ts"
import { bitmapInvalid, type MessageError, tooShort } from "./MessageError.ts"
import type { MessageIndex } from "./MessageIndex.ts"

/** Value of each EBCDIC byte as a hex digit, -1 for none: 0-9 are F0-F9, A-F C1-C6, a-f 81-86. */
export const ebcdicHexValue: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0xf0 && byte <= 0xf9) return byte - 0xf0
  return (byte >= 0xc1 && byte <= 0xc6) || (byte >= 0x81 && byte <= 0x86) ? 9 + (byte & 15) : -1
})

/** Clears six words; cheaper than a call of `fill`. */
export const clearWords = (words: Int32Array): void => {
  words[0] = 0
  words[1] = 0
  words[2] = 0
  words[3] = 0
  words[4] = 0
  words[5] = 0
}

/** Bitmaps that are in a message with these words. */
export const bitmapCount = (layout: Layout, words: Int32Array): number => {
  if (layout.dialect.bitmap.secondary === "fixed") return 2
  if (words[0]! >= 0) return 1
  return layout.deMax > 128 && words[2]! < 0 ? 3 : 2
}

/** Sets or clears bits 1 and 65 by the fields that are there; a kept bit stays even without need. */
export const announceBitmaps = (layout: Layout, words: Int32Array, keepSecond = false, keepThird = false): void => {
  if (layout.deMax > 128)
    words[2] = words[4] !== 0 || words[5] !== 0 || keepThird ? words[2]! | 0x80000000 : words[2]! & 0x7fffffff
  const { secondary } = layout.dialect.bitmap
  const second =
    secondary === "always" || (secondary === "optional" && (words[2] !== 0 || words[3] !== 0 || keepSecond))
  words[0] = second ? words[0]! | 0x80000000 : words[0]! & 0x7fffffff
}

/** Reads the bitmaps at `from` into the cleared words of the index and sets where the fields begin. */
export const readBitmaps = (
  layout: Layout,
  buffer: Buffer,
  from: number,
  end: number,
  into: MessageIndex
): MessageError | undefined => {
  const { secondary } = layout.dialect.bitmap
  let at = from
  if (!readWords(layout, buffer, at, into.words, 0)) return bitmapInvalid(at - into.start, "hex")
  at += layout.bitmapBytes
  const announced = into.words[0]! < 0
  if (secondary !== "optional" && announced !== (secondary === "always"))
    return bitmapInvalid(from - into.start, "value")
  for (let map = 1; map < bitmapCount(layout, into.words); map++) {
    if (at + layout.bitmapBytes > end) return tooShort(end - into.start)
    if (!readWords(layout, buffer, at, into.words, 2 * map)) return bitmapInvalid(at - into.start, "hex")
    at += layout.bitmapBytes
  }
  if (layout.deMax > 128) {
    into.hasThird = into.words[2]! < 0
    into.words[2] = into.words[2]! & 0x7fffffff
  }
  into.fieldsFrom = at
  return undefined
}

const readWords = (layout: Layout, buffer: Buffer, at: number, words: Int32Array, word: number): boolean => {
  if (layout.bitmapBytes === 8) {
    words[word] = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
    words[word + 1] = (buffer[at + 4]! << 24) | (buffer[at + 5]! << 16) | (buffer[at + 6]! << 8) | buffer[at + 7]!
    return true
  }
  const values = layout.dialect.bitmap.encoding === "hex-ebcdic" ? ebcdicHexValue : hexValue
  for (let half = 0; half < 2; half++) {
    let bits = 0
    for (let index = 0; index < 8; index++) {
      const digit = values[buffer[at + half * 8 + index]!]!
      if (digit < 0) return false
      bits = (bits << 4) | digit
    }
    words[word + half] = bits
  }
  return true
}

/** Writes the bitmaps of these words; returns the offset behind them. */
export const writeBitmaps = (layout: Layout, words: Int32Array, out: Uint8Array, from: number): number => {
  const { encoding } = layout.dialect.bitmap
  let at = from
  for (let word = 0; word < 2 * bitmapCount(layout, words); word++) {
    const value = words[word]!
    if (encoding === "binary") {
      out[at] = value >>> 24
      out[at + 1] = value >>> 16
      out[at + 2] = value >>> 8
      out[at + 3] = value
      at += 4
      continue
    }
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = hexDigit[(value >>> shift) & 15]!
      out[at++] = encoding === "hex" ? digit : digit <= 0x39 ? digit + 0xc0 : digit + 0x80
    }
  }
  return at
}
