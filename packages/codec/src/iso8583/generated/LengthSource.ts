/**
 * Pieces of source that generated decoders, indexers and encoders share: where the next field is and what a length prefix
 * says. Nothing here decides about contents.
 */
import { type FieldLayout, wireLength } from "../Field.ts"

/** Bytes of the fixed fields from `first` on up to and including the next length prefix. */
export const bytesAhead = (fields: ReadonlyArray<FieldLayout>, first: number): number => {
  let bytes = 0
  for (let next = first; next < fields.length; next++) {
    const field = fields[next]!
    if (field.fixed < 0) return bytes + field.prefixBytes
    bytes += field.fixed
  }
  return bytes
}

/**
 * Declares `n<de>`, what the length prefix at the expression `at` says, behind checks of its digits and its limit; the lines
 * leave with `no` where it is wrong. The prefix's bytes must be there.
 */
export const prefixLines = (field: FieldLayout, at: string, no: string): ReadonlyArray<string> => {
  const { de, prefixBytes, prefix } = field
  const lines: Array<string> = []
  const names = Array.from({ length: prefixBytes }, (_, index) => `c${de}_${index}`)
  const read = (index: number): string => `b[${at} + ${index}]`
  let count = `readPrefix(F[${de}], b, ${at})`
  if (prefix === "ascii" || prefix === "ebcdic") {
    const zero = prefix === "ascii" ? 0x30 : 0xf0
    for (const [index, name] of names.entries())
      lines.push(`const ${name} = ${read(index)} - ${zero}`, `if (${name} >>> 0 > 9) ${no}`)
    count = names.map((name, index) => `${name} * ${10 ** (prefixBytes - 1 - index)}`).join(" + ")
  } else if (prefix === "bcd") {
    for (const [index, name] of names.entries())
      lines.push(`const ${name} = ${read(index)}`, `if ((${name} >> 4) > 9 || (${name} & 15) > 9) ${no}`)
    count = names
      .map((name, index) => `((${name} >> 4) * 10 + (${name} & 15)) * ${100 ** (prefixBytes - 1 - index)}`)
      .join(" + ")
  } else if (prefix === "binary")
    count = names.map((_, index) => `${read(index)} * ${256 ** (prefixBytes - 1 - index)}`).join(" + ")
  lines.push(`const n${de} = ${count}`, `if (n${de} < 0 || n${de} > ${field.countMax}) ${no}`)
  return lines
}

/** Expression of the bytes on the wire of a variable value whose prefix says `n<de>`. */
export const announcedBytes = (field: FieldLayout): string => {
  const count = `n${field.de}`
  if (field.countsBytes) return count
  if (field.encoding === "bcd" && field.content === "xn") return `wireLength(F[${field.de}], ${count})`
  if (field.encoding === "bcd") return `(${count} + 1 >> 1)`
  return wireLength(field, 1) === 1 ? count : `${count} * ${wireLength(field, 1)}`
}
