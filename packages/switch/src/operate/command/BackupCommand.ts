/** `jinka journal backup`, `restore` and `export`: a journal to another place, back again, and as a table. */
import { Console, Effect, FileSystem, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { openReadOnly, restoreJournal } from "../../journal/JournalReader.ts"
import { ask } from "../control/ControlCall.ts"
import { BackupReport } from "../control/Report.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { type JournalPlace, journalPlace } from "../JournalPlace.ts"
import { type SummaryLine, summarize } from "../Summary.ts"
import { makeLines } from "./Lines.ts"
import { fileOrDirectory } from "./TraceCommand.ts"

/** Verifies a whole journal with the keys of `place`; gives its entries. */
const proved = Effect.fnUntraced(function* (directory: string, { keys }: JournalPlace) {
  const journal = yield* Effect.mapError(openReadOnly(directory, { keys: yield* keys }), failedBy)
  const { bad, entries, unopened } = yield* Effect.mapError(journal.verify(), failedBy)
  if (bad !== undefined) {
    const says = `${directory}: entry ${bad.seq} is not as it was written: ${bad.why}. Do not use this copy.`
    return yield* new CommandFailed({ exit: "bad", says })
  }
  return { entries, isProved: unopened.length === 0 }
}, Effect.scoped)

const verifiedText = ({ entries, isProved }: { readonly entries: number; readonly isProved: boolean }): string =>
  isProved
    ? `${entries} entries, every one as it was written`
    : `${entries} entries; every hash fits, and who wrote them was not proved: the key was not given`

/** `jinka journal backup PLACE TO`. */
export const backup = Command.make(
  "backup",
  {
    place: fileOrDirectory,
    to: Argument.String("to").pipe(Argument.withDescription("A directory that is empty, or not there yet"))
  },
  ({ place, to }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const files = yield* FileSystem.FileSystem
      const journal = yield* journalPlace(place)
      const directory = path.resolve(to)
      const runs = yield* Effect.orElseSucceed(files.exists(journal.socket), () => false)
      if (runs) yield* ask(journal.socket, "POST", "/backup", BackupReport, { directory })
      else {
        const source = yield* journal.open("unused")
        yield* Effect.mapError(source.backup(directory), failedBy)
      }
      const found = yield* proved(directory, journal)
      yield* Console.log(`backed up into ${directory}: ${verifiedText(found)}`)
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Copies a whole journal into a directory and verifies the copy. The switch may run: groups of entries are copied between its commits, and the copy ends with what was on disk when the last of them was copied. Card data stays sealed: the copy needs the same key. `jinka journal restore` brings it back."
  ),
  Command.withShortDescription("Copy a journal while its switch runs, and verify the copy"),
  Command.withExamples([
    { command: "jinka journal backup switch.yaml /mnt/backup/2026-11-27", description: "Every night from cron" }
  ])
)

/** `jinka journal restore FROM PLACE`. */
export const restore = Command.make(
  "restore",
  {
    from: Argument.String("from").pipe(Argument.withDescription("A directory that `jinka journal backup` has made")),
    place: fileOrDirectory
  },
  ({ from, place }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const target = yield* journalPlace(place)
      const source = path.resolve(from)
      yield* proved(source, target)
      yield* Effect.mapError(restoreJournal(source, target.directory), failedBy)
      const found = yield* proved(target.directory, target)
      yield* Console.log(`restored into ${target.directory}: ${verifiedText(found)}\n${later}`)
    })
).pipe(
  Command.withDescription(
    "Puts a backup back where no journal is, and verifies it. The switch then knows nothing of what it did after the backup: before it starts, settle with each partner what happened since (their totals, their files), because it would take a repeat for a new request, and reverse what was open at the time of the backup."
  ),
  Command.withShortDescription("Put a backup back, and verify it"),
  Command.withExamples([
    { command: "jinka journal restore /mnt/backup/2026-11-27 switch.yaml", description: "After the disk was replaced" }
  ])
)

const later =
  "What the switch did after this backup is not in it: compare with each partner's records since then before you start it."

const columns = [
  "exchange",
  "at",
  "kind",
  "mti",
  "stan",
  "rrn",
  "transmissionTime",
  "acquirer",
  "forwarder",
  "processingCode",
  "amount",
  "link",
  "target",
  "end",
  "code",
  "reason",
  "about",
  "reversal",
  "reversalEnd",
  "inDoubt",
  "closed"
] as const satisfies ReadonlyArray<keyof SummaryLine>

/** A value as RFC 4180 writes it; a text that a spreadsheet would take for a formula is one to it, too. */
const csvCell = (value: unknown): string => {
  const text = value === null || value === undefined ? "" : String(value)
  const plain = /^[=+\-@\t]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

const csvLine = (line: SummaryLine): string =>
  columns.map((column) => csvCell(column === "at" ? new Date(line.at).toISOString() : line[column])).join(",")

/** `jinka journal export PLACE`. */
export const exportJournal = Command.make(
  "export",
  {
    place: fileOrDirectory,
    form: Flag.Literals("form", ["csv", "jsonl"]).pipe(
      Flag.withDescription("csv: a table with a head (RFC 4180); jsonl: one JSON object a line"),
      Flag.withDefault("csv")
    )
  },
  ({ form, place }) =>
    Effect.gen(function* () {
      const { dialects, open } = yield* journalPlace(place)
      const journal = yield* open("unused")
      const { add, print } = yield* makeLines(form === "csv" ? [columns.join(",")] : [])
      const each = (line: SummaryLine) => add(form === "csv" ? csvLine(line) : JSON.stringify(line))
      yield* Effect.mapError(summarize(journal, dialects, each, print), failedBy)
      yield* print
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Writes every exchange of a journal on standard output, one line each: what it was, how it ended, its reversal. Card numbers are not among the columns. The switch must not run; export a backup of one that does."
  ),
  Command.withShortDescription("Every exchange as CSV or JSON lines"),
  Command.withExamples([
    { command: "jinka journal export switch.yaml > exchanges.csv", description: "For a spreadsheet" },
    { command: "jinka journal export /mnt/backup/2026-11-27 --form jsonl", description: "Of a backup, for a program" }
  ])
)
