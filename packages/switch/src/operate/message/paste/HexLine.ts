/**
 * A line of hex digits as people write it: blanks, `0x`, `\x`, colons, commas, bars and dashes between the pairs. Pure.
 */
import { fromHex } from "@jinka/codec"
import { withoutComments } from "./Notation.ts"

/** What is around digits and is none of them: quotes, brackets, and what ends a line of source text. */
const around = /^[\s"'`({[;]+|[\s"'`)}\];,>]+$/g

/** What source text says of a number: that it is a byte. */
const casts = /\(\s*(?:(?:un)?signed\s+)?(?:byte|char|u?int8_t|u8)\s*\)\s*/gi

/** What stands in front of two hex digits to say that they are. */
const prefixes = /(?<![0-9a-fA-F])(?:0x|\\x|\\u00|&H)|(?<=[0-9a-fA-F]{2})(?:\\x|\\u00)|(?<=\b[0-9a-fA-F]{2})h\b/gi

/** The digits of a line without what is between them; `undefined` when it holds anything else. */
export const digitsOf = (line: string): string | undefined => {
  const bare = withoutComments(line).replaceAll(casts, "").replaceAll(around, "").replaceAll(prefixes, " ")
  const groups = bare.split(/[\s:|,;.[\]-]+/).filter((group) => group !== "")
  if (groups.length === 0 || groups.some((group) => !/^[0-9a-fA-F]+$/.test(group))) return undefined
  // Between pairs, and not inside of one.
  return groups.length > 1 && groups.some((group) => group.length % 2 !== 0) ? oneOdd(groups) : groups.join("")
}

/** Blanks may be anywhere: only then an odd group is none that was cut. */
const oneOdd = (groups: ReadonlyArray<string>): string | undefined => {
  const digits = groups.join("")
  return digits.length % 2 === 0 && groups.every((group) => group.length > 2) ? digits : undefined
}

/** What a program writes before the digits, a time, a level, a name, has at most as many words. */
const WORDS_MAX = 20
/** Fewer digits behind words are no message: type and bitmap. */
const DIGITS_MIN = 20

/** As many as are looked at; the rest of a long line is not searched. */
const first = (all: Iterable<RegExpExecArray>): ReadonlyArray<RegExpExecArray> => {
  const found: Array<RegExpExecArray> = []
  for (const one of all) if (found.push(one) === WORDS_MAX) break
  return found
}

/** The bytes that a line ends with behind other words, as in a log or in source text: the longest first; then those amid it. */
export const bytesBehindWords = (line: string): ReadonlyArray<Buffer> => {
  const behind = first(line.matchAll(/[\s=:<>[({"']+/g)).map(({ index, 0: { length } }) => line.slice(index + length))
  const amid = first(line.matchAll(/(?<=["'=:>\s(])[0-9a-fA-F]{20,}(?=["'<\s),;\]}])/g))
  return [...behind, ...amid.map(([digits]) => digits)].flatMap((rest) => {
    const bytes = (digitsOf(rest)?.length ?? 0) < DIGITS_MIN ? undefined : bytesOfLine(rest)
    return bytes === undefined ? [] : [bytes]
  })
}

/** The same of a line that has hex digits only: a time may be in front of a long run, but of pairs each is one of the message. */
export const bytesBehindDigits = (line: string): ReadonlyArray<Buffer> =>
  /[\s=:>|,;.-][0-9a-fA-F]{20,}\W*$/.test(line) ? bytesBehindWords(line) : []

/** The bytes of a line of hex; `undefined` when it is none. */
export const bytesOfLine = (line: string): Buffer | undefined => {
  const digits = digitsOf(line)
  const bytes = digits === undefined ? undefined : fromHex(digits)
  return bytes === undefined ? undefined : Buffer.from(bytes)
}
