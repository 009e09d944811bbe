/**
 * Finds card numbers and tracks by their shape, in bytes and texts about which nothing else is known, and covers them in place.
 * It is the second line: the first is the dialect, which covers whole fields (`Elements.ts`).
 *
 * A card number is 13 to 19 digits with a good check digit (ISO/IEC 7812-1: number up to 19 digits, annex B: modulus 10), alone
 * or in groups with single spaces or hyphens, and also inside a longer run of digits when it begins as an issuer's does. Its
 * first 6 and last 4 digits stay (PCI DSS 4.0.1, 3.4.1). A track is a number of 12 digits or more, a separator, and what follows
 * (ISO/IEC 7813): nothing of it stays. Digits are looked for as text, as EBCDIC, packed two a byte, and as hex that says them.
 *
 * Numbers with a good check digit occur by chance, one in ten: what is covered by mistake costs the reader some digits.
 */
import { asciiHex, ebcdicHex, lookAtHex, saidInHex } from "./HexText.ts"
import { type ByteKind, IN_ASCII, IN_EBCDIC, IN_EBCDIC_HEX, IN_HEX, IN_PACKED, suspectForms } from "./QuickLook.ts"
import {
  ascii,
  beginsAsIssuers,
  CARET,
  DIGITS_MAX,
  DIGITS_MIN,
  END,
  ebcdic,
  GAP,
  isPacked,
  isUnprintable,
  LETTER_D,
  OTHER,
  SEPARATOR,
  TRACK_DIGITS_MIN
} from "./Symbols.ts"

/** Covers card numbers and tracks in `bytes[from, to)`; true when there were any. Lengths do not change. */
export const coverCardData = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): boolean => {
  const forms = suspectForms(bytes, from, to, kind)
  if (forms === 0) return false
  let found = false
  if ((forms & IN_HEX) !== 0)
    found = kind === "packed" ? coverHalves(bytes, from, to) : coverHex(bytes, from, to, asciiHex, 0x2a)
  if ((forms & IN_EBCDIC_HEX) !== 0) found = coverHex(bytes, from, to, ebcdicHex, 0x5c) || found
  if ((forms & IN_ASCII) !== 0) found = coverText(bytes, from, to, ascii, 0x2a) || found
  if ((forms & IN_EBCDIC) !== 0) found = coverText(bytes, from, to, ebcdic, 0x5c) || found
  if ((forms & IN_PACKED) !== 0) found = coverPacked(bytes, from, to, kind) || found
  return found
}

/** Whether `bytes[from, to)` hold a track: what must not be kept at all. */
export const holdsTrack = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): boolean => {
  const forms = suspectForms(bytes, from, to, kind)
  if (forms === 0) return false
  const isTrack = (symbols: Int8Array): boolean => ranges(symbols, false, true).length > 0
  const text = (table: Int8Array) => isTrack(symbolsOf(bytes, from, to, table))
  const inHex = (values: Int8Array) =>
    saidInHex(bytes, from, to, values).some((said) => holdsTrack(said.bytes, 0, said.bytes.length, "bytes"))
  return (
    ((forms & IN_HEX) !== 0 && inHex(asciiHex)) ||
    ((forms & IN_EBCDIC_HEX) !== 0 && inHex(ebcdicHex)) ||
    ((forms & IN_ASCII) !== 0 && text(ascii)) ||
    ((forms & IN_EBCDIC) !== 0 && text(ebcdic)) ||
    ((forms & IN_PACKED) !== 0 && isTrack(packedSymbols(bytes, from, to, kind)))
  )
}

/** Where bytes hold a track: from its number's first digit, however many digits are in front of that. */
export const trackSpans = (bytes: Uint8Array): ReadonlyArray<{ readonly from: number; readonly to: number }> => {
  const forms = suspectForms(bytes, 0, bytes.length, "bytes")
  const spans = (symbols: Int8Array, aByte: number) =>
    ranges(symbols, false, true).map(({ places, separator }) => ({
      from: Math.floor(Math.max(places[0]!, separator - DIGITS_MAX) / aByte),
      to: Math.floor(places.at(-1)! / aByte) + 1
    }))
  const text = (table: Int8Array) => spans(symbolsOf(bytes, 0, bytes.length, table), 1)
  return [
    ...((forms & IN_ASCII) !== 0 ? text(ascii) : []),
    ...((forms & IN_EBCDIC) !== 0 ? text(ebcdic) : []),
    ...((forms & IN_PACKED) !== 0 ? spans(packedSymbols(bytes, 0, bytes.length, "bytes"), 2) : [])
  ]
}

/** Whether a text is bytes, one a character, some of which no text has: packed digits or EBCDIC may be among them. */
const isBytes = (text: string): boolean => {
  let hasRaw = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0xff) return false
    hasRaw ||= isUnprintable(code)
  }
  return hasRaw
}

/** A text with its card numbers and tracks covered: for values, errors and whatever somebody typed or sent. */
export const coverCardText = (text: string): string => {
  if (isBytes(text)) {
    const bytes = Buffer.from(text, "latin1")
    return coverCardData(bytes, 0, bytes.length, "text") ? bytes.toString("latin1") : text
  }
  if (!/\d/.test(text)) return text
  const symbols = Int8Array.from({ length: text.length }, (_, at) => {
    const code = text.charCodeAt(at)
    return code < 256 ? ascii[code]! : OTHER
  })
  const found = ranges(symbols)
  if (found.length === 0) return text
  const characters = [...Array(text.length).keys()].map((at) => text[at]!)
  for (const { places } of found) for (const place of places) characters[place] = "*"
  return characters.join("")
}

/**
 * The same for a value of a field, in which hex digits may say digits of another text. Lines of a log are not searched so: hex of
 * whole messages is in them, where numbers lie one behind another.
 */
export const coverValueText = (text: string): string => {
  if (!/[0-9A-Fa-f]{24}/.test(text)) return coverCardText(text)
  // A character that has no byte is no hex digit either.
  const bytes = Uint8Array.from({ length: text.length }, (_, at) => Math.min(text.charCodeAt(at), 0xff))
  if (!lookAtHex(bytes, 0, bytes.length, asciiHex) || !coverHex(bytes, 0, bytes.length, asciiHex, 0x2a))
    return coverCardText(text)
  return coverCardText(Array.from(bytes, (byte, at) => (byte === 0x2a ? "*" : text[at]!)).join(""))
}

/** One symbol a byte. A loop: `Int8Array.from` takes ten times as long, and data of an original comes here with each reversal. */
const symbolsOf = (bytes: Uint8Array, from: number, to: number, table: Int8Array): Int8Array => {
  const symbols = new Int8Array(to - from)
  for (let at = from; at < to; at++) symbols[at - from] = table[bytes[at]!]!
  return symbols
}

const coverText = (bytes: Uint8Array, from: number, to: number, table: Int8Array, cover: number): boolean => {
  const found = ranges(symbolsOf(bytes, from, to, table))
  for (const { places } of found) for (const place of places) bytes[from + place] = cover
  return found.length > 0
}

/** Two symbols a byte. In a text, bytes of runs without an unprintable one are letters, not digits. */
const packedSymbols = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): Int8Array => {
  const symbols = new Int8Array(2 * (to - from)).fill(OTHER)
  const nibble = (value: number): number => (value <= 9 ? value : value === 13 ? SEPARATOR : OTHER)
  for (let at = from; at < to; ) {
    let end = at
    let isBinary = kind !== "text"
    while (end < to && (kind !== "text" || isPacked(bytes[end]!) || isUnprintable(bytes[end]!))) {
      isBinary ||= isUnprintable(bytes[end]!)
      end++
    }
    if (isBinary)
      for (let byte = at; byte < end; byte++) {
        symbols[2 * (byte - from)] = nibble(bytes[byte]! >> 4)
        symbols[2 * (byte - from) + 1] = nibble(bytes[byte]! & 15)
      }
    at = end + 1
  }
  return symbols
}

/** Covers the hex digits of what they say. */
const coverHex = (bytes: Uint8Array, from: number, to: number, values: Int8Array, cover: number): boolean => {
  let found = false
  for (const { at, bytes: inside } of saidInHex(bytes, from, to, values)) {
    const before = Uint8Array.from(inside)
    const inAscii = coverText(inside, 0, inside.length, ascii, 0x2a)
    if (!coverText(inside, 0, inside.length, ebcdic, 0x5c) && !inAscii) continue
    found = true
    for (let byte = 0; byte < inside.length; byte++)
      if (inside[byte] !== before[byte]) bytes.fill(cover, at + 2 * byte, at + 2 * byte + 2)
  }
  return found
}

/** The same of packed digits that say digits of a text. */
const coverHalves = (bytes: Uint8Array, from: number, to: number): boolean => {
  const text = Buffer.from(Buffer.from(bytes.subarray(from, to)).toString("hex"), "latin1")
  if (!coverHex(text, 0, text.length, asciiHex, 0x65)) return false
  bytes.set(Buffer.from(text.toString("latin1"), "hex"), from)
  return true
}

/** There is no asterisk in packed decimal: digits become E. */
const coverPacked = (bytes: Uint8Array, from: number, to: number, kind: ByteKind): boolean => {
  const found = ranges(packedSymbols(bytes, from, to, kind), kind !== "packed")
  for (const { places } of found)
    for (const place of places) {
      const byte = from + (place >> 1)
      bytes[byte] = place % 2 === 0 ? (bytes[byte]! & 0x0f) | 0xe0 : (bytes[byte]! & 0xf0) | 0x0e
    }
  return found.length > 0
}

/** Places to cover. */
interface Range {
  readonly places: ReadonlyArray<number>
  /** Behind the digits of the number. */
  readonly separator: number
}

/**
 * Everything in the symbols that is shaped like a card number or a track, or tracks only. In binary a cryptogram may be digits by
 * chance: there a number has to begin as an issuer's does.
 */
const ranges = (symbols: Int8Array, isBinary = false, isTracksOnly = false): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  for (let at = 0; at < symbols.length; at++) {
    if (symbols[at]! < 0) continue
    const places: Array<number> = []
    let gaps = 0
    let end = at
    while (end < symbols.length) {
      if (symbols[end]! >= 0) places.push(end++)
      else if (symbols[end] === GAP && end + 1 < symbols.length && symbols[end + 1]! >= 0) {
        gaps++
        end++
      } else break
    }
    const trackTo = places.length < TRACK_DIGITS_MIN ? 0 : trackEnd(symbols, places, end)
    if (trackTo > 0) found.push({ places: placesOf(at, trackTo), separator: end })
    else if (places.length >= DIGITS_MIN && !isTracksOnly) {
      const numbers = gaps === 0 ? [places] : [places, ...withoutGaps(places)]
      for (const number of numbers)
        for (const one of cardNumbers(symbols, number, isBinary)) found.push({ places: one, separator: end })
    }
    at = Math.max(end, trackTo)
  }
  return found
}

const placesOf = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, at) => from + at)

/** Runs of digits that follow one another without a gap. */
const withoutGaps = (places: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> => {
  const runs: Array<Array<number>> = []
  for (const place of places) {
    const run = runs.at(-1)
    if (run === undefined || run.at(-1)! + 1 !== place) runs.push([place])
    else run.push(place)
  }
  return runs.filter((run) => run.length >= DIGITS_MIN)
}

/** Where a track ends whose digits up to `at` are `places`; 0 when none begins there. */
const trackEnd = (symbols: Int8Array, places: ReadonlyArray<number>, at: number): number => {
  const separator = symbols[at]
  if (separator === CARET) {
    // In front of the second caret is a name: an end sentinel there is a letter that some code page did not have.
    const end = symbols.indexOf(END, Math.max(at, symbols.indexOf(CARET, at + 1)))
    return end < 0 ? symbols.length : end
  }
  if (separator !== SEPARATOR && separator !== LETTER_D) return 0
  let digits = 0
  while (at + 1 + digits < symbols.length && symbols[at + 1 + digits]! >= 0) digits++
  const isOpen = separator === SEPARATOR && symbols[at + 1] === SEPARATOR
  if (digits < 4 && !isOpen) return 0
  // "D" in a text is also the sign of an amount: there the number and the month must be good.
  if (separator === LETTER_D && !(isMonth(symbols, at + 3) && hasNumberAtEnd(symbols, places))) return 0
  let end = at
  while (end < symbols.length && (symbols[end]! >= 0 || symbols[end] === SEPARATOR || symbols[end] === LETTER_D)) end++
  return end
}

const isMonth = (symbols: Int8Array, at: number): boolean => {
  const month = 10 * symbols[at]! + symbols[at + 1]!
  return month >= 1 && month <= 12
}

const hasNumberAtEnd = (symbols: Int8Array, places: ReadonlyArray<number>): boolean => {
  for (let length = DIGITS_MIN; length <= Math.min(DIGITS_MAX, places.length); length++)
    if (hasCheckDigit(symbols, places, places.length - length, length)) return true
  return false
}

/** The digits to cover of each card number among the places. */
const cardNumbers = (
  symbols: Int8Array,
  places: ReadonlyArray<number>,
  isBinary: boolean
): ReadonlyArray<ReadonlyArray<number>> => {
  let first = 0
  while (first < places.length && symbols[places[first]!] === 0) first++
  let last = places.length - 1
  while (last > first && symbols[places[last]!] === 0) last--
  // Zeros behind the third digit: a code or an amount and its filling (DE 53 of CUPS is 26 and 14 zeros).
  if (last - first < 3) return []
  const found: Array<ReadonlyArray<number>> = []
  const all = places.length - first
  if (
    !isBinary &&
    all >= DIGITS_MIN &&
    all <= DIGITS_MAX &&
    hasCheckDigit(symbols, places, first, all) &&
    !isTime(symbols, places, first, all)
  )
    found.push(middle(places, first, all))
  for (let from = first; from + DIGITS_MIN <= places.length; from++)
    for (let length = DIGITS_MIN; length <= Math.min(DIGITS_MAX, places.length - from); length++) {
      if (!isBinary && from === first && length === all) continue
      const isIssuers = beginsAsIssuers(length, symbols[places[from]!]!, symbols[places[from + 1]!]!)
      if (isIssuers && hasCheckDigit(symbols, places, from, length)) found.push(middle(places, from, length))
    }
  return found
}

/** What is not shown of a card number: all but its first 6 and last 4 digits. */
const middle = (places: ReadonlyArray<number>, from: number, length: number): ReadonlyArray<number> =>
  places.slice(from + 6, from + length - 4)

/** ISO/IEC 7812-1 annex B: doubling every second digit from the right, the sum of all digits is a multiple of 10. */
const hasCheckDigit = (symbols: Int8Array, places: ReadonlyArray<number>, from: number, length: number): boolean => {
  let sum = 0
  for (let back = 0; back < length; back++) {
    const digit = symbols[places[from + length - 1 - back]!]!
    sum += back % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit
  }
  return sum % 10 === 0
}

/** Whether the digits are a date and time of this century, YYYYMMDDhhmmss and at most milliseconds: no card number. */
const isTime = (symbols: Int8Array, places: ReadonlyArray<number>, from: number, length: number): boolean => {
  if (length !== 14 && length !== 17) return false
  const two = (at: number): number => 10 * symbols[places[from + at]!]! + symbols[places[from + at + 1]!]!
  const isDate = two(0) === 20 && two(4) >= 1 && two(4) <= 12 && two(6) >= 1 && two(6) <= 31
  return isDate && two(8) < 24 && two(10) < 60 && two(12) < 60
}
