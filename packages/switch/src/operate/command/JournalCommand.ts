/** `jinka journal verify` and `jinka journal summary`. */
import { Console, Effect, Stdio } from "effect"
import { Command } from "effect/cli"
import { CommandFailed, failedBy } from "../Exit.ts"
import { journalPlace } from "../JournalPlace.ts"
import { type SummaryLine, type SummaryTotals, summarize } from "../Summary.ts"
import { asJson } from "./Asked.ts"
import { fileOrDirectory } from "./TraceCommand.ts"

/** Entries between two lines of progress. */
const progressEntries = 100_000
/** Lines that are printed in one go. */
const linesAtOnce = 500

const verify = Command.make("verify", { place: fileOrDirectory }, ({ place }) =>
  Effect.gen(function* () {
    const { open, directory } = yield* journalPlace(place)
    const journal = yield* open(false)
    const isSeen = yield* (yield* Stdio.Stdio).stderrIsTerminal
    const { lastSeq } = journal.recovered
    const screen = yield* Console.Console
    let next = progressEntries
    const verification = yield* Effect.mapError(
      journal.verify((seq) => {
        if (!isSeen || seq < next) return
        next = seq + progressEntries
        screen.error(`verified ${seq} of ${lastSeq} entries (${Math.floor((100 * seq) / lastSeq)} %)`)
      }),
      failedBy
    )
    const { entries, groups, bad } = verification
    if (bad === undefined)
      return yield* Console.log(`good: ${entries} entries in ${groups} groups, every one as it was written`)
    const says = `${directory}: entry ${bad.seq} is not as it was written: ${bad.why}. Keep the directory as it is; docs/reference/errors.md says how to go on (Corrupt).`
    return yield* new CommandFailed({ exit: "bad", says })
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Recomputes the hash chain over every entry since the journal began. Reads only. The switch must not run; use a copy of the journal otherwise."
  ),
  Command.withShortDescription("Verify every entry of a journal"),
  Command.withExamples([
    { command: "jinka journal verify switch.yaml", description: "After a disk trouble, or for an audit" }
  ])
)

const summary = Command.make("summary", { place: fileOrDirectory, json: asJson }, ({ place, json }) =>
  Effect.gen(function* () {
    const { open, dialects } = yield* journalPlace(place)
    const journal = yield* open(false)
    const screen = yield* Console.Console
    let held: Array<string> = []
    const each = (line: SummaryLine) => {
      held.push(json ? JSON.stringify(line) : lineText(line))
      if (held.length < linesAtOnce) return
      screen.log(held.join("\n"))
      held = []
    }
    const totals = yield* Effect.mapError(summarize(journal, dialects, each), failedBy)
    if (held.length > 0) screen.log(held.join("\n"))
    // With --json standard output has exchanges only, so that it can be read as a table.
    yield* json ? Console.error(JSON.stringify({ totals })) : Console.log(totalsText(totals))
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Prints one line for each exchange in the journal: what it was, how it ended, its reversal; and the sums. With --json one JSON object a line on standard output, and the sums on standard error. The switch must not run."
  ),
  Command.withShortDescription("List every exchange of a journal and how it ended"),
  Command.withExamples([
    { command: "jinka journal summary switch.yaml", description: "For people" },
    { command: "jinka journal summary switch.yaml --json > exchanges.jsonl", description: "For reconciliation" }
  ])
)

/** `jinka journal`. */
export const journal = Command.make("journal").pipe(
  Command.withDescription("Looks at a journal whose switch does not run."),
  Command.withShortDescription("Look at a journal"),
  Command.withSubcommands([verify, summary])
)

const lineText = (line: SummaryLine): string => {
  const at = new Date(line.at).toISOString().replace("T", " ").slice(0, 23)
  const way = [line.link || "switch", line.target].filter((name) => name !== "").join(" to ")
  const end = [line.end, line.code, line.reason].filter((part) => part !== "").join(" ")
  const related = [
    ...(line.reversal === null ? [] : [`reversed by ${line.reversal}`]),
    ...(line.about === null ? [] : [`reverses ${line.about}`])
  ]
  return [line.exchange, at, line.mti, `STAN ${line.stan}`, `RRN ${line.rrn}`, way, end, ...related].join("  ")
}

const totalsText = ({ exchanges, requests, deliveries, ends, reversed }: SummaryTotals): string => {
  const sums = Object.entries(ends).map(([end, count]) => `${end} ${count}`)
  return `${exchanges} exchanges: ${requests} requests, ${deliveries} deliveries; ${sums.join(", ")}; reversed ${reversed}`
}
