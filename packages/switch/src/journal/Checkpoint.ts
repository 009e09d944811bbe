/**
 * Moves what is committed from the write-ahead log into the database, and notices when that fails. SQLite's own checkpoints
 * swallow their errors: while the database file cannot be written and the log can, the log would grow until the disk is full.
 *
 * A failed checkpoint loses nothing, since every entry is in the log: it is told, and tried again after as many pages and at
 * every look, so that what is told ends with the failure, also while nothing is committed. A log at its limit stops the journal
 * (guarantee G9). Runs in the journal's thread, between an acknowledgement and the next commit.
 */
import { statSync } from "node:fs"
import type Database from "better-sqlite3"
import { JournalStop, makeReason, reasonOf } from "./JournalReason.ts"

/** Pages of the log after which a checkpoint is due: larger ones stall a commit longer (docs/decisions/0004-journal.md). */
const PAGES_BETWEEN = 256
const PAGE_LENGTH = 4096
/** Pages that a commit touches besides those of its bytes: the header's, and those on the way down the tree. */
const PAGES_AROUND = 3

/** Default of the log's limit in bytes. */
export const WAL_MAX_DEFAULT = 64 * 1024 * 1024

/** The checkpoints of one database. */
export class Checkpoint {
  private readonly database: Database.Database
  private readonly path: string
  private readonly max: number
  private readonly tell: (trouble: string) => void
  private pages = 0
  private isFailing = false

  /** `path`: the database's; `max`: the log's limit in bytes; `tell`: what is wrong, or "" when it is over. */
  constructor(database: Database.Database, path: string, max: number, tell: (trouble: string) => void) {
    this.database = database
    this.path = path
    this.max = max
    this.tell = tell
  }

  /** Told of a commit of so many bytes. Throws `JournalStop` when the log has reached its limit. */
  committed(bytes: number): void {
    this.pages += Math.ceil(bytes / PAGE_LENGTH) + PAGES_AROUND
    if (this.pages >= PAGES_BETWEEN) this.make()
  }

  /** Tries again what failed. Throws as `committed` does. */
  look(): void {
    if (this.isFailing) this.make()
  }

  private make(): void {
    this.pages = 0
    try {
      this.database.pragma("wal_checkpoint(PASSIVE)")
    } catch (error) {
      return this.failed(error)
    }
    if (this.isFailing) this.tell("")
    this.isFailing = false
  }

  private failed(error: unknown): void {
    this.isFailing = true
    const { size } = statSync(`${this.path}-wal`)
    const reason = reasonOf(error, this.path, "The database cannot be written, though its log can")
    const mib = (size: number) => `${(size / 1024 / 1024).toFixed(1)} MiB`
    const problem = `${reason.problem.replace(/\.?$/, "")}; the log has ${mib(size)} of at most ${mib(this.max)}`
    if (size < this.max) return this.tell(`${this.path}: ${problem}, and the switch stops when it is full`)
    throw new JournalStop(makeReason(reason._tag === "DiskFull" ? "DiskFull" : "DiskFailed", this.path, `${problem}.`))
  }
}
