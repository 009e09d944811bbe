/**
 * One switch on two nodes over a real PostgreSQL, under load, while its owners are killed, frozen, cut off and handed over and
 * PostgreSQL crashes: acquirer, issuer and journal must agree, and no owner that was overtaken has committed anything.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { chanceOf } from "@jinka/simulator"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import { type FleetPlan, type FleetSwitch, nodes, prepareFleet } from "../../examples/fleet/Cast.ts"
import { overtakenCommits, reckon, settledFleet, stopFleet } from "../../examples/fleet/Reckoning.ts"
import { run } from "../../examples/main-job/Child.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "../postgres/RealPostgres.ts"

const isLong = process.env["JINKA_LAB"] === "long"
const seed = Number(process.env["JINKA_SEED"] ?? 20261127)

/** What is done to the owner, or to PostgreSQL; of the first four another node has to take over. */
type Fault = "kill" | "freeze" | "cut" | "yield" | "crash" | "fail over"
const takeovers: ReadonlySet<Fault> = new Set(["kill", "freeze", "cut", "yield"])

/** Each once, in the short form; in the long one 200 takeovers and what comes between them. */
const order: ReadonlyArray<Fault> = ["kill", "crash", "freeze", "cut", "yield"]
const ROUNDS = isLong ? 260 : order.length

/** The main job's switch, with its journal in PostgreSQL and a quick takeover. */
const template = (directory: string): URL => {
  const document = parse(readFileSync(new URL("../../examples/main-job/switch.yaml", import.meta.url), "utf8"))
  document.journal.postgres = {
    url: { env: "JINKA_PG" },
    node: "n1",
    takeoverAfter: "1 second",
    yieldAfter: "20 seconds"
  }
  document.drainTimeout = "500 millis"
  const file = join(directory, "template.yaml")
  writeFileSync(file, stringify(document))
  return pathToFileURL(file)
}

/** The PostgreSQL of a drill, and the one that takes its place. */
interface Servers {
  readonly primary: RealPostgres
  readonly standby?: RealPostgres
}

const restart = async ({ primary }: Servers): Promise<void> => {
  await primary.stop("immediate")
  await primary.start()
}

const failOver = async ({ primary, standby }: Servers): Promise<void> => {
  await primary.stop("immediate")
  await standby!.administer("SELECT pg_promote()")
}

/** Hands over as soon as another node stands by: it may just have been started again. */
const handOver = (one: FleetSwitch) =>
  run(one.command(one.owner(), ["yield"], ["--reason", "drill"])).pipe(
    Effect.tap(() => Effect.sleep("100 millis")),
    Effect.repeat({ until: ({ end }) => end === 0 })
  )

/** Load, faults one after the other, the end in order, and what is left. */
const drill = Effect.fnUntraced(function* (plan: FleetPlan, servers: Servers, faults: ReadonlyArray<Fault>) {
  const chance = chanceOf(plan.seed)
  const { issuer, raise, switches, ways } = yield* prepareFleet(plan)
  const [one] = switches as [FleetSwitch]
  yield* Effect.forEach(nodes, one.start, { concurrency: "unbounded", discard: true })
  const acquirer = yield* raise
  yield* acquirer.until("signedOn")

  const approved = (): number => Number(acquirer.last("status")?.["approved"] ?? 0)
  /** Waits for that many approvals more, of every kind of purchase on a machine of any pace. */
  const approvals = Effect.fnUntraced(function* (more: number) {
    const enough = approved() + more
    yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => approved() >= enough })
  })
  const round = Effect.fnUntraced(function* (fault: Fault) {
    yield* approvals(10)
    yield* Effect.sleep(chance.next() * 500)
    const owner = one.owner()
    const process = one.process(owner)
    const before = one.takeovers()
    if (fault === "kill") process.signal("SIGKILL")
    if (fault === "freeze") process.signal("SIGSTOP")
    if (fault === "cut") ways[owner].set("both", { isBlackHole: true })
    if (fault === "yield") yield* handOver(one)
    if (fault === "crash") yield* Effect.promise(() => restart(servers))
    if (fault === "fail over") yield* Effect.promise(() => failOver(servers))
    if (takeovers.has(fault)) yield* one.readyAfter(before)
    if (fault === "freeze") process.signal("SIGCONT")
    if (fault === "cut") ways[owner].heal()
    // A frozen owner that wakes ends by itself, and stands by when it was started again.
    if (fault === "freeze" || fault === "cut") yield* process.exited
  })

  for (const fault of faults) yield* round(fault)
  yield* approvals(40)
  acquirer.tell({ do: "finish" })
  const ended = yield* acquirer.until("summary")
  yield* settledFleet(switches)
  yield* stopFleet(switches)
  issuer.tell({ do: "finish" })
  yield* issuer.exited
  const at = servers.standby ?? servers.primary
  const [commits] = yield* Effect.promise(() => at.administer(overtakenCommits(one.name)))
  return {
    ...(yield* reckon(plan, at.url(), one)),
    ends: one.ends,
    ended,
    commits: commits!,
    takeovers: one.takeovers()
  }
}, Effect.scoped)

const planOf = (directory: string, postgresUrl: FleetPlan["postgresUrl"], { primary }: Servers): FleetPlan => ({
  seed,
  rate: 60,
  seconds: 3600,
  directory: join(directory, "run"),
  postgresUrl,
  postgresPort: primary.port,
  switches: [template(directory)]
})

type Drilled = Effect.Success<ReturnType<typeof drill>>

/** All accounts agree, nothing is left open, and no owner that was overtaken has committed anything. */
const expectSound = ({ verdict, summary, verification, ended, commits }: Drilled): void => {
  expect(verdict.findings).toEqual([])
  expect([verdict.totals.lost, verdict.totals.doubled]).toEqual([0, 0])
  expect(verdict.isPassed).toBe(true)
  expect(ended["inDoubt"]).toBe(0)
  expect(summary.filter(({ end }) => end === "Open")).toEqual([])
  expect(verification).toMatchObject({ unopened: [] })
  expect(verification.bad).toBeUndefined()
  expect(commits["overtaken"]).toBe(0)
}

/** A primary with a standby whose word each commit waits for. */
const replicated = async (): Promise<Required<Servers>> => {
  const primary = await RealPostgres.begin()
  await primary.stop()
  const standby = await RealPostgres.on(primary.data)
  standby.write("standby.signal", "")
  const from = `host=127.0.0.1 port=${primary.port} user=jinka application_name=s1`
  standby.write("postgresql.auto.conf", `primary_conninfo = '${from}'\n`)
  await primary.start()
  await standby.start()
  await primary.administer("ALTER SYSTEM SET synchronous_standby_names = 's1'", "SELECT pg_reload_conf()")
  return { primary, standby }
}

const why = whyNoPostgres()
describe.skipIf(why !== undefined)(postgresTitle("A switch on two nodes"), () => {
  it(
    `loses nothing and doubles nothing in ${ROUNDS} rounds of kill -9, SIGSTOP, a cut network, hand-over and a crash of PostgreSQL (JINKA_SEED=${seed})`,
    async ({ annotate }) => {
      const directory = mkdtempSync(join(tmpdir(), "jinka-fleet-"))
      const servers = { primary: await RealPostgres.begin() }
      try {
        const plan = planOf(directory, (port) => servers.primary.url("jinka", port), servers)
        const rounds = Array.from({ length: ROUNDS }, (_, n) => order[n % order.length]!)
        const drilled = await Effect.runPromise(drill(plan, servers, rounds))

        const { commits, ends, takeovers, verdict } = drilled
        await annotate(`${takeovers} takeovers, ${commits["groups"]} groups by ${commits["owners"]} owners`)
        expectSound(drilled)
        // The faults were met under load, and did what they are for: otherwise this shows nothing.
        expect(verdict.totals.approved).toBeGreaterThan(10 * ROUNDS)
        expect(Number(commits["owners"])).toBeGreaterThan((ROUNDS * 4) / 5)
        expect(ends.filter(({ how }) => how === 6).length).toBeGreaterThanOrEqual((ROUNDS * 2) / 5)
        expect(ends.filter(({ how }) => how !== 0 && how !== 6 && how !== "SIGKILL")).toEqual([])
      } finally {
        await servers.primary.end()
        rmSync(directory, { recursive: true, force: true })
      }
    },
    isLong ? 3_600_000 : 240_000
  )

  it("goes on at PostgreSQL's synchronous standby when the primary is gone, without a commit lost", async () => {
    const directory = mkdtempSync(join(tmpdir(), "jinka-fleet-"))
    const servers = await replicated()
    try {
      const both = (port: number) => `postgres://jinka@127.0.0.1:${port},127.0.0.1:${servers.standby.port}/postgres`
      const drilled = await Effect.runPromise(drill(planOf(directory, both, servers), servers, ["fail over"]))
      expectSound(drilled)
      expect(drilled.verdict.totals.approved).toBeGreaterThan(10)
    } finally {
      await servers.primary.end()
      await servers.standby.end()
      rmSync(directory, { recursive: true, force: true })
    }
  }, 240_000)
})
