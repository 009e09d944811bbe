/**
 * Makes one group durable in SQLite: its row, and what belongs to it in other tables, in one transaction. Runs in the
 * journal's thread; throws what SQLite throws, and after that it must not be used again (a failed COMMIT is ambiguous;
 * docs/domain.md 4.1).
 */
import type Database from "better-sqlite3"
import type { MarkRow } from "./GroupRows.ts"
import { GroupSeal, type Reached } from "./GroupSeal.ts"
import { KeySlotWriter } from "./KeySlots.ts"
import type { Seal } from "./Seal.ts"

/** The committing side of one database. */
export class SqliteCommit {
  private readonly seal: GroupSeal
  private readonly begin: Database.Statement
  private readonly end: Database.Statement
  private readonly insertGroup: Database.Statement
  private readonly insertMark: Database.Statement
  private readonly insertName: Database.Statement
  private readonly keySlots: KeySlotWriter
  private lastLength = 0

  constructor(database: Database.Database, journalId: string, seal: Seal, reached: Reached) {
    this.seal = new GroupSeal(journalId, seal, reached)
    this.begin = database.prepare("BEGIN IMMEDIATE")
    this.end = database.prepare("COMMIT")
    this.insertGroup = database.prepare("INSERT INTO commit_group VALUES (?,?,?,?,?,?)")
    this.insertMark = database.prepare("INSERT INTO mark VALUES (?,?,?)")
    this.insertName = database.prepare("INSERT INTO name VALUES (?,?,?,?)")
    this.keySlots = new KeySlotWriter(database)
  }

  /** Seq of the last entry committed. */
  get seq(): number {
    return this.seal.seq
  }

  /** Hash of the last group committed. */
  get hash(): Buffer {
    return this.seal.hash
  }

  /** Tag of both. */
  get tag(): Buffer {
    return this.seal.tag
  }

  /** Bytes of the last group committed. */
  get length(): number {
    return this.lastLength
  }

  /** Commits the group in `buffer`; returns when it is on disk. No secret is left in `buffer`. */
  commit(buffer: Buffer): void {
    const { first, last, sealed, hash, tag, bytes, names, keys, mark } = this.seal.take(buffer)
    this.begin.run()
    this.insertGroup.run(first, last, sealed, hash, tag, bytes)
    for (const { id, name, dialect, tag } of names) this.insertName.run(id, name, dialect, tag)
    for (const one of keys) this.keySlots.put(one, one.seq, this.seal.journalId, (text) => this.seal.tagOf(text))
    if (mark !== undefined) this.writeMark(mark)
    this.end.run()
    this.lastLength = bytes.length
  }

  /** Writes a mark at the end of what is committed, unless there is one: for a clean close. */
  mark(): void {
    const mark = this.seal.mark()
    if (mark === undefined) return
    this.begin.run()
    this.writeMark(mark)
    this.end.run()
  }

  private writeMark({ seq, counts, tag }: MarkRow): void {
    this.insertMark.run(seq, counts, tag)
  }
}
