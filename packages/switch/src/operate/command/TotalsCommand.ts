/** `jinka totals`: how many transactions and how much, by business day. */
import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ask } from "../control/ControlCall.ts"
import { CommandFailed } from "../Exit.ts"
import type { JournalPlace } from "../JournalPlace.ts"
import { totals as totalsOf } from "../totals/Totals.ts"
import { BusinessDate, TotalsReport } from "../totals/TotalsReport.ts"
import { totalsText } from "../totals/TotalsText.ts"
import { asJson, whichSwitch } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"
import { fileOrDirectory } from "./TraceCommand.ts"

/** `jinka totals FILE_OR_DIR`. */
export const totals = Command.make(
  "totals",
  {
    place: Argument.optional(fileOrDirectory),
    control: whichSwitch.control,
    date: Flag.String("date").pipe(
      Flag.withDescription("The business day, like 2026-11-28. When left out: all that the journal holds"),
      Flag.optional
    ),
    json: asJson
  },
  ({ place, control, date: given, json }) =>
    Effect.gen(function* () {
      const date = Option.getOrUndefined(given)
      if (date !== undefined && !Schema.is(BusinessDate)(date))
        return yield* new CommandFailed({ exit: "usage", says: "--date is a business day like 2026-11-28." })
      const query = date === undefined ? "" : `?date=${date}`
      const report = yield* eitherWay(
        place,
        control,
        (socket) => ask(socket, "GET", `/totals${query}`, TotalsReport),
        (found) => offline(found, date)
      )
      yield* Console.log(json ? JSON.stringify(report) : totalsText(report))
    })
).pipe(
  Command.withDescription(
    "Sums up the journal by business day, link and type of transaction: approved and reversed, declined, of unknown outcome, still open; each as count and amount. The day is the settlement date of the answer. When the answer has none, it is the link's business day, which the partner's cut-over messages move. A day is closed when its partner has gone on to the next one and nothing of it is open or unknown. Asks the running switch; when none runs, reads the journal itself."
  ),
  Command.withShortDescription("Count and amount by business day"),
  Command.withExamples([
    { command: "jinka totals switch.yaml --date 2026-11-28", description: "To compare with the partner's file" },
    { command: "jinka totals switch.yaml --json", description: "For a script" }
  ])
)

const offline = ({ open, dialects }: JournalPlace, date: string | undefined) =>
  Effect.scoped(
    Effect.flatMap(open("unused"), (journal) =>
      totalsOf({ ...journal, names: () => journal.recovered.names }, dialects, date)
    ).pipe(
      Effect.catchTag("JournalError", (error) =>
        Effect.fail(new CommandFailed({ exit: "journal", says: error.message }))
      )
    )
  )
