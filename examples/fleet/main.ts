/**
 * `npm run fleet`: two switches joined by a link, each on two nodes, over one PostgreSQL, between an acquirer and an issuer.
 *
 * Under load an owner is killed, PostgreSQL crashes, and a switch is handed over; then everything drains, and what acquirer,
 * issuer and journal say is compared. Ends with 1 when a transaction was lost or doubled, or an overtaken owner committed
 * anything.
 */
import { fileURLToPath } from "node:url"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { verdictLine, verdictTable } from "@jinka/simulator"
import { Clock, Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { RealPostgres, whyNoPostgres } from "../../test/postgres/RealPostgres.ts"
import { run } from "../main-job/Child.ts"
import { say, watch } from "../main-job/Progress.ts"
import { type FleetSwitch, nodes, otherThan, prepareFleet } from "./Cast.ts"
import { longestPause, signOns } from "./Pauses.ts"
import { historyOf, overtakenCommits, reckon, settledFleet, stopFleet } from "./Reckoning.ts"

const home = fileURLToPath(new URL("../../.jinka/fleet", import.meta.url))

/** Seconds between two events of the story. */
const BETWEEN = 7

/** One thing that is done to the fleet, and when (milliseconds since 1970). */
interface Deed {
  readonly what: string
  readonly at: number
}

interface Told {
  readonly seed: number
  readonly rate: number
  readonly json: boolean
}

const started = Effect.acquireRelease(
  Effect.promise(() => RealPostgres.begin()),
  (one) => Effect.promise(() => one.end())
)

/** The output of `jinka owners`, as an operator sees it. */
const showOwners = (one: FleetSwitch) =>
  Effect.flatMap(run(one.command(one.owner(), ["owners"])), ({ text }) =>
    Effect.forEach(text, (line) => say(`  ${line}`), { discard: true })
  )

const story = Effect.fnUntraced(function* (postgres: RealPostgres, { rate, seed }: Told) {
  yield* say(
    "PostgreSQL, an issuer, the switches east and west on nodes n1 and n2, and an acquirer: each a process of its own"
  )
  const { issuer, raise, switches } = yield* prepareFleet({
    seed,
    rate,
    seconds: 3600,
    directory: home,
    postgresUrl: ([port]) => postgres.url("jinka", port),
    postgresPorts: [postgres.port],
    switches: [new URL("./east.yaml", import.meta.url), new URL("./west.yaml", import.meta.url)]
  })
  const [east, west] = switches as [FleetSwitch, FleetSwitch]
  for (const node of nodes) yield* Effect.forEach(switches, (one) => one.start(node), { concurrency: 2, discard: true })
  yield* showOwners(east)
  const acquirer = yield* raise
  yield* acquirer.until("signedOn")
  yield* say(`both partners are signed on; ${rate} requests a second`)
  const watching = yield* watch(acquirer, issuer)
  const deeds: Array<Deed> = []
  const deed = (what: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      deeds.push({ what, at })
      return say(what)
    })

  yield* Effect.sleep(BETWEEN * 1000)
  const killed = east.owner()
  const before = east.takeovers()
  yield* deed(`kill -9 for the owner of east on ${killed}, under load`)
  east.process(killed).signal("SIGKILL")
  yield* east.readyAfter(before)
  yield* say(`east goes on on ${east.owner()}; on ${killed} it was started again, and stands by`)

  yield* Effect.sleep(BETWEEN * 1000)
  yield* deed("PostgreSQL crashes (immediate stop) and is started again")
  yield* Effect.promise(() => postgres.stop("immediate"))
  yield* Effect.promise(() => postgres.start())
  yield* say("PostgreSQL is back: no link has fallen")

  yield* Effect.sleep(BETWEEN * 1000)
  const from = west.owner()
  yield* deed(`west is handed over from ${from} to ${otherThan(from)}: jinka yield`)
  const { text } = yield* run(west.command(from, ["yield"], ["--reason", "a demonstration"]))
  for (const line of text) yield* say(`  ${line}`)
  yield* showOwners(west)

  yield* Effect.sleep(BETWEEN * 500)
  acquirer.tell({ do: "finish" })
  yield* acquirer.until("summary")
  yield* say("the acquirer has sent all; the switches deliver what they still owe")
  yield* settledFleet(switches)
  const end = yield* Clock.currentTimeMillis
  yield* stopFleet(switches)
  issuer.tell({ do: "finish" })
  yield* issuer.exited
  yield* watching.stop
  return { deeds, east, end, switches }
})

const report = Effect.fnUntraced(function* (told: Told) {
  const why = whyNoPostgres()
  if (why !== undefined) return yield* Effect.fail(new Error(`there is no PostgreSQL to run: ${why}`))
  const postgres = yield* started
  const { deeds, east, end, switches } = yield* story(postgres, told)
  const { verdict, verification } = yield* reckon({ directory: home, seed: told.seed }, postgres.url(), east)
  yield* Console.log(`\n${verdictTable(verdict, process.stdout.isTTY)}\n`)
  yield* tellPauses(deeds, end)
  let overtaken = 0
  for (const { name } of switches) {
    const [row] = yield* Effect.promise(() => postgres.administer(overtakenCommits(name)))
    yield* Console.log(
      `${name}: ${row!["groups"]} groups by ${row!["owners"]} owners, ${row!["overtaken"]} of overtaken ones`
    )
    overtaken += Number(row!["overtaken"])
  }
  yield* Console.log(
    `the journal of east: ${verification.entries} entries in ${verification.groups} groups, ${verification.bad === undefined ? "as they were written" : verification.bad.why}`
  )
  if (told.json) yield* Console.log(verdictLine(verdict))
  if (!verdict.isPassed || verification.bad !== undefined || overtaken > 0) process.exitCode = 1
}, Effect.scoped)

/** What the acquirer felt of each deed: the longest time without an answer of the issuer, and its links. */
const tellPauses = (deeds: ReadonlyArray<Deed>, end: number) =>
  Effect.forEach(
    deeds,
    ({ what, at }, n) => {
      const history = historyOf(home)
      const to = deeds[n + 1]?.at ?? end
      const pause = longestPause(history, at - 200, to)
      const anew = signOns(history, at, to)
      return Console.log(
        `${what}: ${(pause / 1000).toFixed(1)} s without an answer, ${anew === 0 ? "the acquirer's link stayed up" : `the acquirer signed on anew`}`
      )
    },
    { discard: true }
  )

const main = Command.make(
  "fleet",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The run's seed"), Flag.withDefault(1)),
    rate: Flag.Int("rate").pipe(Flag.withDescription("Requests a second"), Flag.withDefault(100)),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("The totals as one line of JSON at the end"),
      Flag.withDefault(false)
    )
  },
  (told) =>
    report(told).pipe(
      Effect.catch((failed: unknown) =>
        Effect.andThen(
          Console.error(`The fleet stopped: ${failed instanceof Error ? failed.message : String(failed)}`),
          Effect.sync(() => {
            process.exitCode = 1
          })
        )
      )
    )
).pipe(
  Command.withDescription(
    "Two switches on two nodes over one PostgreSQL: a killed owner, a crashed PostgreSQL, a hand-over, and the reconciliation"
  )
)

Command.run(main, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
