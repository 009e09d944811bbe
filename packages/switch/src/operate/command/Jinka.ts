/**
 * The `jinka` command line: its commands, its help, and what becomes of failures.
 */
import { coverTyped } from "@jinka/codec"
import { Console, Effect } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag, type HelpDoc } from "effect/cli"
import { acts } from "../../Operations.ts"
import { CommandFailed } from "../Exit.ts"
import type { ProcessEdge } from "../ProcessEdge.ts"
import { alarm } from "./AlarmCommand.ts"
import { audit } from "./AuditCommand.ts"
import { bundle } from "./BundleCommand.ts"
import { status, stop } from "./ControlCommand.ts"
import { day } from "./DayCommand.ts"
import { dialect } from "./DialectCommand.ts"
import { doctor } from "./DoctorCommand.ts"
import { health } from "./HealthCommand.ts"
import { journal } from "./JournalCommand.ts"
import { key } from "./KeyCommand.ts"
import { link } from "./LinkCommand.ts"
import { decode, encode } from "./MessageCommand.ts"
import { owners, yieldTo } from "./OwnerCommand.ts"
import { pending } from "./PendingCommand.ts"
import { type AllHelp, makeReference } from "./ReferenceCommand.ts"
import { reload } from "./ReloadCommand.ts"
import { check, run } from "./RunCommand.ts"
import { top, watch } from "./TopCommand.ts"
import { totals } from "./TotalsCommand.ts"
import { trace, why } from "./TraceCommand.ts"
import { wholeArguments, wrongFlag } from "./WholeArguments.ts"
import { wrongCall, wrongFlagCall } from "./WrongCall.ts"

/** Commands in the order of their pages. */
const paths: ReadonlyArray<string> = [
  "",
  "run",
  "check",
  "status",
  "health",
  "top",
  "watch",
  "link",
  ...acts.map((act) => `link ${act}`),
  "alarm",
  "alarm list",
  "alarm silence",
  "alarm unsilence",
  "pending",
  "pending list",
  "pending show",
  "pending retry",
  "pending hold",
  "pending release",
  "pending close",
  "day",
  "day show",
  "day cut-over",
  "day correct",
  "key",
  "key list",
  "key ask",
  "key import",
  "key retire",
  "reload",
  "stop",
  "owners",
  "yield",
  "trace",
  "totals",
  "why",
  "audit",
  "bundle",
  "decode",
  "encode",
  "doctor",
  "dialect",
  "dialect show",
  "dialect check",
  "journal",
  "journal verify",
  "journal anchor",
  "journal summary",
  "journal export",
  "journal backup",
  "journal archive",
  "journal postgres",
  "journal restore",
  "journal new",
  "journal accept-loss",
  "reference"
]

/** Asks each command for its help. */
const allHelp = (): AllHelp<Command.Environment | ProcessEdge> =>
  Effect.gen(function* () {
    const docs: Array<HelpDoc.HelpDoc> = []
    const collecting: CliOutput.Presenter = {
      present: (event) => Effect.sync(() => event._tag === "Help" && docs.push(event.helpDoc))
    }
    for (const path of paths) {
      const args = [...path.split(" ").filter(Boolean), "--help"]
      yield* Effect.ignore(Command.runWith(command, { version: "" })(args)).pipe(
        Effect.provideService(CliOutput.Presenter, collecting)
      )
    }
    return docs
  })

/** The whole command. */
export const command = Command.make("jinka").pipe(
  Command.withDescription(
    "A financial message switch: links to partners, ISO 8583 messages, a journal. Start with `jinka check` and `jinka run`."
  ),
  Command.withExamples([
    { command: "jinka check switch.yaml", description: "Is the configuration good?" },
    { command: "jinka run switch.yaml", description: "Run the switch" },
    { command: "jinka status switch.yaml", description: "How are its links?" },
    { command: "jinka trace switch.yaml --rrn 000000012345", description: "What became of this transaction?" }
  ]),
  Command.withSubcommands([
    run,
    check,
    status,
    health,
    top,
    watch,
    link,
    alarm,
    pending,
    day,
    key,
    reload,
    stop,
    owners,
    yieldTo,
    trace,
    totals,
    why,
    audit,
    bundle,
    decode,
    encode,
    doctor,
    dialect,
    journal,
    makeReference(allHelp)
  ])
)

/** Errors on the command line itself: what is wrong and where help is, on standard error. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag !== "InvalidInvocation") return CliOutput.defaultPresenter.present(event)
    const wrong = event.errors.map(wrongCall).join(" ")
    return Console.error(`jinka: ${wrong} \`${event.commandPath.join(" ")} --help\` shows how it is used.`)
  }
}

const runWhole = (version: string, whole: ReadonlyArray<string>) => {
  const flag = wrongFlag(whole)
  if (flag === undefined) return Command.runWith(command, { version })(whole)
  return Effect.fail(
    new CommandFailed({ exit: "usage", says: `${wrongFlagCall(flag)} \`jinka --help\` shows what there is.` })
  )
}

/** Runs the command line. Fails with the exit code in the error, after it was said. */
export const jinka = (version: string, args: ReadonlyArray<string>) =>
  runWhole(version, wholeArguments(args)).pipe(
    Effect.tapErrorTag("CommandFailed", ({ says }) => Console.error(said(says))),
    // An error of another kind would end the process without a word: the types let none through.
    Effect.mapError(
      (error): CommandFailed => (CliError.isCliError(error) ? new CommandFailed({ exit: "usage", says: "" }) : error)
    ),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(CliConfig.CliConfig, {
      builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
    })
  )

/** Lines that begin with a place in a file speak for themselves. */
const said = (says: string): string => (/^\S+:\d+:\d+ /.test(says) ? coverTyped(says) : `jinka: ${coverTyped(says)}`)
