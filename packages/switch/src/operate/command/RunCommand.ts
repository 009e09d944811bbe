/** `jinka run` and `jinka check`: a switch from its configuration file, and whether that file is good. */
import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { load, loadAdmin, loadAlarms, loadKeys, loadModule } from "../Configuration.ts"
import { configurationText } from "../ConfigurationText.ts"
import { problemText } from "../configuration/text/Problem.ts"
import { failedBy } from "../Exit.ts"
import { letHeapGrow } from "../HeapGrowth.ts"
import * as Log from "../Log.ts"

/** The argument that every command about one switch takes. */
export const configurationFile = Argument.String("file").pipe(
  Argument.withDescription("The configuration, a YAML file (docs/reference/configuration.md)")
)

/** The switch itself is loaded to be run: every other command starts in two thirds of the time without it. */
const loadedSwitch = Effect.promise(() => {
  letHeapGrow()
  return import("../Run.ts")
})

/** `jinka run FILE`. */
export const run = Command.make(
  "run",
  {
    file: configurationFile,
    log: Flag.Literals("log", Log.logForms).pipe(
      Flag.withDescription("Form of the log on standard error: text for people (the default), json for collectors"),
      Flag.withDefault("text")
    )
  },
  ({ file, log }) => Effect.flatMap(loadedSwitch, ({ run }) => run(file)).pipe(Effect.provide(Log.layer(log)))
).pipe(
  Command.withDescription(
    "Runs a switch until SIGTERM, SIGINT or `jinka stop`. It then takes no new requests, waits for what is outstanding, and ends with 0. " +
      "Standard output has two lines of JSON: `ready` when everything listens, `stopped` with the final counts."
  ),
  Command.withShortDescription("Run a switch"),
  Command.withExamples([
    { command: "jinka run switch.yaml", description: "Run in the foreground; Ctrl-C stops it in order" },
    { command: "jinka run switch.yaml --log json 2>> switch.log", description: "Log as JSON lines into a file" },
    { command: "jinka run switch.yaml --log-level warn", description: "Log only what somebody should look at" }
  ])
)

/** `jinka check FILE`. */
export const check = Command.make("check", { file: configurationFile }, ({ file }) =>
  Effect.gen(function* () {
    const configuration = yield* load(file)
    yield* loadKeys(configuration)
    yield* loadAdmin(configuration)
    yield* loadAlarms(configuration)
    yield* loadModule(configuration)
    yield* Console.log(configurationText(configuration))
    for (const warning of configuration.warnings) yield* Console.log(problemText(file, warning))
  }).pipe(Effect.mapError(failedBy))
).pipe(
  Command.withDescription(
    "Reads a configuration as `run` would, opens nothing, and prints what it says: links, who dials, routes, warnings. All errors are shown at once, each with its line and what to write instead; then the exit code is 2."
  ),
  Command.withShortDescription("Check a configuration"),
  Command.withExamples([{ command: "jinka check switch.yaml", description: "Before every start after a change" }])
)
