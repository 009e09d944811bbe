/** What a run of the world is given, and what comes out of it. */

import type { PartnerPlan } from "../../packages/simulator/src/scripted/PartnerPlan.ts"
import { unheardBy } from "./check/Checks.ts"
import type { History } from "./check/History.ts"
import type { Options, Wishes } from "./Options.ts"
import type { Subject } from "./Subject.ts"
import type { World } from "./world/World.ts"

/** What came out of a run. The same seed, wishes and code give the same result, hash included. */
export interface RunResult {
  readonly seed: number
  readonly options: Options
  /** Hash over the whole trace: events, times and bytes. */
  readonly hash: string
  /** Lines of the trace. */
  readonly events: number
  readonly stats: Stats
  /** Broken promises; empty is what we want. */
  readonly findings: ReadonlyArray<string>
  /** The end of the trace, or all of it when asked for. */
  readonly trace: string
}

export interface Stats {
  readonly virtualSeconds: number
  readonly tasks: number
  readonly purchases: number
  readonly approved: number
  readonly declined: number
  readonly unknown: number
  /** Calls over HTTP whose caller was gone for good before its answer, and of those the ones whose answer nobody took. */
  readonly left: number
  readonly unheard: number
  readonly lateAnswers: number
  readonly reversalsSeen: number
  readonly crashes: number
  /** Orderly stops that an operator has ordered, and reloads that were done. */
  readonly stops: number
  readonly reloads: number
  /** Times that a node took the switch; 0 where there is only one. */
  readonly takeovers: number
  readonly faults: number
  /** Messages in another acquirer's name. */
  readonly lies: number
  /** PIN blocks that reached an issuer, and messages of acquirers with a wrong MAC. */
  readonly pins: number
  readonly spoilt: number
  readonly keyChanges: number
}

/** How to run. */
export interface RunSettings {
  readonly subject: Subject
  readonly wishes?: Wishes
  readonly keepTrace?: boolean
  /** Partners of files, instead of those that the seed draws. */
  readonly files?: ReadonlyArray<PartnerPlan>
}

/** What a run was like. */
export const statsOf = (
  world: World,
  history: History,
  counted: Pick<Stats, "crashes" | "stops" | "reloads" | "takeovers" | "faults">
): Stats => {
  const purchases = [...history.purchases.values()]
  const count = (outcome: string) => purchases.filter((purchase) => purchase.outcome === outcome).length
  return {
    virtualSeconds: Math.round(world.nowMs / 1000),
    tasks: world.tasks,
    purchases: purchases.length,
    approved: count("approved"),
    declined: count("declined"),
    unknown: count("unknown"),
    left: count("left"),
    unheard: unheardBy(history).length,
    lateAnswers: purchases.reduce((sum, { answers }) => sum + answers.filter(({ isLate }) => isLate).length, 0),
    reversalsSeen: history.receipts.filter(({ mti }) => mti.startsWith("042")).length,
    ...counted,
    lies: history.lies,
    pins: history.pins,
    spoilt: history.spoilt,
    keyChanges: history.keyChanges
  }
}

/** A run that is over. */
export const resultOf = (
  options: Options,
  { trace }: World,
  stats: Stats,
  findings: ReadonlyArray<string>
): RunResult => ({
  ...{ seed: options.seed, options, stats, findings },
  ...{ hash: trace.digest(), events: trace.count, trace: trace.text() }
})
