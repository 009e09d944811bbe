/** `jinka trace`: the life of one transaction. */
import { Console, Effect, Option, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type SearchKey, STAN_MAX } from "../../journal/JournalStore.ts"
import { ask } from "../control/ControlCall.ts"
import { CommandFailed } from "../Exit.ts"
import type { JournalPlace } from "../JournalPlace.ts"
import { trace as traceJournal } from "../trace/Trace.ts"
import { TraceReport } from "../trace/TraceReport.ts"
import { traceText } from "../trace/TraceText.ts"
import { asJson, whichSwitch } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"

/** The argument of commands that read a journal. */
export const fileOrDirectory = Argument.String("place").pipe(
  Argument.withDescription(
    "A configuration file, or the directory of a journal (a key then comes from JINKA_JOURNAL_KEY)"
  )
)

/** `jinka trace FILE_OR_DIR`. */
export const trace = Command.make(
  "trace",
  {
    place: Argument.optional(fileOrDirectory),
    control: whichSwitch.control,
    stan: Flag.Int("stan").pipe(Flag.withDescription("System trace audit number, DE 11"), Flag.optional),
    rrn: Flag.String("rrn").pipe(Flag.withDescription("Retrieval reference number, DE 37"), Flag.optional),
    pan: Flag.String("pan").pipe(
      Flag.withDescription(
        "Card number; `-` reads it from standard input, so that it stays out of the shell's history"
      ),
      Flag.optional
    ),
    json: asJson
  },
  ({ place, control, stan, rrn, pan, json }) =>
    Effect.gen(function* () {
      const key = yield* searchKey(stan, rrn, pan)
      const report = yield* eitherWay(
        place,
        control,
        (socket) => asked(socket, key),
        (found) => offline(found, key)
      )
      if (json || report.exchanges.length > 0) yield* Console.log(json ? JSON.stringify(report) : traceText(report))
      if (report.exchanges.length === 0) {
        return yield* new CommandFailed({ exit: "bad", says: "No transaction in this journal has these keys." })
      }
    })
).pipe(
  Command.withDescription(
    "Tells one transaction's life from the journal: every entry with its time, link and message (card data covered), its reversal and every attempt to deliver that. Asks the running switch; when none runs, reads the journal itself. Several keys must all fit."
  ),
  Command.withShortDescription("Tell one transaction's life"),
  Command.withExamples([
    { command: "jinka trace switch.yaml --rrn 000000012345", description: "By retrieval reference number" },
    { command: "jinka trace switch.yaml --stan 4711 --json", description: "By STAN, as JSON" },
    { command: "jinka trace /var/lib/jinka/journal --pan -", description: "By card number, typed on standard input" }
  ])
)

const searchKey = Effect.fnUntraced(function* (
  stan: Option.Option<number>,
  rrn: Option.Option<string>,
  pan: Option.Option<string>
) {
  const digits = Option.isSome(pan) && pan.value === "-" ? Option.some(yield* lineOfInput) : pan
  const key: SearchKey = {
    ...(Option.isSome(stan) ? { stan: stan.value } : {}),
    ...(Option.isSome(rrn) ? { rrn: rrn.value } : {}),
    ...(Option.isSome(digits) ? { pan: digits.value } : {})
  }
  if (key.stan !== undefined && !(key.stan >= 0 && key.stan <= STAN_MAX)) {
    return yield* new CommandFailed({ exit: "usage", says: "--stan is a number of 1 to 12 digits." })
  }
  if (key.pan !== undefined && !/^\d{8,19}$/.test(key.pan)) {
    return yield* new CommandFailed({
      exit: "usage",
      says: "--pan is a card number of 8 to 19 digits, without blanks."
    })
  }
  if (Object.keys(key).length > 0) return key
  return yield* new CommandFailed({ exit: "usage", says: "Say which transaction: --stan, --rrn or --pan." })
})

const lineOfInput = Stdio.Stdio.pipe(
  Effect.flatMap(({ stdin }) => Stream.runHead(Stream.splitLines(Stream.decodeText(stdin)))),
  Effect.map(Option.match({ onNone: () => "", onSome: (line) => line.replaceAll(" ", "") })),
  Effect.mapError(() => new CommandFailed({ exit: "usage", says: "Standard input cannot be read." }))
)

const asked = (socket: string, key: SearchKey) => {
  const texts = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, String(value)]))
  return ask(socket, "POST", "/trace", TraceReport, texts)
}

const offline = ({ open, dialects }: JournalPlace, key: SearchKey) =>
  Effect.scoped(
    Effect.flatMap(open(key.pan === undefined ? "unused" : "needed"), (journal) =>
      traceJournal({ ...journal, names: () => journal.recovered.names }, dialects, key)
    ).pipe(
      Effect.catchTag("JournalError", (error) =>
        Effect.fail(new CommandFailed({ exit: "journal", says: error.message }))
      )
    )
  )
