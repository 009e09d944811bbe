/**
 * A node's connection to the simulated PostgreSQL: what the driver is to the switch. It belongs to a scope, and its errors are
 * those of a server that cannot be reached.
 */
import { Effect, type Scope } from "effect"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import type {
  connect,
  PostgresConnection,
  PostgresSession
} from "../../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { ConnectFailed } from "../../../packages/switch/src/transport/Transport.ts"
import type { Life } from "../world/Machine.ts"
import type { Side } from "../world/Side.ts"
import {
  type Asked,
  ending,
  greeting,
  POSTGRES_PORT,
  postgresName,
  type SimPostgres,
  Words,
  wordOf
} from "./SimPostgres.ts"
import type { Outcome } from "./Tables.ts"

/** How long an attempt to connect, and the first question, may take, milliseconds; as the driver's. */
const CONNECT_MS = 3000

const away = (problem: string): JournalError => JournalError.of("StoreAway", postgresName, problem)

type Resume = (answer: Effect.Effect<Outcome, JournalError>) => void

class SimConnection implements PostgresConnection {
  session: PostgresSession = { pid: 0, since: "" }
  readonly notes: ReadonlyArray<string> = []
  private readonly server: SimPostgres
  private readonly side: Side
  private readonly pending = new Map<number, Resume>()
  private isOver = false

  constructor(server: SimPostgres, side: Side) {
    this.server = server
    this.side = side
    const words = new Words((word) => this.answered(word))
    side.hear(
      (chunks) => words.read(chunks),
      () => this.lost()
    )
  }

  readonly query: PostgresConnection["query"] = (text, ...values) =>
    Effect.map(this.ask({ text, values }), ({ rows }) => rows)

  readonly write: PostgresConnection["write"] = (text, values) =>
    Effect.map(this.ask({ text, values: values.map(copied) }), ({ count }) => count)

  readonly end: PostgresConnection["end"] = ({ pid }) => Effect.asVoid(this.ask({ text: ending, values: [pid] }))

  greet(): Effect.Effect<void, JournalError> {
    return Effect.map(this.ask({ text: greeting, values: [] }), ({ rows }) => {
      this.session = { pid: Number(rows[0]!["pid"]), since: "" }
    })
  }

  close(): void {
    this.isOver = true
    this.side.close("fin")
  }

  private ask(asked: Asked): Effect.Effect<Outcome, JournalError> {
    return Effect.callback((resume) => {
      if (this.isOver) return resume(Effect.fail(away("The connection was lost.")))
      const word = this.server.number(asked)
      this.pending.set(word, resume)
      this.side.send(wordOf(word))
      return Effect.sync(() => void this.pending.delete(word))
    })
  }

  private answered(word: number): void {
    const outcome = this.server.answers.get(word)!
    this.server.answers.delete(word)
    const resume = this.pending.get(word)
    this.pending.delete(word)
    resume?.(Effect.succeed(outcome))
  }

  private lost(): void {
    this.isOver = true
    const pending = [...this.pending.values()]
    this.pending.clear()
    for (const resume of pending) resume(Effect.fail(away("The connection was lost.")))
  }
}

/** The memory of a group is used again; what is on its way is not. */
const copied = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value) : value)

const dialled = (server: SimPostgres, life: Life): Effect.Effect<SimConnection, JournalError> =>
  Effect.callback((resume) => {
    let isOver = false
    const end = (result: Effect.Effect<SimConnection, JournalError>) => {
      if (!isOver) resume(result)
      isOver = true
    }
    const giveUp = server.net.dial(life, { host: postgresName, port: POSTGRES_PORT }, (result) =>
      life.admit(() =>
        end(
          result instanceof ConnectFailed
            ? Effect.fail(away(`It cannot be reached: ${result.cause}.`))
            : Effect.succeed(new SimConnection(server, result))
        )
      )
    )
    // Whoever acquires a connection cannot be interrupted meanwhile: the limit is here, as it is in the driver.
    life.schedule(CONNECT_MS, () => {
      if (!isOver) giveUp()
      end(Effect.fail(away("It cannot be reached: no answer.")))
    })
  })

/** Connects one life of a node. */
export const connectTo = (server: SimPostgres, life: Life): typeof connect => {
  const open = Effect.acquireRelease(dialled(server, life), (connection) => Effect.sync(() => connection.close()))
  const greeted: Effect.Effect<PostgresConnection, JournalError, Scope.Scope> = Effect.tap(open, (one) => one.greet())
  return () =>
    Effect.timeoutOrElse(greeted, {
      duration: CONNECT_MS,
      orElse: () => Effect.fail(away("It does not answer."))
    })
}
