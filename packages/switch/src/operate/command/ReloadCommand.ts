/** `jinka reload`: a running switch takes its changed configuration file. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { ask } from "../control/ControlCall.ts"
import { ReloadReport } from "../control/Report.ts"
import { asJson, because, reason, socketOf, whichSwitch } from "./Asked.ts"

const dryRun = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Say what would change and whether it could be done now; change nothing"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** `jinka reload FILE`. */
export const reload = Command.make(
  "reload",
  { ...whichSwitch, dryRun, reason, json: asJson },
  ({ dryRun: isDry, json, reason: why, ...which }) =>
    Effect.gen(function* () {
      const socket = yield* socketOf(which)
      const report = yield* ask(socket, "POST", "/reload", ReloadReport, { dryRun: isDry, ...because(why) })
      yield* Console.log(json ? JSON.stringify(report) : reloadText(report))
    })
).pipe(
  Command.withDescription(
    "Lets a running switch read its configuration file again. A file with an error, a change that needs a restart, or a link that cannot be given up yet refuses the whole of it, with all reasons and with nothing changed. Otherwise links that did not change keep their connections and their exchanges; removed and changed ones are drained (`drainTimeout`), closed, and rebuilt; links, groups, routes, doors and limits change in one turn, so every message meets the old configuration whole or the new one whole. A door that moves listens at its new address before it gives up the old one; connections that came in by it stay. `admin` changes too, with its users and their tokens. What came of it is in the journal with your name and --reason, also when it was refused. SIGHUP does the same."
  ),
  Command.withShortDescription("Take a changed configuration without a restart"),
  Command.withExamples([
    { command: "jinka reload switch.yaml --dry-run", description: "What would it do?" },
    { command: 'jinka reload switch.yaml --reason "new route, case 12"', description: "Do it" },
    { command: "kill -HUP $PID", description: "The same; the outcome is in the log" }
  ])
)

const listed = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]

const reloadText = (report: ReloadReport): string => {
  const { added, admin, changed, doors, removed, groups, routes, limits, unchanged, unfinished, warnings } = report
  const { applied, tookMs } = report
  const lists = [added, changed, removed, groups, routes, limits, doors, admin]
  const count = lists.reduce((sum, { length }) => sum + length, 0)
  return [
    count === 0
      ? "nothing to change"
      : applied
        ? `reloaded in ${(tookMs / 1000).toFixed(1)} s`
        : "would change this; nothing was changed:",
    ...listed("links added", added),
    ...listed("links removed: drained and closed", removed),
    ...listed(
      "links changed: drained, closed and rebuilt",
      changed.map(({ name, what }) => `${name}: ${what.join("; ")}`)
    ),
    ...listed("groups", groups),
    ...listed("routes", routes),
    ...listed("limits", limits),
    ...listed("doors", doors),
    ...listed("the operators' listener", admin),
    `${unchanged} ${unchanged === 1 ? "link keeps its" : "links keep their"} connection`,
    ...listed(
      "requests that had not ended when their link was closed",
      unfinished.map(({ exchange, link, outcome }) => `exchange ${exchange} on ${link}: ${outcome}`)
    ),
    ...warnings
  ].join("\n")
}
