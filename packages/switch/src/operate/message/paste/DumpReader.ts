/**
 * Hex dumps, row by row: runs of rows with their bytes. A dump begins at offset 0; rows of tshark's follow go on where the last
 * run of their direction ended. Keeps one run, and reads it when it has ended: only then it is plain in what its offsets count.
 */
import { asWritten, bytesOfRow, cutsOf, type DumpRow, isDoubled, rowIn } from "./DumpRow.ts"

/** Rows one behind the other. `at`: line of the first one. */
export interface DumpRun {
  readonly _tag: "run"
  readonly at: number
  readonly bytes: Buffer
  /** Blanks in front of its rows: a direction of its own for each width. */
  readonly indent: string
  /** It goes on where the last run of its direction ended. */
  readonly goesOn: boolean
  /** Written by tcpdump: the bytes are a packet. */
  readonly isPacket: boolean
}

/** A row that cannot be read; the run that it is in is given up. */
export interface DumpBroken {
  readonly _tag: "broken"
  readonly at: number
  readonly why: string
}

interface Row {
  readonly row: DumpRow
  readonly at: number
  /** A row `*` is behind it: it repeats itself up to the next offset. */
  isRepeated: boolean
}

interface Open {
  readonly indent: string
  readonly rows: Array<Row>
}

type Base = 16 | 8 | 10

/** In what offsets may count: od in 8 or as it is told, the others in 16. */
const basesFor = ({ offset, isNarrow, isSwapped }: DumpRow): ReadonlyArray<Base> =>
  isNarrow && !isSwapped && offset.length === 7 ? [8, 10, 16] : [16, 8, 10]

/** Most rows of one run: 64 MiB of bytes. */
const ROWS_MAX = 4 * 1024 * 1024

/** Most bytes that a `*` stands for. */
const REPEATED_MAX = 1024 * 1024

/** Reads rows. */
export class DumpReader {
  private open: Open | undefined
  /** Bytes of each direction so far, and in what its offsets count. */
  private readonly flows = new Map<string, { readonly length: number; readonly base: Base }>()

  /** Whether a line is a row here: it goes on with a run, or begins one. */
  takes(line: string): boolean {
    if (line.trim() === "*") return this.open !== undefined
    const row = rowIn(line)
    if (row === undefined) return false
    if (this.open !== undefined) return true
    if (row.rest === "" || cutsOf(row).length < 2) return false
    return isZero(row) || this.flows.has(row.indent) || row.isPacket || isDoubled(row)
  }

  /** Takes a line that `takes` has taken; gives the run that it ends. */
  row(line: string, at: number): ReadonlyArray<DumpRun | DumpBroken> {
    const last = this.open?.rows.at(-1)
    if (line.trim() === "*") {
      if (last !== undefined) last.isRepeated = true
      return []
    }
    const row = rowIn(line)!
    const isNext = this.open !== undefined && !isZero(row) && this.open.indent === row.indent
    const ended = isNext && this.open!.rows.length < ROWS_MAX ? [] : this.end()
    this.open ??= { indent: row.indent, rows: [] }
    this.open.rows.push({ row, at, isRepeated: false })
    return ended
  }

  /** Ends the run: another line, or the end of the text, is behind it. */
  end(): ReadonlyArray<DumpRun | DumpBroken> {
    const { open } = this
    this.open = undefined
    if (open === undefined) return []
    const first = open.rows[0]!
    const { indent } = open
    const before = isZero(first.row) ? undefined : this.flows.get(indent)
    if (isOpenBase(open.rows)) return [{ _tag: "broken", at: first.at, why: noBase }]
    let broken: DumpBroken | undefined
    for (const base of before === undefined ? basesFor(first.row) : [before.base]) {
      const bytes = bytesOfRows(open.rows, base)
      if (!Buffer.isBuffer(bytes)) {
        broken ??= bytes
        continue
      }
      const goesOn = before !== undefined && Number.parseInt(first.row.offset, base) === before.length
      this.flows.set(indent, { length: (goesOn ? before.length : 0) + bytes.length, base })
      const run: DumpRun = { _tag: "run", at: first.at, bytes, indent, goesOn, isPacket: first.row.isPacket }
      return bytes.length === 0 ? [] : [run]
    }
    return broken === undefined ? [] : [broken]
  }
}

const isZero = ({ offset }: DumpRow): boolean => /^0+$/.test(offset)

/** The bytes of rows whose offsets count in a base. */
const bytesOfRows = (given: ReadonlyArray<Row>, base: Base): Buffer | DumpBroken => {
  const written = asWritten(given.map(({ row }) => row))
  const rows = given.map((one, at) => ({ ...one, row: written[at]! }))
  const parts: Array<Buffer> = []
  let textAt: number | undefined
  for (const [place, one] of rows.entries()) {
    const next = rows[place + 1]
    const from = Number.parseInt(one.row.offset, base)
    if (next === undefined && one.row.rest === "") break
    const length = next === undefined ? undefined : Number.parseInt(next.row.offset, base) - from
    const read = bytesOfRow(one.row, one.isRepeated ? undefined : length, textAt)
    textAt ??= read?.textAt
    const bytes = one.isRepeated ? repeated(read?.bytes, length) : read?.bytes
    if (bytes === undefined) return { _tag: "broken", at: one.at, why: length === undefined ? noRow : noReach }
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

/** hexdump and `od -x` write the same rows, in offsets of 16 and of 8: behind a `*` nothing tells which. */
const isOpenBase = (rows: ReadonlyArray<Row>): boolean => {
  if (!rows[0]!.row.isSwapped || !rows.some(({ isRepeated }) => isRepeated)) return false
  const [hexdump, od] = [bytesOfRows(rows, 16), bytesOfRows(rows, 8)]
  return Buffer.isBuffer(hexdump) && Buffer.isBuffer(od) && !hexdump.equals(od)
}

const noBase =
  "offsets of 8 and of 16 both fit this dump, which leaves rows out: dump it with `xxd`, or with `hexdump -C`"

const noRow = "this row of the dump is not hex digits"

const noReach = "the bytes of this row do not reach to the next row's offset: one is cut or missing"

const repeated = (row: Buffer | undefined, length: number | undefined): Buffer | undefined => {
  if (row === undefined || row.length === 0 || length === undefined) return undefined
  const isWhole = length > 0 && length % row.length === 0 && length <= REPEATED_MAX
  return isWhole ? Buffer.alloc(length, row) : undefined
}
