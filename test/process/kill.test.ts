/** Guarantees G1 to G5 over real processes: the switch is killed again and again under load, and four accounts must agree. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { canariesOf, cardsOf, chanceOf, findCardData } from "@jinka/simulator"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { type Plan, prepare } from "../../examples/main-job/Cast.ts"
import { reconcile } from "../../examples/main-job/Reconciliation.ts"
import { settled } from "../../examples/main-job/Settled.ts"
import { usePrograms } from "../programs/Programs.ts"
import { isLong } from "../Runs.ts"
import { jinka } from "../switch/operate/program.ts"
import { summaryOf } from "./lab/Cast.ts"

/** As many rounds as fit in their time, and not fewer than the least; the report says how many. */
const ROUNDS_MAX = 100
const ROUNDS_MIN = 4
const ROUNDS_MS = isLong ? 120_000 : 2_000
const seed = Number(process.env["JINKA_SEED"] ?? 20261122)

/** Kills the switch again and again, each time a random while after it listens, and lets everything end afterwards. */
const killAgainAndAgain = (plan: Plan) =>
  Effect.gen(function* () {
    const chance = chanceOf(plan.seed)
    const { issuer, startSwitch, raise, command } = yield* prepare(plan)
    let current = yield* startSwitch
    const acquirer = yield* raise
    yield* acquirer.until("signedOn")
    const began = performance.now()
    let rounds = 0
    const isTime = () => rounds < ROUNDS_MIN || performance.now() - began < ROUNDS_MS
    for (; rounds < ROUNDS_MAX && isTime(); rounds++) {
      yield* Effect.sleep(20 + chance.next() * 400)
      current.signal("SIGKILL")
      yield* current.exited
      current = yield* startSwitch
    }
    yield* Effect.sleep("1 second")
    acquirer.tell({ do: "finish" })
    const ended = yield* acquirer.until("summary")
    yield* settled(plan, command)
    current.signal("SIGTERM")
    yield* current.exited
    issuer.tell({ do: "finish" })
    yield* issuer.exited
    const file = join(plan.directory, "switch.yaml")
    const { env } = command("verify", [])
    const summary = yield* summaryOf(file, env.JINKA_JOURNAL_KEY)
    const verified = yield* Effect.promise(() => jinka(["journal", "verify", file], { env }))
    const verdict = yield* reconcile(plan.directory, summary, current.last("stopped"))
    return { rounds, verdict, summary, ended, verified: verified.code }
  }).pipe(Effect.scoped)

/** Everything that the run left on disk, but the partners' own logs of what they sent. */
const bytesLeft = (directory: string): ReadonlyArray<Buffer> =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".sock"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))

describe("a switch that is killed under load", () => {
  it(`loses nothing and doubles nothing in up to ${ROUNDS_MAX} rounds of SIGKILL (JINKA_SEED=${seed})`, async ({
    annotate
  }) => {
    const directory = mkdtempSync(join(tmpdir(), "jinka-kill-"))
    usePrograms()
    try {
      // So many answers are late that some request is open whenever there is load.
      const plan: Plan = { seed, rate: 60, seconds: 600, delayed: 20, directory }
      const { rounds, verdict, summary, ended, verified } = await Effect.runPromise(killAgainAndAgain(plan))

      await annotate(`${rounds} rounds`)
      expect(verdict.findings).toEqual([])
      expect(verdict.isPassed).toBe(true)
      expect(verdict.totals.lost).toBe(0)
      expect(verdict.totals.doubled).toBe(0)
      expect(ended["inDoubt"]).toBe(0)
      // The rounds were under load, and the kills hit open requests: otherwise this shows nothing.
      expect(verdict.totals.approved).toBeGreaterThan(4 * rounds)
      expect(summary.filter(({ reversal }) => reversal !== null).length).toBeGreaterThan(rounds / 10)
      expect(summary.filter(({ end }) => end === "Open")).toEqual([])
      expect(verified).toBe(0)

      const cards = canariesOf(cardsOf({ seed, bins: ["621999", "622999"], count: 500 }))
      for (const bytes of bytesLeft(directory)) expect(findCardData(bytes, cards)).toEqual([])
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
