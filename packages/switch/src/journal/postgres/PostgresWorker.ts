/**
 * The thread of a journal in PostgreSQL: takes it over, commits groups in the order in which they come, answers questions beside
 * that over a connection of its own, and works on the search index, a local file, a little at a time.
 *
 * Like the thread of SQLite it says of each group when it is durable, and stops at the first thing that it cannot trust (G9).
 * Unlike that one it waits for a network: it has an event loop, and PostgreSQL may be away without an end of it.
 */
import { createRequire } from "node:module"
import { join } from "node:path"
import { workerData } from "node:worker_threads"
import type { Dialect } from "@jinka/codec"
import { Deferred, Effect, Schedule, Semaphore } from "effect"
import { headWord } from "../Head.ts"
import { JournalError } from "../JournalError.ts"
import type { Answer } from "../JournalQueries.ts"
import { type JournalReason, makeReason, reasonOf } from "../JournalReason.ts"
import { Keyring } from "../Seal.ts"
import { type IndexReadings, indexFile, loadSqlite } from "../SearchIndex.ts"
import { controlAt, type FromThread, type ToThread } from "../SqliteMessages.ts"
import { noCopy, placeText } from "./PostgresAddress.ts"
import { openConnection, PostgresCommits } from "./PostgresCommits.ts"
import { PostgresDropping } from "./PostgresDropping.ts"
import type { PostgresThreadOptions, PostgresThreadStart } from "./PostgresMessages.ts"
import { type Taken, takeOver } from "./PostgresOpening.ts"
import type { OutgoingGroup } from "./PostgresRows.ts"
import { PostgresSearch } from "./PostgresSearch.ts"

/** The anchor is forced onto the disk this long after it was written, in ms; no commit waits for it, and no acknowledgement. */
const ANCHOR_SYNC_MS = 100
/** Pause between two steps of the index, in ms: it takes a twentieth of the thread's time. */
const INDEX_PAUSE_MS = 12
/** Pause once it has everything, or cannot go on, in ms. */
const INDEX_IDLE_MS = 50
/** Pause before a question is asked again that met no PostgreSQL, in ms. */
const AGAIN_MS = 250
/** A start has better things to do: unless asked, the index is worked on this long after the journal was opened, in ms. */
const INDEX_AFTER_MS = 2000

/** What reads messages for the index, loaded when it is first needed: a switch that takes over is waited for. */
const searchKeys = (): typeof import("../SearchKeys.ts") =>
  createRequire(import.meta.url)(import.meta.url.endsWith(".ts") ? "../SearchKeys.ts" : "../SearchKeys.js")

type Fork = (effect: Effect.Effect<unknown>) => unknown

class JournalThread {
  private readonly start: PostgresThreadStart
  private readonly options: PostgresThreadOptions
  private readonly taken: Taken
  private readonly commits: PostgresCommits
  private readonly search: PostgresSearch
  private readonly dropping: PostgresDropping
  private readonly fork: Fork
  private readonly closed: Deferred.Deferred<void>
  private readonly memory = new Map<number, Buffer>()
  private dialects: Readonly<Record<string, Dialect>>
  private readings: IndexReadings | undefined
  private failed: JournalReason | undefined
  private trouble = ""
  private isAnchorDirty = false
  private isClosed = false
  /** The anchor is not closed while it is forced onto the disk. */
  private readonly anchorTurn = Semaphore.makeUnsafe(1)
  private head: { readonly seq: number; readonly hash: Buffer; readonly tag: Buffer }

  constructor(
    start: PostgresThreadStart,
    taken: Taken,
    keyring: Keyring,
    closed: Deferred.Deferred<void>,
    makeCommits: (thread: JournalThread) => PostgresCommits,
    fork: Fork
  ) {
    this.start = start
    this.options = start.options
    this.dialects = start.options.dialects
    this.taken = taken
    this.closed = closed
    this.fork = fork
    this.head = { seq: taken.seal.seq, hash: taken.seal.hash, tag: taken.seal.tag }
    const path = join(start.options.directory, indexFile)
    this.search = new PostgresSearch(taken.questions, keyring, [path], () => {
      this.readings ??= searchKeys().readingsOf(this.dialects)
      return this.readings
    })
    this.dropping = new PostgresDropping(taken.questions, this.search, keyring.current!, taken.epoch)
    this.commits = makeCommits(this)
    start.port.on("message", (message: ToThread) => this.hear(message))
    this.post({ opened: taken.opened })
  }

  private hear(message: ToThread): void {
    if ("group" in message) this.takeGroup(message)
    else if ("ask" in message) this.fork(this.answering(message))
    else if ("dialects" in message) {
      this.dialects = { ...this.dialects, ...message.dialects }
      this.readings = undefined
    } else this.fork(this.close)
  }

  private takeGroup({ group, memory, isOnce }: Extract<ToThread, { group: number }>): void {
    const buffer = memory === undefined ? this.memory.get(group)! : Buffer.from(memory)
    if (memory !== undefined && !isOnce) this.memory.set(group, buffer)
    if (this.failed !== undefined) return
    try {
      this.commits.take(buffer)
    } catch (error) {
      this.fail(reasonOf(error, placeText(this.options.place.address), "A commit failed"))
    }
  }

  /** A group is durable: the anchor goes first, so that it never says less than what was shown. Throws the system's error. */
  durable(group: OutgoingGroup): void {
    const { last, hash, tag, names } = group
    this.taken.anchor.write(last, hash, tag)
    this.head = { seq: last, hash, tag }
    this.syncAnchor()
    for (const name of names) this.taken.questions.rows.putName(name)
    this.taken.questions.rows.keep(group)
    this.post(last)
  }

  private syncAnchor(): void {
    if (this.isAnchorDirty) return
    this.isAnchorDirty = true
    const sync = Effect.suspend(() => {
      this.isAnchorDirty = false
      return this.failed === undefined && !this.isClosed ? this.anchorSynced : Effect.void
    }).pipe(
      Effect.catch((error) =>
        Effect.sync(() => this.fail(reasonOf(error, this.options.directory, "The anchor cannot be written")))
      )
    )
    this.fork(Effect.andThen(Effect.sleep(ANCHOR_SYNC_MS), this.anchorTurn.withPermit(sync)))
  }

  private readonly anchorSynced: Effect.Effect<void, Error> = Effect.callback((resume) => {
    this.taken.anchor.syncBeside((error) => resume(error === null ? Effect.void : Effect.fail(error)))
  })

  away(why: string | undefined): void {
    Atomics.store(this.start.control, controlAt.away, why === undefined ? 0 : 1)
    const trouble = why === undefined ? "" : `PostgreSQL is away: ${why}`
    if (trouble === this.trouble) return
    this.trouble = trouble
    this.post({ trouble })
  }

  fail(reason: JournalReason): void {
    if (this.failed !== undefined) return
    this.failed = reason
    this.post({ failed: reason })
  }

  private answering({ ask, question }: Extract<ToThread, { ask: number }>): Effect.Effect<void> {
    const answer: Effect.Effect<Answer, JournalError> = Effect.suspend(() => {
      if (this.failed !== undefined) return Effect.fail(new JournalError({ reason: this.failed }))
      if (question.what === "head") {
        return Effect.succeed({
          what: "head",
          word: headWord({ journalId: this.taken.journal.journalId, ...this.head })
        })
      }
      if (question.what === "backup") return Effect.fail(noCopy(placeText(this.options.place.address)))
      if (question.what === "drop") {
        return Effect.map(this.dropping.step(question.upTo), (dropped) => ({ what: "dropped", ...dropped }))
      }
      return this.search.ask(question, this.head.seq)
    })
    // What is asked while PostgreSQL is away waits for it: nobody who asks could do more.
    const patient = Effect.retry(answer, {
      while: ({ reason }) => reason._tag === "StoreAway" && this.failed === undefined,
      schedule: Schedule.spaced(AGAIN_MS)
    })
    return Effect.match(patient, {
      onFailure: ({ reason }) => this.post({ ask, reason }),
      onSuccess: (answer) => {
        if ("bytes" in answer) this.start.port.postMessage({ ask, answer }, [answer.bytes])
        else this.post({ ask, answer })
      }
    })
  }

  /** Works on the index for as long as the thread lives. What goes wrong there is no concern of the journal: queries say it. */
  get indexing(): Effect.Effect<never> {
    const step = Effect.suspend(() =>
      this.failed === undefined ? this.search.step(this.head.seq) : Effect.succeed(true)
    ).pipe(
      Effect.orElseSucceed(() => true),
      Effect.flatMap((isDone) => Effect.sleep(isDone ? INDEX_IDLE_MS : INDEX_PAUSE_MS))
    )
    return Effect.andThen(Effect.sleep(INDEX_AFTER_MS), Effect.forever(step))
  }

  /** Leaves the journal clean: a mark, a synced anchor. After a failure it is left as it is. */
  private get close(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      yield* this.commits.mark
      yield* this.anchorTurn.withPermit(Effect.sync(() => this.closeFiles()))
      Deferred.doneUnsafe(this.closed, Effect.void)
    })
  }

  private closeFiles(): void {
    this.isClosed = true
    try {
      this.search.close()
      if (this.failed === undefined) this.taken.anchor.sync()
      this.taken.anchor.close()
    } catch (error) {
      this.fail(reasonOf(error, this.options.directory, "Closing the journal failed"))
    }
  }

  private post(message: FromThread): void {
    this.start.port.postMessage(message)
  }
}

const main = Effect.fnUntraced(function* (start: PostgresThreadStart) {
  const { options, port } = start
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const scope = yield* Effect.scope
  const keyring = new Keyring(options.keys)
  loadSqlite()
  const opened = yield* Effect.result(
    Effect.gen(function* () {
      const open = yield* openConnection(options.place, scope)
      const { acceptLoss, directory, place } = options
      return { open, taken: yield* takeOver({ place, directory, keyring, acceptLoss }, open.connection) }
    })
  )
  if (opened._tag === "Failure") return port.postMessage({ refused: opened.failure.reason } satisfies FromThread)
  const { open, taken } = opened.success
  const closed = Deferred.makeUnsafe<void>()
  const makeCommits = (thread: JournalThread) => {
    const events = {
      durable: (group: OutgoingGroup) => thread.durable(group),
      failed: (reason: JournalReason) => thread.fail(reason),
      away: (why: string | undefined) => thread.away(why)
    }
    return new PostgresCommits(options.place, taken, open, scope, events, fork)
  }
  const thread = new JournalThread(start, taken, keyring, closed, makeCommits, fork)
  yield* Effect.forkIn(thread.indexing, scope)
  yield* Deferred.await(closed)
  port.postMessage({ closed: true } satisfies FromThread)
})

const start = workerData as PostgresThreadStart
const whole = main(start).pipe(
  Effect.scoped,
  Effect.catchCause((cause) =>
    Effect.sync(() => {
      const problem = `The journal's thread broke: ${String(cause)}.`
      const place = placeText(start.options.place.address)
      start.port.postMessage({ failed: makeReason("ThreadFailed", place, problem) } satisfies FromThread)
    })
  )
)

await Effect.runPromise(whole)
start.port.close()
