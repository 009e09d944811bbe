import { spawnSync } from "node:child_process"
import { describe, expect, it } from "vitest"
import { builtProgram } from "../programs/Programs.ts"
import { isLong } from "../Runs.ts"
import type { Wishes } from "./Options.ts"
import type { RunResult } from "./Result.ts"
import { runSeed } from "./Simulation.ts"
import { callers, fleet, guarded, type modes, subject, unhurried, wishes } from "./Tested.ts"

/** 500 seeds and 24 crashes. JINKA_LAB=long: the long form. `jinka-sim world` runs any number of seeds. */
const SEEDS = isLong ? 3000 : 456
const CALLER_SEEDS = isLong ? 300 : 10
/** A world with zones has some five times as much to do. */
const ZONE_SEEDS = isLong ? 500 : 10
const FLEET_SEEDS = isLong ? 2000 : 24
const CRASHES = isLong ? 200 : 24
/** One seed in so many has partners that are in a hurry, too, where there are not very many of them. */
const HURRIED_EVERY = isLong ? 1 : 8
/**
 * 155: a request that came behind its reversal was refused, and written down as its repeat: the checker did not know that.
 * 455: approvals that were heard were taken back, when a reload closed the connection under the write that held them. 50085: a
 * refusal that was made while room was low left behind an earlier answer of its connection, seconds later: the checker's fault.
 */
const found = [155, 455, 50_085]
/** These take longer than any other test. */
const times = { timeout: 1_800_000 }

/** Fails with everything that is needed to see the run again. */
const expectNoFindings = (
  { seed, findings, options, trace }: RunResult,
  wished: Wishes = {},
  mode: keyof typeof modes = "switch"
): void => {
  if (findings.length === 0) return
  const replay = `npm run sim -- world --trace ${seed} --mode ${mode} --wishes '${JSON.stringify(wished)}'`
  throw new Error(
    [...findings.slice(0, 20), JSON.stringify(options), trace, `seed=${seed}  replay: ${replay}`].join("\n")
  )
}

const seedsFrom = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n)

describe(`the ${subject.name} in the deterministic world`, times, () => {
  it(`keeps its promises through cuts, partitions, crashes, stops, reloads and odd partners, on ${SEEDS} seeds`, () => {
    const total = {
      approved: 0,
      reversed: 0,
      crashes: 0,
      stops: 0,
      reloads: 0,
      faults: 0,
      lies: 0,
      short: 0,
      atDoor: 0,
      calls: 0
    }
    for (const seed of seedsFrom(1, SEEDS)) {
      const wished = seed % HURRIED_EVERY === 0 ? wishes : unhurried(wishes)
      const result = runSeed(seed, { subject, wishes: wished })
      expectNoFindings(result, wished)
      total.approved += result.stats.approved
      total.reversed += result.stats.reversalsSeen
      total.crashes += result.stats.crashes
      total.stops += result.stats.stops
      total.reloads += result.stats.reloads
      total.faults += result.stats.faults
      total.lies += result.stats.lies
      const { acquirers, issuers } = result.options
      total.short += [...acquirers, ...issuers].filter(({ line }) => line.isShort).length
      total.atDoor += acquirers.filter(({ line }) => line.atDoor).length
      total.calls += acquirers.filter(({ line }) => line.calls).length
    }

    // A world in which nothing happens proves nothing.
    expect(total.approved).toBeGreaterThan(SEEDS * 20)
    expect(total.reversed).toBeGreaterThan(SEEDS)
    expect(total.crashes).toBeGreaterThan(SEEDS / 4)
    expect(total.stops).toBeGreaterThan(SEEDS / 20)
    expect(total.reloads).toBeGreaterThan(SEEDS / 20)
    expect(total.short).toBeGreaterThan(SEEDS / 10)
    expect(total.atDoor).toBeGreaterThan(SEEDS / 10)
    expect(total.calls).toBeGreaterThan(SEEDS / 10)
    expect(total.faults).toBeGreaterThan(SEEDS * 2)
    expect(total.lies).toBeGreaterThan(SEEDS * 5)
  })

  it(`takes back what callers over HTTP did not hear because they were gone, on ${CALLER_SEEDS} seeds`, () => {
    let unheard = 0
    for (const seed of seedsFrom(5000, CALLER_SEEDS)) {
      const result = runSeed(seed, { subject, wishes: callers })
      expectNoFindings(result, callers)
      unheard += result.stats.unheard
    }

    expect(unheard).toBeGreaterThan(3 * CALLER_SEEDS)
  })

  it("keeps them on the seeds that have found something", () => {
    for (const seed of found) expectNoFindings(runSeed(seed, { subject, wishes }))
  })

  it(`keeps its promises wherever in its work it crashes: before each of its next ${CRASHES} writes and commits`, () => {
    for (const beforeEffect of seedsFrom(1, CRASHES)) {
      const how = beforeEffect % 2 === 0 ? "power" : "process"
      const faults = [{ kind: "crash", how, downMs: 2000, beforeEffect, at: 3000 } as const]
      const pause = [10, 200] as const
      const busy = { ...wishes, chaos: 6000, calm: 8000, faults, acquirer: { ...wishes.acquirer, pause } }
      const result = runSeed(7, { subject, wishes: busy })
      expectNoFindings(result, busy)
      expect(result.stats.crashes).toBe(1)
    }
  })

  it(`keeps partners' zones apart, with wrong MACs, new keys and devices that are slow, silent, failing and restarted, on ${ZONE_SEEDS} seeds`, () => {
    const total = { approved: 0, reversed: 0, pins: 0, spoilt: 0, away: 0, keys: 0, devices: 0 }
    for (const seed of seedsFrom(1000, ZONE_SEEDS)) {
      const wished = seed % HURRIED_EVERY === 0 ? guarded : unhurried(guarded)
      const result = runSeed(seed, { subject, wishes: wished })
      expectNoFindings(result, wished, "keys")
      total.approved += result.stats.approved
      total.reversed += result.stats.reversalsSeen
      total.pins += result.stats.pins
      total.spoilt += result.stats.spoilt
      total.keys += result.stats.keyChanges
      const { away, devices = [] } = result.options.module!
      total.away += away.length + devices.flatMap(({ off, silent }) => [...off, ...silent]).length
      total.devices += devices.length
    }

    expect(total.approved).toBeGreaterThan(ZONE_SEEDS * 15)
    expect(total.reversed).toBeGreaterThan(ZONE_SEEDS)
    expect(total.pins).toBeGreaterThan(ZONE_SEEDS * 5)
    expect(total.spoilt).toBeGreaterThan(ZONE_SEEDS * 2)
    expect(total.keys).toBeGreaterThan(ZONE_SEEDS * 2)
    expect(total.away).toBeGreaterThan(ZONE_SEEDS / 2)
    expect(total.devices).toBeGreaterThan(ZONE_SEEDS / 3)
  })

  it(`keeps its promises on two nodes that die, freeze, are cut off and hand over, with a PostgreSQL that loses connections and fails over, on ${FLEET_SEEDS} seeds`, () => {
    const total = { approved: 0, reversed: 0, crashes: 0, stops: 0, takeovers: 0, faults: 0 }
    for (const seed of seedsFrom(1, FLEET_SEEDS)) {
      const wished = seed % HURRIED_EVERY === 0 ? fleet : unhurried(fleet)
      const result = runSeed(seed, { subject, wishes: wished })
      expectNoFindings(result, wished, "fleet")
      total.approved += result.stats.approved
      total.reversed += result.stats.reversalsSeen
      total.crashes += result.stats.crashes
      total.stops += result.stats.stops
      total.takeovers += result.stats.takeovers
      total.faults += result.stats.faults
    }

    expect(total.approved).toBeGreaterThan(FLEET_SEEDS * 25)
    expect(total.reversed).toBeGreaterThan(FLEET_SEEDS)
    expect(total.crashes).toBeGreaterThan(FLEET_SEEDS)
    expect(total.stops).toBeGreaterThan(0)
    expect(total.takeovers).toBeGreaterThan(FLEET_SEEDS * 2)
    expect(total.faults).toBeGreaterThan(FLEET_SEEDS * 2)
  })

  it("does the same with the same seed, here and in another process, and something else with another seed", () => {
    const [first, again, other] = [3, 3, 4].map((seed) => runSeed(seed, { subject, wishes }).hash)
    const [nodes, nodesAgain] = [3, 3].map((seed) => runSeed(seed, { subject, wishes: fleet }).hash)
    const program = builtProgram("packages/simulator/src/main.ts")
    const elsewhere = spawnSync(process.execPath, [program, "world", "--trace", "3"], {
      encoding: "utf8",
      maxBuffer: 1 << 28
    })

    expect(again).toBe(first)
    expect(nodesAgain).toBe(nodes)
    expect(other).not.toBe(first)
    expect(elsewhere.stdout).toContain(`seed 3: every promise was kept, hash ${first}`)
  })
})
