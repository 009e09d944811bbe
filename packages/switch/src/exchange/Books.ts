/**
 * What all exchanges of one switch share: links, tables of outstanding requests, store-and-forward queues, recent keys, the
 * journal and the queue of what waits for it. Made once; used only on the switch's own thread.
 */
import type { Effect, Fiber } from "effect"
import type { Journal } from "../journal/Journal.ts"
import type { Link } from "../link/Link.ts"
import { Commits, type HotActions } from "./Commits.ts"
import { Groups } from "./Groups.ts"
import { Outstanding } from "./Outstanding.ts"
import { RecentKeys } from "./RecentKeys.ts"
import { Recorder } from "./Recorder.ts"
import type { Router } from "./Router.ts"
import type { Settings as DeliverySettings, StoreAndForward, Stored } from "./StoreAndForward.ts"
import { WaitingLine } from "./WaitingLine.ts"

/** Entries behind the last one that a restart reads for the keys of recent exchanges: some 10,000 transactions. */
const REMEMBERED = 30_000

/** Response codes that are counted each by itself; networks have about a hundred. */
const CODES_MAX = 300

/** Limits of the exchanges. */
export interface Limits {
  /** From acceptance to the end of a request without an answer, in milliseconds. */
  readonly requestTimeoutMs: number
  /** Requests whose repeats are recognised. */
  readonly recentKeys: number
  /** Bytes on their way to disk above which new requests are refused, and above which links are not read any more. */
  readonly unwrittenRefuse: number
  readonly unwrittenStop: number
}

/** Clocks and fibers, from the Effect runtime that the switch runs in. */
export interface Runtime {
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number
  /** Starts an effect beside the switch; used for rare work only. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

/** What keeps the switch from taking new work: its disk has too little room left, or is too far behind. */
export type FullBy = "disk" | "lag"

/** The state that `Requests` and `Deliveries` work on. */
export class Books {
  /** By number. A removed link keeps its place, closed, because exchanges and the journal name links by number. */
  readonly links: Array<Link> = []
  /** Replaced as a whole by a reload, in one turn with the limits and the links. */
  router: Router
  limits: Limits
  readonly journal: Journal["Service"]
  readonly runtime: Runtime
  readonly record: Recorder
  readonly commits: Commits
  readonly recent: RecentKeys
  /** Outstanding requests by the number of the link that they were sent on. */
  readonly outstanding: Array<Outstanding> = []
  /** Waiting lines by link number, for the links that have one. */
  readonly lines: Array<WaitingLine | undefined> = []
  /** Links used as one destination. */
  readonly groups: Groups = new Groups(this.links, this.outstanding)
  /** Store-and-forward queues by link number: of what is meant for that link, whichever of its group carries it. */
  readonly queues: Array<StoreAndForward> = []
  /** Answers since the start, by response code. */
  readonly answers = new Map<string, number>()
  /** Monotonic milliseconds as of the current turn: one reading of the clock for a whole batch. */
  now: number
  private readonly touched = new Set<Link>()

  constructor(router: Router, journal: Journal["Service"], limits: Limits, runtime: Runtime, hot: HotActions) {
    this.router = router
    this.journal = journal
    this.limits = limits
    this.runtime = runtime
    this.record = new Recorder(journal, runtime.wallMs)
    this.commits = new Commits(hot)
    this.recent = new RecentKeys(limits.recentKeys)
    this.now = runtime.monotonicMs()
  }

  /**
   * Puts a link in the place of its number: a new one behind the others, or one with changed settings in its own old place. That
   * one keeps its store-and-forward queue and must have no request outstanding.
   */
  put(
    link: Link,
    delivery: DeliverySettings,
    queue: (link: Link, delivery: DeliverySettings) => StoreAndForward
  ): void {
    const { id, settings } = link
    const outstanding = this.outstanding[id]
    if (outstanding !== undefined && outstanding.size > 0) throw new Error(`${settings.name} has requests outstanding`)
    this.links[id] = link
    this.record.name(link)
    const { places, waitMs } = settings.waiting
    const capacity = settings.window + places
    if (outstanding?.capacity !== capacity) this.outstanding[id] = new Outstanding(capacity, this.now)
    this.lines[id] = places === 0 ? undefined : new WaitingLine(settings.window, waitMs)
    if (this.queues[id] === undefined) this.queues[id] = queue(link, delivery)
    else this.queues[id].change(delivery)
  }

  /** Reads the clock: at the beginning of each turn. */
  tick(): void {
    this.now = this.runtime.monotonicMs()
  }

  /** Whether the journal lags too far behind, or its disk is too full, for new work. */
  get isFull(): boolean {
    return this.fullBy !== undefined
  }

  /** Why no new work is taken; `undefined`: it is. */
  get fullBy(): FullBy | undefined {
    if (this.journal.lowSpace()) return "disk"
    return this.record.pendingBytes > this.limits.unwrittenRefuse ? "lag" : undefined
  }

  /** The link has something to write at the end of this turn. */
  touch(link: Link): void {
    this.touched.add(link)
  }

  /** Ends a turn: what was recorded goes to the journal, what was built goes to the partners. */
  flush(): void {
    this.record.flush()
    if (this.touched.size === 0) return
    for (const link of this.touched) link.flush()
    this.touched.clear()
  }

  /** Whether `link` still waits for an answer: until everything of now is on disk, and no request of it is open. */
  owing({ id }: Link): () => boolean {
    const { last } = this.record
    return () =>
      this.journal.writer.committedSeq < last ||
      this.outstanding.some((table) => table.size > 0 && table.some(({ originLink }) => originLink === id))
  }

  /**
   * Sends an answer of our own to a message that came on connection `epoch`: a long link gives it on the connection that is up, a
   * short one as its mode says; else another link of the family does. False when none can.
   *
   * On the connection that the message came on its answer is wanted, even after a sign-off; a new one has to sign on first.
   */
  send(link: Link, epoch: number, message: Buffer, length = message.length): boolean {
    // The connection that it came on, or none: another one has another caller at its end.
    if (link.short !== undefined) return link.short.answer(epoch, message, length)
    const isOwn = link.canSend && (link.epoch === epoch || link.isSignedOn)
    const way = isOwn ? link : this.groups.wayBack(link)
    if (way === undefined || !way.takes(message, 0, length)) return false
    way.session!.put(message, length)
    this.touch(way)
    return true
  }

  /** The link is ready: what waits in its own queue, or in another of its family, may go out. */
  carriesAgain(link: Link): void {
    this.queues[link.id]!.linkReady()
    for (const other of this.groups.others(link)) this.queues[other.id]!.linkReady()
  }

  /**
   * A connection of the link has ended: what it carried of its own queue, or of another of its family, is not under way. `epoch`:
   * which of a short link's; left out: all that it has.
   */
  carriedLost(link: Link, epoch?: number): void {
    const one = epoch === undefined ? undefined : { epoch, nowMs: this.now }
    this.queues[link.id]!.linkLost(link.id, one)
    for (const other of this.groups.others(link)) this.queues[other.id]!.linkLost(link.id, one)
  }

  /** Hands a message whose entry is on disk to the link's store-and-forward queue. */
  store(link: Link, stored: Stored): void {
    this.queues[link.id]!.add(stored)
  }

  /** Counts an answer's response code; what a partner makes up beyond the usual number of codes is counted together. */
  countAnswer(answered: string): void {
    const code = this.answers.size < CODES_MAX || this.answers.has(answered) ? answered : "other"
    this.answers.set(code, (this.answers.get(code) ?? 0) + 1)
  }

  /**
   * From where a restart has to read: the oldest exchange that has not ended, and some way back for the keys of recent ones.
   * Never past what is on disk: an entry on its way there may open a delivery that no queue knows yet.
   */
  floor(): number {
    const { committedSeq } = this.journal.writer
    let oldest = Math.max(1, committedSeq + 1 - REMEMBERED)
    for (const table of this.outstanding) {
      table.forEach(({ exchange }) => {
        oldest = Math.min(oldest, exchange)
      })
    }
    for (const queue of this.queues) for (const { exchange } of queue.unfinished()) oldest = Math.min(oldest, exchange)
    return oldest
  }
}
