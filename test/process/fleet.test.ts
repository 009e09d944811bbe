/**
 * One switch on two nodes over a real PostgreSQL, under load, while its owners are killed, frozen, cut off and handed over and
 * PostgreSQL crashes: acquirer, issuer and journal must agree, and no owner that was overtaken has committed anything.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { chanceOf } from "@jinka/simulator"
import { Clock, Effect, type Scope } from "effect"
import { describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import {
  type FleetPlan,
  type FleetSwitch,
  type Node,
  nodes,
  otherThan,
  prepareFleet
} from "../../examples/fleet/Cast.ts"
import { historyOf, overtakenCommits, reckon, settledFleet, stopFleet } from "../../examples/fleet/Reckoning.ts"
import type { OwnerRow } from "../../packages/switch/src/operate/owner/OwnerRows.ts"
import { patience } from "../Pace.ts"
import { postgresTitle, type RealPostgres, whyNoPostgres } from "../postgres/RealPostgres.ts"
import { Replicated } from "../postgres/Replicated.ts"
import { isLong } from "../Runs.ts"
import { jinka } from "../switch/operate/program.ts"

const seed = Number(process.env["JINKA_SEED"] ?? 20261127)

/** What is done to the owner, to its clock, or to PostgreSQL; of the first four another node has to take over. */
type Fault = "kill" | "freeze" | "cut" | "yield" | "crash" | "clock" | "fail over"
const takeovers: ReadonlySet<Fault> = new Set(["kill", "freeze", "cut", "yield"])

/** Each once, in the short form; in the long one 200 takeovers and what comes between them. */
const order: ReadonlyArray<Fault> = ["kill", "crash", "freeze", "clock", "cut", "fail over", "yield"]
const CYCLES = isLong ? 50 : 1
const rounds = Array.from({ length: CYCLES }, () => order).flat()
const countOf = (...faults: ReadonlyArray<Fault>): number => rounds.filter((fault) => faults.includes(fault)).length

/** The main job's switch, with its journal in PostgreSQL and a takeover as quick as the machine allows. */
const template = (directory: string): URL => {
  const document = parse(readFileSync(new URL("../../examples/main-job/switch.yaml", import.meta.url), "utf8"))
  document.journal.postgres = {
    url: { env: "JINKA_PG" },
    node: "n1",
    takeoverAfter: `${Math.round(patience(500))} millis`,
    yieldAfter: `${Math.round(patience(10_000))} millis`
  }
  document.drainTimeout = "500 millis"
  const file = join(directory, "template.yaml")
  writeFileSync(file, stringify(document))
  return pathToFileURL(file)
}

/** A `jinka` command about the switch at a node, within this process. */
const ask = (one: FleetSwitch, node: Node, before: ReadonlyArray<string>, behind: ReadonlyArray<string> = []) =>
  Effect.promise(async () => {
    const { args, env = {} } = one.command(node, before, behind)
    return jinka(args, { env })
  })

/** The files that say how far the clock of each node is off. */
const clocksIn = (directory: string) => (node: Node) => join(directory, `clock-${node}`)

/** How far a clock is stepped, milliseconds, to either side. */
const STEP_MS = 2 * 3_600_000

/**
 * Hands over as soon as another node stands by: it may just have been started again. A machine that is too busy for beats may
 * have moved the switch meanwhile.
 */
const handOver = (one: FleetSwitch) =>
  Effect.suspend(() => ask(one, one.owner(), ["yield"], ["--reason", "drill"])).pipe(
    Effect.tap(() => Effect.sleep("100 millis")),
    Effect.repeat({ until: ({ code }) => code === 0 })
  )

/** The switch on both nodes, and its load. */
const stage = Effect.fnUntraced(function* (plan: FleetPlan) {
  const { issuer, raise, switches, ways } = yield* prepareFleet(plan)
  const [one] = switches as [FleetSwitch]
  // One behind the other: two that start at once on a busy machine leave each other no time for beats.
  yield* Effect.forEach(nodes, one.start, { discard: true })
  const acquirer = yield* raise
  yield* acquirer.until("signedOn")
  const approved = (): number => Number(acquirer.last("status")?.["approved"] ?? 0)
  /** Waits for that many approvals more, of every kind of purchase on a machine of any pace. */
  const approvals = Effect.fnUntraced(function* (more: number) {
    const enough = approved() + more
    yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => approved() >= enough })
  })
  /** The end in order, and what is left. */
  const finish = Effect.fnUntraced(function* (server: () => RealPostgres) {
    yield* approvals(20)
    acquirer.tell({ do: "finish" })
    const ended = yield* acquirer.until("summary")
    yield* settledFleet(switches)
    yield* stopFleet(switches)
    issuer.tell({ do: "finish" })
    yield* issuer.exited
    const [commits] = yield* Effect.promise(() => server().administer(overtakenCommits(one.name)))
    return {
      ...(yield* reckon(plan, server().url(), one)),
      ends: one.ends,
      ended,
      commits: commits!,
      takeovers: one.takeovers()
    }
  })
  return { one, ways, approved, approvals, finish }
})

/** Load, faults one after the other, the end in order, and what is left. */
const drill = Effect.fnUntraced(function* (plan: FleetPlan, servers: Replicated) {
  const chance = chanceOf(plan.seed)
  const { approvals, approved, finish, one, ways } = yield* stage(plan)
  const clock = clocksIn(plan.directory)
  let moved = 0
  const round = Effect.fnUntraced(function* (fault: Fault) {
    yield* approvals(8)
    yield* Effect.sleep(chance.next() * 500)
    const owner = one.owner()
    const process = one.process(owner)
    const before = one.takeovers()
    if (fault === "kill") process.signal("SIGKILL")
    if (fault === "freeze") process.signal("SIGSTOP")
    if (fault === "cut") ways[owner].cut()
    if (fault === "yield") yield* handOver(one)
    const offset = Math.round((2 * chance.next() - 1) * STEP_MS)
    if (fault === "clock") writeFileSync(clock(owner), String(offset))
    if (fault === "crash") yield* Effect.promise(() => servers.primary.stop("immediate"))
    if (fault === "crash") yield* Effect.promise(() => servers.primary.start())
    if (fault === "fail over") yield* Effect.promise(() => servers.failOver())
    if (takeovers.has(fault)) yield* one.readyAfter(before)
    if (fault === "freeze") process.signal("SIGCONT")
    if (fault === "cut") ways[owner].heal()
    // A frozen owner that wakes ends by itself, and stands by when it was started again.
    if (fault === "freeze" || fault === "cut") yield* process.exited
    if (takeovers.has(fault)) return
    // The same owner goes on, by its own clock and at whichever server there is.
    yield* approvals(8)
    const hasMoved = one.takeovers() !== before
    if (hasMoved) moved++
    else if (fault === "clock") {
      const { out } = yield* ask(one, owner, ["status"], ["--json"])
      const isOff = Date.parse(String(JSON.parse(out)["at"])) - (yield* Clock.currentTimeMillis)
      expect(Math.abs(isOff - offset)).toBeLessThan(60_000)
    }
    if (fault === "fail over") yield* Effect.promise(() => servers.rebuild())
  })

  yield* onStandby(one)
  for (const [n, fault] of rounds.entries()) {
    if (isLong) process.stderr.write(`${n} ${fault}: ${one.takeovers()} takeovers, ${approved()} approved\n`)
    yield* round(fault)
  }
  return { ...(yield* finish(() => servers.primary)), moved }
}, Effect.scoped)

/** What a node that stands by answers to who asks for what waits, and to who wants to change something. */
const onStandby: (one: FleetSwitch) => Effect.Effect<void, unknown, Scope.Scope> = Effect.fnUntraced(function* (one) {
  const [owner, before] = [one.owner(), one.takeovers()]
  const node = otherThan(owner)
  const asked = one.process(node)
  const seen = yield* ask(one, node, ["status"], ["--json"])
  // On a machine that is too busy for beats the switch has just moved, and the node does not see the new owner yet.
  if (seen.code !== 0 || JSON.parse(seen.out)["owner"]?.owner !== owner) {
    yield* Effect.sleep("100 millis")
    return yield* onStandby(one)
  }
  const waiting = yield* ask(one, node, ["pending", "list"], ["--json"])
  const act = yield* ask(one, node, ["pending", "close"], ["--exchange", "1", "--reason", "drill"])
  // A machine that is too busy for beats may have moved the switch meanwhile, or ended the node that was asked.
  if (one.takeovers() !== before || one.process(node) !== asked) return yield* onStandby(one)
  expect(JSON.parse(waiting.out)).toMatchObject({ inDoubt: 0, upTo: expect.any(Number) })
  expect(act.code).toBe(1)
  expect(act.err).toContain(`node ${node} stands by: node ${owner} has the switch. Ask there.`)
})

/** Owners of the switch as an operator at a node sees them. */
const ownersAt = (one: FleetSwitch, node: Node) =>
  Effect.map(ask(one, node, ["owners"], ["--json"]), ({ out }) => JSON.parse(out) as Array<OwnerRow>)

/** Load; PostgreSQL fails over to a standby that lagged; nobody goes on until a person has accepted the loss. */
const loss = Effect.fnUntraced(function* (plan: FleetPlan, servers: Replicated) {
  const { approvals, finish, one } = yield* stage(plan)
  yield* approvals(10)
  const from = yield* Clock.currentTimeMillis
  yield* Effect.promise(() => servers.standby.stop())
  yield* approvals(25)
  const owner = one.owner()
  const process = one.process(owner)
  const before = one.takeovers()
  yield* Effect.promise(() => servers.failOver())
  const how = yield* process.exited
  const to = yield* Clock.currentTimeMillis
  const [halted] = yield* ownersAt(one, otherThan(owner))
  // As long as a standby is patient, and more.
  yield* Effect.sleep(patience(1500))
  const takenOver = one.takeovers() - before
  const until = yield* Clock.currentTimeMillis
  const accept = (...more: ReadonlyArray<string>) => ask(one, owner, ["journal", "accept-loss"], more)
  const shown = yield* accept()
  const accepted = yield* accept("--reason", "old primary is gone, drill")
  yield* one.readyAfter(before)
  yield* approvals(10)
  return { ...(yield* finish(() => servers.primary)), how, halted, takenOver, shown, accepted, from, to, until }
}, Effect.scoped)

const planOf = (directory: string, servers: Replicated): FleetPlan => {
  const clock = clocksIn(join(directory, "run"))
  const preload = new URL("./MovedClock.ts", import.meta.url).href
  return {
    seed,
    rate: 12,
    seconds: 36_000,
    directory: join(directory, "run"),
    postgresUrl: (ports) => `postgres://jinka@${ports.map((port) => `127.0.0.1:${port}`).join(",")}/postgres`,
    postgresPorts: servers.ports,
    switches: [template(directory)],
    environment: (node) => {
      if (!existsSync(clock(node))) writeFileSync(clock(node), "0")
      return { NODE_OPTIONS: `--import=${preload}`, JINKA_CLOCK_FILE: clock(node) }
    }
  }
}

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

const why = whyNoPostgres()
describe.skipIf(why !== undefined)(postgresTitle("A switch on two nodes"), () => {
  it(
    `loses nothing and doubles nothing in ${rounds.length} rounds of ${order.join(", ")} (JINKA_SEED=${seed})`,
    async ({ annotate }) => {
      const directory = mkdtempSync(join(tmpdir(), "jinka-fleet-"))
      const servers = await Replicated.begin(true)
      try {
        const drilled = await Effect.runPromise(drill(planOf(directory, servers), servers))

        const { commits, ends, moved, takeovers, verdict } = drilled
        await annotate(
          `${takeovers} takeovers, ${commits["groups"]} groups by ${commits["owners"]} owners, ${verdict.totals.approved} approved of ${verdict.totals.asked}, ${verdict.totals.lost} lost, ${verdict.totals.doubled} doubled; ${moved} rounds moved the switch by themselves`
        )
        expectSound(drilled)
        // The faults were met under load, and did what they are for: otherwise this shows nothing.
        expect(verdict.totals.approved).toBeGreaterThan(10 * rounds.length)
        expect(takeovers).toBeGreaterThan(countOf("kill", "freeze", "cut", "yield"))
        // A clock, a crash or a fail-over moves no switch; hours on a machine that others need may leave no time for a beat.
        if (!isLong) expect(moved).toBe(0)
        expect(Number(commits["owners"])).toBeGreaterThanOrEqual(takeovers)
        expect(ends.filter(({ how }) => how === 6).length).toBeGreaterThanOrEqual(countOf("freeze", "cut"))
        expect(ends.filter(({ how }) => how !== 0 && how !== 6 && how !== "SIGKILL")).toEqual([])
        rmSync(directory, { recursive: true, force: true })
      } finally {
        await servers.end()
      }
    },
    isLong ? 7_200_000 : 240_000
  )

  it(`stops when PostgreSQL has failed over to a standby that lagged, on every node, until a person accepts the loss (JINKA_SEED=${seed})`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "jinka-fleet-"))
    const servers = await Replicated.begin(false)
    try {
      const plan = planOf(directory, servers)
      const { accepted, commits, from, halted, how, shown, takenOver, to, until, verdict, verification } =
        await Effect.runPromise(loss(plan, servers))
      const lines = historyOf(plan.directory)

      // The owner says that its journal cannot be trusted, and no node goes on without what is lost.
      expect(how).toBe(3)
      expect(halted).toMatchObject({ halted: expect.stringMatching(/^Truncated: /) })
      expect(takenOver).toBe(0)
      const meanwhile = lines.filter(({ at }) => at > to && at < until)
      const begun = new Set(meanwhile.filter(({ op }) => op === "invoke").map(({ key }) => key))
      expect(meanwhile.filter(({ key, what }) => what === "approved" && begun.has(key))).toEqual([])
      expect(shown).toMatchObject({ code: 2, out: expect.stringMatching(/^lost {10}entries /m) })
      expect(accepted.code).toBe(0)
      // The journal is whole again, and what the partners' records do not share with it is what was lost, and nothing else.
      expect(verification.bad).toBeUndefined()
      expect(commits["overtaken"]).toBe(0)
      const lost = new Set(
        lines.filter(({ at, rrn }) => rrn !== undefined && at > from && at < to).map(({ key }) => key)
      )
      const isLost = (rrn: string) =>
        lines.some((line) => line.rrn === rrn && (lost.has(line.key) || lost.has(line.original)))
      // A sum is of no transaction.
      const strangers = verdict.findings.filter(({ rrn }) => rrn !== undefined && !isLost(rrn))
      expect(verdict.findings.length).toBeGreaterThan(10)
      expect(strangers).toEqual([])
      rmSync(directory, { recursive: true, force: true })
    } finally {
      await servers.end()
    }
  })
})
