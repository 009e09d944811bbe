/** `jinka journal backup`, `archive`, `restore` and `export`: a journal to another place, back again, and as a table. */
import { Clock, Console, Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { archiveInto, archivesAt, restoreArchive } from "../../journal/Archive.ts"
import { openReadOnly, restoreJournal } from "../../journal/JournalReader.ts"
import { counted } from "../Counted.ts"
import { ask } from "../control/ControlCall.ts"
import { ArchiveReport, BackupReport } from "../control/JournalReport.ts"
import { CommandFailed, failedBy } from "../Exit.ts"
import { type JournalPlace, journalPlace } from "../JournalPlace.ts"
import { type SummaryLine, summarize } from "../Summary.ts"
import { because, reason } from "./Asked.ts"
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
    ? `${counted(entries, "entry", "entries")}, every one as it was written`
    : `${counted(entries, "entry", "entries")}; every hash fits, and who wrote them was not proved: the key was not given`

/** `jinka journal backup PLACE TO`. */
export const backup = Command.make(
  "backup",
  {
    place: fileOrDirectory,
    to: Argument.String("to").pipe(Argument.withDescription("A directory that is empty, or not there yet")),
    reason
  },
  ({ place, reason: why, to }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const files = yield* FileSystem.FileSystem
      const journal = yield* journalPlace(place)
      const directory = path.resolve(to)
      const runs = yield* Effect.orElseSucceed(files.exists(journal.socket), () => false)
      if (runs) yield* ask(journal.socket, "POST", "/backup", BackupReport, { directory, ...because(why) })
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

const DAY_MS = 86_400_000

/** A day as people write it, in milliseconds since the epoch at its beginning (UTC). */
const dayOf = (flag: string, text: string): Effect.Effect<number, CommandFailed> => {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms)
    ? Effect.fail(new CommandFailed({ exit: "usage", says: `--${flag} ${text}: a day is written such as 2026-09-01.` }))
    : Effect.succeed(ms)
}

const reasonFlag = Flag.String("reason").pipe(
  Flag.withDescription("Why, for the journal: 1 to 120 ASCII characters, no run of 8 digits"),
  Flag.withDefault("no reason given")
)

const archivedText = ({ archived, dropped, files, heldBy }: ArchiveReport): string =>
  [
    ...(archived === 0 ? [] : [`archived ${counted(archived, "entry", "entries")}, verified: ${files.join(", ")}`]),
    ...(dropped === 0 ? [] : [`dropped ${counted(dropped, "entry", "entries")}; that room is free for new ones`]),
    ...(archived + dropped === 0 ? ["there is no whole day before that which may go"] : []),
    ...(heldBy === "" ? [] : [`more stays because ${heldBy}`])
  ].join("\n")

/** `jinka journal archive PLACE`. */
export const archive = Command.make(
  "archive",
  {
    place: fileOrDirectory,
    to: Flag.String("to").pipe(
      Flag.withDescription(
        "Directory of the archive, made when it is not there; left out: what is dropped is kept nowhere"
      ),
      Flag.optional
    ),
    before: Flag.String("before").pipe(
      Flag.withDescription("Days before this one (UTC), such as 2026-09-01; left out: all but the last whole day"),
      Flag.optional
    ),
    drop: Flag.Boolean("drop").pipe(
      Flag.withDescription("Drop them from the journal, too; only a running switch does"),
      Flag.withDefault(false),
      Flag.withoutNegation
    ),
    reason: reasonFlag
  },
  ({ before, drop, place, reason, to }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const files = yield* FileSystem.FileSystem
      const journal = yield* journalPlace(place)
      const now = yield* Clock.currentTimeMillis
      const end = Option.isNone(before) ? now - DAY_MS : yield* dayOf("before", before.value)
      const directory = Option.map(to, (text) => path.resolve(text))
      if (Option.isNone(directory) && !drop) {
        return yield* new CommandFailed({ exit: "usage", says: "Say what to do: --to DIRECTORY, --drop, or both." })
      }
      if (Option.isSome(directory)) yield* journal.mayBeCopied
      const runs = yield* Effect.orElseSucceed(files.exists(journal.socket), () => false)
      if (!runs && drop) {
        const says = "Only a running switch drops entries: it knows what has not ended. Start it, or leave --drop out."
        return yield* new CommandFailed({ exit: "bad", says })
      }
      const request = { before: new Date(end).toISOString().slice(0, 10), drop, reason }
      const asked = Option.isNone(directory) ? request : { ...request, directory: directory.value }
      const done = runs
        ? yield* ask(journal.socket, "POST", "/archive", ArchiveReport, asked)
        : yield* archiveOffline(journal, Option.getOrThrow(directory), Date.parse(request.before))
      yield* Console.log(archivedText(done))
    }).pipe(Effect.scoped)
).pipe(
  Command.withDescription(
    "Puts whole days of a journal into an archive: a file a day, verified and compressed, card data sealed as it was (whoever reads it needs the journal's key). With --drop they go from the journal, whose room then takes new entries. What is open, stored or in doubt is never dropped, nor anything behind it. `journal.keep` in the configuration does the same every day by itself. `jinka journal restore` reads files of an archive back."
  ),
  Command.withShortDescription("Put old days of a journal into an archive, and drop them"),
  Command.withExamples([
    { command: "jinka journal archive switch.yaml --to /mnt/archive", description: "A copy of all days but the last" },
    {
      command: 'jinka journal archive switch.yaml --to /mnt/archive --before 2026-09-01 --drop --reason "disk is full"',
      description: "Make room"
    }
  ])
)

/** Nothing is dropped, so nobody needs to know what has not ended. */
const archiveOffline = Effect.fnUntraced(function* (place: JournalPlace, directory: string, before: number) {
  const keys = yield* place.keys
  const journal = yield* place.open("needed")
  const { first, upTo } = yield* Effect.mapError(journal.extent(before, Number.MAX_SAFE_INTEGER), failedBy)
  if (upTo === 0) return { archived: 0, dropped: 0, files: [], heldBy: "" }
  const source = { backup: journal.backup, journalId: journal.recovered.journalId, keys }
  const day = new Date(before - DAY_MS).toISOString().slice(0, 10)
  const file = yield* Effect.mapError(archiveInto(source, directory, { day, first, last: upTo }), failedBy)
  return { archived: upTo - first + 1, dropped: 0, files: [file], heldBy: "" }
})

/** Makes a directory for reading of files of an archive. */
const restoreParts = Effect.fnUntraced(function* (parts: ReadonlyArray<string>, directory: string) {
  yield* Effect.mapError(restoreArchive(parts, directory), failedBy)
  const found = yield* proved(directory, yield* journalPlace(directory))
  const count = parts.length === 1 ? "1 file" : `${parts.length} files`
  yield* Console.log(`restored ${count} of an archive into ${directory}: ${verifiedText(found)}\n${readOnly}`)
})

const readOnly =
  "It is for reading: `jinka trace`, `journal verify`, `summary` and `export` take this directory, and no switch starts in it."

/** `jinka journal restore FROM PLACE`. */
export const restore = Command.make(
  "restore",
  {
    from: Argument.String("from").pipe(
      Argument.withDescription("A directory that `jinka journal backup` has made, an archive, or one file of it")
    ),
    place: fileOrDirectory,
    since: Flag.String("since").pipe(Flag.withDescription("Of an archive: from this day on"), Flag.withDefault("")),
    until: Flag.String("until").pipe(Flag.withDescription("Of an archive: up to this day"), Flag.withDefault(""))
  },
  ({ from, place, since, until }) =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      for (const [flag, day] of Object.entries({ since, until })) if (day !== "") yield* dayOf(flag, day)
      const parts = yield* Effect.mapError(archivesAt(path.resolve(from), since, until), failedBy)
      if (parts.length > 0) return yield* restoreParts(parts, path.resolve(place))
      const target = yield* journalPlace(place)
      const source = path.resolve(from)
      yield* proved(source, target)
      yield* Effect.mapError(restoreJournal(source, target.directory), failedBy)
      const found = yield* proved(target.directory, target)
      yield* Console.log(`restored into ${target.directory}: ${verifiedText(found)}\n${later}`)
    })
).pipe(
  Command.withDescription(
    "Puts a backup in place where there is no journal, and verifies it; from an archive it makes a directory for reading. A restored switch knows nothing of what happened after the backup. So before you start it, settle with each partner what happened since (by their totals and files): it would take a repeat for a new request, and reverse what was open at the time of the backup."
  ),
  Command.withShortDescription("Put a backup back, and verify it"),
  Command.withExamples([
    { command: "jinka journal restore /mnt/backup/2026-11-27 switch.yaml", description: "After the disk was replaced" },
    {
      command: "jinka journal restore /mnt/archive /tmp/august --since 2026-08-01 --until 2026-08-31",
      description: "A month of the archive, for reading"
    }
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
  "closed",
  "late"
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
