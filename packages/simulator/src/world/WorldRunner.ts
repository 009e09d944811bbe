/**
 * The deterministic world as its command sees it: what runs a seed, shrinks one, and says which commit it is.
 *
 * Owns the seam and finding the world. The world joins the switch and the partners, which know nothing of each other, so it lives
 * beside both in the repository (docs/decisions/0025-where-the-world-lives.md) and is loaded from there; an installed package
 * does not hold it.
 */
import { accessSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { reasonOf, SettingInvalid } from "../SimulatorError.ts"
import type { PartnerPlan } from "../scripted/PartnerPlan.ts"

/** What a world can be of. */
export const worldModes = ["switch", "keys", "fleet"] as const

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number
  /** Over the whole trace: the same seed, wishes and code give the same on any machine. */
  readonly hash: string
  /** Broken promises; empty is what we want. */
  readonly findings: ReadonlyArray<string>
  /** The whole trace when it was asked for, otherwise its end. */
  readonly trace: string
  /** What the seed drew, one line of JSON. */
  readonly drawn: string
  readonly purchases: number
  readonly approved: number
  readonly faults: number
  /** Hours that links lived, in simulated time. */
  readonly linkHours: number
}

/** The smallest run that was found with the same broken promise. */
export interface Shrunk {
  /** Wishes as JSON: with the seed they give the run again. */
  readonly wishes: string
  readonly result: SeedResult
  readonly tried: number
}

/** What runs seeds. Synchronous: a run is one long computation. */
export interface WorldRunner {
  /** The commit of the sources, with + behind it when they were changed since; "" when nobody knows. */
  readonly commit: string
  /**
   * `mode`: what the world is of, `switch` by default. `wishes`: what is fixed instead of drawn, as JSON; "": what the mode has.
   * `partners`: of files, in place of those that the seed draws. Throws an `Error` that says what is wrong with the wishes.
   */
  readonly run: (
    seed: number,
    mode: string,
    wishes: string,
    keepTrace: boolean,
    partners?: ReadonlyArray<PartnerPlan>
  ) => SeedResult
  /** Takes away faults, partners and time as long as the first broken promise stays broken; says what it tries. */
  readonly shrink: (
    seed: number,
    mode: string,
    wishes: string,
    onStep: (says: string) => void,
    partners?: ReadonlyArray<PartnerPlan>
  ) => Shrunk | undefined
  /** Why these partners cannot be in a world of this mode; `undefined`: they can. */
  readonly unfit: (mode: string, partners: ReadonlyArray<PartnerPlan>) => string | undefined
}

/** Run from its source, which only the repository has. */
const script = "Runner.ts"
const place = new URL(`../../../../test/simulation/${script}`, import.meta.url)

/** Loads the world of the repository that this program is in. */
export const loadWorld: Effect.Effect<WorldRunner, SettingInvalid> = Effect.try({
  try: () => accessSync(place),
  catch: () =>
    new SettingInvalid({
      setting: "world",
      rule:
        "the world joins the switch and its partners from their sources, and an installed package has not got them: clone the " +
        "repository, and run `npm run sim -- world` there"
    })
}).pipe(
  Effect.andThen(
    Effect.tryPromise({
      try: () => import(fileURLToPath(place)) as Promise<{ readonly worldRunner: WorldRunner }>,
      catch: (error) => new SettingInvalid({ setting: "world", rule: `it cannot be loaded: ${reasonOf(error)}` })
    })
  ),
  Effect.map(({ worldRunner }) => worldRunner)
)
