/**
 * Pieces of source that check contents, for generated decoders (and, in `CharacterSource`, encoders): four bytes a step, no
 * branch, no call (V8 gives up on inlining calls in functions of that size). A piece only gathers what is wrong; one
 * condition at the end decides, and "not certainly right" leaves the message to the reference.
 *
 * Names that the pieces use: `v` is the view, `d` a word of it. `e` gathers bits whose high nibbles must stay zero (digits,
 * printable text), `g` bits of which one in each byte must be set (printable text), `u` packed digits, `x` anything above 255
 * that a table gave. `i` counts.
 */

/** How the words of a field are checked. */
export type WordRule = "digits" | "printable" | "packed"

/** Declares what the checks gather in. */
export const declared = "let d = 0, e = 0, g = -1, i = 0, k = 0, u = 0, x = 0"

/** The condition under which something was wrong. */
export const wrong = "(e & -252645136) !== 0 || (g & 1077952576) !== 1077952576 || (u & -2004318072) !== 0 || x > 255"

/**
 * Statements that check the word `d`, or only its bits in `mask`. Carries go from low bytes to high ones, so bytes in front of a
 * mask trouble nothing behind it.
 * - digits: a byte less 0x30 stays below 16, also when 6 is added.
 * - printable: bit 5, 6 or 7 is set (0x20 and above), and adding 1 does not reach 0x80 (0x7F). Bytes from 0x80 on are text.
 * - packed: a nibble is above 9 when its bit 3 and one of bits 2 and 1 are set.
 */
const rules: { readonly [Rule in WordRule]: (mask: string) => string } = {
  digits: (mask) => `d ^= 808464432; e |= ${masked("d | d + 101058054", mask)}`,
  printable: (mask) =>
    `g &= d | d << 1 | d >>> 1${mask === "" ? "" : ` | ~${mask}`}; e |= ${masked("d + 16843009 & ~d & -2139062144", mask)}`,
  packed: (mask) => `u |= ${masked("d & (d << 1 | d << 2)", mask)}`
}

const masked = (expression: string, mask: string): string => (mask === "" ? expression : `(${expression}) & ${mask}`)

/**
 * Lines that check `bytes` bytes, a constant number, from the expression `from` of the view on. Four bytes in front of the end
 * must be there: a message has a bitmap in front of its fields.
 */
export const fixedLines = (rule: WordRule, from: string, bytes: number): ReadonlyArray<string> => {
  const word = (at: number): string => `d = v.getInt32(${from} ${at < 0 ? `- ${-at}` : `+ ${at}`})`
  if (bytes < 4) return bytes === 0 ? [] : [word(bytes - 4), rules[rule](`${2 ** (8 * bytes) - 1}`)]
  const lines: Array<string> = []
  for (let at = 0; at < bytes; at += 4) lines.push(word(Math.min(at, bytes - 4)), rules[rule](""))
  return lines
}

/** Lines that check the bytes `[from, to)` of the view; the rest of less than four is masked out of the last four. */
export const variableLines = (rule: WordRule, from: string, to: string): ReadonlyArray<string> => [
  `for (i = ${from}; i < ${to} - 3; i += 4) { d = v.getInt32(i); ${rules[rule]("")} }`,
  `d = v.getInt32(${to} - 4)`,
  rules[rule](`((1 << (${to} - i << 3)) - 1)`)
]

/** Lines that gather in `k` what is no track character 0x30-0x3F in `[from, to)`; `wrongTrack` is the condition then. */
export const trackLines = (from: string, to: string): ReadonlyArray<string> => [
  "k = 0",
  `for (i = ${from}; i < ${to} - 3; i += 4) k |= v.getInt32(i) ^ 808464432`,
  `k |= (v.getInt32(${to} - 4) ^ 808464432) & (1 << (${to} - i << 3)) - 1`
]

/** Condition under which `trackLines` found something. */
export const wrongTrack = "(k & -252645136) !== 0"

/** Lines that look up the bytes `[from, from + bytes)` of `b` in a table that gives 256 for what is wrong. */
export const tableLines = (table: string, bytes: string, from: string, count: number): ReadonlyArray<string> => {
  if (count > 40) return variableTableLines(table, bytes, from, `${from} + ${count}`)
  return Array.from({ length: count }, (_, at) => `x |= ${table}[${bytes}[${from} + ${at}]]`)
}

/** The same for a range whose length is not constant. */
export const variableTableLines = (table: string, bytes: string, from: string, to: string): ReadonlyArray<string> => [
  `for (i = ${from}; i < ${to}; i++) x |= ${table}[${bytes}[i]]`
]
