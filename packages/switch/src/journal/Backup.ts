/**
 * A backup of a journal, made beside its work: groups never change once they are written, so they are copied a few at a time
 * between the commits, and what is small (names, marks, keys) in the same step as the last of them. What comes out is a journal
 * of its own, with an anchor, that `journal verify` reads and a switch can start from. A part for the archive is made in the same
 * way: it ends sooner, has no keys of partners, and says that it is a part. Runs in the journal's thread, or the command line's;
 * synchronous; throws what SQLite and the system throw.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync
} from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import Database from "better-sqlite3"
import { anchorFile, writeAnchor } from "./Anchor.ts"
import { beginningTextOf, writeBeginning } from "./Beginning.ts"
import type { CommitGroupReader } from "./CommitGroupReader.ts"
import type { GroupRow } from "./GroupRows.ts"
import { stop } from "./JournalReason.ts"
import type { Seal } from "./Seal.ts"
import { APPLICATION_ID, databaseFile } from "./SqliteFile.ts"

/** Bytes of groups in one step: some milliseconds; it always takes a whole group. */
const STEP_BYTES = 1_048_576

type Row = Array<unknown>

/** A copy within the journal goes when the journal goes. A part for the archive is only made there. */
const refuseWithin = (journal: string, directory: string): void => {
  const way = relative(resolve(journal), resolve(directory))
  if (way === ".." || way.startsWith(`..${sep}`)) return
  stop(
    "DirectoryUnusable",
    directory,
    "A backup goes into a directory of its own, and this one is within the journal's: what takes the journal would take its backup.",
    "Name a directory elsewhere, best on another disk."
  )
}

/** Puts what is in `path` onto the disk. */
const force = (path: string): void => {
  const file = openSync(path, "r")
  fsyncSync(file)
  closeSync(file)
}

/** Puts the files of a backup into a directory where none of them is. */
export const restoreFiles = (backup: string, directory: string): void => {
  const there = [databaseFile, `${databaseFile}-wal`, anchorFile].find((file) => existsSync(join(directory, file)))
  if (there !== undefined) {
    const fix = "A backup is restored where no journal is: move this directory away first, and keep it."
    stop("DirectoryUnusable", directory, `${there} is there.`, fix)
  }
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 })
  for (const file of [anchorFile, databaseFile]) {
    const copy = join(directory, file)
    copyFileSync(join(backup, file), copy, constants.COPYFILE_EXCL)
    chmodSync(copy, 0o600)
    force(copy)
  }
  force(directory)
}

/** What makes a backup a part for the archive. */
export interface Part {
  /** Its last entry, which ends a group. */
  readonly upTo: number
  /** Tags what it says of its beginning. */
  readonly seal: Seal
}

/** One backup under way. */
export class Backup {
  private readonly part: Part | undefined
  private readonly source: Database.Database
  private readonly groups: CommitGroupReader
  private readonly directory: string
  private readonly copy: Database.Database
  private readonly insert: Database.Statement
  /** The first and the last entry of the last group that was copied. */
  private reached = 0n
  private seq = 0

  /** Begins one in a directory that is empty or not there; it is for its owner alone. */
  constructor(source: Database.Database, groups: CommitGroupReader, directory: string, part?: Part) {
    this.part = part
    this.source = source
    this.groups = groups
    this.directory = directory
    if (part === undefined) refuseWithin(dirname(source.name), directory)
    if (existsSync(directory) && readdirSync(directory).length > 0) {
      stop(
        "DirectoryUnusable",
        directory,
        "A backup goes into a directory of its own, and there is something in this one.",
        "Name a directory that is empty, or not there yet."
      )
    }
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 })
    const path = join(directory, databaseFile)
    closeSync(openSync(path, "wx", 0o600))
    this.copy = new Database(path)
    // Until it is whole it is no journal, so a copy that breaks off needs no way back. Each step goes onto the disk by itself:
    // the thread that commits would wait for gigabytes at the end.
    for (const pragma of ["page_size = 4096", "journal_mode = OFF", "synchronous = FULL"]) this.copy.pragma(pragma)
    for (const sql of source
      .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
      .pluck()
      .all()) {
      this.copy.exec(String(sql))
    }
    this.insert = this.inserting("commit_group")
  }

  /** Copies some groups, and with the last of them the rest. `seq`: entries that it holds. */
  step(): { readonly seq: number; readonly isDone: boolean } {
    const isDone = this.copyGroups()
    if (isDone) this.finish()
    return { seq: this.seq, isDone }
  }

  private copyGroups(): boolean {
    const next = this.source
      .prepare("SELECT * FROM commit_group WHERE first > ? AND last <= ? ORDER BY first")
      .raw()
      .safeIntegers()
      .iterate(this.reached, this.part?.upTo ?? Number.MAX_SAFE_INTEGER) as IterableIterator<Row>
    let bytes = 0
    this.copy.exec("BEGIN")
    for (const row of next) {
      this.insert.run(...row)
      this.reached = row[0] as bigint
      this.seq = Number(row[1])
      bytes += (row.at(-1) as Buffer).length
      if (bytes >= STEP_BYTES) break
    }
    this.copy.exec("COMMIT")
    return bytes < STEP_BYTES
  }

  /** Copies what is small and forces all of it onto the disk. */
  private finish(): void {
    const small = this.source
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'commit_group' AND name NOT LIKE 'sqlite_%'"
      )
      .pluck()
      .all() as Array<string>
    this.copy.exec("BEGIN")
    for (const table of small) {
      const insert = this.inserting(table)
      for (const row of this.source.prepare(`SELECT * FROM ${table}`).raw().safeIntegers().all() as Array<Row>)
        insert.run(...row)
    }
    if (this.part !== undefined) this.makePart(this.part)
    this.copy.exec("COMMIT")
    this.copy.pragma(`user_version = ${String(this.source.pragma("user_version", { simple: true }))}`)
    this.copy.pragma(`application_id = ${APPLICATION_ID}`)
    this.copy.close()
    const last = this.lastGroup
    const before = last === undefined ? undefined : this.groups.groupOf(last.first - 1)
    const lastTwo = [before, last].filter((group) => group !== undefined)
    writeAnchor(this.directory, this.groups.journalId, lastTwo)
    for (const place of [join(this.directory, databaseFile), this.directory]) force(place)
  }

  private get lastGroup(): GroupRow | undefined {
    return this.part === undefined ? this.groups.lastGroup() : this.groups.groupOf(this.part.upTo)
  }

  /** Takes out what does not belong to a part, and writes where it begins. */
  private makePart({ seal, upTo }: Part): void {
    const { counts, hash, next } = this.groups.start()
    const row = { seq: next - 1, hash: Buffer.from(hash, "hex"), counts: JSON.stringify(counts), part: 1 }
    this.copy.exec("DELETE FROM key_slot")
    this.copy.prepare("DELETE FROM mark WHERE seq > ?").run(upTo)
    writeBeginning(this.copy, { ...row, tag: seal.tag(beginningTextOf(this.groups.journalId, row)) })
  }

  /** Gives it up: what was copied is removed. */
  abandon(): void {
    this.copy.close()
    for (const file of [databaseFile, anchorFile]) rmSync(join(this.directory, file), { force: true })
  }

  private inserting(table: string): Database.Statement {
    const columns = this.source.prepare(`SELECT * FROM ${table}`).columns().length
    return this.copy.prepare(`INSERT INTO ${table} VALUES (${new Array(columns).fill("?").join(", ")})`)
  }
}
