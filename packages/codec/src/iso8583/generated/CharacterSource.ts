/**
 * Pieces of source that write the characters of one field, for generated encoders. They read `v<de>`, a text of `u<de>`
 * characters, and gather what is wrong as `CheckSource` says; `a`, `c`, `h` and `q` are theirs.
 *
 * A character is read once. One native call for all texts joined costs as much (V8 first copies a joined text), one for each text
 * is worth it for long ones only.
 */
import type { FieldLayout } from "../Field.ts"

/**
 * The statement with which an encoder leaves a message to the reference. One place returns: with a `return -1` of its own for
 * each condition V8 takes 10 percent longer (measured, Node 24).
 */
export const leave = "break right"

/** Lines that write the text of a field at the expression `at`. */
export const characterLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  const { de, encoding, content } = field
  if (encoding === "bcd") return packedLines(field, at)
  const isDigits = content === "n"
  const isText = content === "ans" || content === "ns"
  if (encoding === "ascii" && isText && field.fixed < 0 && field.units > LONG_MIN)
    return [
      `if (u${de} > ${LONG_MIN}) {`,
      `if (!putLong(v${de}, out, ${at}, u${de})) ${leave}`,
      "} else {",
      ...wordLines(field, at),
      "}"
    ]
  if (encoding === "ascii" && (isDigits || isText || content === "z")) return wordLines(field, at)
  if (isDigits && encoding !== "gbk") return wordLines(field, at)
  const lines = tableLines(field, at)
  // A Chinese character takes two bytes; without one the text is ASCII.
  if (encoding !== "gbk") return lines
  return [
    `if (u${de} !== v${de}.length) {`,
    `if (!putValue(F[${de}], v${de}, out, ${at})) ${leave}`,
    "} else {",
    ...lines,
    "}"
  ]
}

/** A variable text above this length is written by one native call, and read again to be checked. */
const LONG_MIN = 48

/** A fixed text up to this length is written out, a longer one in a loop. */
const WRITTEN_OUT_MAX = 40

/** Lines for each character on its own, or a loop. */
const each = (field: FieldLayout, line: (index: string) => string): ReadonlyArray<string> => {
  if (field.fixed < 0 || field.fixed > WRITTEN_OUT_MAX)
    return [`for (i = 0; i < ${field.fixed < 0 ? `u${field.de}` : field.fixed}; i++) { ${line("i")} }`]
  return Array.from({ length: field.fixed }, (_, index) => line(String(index)))
}

/** Characters by a table that gives the byte, or 256 for what the field must not hold. */
const tableLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  const { de, encoding, content } = field
  const table = `bytesOf_${encoding === "gbk" ? "ascii" : encoding}_${content}`
  return each(field, (index) => {
    return `c = v${de}.charCodeAt(${index}); d = ${table}[c & 255]; x |= c | d; out[${at} + ${index}] = d`
  })
}

/** Lines for four characters at a time from `first` up to `units`, then for one at a time. Constants are written out. */
const inFours = (
  first: number,
  units: number | string,
  four: (index: (more: number) => string) => string,
  one: (index: string) => string
): ReadonlyArray<string> => {
  if (typeof units === "string" || units > WRITTEN_OUT_MAX)
    return [
      `for (i = ${first}; i < ${units} - 3; i += 4) { ${four((more) => (more === 0 ? "i" : `i + ${more}`))} }`,
      `for (; i < ${units}; i++) { ${one("i")} }`
    ]
  const lines: Array<string> = []
  let index = first
  for (; index + 3 < units; index += 4) {
    const from = index
    lines.push(four((more) => String(from + more)))
  }
  for (; index < units; index++) lines.push(one(String(index)))
  return lines
}

/** Reads four characters into `a`, `c`, `h` and `q`; one above 255 is seen in `x`. */
const readFour = (de: number, index: (more: number) => string): string => {
  const reads = ["a", "c", "h", "q"].map((name, more) => `${name} = v${de}.charCodeAt(${index(more)})`)
  return `${reads.join("; ")}; x |= a | c | h | q`
}

/** Digits, track data and printable text that stays as it is, and digits of EBCDIC: the rules of `CheckSource`. */
const wordLines = ({ de, fixed, encoding, content }: FieldLayout, at: string): ReadonlyArray<string> => {
  const isAscii = encoding === "ascii"
  const [word, byte] =
    content === "n"
      ? ["k = d ^ 808464432; e |= k | k + 101058054", "k = d ^ 48; e |= k | k + 6"]
      : content === "z"
        ? ["e |= d ^ 808464432", "e |= d ^ 48"]
        : ["g &= d | d << 1 | d >>> 1; e |= d + 16843009 & ~d & -2139062144", `x |= bytesOf_ascii_${content}[d & 255]`]
  const four = (index: (more: number) => string): string => {
    const joined = `${readFour(de, index)}; d = a << 24 | c << 16 | h << 8 | q; ${word}`
    // 0x30-0x39 become 0xF0-0xF9.
    return `${joined}; v.setInt32(w + ${at} + ${index(0)}, ${isAscii ? "d" : "d ^ -1061109568"})`
  }
  const one = (index: string): string =>
    `d = v${de}.charCodeAt(${index}); x |= d; ${byte}; out[${at} + ${index}] = ${isAscii ? "d" : "d ^ 192"}`
  return inFours(0, fixed >= 0 ? fixed : `u${de}`, four, one)
}

/** Packed digits; an odd number has its filling nibble in front or at the end. */
const packedLines = (field: FieldLayout, at: string): ReadonlyArray<string> => {
  const { de, fixed, units, align, fill, content } = field
  const odd = fixed >= 0 ? String(units % 2 === 1) : `(u${de} & 1) === 1`
  const nibble = (index: string): string =>
    `c = v${de}.charCodeAt(${index}); d = nibblesOf_${content}[c & 255]; x |= c | d`
  const lines: Array<string> = ["i = 0", `q = ${at}`]
  if (align === "right" && odd !== "false")
    lines.push(`if (${odd}) { ${nibble("0")}; out[q++] = ${fill << 4} | d; i = 1 }`)
  const count = fixed >= 0 ? String(units) : `u${de}`
  lines.push(`for (; i + 1 < ${count}; i += 2) { ${nibble("i")}; h = d << 4; ${nibble("i + 1")}; out[q++] = h | d }`)
  if (align === "left" && odd !== "false") lines.push(`if (${odd}) { ${nibble("i")}; out[q] = d << 4 | ${fill} }`)
  return lines
}
