/**
 * A journal store in memory, for tests and the deterministic world. It keeps the same bytes as a disk would, makes
 * groups durable when an injected schedule says so, and can crash: what was not durable is gone.
 *
 * No Promise, no timer, no thread, no clock. Nothing is sealed and nothing chained: nobody can tamper with it.
 */
import { Effect, Layer } from "effect"
import type { CommitGroup } from "./CommitGroup.ts"
import type { Entry } from "./Entry.ts"
import { JournalError } from "./JournalError.ts"
import type { JournalReasonTag } from "./JournalReason.ts"
import { JournalStore, type KeysOf, type OpenStore, type StoreEvents, type StoreRefusal } from "./JournalStore.ts"
import { type Kept, keep, MemoryGroups } from "./MemoryGroups.ts"

/** Options of a memory store. */
export interface MemoryStoreOptions {
  /** Runs `run` once, `afterMs` of virtual ms later, never before it returns. Decides when a group is durable. */
  readonly schedule: (afterMs: number, run: () => void) => void
  /** How long the next group takes to become durable, in ms; asked once per group. Default: 0. */
  readonly latencyMs?: () => number
  /** Takes STAN and RRN from a message, for `find`; default: messages have none. */
  readonly keysOf?: KeysOf
  /** How long it may be away; default: for ever. */
  readonly yieldAfterMs?: number
}

const place = "memory"

/** A group handed over and not yet acknowledged. */
interface UnderWay {
  readonly group: CommitGroup
  readonly kept: Kept
  durable: boolean
}

/** See the module header. `new MemoryStore(...)` is an empty journal; `crash()` gives what a restart would find. */
export class MemoryStore {
  /** What `Journal.isOurs` says. */
  isOurs = true
  private refusal: StoreRefusal | undefined
  /** Questions that came while it was away. */
  private readonly held: Array<() => void> = []
  private readonly options: MemoryStoreOptions
  private readonly groups: MemoryGroups
  private readonly underWay: Array<UnderWay> = []
  private events: StoreEvents | undefined
  private crashed = false
  private failed = false
  private failing: { readonly tag: JournalReasonTag; readonly kept: boolean } | undefined

  constructor(options: MemoryStoreOptions, groups = new MemoryGroups(options.keysOf)) {
    this.options = options
    this.groups = groups
  }

  /** What `Journal.scarce` says. */
  isScarce = false

  /** What `Journal.refuses` says. While it is `away`, groups become durable and nobody hears of it, and questions wait. */
  get refuses(): StoreRefusal | undefined {
    return this.refusal
  }

  set refuses(refusal: StoreRefusal | undefined) {
    this.refusal = refusal
    if (refusal === "away") return
    this.acknowledge()
    for (const answer of this.held.splice(0)) answer()
  }

  /** The store as a layer; `Journal.layer` goes on top. */
  get layer(): Layer.Layer<JournalStore> {
    return Layer.succeed(JournalStore, {
      open: (events) =>
        Effect.acquireRelease(
          Effect.suspend(() => this.open(events)),
          () => Effect.sync(() => this.close())
        )
    })
  }

  /** Entries that are durable, in order: what a restart would find, acknowledged or not. */
  get entries(): ReadonlyArray<Entry> {
    return this.groups.entries
  }

  /**
   * The process dies here: nothing is acknowledged any more. Returns a store with what was durable, that can be
   * opened. `surviving` groups of those under way have reached the disk without being acknowledged (a real crash
   * allows 0 to all of them).
   */
  crash(surviving = 0): MemoryStore {
    this.crashed = true
    this.events = undefined
    return this.copy(surviving)
  }

  /** What a restart would find now, as a store of its own; this one goes on. */
  copy(surviving = 0): MemoryStore {
    const more = this.underWay.slice(0, surviving)
    return new MemoryStore(this.options, this.groups.with(more.map(({ kept }) => kept)))
  }

  /**
   * The next group's commit fails, and with it the journal. `kept`: the group is on disk all the same (a failed
   * commit is ambiguous; docs/domain.md 4.1).
   */
  failNext(tag: JournalReasonTag = "DiskFailed", kept = false): void {
    this.failing = { tag, kept }
  }

  private open(events: StoreEvents): Effect.Effect<OpenStore, JournalError> {
    if (this.crashed) return Effect.die(new Error("journal: this memory store has crashed; open the one crash() gave"))
    if (this.events !== undefined) return Effect.fail(JournalError.of("Locked", place, "The journal is open already."))
    this.events = events
    const { groups } = this
    const back = Effect.callback<void>((resume) => void this.held.push(() => resume(Effect.void)))
    const whenOpen = <A>(answer: () => A): Effect.Effect<A, JournalError> =>
      Effect.suspend(() =>
        this.refusal === "away"
          ? Effect.andThen(back, whenOpen(answer))
          : this.events === events
            ? Effect.sync(answer)
            : Effect.fail(JournalError.of("DiskFailed", place, "The journal is closed or has failed."))
      )
    return Effect.succeed({
      opened: groups.opened(),
      commit: (group) => this.commit(group),
      find: (key) => whenOpen(() => groups.find(key)),
      read: (exchange, secrets) => whenOpen(() => groups.read(exchange, secrets)),
      recall: (keys, upTo) => whenOpen(() => groups.recall(keys, upTo)),
      newest: (upTo, since) => whenOpen(() => groups.newest(upTo, since)),
      entries: (seqs, secrets) => whenOpen(() => seqs.flatMap((seq) => groups.single(seq, secrets))),
      learn: (dialects) => groups.learn(dialects),
      scan: (from, secrets, kinds) =>
        whenOpen(() => ({
          entries: groups
            .all(secrets)
            .filter((entry) => entry.seq >= from && (kinds === 0 || (kinds & (1 << entry.kind)) !== 0)),
          next: 0
        })),
      verify: () => whenOpen(() => groups.verify()),
      head: whenOpen(() => groups.head()),
      backup: () => Effect.die(new Error("what is in memory alone has no backup")),
      refuses: () => this.refusal,
      isOurs: () => this.isOurs,
      yieldAfterMs: this.options.yieldAfterMs ?? Number.POSITIVE_INFINITY,
      extent: (before, needed) => whenOpen(() => groups.extent(before, needed)),
      drop: (upTo) => whenOpen(() => groups.drop(upTo)),
      scarce: () => this.isScarce
    })
  }

  private close(): void {
    this.events = undefined
  }

  private commit(group: CommitGroup): void {
    const kept = keep(group)
    const underWay: UnderWay = { group, kept, durable: false }
    this.underWay.push(underWay)
    const failing = this.failing
    this.failing = undefined
    this.options.schedule(this.options.latencyMs?.() ?? 0, () => {
      if (this.crashed || this.failed || this.events === undefined) return
      if (failing !== undefined) return this.fail(underWay, failing.tag, failing.kept)
      underWay.durable = true
      this.acknowledge()
    })
  }

  /** Acknowledges in the order of handing over, whatever order the schedule took. */
  private acknowledge(): void {
    while (this.refusal !== "away" && this.underWay[0]?.durable === true) {
      const { group, kept } = this.underWay.shift()!
      this.groups.add(kept)
      this.events?.committed(group)
    }
  }

  private fail(underWay: UnderWay, tag: JournalReasonTag, kept: boolean): void {
    this.failed = true
    if (kept) for (const { kept } of this.underWay.slice(0, this.underWay.indexOf(underWay) + 1)) this.groups.add(kept)
    const events = this.events
    this.events = undefined
    this.underWay.length = 0
    events?.failed(JournalError.of(tag, place, "A commit failed, as the test asked."))
  }
}
