/**
 * The messages of one queue that are in memory whole: all while they are few, else those that are next. The others are read from
 * the journal before their turn comes, many at a time. Pure but for the reading.
 */
import type { Backlog } from "./Backlog.ts"
import type { Kept, Stored } from "./Stored.ts"

/** Messages of one link that are in memory whole, where nothing else is said: some two megabytes. */
export const WHOLE_MAX = 1024

/**
 * Reads messages from the journal and then calls `then`, in a turn of its own; `undefined`: it could not be asked, and is asked
 * again at the next tick.
 */
export type Load = (messages: ReadonlyArray<Kept>, then: (found: ReadonlyArray<Stored> | undefined) => void) => void

/** See the module header. */
export class Ahead {
  private readonly backlog: Backlog
  private readonly load: Load
  private readonly most: number
  /** Messages that are read at once. */
  private readonly batch: number
  private readonly whole = new Map<number, Stored>()
  private isLoading = false
  /** Somebody's turn has come, and it was not here; and how many have gone since it was last looked for what is next. */
  private isMissing = false
  private gone = 0

  constructor(backlog: Backlog, load: Load, most = WHOLE_MAX) {
    this.backlog = backlog
    this.load = load
    this.most = most
    this.batch = Math.max(1, most >> 2)
  }

  /** The message of a row that is here. */
  get(row: number): Stored | undefined {
    return this.whole.get(row)
  }

  /** Whether the message of a row whose turn it is is here; it is looked for when it is not. */
  has(row: number): boolean {
    const isHere = this.whole.has(row)
    if (!isHere) this.isMissing = true
    return isHere
  }

  /** A message that was just stored: it stays while they are few. */
  put(row: number, stored: Stored): void {
    if (this.backlog.size <= this.most) this.whole.set(row, stored)
  }

  /** One has left, and its row may have ended. */
  left(): void {
    this.gone++
  }

  /** The message has ended, or will rest for long. */
  forget(row: number): void {
    this.whole.delete(row)
  }

  /** The message rests: it is read again where memory is short. */
  rest(row: number): void {
    if (this.backlog.size > this.most) this.whole.delete(row)
  }

  /**
   * Looks for what is next and not here: `next` gives rows in the order in which they may leave. `isNeeded`: it may not be
   * forgotten for them. Calls `then` when they are here.
   */
  look(next: (most: number) => ReadonlyArray<number>, isNeeded: (stored: Stored) => boolean, then: () => void): void {
    if (this.isLoading || this.whole.size >= this.backlog.size) return
    if (!this.isMissing && 2 * this.gone < this.batch) return
    this.isMissing = false
    this.gone = 0
    const ahead = next(this.batch)
    const rows = ahead.filter((row) => !this.whole.has(row))
    if (rows.length === 0) return
    this.isLoading = true
    this.load(
      rows.map((row) => this.backlog.kept(row)),
      (found) => {
        this.isLoading = false
        if (found === undefined) return
        this.makeRoom(found.length, new Set(ahead), isNeeded)
        // None of them can have ended meanwhile: it was not here to be sent.
        rows.forEach((row, n) => {
          this.whole.set(row, found[n]!)
        })
        then()
      }
    )
  }

  private makeRoom(count: number, ahead: ReadonlySet<number>, isNeeded: (stored: Stored) => boolean): void {
    if (this.whole.size + count <= this.most + this.batch) return
    for (const [row, stored] of this.whole) if (!ahead.has(row) && !isNeeded(stored)) this.whole.delete(row)
  }
}
