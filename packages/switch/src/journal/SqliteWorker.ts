/**
 * The journal's thread: owns the database, commits groups in the order they come, answers questions between them, and
 * works on the search index a little at a time, on the anchor, and looks at the free space.
 *
 * One synchronous loop: it sleeps in `Atomics.wait` and takes messages itself, which wakes it in 7 instead of 11 us
 * and makes its order of work plain. After any error of a commit it commits nothing more (guarantee G9); it never
 * tries again.
 */
import { statfsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { receiveMessageOnPort, workerData } from "node:worker_threads"
import type { Dialect } from "@jinka/codec"
import { Backup } from "./Backup.ts"
import { Checkpoint } from "./Checkpoint.ts"
import { groupAt } from "./CommitGroup.ts"
import { Dropping } from "./Dropping.ts"
import { readU64 } from "./Entry.ts"
import { roomOf } from "./Extent.ts"
import { headWord } from "./Head.ts"
import { type JournalFile, openJournalFile } from "./JournalFile.ts"
import { type Answer, type BackupQuestion, JournalQueries, namesOf } from "./JournalQueries.ts"
import { copyReasonOf, type JournalReason, makeReason, reasonOf } from "./JournalReason.ts"
import { Keyring } from "./Seal.ts"
import { type IndexReadings, indexFile, isDamage, SearchIndex } from "./SearchIndex.ts"
import { SqliteCommit } from "./SqliteCommit.ts"
import { databaseFile } from "./SqliteFile.ts"
import { controlAt, type FromThread, type ThreadOptions, type ThreadStart, type ToThread } from "./SqliteMessages.ts"

/** The anchor is forced onto the disk this long after it was written, in ms; a commit never waits for it in between. */
const ANCHOR_SYNC_MS = 100
/** How often the free space is looked at, in ms. */
const SPACE_CHECK_MS = 2000
/** It is also looked at when this part of the reserve was written since. */
const SPACE_CHECK_PART = 1 / 8
/** Pause between two steps of the index while messages come, in ms: it takes a twentieth of the thread's time. */
const INDEX_PAUSE_MS = 12
/** Idle this long before the index has the thread to itself, in ms: a partner's next message is likely to come first. */
const INDEX_IDLE_MS = 3

/** A start has better things to do: unless asked, the index is opened this long after the thread began, in ms. */
const INDEX_AFTER_MS = 2000

/**
 * The code that reads messages for it is loaded in the first pause of this length, both in ms, from so long after the beginning
 * on: partners are not there yet, and later every commit would wait for it.
 */
const READINGS_PAUSE_MS = 20
const READINGS_AFTER_MS = 250

/** What a step of dropping writes into the log, at most: pages of the tree, and of the list of free ones. */
const DROPPED_BYTES = 262_144

/** Questions that the index answers. */
const usesIndex = new Set<string>(["find", "read", "recall", "newest"])

/**
 * What reads messages for the index, loaded behind the start: to load the codec takes longer than to open the journal, and a
 * switch that starts after a crash is waited for. This thread's one loop never lets a promise come to its end: no `import()`.
 */
const searchKeys = (): typeof import("./SearchKeys.ts") =>
  createRequire(import.meta.url)(import.meta.url.endsWith(".ts") ? "./SearchKeys.ts" : "./SearchKeys.js")

class JournalThread {
  private readonly start: ThreadStart
  private readonly options: ThreadOptions
  private readonly keyring: Keyring
  private readonly file: JournalFile
  private readonly commit: SqliteCommit
  private readonly checkpoint: Checkpoint
  private readonly queries: JournalQueries
  private readonly dropping: Dropping
  private readonly memory = new Map<number, Buffer>()
  private index: SearchIndex | undefined
  private dialects: Readonly<Record<string, Dialect>>
  private readings: IndexReadings | undefined
  private indexBroken = false
  private backup: Backup | undefined
  private failed: JournalReason | undefined
  private anchorWritten = 0
  private spaceChecked = 0
  /** Bytes written since the free space was looked at. */
  private unlooked = 0
  private indexedAt = 0
  private open = true

  constructor(start: ThreadStart) {
    this.start = start
    this.options = start.options
    this.dialects = start.options.dialects
    const { walMax, keys, ...options } = start.options
    this.keyring = new Keyring(keys)
    this.file = openJournalFile({ ...options, keyring: this.keyring, readOnly: false })
    const { database, groups, reached } = this.file
    this.commit = new SqliteCommit(database, groups.journalId, this.keyring.current!, reached)
    this.checkpoint = new Checkpoint(database, join(options.directory, databaseFile), walMax, (trouble) =>
      this.post({ trouble })
    )
    this.queries = new JournalQueries({ groups: this.file.groups, room: () => roomOf(this.file) }, this.keyring, () =>
      this.openIndex()
    )
    this.dropping = new Dropping(this.file, this.keyring.current!)
    this.checkSpace()
    this.post({ opened: this.file.opened })
  }

  run(): void {
    const { control, port } = this.start
    while (this.open) {
      const seen = Atomics.load(control, controlAt.wake)
      const received = receiveMessageOnPort(port) as { message: ToThread } | undefined
      if (received !== undefined) this.take(received.message)
      else if (performance.now() - this.indexedAt > INDEX_PAUSE_MS && this.isIndexBehind()) this.indexSome()
      else if (Atomics.wait(control, controlAt.wake, seen, this.patience()) === "timed-out") this.idle(seen)
      this.keepHouse()
    }
    port.close()
  }

  private take(message: ToThread): void {
    if ("group" in message) this.takeGroup(message)
    else if ("ask" in message) this.takeQuestion(message)
    else if ("dialects" in message) this.learn(message.dialects)
    else this.close()
  }

  private learn(dialects: Readonly<Record<string, Dialect>>): void {
    this.dialects = { ...this.dialects, ...dialects }
    this.readings = undefined
  }

  private takeGroup(message: Extract<ToThread, { group: number }>): void {
    const buffer = message.memory === undefined ? this.memory.get(message.group)! : Buffer.from(message.memory)
    if (message.memory !== undefined && !message.isOnce) this.memory.set(message.group, buffer)
    if (this.failed !== undefined) return
    try {
      this.commit.commit(buffer)
      this.file.anchor!.write(this.commit.seq, this.commit.hash, this.commit.tag)
      if (this.anchorWritten === 0) this.anchorWritten = performance.now()
      this.post(readU64(buffer, groupAt.last))
      this.checkpoint.committed(this.commit.length)
      this.unlooked += this.commit.length
      if (this.unlooked > this.options.reserve * SPACE_CHECK_PART) this.checkSpace()
    } catch (error) {
      this.fail(reasonOf(error, this.options.directory, "A commit failed"))
    }
  }

  private takeQuestion({ ask, question }: Extract<ToThread, { ask: number }>): void {
    try {
      if (this.failed !== undefined) return this.post({ ask, reason: this.failed })
      const answer = this.answer(question)
      if ("bytes" in answer) this.start.port.postMessage({ ask, answer }, [answer.bytes])
      else this.post({ ask, answer })
    } catch (error) {
      if (usesIndex.has(question.what) && isDamage(error) && this.index !== undefined) {
        this.index.rebuild()
        return this.post({ ask, answer: { what: "later" } })
      }
      const { directory } = this.options
      const reason =
        question.what === "backup"
          ? copyReasonOf(error, directory, question.directory)
          : reasonOf(error, directory, "A question to the journal failed")
      this.post({ ask, reason })
    }
  }

  private answer(question: Extract<ToThread, { ask: number }>["question"]): Answer {
    if (question.what === "head") return this.head()
    if (question.what === "backup") return this.backUp(question)
    if (question.what === "drop") return this.drop(question.upTo)
    return this.queries.answer(question, this.commit.seq)
  }

  /** One step; no group is committed between the last of them and its end. */
  private backUp({ directory, upTo }: BackupQuestion): Answer {
    const { database, groups } = this.file
    try {
      const part = upTo === undefined ? undefined : { upTo, seal: this.keyring.current! }
      this.backup ??= new Backup(database, groups, directory, part)
      const { isDone, seq } = this.backup.step()
      if (isDone) this.backup = undefined
      return { what: "backup", seq, isDone }
    } catch (error) {
      this.backup?.abandon()
      this.backup = undefined
      throw error
    }
  }

  /** One step. Where its end is in doubt the journal stops, as after any commit. */
  private drop(upTo: number): Answer {
    try {
      const { isDone, seq } = this.dropping.step(upTo, this.indexIfAny())
      this.checkpoint.committed(DROPPED_BYTES)
      return { what: "dropped", seq, isDone }
    } catch (error) {
      if (this.dropping.isInDoubt) this.fail(reasonOf(error, this.options.directory, "Dropping what is old failed"))
      throw error
    }
  }

  /** The index, where it can be had: what is dropped goes from there, too. */
  private indexIfAny(): SearchIndex | undefined {
    try {
      return this.openIndex()
    } catch {
      return undefined
    }
  }

  private head(): Answer {
    const { seq, hash, tag } = this.commit
    return { what: "head", word: headWord({ journalId: this.file.groups.journalId, seq, hash, tag }) }
  }

  private openIndex(): SearchIndex {
    if (this.index !== undefined) return this.index
    const path = join(this.options.directory, indexFile)
    const readings = (): IndexReadings => this.readingsNow()
    this.index = new SearchIndex(path, this.file.groups, namesOf(this.file), {
      keysOf: (dialect, message) => readings().keysOf(dialect, message),
      askedOf: (entry, dialectOf) => readings().askedOf(entry, dialectOf)
    })
    this.indexBroken = false
    return this.index
  }

  /** What goes wrong is said by the question that needs it. */
  private readAhead(): void {
    try {
      this.readingsNow()
    } catch {
      this.indexBroken = true
    }
  }

  private readingsNow(): IndexReadings {
    this.readings ??= searchKeys().readingsOf(this.dialects)
    return this.readings
  }

  /** How long to sleep, in ms, before there is something to do unasked. */
  private patience(): number {
    if (this.failed !== undefined) return Number.POSITIVE_INFINITY
    if (this.isIndexBehind()) return INDEX_IDLE_MS
    if (this.readings === undefined && !this.indexBroken)
      return Math.max(READINGS_PAUSE_MS, READINGS_AFTER_MS - performance.now())
    return this.anchorWritten === 0 ? SPACE_CHECK_MS : ANCHOR_SYNC_MS
  }

  private isIndexBehind(): boolean {
    if (this.index === undefined && performance.now() < INDEX_AFTER_MS) return false
    if (this.indexBroken || Atomics.load(this.start.control, controlAt.lowSpace) > 0) return false
    return (this.index?.upto ?? 0) < this.commit.seq
  }

  /** Works on the index until a message comes. */
  private idle(seen: number): void {
    if (performance.now() >= READINGS_AFTER_MS) this.readAhead()
    while (this.isIndexBehind() && Atomics.load(this.start.control, controlAt.wake) === seen) {
      this.indexSome()
      this.keepHouse()
    }
  }

  /** One small step of the index. What goes wrong there is no concern of the journal: queries say it. */
  private indexSome(): void {
    if (!this.isIndexBehind()) return
    try {
      this.openIndex().step(this.commit.seq)
    } catch {
      // A query opens the index again and reports why it cannot be read.
      this.indexBroken = true
    }
    this.indexedAt = performance.now()
  }

  /** Syncs the anchor, looks at the free space, and at what failed to be moved into the database, each when it is time. */
  private keepHouse(): void {
    if (this.failed !== undefined || !this.open) return
    const now = performance.now()
    try {
      if (this.anchorWritten !== 0 && now - this.anchorWritten >= ANCHOR_SYNC_MS) {
        this.file.anchor!.sync()
        this.anchorWritten = 0
      }
    } catch (error) {
      this.fail(reasonOf(error, this.options.directory, "The anchor cannot be written"))
    }
    if (now - this.spaceChecked < SPACE_CHECK_MS) return
    this.checkSpace()
    try {
      this.checkpoint.look()
    } catch (error) {
      this.fail(reasonOf(error, this.options.directory, "A checkpoint failed"))
    }
  }

  private checkSpace(): void {
    this.spaceChecked = performance.now()
    this.unlooked = 0
    const { bavail, bsize } = statfsSync(this.options.directory)
    const { reserve } = this.options
    const free = roomFor(bavail * bsize, this.file.database, this.options)
    Atomics.store(this.start.control, controlAt.lowSpace, free < reserve / 2 ? 2 : free < reserve ? 1 : 0)
  }

  private fail(reason: JournalReason): void {
    this.failed = reason
    this.post({ failed: reason })
  }

  /** Leaves the file clean: a mark, an empty WAL, a synced anchor. After a failure it is left as it is. */
  private close(): void {
    this.open = false
    try {
      this.index?.close()
      if (this.failed === undefined) {
        this.commit.mark()
        this.file.anchor!.sync()
      }
      this.file.anchor!.close()
      this.file.database.close()
    } catch (error) {
      if (this.failed === undefined) this.fail(reasonOf(error, this.options.directory, "Closing the journal failed"))
    }
    this.post({ closed: true })
  }

  private post(message: FromThread): void {
    this.start.port.postMessage(message)
  }
}

/**
 * Room for new entries: what is free on the disk, and what dropping has made free in the database. The latter counts only while
 * the write-ahead log, which every entry goes through first, finds room on the disk itself.
 */
const roomFor = (free: number, database: JournalFile["database"], { reserve, walMax }: ThreadOptions): number => {
  if (free < Math.min(reserve, walMax)) return free
  const pragma = (name: string) => Number(database.pragma(name, { simple: true }))
  return free + pragma("freelist_count") * pragma("page_size")
}

const main = (start: ThreadStart): void => {
  let thread: JournalThread
  try {
    thread = new JournalThread(start)
  } catch (error) {
    const { directory } = start.options
    const refused: FromThread = { refused: reasonOf(error, directory, "The journal cannot be opened") }
    start.port.postMessage(refused)
    start.port.close()
    return
  }
  try {
    thread.run()
  } catch (error) {
    const problem = `The journal's thread broke: ${error instanceof Error ? error.message : String(error)}.`
    const failed: FromThread = { failed: makeReason("ThreadFailed", start.options.directory, problem) }
    start.port.postMessage(failed)
    start.port.close()
  }
}

main(workerData as ThreadStart)
