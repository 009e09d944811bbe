/**
 * A pasted text in which no message was found line by line, read as a whole: notations of many lines, dumps whose rows begin in
 * another way, documents with bytes in them. Each reading is a guess; whoever asks takes the first that holds a message. Pure.
 */
import { bytesOfRow, cutsOf, type DumpRow } from "./DumpRow.ts"
import { inTwos, ofBase32, uuencoded, withoutEscapes } from "./Encodings.ts"
import { bytesOfLine } from "./HexLine.ts"
import { bytesInNotation, bytesOfBase64, unmarked, unquoted } from "./Notation.ts"
import { endsSaid, numberRows } from "./NumberRows.ts"
import { recordsIn } from "./Records.ts"
import { withSqueezed } from "./Squeezed.ts"

/** Longest text that is read so, in characters. */
export const WHOLE_TEXT_MAX = 64 * 1024

/** Longest line of a dump. */
const ROW_MAX = 2048

/** Most candidates of one reading. */
const CANDIDATES_MAX = 256

/** Least bytes of a message: its type and a bitmap. */
const BYTES_MIN = 10

/** The ways to read a text, each as the bytes that may be messages; the more certain ones first. */
export const otherReadings = (text: string): ReadonlyArray<ReadonlyArray<Buffer>> => {
  if (text.length > WHOLE_TEXT_MAX) return []
  const clean = unmarked(text).replaceAll("\r\n", "\n")
  const lines = clean.split("\n").map(unquoted)
  const expanded = withRepeats(clean)
  const whole = withoutFilling(lines)
  const readings = [
    recordsIn(lines),
    ...rowsBehindFronts(lines),
    ...numberRows(lines),
    ...withSqueezed(lines)
      .flatMap(numberRows)
      .map((found) => unlike(found.map(whole))),
    ofJson(clean),
    unlike(literals(expanded, unescaped)),
    unlike(literals(expanded, (part) => unescaped(part.replaceAll(/\\0(?=\d)/g, "\\x00")))),
    unlike(joined(expanded)),
    unlike(tokens(clean)),
    inTwos(clean),
    uuencoded(clean),
    unlike(withoutEscapes(clean)),
    ofBase32(clean),
    coded(lines),
    upright(lines)
  ]
  return readings
    .map((found) =>
      found
        .map(whole)
        .filter(({ length }) => length >= BYTES_MIN)
        .slice(0, CANDIDATES_MAX)
    )
    .filter((found) => found.length > 0)
}

/** Most bytes with which a tool fills its last word. */
const FILLING_MAX = 7

/** Behind the end that is said below the rows zeros fill the last word. */
const withoutFilling = (lines: ReadonlyArray<string>): ((bytes: Buffer) => Buffer) => {
  const last = lines.findLast((line) => line.trim() !== "")?.trim() ?? ""
  const ends = endsSaid(last)
  return (bytes) => {
    const end = ends.find((one) => one < bytes.length && bytes.length - one <= FILLING_MAX)
    return end === undefined || bytes.subarray(end).some((byte) => byte !== 0) ? bytes : bytes.subarray(0, end)
  }
}

/** Without those that come again: two ways to read may give the same. */
const unlike = (found: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> => [
  ...new Map(found.map((bytes) => [bytes.toString("latin1"), bytes])).values()
]

/** What is in front of the bytes of a row: an offset with a colon, a bar, a second number; an address; a number of the row. */
const fronts: ReadonlyArray<RegExp> = [
  /^\s*0x[0-9a-f]+(?:\s+<[^>]*>)?:\s*/i,
  /^\s*[|[(]\s*[0-9a-f]{3,16}\s*[|\])][\s:-]*/i,
  /^\s*\|\s*[0-9a-f]{3,8}\s+/i,
  /^\s*[0-9a-f]{3,8}\s*-\s*[0-9a-f]{3,8}\s*[:|]?\s+/i,
  /^\s*[0-9a-f]{3,16}\s*[:-]\s+/i,
  /^\s*[0-9a-f]{4,8}[:`][0-9a-f]{4,8}\s+/i,
  /^\s*[0-9a-f]{4,16}\s+/i,
  /^\s*\d{1,4}[:.)]?\s+/,
  /^\s*/
]

/** Rows of a dump, each with the same beginning, and its bytes once more as text behind them maybe. */
const rowsBehindFronts = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<Buffer>> =>
  fronts.flatMap((front) => {
    const runs: Array<Array<DumpRow>> = [[]]
    for (const line of lines) {
      const row = line.length > ROW_MAX || !front.test(line) ? undefined : rowOf(line.replace(front, ""))
      if (row === undefined) runs.push([])
      else runs.at(-1)!.push(row)
    }
    const blocks = runs.filter((rows) => rows.length > 0).flatMap((rows) => bytesOfRows(rows) ?? [])
    if (blocks.length === 0) return []
    return blocks.length === 1 ? [blocks] : [blocks, [Buffer.concat(blocks)]]
  })

const rowOf = (rest: string): DumpRow | undefined => {
  const bare = rest.replace(/\s+\|\s*$/, "")
  const row = { indent: "", offset: "0000", isPacket: false, rest: bare, isSwapped: false, isNarrow: false }
  return cutsOf(row).length > 1 ? row : undefined
}

/** All rows but the last have as many bytes as the first. */
const bytesOfRows = (rows: ReadonlyArray<DumpRow>): Buffer | undefined => {
  let textAt: number | undefined
  const parts: Array<Buffer> = []
  for (const row of rows) {
    const read = bytesOfRow(row, undefined, textAt)
    if (read === undefined) return undefined
    textAt ??= read.textAt
    parts.push(read.bytes)
  }
  const size = parts[0]!.length
  const isEven = parts.every(({ length }, at) => (at === parts.length - 1 ? length <= size : length === size))
  return isEven ? Buffer.concat(parts) : undefined
}

/** What gdb leaves out: `0x20 <repeats 12 times>`, `'0' <repeats 12 times>`. */
const withRepeats = (text: string): string => {
  let room = WHOLE_TEXT_MAX
  return text.replaceAll(repeated, (all: string, what: string, times: string) => {
    room -= what.length * Number(times)
    if (room < 0) return all
    const inner = /^'(.*)'$/s.exec(what)?.[1]
    return inner === undefined
      ? Array.from({ length: Number(times) }, () => what).join(", ")
      : `"${inner.repeat(Number(times))}"`
  })
}

const repeated = /(0x[0-9a-f]{1,2}|\b\d{1,3}(?: '[^']{1,4}')?|'(?:\\.[^']{0,4}|[^'])') <repeats (\d{1,4}) times>/gi

const escapes: Readonly<Record<string, string>> = {
  ...{ n: "\n", r: "\r", t: "\t", a: "\u0007", b: "\b", f: "\f", v: "\v", e: "\u001b" }
}

/** A text without its escapes: `\x30`, `\60`, `\u0030`, `\u{30}`, `\n`. */
const unescaped = (text: string): Buffer =>
  Buffer.from(
    text.replaceAll(
      /\\(?:x([0-9a-f]{2})|u00([0-9a-f]{2})|u\{([0-9a-f]{1,2})\}|([0-3]?[0-7]{1,2})|([\s\S]))/gi,
      (_, hex, four, braced, octal, one: string) => {
        const digits = hex ?? four ?? braced
        if (digits !== undefined) return String.fromCharCode(Number.parseInt(digits, 16))
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
        return one === "\n" ? "" : (escapes[one] ?? one)
      }
    ),
    "latin1"
  )

/** Texts between quotes: each alone, and all together, as source text goes on in the next line. */
const literals = (text: string, read: (part: string) => Buffer): ReadonlyArray<Buffer> => {
  const found = quoted(text).map(read)
  const plain = text.includes("\\") ? [read(text.trim())] : []
  return [...found, ...(found.length > 1 ? [Buffer.concat(found)] : []), ...plain]
}

/** What is between quotes, escapes and all; a quote that its line does not close begins nothing. */
const quoted = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let from = -1
  for (let at = 0; at < text.length && found.length < CANDIDATES_MAX; at++) {
    const one = text[at]!
    if (from < 0) {
      if (one === '"' || one === "'") from = at
    } else if (one === "\\") at++
    else if (one === text[from]) {
      found.push(text.slice(from + 1, at))
      from = -1
    } else if (one === "\n") from = -1
  }
  return found
}

/** Bytes one a line, and numbers that go on over lines. */
const joined = (text: string): ReadonlyArray<Buffer> => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  const hex = bytesOfLine(line)
  const inner = /[{[(]([^{}[\]()]*)[}\])]/.exec(line)?.[1]
  const numbers = inner === undefined ? [] : bytesInNotation(`[${inner}]`)
  return [...(hex === undefined ? [] : [hex]), ...bytesInNotation(line), ...numbers, ...shortPairs(line)]
}

/** Oracle's dump: hex without zeros in front, `30,2,0,72`. */
const shortPairs = (line: string): ReadonlyArray<Buffer> => {
  const list = /:\s*([0-9a-f]{1,2}(?:,[0-9a-f]{1,2})+)\s*$/i.exec(line)?.[1]
  return list === undefined ? [] : [Buffer.from(list.split(",").map((one) => Number.parseInt(one, 16)))]
}

/** Long runs of hex digits anywhere, in pairs with a mark between them or not. */
const tokens = (text: string): ReadonlyArray<Buffer> => {
  const runs = [...text.matchAll(/[0-9a-f]{20,}/gi), ...text.matchAll(/(?:[0-9a-f]{2}[:\s,-]){9,}[0-9a-f]{2}/gi)]
  return runs.slice(0, CANDIDATES_MAX).flatMap(([digits]) => bytesOfLine(digits) ?? [])
}

/** Base64: lines one behind the other, and long words. */
const coded = (lines: ReadonlyArray<string>): ReadonlyArray<Buffer> => {
  const runs: Array<string> = [""]
  for (const line of lines)
    if (/^\s*[A-Za-z0-9+/_-]+={0,2}\s*$/.test(line)) runs.push(`${runs.pop()}${line.trim()}`)
    else runs.push("")
  const words = lines.flatMap((line) => line.match(/[A-Za-z0-9+/_-]{24,}={0,2}/g) ?? [])
  return [...new Set([...runs, ...words])].slice(0, 2 * CANDIDATES_MAX).flatMap((one) => bytesOfBase64(one) ?? [])
}

/** A character above the two digits of its byte, as editors of mainframes show it. */
const upright = (lines: ReadonlyArray<string>): ReadonlyArray<Buffer> =>
  lines.flatMap((line, at) => {
    const [high, low] = [line.trimEnd(), (lines[at + 1] ?? "").trimEnd()]
    const areDigits = high.length === low.length && /^[0-9a-f]{10,}$/i.test(high) && /^[0-9a-f]+$/i.test(low)
    return areDigits ? [Buffer.from([...high].map((digit, n) => digit + low[n]!).join(""), "hex")] : []
  })

/** Every text and every list of numbers in a document of JSON, or in one for each line. */
const ofJson = (text: string): ReadonlyArray<Buffer> => {
  if (!/[{[]/.test(text)) return []
  const whole = parsed(text)
  const documents =
    whole === undefined ? text.split("\n").flatMap((line) => parsed(line.slice(line.indexOf("{"))) ?? []) : [whole]
  const found: Array<Buffer> = []
  const walk = (value: unknown, depth: number): void => {
    if (found.length > CANDIDATES_MAX || depth > DEPTH_MAX) return
    if (typeof value === "string") {
      const hex = bytesOfLine(value)
      const base64 = bytesOfBase64(value)
      found.push(...[hex, base64].flatMap((bytes) => bytes ?? []), Buffer.from(value, "latin1"))
    } else if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number")) {
      found.push(Buffer.from(value))
    } else if (typeof value === "object" && value !== null)
      for (const inner of Object.values(value)) walk(inner, depth + 1)
  }
  for (const document of documents) walk(document, 0)
  return found
}

const DEPTH_MAX = 32

const parsed = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
