/**
 * Commits groups into PostgreSQL in the order in which they come, and says when each is durable. Runs in the journal's thread.
 *
 * One connection carries the commits: what is handed over goes out at once, and acknowledgements come in that order. When it is
 * lost, or silent for too long, what is under way is in doubt: a new connection ends what is left of the old session, looks at
 * the table, and goes on from what is there (`Doubt.ts`). Meanwhile the store is away. Nothing is acknowledged that is not in the
 * table under our epoch, on every standby that has to have it.
 */
import { Effect, Exit, Scope } from "effect"
import type { GroupSeal, NewKeys } from "../GroupSeal.ts"
import { JournalError } from "../JournalError.ts"
import { type JournalReason, type JournalReasonTag, reasonOf } from "../JournalReason.ts"
import { rowText, type StoredKeyRow } from "../KeySlots.ts"
import { settle } from "./Doubt.ts"
import { placeText } from "./PostgresAddress.ts"
import { connect, type PostgresConnection, type PostgresPlace } from "./PostgresConnection.ts"
import type { Taken } from "./PostgresOpening.ts"
import { type Before, commitStatement, type OutgoingGroup, partOf, statementsOf } from "./PostgresRows.ts"

/** What the thread is told. */
export interface CommitEvents {
  /** The group is durable; in order. */
  readonly durable: (group: OutgoingGroup) => void
  /** Nothing is committed any more. */
  readonly failed: (reason: JournalReason) => void
  /** Whether PostgreSQL is away, and why. */
  readonly away: (why: string | undefined) => void
}

/** An open connection, and what ends it. */
export interface OpenConnection {
  readonly connection: PostgresConnection
  readonly scope: Scope.Closeable
}

/** How long an answer may take before the connection is given up, in ms: TCP alone would wait for many minutes. */
const ANSWER_MS = 3000
/** Between two attempts to connect, in ms. */
const AGAIN_MS = 250
/** How often it is looked whether answers come, in ms. */
const WATCH_MS = 500

/** Ends that no connection mends. All others are waited out: how long, the journal decides. */
const final: ReadonlySet<JournalReasonTag> = new Set(["Overtaken", "Truncated", "Corrupt", "VersionUnknown"])

/** Connects in a scope of its own below `parent`. */
export const openConnection = (
  place: PostgresPlace,
  parent: Scope.Scope
): Effect.Effect<OpenConnection, JournalError> =>
  Effect.flatMap(Scope.fork(parent), (scope) =>
    connect(place, "write").pipe(
      Scope.provide(scope),
      Effect.map((connection) => ({ connection, scope })),
      Effect.tapError(() => Scope.close(scope, Exit.void))
    )
  )

/** See the module header. */
export class PostgresCommits {
  private readonly place: PostgresPlace
  private readonly taken: Taken
  private readonly seal: GroupSeal
  private readonly scope: Scope.Scope
  private readonly events: CommitEvents
  private readonly fork: (effect: Effect.Effect<unknown>) => unknown
  private readonly sql: ReturnType<typeof statementsOf>
  private readonly changes: Map<string, number>
  private readonly underWay: Array<OutgoingGroup> = []
  /** The last group that was sealed, and the last that was acknowledged. */
  private before: Before
  private acknowledged: Before
  private open: OpenConnection | undefined
  private lastSession: PostgresConnection["session"]
  private part: number
  private hasEnded = false

  constructor(
    place: PostgresPlace,
    taken: Taken,
    open: OpenConnection,
    scope: Scope.Scope,
    events: CommitEvents,
    fork: (effect: Effect.Effect<unknown>) => unknown
  ) {
    this.place = place
    this.taken = taken
    this.seal = taken.seal
    this.scope = scope
    this.events = events
    this.fork = fork
    this.sql = statementsOf(place.schema)
    this.changes = new Map(taken.slots.map(({ link, slot, changes }) => [`${link}\n${slot}`, changes]))
    this.before = taken.before
    this.acknowledged = taken.before
    this.open = open
    this.lastSession = open.connection.session
    this.part = partOf(taken.journal, taken.before.first)
    fork(Effect.forkIn(this.watch, scope))
  }

  /** Takes a group over and sends it. Throws when it is not what its writer says. */
  take(buffer: Buffer): void {
    if (this.hasEnded) return
    const sealed = this.seal.take(buffer)
    const group: OutgoingGroup = { ...sealed, keys: this.slotRows(sealed.keys), before: this.before }
    this.before = { first: group.first, hash: group.hash }
    this.underWay.push(group)
    if (this.open !== undefined) this.send(this.open, group)
  }

  /** Writes a mark at the end of what is committed: a clean close, so that the next opening verifies little. */
  get mark(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const mark = this.hasEnded || this.underWay.length > 0 ? undefined : this.seal.mark()
      if (mark === undefined || this.open === undefined) return Effect.void
      const { seq, counts, tag } = mark
      const { epoch, journal } = this.taken
      return this.open.connection
        .query(this.sql.newMark, journal.id, BigInt(seq), counts, tag, epoch)
        .pipe(Effect.timeout(ANSWER_MS), Effect.ignore)
    })
  }

  /** Rows for slots of keys; of several for one slot the last, which counts all of them. */
  private slotRows(keys: ReadonlyArray<NewKeys>): ReadonlyArray<StoredKeyRow> {
    const rows = new Map<string, StoredKeyRow>()
    for (const { link, slot, keys: held, seq } of keys) {
      const name = `${link}\n${slot}`
      const changes = (this.changes.get(name) ?? 0) + 1
      this.changes.set(name, changes)
      const row = { link, slot, changes, seq, keys: held }
      rows.set(name, { ...row, tag: this.seal.tagOf(rowText(this.seal.journalId, row)) })
    }
    return [...rows.values()]
  }

  private send(open: OpenConnection, group: OutgoingGroup): void {
    const part = partOf(this.taken.journal, group.first)
    if (part !== this.part) {
      this.part = part
      // Sent in front of the group on the same connection: it is there when the group is looked at.
      this.fork(Effect.ignore(open.connection.query(this.sql.part, this.taken.journal.id, BigInt(part))))
    }
    this.fork(
      Effect.matchCause(this.write(open.connection, group), {
        onSuccess: (count) => {
          if (this.open !== open || this.hasEnded) return
          if (count === 1) this.durable(group)
          else this.lose()
        },
        // Whatever it was: what is in the table decides.
        onFailure: () => this.open === open && this.lose()
      })
    )
  }

  private write({ write }: PostgresConnection, group: OutgoingGroup): Effect.Effect<number, JournalError> {
    const { text, values } = commitStatement(this.taken.journal, this.taken.epoch, group)
    return write(text, values)
  }

  private inTime<A>(effect: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> {
    const orElse = () =>
      Effect.fail(JournalError.of("StoreAway", placeText(this.place.address), `No answer came for ${ANSWER_MS} ms.`))
    return Effect.timeoutOrElse(effect, { duration: ANSWER_MS, orElse })
  }

  private durable(group: OutgoingGroup): void {
    if (this.underWay.shift() !== group) {
      const error = new Error("a group was acknowledged that was not due")
      return this.end(reasonOf(error, placeText(this.place.address), "A commit failed"))
    }
    this.acknowledged = { first: group.first, hash: group.hash }
    try {
      this.events.durable(group)
    } catch (error) {
      this.end(reasonOf(error, placeText(this.place.address), "The anchor cannot be written"))
    }
  }

  /** The connection is of no use any more. */
  private lose(): void {
    const { open } = this
    if (open === undefined || this.hasEnded) return
    this.open = undefined
    this.events.away("the connection was lost")
    const closing = Scope.close(open.scope, Exit.void)
    this.fork(Effect.andThen(Effect.forkIn(closing, this.scope), Effect.forkIn(this.settling, this.scope)))
  }

  /** Connects and settles until that has worked, or can never work. */
  private get settling(): Effect.Effect<void> {
    return Effect.catch(this.settleOnce, ({ message, reason }) => {
      if (final.has(reason._tag)) return Effect.sync(() => this.end(reason))
      return Effect.andThen(
        Effect.sync(() => this.events.away(message)),
        Effect.andThen(
          Effect.sleep(AGAIN_MS),
          Effect.suspend(() => (this.hasEnded ? Effect.void : this.settling))
        )
      )
    })
  }

  private get settleOnce(): Effect.Effect<void, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const open = yield* openConnection(this.place, this.scope)
      const old = this.lastSession
      this.lastSession = open.connection.session
      yield* this.settleOn(open.connection, old).pipe(Effect.tapError(() => Scope.close(open.scope, Exit.void)))
      this.open = open
      this.events.away(undefined)
      // What was handed over meanwhile has not been sent yet.
      for (const group of this.underWay) this.send(open, group)
    })
  }

  private settleOn(
    connection: PostgresConnection,
    old: PostgresConnection["session"]
  ): Effect.Effect<void, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const { epoch, journal } = this.taken
      yield* this.inTime(connection.end(old))
      const inDoubt = [...this.underWay]
      const [now] = yield* this.inTime(connection.query(this.sql.epoch, journal.id))
      const from = BigInt(this.acknowledged.first)
      const rows = yield* this.inTime(connection.query(this.sql.doubtful, journal.id, from))
      const settlement = settle(this.acknowledged, inDoubt, epoch, {
        epoch: (now?.["epoch"] as bigint | undefined) ?? -1n,
        rows: rows.map((row) => ({
          first: Number(row["first"]),
          epoch: row["epoch"] as bigint,
          hash: Buffer.from(row["hash"] as Uint8Array)
        }))
      })
      const at = placeText(this.place.address)
      switch (settlement.what) {
        case "overtaken": {
          const problem = `Another node has this journal now: its epoch is ${settlement.epoch}, and ours was ${epoch}.`
          return yield* Effect.fail(JournalError.of("Overtaken", at, problem))
        }
        case "truncated": {
          const problem = `The group of entry ${settlement.first} was acknowledged, and is not there any more: PostgreSQL has lost its end.`
          return yield* Effect.fail(JournalError.of("Truncated", at, problem, restored))
        }
        case "go on":
          yield* this.goOn(connection, inDoubt, settlement.found)
      }
    })
  }

  /** Sends again what is not there. What is there counts as soon as something behind it is acknowledged. */
  private goOn(
    connection: PostgresConnection,
    inDoubt: ReadonlyArray<OutgoingGroup>,
    found: number
  ): Effect.Effect<void, JournalError> {
    return Effect.gen({ self: this }, function* () {
      const there = inDoubt.slice(0, found)
      const rest = inDoubt.slice(found)
      if (rest.length === 0) yield* this.inTime(connection.query(this.sql.barrier))
      let isProved = rest.length === 0
      for (const group of rest) {
        this.part = partOf(this.taken.journal, group.first)
        yield* this.inTime(connection.query(this.sql.part, this.taken.journal.id, BigInt(this.part)))
        if ((yield* this.inTime(this.write(connection, group))) !== 1) {
          const problem = "The journal changed while it was looked at."
          return yield* Effect.fail(JournalError.of("StoreAway", placeText(this.place.address), problem))
        }
        if (!isProved) for (const one of there) this.durable(one)
        isProved = true
        this.durable(group)
      }
      if (rest.length === 0) for (const one of there) this.durable(one)
    })
  }

  /**
   * Notices that no answer comes, without a timer for each group: one that is the oldest under way at too many looks in a row.
   * And notices that PostgreSQL is away also while nothing is committed.
   */
  private get watch(): Effect.Effect<never> {
    let oldest: OutgoingGroup | undefined
    let looks = 0
    const look = Effect.suspend(() => {
      const { open } = this
      const [first] = this.underWay
      looks = first === oldest ? looks + 1 : 0
      oldest = first
      if (open === undefined || this.hasEnded) return Effect.void
      if (first !== undefined) return Effect.sync(() => looks * WATCH_MS >= ANSWER_MS && this.lose())
      return Effect.catch(this.inTime(open.connection.query("SELECT 1 AS here")), () =>
        Effect.sync(() => this.open === open && this.lose())
      )
    })
    return Effect.forever(Effect.andThen(Effect.sleep(WATCH_MS), look))
  }

  private end(reason: JournalReason): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.events.failed(reason)
  }
}

const restored =
  "It failed over to a standby that lagged. Restore the missing end if the old primary is still there; else `jinka journal accept-loss` on this node: exchanges still open are then reversed at the next start, and the loss is written into the journal."
