/**
 * `npm run bench -- standby`: what a commit costs that waits for a standby of PostgreSQL: without one, with one on the same
 * machine, and with one whose every byte comes a millisecond later, in turns of the same run. A real primary and standby;
 * `jinka-sim proxy` between them holds the bytes back, in each direction. What it really adds is measured beside.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PgConnection from "@effect/sql-pg/PgConnection"
import Table from "cli-table3"
import { Effect, Redacted, type Scope } from "effect"
import { type Child, start } from "../examples/main-job/Child.ts"
import { readPostgresUrl } from "../packages/switch/src/journal/postgres/PostgresAddress.ts"
import { layerPostgres } from "../packages/switch/src/journal/postgres/PostgresStore.ts"
import { letHeapGrow } from "../packages/switch/src/operate/HeapGrowth.ts"
import { Replicated } from "../test/postgres/Replicated.ts"
import { key, median, opened, rounded, type Turn, turn } from "./fleet.ts"

/** How far the standby is, and whether commits wait for it. */
const distances = ["no standby", "a synchronous standby here", "a synchronous standby 1 ms away"] as const
type Distance = (typeof distances)[number]

/** Entries on their way at any time. */
const loads = [1, 64, 512] as const
const ROUNDS = 6
const PINGS = 200
/** Long enough for a reloaded setting to be in force everywhere. */
const SETTLE_MS = 300

/** One distance under one load: medians of the turns. */
export interface StandbyRow {
  readonly outstanding: number
  readonly standby: Distance
  readonly groupsPerSecond: number
  readonly entriesPerSecond: number
  readonly entriesPerGroup: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** All rows, and what the proxy adds to a question and its answer, ms: the median of many, with and without the delay. */
export interface StandbyFigures {
  readonly rows: ReadonlyArray<StandbyRow>
  readonly roundTripMs: { readonly direct: number; readonly near: number; readonly away: number }
}

const host = "127.0.0.1"

/** Median time of a question to the server behind a port, ms. */
const roundTrip = (port: number) =>
  Effect.gen(function* () {
    const url = Redacted.make(`postgres://jinka@${host}:${port}/postgres`)
    const sql = yield* PgConnection.make({ url, ssl: false })
    const times: Array<number> = []
    for (let n = 0; n < PINGS; n++) {
      const from = performance.now()
      yield* sql.query("SELECT 1 AS here")
      times.push(performance.now() - from)
    }
    return rounded(median(times))
  }).pipe(Effect.scoped)

const hold = (proxy: Child, ms: number) => proxy.tell({ do: "fault", direction: "both", delay: `${ms} millis` })

/** Puts the standby there. */
const put = Effect.fnUntraced(function* (where: Distance, { primary }: Replicated, proxy: Child) {
  hold(proxy, where === "a synchronous standby 1 ms away" ? 1 : 0)
  const names = where === "no standby" ? "" : "s1"
  const set = `ALTER SYSTEM SET synchronous_standby_names = '${names}'`
  yield* Effect.promise(() => primary.administer(set, "SELECT pg_reload_conf()"))
  yield* Effect.sleep(SETTLE_MS)
})

const measured = Effect.fnUntraced(function* (
  directory: string,
  servers: Replicated,
  proxy: Child
): Effect.fn.Return<ReadonlyArray<StandbyRow>, unknown, Scope.Scope> {
  const address = readPostgresUrl(servers.primary.url())
  if ("rule" in address) throw new Error(address.rule)
  const place = { address, tls: undefined, schema: "jinka", name: "bench", node: "bench" }
  const journal = yield* opened(() => layerPostgres({ place, directory: join(directory, "journal"), key }))
  const rows: Array<StandbyRow> = []
  for (const outstanding of loads) {
    const turns = new Map<Distance, Array<Turn>>(distances.map((where) => [where, []]))
    for (let round = 0; round <= ROUNDS; round++) {
      for (const where of distances) {
        yield* put(where, servers, proxy)
        const one = yield* turn(journal, outstanding)
        // The first turn compiles.
        if (round > 0) turns.get(where)!.push(one)
      }
    }
    for (const [standby, all] of turns) {
      const of = (what: keyof Turn) => median(all.map((one) => one[what]))
      const [groupsPerSecond, entriesPerSecond, entriesPerGroup] = [
        of("groupsPerSecond"),
        of("perSecond"),
        of("perGroup")
      ]
      rows.push({
        ...{ outstanding, standby, groupsPerSecond: Math.round(groupsPerSecond) },
        ...{ entriesPerSecond: Math.round(entriesPerSecond), entriesPerGroup: Math.round(entriesPerGroup) },
        ...{ p50Ms: rounded(of("p50")), p99Ms: rounded(of("p99")) }
      })
    }
  }
  return rows
})

/** Runs the bench. */
export const run = async (): Promise<StandbyFigures> => {
  // As `jinka run` does.
  letHeapGrow()
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  let servers: Replicated | undefined
  const program = Effect.gen(function* () {
    let proxy: Child | undefined
    const context = yield* Effect.context<Scope.Scope>()
    const through = Effect.fnUntraced(function* (port: number) {
      proxy = yield* start({
        name: "proxy",
        file: "packages/simulator/src/main.ts",
        args: ["proxy", "--listen", `${host}:0`, "--target", `${host}:${port}`],
        logFile: join(directory, "proxy.log")
      })
      return Number((yield* proxy.until("started"))["port"])
    })
    let port = 0
    const way = async (to: number) => (port = await Effect.runPromiseWith(context)(through(to)))
    servers = yield* Effect.promise(() => Replicated.begin(true, way))
    const direct = yield* roundTrip(servers.primary.port)
    const near = yield* roundTrip(port)
    hold(proxy!, 1)
    yield* Effect.sleep(SETTLE_MS)
    const away = yield* roundTrip(port)
    const rows = yield* measured(directory, servers, proxy!)
    return { rows, roundTripMs: { direct, near, away } }
  })
  try {
    return await Effect.runPromise(Effect.scoped(program))
  } finally {
    await servers?.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** As a table. */
export const report = ({ roundTripMs: { away, direct, near }, rows }: StandbyFigures): string => {
  const head = ["outstanding", "commits wait for", "groups/s", "entries/s", "entries a group", "p50 ms", "p99 ms"]
  const table = new Table({ head })
  for (const row of rows) {
    const { entriesPerGroup, entriesPerSecond, groupsPerSecond, outstanding, p50Ms, p99Ms, standby } = row
    table.push([outstanding, standby, groupsPerSecond, entriesPerSecond, entriesPerGroup, p50Ms, p99Ms])
  }
  return `${table.toString()}\na question and its answer: ${direct} ms; through the proxy ${near} ms, and ${away} ms with the delay`
}
