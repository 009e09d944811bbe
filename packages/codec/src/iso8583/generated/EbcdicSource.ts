/**
 * Pieces of source for generated decoders that translate EBCDIC and check it on the way: from the bytes `b` (their view `v`) into
 * the bytes `Y` (`V`). Names are those of `DecoderSource` and `CheckSource`.
 */
import type { FieldLayout } from "../Field.ts"

// EBCDIC digits are F0-F9: the same rule as for ASCII with another high nibble, which is changed on the way.
const ebcdicWord = (at: string): string =>
  `d = v.getInt32(w + ${at}) ^ -252645136; e |= d | d + 101058054; V.setInt32(${at}, d | 808464432)`
const ebcdicByte = (at: string): string => `d = b[o + ${at}] ^ 240; e |= d | d + 6; Y[${at}] = d | 48`

/** Lines that translate and check the digits `[base + from, base + to)`. */
export const ebcdicDigits = (base: string, from: number, to: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  if (to - from < 4) for (let offset = from; offset < to; offset++) lines.push(ebcdicByte(`${base} + ${offset}`))
  else for (let offset = from; offset < to; offset += 4) lines.push(ebcdicWord(`${base} + ${Math.min(offset, to - 4)}`))
  return lines
}

/** Lines that translate the EBCDIC of a field in `[from, to)` and check it. */
export const translationLines = (
  { content, encoding }: FieldLayout,
  isLenient: boolean,
  from: string,
  to: string
): ReadonlyArray<string> => {
  if (content === "n" && !isLenient)
    return [
      `for (i = ${from}; i < ${to} - 3; i += 4) { ${ebcdicWord("i")} }`,
      `for (; i < ${to}; i++) { ${ebcdicByte("i")} }`
    ]
  const table = `textOf_${encoding}_${isLenient ? "ansb" : content}`
  return [`for (i = ${from}; i < ${to}; i++) { d = ${table}[b[o + i]]; x |= d; Y[i] = d }`]
}
