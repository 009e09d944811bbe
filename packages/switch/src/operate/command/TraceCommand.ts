/** `jinka trace` and `why`: the life of one transaction, and why an answer found none. */
import { Console, Effect, Option, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { JournalError } from "../../journal/JournalError.ts"
import type { JournalReader } from "../../journal/JournalReader.ts"
import { type SearchKey, STAN_MAX } from "../../journal/JournalStore.ts"
import { ask } from "../control/ControlCall.ts"
import { CommandFailed } from "../Exit.ts"
import type { JournalPlace } from "../JournalPlace.ts"
import type { Dialects } from "../trace/Dialects.ts"
import { trace as traceJournal } from "../trace/Trace.ts"
import { TraceReport } from "../trace/TraceReport.ts"
import { traceText } from "../trace/TraceText.ts"
import { why as whyJournal } from "../trace/Why.ts"
import { WhyReport } from "../trace/WhyReport.ts"
import { whyText } from "../trace/WhyText.ts"
import { asJson, whichSwitch } from "./Asked.ts"
import { eitherWay } from "./EitherWay.ts"

/** The argument of commands that read a journal. */
export const fileOrDirectory = Argument.String("place").pipe(
  Argument.withDescription(
    "A configuration file, or the directory of a journal (a key then comes from JINKA_JOURNAL_KEY)"
  )
)

/** What a transaction is looked for by. */
const searchFlags = {
  stan: Flag.Int("stan").pipe(Flag.withDescription("System trace audit number, DE 11"), Flag.optional),
  rrn: Flag.String("rrn").pipe(Flag.withDescription("Retrieval reference number, DE 37"), Flag.optional),
  pan: Flag.String("pan").pipe(
    Flag.withDescription("Card number; `-` reads it from standard input, so that it stays out of the shell's history"),
    Flag.optional
  )
}

/** `jinka trace FILE_OR_DIR`. */
export const trace = Command.make(
  "trace",
  {
    place: Argument.optional(fileOrDirectory),
    control: whichSwitch.control,
    ...searchFlags,
    diff: Flag.Boolean("diff").pipe(
      Flag.withDescription("Both sides of each message: its bytes, covered, and every change with its reason"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    json: asJson
  },
  ({ place, control, stan, rrn, pan, diff, json }) =>
    Effect.gen(function* () {
      const key = yield* searchKey(stan, rrn, pan)
      const report = yield* found(place, control, ofTransaction(key, diff))
      if (json || report.exchanges.length > 0) yield* Console.log(json ? JSON.stringify(report) : traceText(report))
      if (report.exchanges.length === 0) {
        return yield* new CommandFailed({ exit: "bad", says: "No transaction in this journal has these keys." })
      }
    })
).pipe(
  Command.withDescription(
    "Shows the life of one transaction from the journal: every entry with its time, link and message (card data covered), its reversal and every attempt to deliver it. Asks the running switch; when none runs, reads the journal itself. Several keys must all fit."
  ),
  Command.withShortDescription("Show one transaction, step by step"),
  Command.withExamples([
    { command: "jinka trace switch.yaml --rrn 000000012345", description: "By retrieval reference number" },
    { command: "jinka trace switch.yaml --stan 4711 --json", description: "By STAN, as JSON" },
    {
      command: "jinka trace switch.yaml --stan 4711 --diff",
      description: "With what was changed between the two sides"
    },
    { command: "jinka trace /var/lib/jinka/journal --pan -", description: "By card number, typed on standard input" }
  ])
)

/** What is looked for; fails when that is nothing, or no key. */
export const searchKey = Effect.fnUntraced(function* (
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

const texts = (key: SearchKey) => Object.fromEntries(Object.entries(key).map(([name, value]) => [name, String(value)]))

/** A question about a transaction, to a running switch or to a journal that nobody has open. */
export interface Searching<A> {
  readonly asked: (socket: string) => Effect.Effect<A, CommandFailed>
  readonly offline: (journal: JournalReader, dialects: Dialects) => Effect.Effect<A, JournalError>
  /** The journal's key is needed to look for a card number. */
  readonly key: SearchKey | undefined
}

const ofTransaction = (key: SearchKey, diff: boolean): Searching<TraceReport> => ({
  key,
  asked: (socket) => ask(socket, "POST", "/trace", TraceReport, diff ? { ...texts(key), diff: "true" } : texts(key)),
  offline: (journal, dialects) =>
    traceJournal({ ...journal, names: () => journal.recovered.names }, dialects, key, diff)
})

const ofAnswers = (key: SearchKey | undefined): Searching<WhyReport> => ({
  key,
  asked: (socket) => ask(socket, "POST", "/why", WhyReport, texts(key ?? {})),
  offline: (journal, dialects) => {
    const { lastSeq, names } = journal.recovered
    return whyJournal({ ...journal, names: () => names, last: () => lastSeq }, dialects, key)
  }
})

/** The transactions with these keys, wherever they can be read. */
export const transactionsOf = (place: Option.Option<string>, control: Option.Option<string>, key: SearchKey) =>
  found(place, control, ofTransaction(key, false))

const offline = <A>({ open, dialects }: JournalPlace, searching: Searching<A>) =>
  Effect.scoped(
    Effect.flatMap(open(searching.key?.pan === undefined ? "unused" : "needed"), (journal) =>
      searching.offline(journal, dialects)
    ).pipe(
      Effect.catchTag("JournalError", (error) =>
        Effect.fail(new CommandFailed({ exit: "journal", says: error.message }))
      )
    )
  )

/** From a running switch, or from the journal of one that does not run. */
const found = <A>(place: Option.Option<string>, control: Option.Option<string>, searching: Searching<A>) =>
  eitherWay(place, control, searching.asked, (there) => offline(there, searching))

/** `jinka why FILE_OR_DIR`. */
export const why = Command.make(
  "why",
  { place: Argument.optional(fileOrDirectory), control: whichSwitch.control, ...searchFlags, json: asJson },
  ({ place, control, stan, rrn, pan, json }) =>
    Effect.gen(function* () {
      const isAny = Option.isNone(stan) && Option.isNone(rrn) && Option.isNone(pan)
      const key = isAny ? undefined : yield* searchKey(stan, rrn, pan)
      const report = yield* found(place, control, ofAnswers(key))
      if (json || report.answers.length > 0) yield* Console.log(json ? JSON.stringify(report) : whyText(report))
      if (report.answers.length === 0) {
        const says = isAny ? "Every answer has found its request." : "No late or unmatched answer has these keys."
        return yield* isAny ? Console.log(says) : new CommandFailed({ exit: "bad", says })
      }
    })
).pipe(
  Command.withDescription(
    "Says why an answer matched no open request: it was late, a second one, or unmatched. Of an unmatched one it shows which request is nearest, and which fields of the key differ. Without a STAN, RRN or card number it shows the last ten. Asks the running switch; when none runs, reads the journal itself."
  ),
  Command.withShortDescription("Why an answer found no request"),
  Command.withExamples([
    { command: "jinka why switch.yaml", description: "The last late and unmatched answers" },
    { command: "jinka why switch.yaml --stan 4711", description: "Those with this STAN, or of its exchange" }
  ])
)
