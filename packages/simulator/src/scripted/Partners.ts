/**
 * All partners of one process: started from files, given other plans when a file changes, ended in order. Owns which of them
 * there are, and the ticks of all.
 */
import { Clock, Effect, Scope } from "effect"
import { makeTicks } from "../link/Ticks.ts"
import { timepieceOf } from "../partner/Session.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import type { PartnerPlan } from "./PartnerPlan.ts"
import type { PartnerTotals } from "./PartnerRecord.ts"
import { type RunningPartner, startPartner, type Told } from "./RunningPartner.ts"

/** What a change of the files came to, by names of partners. */
export interface Changes {
  readonly added: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Sentences: what could not be done, with what stayed as it was. */
  readonly failed: ReadonlyArray<string>
}

/** Partners that run. */
export interface Partners {
  readonly all: () => ReadonlyArray<RunningPartner>
  /** Starts what is new, changes what has changed, ends what is gone. Never fails: what cannot be done is told. */
  readonly apply: (plans: ReadonlyArray<PartnerPlan>) => Effect.Effect<Changes>
  /** Ends all in order; the final totals by name. */
  readonly finish: Effect.Effect<ReadonlyArray<readonly [string, PartnerTotals]>>
  /** Never ends, except with the defect of a partner that broke in a tick. */
  readonly broken: Effect.Effect<never>
}

const hasOtherFiles = (one: PartnerPlan, other: PartnerPlan): boolean =>
  one.history !== other.history || one.ledger !== other.ledger

/** The longest time between two ticks, in milliseconds, for what has no time of its own: silence, idle frames, lines of files. */
const TICK_MS = 50

/** Starts partners; they live as long as the scope. */
export const startPartners = (
  plans: ReadonlyArray<PartnerPlan>,
  telling: Told
): Effect.Effect<Partners, FileFailed | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const running = new Map<string, RunningPartner>()
    const start = (plan: PartnerPlan) =>
      startPartner(plan, { ...telling, onChange: (nextAt) => ticks.look(nextAt) }).pipe(
        Scope.provide(scope),
        Effect.map((partner) => void running.set(plan.name, partner))
      )
    const ticks = makeTicks({
      most: TICK_MS,
      nextAt: () => Math.min(...[...running.values()].map((partner) => partner.nextAt())),
      tick: () => {
        for (const partner of running.values()) partner.tick()
      },
      time: timepieceOf(yield* Clock.Clock)
    })
    for (const plan of plans) yield* start(plan)
    const apply = (next: ReadonlyArray<PartnerPlan>): Effect.Effect<Changes> =>
      Effect.gen(function* () {
        const before = [...running.keys()]
        const names = new Set(next.map(({ name }) => name))
        const failed: Array<string> = []
        const removed = before.filter((name) => !names.has(name))
        for (const name of removed) {
          const partner = running.get(name)!
          running.delete(name)
          yield* partner.finish
        }
        const done: Array<string> = []
        for (const plan of next) {
          const partner = running.get(plan.name)
          const isSame = partner?.plan().identity === plan.identity
          if (partner !== undefined && hasOtherFiles(partner.plan(), plan)) {
            failed.push(`${plan.name} goes on writing its history and ledger to the files with which it was started`)
          }
          const act: Effect.Effect<void, FileFailed | ListenFailed> =
            partner === undefined ? start(plan) : partner.replan(plan)
          yield* act.pipe(
            Effect.match({
              onSuccess: () => {
                // Its lines may be others: what names them has to know that.
                if (!isSame) done.push(plan.name)
              },
              onFailure: ({ message }) => {
                failed.push(`${plan.name} ${partner === undefined ? "is not there" : "stays as it was"}: ${message}`)
              }
            })
          )
        }
        ticks.look()
        return {
          added: done.filter((name) => !before.includes(name)),
          changed: done.filter((name) => before.includes(name)),
          removed,
          failed
        }
      })
    return {
      all: () => [...running.values()],
      apply,
      finish: Effect.suspend(() =>
        Effect.forEach(
          [...running],
          ([name, partner]) => Effect.map(partner.finish, (totals) => [name, totals] as const),
          { concurrency: "unbounded" }
        )
      ),
      broken: ticks.run
    }
  })
