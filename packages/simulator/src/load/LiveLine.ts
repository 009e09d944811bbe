/** A line that changes in place, and sentences above it. Pure: gives what is to be written. Without a terminal all lines stay. */

/** Up one row, and that row empty. */
const overBefore = "\x1b[1A\x1b[K"

/** The lower end of a terminal while something goes on; see the module header. */
export class LiveLine {
  /** Columns of the terminal; `undefined`: there is none. */
  private readonly columns: number | undefined
  private line: string | undefined

  constructor(columns: number | undefined) {
    this.columns = columns
  }

  /** The line as it is from now on. A row that is too long would take two, and could not be written over. */
  changed(line: string): string {
    if (this.columns === undefined) return line
    const over = this.line === undefined ? "" : overBefore
    this.line = line.slice(0, Math.max(1, this.columns - 1))
    return `${over}${this.line}`
  }

  /** A sentence that stays: the line goes on below it. */
  told(text: string): string {
    return this.line === undefined ? text : `${overBefore}${text}\n${this.line}`
  }
}
