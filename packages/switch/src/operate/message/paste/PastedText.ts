/**
 * Text as people paste it, as the bytes in it: lines of hex, hex dumps, packets that tcpdump printed, messages that are text
 * themselves. Decides by the form of each line, and where that leaves a choice by whether the bytes are a whole message.
 */
import { DumpReader, type DumpRun } from "./DumpReader.ts"
import { bitsAsHex, rowBehindWords } from "./DumpRow.ts"
import { bytesBehindDigits, bytesBehindWords, bytesOfLine, digitsOf } from "./HexLine.ts"
import { bytesInNotation, isDeclaration, unmarked, unnumbered, unquoted } from "./Notation.ts"
import { type Segment, segmentOf } from "./Segment.ts"

/** What was found, with the line where it begins. */
export type Pasted =
  | { readonly _tag: "bytes"; readonly at: number; readonly bytes: Buffer }
  /** Bytes of one direction of a connection; `goesOn`: they follow what was found of it before. */
  | {
      readonly _tag: "flow"
      readonly at: number
      readonly bytes: Buffer
      readonly flow: string
      readonly goesOn: boolean
    }
  | { readonly _tag: "segment"; readonly segment: Segment }
  /** `isProse`: a line of words, in which nothing looks like bytes. */
  | { readonly _tag: "wrong"; readonly at: number; readonly why: string; readonly isProse?: boolean }

/** Whether bytes are a message, or a frame with one, to their last byte. */
export type IsWhole = (bytes: Buffer) => boolean

interface Pending {
  readonly at: number
  readonly digits: string
  readonly line: string
}

/** Most lines that one message is written on. */
const LINES_MAX = 64

/** Takes lines, gives what they hold. */
export class PastedText {
  private readonly isWhole: IsWhole | undefined
  private readonly dump = new DumpReader()
  /** Lines of hex that are no message alone: the next ones may belong to them. */
  private pending: Array<Pending> = []
  /** Lines that are neither hex nor a dump: labels when a dump follows, and wrong when not. */
  private others: Array<{ readonly at: number; readonly line: string }> = []
  private hasDump = false
  /** The number in front of the last line that has one. */
  private numbered = 0

  constructor(isWhole: IsWhole | undefined) {
    this.isWhole = isWhole
  }

  /** Takes line number `at`, without its end. */
  line(text: string, at: number): ReadonlyArray<Pasted> {
    const line = this.withoutPrefix(this.withoutNumber(bitsAsHex(unquoted(unmarked(text.replace(/\r$/, ""))))))
    if (this.dump.takes(line)) {
      const before = this.hasDump ? [] : this.pendingAlone()
      this.hasDump = true
      this.others = []
      return [...before, ...this.dump.row(line, at).flatMap(ofDump)]
    }
    const ended = this.dump.end().flatMap(ofDump)
    if (line.trim() === "") return [...ended, ...this.pendingAlone()]
    if (isRuler(line)) return ended
    // A bracket on a line of its own is around digits in source text.
    if (/^[\s(){}[\];,]+$/.test(line)) return ended
    if (isOtherDump(line)) return [...ended, ...this.other(line, at, [])]
    const digits = digitsOf(line)
    if (digits === undefined && isDeclaration(line)) return ended
    return [...ended, ...(digits === undefined ? this.other(line, at) : this.hex(line, digits, at))]
  }

  private withoutNumber(line: string): string {
    const bare = unnumbered(line, this.numbered + 1)
    if (bare === line || this.dump.takes(line)) return line
    this.numbered++
    return bare
  }

  /** A row of a dump without what a log has in front of it. */
  private withoutPrefix(line: string): string {
    const row = this.dump.takes(line) ? undefined : rowBehindWords(line)
    return row !== undefined && this.dump.takes(row) ? row : line
  }

  /** What is left at the end of the text. */
  end(): ReadonlyArray<Pasted> {
    return [...this.dump.end().flatMap(ofDump), ...this.pendingAlone(), ...this.othersWrong()]
  }

  private hex(line: string, digits: string, at: number): ReadonlyArray<Pasted> {
    const own = { at, digits, line }
    if (this.isWhole === undefined) return [...this.othersWrong(), ...this.evened(own)]
    const bytes = bytesOfLine(line)
    const texts = [Buffer.from(line.trim(), "latin1"), ...bytesBehindDigits(line), ...bytesInNotation(line)]
    const found = this.firstWhole([bytes, ...texts])
    if (found !== undefined) {
      return [...this.pendingAlone(), ...this.othersWrong(), { _tag: "bytes", at, bytes: found }]
    }
    const first = this.pending[0]
    const joined = bytesOfLine([...this.pending, own].map((one) => one.digits).join(""))
    if (first !== undefined && joined !== undefined && this.isWhole(joined)) {
      this.pending = []
      return [...this.othersWrong(), { _tag: "bytes", at: first.at, bytes: joined }]
    }
    this.pending.push(own)
    return this.pending.length > LINES_MAX ? [alone(this.pending.shift()!)] : []
  }

  /** Where nothing says what a message is, a line of an odd number of digits goes on in the next one. */
  private evened(own: Pending): ReadonlyArray<Pasted> {
    this.pending.push(own)
    const digits = this.pending.map((one) => one.digits).join("")
    if (digits.length % 2 !== 0 && this.pending.length <= LINES_MAX) return []
    const { at } = this.pending[0]!
    const { line } = own
    if (digits.length % 2 !== 0) return this.pendingAlone()
    this.pending = []
    return [alone({ at, digits, line })]
  }

  private other(line: string, at: number, notations = behind(line)): ReadonlyArray<Pasted> {
    const texts = [line, line.trim()].map((text) => Buffer.from(text, "latin1"))
    const found = this.isWhole === undefined ? notations[0] : this.firstWhole([...texts, ...notations])
    if (found !== undefined) return [...this.pendingAlone(), ...this.othersWrong(), { _tag: "bytes", at, bytes: found }]
    const before = this.pendingAlone()
    if (!this.hasDump) this.others.push({ at, line })
    return before
  }

  private firstWhole(all: ReadonlyArray<Buffer | undefined>): Buffer | undefined {
    return all.find((one) => one !== undefined && this.isWhole?.(one) === true)
  }

  private pendingAlone(): ReadonlyArray<Pasted> {
    const { pending } = this
    this.pending = []
    return pending.map(alone)
  }

  private othersWrong(): ReadonlyArray<Pasted> {
    const { others } = this
    this.others = []
    const [first] = others
    if (first !== undefined && others.length > 1 && others.every(({ line }) => isOtherDump(line)))
      return [{ _tag: "wrong", at: first.at, why: otherDump }]
    return others.map(({ at, line }) =>
      line.trim() === "*"
        ? { _tag: "wrong", at, why: leftOut }
        : { _tag: "wrong", at, why: noHex, isProse: isProse(line) }
    )
  }
}

/** The numbers of the columns, which some viewers write above a dump. */
const isRuler = (line: string): boolean => /^\s*00 01 02 03 04 05 06 07[ -]+08 09 0A 0B 0C 0D 0E 0F\s*$/i.test(line)

/** A row of od or hexdump in octal, in decimal or as characters; the last one is an offset alone. */
const isOtherDump = (line: string): boolean =>
  /^[0-9a-f]{7}(?: [0-7]{6}|\s+\d{5}|\s+[0-9a-f]{8}|\s+\S{1,3})*\s*$/.test(line)

const otherDump =
  "this dump is of octal or decimal numbers, of characters or of words of four bytes: dump it with `xxd`, or with `hexdump -C`"

const leftOut =
  "`*` stands for rows that are like the one above it, and without offsets nobody knows how many: paste the dump with its offsets, or dump all rows (`od -v`, `hexdump -v`)"

const noHex =
  "these are not pairs of hex digits, and no row of a hex dump: leave only the digits, or paste the whole dump with its offsets, without what a log has in front of each row"

/** Whether nothing in a line looks like the bytes of a message: no run of hex digits, no escapes, no word of base64. */
const isProse = (line: string): boolean =>
  !/[0-9a-f]{20}|(?:[0-9a-f]{2}[\s:,-]){9}|\\x|\\[0-7]{3}|%[0-9a-f]{2}/i.test(line) &&
  (line.match(/[A-Za-z0-9+/]{24,}/g) ?? []).every((word) => /^[A-Za-z/]+$/.test(word))

/** Bytes that a line may hold behind its words, or in the notation of a program. */
const behind = (line: string): ReadonlyArray<Buffer> => [...bytesBehindWords(line), ...bytesInNotation(line)]

const alone = ({ at, digits }: Pending): Pasted =>
  digits.length % 2 === 0
    ? { _tag: "bytes", at, bytes: Buffer.from(digits, "hex") }
    : {
        _tag: "wrong",
        at,
        why: `these are not pairs of hex digits: ${digits.length} digits are an odd number, so one is missing or one too many`
      }

const ofDump = (
  found: DumpRun | { readonly _tag: "broken"; readonly at: number; readonly why: string }
): ReadonlyArray<Pasted> => {
  if (found._tag === "broken") return [{ _tag: "wrong", at: found.at, why: found.why }]
  const segment = segmentOf(found.bytes)
  if (segment !== undefined) return [{ _tag: "segment", segment }]
  const { at, bytes, goesOn, indent } = found
  return [{ _tag: "flow", at, bytes, goesOn, flow: indent }]
}
