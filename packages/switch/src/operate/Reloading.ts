/**
 * `jinka reload` and SIGHUP: reads the configuration file again, says what changes, and lets the switch take it over, or refuses
 * the whole of it with nothing changed.
 */
import { Cause, Clock, Effect, type Path } from "effect"
import { Journal } from "../journal/Journal.ts"
import type * as Switch from "../Switch.ts"
import type { Credentials } from "../transport/Credentials.ts"
import * as Certificates from "./Certificates.ts"
import type { Configuration } from "./Configuration.ts"
import { isEmpty, type Plan, planOf } from "./configuration/Plan.ts"
import { problemText } from "./configuration/Problem.ts"
import type { ReloadReport } from "./control/Report.ts"
import { CommandFailed, defectText, failedBy } from "./Exit.ts"
import { loadBeside } from "./Reading.ts"

/** The configuration that the switch runs with; a reload replaces it. */
export interface InForce {
  configuration: Configuration
}

/** How a reload is asked for. */
export interface Request {
  readonly user: string
  /** Say what would change, and whether it could be done now; change nothing. */
  readonly isDry: boolean
}

const nothingChanged = "Nothing was changed."

const refused = (says: string, exit: "usage" | "bad" = "usage"): CommandFailed =>
  new CommandFailed({ exit, says: `${says} ${nothingChanged}` })

/** Reads the file that the switch was started with once more. */
const reread = ({ configuration }: InForce) =>
  Effect.mapError(loadBeside(configuration.file), (failed) => {
    const { says, exit } = failedBy(failed)
    return new CommandFailed({ exit, says: `${says}\n${nothingChanged}` })
  })

/**
 * Carries it out, or says what it would do. Fails with everything that stands in the way, which is in the log too, whoever
 * asked.
 */
export const reload = (
  inForce: InForce,
  running: Switch.Running,
  request: Request
): Effect.Effect<ReloadReport, CommandFailed, Path.Path | Journal | Credentials> =>
  attempt(inForce, running, request).pipe(
    Effect.catchCause((cause) => {
      const failed = Cause.findErrorOption(cause)
      if (failed._tag === "Some") return Effect.fail(failed.value)
      // The switch runs on with what it has; whoever asked is told.
      if (Cause.hasDies(cause)) return Effect.fail(new CommandFailed({ exit: "defect", says: defectText(cause) }))
      return Effect.interrupt
    }),
    Effect.tapError(({ says }) =>
      Effect.logError(
        `reload${request.isDry ? " (dry run)" : ""} by ${request.user} refused: ${says.replaceAll("\n", " ")}`
      )
    )
  )

const attempt = (
  inForce: InForce,
  running: Switch.Running,
  { user, isDry }: Request
): Effect.Effect<ReloadReport, CommandFailed, Path.Path | Journal | Credentials> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const from = clock.currentTimeMillisUnsafe()
    const next = yield* reread(inForce)
    const plan = planOf(inForce.configuration, next)
    if (plan.restart.length > 0) {
      return yield* refused(`A running switch cannot change this, restart needed: ${plan.restart.join(", ")}.`)
    }
    yield* Effect.mapError(Certificates.readAll(next.settings), (wrong) => refused(failedBy(wrong).says))
    const warnings = next.warnings.map((warning) => problemText(next.file, warning))
    const report = (applied: boolean, unfinished: ReloadReport["unfinished"]): ReloadReport => ({
      applied,
      ...plan,
      warnings,
      unfinished,
      tookMs: clock.currentTimeMillisUnsafe() - from
    })
    const asRefused = Effect.mapError((failed: { readonly says: string }) => refused(failed.says, "bad"))
    if (isDry) return yield* Effect.as(asRefused(running.check(next.settings)), report(false, []))
    ;(yield* Journal).learn(next.journal.dialects)
    const { drainTimeoutMs } = inForce.configuration
    const unfinished = yield* asRefused(running.reload(next.settings, user, drainTimeoutMs))
    inForce.configuration = next
    yield* Certificates.reload
    yield* Effect.logInfo(`reloaded by ${user}: ${isEmpty(plan) ? "nothing changed" : planWords(plan)}`)
    return report(true, unfinished)
  })

const planWords = ({ added, changed, removed, groups, routes, limits }: Plan): string =>
  [
    `links added ${added.length}, changed ${changed.length}, removed ${removed.length}`,
    `groups changed ${groups.length}`,
    `routes changed ${routes.length}`,
    `limits changed ${limits.length}`
  ].join("; ")
