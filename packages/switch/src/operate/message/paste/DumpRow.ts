/**
 * One row of a hex dump: an offset, bytes in hex, and maybe the same bytes as text. Pure.
 *
 *     00000000: 3032 3030 7024 0580 20c0 0006 3136 3632  0200p$.. ...1662        xxd
 *     00000000  30 32 30 30 70 24 05 80  20 c0 00 06 31 36 36 32  |0200p$.. ...1662|  hexdump -C, tshark's follow
 *     	0x0000:  4500 0058 1c46 4000 4006 b1e6 7f00 0001  E..X.F@.@.......        tcpdump -X
 *     0000  30 32 30 30 70 24 05 80  20 C0 00 06 31 36 36 32  0200p$.. ...1662     jPOS, Wireshark
 *     0000000 30 32 30 30 70 24 05 80 20 c0 00 06 31 36 36 32                      od -A x -t x1, od -t x1
 *
 * Where the bytes end and the text begins is found in this order: by the next row's offset, by a text that says what the bytes
 * say, by the column where the text of the other rows begins, by two blanks. The text may well look like hex.
 */

/** A row before it is known where its bytes end. */
export interface DumpRow {
  /** Blanks in front: tshark's follow moves the second direction to the right. */
  readonly indent: string
  /** Digits of the offset, in whatever base. */
  readonly offset: string
  /** `0x` comes before it: tcpdump writes so. */
  readonly isPacket: boolean
  /** Everything behind the offset. */
  readonly rest: string
  /** Pairs of bytes are swapped: hexdump and `od -x` without more. */
  readonly isSwapped: boolean
  /** One blank alone is behind the offset. */
  readonly isNarrow: boolean
  /** The bytes of each group are turned around, as \`xxd -e\` writes them. */
  readonly isTurned?: boolean
}

/** Most bytes of one row. */
const ROW_MAX = 256

/** The row in a line; `undefined` when the line is none. */
export const rowIn = (line: string): DumpRow | undefined => {
  const found = /^(\s*)(0x)?([0-9a-fA-F]{3,16})(:|\s{2,}|\s\||\t|h:?\s|\s(?=[0-9a-fA-F]{2,4}(?:\s|$))|$)(.*)$/.exec(
    line
  )
  if (found === null) return undefined
  const [, indent = "", x, offset = "", between = "", behind = ""] = found
  // One blank alone separates where hexdump and od write six or seven digits; elsewhere it is between groups of a message.
  // `hexdump -x` has words of two bytes far apart.
  const isApart = offset.length === 7 && /^(?:\s{2,}[0-9a-fA-F]{4})+\s*$/.test(between + behind)
  const isNarrow = isApart || (between.length === 1 && between !== ":" && between !== "\t")
  if (isNarrow && offset.length !== 7 && offset.length !== 6) return undefined
  if (between === "" && offset.length < 4) return undefined
  const rest = behind.replace(/^[\s|]*/, "")
  const isSwapped = isNarrow && /^[0-9a-fA-F]{4}(?:\s+[0-9a-fA-F]{4})*\s*$/.test(rest)
  return { indent, offset, isPacket: x !== undefined, rest, isSwapped, isNarrow }
}

/** The row that a line ends with behind what a log writes in front of each line; `undefined` when there is none. */
export const rowBehindWords = (line: string): string | undefined =>
  /[\s\]:](?<row>(?:0x)?[0-9a-fA-F]{4,8}(?::|\s\s)\s*(?:[0-9a-fA-F]{2}){1,4}(?:\s.*|))$/.exec(line)?.groups?.["row"]

/**
 * A row of `xxd -b` with its bits written as hex, any other line as it is. Groups of eight 0 and 1 may be hex as well: the text
 * behind them says that they are bits.
 *
 *     00000000: 00110000 00111000 00110000 00110000 10000010 00100000  0800."
 */
export const bitsAsHex = (line: string): string => {
  const found = /^([0-9a-fA-F]{8}): ((?:[01]{8} )+) +?(\S.*|)$/.exec(line)
  if (found === null) return line
  const [, offset = "", groups = "", behind = ""] = found
  const bytes = Buffer.from(
    groups
      .trim()
      .split(" ")
      .map((bits) => Number.parseInt(bits, 2))
  )
  const text = line.slice(-bytes.length)
  // Of groups of hex there are four times as many characters.
  if (behind.length > bytes.length || !isTextOf(text, bytes)) return line
  return `${offset}: ${bytes.toString("hex").replace(/../g, "$& ")} ${text}`
}

/** A place where the bytes of a row may end. */
interface Cut {
  readonly bytes: Buffer
  /** Where the text begins in `rest`. */
  readonly at: number
}

/** All places, the longest first. */
export const cutsOf = ({ rest, isSwapped, isTurned = false }: DumpRow): ReadonlyArray<Cut> => {
  const cuts: Array<Cut> = [{ bytes: Buffer.alloc(0), at: 0 }]
  let digits = ""
  const group = /(?:0x)?([0-9a-fA-F]{2,})(?=[\s|:,-]|$)[ :,-]?/gy
  for (let at = 0; at < rest.length; ) {
    while (rest[at] === " " || rest[at] === "\t") at++
    group.lastIndex = at
    const found = group.exec(rest)
    if (found === null || found[1]!.length % 2 !== 0 || digits.length > 2 * ROW_MAX) break
    digits += isTurned ? turned(found[1]!) : isSwapped ? swapped(found[1]!) : found[1]
    at = group.lastIndex
    cuts.push({ bytes: Buffer.from(digits, "hex"), at })
  }
  return cuts.reverse()
}

const swapped = (digits: string): string => (digits.length === 4 ? digits.slice(2) + digits.slice(0, 2) : digits)

const turned = (digits: string): string => digits.match(/../g)!.reverse().join("")

/** Rows whose text says that the bytes of their groups are turned around; as they are where none is only right so. */
export const asWritten = (rows: ReadonlyArray<DumpRow>): ReadonlyArray<DumpRow> => {
  const all = rows.map((row) => ({ ...row, isTurned: true }))
  const isOnlyTurned = all.some((row, at) => isDoubled(row) && !isDoubled(rows[at]!))
  return isOnlyTurned && !rows.some((row, at) => isDoubled(row) && !isDoubled(all[at]!)) ? all : rows
}

/** Whether a row says its bytes once more as text. */
export const isDoubled = (row: DumpRow): boolean => cutsOf(row).some((cut) => saysSame(row.rest, cut))

/** Whether what follows the bytes is the same bytes as text, dots for what cannot be printed. */
const saysSame = (rest: string, { bytes, at }: Cut): boolean => {
  const behind = rest.slice(at)
  if (bytes.length === 0 || behind.trim() === "") return false
  // hexdump and od put it between bars or angles; bars may be its bytes as well.
  const framed = /^\s*[|>](.*)[|<]\s*$/s.exec(behind)?.[1]
  const texts = [...textsIn(behind, bytes.length), ...(framed === undefined ? [] : [framed])]
  return texts.some((text) => isTextOf(text, bytes))
}

/** The text is at the right, behind blanks alone; blanks at its end may be gone. */
const textsIn = (behind: string, length: number): ReadonlyArray<string> => {
  const text = behind.trimStart()
  const blanks = behind.length - text.length
  // A text that begins with blanks cannot be told from the blanks in front of it, but for its length.
  return Array.from({ length: Math.min(blanks, length) + 1 }, (_, more) => " ".repeat(more) + text)
}

const isTextOf = (text: string, bytes: Buffer): boolean => {
  const shown = text.padEnd(bytes.length, " ")
  if (shown.length !== bytes.length) return false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    const isPlain = byte > 0x20 && byte < 0x7f
    if (isPlain ? shown.charCodeAt(at) !== byte : /[0-9a-zA-Z]/.test(shown[at]!) && byte < 0x80) return false
  }
  return true
}

/** Whether bytes may end here: nothing is behind them, or a text behind a second blank, a bar or an angle. */
const isEnd = (rest: string, at: number): boolean => {
  const behind = rest.slice(at)
  return behind.trim() === "" || /^[\s|>]/.test(behind)
}

/** What a row holds, with the column at which its text began; `undefined` when that cannot be told. */
export interface RowBytes {
  readonly bytes: Buffer
  readonly textAt: number
}

/**
 * The bytes of a row. `length`: how many the next row's offset leaves to this one. `textAt`: where the text of the other rows
 * begins.
 */
export const bytesOfRow = (
  row: DumpRow,
  length: number | undefined,
  textAt: number | undefined
): RowBytes | undefined => {
  const cuts = cutsOf(row)
  const said = (cut: Cut | undefined): RowBytes | undefined =>
    cut === undefined ? undefined : { bytes: cut.bytes, textAt: cut.at }
  if (length !== undefined) {
    const exact = said(cuts.find(({ bytes, at }) => bytes.length === length && isEnd(row.rest, at)))
    // hexdump writes the last byte of an odd number as two.
    if (exact !== undefined || !row.isSwapped) return exact
    const one = cuts.find(({ bytes }) => bytes.length === length + 1)
    return one === undefined ? undefined : { bytes: one.bytes.subarray(0, length), textAt: one.at }
  }
  const same = cuts.find((cut) => saysSame(row.rest, cut))
  if (same !== undefined) return said(same)
  const whole = cuts[0]!
  if (textAt !== undefined) return said(cuts.find(({ at }) => at <= textAt) ?? whole)
  if (row.rest.slice(whole.at).trim() === "") return said(whole)
  const gap = cuts.find(({ at, bytes }) => bytes.length > 0 && /^\s{2,}|^\s*\||^$/.test(row.rest.slice(at - 1)))
  return said(gap ?? (whole.bytes.length > 0 ? whole : undefined))
}
