import { Effect, Exit, type Scope } from "effect"
import { describe, expect, it } from "vitest"
import type { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import type {
  PostgresConnection,
  PostgresPlace
} from "../../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { statementsOf } from "../../../packages/switch/src/journal/postgres/PostgresRows.ts"
import { Machine } from "../world/Machine.ts"
import { SimNet } from "../world/SimNet.ts"
import { World } from "../world/World.ts"
import { connectTo } from "./SimConnection.ts"
import { postgresName, SimPostgres } from "./SimPostgres.ts"

const sql = statementsOf("jinka")
const place = { schema: "jinka" } as PostgresPlace
type Connect = Effect.Effect<PostgresConnection, JournalError, Scope.Scope>

const worldOf = (commitMs: readonly [number, number] = [1, 2]) => {
  const world = new World({ seed: 1, startsAt: Date.UTC(2026, 2, 2), keepTrace: false })
  const net = new SimNet(world, {
    ...{ latencyMs: [0.1, 1], splits: 0, joins: 0, kernelRoom: 16_384, resetLosesInFlight: 0 }
  })
  const server = new SimPostgres(world, net, { commitMs })
  const node = new Machine(world, "node")
  net.attach(node)
  const run = <A, E>(program: (connect: Connect) => Effect.Effect<A, E, Scope.Scope>) => {
    const life = node.begin()
    net.transport(life)
    const exit = world.run(Effect.scoped(program(connectTo(server, life)(place, "write"))))
    return Exit.isSuccess(exit) ? exit.value : exit.cause.reasons.map((reason) => JSON.stringify(reason)).join()
  }
  return { world, net, server, run }
}

const begun = (connection: PostgresConnection) => connection.query(sql.begin, "switch", "00".repeat(16))
const claimed = (connection: PostgresConnection) =>
  Effect.map(connection.query(sql.claim, 1), ([row]) => row?.["epoch"])

describe("the PostgreSQL of the world", () => {
  it("answers statements in the order in which they were sent, when they are committed", () => {
    const { run } = worldOf()
    const epochs = run((connect) =>
      Effect.flatMap(connect, (connection) =>
        Effect.andThen(
          begun(connection),
          Effect.all(
            [1, 2, 3].map(() => claimed(connection)),
            { concurrency: 3 }
          )
        )
      )
    )
    expect(epochs).toEqual([1n, 2n, 3n])
  })

  it("shows what waited for its standby once the session is ended, and loses that with a fail-over", () => {
    const { run, server } = worldOf()
    const seen = run((connect) =>
      Effect.gen(function* () {
        const first = yield* connect
        yield* begun(first)
        server.setStandby(true)
        yield* Effect.forkScoped(claimed(first))
        yield* Effect.sleep(100)
        const other = yield* connect
        const before = yield* other.query(sql.epoch, 1)
        yield* other.end(first.session)
        return [before[0]?.["epoch"], (yield* other.query(sql.epoch, 1))[0]?.["epoch"]]
      })
    )

    expect(seen).toEqual([0n, 1n])

    server.failOver()

    expect(server.tables.epoch).toBe(0n)
    expect(server.tables.journalId).toBe("00".repeat(16))
  })

  it("fails what is under way when its connections are cut, and may have done it", () => {
    const { net, run, server, world } = worldOf([50, 60])
    const error = run((connect) =>
      Effect.gen(function* () {
        const connection = yield* connect
        yield* begun(connection)
        world.after(10, () => net.cut("node", postgresName, "rst", false))
        return yield* Effect.flip(claimed(connection))
      })
    )

    expect(error).toMatchObject({ reason: { _tag: "StoreAway" } })
    expect([0n, 1n]).toContain(server.tables.epoch)
  })

  it("says that it cannot be reached while it is down", () => {
    const { run, server } = worldOf()
    server.crash()
    expect(run((connect) => Effect.flip(Effect.asVoid(connect)))).toMatchObject({ reason: { _tag: "StoreAway" } })
  })
})
