/**
 * A line of hex digits as people write it: blanks, `0x`, `\x`, colons, commas, bars and dashes between the pairs. Pure.
 */
import { fromHex } from "@jinka/codec"

/** What is around digits and is none of them: quotes, brackets, and what ends a line of source text. */
const around = /^[\s"'`({[;]+|[\s"'`)}\];,]+$/g

/** The digits of a line without what is between them; `undefined` when it holds anything else. */
export const digitsOf = (line: string): string | undefined => {
  const bare = line.replaceAll(around, "").replaceAll(/(?<![0-9a-fA-F])(?:0x|\\x|\\u00)|(?<=[0-9a-fA-F]{2})\\x/gi, " ")
  const groups = bare.split(/[\s:|,;.-]+/).filter((group) => group !== "")
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

/** The bytes that a line may end with behind other words, as in a log or in source text: the longest first. */
export const bytesBehindWords = (line: string): ReadonlyArray<Buffer> =>
  [...line.matchAll(/[\s=:>[({"']+/g)].slice(0, WORDS_MAX).flatMap(({ index, 0: { length } }) => {
    const rest = line.slice(index + length)
    const bytes = (digitsOf(rest)?.length ?? 0) < DIGITS_MIN ? undefined : bytesOfLine(rest)
    return bytes === undefined ? [] : [bytes]
  })

/** The bytes of a line of hex; `undefined` when it is none. */
export const bytesOfLine = (line: string): Buffer | undefined => {
  const digits = digitsOf(line)
  const bytes = digits === undefined ? undefined : fromHex(digits)
  return bytes === undefined ? undefined : Buffer.from(bytes)
}
