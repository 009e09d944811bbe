/**
 * The first look at bytes for card numbers and tracks: which forms may hold one, without any allocation. It is on the way of
 * every message into the journal. It may suspect too much, never too little: `CardData` decides.
 */
import { asciiHex, ebcdicHex, halvesSayDigits, lookAtHex } from "./HexText.ts"
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
/** Digits of a text that hex digits of a text say; see {@link IN_ASCII}. */
export const IN_HEX = 8
/** The same in EBCDIC; see {@link IN_ASCII}. */
export const IN_EBCDIC_HEX = 16

/**
 * Whether the bytes are text or may hold packed digits anywhere. Letters and digits of a text look like packed digits, so in a
 * text only runs with an unprintable byte are.
 */
export type ByteKind = "text" | "bytes" | "packed"

/** What a digit adds to the sum of a check digit where it is doubled (ISO/IEC 7812-1 annex B). */
const doubled = Uint8Array.of(0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

/** Lengths of card numbers that begin with two digits, by 16 * first + second: bit 0 for 13 digits, and so on. */
const lengthsOf = Uint8Array.from({ length: 256 }, (_, at) => {
  let mask = 0
  for (let length = DIGITS_MIN; length <= DIGITS_MAX; length++)
    if (at >> 4 <= 9 && (at & 15) <= 9 && beginsAsIssuers(length, at >> 4, at & 15)) mask |= 1 << (length - DIGITS_MIN)
  return mask
})

/** The shortest card number that begins with two digits, by 16 * first + second; 255: none does. */
const leastOf = lengthsOf.map((mask) => (mask === 0 ? 255 : DIGITS_MIN + 31 - Math.clz32(mask & -mask)))

/** Most digits in a row that are looked at here: nobody has so many, and the slow way decides. */
const RUN_MAX = 4096

/** The digits of the run that is looked at, and the sums of the check digit up to each of them. */
const run = new Uint8Array(RUN_MAX)
/** Digits at even places count once, and at odd ones twice; the other way round. */
const evenSums = new Uint16Array(RUN_MAX + 1)
const oddSums = new Uint16Array(RUN_MAX + 1)

/** The lengths of card numbers that have room in so many digits, as bits: bit 0 for 13, and so on. */
const roomFor = (count: number): number => (1 << (Math.min(count, DIGITS_MAX) - DIGITS_MIN + 1)) - 1

/** Whether a number that begins as an issuer's does is somewhere in the first `count` digits of `run`. */
const holdsIssuers = (count: number): boolean => {
  let summed = 0
  for (let at = 0; at + DIGITS_MIN <= count; at++) {
    const mask = lengthsOf[(run[at]! << 4) | run[at + 1]!]! & roomFor(count - at)
    if (mask === 0) continue
    if (summed === 0) sumUp(count)
    summed = count
    for (let more = 0; more <= DIGITS_MAX - DIGITS_MIN; more++) {
      if ((mask & (1 << more)) === 0) continue
      const end = at + DIGITS_MIN + more
      const sums = (end & 1) === 1 ? evenSums : oddSums
      if ((sums[end]! - sums[at]!) % 10 === 0) return true
    }
  }
  return false
}

const sumUp = (count: number): void => {
  let even = 0
  let odd = 0
  for (let at = 0; at < count; at++) {
    const digit = run[at]!
    const twice = doubled[digit]!
    const isEven = (at & 1) === 0
    even += isEven ? digit : twice
    odd += isEven ? twice : digit
    evenSums[at + 1] = even
    oddSums[at + 1] = odd
  }
}

/** Whether the first `count` digits of `run` are a number with a good check digit by themselves, zeros in front of it aside. */
const isNumber = (count: number): boolean => {
  let first = 0
  while (first < count && run[first] === 0) first++
  const length = count - first
  if (length < DIGITS_MIN || length > DIGITS_MAX) return false
  let sum = 0
  let at = count - 1
  for (; at > first; at -= 2) sum += run[at]! + doubled[run[at - 1]!]!
  if (at === first) sum += run[at]!
  return sum % 10 === 0
}

/** Whether only the first three of the digits, behind zeros, are none: a code or an amount and its filling. */
const isFilling = (count: number): boolean => {
  let first = 0
  while (first < count && run[first] === 0) first++
  let last = count - 1
  while (last > first && run[last] === 0) last--
  return last - first < 3
}

/** Whether a card number may be in the first `count` digits of `run`. */
const mayHoldNumber = (count: number): boolean => {
  if (count < DIGITS_MIN) return false
  return (isNumber(count) || holdsIssuers(count)) && !isFilling(count)
}

const endsTrackNumber = (symbol: number): boolean => symbol === SEPARATOR || symbol === LETTER_D || symbol === CARET

/** Whether the digits of `[from, to)`, with single gaps, may hold one; `next` is what follows them. */
const lookAtRun = (bytes: Uint8Array, from: number, to: number, next: number, symbols: Int8Array): boolean => {
  if (to - from > RUN_MAX) return true
  let count = 0
  let hasGap = false
  for (let at = from; at <= to; at++) {
    const symbol = at < to ? symbols[bytes[at]!]! : next
    if (symbol >= 0) {
      run[count++] = symbol
      continue
    }
    if (count === 0) continue
    if (at + 1 < to && symbol === GAP && symbols[bytes[at + 1]!]! >= 0) {
      hasGap = true
      continue
    }
    if (count >= TRACK_DIGITS_MIN && (hasGap || endsTrackNumber(symbol) || mayHoldNumber(count))) return true
    count = 0
    hasGap = false
  }
  return false
}

/**
 * Whether the digits of `[from, to)`, of a text and without a gap, may be a number by themselves or hold one that begins as an
 * issuer's does. The usual run is neither, and is read where it is.
 */
const isPerhapsNumber = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at + DIGITS_MIN <= to; at++) {
    if (leastOf[((bytes[at]! & 15) << 4) | (bytes[at + 1]! & 15)]! <= to - at) return true
  }
  let first = from
  while (first < to && (bytes[first]! & 15) === 0) first++
  if (to - first < DIGITS_MIN || to - first > DIGITS_MAX) return false
  let sum = 0
  let at = to - 1
  for (; at > first; at -= 2) sum += (bytes[at]! & 15) + doubled[bytes[at - 1]! & 15]!
  if (at === first) sum += bytes[at]! & 15
  return sum % 10 === 0
}

/** Whether a text may hold one. A run of 12 digits and gaps cannot hide between two places that are 12 apart. */
const lookAtText = (bytes: Uint8Array, from: number, to: number, symbols: Int8Array): boolean => {
  for (let at = from + TRACK_DIGITS_MIN - 1; at < to; at += TRACK_DIGITS_MIN) {
    let symbol = symbols[bytes[at]!]!
    if (symbol < 0 && symbol !== GAP) continue
    let hasGap = symbol === GAP
    let start = at
    for (; start > from; start--) {
      symbol = symbols[bytes[start - 1]!]!
      if (symbol === GAP) hasGap = true
      else if (symbol < 0) break
    }
    let end = at + 1
    for (; end < to; end++) {
      symbol = symbols[bytes[end]!]!
      if (symbol === GAP) hasGap = true
      else if (symbol < 0) break
    }
    const next = end < to ? symbols[bytes[end]!]! : OTHER
    const isWorth =
      hasGap || (end - start >= TRACK_DIGITS_MIN && (endsTrackNumber(next) || isPerhapsNumber(bytes, start, end)))
    if (isWorth && lookAtRun(bytes, start, end, next, symbols)) return true
    at = end - 1
  }
  return false
}

/** Of each byte: 1 when its upper half is a decimal digit, 2 when its lower one is. */
const halves = Uint8Array.from({ length: 256 }, (_, byte) => (byte >> 4 <= 9 ? 1 : 0) | ((byte & 15) <= 9 ? 2 : 0))

/** The nibble that separates a track. */
const PACKED_SEPARATOR = 13

const halfAt = (bytes: Uint8Array, at: number): number => ((at & 1) === 0 ? bytes[at >> 1]! >> 4 : bytes[at >> 1]! & 15)

/** Whether a number that begins as an issuer's does has room in the halves `[from, to)`, all of them digits. */
const mayBeginAsIssuers = (bytes: Uint8Array, from: number, to: number): boolean => {
  for (let at = from; at + DIGITS_MIN <= to; at++) {
    const byte = bytes[at >> 1]!
    const pair = (at & 1) === 0 ? byte : ((byte & 15) << 4) | (bytes[(at >> 1) + 1]! >> 4)
    if (leastOf[pair]! <= to - at) return true
  }
  return false
}

/**
 * Whether the halves of bytes `[from, to)`, all of them digits, may hold one; `end`: of all bytes. In binary a number has to
 * begin as an issuer's does; the usual run does not, and is read where it is.
 */
const lookAtHalves = (bytes: Uint8Array, from: number, to: number, end: number, isBinary: boolean): boolean => {
  const count = to - from
  if (count < TRACK_DIGITS_MIN) return false
  if (count > RUN_MAX || (to < 2 * end && halfAt(bytes, to) === PACKED_SEPARATOR)) return true
  if (count < DIGITS_MIN || (isBinary && !mayBeginAsIssuers(bytes, from, to))) return false
  let length = 0
  for (let at = from; at < to; at++) run[length++] = halfAt(bytes, at)
  return mayHoldNumber(count)
}

/** Whole bytes that 12 packed digits have at least: they may begin and end in the middle of one. */
const WHOLE_BYTES_MIN = (TRACK_DIGITS_MIN - 2) / 2

/** Whether packed digits may hold one. Five whole bytes of digits cannot hide between two places that are five apart. */
const lookAtPacked = (bytes: Uint8Array, from: number, to: number, isBinary: boolean): boolean => {
  for (let at = from + WHOLE_BYTES_MIN - 1; at < to; at += WHOLE_BYTES_MIN) {
    if (halves[bytes[at]!]! !== 3) continue
    let start = at
    while (start > from && halves[bytes[start - 1]!]! === 3) start--
    let end = at + 1
    while (end < to && halves[bytes[end]!]! === 3) end++
    at = Math.max(at, end - 1)
    if (end - start < WHOLE_BYTES_MIN) continue
    const first = 2 * start - (start > from ? halves[bytes[start - 1]!]! >> 1 : 0)
    const last = 2 * end + (end < to ? halves[bytes[end]!]! & 1 : 0)
    if (lookAtHalves(bytes, first, last, to, isBinary)) return true
  }
  return false
}

/** Of each byte: 1 when no text in ASCII has it. */
const unprintable = Uint8Array.from({ length: 256 }, (_, byte) => (isUnprintable(byte) ? 1 : 0))

const isPlainText = (bytes: Uint8Array, from: number, to: number): boolean => {
  let seen = 0
  for (let at = from; at < to; at++) seen |= unprintable[bytes[at]!]!
  return seen === 0
}

/** The forms in which `bytes[from, to)` may hold a card number or a track; 0: none. */
export const suspectForms = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): number => {
  const hasRoom = to - from >= TRACK_DIGITS_MIN
  if (kind === "packed")
    return (
      (lookAtPacked(bytes, from, to, false) ? IN_PACKED : 0) |
      (hasRoom && halvesSayDigits(bytes, from, to) ? IN_HEX : 0)
    )
  // Digits of EBCDIC are no printable bytes, and packed ones in a text have one beside them.
  if (kind === "text" && isPlainText(bytes, from, to))
    return hasRoom
      ? (lookAtText(bytes, from, to, ascii) ? IN_ASCII : 0) | (lookAtHex(bytes, from, to, asciiHex) ? IN_HEX : 0)
      : 0
  let found = lookAtPacked(bytes, from, to, true) ? IN_PACKED : 0
  if (hasRoom && lookAtText(bytes, from, to, ascii)) found |= IN_ASCII
  if (hasRoom && lookAtText(bytes, from, to, ebcdic)) found |= IN_EBCDIC
  if (hasRoom && lookAtHex(bytes, from, to, asciiHex)) found |= IN_HEX
  if (hasRoom && lookAtHex(bytes, from, to, ebcdicHex)) found |= IN_EBCDIC_HEX
  return found
}
