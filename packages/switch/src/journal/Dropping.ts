/**
 * Drops what is oldest, a few groups at a time and each step in one transaction: groups and marks go, and the row that says where
 * the journal begins (`Beginning.ts`) comes to the hash of the last of them. After a crash at any moment the chain is whole.
 *
 * What is dropped is verified first: a row of ours never vouches for groups that nobody can show to be genuine. The room that
 * becomes free is the next entries'. Runs in the journal's thread, between commits; synchronous; throws `JournalStop`, or what
 * SQLite throws.
 */
import type Database from "better-sqlite3"
import { beginningTextOf, writeBeginning } from "./Beginning.ts"
import type { JournalFile } from "./JournalFile.ts"
import { stop } from "./JournalReason.ts"
import type { Seal } from "./Seal.ts"
import type { SearchIndex } from "./SearchIndex.ts"
import { databaseFile } from "./SqliteFile.ts"

/** Bytes of groups in one step: some 200 entries, and some 2 ms by which a commit may be late. It always takes a whole group. */
const STEP_BYTES = 65_536

/** How far it is. */
export interface Dropped {
  /** The last entry that is dropped. */
  readonly seq: number
  readonly isDone: boolean
}

/** Drops from one database. */
export class Dropping {
  /** A transaction could not be ended: nobody knows what is on disk, and the journal must not go on (guarantee G9). */
  isInDoubt = false
  private readonly file: JournalFile
  private readonly seal: Seal
  private readonly begin: Database.Statement
  private readonly end: Database.Statement
  private readonly dropGroups: Database.Statement
  private readonly dropMarks: Database.Statement

  constructor(file: JournalFile, seal: Seal) {
    const { database } = file
    this.file = file
    this.seal = seal
    this.begin = database.prepare("BEGIN IMMEDIATE")
    this.end = database.prepare("COMMIT")
    this.dropGroups = database.prepare("DELETE FROM commit_group WHERE first < ?")
    this.dropMarks = database.prepare("DELETE FROM mark WHERE seq < ?")
  }

  /** One step towards `upTo`. `index`: what was indexed of it is forgotten; `undefined` where the index cannot be had. */
  step(upTo: number, index: SearchIndex | undefined): Dropped {
    const { groups } = this.file
    const from = groups.start()
    const { bad, cursor } = groups.verify(from, upTo, STEP_BYTES)
    if (bad !== undefined) {
      stop(
        "Corrupt",
        databaseFile,
        `At entry ${bad.seq}: ${bad.why}. Nothing from there on is dropped.`,
        undefined,
        bad.seq
      )
    }
    const [unproved] = cursor.unopened
    if (unproved !== undefined) {
      const problem = `What is old was written with the key ${unproved.keyId}, which was not given: it is not dropped, because nobody could say what it was.`
      stop("KeyWrong", databaseFile, problem)
    }
    const seq = cursor.next - 1
    if (seq < from.next) return { seq, isDone: true }
    for (const group of groups.from(from.next)) {
      if (group.last > seq) break
      index?.forget(group)
    }
    this.write(seq, Buffer.from(cursor.hash, "hex"), JSON.stringify(cursor.counts))
    return { seq, isDone: seq >= upTo }
  }

  private write(seq: number, hash: Buffer, counts: string): void {
    const { database, groups } = this.file
    const row = { seq, hash, counts, part: 0 }
    this.begin.run()
    try {
      this.dropGroups.run(seq + 1)
      this.dropMarks.run(seq + 1)
      writeBeginning(database, { ...row, tag: this.seal.tag(beginningTextOf(groups.journalId, row)) })
    } catch (error) {
      database.exec("ROLLBACK")
      throw error
    }
    this.isInDoubt = true
    this.end.run()
    this.isInDoubt = false
  }
}
