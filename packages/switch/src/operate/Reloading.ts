/**
 * `jinka reload` and SIGHUP: reads the configuration file again, says what changes, and lets the switch take it over, or refuses
 * the whole of it with nothing changed.
 */
import { Cause, Clock, Effect, type FileSystem, type Path } from "effect"
import { Journal } from "../journal/Journal.ts"
import type { Operator } from "../Operations.ts"
import type * as Switch from "../Switch.ts"
import type { Credentials } from "../transport/Credentials.ts"
import type { AdminListener } from "./admin/Admin.ts"
import * as Certificates from "./Certificates.ts"
import { type Configuration, type ConfigurationInvalid, loadAdmin } from "./Configuration.ts"
import { isEmpty, type Plan, planOf } from "./configuration/Plan.ts"
import { problemText } from "./configuration/text/Problem.ts"
import type { ReloadReport } from "./control/Report.ts"
import { CommandFailed, defectText, failedBy } from "./Exit.ts"
import type { ProcessEdge } from "./ProcessEdge.ts"
import { loadBeside } from "./Reading.ts"
import { reloading } from "./Supervised.ts"

/** The configuration that the switch runs with; a reload replaces it. */
export interface InForce {
  configuration: Configuration
  /** `undefined`: not begun yet. */
  admin: AdminListener | undefined
}

/** How a reload is asked for. */
export interface Request {
  readonly by: Operator
  /** Say what would change, and whether it could be done now; change nothing. */
  readonly isDry: boolean
}

/** What a reload reads and writes. */
type Needed = FileSystem.FileSystem | Path.Path | Journal | Credentials | ProcessEdge

const dryRun = "dry run of a reload"

const nothingChanged = "Nothing was changed."

const refused = (says: string, exit: "usage" | "bad" = "usage"): CommandFailed =>
  new CommandFailed({ exit, says: `${says} ${nothingChanged}` })

/** What is wrong with the file or with what it refers to: a line for each. */
const refusedBy = (invalid: ConfigurationInvalid): CommandFailed => {
  const { says, exit } = failedBy(invalid)
  return new CommandFailed({ exit, says: `${says}\n${nothingChanged}` })
}

/** Reads the file that the switch was started with once more. */
const reread = ({ configuration }: InForce) => Effect.mapError(loadBeside(configuration.file), refusedBy)

/**
 * Carries it out, or says what it would do. Fails with everything that is in the way, which is in the log too, whoever
 * asked.
 */
export const reload = (
  inForce: InForce,
  running: Switch.Running,
  request: Request
): Effect.Effect<ReloadReport, CommandFailed, Needed> =>
  reloading(attempt(inForce, running, request)).pipe(
    Effect.catchCause((cause) => {
      const failed = Cause.findErrorOption(cause)
      if (failed._tag === "Some") return Effect.fail(failed.value)
      // The switch runs on with what it has; whoever asked is told.
      if (Cause.hasDies(cause)) return Effect.fail(new CommandFailed({ exit: "defect", says: defectText(cause) }))
      return Effect.interrupt
    }),
    Effect.tap((changes) =>
      Effect.sync(() => {
        // The switch itself has noted what it did.
        if (changes.applied) return
        const would = isEmpty(changes) ? "would change nothing" : `would do: ${planWords(changes)}`
        running.operations.told(request.by, dryRun, would)
      })
    ),
    Effect.tapError(({ says }) => {
      const why = says.replaceAll("\n", " ")
      running.operations.told(request.by, request.isDry ? dryRun : "reload", `refused: ${why}`)
      return Effect.logError(`reload${request.isDry ? " (dry run)" : ""} by ${request.by.user} refused: ${why}`)
    })
  )

const attempt = (
  inForce: InForce,
  running: Switch.Running,
  { by, isDry }: Request
): Effect.Effect<ReloadReport, CommandFailed, Needed> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const from = clock.currentTimeMillisUnsafe()
    const next = yield* reread(inForce)
    const plan = yield* planOf(inForce.configuration, next)
    if (plan.restart.length > 0) {
      return yield* refused(`A running switch cannot change this, restart needed: ${plan.restart.join(", ")}.`)
    }
    yield* Effect.mapError(Certificates.readAll(next.settings), (wrong) => refused(failedBy(wrong).says))
    const admin = yield* readyAdmin(inForce, next)
    const changes: Plan = plan.admin.length > 0 || !admin.changes ? plan : { ...plan, admin: [newTokens] }
    const warnings = next.warnings.map((warning) => problemText(next.file, warning))
    const report = (applied: boolean, unfinished: ReloadReport["unfinished"]): ReloadReport => ({
      applied,
      ...changes,
      warnings,
      unfinished,
      tookMs: clock.currentTimeMillisUnsafe() - from
    })
    const asRefused = Effect.mapError((failed: { readonly says: string }) => refused(failed.says, "bad"))
    if (isDry) {
      return yield* Effect.as(
        Effect.ensuring(asRefused(running.check(next.settings)), admin.takeBack),
        report(false, [])
      )
    }
    ;(yield* Journal).learn(next.journal.dialects)
    const { drainTimeoutMs } = inForce.configuration
    const reloaded = asRefused(running.reload(next.settings, by, drainTimeoutMs))
    const unfinished = yield* Effect.onError(reloaded, () => admin.takeBack)
    yield* admin.take
    inForce.configuration = next
    running.retention.change(next.retention)
    yield* Certificates.reload
    yield* Effect.logInfo(`reloaded by ${by.user}: ${isEmpty(changes) ? "nothing changed" : planWords(changes)}`)
    return report(true, unfinished)
  })

const newTokens = "admin.users: what the tokens are"

/** The operators' listener with its tokens read again, ready to be taken with the rest. */
const readyAdmin = (inForce: InForce, next: Configuration) =>
  Effect.gen(function* () {
    const settings = yield* Effect.mapError(loadAdmin(next), refusedBy)
    if (inForce.admin === undefined) return yield* refused("The switch is still starting.", "bad")
    return yield* Effect.mapError(inForce.admin.prepare(settings), ({ cause, host, port }) =>
      refused(`admin: cannot listen on ${host}:${port}: ${cause}.`, "bad")
    )
  })

const planWords = ({ added, admin, changed, doors, removed, groups, routes, limits }: Omit<Plan, "restart">): string =>
  [
    `links added ${added.length}, changed ${changed.length}, removed ${removed.length}`,
    `groups changed ${groups.length}`,
    `routes changed ${routes.length}`,
    `limits changed ${limits.length}`,
    ...(doors.length === 0 ? [] : [`doors changed ${doors.length}`]),
    ...(admin.length === 0 ? [] : ["admin changed"])
  ].join("; ")
