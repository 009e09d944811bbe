/** `jinka journal verify`, `anchor`, `summary` and `new`; its other acts have files of their own. */
import { Clock, Console, Effect, FileSystem, Option, Stdio } from "effect"
import { Command, Flag } from "effect/cli"
import { fileWords } from "../../journal/FileWords.ts"
import { type Head, headsIn } from "../../journal/Head.ts"
import type { Unopened } from "../../journal/JournalStore.ts"
import { counted } from "../Counted.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { journalPlace } from "../JournalPlace.ts"
import { type SummaryLine, type SummaryTotals, summarize } from "../Summary.ts"
import { asJson } from "./Asked.ts"
import { archive, backup, exportJournal, restore } from "./BackupCommand.ts"
import { makeLines } from "./Lines.ts"
import { accept } from "./LossCommand.ts"
import { postgres } from "./PostgresCommand.ts"
import { fileOrDirectory } from "./TraceCommand.ts"

/** Entries between two lines of progress. */
const PROGRESS_ENTRIES = 100_000
const anchorFlag = Flag.String("anchor").pipe(
  Flag.withDescription(
    "An anchor that was kept elsewhere (`jinka-anchor:...`), or a file that holds some, such as a log: the journal must hold what each of them says"
  ),
  Flag.optional
)

const verify = Command.make("verify", { place: fileOrDirectory, anchor: anchorFlag }, ({ place, anchor }) =>
  Effect.gen(function* () {
    const { open, directory } = yield* journalPlace(place)
    const { heads, corrupt } = Option.isNone(anchor) ? none : yield* headsOf(anchor.value)
    const journal = yield* open("checked")
    for (const note of journal.recovered.notes) yield* Console.error(`jinka: ${note}`)
    const isSeen = yield* (yield* Stdio.Stdio).stderrIsTerminal
    const { lastSeq } = journal.recovered
    const screen = yield* Console.Console
    let next = PROGRESS_ENTRIES
    const verification = yield* Effect.mapError(
      journal.verify((seq) => {
        if (!isSeen || seq < next) return
        next = seq + PROGRESS_ENTRIES
        screen.error(`verified ${seq} of ${lastSeq} entries (${Math.floor((100 * seq) / lastSeq)} %)`)
      }),
      failedBy
    )
    const { entries, from, groups, bad, unopened } = verification
    if (bad !== undefined) {
      const says = `${directory}: entry ${bad.seq} is not as it was written: ${bad.why}. ${keepIt}`
      return yield* new CommandFailed({ exit: "bad", says })
    }
    for (const head of heads) {
      const fault = yield* Effect.mapError(journal.faultOf(head), failedBy)
      if (fault === undefined) continue
      const says = `${directory}: the anchor of entry ${head.seq} does not fit this journal: ${fault}. ${keepIt}`
      return yield* new CommandFailed({ exit: "bad", says })
    }
    if (unopened.length > 0) return yield* new CommandFailed({ exit: "bad", says: unprovedText(directory, unopened) })
    const dropped = heads.filter(({ seq }) => seq < from - 1).length
    const agreed =
      heads.length === dropped
        ? ""
        : `; ${counted(heads.length - dropped, "anchor kept elsewhere agrees", "anchors kept elsewhere agree")}`
    const gone =
      dropped === 0 ? "" : `; ${counted(dropped, "is", "are")} of entries that were dropped (verify their archive)`
    const unread =
      corrupt === 0 ? "" : `; ${counted(corrupt, "anchor is", "anchors are")} not whole, and nothing is known by that`
    const begins =
      from === 1 ? "" : ` (from entry ${from} on: what was before it was dropped, and its last hash is kept)`
    const there = `${counted(entries - from + 1, "entry", "entries")} in ${counted(groups, "group", "groups")}`
    yield* Console.log(`good: ${there}, every one as it was written${begins}${agreed}${gone}${unread}`)
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Recomputes the hash chain over every entry that is there, and checks with the journal's key that nobody else wrote it. Without the key it says what it could not prove, and ends with 1. With --anchor an older copy of the whole journal is found, too. Reads only. The switch must not run; use a copy of the journal otherwise. A journal in PostgreSQL is verified from any node, while its switch runs."
  ),
  Command.withShortDescription("Verify every entry of a journal"),
  Command.withExamples([
    { command: "jinka journal verify switch.yaml", description: "After trouble with the disk, or for an audit" },
    {
      command: "jinka journal verify switch.yaml --anchor switch.log",
      description: "Against the anchors in the switch's log"
    }
  ])
)

const keepIt = "Keep the directory as it is; docs/reference/errors.md says how to go on (Corrupt)."

const unprovedText = (directory: string, unopened: ReadonlyArray<Unopened>): string => {
  const parts = unopened.map(
    ({ keyId, groups, from, to }) => `entries ${from} to ${to} (${groups} groups) need the key ${keyId}`
  )
  return `${directory}: not proved: ${parts.join("; ")}, which was not given. Every hash fits, but anybody can compute hashes again: give the key (\`key\` and \`previousKeys\`, or JINKA_JOURNAL_KEY with a directory) and verify again.`
}

/** Anchors that somebody kept; and how many were cut, or covered on their way, so that they cannot be read. */
interface KeptAnchors {
  readonly heads: ReadonlyArray<Head>
  readonly corrupt: number
}

const none: KeptAnchors = { heads: [], corrupt: 0 }

/** The anchors of an argument: itself, or those in the file that it names. */
const headsOf = Effect.fnUntraced(function* (
  argument: string
): Effect.fn.Return<KeptAnchors, CommandFailed, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const isWord = argument.startsWith("jinka-anchor:")
  const text = isWord
    ? argument
    : yield* Effect.mapError(
        files.readFileString(argument),
        (failed) => new CommandFailed({ exit: "usage", says: `--anchor ${argument}: ${fileWords(failed.reason)}.` })
      )
  const heads = headsIn(text)
  if (heads.length > 0) return { heads, corrupt: text.split("jinka-anchor:").length - 1 - heads.length }
  const says = isWord
    ? "--anchor: this is not a whole anchor. One looks like jinka-anchor:4:JOURNAL:SEQ:HASH:TAG, in one piece."
    : `--anchor ${argument}: there is no anchor in this file. One looks like jinka-anchor:4:JOURNAL:SEQ:HASH:TAG.`
  return yield* new CommandFailed({ exit: "usage", says })
})

const anchor = Command.make(
  "anchor",
  {
    place: fileOrDirectory,
    append: Flag.String("append").pipe(
      Flag.withDescription("Write it behind what this file holds, with the time, in place of printing it"),
      Flag.optional
    )
  },
  ({ place, append }) =>
    Effect.gen(function* () {
      const word = yield* (yield* journalPlace(place)).anchor
      if (Option.isNone(append)) return yield* Console.log(word)
      const files = yield* FileSystem.FileSystem
      const at = new Date(yield* Clock.currentTimeMillis).toISOString()
      yield* files
        .writeFileString(append.value, `${at} ${word}\n`, { flag: "a", mode: 0o600 })
        .pipe(
          Effect.mapError(
            ({ reason }) =>
              new CommandFailed({ exit: "usage", says: `--append ${append.value}: ${fileWords(reason)}.` })
          )
        )
    })
).pipe(
  Command.withDescription(
    "Says how far a journal has come, as one word that only the holder of its key can make: journal, last entry, its hash, and a tag. Kept on another machine, it shows later (`jinka journal verify --anchor`) that the journal is neither an older copy nor rewritten. The switch may run; it also logs its anchor at the start, every hour and at the end."
  ),
  Command.withShortDescription("Say how far a journal has come, to be kept elsewhere"),
  Command.withExamples([
    { command: "jinka journal anchor switch.yaml", description: "For a mail, a ticket, a printed list" },
    {
      command: "jinka journal anchor switch.yaml --append /mnt/archive/anchors.txt",
      description: "Every few minutes from cron"
    }
  ])
)

const summary = Command.make("summary", { place: fileOrDirectory, json: asJson }, ({ place, json }) =>
  Effect.gen(function* () {
    const { open, dialects } = yield* journalPlace(place)
    const journal = yield* open("unused")
    const { add, print } = yield* makeLines()
    const each = (line: SummaryLine) => add(json ? JSON.stringify(line) : lineText(line))
    const totals = yield* Effect.mapError(summarize(journal, dialects, each, print), failedBy)
    yield* print
    // With --json standard output has exchanges only, so that it can be read as a table.
    yield* json ? Console.error(JSON.stringify({ totals })) : Console.log(totalsText(totals))
  }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Prints one line for each exchange in the journal: what it was, how it ended, its reversal; and the sums. With --json one JSON object a line on standard output, and the sums on standard error. The switch must not run, unless the journal is in PostgreSQL."
  ),
  Command.withShortDescription("List every exchange of a journal and how it ended"),
  Command.withExamples([
    { command: "jinka journal summary switch.yaml", description: "For people" },
    { command: "jinka journal summary switch.yaml --json > exchanges.jsonl", description: "For reconciliation" }
  ])
)

const begin = Command.make("new", { place: fileOrDirectory }, ({ place }) =>
  Effect.gen(function* () {
    const { begin } = yield* journalPlace(place)
    yield* Console.log(yield* begin)
  })
).pipe(
  Command.withDescription(
    "Begins a new journal in a directory whose journal is gone, where an index, a write-ahead log or a control socket shows that there was one: a switch refuses to start there (`Gone`). What was open in the old journal is forgotten: restore it instead whenever you can. The first entry records that. Where the journal is in PostgreSQL and that has another one or none, what this node knows of the earlier one (journal.head) is put aside. A first start in an empty directory does not need this command."
  ),
  Command.withShortDescription("Begin a new journal where an earlier one is gone"),
  Command.withExamples([
    { command: "jinka journal new switch.yaml", description: "After the old directory was moved away in part" }
  ])
)

/** `jinka journal`. */
export const journal = Command.make("journal").pipe(
  Command.withDescription(
    "Reads, verifies, exports, copies and archives a journal. Some of these need a switch that is stopped; each command says so."
  ),
  Command.withShortDescription("Look at a journal"),
  Command.withSubcommands([verify, anchor, summary, exportJournal, backup, archive, restore, begin, accept, postgres])
)

const lineText = (line: SummaryLine): string => {
  const at = new Date(line.at).toISOString().replace("T", " ").slice(0, 23)
  const way = [line.link || "switch", line.target].filter((name) => name !== "").join(" to ")
  const end = [line.end, line.code, line.reason].filter((part) => part !== "").join(" ")
  const related = [
    ...(line.reversal === null ? [] : [`${reversalWords[line.reversalEnd ?? "Open"]} ${line.reversal}`]),
    ...(line.late === "" ? [] : [`approved too late with ${line.late}`]),
    ...(line.about === null ? [] : [`reverses ${line.about}`]),
    ...(line.inDoubt ? [line.closed === "" ? "IN DOUBT" : `ended: ${line.closed}`] : [])
  ]
  return [line.exchange, at, line.mti, `STAN ${line.stan}`, `RRN ${line.rrn}`, way, end, ...related].join("  ")
}

/** What is said before the number of a reversal. */
const reversalWords: Readonly<Record<NonNullable<SummaryLine["reversalEnd"]>, string>> = {
  Acknowledged: "reversed by",
  Abandoned: "reversal abandoned:",
  Declined: "reversal declined:",
  Open: "reversal open:"
}

const totalsText = (totals: SummaryTotals): string => {
  const { exchanges, requests, deliveries, ends, reversed, unreversed, inDoubt } = totals
  const sums = Object.entries(ends).map(([end, count]) => `${end} ${count}`)
  const counts = [
    [totals.reversalAbandoned, "reversal abandoned"],
    [totals.reversalDeclined, "reversal declined"],
    [totals.reversalOpen, "reversal open"],
    [unreversed, "without a reversal"],
    [inDoubt, "in doubt until a person ends it"],
    [
      totals.lateApproved,
      `approved too late (${totals.lateUneven === 0 ? "all" : `all but ${totals.lateUneven}`} even)`
    ]
  ] as const
  const others = counts.filter(([count]) => count > 0).map(([count, what]) => `, ${what} ${count}`)
  return `${exchanges} exchanges: ${requests} requests, ${deliveries} deliveries; ${sums.join(", ")}; reversed ${reversed}${others.join("")}`
}
