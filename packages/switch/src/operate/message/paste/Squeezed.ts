/**
 * Rows that a dump leaves out: tools write `*` in place of rows that are like the one above it, and only the offsets around it
 * say how many. Pure.
 */

/** Most rows in place of all `*` of a dump: what is read grows with the text, and not with what its offsets say. */
const ROWS_MAX = 2048

const isStar = (line: string): boolean => line.trim() === "*"

const offset = /^\s*(?:0x)?([0-9a-f]{3,16}):?(?=\s|$)/i

const offsetOf = (line: string | undefined, base: number): number => {
  const digits = offset.exec(line ?? "")?.[1] ?? ""
  return digits.split("").some((one) => Number.isNaN(Number.parseInt(one, base)))
    ? Number.NaN
    : Number.parseInt(digits, base)
}

/** The lines with the rows that each `*` stands for, as offsets of one base say it; `undefined`: they do not. */
const expanded = (lines: ReadonlyArray<string>, base: number): ReadonlyArray<string> | undefined => {
  const whole: Array<string> = []
  let room = ROWS_MAX
  for (const [at, line] of lines.entries()) {
    if (!isStar(line)) {
      whole.push(line)
      continue
    }
    const [before, above] = [lines[at - 2], lines[at - 1] ?? ""]
    const place = offsetOf(above, base)
    const width = offsetOf(before, base) >= 0 ? place - offsetOf(before, base) : 16
    const rows = (offsetOf(lines[at + 1], base) - place) / width - 1
    if (!Number.isInteger(rows) || rows < 0 || rows > room) return undefined
    room -= rows
    whole.push(...Array.from({ length: rows }, () => above))
  }
  return whole
}

/** A dump with all its rows: one reading for each base that its offsets may have; none where it leaves none out. */
export const withSqueezed = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  lines.some(isStar) ? [8, 10, 16].flatMap((base) => [expanded(lines, base) ?? []]).filter((all) => all.length > 0) : []
