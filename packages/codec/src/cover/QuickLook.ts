/**
 * The first look at bytes for card numbers and tracks: which forms may hold one, without any allocation. It stands in the way of
 * every message into the journal. It may suspect too much, never too little: `CardData` decides.
 */
import {
  ascii,
  beginsAsIssuers,
  CARET,
  DIGITS_MAX,
  DIGITS_MIN,
  ebcdic,
  GAP,
  isUnprintable,
  LETTER_D,
  OTHER,
  SEPARATOR,
  TRACK_DIGITS_MIN
} from "./Symbols.ts"

/** Bits of what is suspected: digits of a text, of EBCDIC, packed ones. */
export const IN_ASCII = 1
/** See {@link IN_ASCII}. */
export const IN_EBCDIC = 2
/** See {@link IN_ASCII}. */
export const IN_PACKED = 4

/**
 * Whether the bytes are text or may hold packed digits anywhere. Letters and digits of a text look like packed digits, so in a
 * text only runs with an unprintable byte are.
 */
export type ByteKind = "text" | "bytes" | "packed"

/** The digit at a place: of a text in either code the lower half of its byte; packed, half a byte. */
const digitAt = (bytes: Uint8Array, at: number, isHalf: boolean): number =>
  isHalf ? ((at & 1) === 0 ? bytes[at >> 1]! >> 4 : bytes[at >> 1]! & 15) : bytes[at]! & 15

/** What a digit adds to the sum of a check digit where it is doubled (ISO/IEC 7812-1 annex B). */
const doubled = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

/** Lengths of card numbers that begin with two digits, by 10 * first + second: bit 0 for 13 digits, and so on. */
const lengthsOf = Uint8Array.from({ length: 100 }, (_, at) => {
  let mask = 0
  for (let length = DIGITS_MIN; length <= DIGITS_MAX; length++)
    if (beginsAsIssuers(length, Math.floor(at / 10), at % 10)) mask |= 1 << (length - DIGITS_MIN)
  return mask
})

/** Sums of the check digit up to each digit of a run, where the digits at even places count once, and at odd ones. */
const evenSums = new Uint16Array(4096)
const oddSums = new Uint16Array(4096)

/** Whether a number that begins as an issuer's does is somewhere in the run. */
const holdsIssuers = (bytes: Uint8Array, from: number, to: number, isHalf: boolean): boolean => {
  const count = to - from
  // Nobody has so many digits in a row: let the slow way decide.
  if (count >= evenSums.length) return true
  let isSummed = false
  let one = digitAt(bytes, from, isHalf)
  for (let at = 0; at + DIGITS_MIN <= count; at++) {
    const two = digitAt(bytes, from + at + 1, isHalf)
    const mask = lengthsOf[10 * one + two]! & ((1 << (count - at - DIGITS_MIN + 1)) - 1)
    one = two
    if (mask === 0) continue
    if (!isSummed) sumUp(bytes, from, count, isHalf)
    isSummed = true
    for (let more = 0; more <= DIGITS_MAX - DIGITS_MIN; more++) {
      if ((mask & (1 << more)) === 0) continue
      const end = at + DIGITS_MIN + more
      const sums = (end & 1) === 1 ? evenSums : oddSums
      if ((sums[end]! - sums[at]!) % 10 === 0) return true
    }
  }
  return false
}

const sumUp = (bytes: Uint8Array, from: number, count: number, isHalf: boolean): void => {
  for (let at = 0; at < count; at++) {
    const digit = digitAt(bytes, from + at, isHalf)
    const twice = doubled[digit]!
    const isEven = (at & 1) === 0
    evenSums[at + 1] = evenSums[at]! + (isEven ? digit : twice)
    oddSums[at + 1] = oddSums[at]! + (isEven ? twice : digit)
  }
}

/** Whether a card number may be in the run of digits `[from, to)`, of halves of bytes where `isHalf`. */
const mayHoldNumber = (bytes: Uint8Array, from: number, to: number, isHalf: boolean): boolean => {
  if (to - from < DIGITS_MIN) return false
  let first = -1
  let last = -1
  let plain = 0
  let crossed = 0
  for (let at = from; at < to; at++) {
    const digit = digitAt(bytes, at, isHalf)
    const twice = doubled[digit]!
    // Whether the last digit counts once or twice shows at the end only: both sums change places at each digit.
    const before = plain
    plain = crossed + digit
    crossed = before + twice
    if (digit === 0) continue
    if (first < 0) first = at
    last = at
  }
  const count = to - first
  if (first < 0 || count < DIGITS_MIN || last - first < 3) return false
  // Zeros in front change no sum.
  if (count <= DIGITS_MAX && plain % 10 === 0) return true
  return holdsIssuers(bytes, first, to, isHalf)
}

const endsTrackNumber = (symbol: number): boolean => symbol === SEPARATOR || symbol === LETTER_D || symbol === CARET

/** Whether the digits of `[from, to)`, with single gaps, may hold one; `next` is what follows them. */
const lookAtRun = (bytes: Uint8Array, from: number, to: number, next: number, symbols: Int8Array): boolean => {
  let start = 0
  let count = 0
  let hasGap = false
  for (let at = from; at <= to; at++) {
    const symbol = at < to ? symbols[bytes[at]!]! : next
    if (symbol >= 0) {
      if (count++ === 0) start = at
      continue
    }
    if (count === 0) continue
    if (at + 1 < to && symbol === GAP && symbols[bytes[at + 1]!]! >= 0) {
      hasGap = true
      continue
    }
    if (count >= TRACK_DIGITS_MIN && (hasGap || endsTrackNumber(symbol) || mayHoldNumber(bytes, start, at, false)))
      return true
    count = 0
    hasGap = false
  }
  return false
}

const isInRun = (symbol: number): boolean => symbol >= 0 || symbol === GAP

/** Whether a text may hold one. A run of 12 digits and gaps cannot hide between two places that are 12 apart. */
const lookAtText = (bytes: Uint8Array, from: number, to: number, symbols: Int8Array): boolean => {
  for (let at = from + TRACK_DIGITS_MIN - 1; at < to; at += TRACK_DIGITS_MIN) {
    if (!isInRun(symbols[bytes[at]!]!)) continue
    let start = at
    while (start > from && isInRun(symbols[bytes[start - 1]!]!)) start--
    let end = at + 1
    while (end < to && isInRun(symbols[bytes[end]!]!)) end++
    if (lookAtRun(bytes, start, end, end < to ? symbols[bytes[end]!]! : OTHER, symbols)) return true
    at = end - 1
  }
  return false
}

/** Bits of a byte: a digit in ASCII, one in EBCDIC, no printable text. */
const marks = Uint8Array.from(
  { length: 256 },
  (_, byte) =>
    (ascii[byte]! >= 0 ? IN_ASCII : 0) | (ebcdic[byte]! >= 0 ? IN_EBCDIC : 0) | (isUnprintable(byte) ? IN_PACKED : 0)
)

/** Of each byte: 1 when its upper half is a decimal digit, 2 when its lower one is. */
const halves = Uint8Array.from({ length: 256 }, (_, byte) => (byte >> 4 <= 9 ? 1 : 0) | ((byte & 15) <= 9 ? 2 : 0))

/** The nibble that separates a track. */
const PACKED_SEPARATOR = 13

const mayEnd = (bytes: Uint8Array, end: number, count: number, to: number): boolean => {
  if (count < TRACK_DIGITS_MIN) return false
  if (end < 2 * to && digitAt(bytes, end, true) === PACKED_SEPARATOR) return true
  return mayHoldNumber(bytes, end - count, end, true)
}

/** Whole bytes that 12 packed digits have at least: they may begin and end in the middle of one. */
const WHOLE_BYTES_MIN = (TRACK_DIGITS_MIN - 2) / 2

/** Whether packed digits may hold one. Five whole bytes of digits cannot hide between two places that are five apart. */
const lookAtPacked = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from + WHOLE_BYTES_MIN - 1; at < to; at += WHOLE_BYTES_MIN) {
    if (halves[bytes[at]!]! !== 3) continue
    let start = at
    while (start > from && halves[bytes[start - 1]!]! === 3) start--
    let end = at + 1
    while (end < to && halves[bytes[end]!]! === 3) end++
    const first = 2 * start - (start > from ? halves[bytes[start - 1]!]! >> 1 : 0)
    const last = 2 * end + (end < to ? halves[bytes[end]!]! & 1 : 0)
    if (mayEnd(bytes, last, last - first, to)) return true
    at = end - 1
  }
  return false
}

/** The forms in which `bytes[from, to)` may hold a card number or a track; 0: none. */
export const suspectForms = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): number => {
  if (kind === "packed") return lookAtPacked(bytes, from, to) ? IN_PACKED : 0
  let found = kind === "bytes" && lookAtPacked(bytes, from, to) ? IN_PACKED : 0
  if (to - from < TRACK_DIGITS_MIN) return found === 0 && kind === "text" ? lookAtShortText(bytes, from, to) : found
  let seen = 0
  for (let at = from; at < to; at++) seen |= marks[bytes[at]!]!
  if ((seen & IN_ASCII) !== 0 && lookAtText(bytes, from, to, ascii)) found |= IN_ASCII
  if ((seen & IN_EBCDIC) !== 0 && lookAtText(bytes, from, to, ebcdic)) found |= IN_EBCDIC
  if (kind === "text" && (seen & IN_PACKED) !== 0 && lookAtPacked(bytes, from, to)) found |= IN_PACKED
  return found
}

/** In fewer than 12 characters of a text only packed digits have room. */
const lookAtShortText = (bytes: Uint8Array, from: number, to: number): number => {
  for (let at = from; at < to; at++)
    if ((marks[bytes[at]!]! & IN_PACKED) !== 0) return lookAtPacked(bytes, from, to) ? IN_PACKED : 0
  return 0
}
