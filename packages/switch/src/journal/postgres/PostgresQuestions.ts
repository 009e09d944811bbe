/**
 * Asks a journal in PostgreSQL over a connection of its own, beside the commits: runs synchronous questions on fetched rows, and
 * fetches what they miss until they are answered. Each question is bounded, and so is what it fetches.
 */
import { Effect, Exit, Scope, Semaphore } from "effect"
import { CommitGroupReader } from "../CommitGroupReader.ts"
import type { Room } from "../Extent.ts"
import { JournalError } from "../JournalError.ts"
import { reasonOf } from "../JournalReason.ts"
import type { Keyring } from "../Seal.ts"
import { FetchedRows, Missing, type Wanted } from "./FetchedRows.ts"
import { placeText } from "./PostgresAddress.ts"
import { connect, type PostgresConnection, type PostgresPlace, type PostgresUse } from "./PostgresConnection.ts"
import {
  beginningRow,
  groupRow,
  type JournalNumber,
  markRow,
  nameRow,
  type Row,
  slotRow,
  statementsOf
} from "./PostgresRows.ts"

/** The journal that a switch has, as its row says. */
export interface JournalRow extends JournalNumber {
  readonly journalId: string
  readonly epoch: bigint
}

/** The row of a switch; `undefined`: it has no journal there. */
export const journalRow = (
  { query }: PostgresConnection,
  { schema, name }: PostgresPlace
): Effect.Effect<JournalRow | undefined, JournalError> =>
  Effect.map(query(statementsOf(schema).journal, name), ([row]) =>
    row === undefined
      ? undefined
      : {
          schema,
          id: Number(row["id"]),
          partEntries: Number(row["part_entries"]),
          journalId: String(row["journal_id"]),
          epoch: row["epoch"] as bigint
        }
  )

/** How long one answer may take before the connection is given up, in ms. */
const ANSWER_MS = 10_000

/** More entries than any group has. */
const GROUP_ENTRIES = 1_000_000

/** Most fetches of one question: more means that it does not end. */
const FETCHES_MAX = 10_000

/** See the module header. */
export class PostgresQuestions {
  readonly rows: FetchedRows
  readonly groups: CommitGroupReader
  readonly journal: JournalNumber
  private readonly place: PostgresPlace
  private readonly use: PostgresUse
  private readonly sql: ReturnType<typeof statementsOf>
  private readonly scope: Scope.Scope
  /** One question at a time: they share the fetched rows. */
  private readonly turn = Semaphore.makeUnsafe(1)
  private lastRoom: Room = { size: 0, free: 0, used: 0 }
  private open: { readonly connection: PostgresConnection; readonly scope: Scope.Closeable } | undefined

  /** `scope`: its connection ends with that. `use`: `read` may ask a standby of PostgreSQL. */
  constructor(place: PostgresPlace, journal: JournalRow, keyring: Keyring, scope: Scope.Scope, use: PostgresUse) {
    this.place = place
    this.journal = journal
    this.scope = scope
    this.use = use
    this.sql = statementsOf(place.schema)
    this.rows = new FetchedRows(placeText(place.address))
    this.groups = new CommitGroupReader(this.rows, journal.journalId, keyring)
  }

  /** Answers one question; it is asked again from its beginning until all that it reads is there. */
  run<A>(question: () => A): Effect.Effect<A, JournalError> {
    return this.turn.withPermit(
      Effect.suspend(() => {
        this.rows.renew()
        return this.attempt(question, FETCHES_MAX)
      })
    )
  }

  /** Room of the parts, as it was when it was last looked at. */
  room(): Room {
    return this.lastRoom
  }

  /** Looks at the room of the parts; what is free in them, PostgreSQL keeps for itself. */
  get lookAtRoom(): Effect.Effect<void, JournalError> {
    return Effect.map(this.query(this.sql.room, this.journal.id), ([row]) => {
      const bytes = Number(row?.["bytes"] ?? 0)
      this.lastRoom = { size: bytes, free: 0, used: bytes }
    })
  }

  /** Fetches the group that begins at `seq`, and some behind it, unless it is here. */
  ahead(seq: number): Effect.Effect<void, JournalError> {
    return this.turn.withPermit(
      Effect.suspend(() => (this.rows.has(seq) ? Effect.void : this.fetch({ what: "from", first: seq })))
    )
  }

  /** Runs a statement over the reading connection. */
  query(text: string, ...values: ReadonlyArray<unknown>): Effect.Effect<ReadonlyArray<Row>, JournalError> {
    const silent = () =>
      Effect.fail(JournalError.of("StoreAway", this.rows.place, `No answer came for ${ANSWER_MS} ms.`))
    return Effect.flatMap(this.connected, ({ query }) => query(text, ...values)).pipe(
      Effect.timeoutOrElse({ duration: ANSWER_MS, orElse: silent }),
      Effect.tapError(() => this.disconnect)
    )
  }

  private attempt<A>(question: () => A, left: number): Effect.Effect<A, JournalError> {
    return Effect.suspend(() => {
      try {
        return Effect.succeed(question())
      } catch (error) {
        if (error instanceof Missing && left > 0) {
          return Effect.andThen(this.fetch(error.wanted), this.attempt(question, left - 1))
        }
        return Effect.fail(new JournalError({ reason: reasonOf(error, this.rows.place, "Reading the journal failed") }))
      }
    })
  }

  private fetch(wanted: Wanted): Effect.Effect<void, JournalError> {
    const { id, partEntries } = this.journal
    switch (wanted.what) {
      case "from":
        return Effect.map(this.query(this.sql.from, id, BigInt(wanted.first)), (rows) =>
          this.rows.putWindow(wanted.first, rows.map(groupRow))
        )
      case "upTo": {
        const seq = Math.min(wanted.seq, Number.MAX_SAFE_INTEGER)
        // A group is far smaller: nobody has to look into all parts.
        const least = seq === Number.MAX_SAFE_INTEGER ? 0 : Math.max(0, seq - partEntries - GROUP_ENTRIES)
        return Effect.map(this.query(this.sql.upTo, id, BigInt(seq), BigInt(least)), ([row]) =>
          this.rows.putFound(wanted.seq, row === undefined ? undefined : groupRow(row))
        )
      }
      case "mark":
        return Effect.map(this.query(this.sql.mark, id, BigInt(wanted.seq)), ([row]) =>
          this.rows.putMark(wanted.seq, row === undefined ? undefined : markRow(row))
        )
      case "beginning":
        return Effect.map(this.query(this.sql.beginning, id), ([row]) =>
          this.rows.putBeginning(row === undefined ? undefined : beginningRow(row))
        )
      case "names":
        return Effect.map(this.query(this.sql.names, id), (rows) => this.rows.putNames(rows.map(nameRow)))
      case "slots":
        return Effect.map(this.query(this.sql.slots, id), (rows) => this.rows.putSlots(rows.map(slotRow)))
    }
  }

  private get connected(): Effect.Effect<PostgresConnection, JournalError> {
    return Effect.suspend(() => {
      if (this.open !== undefined) return Effect.succeed(this.open.connection)
      return Effect.flatMap(Scope.fork(this.scope), (scope) =>
        connect(this.place, this.use).pipe(
          Scope.provide(scope),
          Effect.tapError(() => Scope.close(scope, Exit.void)),
          Effect.tap((connection) =>
            Effect.sync(() => {
              this.open = { connection, scope }
            })
          )
        )
      )
    })
  }

  private get disconnect(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { open } = this
      this.open = undefined
      return open === undefined ? Effect.void : Scope.close(open.scope, Exit.void)
    })
  }
}
