/**
 * The real journal store: SQLite in a thread of its own (`SqliteWorker`). This is the main thread's end of it.
 *
 * It hands groups over, gives them back when the thread says that they are durable, and turns the thread's answers
 * into effects.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import type { Dialect } from "@jinka/codec"
import { Effect, Layer, Schedule } from "effect"
import { WAL_MAX_DEFAULT } from "./Checkpoint.ts"
import type { CommitGroup } from "./CommitGroup.ts"
import type { Entry } from "./Entry.ts"
import { JournalError } from "./JournalError.ts"
import { type Answer, entriesOf, recalledOf, type ThreadQuestion } from "./JournalQueries.ts"
import { JournalStore, type Opened, type OpenStore, type StoreEvents } from "./JournalStore.ts"
import { writerLimits } from "./JournalWriter.ts"
import { controlAt, type FromThread, type ThreadOptions, type ToThread } from "./SqliteMessages.ts"

/** Options of the store. */
export interface SqliteStoreOptions {
  /** Made when missing (not its parents' rights). On a local file system; one journal each. */
  readonly directory: string
  /** 32 bytes; see `JournalKey`. */
  readonly key: Uint8Array
  /** Keys that older groups were sealed with. */
  readonly previousKeys?: ReadonlyArray<Uint8Array>
  /** Dialects of the configuration by name, as data: searches by STAN and RRN read messages with them. */
  readonly dialects?: Readonly<Record<string, Dialect>>
  /** Free bytes below which new work is refused (`space`). Default: {@link RESERVE_DEFAULT}. */
  readonly reserve?: number
  /**
   * Go on although acknowledged entries are lost: an operator's decision, written into the journal as an event.
   * Default: false.
   */
  readonly acceptLoss?: boolean
  /** Begin a journal although files of an earlier one are there without it: an operator's decision. Default: false. */
  readonly begin?: boolean
  /** Bytes of the write-ahead log at which the journal stops, while the database cannot be written. Default: 64 MiB. */
  readonly walMax?: number
}

/** Default of `reserve`: 256 MiB, the ends of some 500,000 exchanges. */
export const RESERVE_DEFAULT = 256 * 1024 * 1024

/** Pause before a question is asked again that nobody is in a hurry for, in ms. */
const LATER_MS = 100

/** The store as a layer; nothing is opened before `Journal.layer` does. */
export const layerSqlite = (options: SqliteStoreOptions): Layer.Layer<JournalStore> =>
  Layer.succeed(JournalStore, {
    open: (events) =>
      Effect.map(
        Effect.acquireRelease(
          startThread(
            {
              file: threadFile,
              options: threadOptions(options),
              place: options.directory,
              yieldAfterMs: Number.POSITIVE_INFINITY
            },
            events
          ),
          (thread) => thread.close
        ),
        (thread) => thread.store
      )
  })

/** The thread's file, in the same form as this one: `.ts` from source, `.js` from `dist`. */
const threadFile = new URL(import.meta.url.endsWith(".ts") ? "./SqliteWorker.ts" : "./SqliteWorker.js", import.meta.url)

/** A thread that keeps a journal. */
interface ThreadPlan {
  readonly file: URL
  /** What it is told; it can be cloned. */
  readonly options: object
  /** Where the journal is, in errors. */
  readonly place: string
  readonly yieldAfterMs: number
}

/** Starts a thread that keeps a journal, whatever database that is in; succeeds when the journal is open. */
export const startThread = (plan: ThreadPlan, events: StoreEvents): Effect.Effect<StoreThread, JournalError> =>
  Effect.callback<StoreThread, JournalError>((resume) => {
    const thread = new StoreThread(plan, events, (result) =>
      resume(result instanceof JournalError ? Effect.fail(result) : Effect.succeed(result))
    )
    return Effect.suspend(() => thread.close)
  })

/** The main thread's view of the journal's thread. */
class StoreThread {
  private readonly plan: ThreadPlan
  private readonly events: StoreEvents
  private readonly port: MessagePort
  private readonly control: Int32Array
  private readonly worker: Worker
  private readonly underWay: Array<CommitGroup> = []
  private readonly known = new Set<number>()
  private readonly asked = new Map<number, (message: { answer: Answer } | { error: JournalError }) => void>()
  private asks = 0
  private started: ((result: StoreThread | JournalError) => void) | undefined
  private opened: Opened | undefined
  private ended: JournalError | undefined
  private closed = false
  private whenExited: Array<() => void> = []
  private isExited = false

  constructor(plan: ThreadPlan, events: StoreEvents, started: (result: StoreThread | JournalError) => void) {
    this.plan = plan
    this.events = events
    this.started = started
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    this.control = new Int32Array(new SharedArrayBuffer(controlAt.words * Int32Array.BYTES_PER_ELEMENT))
    const workerData = { port: port2, control: this.control, options: plan.options }
    this.worker = new Worker(plan.file, { workerData, transferList: [port2], execArgv: [], name: "jinka-journal" })
    this.port.on("message", (message: FromThread) => this.hear(message))
    this.worker.on("error", (error) => this.fail(this.broken(error instanceof Error ? error.message : String(error))))
    this.worker.on("exit", () => this.exited())
  }

  get store(): OpenStore {
    return {
      opened: this.opened!,
      commit: (group) => this.commit(group),
      find: (key) =>
        Effect.map(this.ask({ what: "find", key }), (answer) => (answer.what === "found" ? answer.exchanges : [])),
      read: (exchange, secrets) =>
        Effect.map(this.ask({ what: "read", exchange, secrets }), (answer) =>
          answer.what === "entries" ? entriesOf(answer.bytes) : []
        ),
      recall: (keys, upTo) =>
        Effect.map(this.ask({ what: "recall", keys, upTo }), (answer) =>
          answer.what === "recalled" ? recalledOf(answer.exchanges, answer.bytes) : []
        ),
      newest: (upTo, since) =>
        Effect.map(this.askNow({ what: "newest", upTo, since }), (answer) =>
          answer.what === "newest" ? answer.links : undefined
        ).pipe(
          Effect.repeat({ while: (links) => links === undefined, schedule: Schedule.spaced(LATER_MS) }),
          Effect.map((links) => links ?? [])
        ),
      entries: (seqs, secrets) => this.entries(seqs, secrets),
      scan: (from, secrets, kinds) =>
        Effect.map(this.ask({ what: "scan", from, secrets, kinds }), (answer) =>
          answer.what === "entries" ? { entries: entriesOf(answer.bytes), next: answer.next } : { entries: [], next: 0 }
        ),
      verify: (cursor) =>
        Effect.flatMap(this.ask({ what: "verify", cursor }), (answer) =>
          answer.what === "verified" ? Effect.succeed(answer.step) : Effect.fail(this.broken("no verification came"))
        ),
      head: Effect.suspend(() =>
        Effect.flatMap(this.ask({ what: "head" }), (answer) =>
          answer.what === "head" ? Effect.succeed(answer.word) : Effect.fail(this.broken("no head came"))
        )
      ),
      backup: (directory, upTo) =>
        Effect.flatMap(this.ask({ what: "backup", directory, upTo }), (answer) =>
          answer.what === "backup" ? Effect.succeed(answer) : Effect.fail(this.broken("no backup came"))
        ),
      extent: (before, needed) =>
        Effect.flatMap(this.ask({ what: "extent", before, needed }), (answer) =>
          answer.what === "extent" ? Effect.succeed(answer.extent) : Effect.fail(this.broken("no extent came"))
        ),
      drop: (upTo) =>
        Effect.flatMap(this.ask({ what: "drop", upTo }), (answer) =>
          answer.what === "dropped" ? Effect.succeed(answer) : Effect.fail(this.broken("nothing was dropped"))
        ),
      learn: (dialects) => this.send({ dialects }),
      refuses: () => {
        if (Atomics.load(this.control, controlAt.away) > 0) return "away"
        return Atomics.load(this.control, controlAt.lowSpace) > 0 ? "space" : undefined
      },
      yieldAfterMs: this.plan.yieldAfterMs,
      isOurs: () => true,
      scarce: () => Atomics.load(this.control, controlAt.lowSpace) > 1
    }
  }

  /** Closes the database and waits for the thread's end. */
  get close(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.isExited) return resume(Effect.void)
      this.whenExited.push(() => resume(Effect.void))
      if (!this.closed) {
        this.closed = true
        this.send({ close: true })
      }
    })
  }

  private commit(group: CommitGroup): void {
    const isOnce = group.buffer.length !== writerLimits.groupSize
    this.underWay.push(group)
    if (this.known.has(group.id)) return this.send({ group: group.id, isOnce })
    if (!isOnce) this.known.add(group.id)
    this.send({ group: group.id, memory: group.memory, isOnce })
  }

  /** Asks until the index has caught up as far as the question goes. */
  private entries(seqs: ReadonlyArray<number>, secrets: boolean): Effect.Effect<ReadonlyArray<Entry>, JournalError> {
    return Effect.flatMap(this.ask({ what: "seqs", seqs, secrets }), (answer) => {
      if (answer.what !== "entries") return Effect.succeed([])
      const found = entriesOf(answer.bytes)
      if (answer.next === 0) return Effect.succeed(found)
      return Effect.map(this.entries(seqs.slice(answer.next), secrets), (others) => [...found, ...others])
    })
  }

  private ask(question: ThreadQuestion): Effect.Effect<Answer, JournalError> {
    return Effect.repeat(this.askNow(question), { while: (answer) => answer.what === "later" })
  }

  private askNow(question: ThreadQuestion): Effect.Effect<Answer, JournalError> {
    return Effect.callback<Answer, JournalError>((resume) => {
      if (this.ended !== undefined || this.closed) {
        return resume(Effect.fail(this.ended ?? this.broken("the journal is closed")))
      }
      const ask = ++this.asks
      this.asked.set(ask, (message) =>
        resume("answer" in message ? Effect.succeed(message.answer) : Effect.fail(message.error))
      )
      this.send({ ask, question })
      return Effect.sync(() => this.asked.delete(ask))
    })
  }

  private send(message: ToThread): void {
    this.port.postMessage(message)
    Atomics.add(this.control, controlAt.wake, 1)
    Atomics.notify(this.control, controlAt.wake)
  }

  private hear(message: FromThread): void {
    if (typeof message === "number") {
      const group = this.underWay.shift()
      // An acknowledgement out of turn would let messages out that are not on disk.
      if (group?.last !== message) return this.fail(this.broken("it acknowledged another group than was due"))
      this.events.committed(group)
    } else if ("ask" in message) {
      const resume = this.asked.get(message.ask)
      this.asked.delete(message.ask)
      resume?.("answer" in message ? message : { error: new JournalError({ reason: message.reason }) })
    } else if ("opened" in message) {
      this.opened = message.opened
      this.begin(this)
    } else if ("refused" in message) {
      this.closed = true
      this.begin(new JournalError({ reason: message.refused }))
    } else if ("failed" in message) {
      this.fail(new JournalError({ reason: message.failed }))
    } else if ("trouble" in message) this.events.troubled(message.trouble)
  }

  private begin(result: StoreThread | JournalError): void {
    const started = this.started
    this.started = undefined
    started?.(result)
  }

  private fail(error: JournalError): void {
    if (this.ended !== undefined) return
    this.ended = error
    for (const resume of this.asked.values()) resume({ error })
    this.asked.clear()
    if (this.started !== undefined) return this.begin(error)
    this.events.failed(error)
  }

  private exited(): void {
    // The thread's end may be heard of before its last words: an exit and a message come by different ways.
    for (let last = receiveMessageOnPort(this.port); last !== undefined; last = receiveMessageOnPort(this.port)) {
      this.hear((last as { message: FromThread }).message)
    }
    this.isExited = true
    this.port.close()
    if (!this.closed) this.fail(this.broken("it ended unexpectedly"))
    for (const run of this.whenExited) run()
    this.whenExited = []
  }

  private broken(what: string): JournalError {
    return JournalError.of("ThreadFailed", this.plan.place, `The journal's thread: ${what}.`)
  }
}

const threadOptions = (options: SqliteStoreOptions): ThreadOptions => ({
  directory: options.directory,
  keys: [options.key, ...(options.previousKeys ?? [])],
  dialects: options.dialects ?? {},
  reserve: options.reserve ?? RESERVE_DEFAULT,
  acceptLoss: options.acceptLoss ?? false,
  begin: options.begin ?? false,
  walMax: options.walMax ?? WAL_MAX_DEFAULT
})
