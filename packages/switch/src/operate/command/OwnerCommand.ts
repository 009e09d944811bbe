/** `jinka owners` and `jinka yield`: which node runs a switch whose journal is in PostgreSQL, and how another one comes to. */
import { Console, Effect, Option, Redacted, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { type Configuration, type ConfigurationInvalid, load, loadPostgres, postgresOfDraft } from "../Configuration.ts"
import { counted } from "../Counted.ts"
import type { PostgresSettings } from "../configuration/journal/PostgresPlan.ts"
import { ask } from "../control/ControlCall.ts"
import { Reason } from "../control/Reason.ts"
import { DrainReport } from "../control/Report.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { nodeAt, runs } from "../owner/NodeAt.ts"
import { type OwnerRow, ownersOf } from "../owner/OwnerRows.ts"
import { releaseStopped } from "../owner/Stopped.ts"
import { asJson, socketOf, whichSwitch, whoAsks } from "./Asked.ts"
import { configurationFile } from "./RunCommand.ts"

const release = Flag.Boolean("release").pipe(
  Flag.withDescription(
    "Let nodes take this switch over again, after its owner stopped because PostgreSQL had lost acknowledged groups and these are restored. Needs --reason; your name and the reason are in the journal before any node goes on"
  ),
  Flag.withDefault(false),
  Flag.withoutNegation
)

const releaseReason = Flag.String("reason").pipe(
  Flag.withDescription("With --release: why, for the journal; up to 120 ASCII characters, without a run of 8 digits"),
  Flag.optional
)

const failed = (says: string, exit: "bad" | "usage" = "bad"): CommandFailed => new CommandFailed({ exit, says })

/** `jinka owners FILE`. */
export const owners = Command.make(
  "owners",
  { file: configurationFile, release, reason: releaseReason, json: asJson },
  ({ file, json, reason, release }) =>
    Effect.gen(function* () {
      const given = yield* Effect.result(load(file))
      const postgres = Result.isSuccess(given) ? yield* loadPostgres(given.success) : yield* beside(given.failure)
      if (postgres === undefined) return yield* failed(onThisMachine, "usage")
      if (release) {
        const seq = yield* released(yield* Effect.fromResult(given), postgres, reason)
        if (!json) yield* Console.log(releasedText(seq))
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
    { command: "jinka owners switch.yaml --json", description: "For a script: one JSON array; times in seconds" },
    {
      command: 'jinka owners switch.yaml --release --reason "missing WAL is restored, case 12"',
      description: "Let nodes go on that were stopped"
    }
  ])
)

/** Where PostgreSQL is by a file whose mistakes are elsewhere: who runs what can be asked all the same. */
const beside = Effect.fnUntraced(function* (invalid: ConfigurationInvalid) {
  const postgres = yield* postgresOfDraft(invalid)
  if (postgres === undefined) return yield* invalid
  yield* Console.error(
    `${invalid.file} has mistakes, which \`jinka check\` shows; none of them is about where its journal is.`
  )
  return postgres
})

/** Releases the switch of a file, on this node; the entry of its journal that says so. */
const released = Effect.fnUntraced(function* (
  configuration: Configuration,
  postgres: PostgresSettings,
  reason: Option.Option<string>
) {
  if (Option.isNone(reason) || !Schema.is(Reason)(reason.value)) return yield* failed(reasonRule, "usage")
  const at = yield* nodeAt(configuration, postgres)
  const ended = yield* releaseStopped(at, yield* whoAsks(at.directory), reason.value)
  if (ended._tag === "free") return yield* failed("Its owner has not stopped it: nothing was changed.")
  if (ended._tag === "run") return yield* failed(`${runs(ended.row, at.place.node)} ${stopFirst}`)
  return ended.seq
})

const reasonRule =
  "--release needs --reason: 1 to 120 ASCII characters without a run of 8 digits, for the journal. Nothing was changed."

const stopFirst = "A switch that was stopped is released while no node runs it: stop it there first (`jinka stop`)."

const releasedText = (seq: number): string =>
  `released: entry ${seq} of the journal has your name and the reason; nodes may take the switch over again`

const onThisMachine =
  "This switch has its journal on this machine (no `journal.postgres`): no other node can have it. `jinka status` shows it."

const reason = Flag.String("reason").pipe(
  Flag.withDescription("Why, for the journal: up to 120 ASCII characters, without a run of 8 digits")
)

/** `jinka yield FILE`. */
export const yieldTo = Command.make("yield", { ...whichSwitch, reason, json: asJson }, ({ json, reason, ...which }) =>
  Effect.gen(function* () {
    const report = yield* ask(yield* socketOf(which), "POST", "/yield", DrainReport, { reason })
    const { unfinished } = report
    const left =
      unfinished.length === 0
        ? "nothing was left open"
        : `${counted(unfinished.length, "request", "requests")} had not ended: the next owner ends what is open, and reverses what is money`
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
