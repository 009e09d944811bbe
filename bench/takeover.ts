/**
 * `npm run bench -- takeover`: what a takeover costs. A new owner's start over 10,000 requests without an end, on PostgreSQL and
 * on SQLite; and what an acquirer feels, in the longest time without an issuer's answer, when an owner is killed, frozen, cut
 * off, ended in order or handed over, and when PostgreSQL crashes: real processes, 50 requests a second, `takeoverAfter` 3
 * seconds.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import Table from "cli-table3"
import { Clock, Effect } from "effect"
import { parse, stringify } from "yaml"
import { type FleetSwitch, nodes, prepareFleet } from "../examples/fleet/Cast.ts"
import { longestPause, signOns } from "../examples/fleet/Pauses.ts"
import { historyOf, stopFleet } from "../examples/fleet/Reckoning.ts"
import { run as runProgram } from "../examples/main-job/Child.ts"
import { readPostgresUrl } from "../packages/switch/src/journal/postgres/PostgresAddress.ts"
import type { PostgresPlace } from "../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { layerPostgres } from "../packages/switch/src/journal/postgres/PostgresStore.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import { RealPostgres } from "../test/postgres/RealPostgres.ts"
import { fill, start } from "./recovery.ts"
import { key } from "./SwitchUnderTest.ts"

/** What is done, and what it cost. */
export interface TakeoverRow {
  readonly what: string
  /** Milliseconds: of each round, in their order. */
  readonly ms: ReadonlyArray<number>
  /** How often the acquirer had to sign on anew, in all rounds. */
  readonly signOns: number
}

const faults = ["kill -9", "SIGSTOP", "cut off", "SIGTERM", "yield", "PostgreSQL crashes"] as const
type Fault = (typeof faults)[number]

const OPEN = 10_000
const SETTLE_MS = 3000

const template = (directory: string): URL => {
  const document = parse(readFileSync(new URL("../examples/main-job/switch.yaml", import.meta.url), "utf8"))
  document.journal.postgres = { url: { env: "JINKA_PG" }, node: "n1" }
  document.drainTimeout = "500 millis"
  const file = join(directory, "template.yaml")
  writeFileSync(file, stringify(document))
  return pathToFileURL(file)
}

const placeOf = (server: RealPostgres): PostgresPlace => {
  const address = readPostgresUrl(server.url())
  if ("rule" in address) throw new Error(address.rule)
  return { address, tls: undefined, schema: "jinka", name: "bench", node: "n1" }
}

/** Rounds of each fault; the pause of each as the acquirer's history has it. */
const pauses = Effect.fnUntraced(function* (directory: string, server: RealPostgres, rounds: number) {
  const home = join(directory, "run")
  const { issuer, raise, switches, ways } = yield* prepareFleet({
    seed: 1,
    rate: 50,
    seconds: 3600,
    directory: home,
    postgresUrl: ([port]) => server.url("jinka", port),
    postgresPorts: [server.port],
    switches: [template(directory)]
  })
  const [one] = switches as [FleetSwitch]
  for (const node of nodes) yield* one.start(node)
  const acquirer = yield* raise
  yield* acquirer.until("signedOn")
  yield* Effect.sleep(SETTLE_MS)
  const spans: Array<{ readonly fault: Fault; readonly from: number; readonly to: number }> = []

  const round = Effect.fnUntraced(function* (fault: Fault) {
    const from = yield* Clock.currentTimeMillis
    const owner = one.owner()
    const process = one.process(owner)
    const before = one.takeovers()
    if (fault === "kill -9") process.signal("SIGKILL")
    if (fault === "SIGSTOP") process.signal("SIGSTOP")
    if (fault === "SIGTERM") process.signal("SIGTERM")
    if (fault === "cut off") ways[owner].cut()
    if (fault === "yield") yield* runProgram(one.command(owner, ["yield"], ["--reason", "bench"]))
    if (fault === "PostgreSQL crashes") {
      yield* Effect.promise(() => server.stop("immediate"))
      yield* Effect.promise(() => server.start())
    } else yield* one.readyAfter(before)
    yield* Effect.sleep(SETTLE_MS)
    spans.push({ fault, from, to: yield* Clock.currentTimeMillis })
    if (fault === "SIGSTOP") process.signal("SIGCONT")
    if (fault === "cut off") ways[owner].heal()
    yield* Effect.sleep(SETTLE_MS)
  })

  for (let n = 0; n < rounds; n++) yield* Effect.forEach(faults, round, { discard: true })
  acquirer.tell({ do: "finish" })
  yield* acquirer.until("summary")
  yield* stopFleet(switches)
  issuer.tell({ do: "finish" })
  yield* issuer.exited
  const history = historyOf(home)
  return faults.map((what): TakeoverRow => {
    const mine = spans.filter(({ fault }) => fault === what)
    return {
      what,
      ms: mine.map(({ from, to }) => longestPause(history, from - 200, to)),
      signOns: mine.reduce((sum, { from, to }) => sum + signOns(history, from, to), 0)
    }
  })
}, Effect.scoped)

/** Runs the bench. */
export const run = async (rounds = 2): Promise<ReadonlyArray<TakeoverRow>> => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-bench-"))
  const server = await RealPostgres.begin()
  try {
    const stores = {
      SQLite: () => layerSqlite({ directory: join(directory, "sqlite"), key }),
      PostgreSQL: () => layerPostgres({ directory: join(directory, "postgres"), key, place: placeOf(server) })
    }
    const rows: Array<TakeoverRow> = []
    for (const [name, store] of Object.entries(stores)) {
      await Effect.runPromise(fill(store(), OPEN))
      const { ms } = await Effect.runPromise(start(store(), OPEN))
      rows.push({ what: `start over ${OPEN} open, ${name}`, ms: [ms], signOns: 0 })
    }
    return [...rows, ...(await Effect.runPromise(pauses(directory, server, rounds)))]
  } finally {
    await server.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The rows as a table. */
export const report = (rows: ReadonlyArray<TakeoverRow>): string => {
  const table = new Table({ head: ["what", "ms, each round", "median ms", "signed on anew"] })
  for (const { what, ms, signOns } of rows) {
    const median = [...ms].sort((one, other) => one - other)[ms.length >> 1] ?? 0
    table.push([what, ms.map(Math.round).join(", "), Math.round(median), signOns])
  }
  return table.toString()
}
