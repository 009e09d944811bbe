/** `jinka status` and `jinka stop`: what a running switch says, and its end. */
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { load } from "../Configuration.ts"
import { ask } from "../control/ControlCall.ts"
import { DrainReport, StatusReport } from "../control/Report.ts"
import { statusText } from "../control/StatusText.ts"
import { failedBy } from "../Exit.ts"
import { configurationFile } from "./RunCommand.ts"

/** `--json`. */
export const asJson = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON"),
  Flag.withDefault(false),
  Flag.withoutNegation
)

const socketOf = (file: string) => Effect.mapError(load(file), failedBy).pipe(Effect.map(({ socket }) => socket))

/** `jinka status FILE`. */
export const status = Command.make("status", { file: configurationFile, json: asJson }, ({ file, json }) =>
  Effect.gen(function* () {
    const report = yield* ask(yield* socketOf(file), "GET", "/status", StatusReport)
    yield* Console.log(json ? JSON.stringify(report) : statusText(report))
  })
).pipe(
  Command.withDescription(
    "Asks a running switch how its links are: state and since when, addresses, what is outstanding, why the last connection ended and what to look at; answers by code; journal entries by kind."
  ),
  Command.withShortDescription("Show a running switch's links and counters"),
  Command.withExamples([
    { command: "jinka status switch.yaml", description: "At 3 a.m." },
    { command: "jinka status switch.yaml --json", description: "For a script: one JSON object" }
  ])
)

/** `jinka stop FILE`. */
export const stop = Command.make("stop", { file: configurationFile, json: asJson }, ({ file, json }) =>
  Effect.gen(function* () {
    const report = yield* ask(yield* socketOf(file), "POST", "/drain", DrainReport)
    yield* Console.log(json ? JSON.stringify(report) : drainText(report))
  })
).pipe(
  Command.withDescription(
    "Stops a running switch in order: no new requests, up to `drainTimeout` for what is outstanding, sign-off, end. Prints what had not ended. Advices and reversals stay in the journal and go on at the next start."
  ),
  Command.withShortDescription("Drain and stop a running switch"),
  Command.withExamples([{ command: "jinka stop switch.yaml", description: "Before maintenance" }])
)

const drainText = ({ unfinished }: DrainReport): string =>
  unfinished.length === 0
    ? "stopped; nothing was left open"
    : [
        `stopped; ${unfinished.length} requests had not ended:`,
        ...unfinished.map(({ exchange, link, outcome }) => `  exchange ${exchange} on ${link}: ${outcome}`),
        "Their outcome is unknown where they were sent. What is money is reversed after the next start."
      ].join("\n")
