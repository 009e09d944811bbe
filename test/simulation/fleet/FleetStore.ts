/**
 * The journal's store of one life of a node: the switch's own takeover, commits and rule of doubt on the simulated PostgreSQL, in
 * one thread and on virtual time. Questions are answered from a copy in memory, as long as PostgreSQL is there.
 */
import { Effect, Layer } from "effect"
import type { CommitGroup } from "../../../packages/switch/src/journal/CommitGroup.ts"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import { type JournalReason, reasonOf } from "../../../packages/switch/src/journal/JournalReason.ts"
import { JournalStore, type OpenStore, type StoreEvents } from "../../../packages/switch/src/journal/JournalStore.ts"
import { type Kept, MemoryGroups } from "../../../packages/switch/src/journal/MemoryGroups.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import {
  type CommitEvents,
  openConnection,
  PostgresCommits
} from "../../../packages/switch/src/journal/postgres/PostgresCommits.ts"
import type { PostgresPlace } from "../../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { type Taken, takeOver } from "../../../packages/switch/src/journal/postgres/PostgresOpening.ts"
import type { OutgoingGroup } from "../../../packages/switch/src/journal/postgres/PostgresRows.ts"
import type { Keyring } from "../../../packages/switch/src/journal/Seal.ts"
import type { Life } from "../world/Machine.ts"
import type { KeptGroups } from "./KeptGroups.ts"
import type { SimPostgres } from "./SimPostgres.ts"

/** Pause before a question is asked again that met no PostgreSQL, milliseconds; as the journal's thread has it. */
const AGAIN_MS = 250

/** Where a node keeps its journal. */
export interface FleetPlace {
  readonly server: SimPostgres
  readonly life: Life
  readonly place: PostgresPlace
  /** Of this node's anchor. */
  readonly directory: string
  readonly keyring: Keyring
  readonly kept: KeptGroups
  readonly yieldAfterMs: number
  readonly isOurs: () => boolean
  /** Told when the journal is open, with its epoch, and of each group that is acknowledged. */
  readonly onOpen: (epoch: bigint, lastSeq: number) => void
  readonly onDurable: (group: OutgoingGroup) => void
  readonly onAway: (isAway: boolean) => void
}

/** See the header. */
export const fleetStore = (where: FleetPlace): Layer.Layer<JournalStore> =>
  Layer.succeed(JournalStore, { open: (events) => open(where, events) })

const open = Effect.fnUntraced(function* (where: FleetPlace, events: StoreEvents) {
  const { directory, keyring, kept, life, place, server } = where
  const scope = yield* Effect.scope
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const first = yield* openConnection(place, scope)
  const taken = yield* takeOver({ place, directory, keyring, acceptLoss: false }, first.connection)
  const closeAnchor = once(() => taken.anchor.close())
  life.machine.onCrash.push((ended) => {
    if (ended === life) closeAnchor()
  })
  const rows = server.tables.groups.filter(({ last }) => last <= taken.opened.lastSeq)
  const store = new Opened(where, taken, events, kept.all(rows, taken.journal.journalId))
  const inMemory = yield* Effect.flatMap(Effect.service(JournalStore), (memory) =>
    memory.open({ ...events, committed: (group) => events.committed(group) })
  ).pipe(Effect.provide(store.memory.layer))
  const commits = new PostgresCommits(place, taken, first, scope, store, fork)
  where.onOpen(taken.epoch, taken.opened.lastSeq)
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      commits.mark,
      Effect.sync(() => store.close(closeAnchor))
    )
  )
  return store.over(inMemory, commits)
})

const once = (run: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (!isDone) run()
    isDone = true
  }
}

/** An open journal: groups go to PostgreSQL, and into memory when they are there. */
class Opened implements CommitEvents {
  readonly memory: MemoryStore
  private readonly where: FleetPlace
  private readonly taken: Taken
  private readonly events: StoreEvents
  /** What the memory does when its oldest group under way is durable. */
  private readonly steps: Array<() => void> = []
  private isAway = false
  private hasFailed = false
  private isClosed = false

  constructor(where: FleetPlace, taken: Taken, events: StoreEvents, kept: ReadonlyArray<Kept>) {
    this.where = where
    this.taken = taken
    this.events = events
    const groups = new MemoryGroups(undefined, kept)
    this.memory = new MemoryStore({ schedule: (_afterMs, run) => void this.steps.push(run) }, groups)
  }

  over(memory: OpenStore, commits: PostgresCommits): OpenStore {
    const { isOurs, yieldAfterMs } = this.where
    const here = <A>(answer: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> =>
      Effect.suspend(() => (this.isAway ? Effect.andThen(Effect.sleep(AGAIN_MS), here(answer)) : answer))
    return {
      ...memory,
      ...{ opened: this.taken.opened, isOurs, yieldAfterMs },
      refuses: () => (this.isAway ? "away" : undefined),
      commit: (group) => this.commit(memory, commits, group),
      find: (key) => here(memory.find(key)),
      read: (exchange, secrets) => here(memory.read(exchange, secrets)),
      recall: (keys, upTo) => here(memory.recall(keys, upTo)),
      newest: (upTo, since) => here(memory.newest(upTo, since)),
      entries: (seqs, secrets) => here(memory.entries(seqs, secrets)),
      scan: (from, secrets, kinds) => here(memory.scan(from, secrets, kinds))
    }
  }

  private commit(memory: OpenStore, commits: PostgresCommits, group: CommitGroup): void {
    const { life } = this.where
    if (this.hasFailed || !life.machine.mayAct(life)) return
    memory.commit(group)
    try {
      commits.take(group.buffer)
    } catch (error) {
      this.failed(reasonOf(error, "postgres", "A commit failed"))
    }
  }

  /** What is acknowledged from now on nobody hears of, and nothing is left to fail. */
  close(closeAnchor: () => void): void {
    this.isClosed = true
    closeAnchor()
  }

  /** The anchor goes first, as in the journal's thread. */
  readonly durable = (group: OutgoingGroup): void => {
    // A crash in the middle of a turn: the rest of the turn is nobody's.
    if (this.isClosed || !this.where.life.isAlive) return
    this.taken.anchor.write(group.last, group.hash, group.tag)
    this.where.onDurable(group)
    this.steps.shift()!()
  }

  readonly failed = (reason: JournalReason): void => {
    if (this.hasFailed || this.isClosed) return
    this.hasFailed = true
    this.events.failed(new JournalError({ reason }))
  }

  readonly away = (why: string | undefined): void => {
    this.isAway = why !== undefined
    this.where.onAway(this.isAway)
    this.events.troubled(why === undefined ? "" : `PostgreSQL is away: ${why}`)
  }
}
