/** What is left when a fleet has come to rest: its accounts beside each other, and its groups in PostgreSQL. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { check, type HistoryLine, parseHistory, readEvidence, type Verdict } from "@jinka/simulator"
import { Effect, Layer } from "effect"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { readPostgresUrl } from "../../packages/switch/src/journal/postgres/PostgresAddress.ts"
import type { PostgresPlace } from "../../packages/switch/src/journal/postgres/PostgresConnection.ts"
import { layerPostgres } from "../../packages/switch/src/journal/postgres/PostgresStore.ts"
import { type SummaryLine, summarize } from "../../packages/switch/src/operate/Summary.ts"
import { Dialects } from "../../packages/switch/src/operate/trace/Dialects.ts"
import { run } from "../main-job/Child.ts"
import { transaction } from "../main-job/Reconciliation.ts"
import { type FleetPlan, type FleetSwitch, filesOf, journalKey, otherThan } from "./Cast.ts"

/** Waits, for some 20 seconds at most, until no switch has anything outstanding or to be delivered. */
export const settledFleet = Effect.fnUntraced(function* (switches: ReadonlyArray<FleetSwitch>) {
  const isAtRest = (one: FleetSwitch) =>
    Effect.map(run(one.command(one.owner(), ["status"], ["--json"])), ({ said }) => {
      const links = (said[0]?.["links"] ?? []) as ReadonlyArray<{ outstanding: number; stored: number }>
      return links.length > 0 && links.every(({ outstanding, stored }) => outstanding + stored === 0)
    })
  for (let tries = 0; tries < 40; tries++) {
    if ((yield* Effect.forEach(switches, isAtRest)).every((is) => is)) return true
    yield* Effect.sleep("500 millis")
  }
  return false
})

/** Stops standbys first: nobody takes anything over any more. */
export const stopFleet = (switches: ReadonlyArray<FleetSwitch>): Effect.Effect<void> =>
  Effect.forEach(
    switches,
    (one) =>
      Effect.andThen(
        one.stop(otherThan(one.owner())),
        Effect.suspend(() => one.stop(one.owner()))
      ),
    { discard: true }
  )

/** The acquirer's history. */
export const historyOf = (directory: string): ReadonlyArray<HistoryLine> =>
  parseHistory(readFileSync(filesOf(directory).acquirer, "utf8"))

/** Where the journal of a switch is, for a node of its own that comes when all others have gone. */
const placeOf = (url: string, name: string): PostgresPlace => {
  const address = readPostgresUrl(url)
  if ("rule" in address) throw new Error(address.rule)
  return { address, tls: undefined, schema: "jinka", name, node: "reckoning" }
}

/** The journal of a switch, read from PostgreSQL and verified, beside what both partners believe. */
export const reckon = Effect.fnUntraced(function* (
  { directory, seed }: Pick<FleetPlan, "directory" | "seed">,
  url: string,
  { name }: FleetSwitch
) {
  const at = filesOf(directory)
  const key = Buffer.from(journalKey(seed), "hex")
  const store = layerPostgres({ place: placeOf(url, name), directory: join(directory, "reckoning"), key })
  const summary: Array<SummaryLine> = []
  const verification = yield* Effect.gen(function* () {
    const journal = yield* Journal
    yield* summarize(journal, new Dialects(), (line) => summary.push(line) > 0, Effect.void)
    return yield* journal.verify()
  }).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store))))
  const evidence = yield* readEvidence({ acquirer: [at.acquirer], issuer: [at.issuer], ledger: [at.ledger] })
  const verdict: Verdict = check({ ...evidence, journal: summary.map(transaction), counters: undefined, wasAway: true })
  return { verdict, summary, verification }
})

/** Groups of a switch whose epoch is below that of a group before them: commits of an owner that was overtaken. SQL. */
export const overtakenCommits = (name: string): string => `SELECT count(*)::int AS groups,
  count(DISTINCT epoch)::int AS owners, count(*) FILTER (WHERE epoch < before)::int AS overtaken
FROM (SELECT epoch, max(epoch) OVER (ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM jinka.commit_group WHERE journal = (SELECT id FROM jinka.journal WHERE switch = '${name}')) AS g`
