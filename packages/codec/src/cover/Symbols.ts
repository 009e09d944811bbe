/** What single bytes and halves of bytes are where digits are looked for, and how card numbers begin. */

/** Fewest and most digits of a card number (ISO/IEC 7812-1; 13: old Visa numbers). */
export const DIGITS_MIN = 13
/** Most digits of a card number. */
export const DIGITS_MAX = 19

/** Fewest digits in front of a track's separator. */
export const TRACK_DIGITS_MIN = 12

/** What a byte or half a byte is, when it is no digit 0..9: anything. */
export const OTHER = -1
/** A single blank or hyphen between groups of digits. */
export const GAP = -3
/** Separator of track 2. */
export const SEPARATOR = -4
/** The same as a letter of a text, where it may also be the sign of an amount. */
export const LETTER_D = -5
/** Separator of track 1. */
export const CARET = -6
/** End sentinel of a track. */
export const END = -7

/** Whether no text in ASCII has the byte. */
export const isUnprintable = (byte: number): boolean => byte < 0x20 || byte > 0x7e

/** Whether both halves of the byte are decimal digits. */
export const isPacked = (byte: number): boolean => byte >> 4 <= 9 && (byte & 15) <= 9

const symbolsOf = (zero: number, marks: Readonly<Record<number, number>>): Int8Array =>
  Int8Array.from({ length: 256 }, (_, byte) =>
    byte >= zero && byte <= zero + 9 ? byte - zero : (marks[byte] ?? OTHER)
  )

/** Symbols of the bytes of a text in ASCII. */
export const ascii: Int8Array = symbolsOf(0x30, {
  32: GAP,
  45: GAP,
  61: SEPARATOR,
  63: END,
  68: LETTER_D,
  94: CARET,
  100: LETTER_D
})

/** The same in EBCDIC: code pages 037 and 1047, which differ in the caret only. */
export const ebcdic: Int8Array = symbolsOf(0xf0, {
  64: GAP,
  95: CARET,
  96: GAP,
  111: END,
  126: SEPARATOR,
  176: CARET,
  196: LETTER_D
})

const digits = (...set: ReadonlyArray<number>): number => set.reduce((mask, digit) => mask | (1 << digit), 0)

const anySecond = digits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)

/**
 * How card numbers of a length begin, by first digit: bits of the second. Inside a longer run of digits nothing else tells a
 * number from chance. 4 Visa, 34 and 37 American Express, 30, 36, 38 and 39 Diners, 2 and 5 Mastercard and Mir, 35 JCB, 6 and 81
 * UnionPay, Discover and Maestro, 9 national.
 */
const issuers: { readonly [length: number]: { readonly [first: number]: number } } = {
  13: { 4: anySecond },
  14: { 3: digits(0, 6, 8, 9) },
  15: { 3: digits(4, 7) },
  16: { 2: anySecond, 3: anySecond, 4: anySecond, 5: anySecond, 6: anySecond, 8: anySecond, 9: anySecond },
  17: { 5: anySecond, 6: anySecond, 8: digits(1) },
  18: { 5: anySecond, 6: anySecond, 8: digits(1) },
  19: { 4: anySecond, 5: anySecond, 6: anySecond, 8: digits(1), 9: anySecond }
}

/** Whether a card number of `length` digits begins with these two: by 100 * length + 10 * first + second. */
const begins = Uint8Array.from({ length: 2000 }, (_, at) => {
  const second = at % 10
  const mask = issuers[Math.floor(at / 100)]?.[Math.floor(at / 10) % 10] ?? 0
  return (mask >> second) & 1
})

/** Whether an issuer's card number of `length` digits, 13 to 19, begins so. */
export const beginsAsIssuers = (length: number, first: number, second: number): boolean =>
  begins[100 * length + 10 * first + second] === 1
