/**
 * The world for `jinka-sim world`: runs seeds with the production switch, and shrinks one that broke a promise.
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { SeedResult, Shrunk, WorldRunner } from "../../packages/simulator/src/world/WorldRunner.ts"
import { unfit } from "./files/FilePlans.ts"
import type { Wishes } from "./Options.ts"
import type { RunResult } from "./Result.ts"
import { runSeed } from "./Simulation.ts"
import type { Subject } from "./Subject.ts"
import { modes, subject } from "./Tested.ts"
import { parseWishes } from "./WishesText.ts"

const git = (...args: ReadonlyArray<string>): string => {
  const { status, stdout } = spawnSync("git", args, {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8"
  })
  return status === 0 ? stdout.trim() : ""
}

const commitNow = (): string => {
  const commit = git("rev-parse", "--short=12", "HEAD")
  return commit === "" ? "" : commit + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+")
}

const isMode = (mode: string): mode is keyof typeof modes => Object.hasOwn(modes, mode)

/** Wishes of a text over those of a mode. Throws an `Error` that says what is wrong. */
const wishesOf = (mode: string, text: string): Wishes => {
  if (!isMode(mode)) throw new Error(`"${mode}" is no mode; there are ${Object.keys(modes).join(", ")}`)
  return text === "" ? modes[mode] : { ...modes[mode], ...parseWishes(text) }
}

/** One link for each host of a partner, all of them as long as the run. */
const linkHoursOf = ({ options, stats }: RunResult): number => {
  const partners = [...options.acquirers, ...options.issuers]
  const links = partners.reduce((sum, { second }) => sum + (second === undefined ? 1 : 2), options.files?.length ?? 0)
  return (links * stats.virtualSeconds) / 3600
}

const resultOf = (result: RunResult): SeedResult => {
  const { events, findings, hash, options, seed, stats, trace } = result
  return {
    ...{ seed, hash, findings, trace },
    drawn: JSON.stringify({ ...options, events }),
    purchases: stats.purchases,
    approved: stats.approved,
    faults: stats.faults,
    linkHours: linkHoursOf(result)
  }
}

/** The promise that a finding is about: what stands before its first colon, or its first words. */
const promiseOf = (finding: string): string => /^[^:]{1,40}:/.exec(finding)?.[0] ?? finding.slice(0, 24)

interface Attempt {
  readonly says: string
  readonly wishes: Wishes
}

/** Nobody looks for less than so many milliseconds: halves of halves would never end. */
const SHORTEST = 500

/** Smaller runs than this one, those that save most first. */
const smaller = (wishes: Wishes, { options }: RunResult): ReadonlyArray<Attempt> => {
  const { faults } = options
  const attempts: Array<Attempt> = []
  if (faults.length > 1) attempts.push({ says: "no faults", wishes: { ...wishes, faults: [] } })
  for (const [at, { kind }] of faults.entries()) {
    const rest = faults.filter((_, other) => other !== at)
    attempts.push({
      says: `without the ${kind} at ${Math.round(faults[at]!.at)} ms`,
      wishes: { ...wishes, faults: rest }
    })
  }
  if (options.acquirers.length > 1) attempts.push({ says: "one acquirer", wishes: { ...wishes, faults, acquirers: 1 } })
  if (options.issuers.length > 1) attempts.push({ says: "one issuer", wishes: { ...wishes, faults, issuers: 1 } })
  const hosts = [...options.acquirers, ...options.issuers].some(
    ({ line, second }) => (second ?? line.pair ?? line.isShort ?? line.atDoor) !== undefined
  )
  if (hosts)
    attempts.push({
      says: "one long connection for each partner",
      wishes: { ...wishes, faults, simplex: 0, groups: 0, short: 0, doors: 0, calls: 0 }
    })
  const lastFault = Math.max(0, ...faults.map(({ at }) => at))
  for (const chaos of [lastFault + 5000, Math.round(options.chaos / 2)]) {
    if (chaos < options.chaos * 0.8 && chaos > lastFault && chaos >= SHORTEST)
      attempts.push({ says: `${(chaos / 1000).toFixed(1)} s of it`, wishes: { ...wishes, faults, chaos } })
  }
  return attempts
}

/** Runs tried for one seed at most. */
const TRIED_MAX = 200

/** Takes something away as long as the first broken promise stays broken. */
const shrink = (
  run: (wishes: Wishes) => RunResult,
  wished: Wishes,
  onStep: (says: string) => void
): Shrunk | undefined => {
  let wishes = wished
  let result = run(wishes)
  const [first] = result.findings
  if (first === undefined) return undefined
  const promise = promiseOf(first)
  const isBroken = (one: RunResult): boolean => one.findings.some((finding) => promiseOf(finding) === promise)
  let tried = 1
  for (let isSmaller = true; isSmaller && tried < TRIED_MAX; ) {
    isSmaller = false
    for (const attempt of smaller(wishes, result)) {
      if (tried >= TRIED_MAX) break
      tried++
      const smallerRun = run(attempt.wishes)
      if (!isBroken(smallerRun)) continue
      onStep(`${attempt.says}: still broken`)
      wishes = attempt.wishes
      result = smallerRun
      isSmaller = true
      break
    }
  }
  return { wishes: JSON.stringify(wishes), result: resultOf(result), tried }
}

/** A run that something has thrown out of, the world itself or what it tests: a finding as any other. */
const thrownBy = (seed: number, thrown: unknown): SeedResult => ({
  ...{ seed, hash: "none", trace: "", drawn: "", purchases: 0, approved: 0, faults: 0, linkHours: 0 },
  findings: [`the run threw: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`]
})

/** A world with more partners takes longer than anybody waits for. */
const PARTNERS_MAX = 20

/** A world for one system under test. */
export const runnerOf = (tested: Subject): WorldRunner => ({
  commit: commitNow(),
  run: (seed, mode, text, keepTrace, files) => {
    const wishes = wishesOf(mode, text)
    try {
      return resultOf(runSeed(seed, { subject: tested, wishes, keepTrace, ...(files && { files }) }))
    } catch (thrown) {
      return thrownBy(seed, thrown)
    }
  },
  shrink: (seed, mode, text, onStep, files) =>
    shrink(
      (wishes) => runSeed(seed, { subject: tested, wishes, ...(files && { files }) }),
      wishesOf(mode, text),
      onStep
    ),
  unfit: (mode, partners) => {
    if (mode !== "switch") return "partners of files are in the world of the mode switch"
    if (partners.length > PARTNERS_MAX) return `a world has at most ${PARTNERS_MAX} partners of files`
    const wrong = partners.flatMap((plan) => {
      const why = unfit(plan)
      return why === undefined ? [] : [`${plan.name}: ${why}`]
    })
    const editions = new Set(partners.map(({ form }) => form.codec.dialect.version))
    return wrong[0] ?? (editions.size > 1 ? "a switch passes messages on between dialects of one edition" : undefined)
  }
})

/** What `jinka-sim world` loads. */
export const worldRunner: WorldRunner = runnerOf(subject)
