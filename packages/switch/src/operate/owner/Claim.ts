/**
 * Which node runs a switch: the owner counts a beat up, the others watch it stand still. No clock of any machine is compared.
 *
 * A standby takes over when it has itself seen the same beat for `takeoverAfterMs` of looks that were answered, or the owner
 * handed over in order. While the table cannot be reached nobody can look, so nobody takes over, and the owner goes on when it
 * is back. This decides only who may try: that an old owner commits nothing more is the store's business, and holds whatever
 * happens here. What it has committed before, and not sent yet, is `Tenure`'s.
 */
import { Cause, Clock, Effect, Schedule, type Scope } from "effect"
import { JournalError } from "../../journal/JournalError.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"

/** Who has a switch, as a look shows it. */
export interface Seen {
  /** `null`: the last owner handed over in order. */
  readonly node: string | null
  /** Any two beats of one owner differ. */
  readonly beat: string
  /** Why the owner stopped for good, when what PostgreSQL has is not what was acknowledged; `null`: it did not. */
  readonly halted: string | null
}

/** What came of counting a beat. */
export interface Beat {
  /** It was counted: nobody else had the switch. */
  readonly isCounted: boolean
  /** Who has the switch; `null`: it was handed over. */
  readonly node: string | null
  /** Where the count is. */
  readonly beat: bigint
}

/** The table of owners, over one connection. */
export interface OwnerTable {
  /** `undefined`: nobody ever had the switch. Says by the way that this node stands by. */
  readonly look: Effect.Effect<Seen | undefined, JournalError>
  /** Becomes the owner, unless something has changed since it was seen, or another node was the first. */
  readonly take: (seen: Seen | undefined) => Effect.Effect<boolean, JournalError>
  /** Counts the beat up, where this node has the switch. `undefined`: nobody has it, for its journal is not there yet. */
  readonly beat: Effect.Effect<Beat | undefined, JournalError>
  /** The last entry that the switch's journal has; 0: none. */
  readonly lastEntry: Effect.Effect<number, JournalError>
  /** Gives the switch away, if this node still has it. */
  readonly handOver: Effect.Effect<void, JournalError>
  /** Keeps every node from taking the switch over, whoever has it: `why` says what a person has to decide. */
  readonly halt: (why: string) => Effect.Effect<void, JournalError>
}

/** Connects to the table for as long as the scope is open. */
export type ConnectOwners = Effect.Effect<OwnerTable, JournalError, Scope.Scope>

/** Beats, and looks, in `takeoverAfterMs`. */
const BEATS = 6

/** What a standby hears: what it has seen, or why it sees nothing. */
export type StandingBy = { readonly seen: Seen | undefined } | { readonly blind: string }

/** What one standby has seen of an owner. Pure; times are monotonic milliseconds. */
export class Watch {
  private beat: string | undefined
  private since = 0

  /** Whether this node may try to take over. `patienceMs`: for how long the same beat has to be seen. */
  isVacant(now: number, seen: Seen | undefined, patienceMs: number): boolean {
    // What one node knows to be lost another one would go on without, and nobody would know.
    if (typeof seen?.halted === "string") return false
    // Nobody can be overtaken by a node that comes first, or that is offered the switch.
    const patience = seen === undefined || seen.node === null ? 0 : patienceMs
    return this.stands(now, seen?.beat ?? "", patience)
  }

  /** The same for a node that has just handed over: the others come first. */
  isLeft(now: number, seen: Seen | undefined, patienceMs: number): boolean {
    return typeof seen?.halted !== "string" && this.stands(now, seen?.beat ?? "", patienceMs)
  }

  /** A look was not answered: what was seen before counts no more, for the owner could not beat then either. */
  blind(): void {
    this.beat = undefined
  }

  private stands(now: number, beat: string, patienceMs: number): boolean {
    if (beat !== this.beat) {
      this.beat = beat
      this.since = now
    }
    return now - this.since >= patienceMs
  }
}

/**
 * How long the owner may be sure that it is: no standby can have seen its last beat for `takeoverAfterMs` before that time is
 * over. An owner that was frozen may wake with messages in hand that are on disk and have not left; another node has ended their
 * exchanges, and reversed them. Nothing of them may leave (docs/decisions/0031-owners.md). Pure; times are monotonic
 * milliseconds.
 */
export class Tenure {
  private readonly takeoverAfterMs: number
  private provenAt = Number.NEGATIVE_INFINITY
  /** The highest that this node has counted to, and the last entry of its journal that PostgreSQL has acknowledged. */
  counted = -1n
  acknowledged = 0

  constructor(takeoverAfterMs: number) {
    this.takeoverAfterMs = takeoverAfterMs
  }

  /** A beat that began at `at` was counted, and the count is there now: until then nobody else had the switch. */
  proven(at: number, count: bigint): void {
    this.provenAt = Math.max(this.provenAt, at)
    if (count > this.counted) this.counted = count
  }

  /** PostgreSQL has acknowledged all up to this entry. */
  wrote(last: number): void {
    this.acknowledged = last
  }

  /** The node takes the switch: what another one has done meanwhile is none of its business. */
  begins(): void {
    this.counted = -1n
    this.acknowledged = 0
  }

  /** Since it took the switch no beat was counted and nothing written: whatever it has in hand could not leave. */
  get isUnbegun(): boolean {
    return this.counted < 0n && this.acknowledged === 0
  }

  /** Whether nobody else can have the switch at `now`. */
  isSure(now: number): boolean {
    return now - this.provenAt < this.takeoverAfterMs
  }
}

/** Reasons that pass by themselves; every other one is a mistake of somebody's. */
const passes = (error: JournalError): boolean => error.reason._tag === "StoreAway"

const silent = (connect: number): JournalError =>
  JournalError.of("StoreAway", "the table of owners", `It has not answered for ${connect} ms.`)

/** An answer of the table, or `StoreAway` after `limitMs`. */
const inTime =
  (limitMs: number) =>
  <A>(effect: Effect.Effect<A, JournalError>): Effect.Effect<A, JournalError> =>
    Effect.timeoutOrElse(effect, { duration: limitMs, orElse: () => Effect.fail(silent(limitMs)) })

/**
 * Waits until this node may take the switch over, and takes it. `hasLeft`: it has just handed over, and the others come first
 * until one has had it.
 * `told` hears of every look. Fails only at the first connection, with what somebody has to put right.
 */
export const taken = Effect.fnUntraced(function* (
  connect: ConnectOwners,
  takeoverAfterMs: number,
  hasLeft: boolean,
  told: (what: StandingBy) => void
): Effect.fn.Return<void, JournalError> {
  const clock = yield* Clock.Clock
  const watch = new Watch()
  const everyMs = takeoverAfterMs / BEATS
  let isFirst = true
  let isLast = hasLeft
  const look = (table: OwnerTable): Effect.Effect<boolean, JournalError> =>
    Effect.gen(function* () {
      const seen = yield* inTime(takeoverAfterMs)(table.look)
      isFirst = false
      const now = monotonicMs(clock)
      if (typeof seen?.node === "string") isLast = false
      const isVacant = isLast ? watch.isLeft(now, seen, takeoverAfterMs) : watch.isVacant(now, seen, takeoverAfterMs)
      told({ seen })
      if (isVacant && (yield* inTime(takeoverAfterMs)(table.take(seen)))) return true
      yield* Effect.sleep(everyMs)
      return false
    })
  const looks = Effect.scoped(
    Effect.flatMap(connect, (table) => Effect.repeat(look(table), { until: (isTaken) => isTaken }))
  )
  const attempt = Effect.catch(looks, (error) => {
    if (isFirst && !passes(error)) return Effect.fail(error)
    watch.blind()
    told({ blind: error.message })
    return Effect.as(Effect.sleep(everyMs), false)
  })
  yield* Effect.repeat(attempt, { until: (isTaken) => isTaken })
})

/** Ends of an ownership. */
const ends: ReadonlySet<string> = new Set(["Overtaken", "Truncated"])

const overtakenBy = ({ node }: Beat): JournalError =>
  JournalError.of("Overtaken", "the table of owners", `Node ${node ?? "none"} has this switch now.`)

/** A count never goes back: who has the switch by that table had it before this node, whose takeover is forgotten. */
const forgotten = JournalError.of(
  "Truncated",
  "the table of owners",
  "It has forgotten what this node counted or wrote as the owner: PostgreSQL has lost its end."
)

/**
 * Beats for as long as it runs; fails with `Overtaken` when another node has the switch, and with `Truncated` when PostgreSQL has
 * forgotten that this node has it. What keeps a beat from the table is
 * waited out: whether this node goes on is up to its journal, which has the same PostgreSQL. `tenure` hears of every beat.
 */
export const beating = (
  connect: ConnectOwners,
  takeoverAfterMs: number,
  tenure: Tenure
): Effect.Effect<never, JournalError> => {
  const everyMs = takeoverAfterMs / BEATS
  let last = -1n
  const beat = Effect.fnUntraced(function* (table: OwnerTable) {
    const at = monotonicMs(yield* Clock.Clock)
    const now = yield* inTime(takeoverAfterMs / 2)(table.beat)
    if (now?.isCounted === false) return yield* now.beat < last ? forgotten : overtakenBy(now)
    if (now !== undefined) {
      last = now.beat
      tenure.proven(at, now.beat)
    }
    yield* Effect.sleep(everyMs)
  })
  return Effect.scoped(Effect.flatMap(connect, (table) => Effect.forever(beat(table)))).pipe(
    Effect.catch((error) => (ends.has(error.reason._tag) ? Effect.fail(error) : Effect.sleep(everyMs / 2))),
    Effect.forever
  )
}

/** Reasons that say that something acknowledged is gone or changed: a node that does not know it must not go on. */
const lost: ReadonlySet<string> = new Set(["Truncated", "Corrupt", "Gone"])

/** Keeps everybody from taking the switch over, where what PostgreSQL has is not what was acknowledged. */
export const haltOthers = (connect: ConnectOwners, { reason }: JournalError, limitMs: number): Effect.Effect<void> =>
  lost.has(reason._tag)
    ? Effect.scoped(Effect.flatMap(connect, (table) => table.halt(`${reason._tag}: ${reason.problem}`))).pipe(
        Effect.timeout(limitMs),
        Effect.ignore
      )
    : Effect.void

/**
 * Runs `serve` as the owner of the switch: beats beside it, and hands over behind it, also when it fails. `overtaken`: ends the
 * process at once, for this node has the switch no more. A node that has never had it fails with `Overtaken` instead: two that
 * are started at once on an empty PostgreSQL both try, for nobody owns a journal that is not there. `tenure` hears of every beat.
 */
export const keeping = <A, E, R, R2>(
  connect: ConnectOwners,
  takeoverAfterMs: number,
  tenure: Tenure,
  overtaken: (error: JournalError) => Effect.Effect<never, never, R2>,
  serve: Effect.Effect<A, E, R>
): Effect.Effect<A, E | JournalError, R | R2> => {
  tenure.begins()
  const release = handOver(connect, takeoverAfterMs, tenure)
  const beats = Effect.catch(beating(connect, takeoverAfterMs, tenure), (error) =>
    error.reason._tag === "Overtaken" && tenure.isUnbegun ? Effect.fail(error) : overtaken(error)
  )
  return Effect.raceFirst(serve, beats).pipe(
    Effect.tapError(() => Effect.ignore(release)),
    Effect.tap(() => release)
  )
}

/**
 * Gives the switch away; without PostgreSQL for all of `limitMs` the others have to see its beat stand still. The connection may
 * be another one than the journal had, to a PostgreSQL that has lost its end meanwhile: where the count is behind what this node
 * has counted, or the journal ends before what was acknowledged to it, the others are kept from going on without what is gone,
 * and it fails with `Truncated`.
 */
export const handOver = (
  connect: ConnectOwners,
  limitMs: number,
  tenure: Tenure
): Effect.Effect<void, JournalError> => {
  const given = Effect.fnUntraced(function* (table: OwnerTable) {
    const now = yield* table.beat
    const isGone = now !== undefined && (yield* table.lastEntry) < tenure.acknowledged
    const isForgotten = isGone || (now !== undefined && now.beat <= tenure.counted)
    if (!isForgotten) yield* table.handOver
    return isForgotten
  })
  return Effect.scoped(Effect.flatMap(connect, given)).pipe(
    Effect.retry({ while: passes, schedule: Schedule.spaced(limitMs / BEATS) }),
    Effect.timeout(limitMs),
    Effect.catchCause((cause) =>
      Effect.as(
        Effect.logWarning(`the switch could not be handed over, the others wait for its beat: ${Cause.pretty(cause)}`),
        false
      )
    ),
    Effect.flatMap((isForgotten) =>
      isForgotten ? Effect.andThen(haltOthers(connect, forgotten, limitMs), Effect.fail(forgotten)) : Effect.void
    )
  )
}
