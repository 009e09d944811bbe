/** `jinka owners` and `jinka yield`: which node runs a switch whose journal is in PostgreSQL, and how another one comes to. */
import { Console, Effect, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { load, loadPostgres } from "../Configuration.ts"
import { ask } from "../control/ControlCall.ts"
import { DrainReport } from "../control/Report.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { type OwnerRow, ownersOf, releaseSwitch } from "../owner/OwnerRows.ts"
import { asJson, socketOf, whichSwitch } from "./Asked.ts"
import { configurationFile } from "./RunCommand.ts"

const release = Flag.Boolean("release").pipe(
  Flag.withDescription(
    "Let nodes take this file's switch over again, which its owner has stopped because PostgreSQL has lost acknowledged groups: after a restore, or when the loss is accepted"
  ),
  Flag.withDefault(false),
  Flag.withoutNegation
)

/** `jinka owners FILE`. */
export const owners = Command.make(
  "owners",
  { file: configurationFile, release, json: asJson },
  ({ file, json, release }) =>
    Effect.gen(function* () {
      const configuration = yield* load(file)
      const postgres = yield* loadPostgres(configuration)
      if (postgres === undefined) return yield* new CommandFailed({ exit: "usage", says: onThisMachine })
      if (release && !(yield* releaseSwitch(Redacted.value(postgres.place)))) {
        return yield* new CommandFailed({ exit: "bad", says: "Its owner has not stopped it: nothing was changed." })
      }
      const rows = yield* ownersOf(Redacted.value(postgres.place))
      yield* Console.log(json ? JSON.stringify(rows) : ownersText(rows))
    }).pipe(Effect.mapError(failedBy))
).pipe(
  Command.withDescription(
    "Asks PostgreSQL which node runs each switch that keeps its journal there: the owner, since when, its epoch, how long ago its last beat was, and which nodes stand by. Works from any node, whether a switch runs there or not."
  ),
  Command.withShortDescription("Show which node runs which switch"),
  Command.withExamples([
    { command: "jinka owners switch.yaml", description: "Who runs what, and who would take over" },
    { command: "jinka owners switch.yaml --json", description: "For a script: one JSON array; times in seconds" }
  ])
)

const onThisMachine =
  "This switch has its journal on this machine (no `journal.postgres`): no other node can have it. `jinka status` shows it."

const reason = Flag.String("reason").pipe(
  Flag.withDescription("Why, for the journal: up to 120 plain characters, without a run of 8 digits")
)

/** `jinka yield FILE`. */
export const yieldTo = Command.make("yield", { ...whichSwitch, reason, json: asJson }, ({ json, reason, ...which }) =>
  Effect.gen(function* () {
    const report = yield* ask(yield* socketOf(which), "POST", "/yield", DrainReport, { reason })
    const { unfinished } = report
    const left =
      unfinished.length === 0
        ? "nothing was left open"
        : `${unfinished.length} requests had not ended: the next owner ends them, and reverses what is money`
    yield* Console.log(json ? JSON.stringify(report) : `handed over; ${left}. This node stands by`)
  })
).pipe(
  Command.withDescription(
    "Hands a running switch over to a node that stands by: no new requests, up to `drainTimeout` for what is outstanding, sign-off, end of all links; then the other node takes over within a second, and this one stands by. Refused when no other node stands by. Who asked and why is in the journal."
  ),
  Command.withShortDescription("Hand a switch over to another node"),
  Command.withExamples([
    { command: 'jinka yield switch.yaml --reason "kernel update"', description: "Before maintenance of this machine" }
  ])
)

const seconds = (value: number | null): string => {
  if (value === null) return "?"
  if (value < 120) return `${value.toFixed(1)} s`
  return value < 7200 ? `${Math.round(value / 60)} min` : `${Math.round(value / 3600)} h`
}

/** One line a switch. */
const ownersText = (rows: ReadonlyArray<OwnerRow>): string =>
  rows.length === 0 ? "no switch keeps its journal there" : rows.map(ownerText).join("\n")

const ownerText = ({ epoch, halted, node, silent, since, standbys, switch: name }: OwnerRow): string => {
  const owner =
    node === null ? "no owner" : `node ${node} for ${seconds(since)}, epoch ${epoch}, last beat ${seconds(silent)} ago`
  const others = standbys.map((one) => `${one.node} (looked ${seconds(one.silent)} ago)`)
  const stopped = halted === null ? "" : `; ! stopped until a person decides: ${halted}`
  return `${name}: ${owner}${stopped}; ${others.length === 0 ? "! nobody stands by" : `stands by: ${others.join(", ")}`}`
}
