/**
 * Bytes as programs write them where it is not in pairs of hex digits: numbers in decimal, texts with escapes, base64. And what
 * terminals, mails and source text put around a line. Pure.
 */

const ESCAPE = String.fromCharCode(27)

/** Colours of a terminal; blanks that do not break, blanks of no width and quotation marks as typesetting has them, in UTF-8. */
const marks: ReadonlyArray<readonly [RegExp, string]> = [
  [new RegExp(`${ESCAPE}\\[[0-9;]*[A-Za-z]`, "g"), ""],
  [/\u00c2\u00a0|\u00e2\u0080[\u0080-\u008a\u00af]|\u00e3\u0080\u0080/g, " "],
  [/\u00e2\u0080(?:\u008b|\u008c|\u008d|\u00a0)|\u00ef\u00bb\u00bf/g, ""],
  [/\u00e2\u0080[\u0098-\u009f]/g, '"']
]

/** Digits and letters as wide as Chinese characters, as input methods write them, in UTF-8. */
const wide = /\u00ef(\u00bc[\u0081-\u00bf]|\u00bd[\u0080-\u009e])/g

/** A text without the marks of terminals and typesetting: none is a byte of hex, of a dump or of its text. */
export const unmarked = (text: string): string =>
  marks
    .reduce((bare, [mark, instead]) => bare.replaceAll(mark, instead), text)
    .replaceAll(wide, (_, two: string) =>
      String.fromCharCode(two.charCodeAt(1) - (two.charCodeAt(0) === 0xbc ? 0x60 : 0x20))
    )

/** A line without what a mail puts in front of what it quotes. */
export const unquoted = (line: string): string => line.replace(/^(?:> ?)+(?=[\s0-9a-fA-F])/, "")

/** A line of hex digits without its number, which an editor or `cat -n` puts in front: the one that follows the line before. */
export const unnumbered = (line: string, number: number): string => {
  const found = /^\s*([1-9]\d{0,5})(?:[:.)|]\s+|\s+\|\s*|\t)(?=[0-9a-fA-F\s:,-]+$)/.exec(line)
  return found !== null && Number(found[1]) === number ? line.slice(found[0].length) : line
}

/**
 * A line of source text that is a comment, only opens an array, or says how long one is: `unsigned char m[] = {`,
 * `unsigned int m_len = 12;`.
 */
export const isDeclaration = (line: string): boolean =>
  /^(?:[\w\s[\]:&*<>=().]*[=:\])}\w]\s*(?:vec!)?[[{(])?\s*$/.test(withoutComments(line)) ||
  /^\s*(?:\w+\s+)+\w*_?len(?:gth)?\s*=\s*\d+;\s*$/i.test(line)

/** Longer lines have no comments: looking for their ends takes the square of a line's length. */
const COMMENTED_MAX = 4096

/** A line without comments, and without the sign that it goes on in the next. */
export const withoutComments = (line: string): string =>
  line.length > COMMENTED_MAX ? line : line.replaceAll(/\/\*.*?\*\/|\/\/.*$|^\s*#.*$/g, " ").replace(/\\\s*$/, "")

/** Fewer bytes are no message: type and bitmap. */
const BYTES_MIN = 10

/** The bytes of a line in the notations of programs: a list of decimal numbers, a text with escapes, percent signs. */
export const bytesInNotation = (line: string): ReadonlyArray<Buffer> =>
  [decimals(line), escaped(line), percents(line)].flatMap((bytes) =>
    bytes === undefined || bytes.length < BYTES_MIN ? [] : [bytes]
  )

/** What programs put behind a number to say that it is a byte: `0x30u8`, `48i8`, `0x30.toByte()`, `0x30uy`. */
const kinds = /(?<=\b(?:0x[0-9a-fA-F]{1,2}|\d{1,3}))(?:_?[ui]8|uy?)\b|\.toU?Byte\(\)/g

/** `[48, 50, -128]`, `"data":[48,50]`, `{0x30, 0x0}`, `<<48,50>>`, `48 50 128`: bytes with a sign (Java) or without. */
const decimals = (line: string): Buffer | undefined => {
  const bare = line.replaceAll(kinds, "")
  const lists = [...bare.matchAll(/(?:[[({]|<<)([^[\](){}<>]+)(?:[\])}]|>>)/g)].map(([, inner]) => inner!)
  const list = lists.length === 0 ? bare : lists.reduce((longest, one) => (one.length > longest.length ? one : longest))
  const numbers = list.split(/[\s,]+/).filter((one) => one !== "")
  const isByte = (one: string) =>
    /^(?:-?\d{1,3}|0x[0-9a-fA-F]{1,2})$/.test(one) && Number(one) >= -128 && Number(one) <= 255
  return numbers.every(isByte) ? Buffer.from(numbers.map(Number)) : undefined
}

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\u0007", b: "\b", f: "\f", v: "\v" }

/** `b'0200\x82 \x00'`, `"\060\062"`: a text between quotes in which some bytes have an escape; of Python also without. */
const escaped = (line: string): Buffer | undefined => {
  const from = line.search(/["']/)
  const to = from < 0 ? -1 : line.lastIndexOf(line[from]!)
  const text = to > from ? line.slice(from + 1, to) : line.trim()
  const isPython = to > from && /^\s*b$/.test(line.slice(0, from))
  if (!isPython && !/\\(?:x[0-9a-fA-F]{2}|[0-7]{3})/.test(text)) return undefined
  const plain = text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|([0-3]?[0-7]{1,2})|(.))/g, (_, hex, octal, one: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return octal === undefined ? (escapes[one] ?? one) : String.fromCharCode(Number.parseInt(octal, 8))
  })
  return Buffer.from(plain, "latin1")
}

/** `%30%32`. */
const percents = (line: string): Buffer | undefined => {
  const found = /^\W*?((?:%[0-9a-fA-F]{2})+)\W*$/.exec(line)?.[1]
  return found === undefined ? undefined : Buffer.from(found.replaceAll("%", ""), "hex")
}

/** The bytes of a text that is base64 as a whole, over several lines or not, also with the two signs of addresses. */
export const bytesOfBase64 = (text: string): Buffer | undefined => {
  const bare = text.replaceAll(/^\s*["']|["',;]\s*$|\s+/g, "")
  const isBase64 = /^[A-Za-z0-9+/_-]{14,}={0,2}$/.test(bare) && !/^[0-9a-fA-F]+$/.test(bare)
  if (!isBase64 || bare.replaceAll("=", "").length % 4 === 1) return undefined
  return Buffer.from(bare.replaceAll("-", "+").replaceAll("_", "/"), "base64")
}
