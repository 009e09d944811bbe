/** `jinka audit`: who did what and why, out of the journal. */
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type AuditReport, AuditReport as AuditSchema, auditOf } from "../admin/Audit.ts"
import { ask } from "../control/ControlCall.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { asJson, whichSwitch } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"
import { fileOrDirectory } from "./TraceCommand.ts"

const before = Flag.Int("before").pipe(
  Flag.withDescription("Older ones: those in front of this entry of the journal, as the last line says it"),
  Flag.optional
)

/** `jinka audit FILE_OR_DIR`. */
export const audit = Command.make(
  "audit",
  { place: Argument.optional(fileOrDirectory), control: whichSwitch.control, before, json: asJson },
  ({ before: given, control, json, place }) =>
    Effect.gen(function* () {
      const end = Option.getOrElse(given, () => 0)
      if (end < 0) return yield* new CommandFailed({ exit: "usage", says: "--before is the number of an entry." })
      const report = yield* eitherWay(
        place,
        control,
        (socket) => ask(socket, "GET", `/audit?before=${end}`, AuditSchema),
        ({ open }) =>
          Effect.scoped(
            Effect.flatMap(open("unused"), ({ recovered: { lastSeq, names }, scan }) =>
              Effect.mapError(auditOf({ scan, names, next: lastSeq + 1 }, end), failedBy)
            )
          )
      )
      yield* Console.log(json ? JSON.stringify(report) : auditText(report))
    })
).pipe(
  Command.withDescription(
    "Shows what persons did, newest first: when, who, on which link, with what result, and why in their own words. Asks the running switch; when none runs, reads the journal itself. It reads 50000 entries of the journal at a time; the last line says how to see older ones."
  ),
  Command.withShortDescription("Show who did what, and why"),
  Command.withExamples([
    { command: "jinka audit switch.yaml", description: "What was done tonight?" },
    { command: "jinka audit switch.yaml --before 40000 --json", description: "Older ones, for a script" }
  ])
)

const auditText = ({ acts, before: older }: AuditReport): string =>
  [...acts.map(actText), older === 0 ? "that is all since the journal began" : `older ones: --before ${older}`].join(
    "\n"
  )

const actText = ({ at, link, seq, user, what, why }: AuditReport["acts"][number]): string =>
  [
    `${new Date(at).toISOString().replace("T", " ").slice(0, 19)}  ${user}${link === "" ? "" : `  ${link}`}  entry ${seq}`,
    `  ${what}`,
    ...(why === "" ? [] : [`  because: ${why}`])
  ].join("\n")
