/**
 * Rows of numbers as od, hexdump and debuggers write them: bytes or words in hex, octal, decimal or as characters, behind an
 * offset, an address or nothing. Which it is only the bytes tell: each way is a reading, and whoever reads takes the one that is
 * a message. Pure.
 *
 *     0000000 060 062 060 060 162                                od -b, od -t o1
 *     0000000 3032 3030 7220                                     od --endian=big -t x2
 *     0000000 12848 12336  8306                                  od -d, od -t u2
 *     0000000   0   2   0   0   r   \0 202                       od -c, hexdump -c
 *     0x4040 <buf>:	0x30	0x32	0x30                           gdb x/xb
 *     0x4040 <buf>:	48 '0'	50 '2'                              gdb x/cb
 */

/** Bytes that one way of reading gives: those of each block of rows, and those of all blocks together. */
export type RowReading = ReadonlyArray<Buffer>

/** A way to read a token as bytes; `undefined`: it is none. */
type Token = (token: string) => ReadonlyArray<number> | undefined

/** A number of one byte or two, the low one first. */
const number =
  (pattern: RegExp, base: 8 | 10, bytes: 1 | 2): Token =>
  (token) => {
    const value = pattern.test(token) ? Number.parseInt(token, base) : Number.NaN
    return value < 256 ** bytes ? [value & 0xff, value >> 8].slice(0, bytes) : undefined
  }

/** Hex digits in pairs, the first pair first or last. */
const pairs =
  (digits: number, isTurned: boolean): Token =>
  (token) => {
    const bare = token.replace(/^0x/i, "")
    if (bare.length !== digits || !/^[0-9a-f]+$/i.test(bare)) return undefined
    const bytes = [...Buffer.from(bare, "hex")]
    return isTurned ? bytes.reverse() : bytes
  }

const decimal: Token = (token) => {
  const value = Number(token)
  return /^-?\d{1,3}$/.test(token) && value >= -128 && value <= 255 ? [value & 0xff] : undefined
}

/** The more usual ones first. */
const tokens: ReadonlyArray<Token> = [
  pairs(2, false),
  pairs(4, false),
  pairs(4, true),
  pairs(8, false),
  pairs(8, true),
  pairs(16, false),
  pairs(16, true),
  number(/^(?:[0-3][0-7]{2}|0[0-7]{0,3})$/, 8, 1),
  number(/^[01][0-7]{5}$/, 8, 2),
  decimal,
  number(/^\d{1,5}$/, 10, 2)
]

/** What is in front of the numbers: an offset, or an address with its name. */
const front = /^\s*(?:0x[0-9a-f]+(?:\s+<[^>]*>)?:|[0-9a-f]{5,16}:?(?=\s|$))/i

/** A row without what is in front of it, and without the characters that gdb writes behind each number. */
const bare = (line: string): string => line.replace(front, "").replaceAll(/\s'(?:\\.[^']*|[^'\\])'/g, " ")

/** Blocks of lines: something else is between them. */
const blocksOf = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const blocks: Array<Array<string>> = [[]]
  for (const line of lines) {
    const isRow = /^[\s0-9a-fx-]+$/i.test(bare(line)) || bare(line).trim() === ""
    if (line.trim() === "" || !isRow) blocks.push([])
    else blocks.at(-1)!.push(line)
  }
  return blocks.filter((block) => block.length > 0)
}

const readBlock = (rows: ReadonlyArray<string>, token: Token): Buffer | undefined => {
  const bytes: Array<number> = []
  for (const row of rows)
    for (const one of row.split(/\s+/).filter((part) => part !== "")) {
      const read = token(one)
      if (read === undefined) return undefined
      bytes.push(...read)
    }
  return bytes.length === 0 ? undefined : Buffer.from(bytes)
}

/** Tools fill the last word with zeros: the same without them, the shortest first. */
const unfilled = (bytes: Buffer): ReadonlyArray<Buffer> => {
  const shorter: Array<Buffer> = [bytes]
  for (let to = bytes.length; to > 0 && bytes.length - to < FILL_MAX && bytes[to - 1] === 0; to--)
    shorter.push(bytes.subarray(0, to - 1))
  return shorter.reverse()
}

const FILL_MAX = 7

const ofBlocks = (blocks: ReadonlyArray<ReadonlyArray<string>>, token: Token): ReadonlyArray<RowReading> => {
  const read = blocks.flatMap((rows) => readBlock(rows, token) ?? [])
  if (read.length === 0) return []
  const each = read.flatMap(unfilled)
  return read.length === 1 ? [each] : [each, unfilled(Buffer.concat(read))]
}

/** The rows of dumps in which each second line says the bytes once more: `od -t x1c`. */
const halves = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const withFront = lines.filter((line) => front.test(line))
  const without = lines.filter((line) => !front.test(line) && line.trim() !== "")
  return withFront.length > 0 && without.length >= withFront.length - 1 && without.length > 0
    ? [withFront, without]
    : []
}

/** The ways to read lines of numbers. */
export const numberRows = (lines: ReadonlyArray<string>): ReadonlyArray<RowReading> =>
  [lines, ...halves(lines)].flatMap((some) => {
    const blocks = blocksOf(some)
    const without = blocks.map((rows) => rows.map(bare))
    return [
      ...tokens.flatMap((token) => [...ofBlocks(without, token), ...ofBlocks(blocks, token)]),
      ...characters(some)
    ]
  })

const escapes: Readonly<Record<string, number>> = { "0": 0, a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** A cell of four characters: one character, `\n`, or three octal digits. */
const cell = (text: string): number | undefined => {
  const [, octal] = /^ ([0-7]{3})$/.exec(text) ?? []
  if (octal !== undefined) return Number.parseInt(octal, 8) & 0xff
  const [, letter] = /^ {2}\\([0abtnvfr])$/.exec(text) ?? []
  if (letter !== undefined) return escapes[letter]
  return /^ {3}[ -~]$/.test(text) ? text.charCodeAt(3) : undefined
}

/** The bytes of a row of characters; `undefined`: it is none. */
const cellsIn = (line: string): ReadonlyArray<number> | undefined => {
  const cells = line.replace(/^[0-9a-f]{6,8}/i, "")
  const whole = cells.padEnd(Math.ceil(cells.length / CELL) * CELL)
  const bytes = Array.from({ length: whole.length / CELL }, (_, at) => cell(whole.slice(CELL * at, CELL * (at + 1))))
  return bytes.some((byte) => byte === undefined) ? undefined : (bytes as ReadonlyArray<number>)
}

/** Where the bytes end by a line that is an offset alone, as od and hexdump write it below their rows, in one of three bases. */
export const endsSaid = (line: string): ReadonlyArray<number> =>
  /^[0-9a-f]{6,8}\s*$/i.test(line) ? [8, 10, 16].map((base) => Number.parseInt(line, base)) : []

/** Rows of characters. The last row may be filled with blanks: then the offset behind it says where it ends. */
const characters = (lines: ReadonlyArray<string>): ReadonlyArray<RowReading> => {
  const found: Array<Buffer> = []
  let bytes: Array<number> = []
  const end = (said = ""): void => {
    const whole = Buffer.from(bytes)
    const ends = new Set([...endsSaid(said).filter((length) => length < whole.length), whole.length])
    if (whole.length > 0) found.push(...[...ends].map((length) => whole.subarray(0, length)))
    bytes = []
  }
  for (const line of lines) {
    const row = line.trim() === "" || endsSaid(line).length > 0 ? undefined : cellsIn(line)
    if (row === undefined) end(line)
    else bytes.push(...row)
  }
  end()
  return found.length === 0 ? [] : [found]
}

const CELL = 4
