/**
 * The search index `journal.index.db`: exchange by STAN, RRN and PAN hash, by what a partner asked, and the entries of an
 * exchange. Derived from the journal and filled between commits; it may be deleted at any time, and is rebuilt when missing,
 * damaged or of another journal.
 *
 * It is a file of its own so that the durable path never pays for it: it is never synced (synchronous=OFF). After a power
 * cut it may be damaged; that is found, and it is started again.
 */
import { closeSync, existsSync, openSync, rmSync } from "node:fs"
import Database from "better-sqlite3"
import type { AskedOf } from "./Asked.ts"
import type { CommitGroupReader } from "./CommitGroupReader.ts"
import { ENTRY_HEADER_LENGTH, entryAt, readU64 } from "./Entry.ts"
import { EntryKind } from "./EntryKind.ts"
import type { GroupRow } from "./GroupRows.ts"
import { askedHash, FIND_MAX, noSearchKeys, RECALL_MAX } from "./IndexedKeys.ts"
import type { Asked, KeysOf, NameRecord, NewestAsked, SearchKey } from "./JournalStore.ts"

/** The index's file in the journal's directory. */
export const indexFile = "journal.index.db"

const VERSION = 2
/** Entries indexed in one transaction: some 0.5 ms, by which a commit may be late. */
const STEP_ENTRIES = 48
/** Entries whose newest times are remembered together. */
const SLICE_ENTRIES = 65_536
/** Stands for "no time": greater than every DE 7. */
const NO_TIME = 99_999_999_999

const schema = `
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), journal_id TEXT NOT NULL, upto INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE stan (stan INTEGER, exchange INTEGER, PRIMARY KEY (stan, exchange)) STRICT, WITHOUT ROWID;
CREATE TABLE rrn (rrn TEXT, exchange INTEGER, PRIMARY KEY (rrn, exchange)) STRICT, WITHOUT ROWID;
CREATE TABLE pan (pan INTEGER, exchange INTEGER, PRIMARY KEY (pan, exchange)) STRICT, WITHOUT ROWID;
CREATE TABLE member (exchange INTEGER, seq INTEGER, kind INTEGER, PRIMARY KEY (exchange, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE asked (hash INTEGER, exchange INTEGER, PRIMARY KEY (hash, exchange)) STRICT, WITHOUT ROWID;
CREATE TABLE newest (slice INTEGER, link TEXT, time INTEGER, at INTEGER, PRIMARY KEY (slice, link)) STRICT, WITHOUT ROWID;
`

/** Kinds of entries that say how an exchange ended, for its origin. */
const endKinds = [EntryKind.answered, EntryKind.timedOut, EntryKind.notSent, EntryKind.undelivered]

/** What the keys of an entry are given to. */
interface KeyStatements {
  readonly stan: Database.Statement
  readonly rrn: Database.Statement
  readonly pan: Database.Statement
  readonly member: Database.Statement
  readonly asked: Database.Statement
  /** Undefined: how new the newest was stays known. */
  readonly newest: Database.Statement | undefined
}

interface Statements {
  readonly add: KeyStatements
  readonly forget: KeyStatements
  readonly reached: Database.Statement
  readonly members: Database.Statement
  readonly ends: Database.Statement
  readonly recalled: Database.Statement
  readonly newestOf: Database.Statement
}

/** The links' names, by the numbers that entries have them by. */
export interface Names {
  readonly of: (link: number) => NameRecord | undefined
  /** The dialect that a link of this name has, or had last; "" when there is none. */
  readonly dialectOf: (name: string) => string
}

/** What reads messages for the index. */
export interface IndexReadings {
  readonly keysOf: KeysOf
  readonly askedOf: AskedOf
}

/** The index of one journal. All calls are synchronous and bounded. */
export class SearchIndex {
  private readonly path: string
  private readonly groups: CommitGroupReader
  private readonly readings: IndexReadings
  private readonly names: Names
  private database: Database.Database
  private statements: Statements
  private indexed = 0

  /** Opens the index or makes a new one. Throws only what the file system refuses. */
  constructor(path: string, groups: CommitGroupReader, names: Names, readings: IndexReadings) {
    this.path = path
    this.groups = groups
    this.names = names
    this.readings = readings
    this.database = this.openOrRebuild()
    this.statements = prepare(this.database)
  }

  /**
   * Forgets a group that is about to be dropped from the journal. The keys of an exchange go with the entry that opened it. What
   * is not found by the same keys again (a dialect was changed) stays, and says nothing: the journal decides.
   */
  forget(group: GroupRow): void {
    this.whole(() => {
      this.database.transaction(() => {
        const places = this.groups.places(group)
        for (const { at } of places) this.take(group.bytes, at, this.statements.forget)
        if (this.indexed < group.last) this.statements.reached.run(group.last, group.hash)
      })()
      this.indexed = Math.max(this.indexed, group.last)
    }, group.last)
  }

  /** Seq of the last entry indexed. */
  get upto(): number {
    return this.indexed
  }

  /**
   * Indexes a few entries up to `last`, some 0.5 ms worth. Returns whether all are indexed. A damaged index is begun
   * anew.
   */
  step(last: number): boolean {
    if (this.indexed >= last) return true
    return this.whole(() => {
      const to = Math.min(last, this.indexed + STEP_ENTRIES)
      this.database.transaction(() => {
        let group: GroupRow | undefined
        for (let next = this.indexed + 1; next <= to; next = group.last + 1) {
          group = this.groups.groupOf(next)
          if (group === undefined) throw new Error(`entry ${next} belongs to no group`)
          this.addGroup(group, next, to)
        }
        this.statements.reached.run(to, group!.hash)
      })()
      this.indexed = to
    }, last)
  }

  /**
   * Exchanges that fit all that is given, newest first. `panKeys`: the PAN's search keys, one for each key of the
   * journal.
   */
  find(key: SearchKey, panKeys: ReadonlyArray<number>): ReadonlyArray<number> {
    const parts: Array<string> = []
    const values: Array<string | number> = []
    if (key.stan !== undefined) {
      parts.push("SELECT exchange FROM stan WHERE stan = ?")
      values.push(key.stan)
    }
    if (key.rrn !== undefined) {
      parts.push("SELECT exchange FROM rrn WHERE rrn = ?")
      values.push(key.rrn.trim())
    }
    if (key.pan !== undefined) {
      parts.push(`SELECT exchange FROM pan WHERE pan IN (${panKeys.map(() => "?").join(",")})`)
      values.push(...panKeys)
    }
    if (parts.length === 0) return []
    return this.database
      .prepare(
        `SELECT * FROM (${parts.join(" INTERSECT ")}) WHERE exchange > ? ORDER BY exchange DESC LIMIT ${FIND_MAX}`
      )
      .pluck()
      .all(...values, this.before) as Array<number>
  }

  /** Seqs of the entries of an exchange and of those about it, in order. */
  members(exchange: number): ReadonlyArray<number> {
    return this.statements.members.all(exchange) as Array<number>
  }

  /** Exchanges in which this may have been asked, newest first; another that has the same hash may be among them. */
  recalled(asked: Asked): ReadonlyArray<number> {
    return this.statements.recalled.all(askedHash(this.groups.journalId, asked)) as Array<number>
  }

  /** Seqs of the first entries that say how the exchange ended. */
  ends(exchange: number): ReadonlyArray<number> {
    return this.statements.ends.all(exchange) as Array<number>
  }

  /** The greatest time in the keys of what was asked on each link, among entries up to `last` and those since `at`. */
  newest(last: number, at: number): ReadonlyArray<NewestAsked> {
    const rows = this.statements.newestOf.all(Math.floor(last / SLICE_ENTRIES), at) as Array<NewestAsked>
    return rows.map(({ link, time }) => ({ link, time: time === NO_TIME ? Number.POSITIVE_INFINITY : time }))
  }

  close(): void {
    this.database.close()
  }

  /** Throws the index away and starts a new one. */
  rebuild(): void {
    void this.before
    this.database.close()
    remove(this.path)
    this.database = this.openOrRebuild()
    this.statements = prepare(this.database)
  }

  private whole(run: () => void, last: number): boolean {
    try {
      run()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.rebuild()
    }
    return this.indexed >= last
  }

  private addGroup(group: GroupRow, from: number, to: number): void {
    const places = this.groups.places(group)
    const end = Math.min(group.last, to) - group.first
    for (let n = from - group.first; n <= end; n++) this.take(group.bytes, places[n]!.at, this.statements.add)
  }

  /** Gives the keys of one entry to the statements that add them or take them out. */
  private take(bytes: Buffer, at: number, to: KeyStatements): void {
    const seq = readU64(bytes, at + entryAt.seq)
    const about = readU64(bytes, at + entryAt.about)
    const link = bytes.readUInt32BE(at + entryAt.link)
    const pan = readU64(bytes, at + entryAt.pan)
    const messageFrom = at + ENTRY_HEADER_LENGTH + bytes.readUInt16BE(at + entryAt.codeLength)
    const message = bytes.subarray(messageFrom, messageFrom + bytes.readUInt32BE(at + entryAt.messageLength))
    const { asked: askedStatement, member, newest, stan, rrn, pan: panStatement } = to
    const exchange = readU64(bytes, at + entryAt.exchange) || seq
    const kind = bytes[at + entryAt.kind]!
    member.run(exchange, seq, kind)
    if (about !== 0) member.run(about, seq, kind)
    if (pan !== 0) panStatement.run(pan, exchange)
    if (message.length === 0 || kind === EntryKind.key) return
    const name = this.names.of(link)
    const keys = name === undefined || name.dialect === "" ? noSearchKeys : this.readings.keysOf(name.dialect, message)
    if (keys.stan >= 0) stan.run(keys.stan, exchange)
    if (keys.rrn !== "") rrn.run(keys.rrn.trim(), exchange)
    if (name === undefined) return
    const code = bytes.toString("latin1", at + ENTRY_HEADER_LENGTH, messageFrom)
    const asked = this.readings.askedOf({ kind, code, message, link: name }, this.names.dialectOf)
    if (asked === undefined) return
    askedStatement.run(askedHash(this.groups.journalId, asked), seq)
    if (newest === undefined) return
    const time = Math.min(NO_TIME, asked.time)
    newest.run(Math.floor(seq / SLICE_ENTRIES), asked.link, time, readU64(bytes, at + entryAt.time))
  }

  private openOrRebuild(): Database.Database {
    // Before anything is open: what it reads of the journal may not be here yet.
    const { before } = this
    if (existsSync(this.path)) {
      let database: Database.Database | undefined
      try {
        database = open(this.path)
        if (this.fits(database)) return database
        database.close()
      } catch (error) {
        database?.close()
        if (!isDamage(error)) throw error
      }
      remove(this.path)
    }
    const database = open(this.path)
    database.exec(schema)
    database.pragma(`user_version = ${VERSION}`)
    database.prepare("INSERT INTO meta VALUES (1, ?, 0, x'')").run(this.groups.journalId)
    this.indexed = before
    return database
  }

  /** The last entry that was dropped from the journal. */
  private get before(): number {
    return this.groups.start().next - 1
  }

  /** Whether the index is of this journal and not ahead of it; takes over how far it is. */
  private fits(database: Database.Database): boolean {
    if (database.pragma("user_version", { simple: true }) !== VERSION) return false
    const meta = database.prepare("SELECT journal_id, upto, hash FROM meta WHERE id = 1").get() as
      | { journal_id: string; upto: number; hash: Buffer }
      | undefined
    if (meta === undefined || meta.journal_id !== this.groups.journalId) return false
    if (meta.upto > this.before && this.groups.groupOf(meta.upto)?.hash.equals(meta.hash) !== true) return false
    this.indexed = Math.max(this.before, meta.upto)
    return true
  }
}

/**
 * Loads SQLite's native part, which the first database does otherwise. A thread does it before it says that it is open: Node
 * aborts the whole process (SIGABRT, not its exit code) when it ends while a thread is in the middle of this.
 */
export const loadSqlite = (): void => {
  new Database(":memory:").close()
}

const open = (path: string): Database.Database => {
  // Made here, so that it and what SQLite puts beside it is its owner's alone whatever the umask is.
  if (path !== ":memory:") closeSync(openSync(path, "a", 0o600))
  const database = new Database(path, { timeout: 50 })
  try {
    for (const pragma of [
      "locking_mode = EXCLUSIVE",
      "journal_mode = WAL",
      "synchronous = OFF",
      "wal_autocheckpoint = 256"
    ])
      database.pragma(pragma)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const prepare = (database: Database.Database): Statements => ({
  add: {
    stan: database.prepare("INSERT OR IGNORE INTO stan VALUES (?, ?)"),
    rrn: database.prepare("INSERT OR IGNORE INTO rrn VALUES (?, ?)"),
    pan: database.prepare("INSERT OR IGNORE INTO pan VALUES (?, ?)"),
    member: database.prepare("INSERT OR IGNORE INTO member VALUES (?, ?, ?)"),
    asked: database.prepare("INSERT OR IGNORE INTO asked VALUES (?, ?)"),
    newest: database.prepare(
      "INSERT INTO newest VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET time = max(time, excluded.time), at = max(at, excluded.at)"
    )
  },
  forget: {
    stan: database.prepare("DELETE FROM stan WHERE stan = ? AND exchange = ?"),
    rrn: database.prepare("DELETE FROM rrn WHERE rrn = ? AND exchange = ?"),
    pan: database.prepare("DELETE FROM pan WHERE pan = ? AND exchange = ?"),
    member: database.prepare("DELETE FROM member WHERE exchange = ? AND seq = ? AND kind = ?"),
    asked: database.prepare("DELETE FROM asked WHERE hash = ? AND exchange = ?"),
    newest: undefined
  },
  reached: database.prepare("UPDATE meta SET upto = ?, hash = ? WHERE id = 1"),
  members: database.prepare("SELECT seq FROM member WHERE exchange = ? ORDER BY seq").pluck(),
  ends: database
    .prepare(`SELECT seq FROM member WHERE exchange = ? AND kind IN (${endKinds.join(",")}) ORDER BY seq LIMIT 4`)
    .pluck(),
  recalled: database
    .prepare(`SELECT exchange FROM asked WHERE hash = ? ORDER BY exchange DESC LIMIT ${RECALL_MAX}`)
    .pluck(),
  newestOf: database.prepare("SELECT link, max(time) AS time FROM newest WHERE slice <= ? AND at >= ? GROUP BY link")
})

const remove = (path: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true })
}

/** Whether SQLite says that the file itself is bad, so that a new one helps. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB|ERROR|CONSTRAINT|MISMATCH)/.test(error.code)
