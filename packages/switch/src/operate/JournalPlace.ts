/**
 * The journal that a command line means: a configuration file names it, or a directory is it.
 */
import { type Dialect, dialects as shipped } from "@jinka/codec"
import { Config, Effect, FileSystem, Layer, Path, Redacted, type Scope } from "effect"
import { headsIn } from "../journal/Head.ts"
import { Journal } from "../journal/Journal.ts"
import { indexFiles } from "../journal/JournalDirectory.ts"
import type { JournalError } from "../journal/JournalError.ts"
import { keysFromHex } from "../journal/JournalKey.ts"
import { anchorWord, type JournalReader, openReadOnly } from "../journal/JournalReader.ts"
import { noCopy, placeText } from "../journal/postgres/PostgresAddress.ts"
import { openPostgres } from "../journal/postgres/PostgresReader.ts"
import { layerSqlite } from "../journal/SqliteStore.ts"
import { type Configuration, load, loadKeys, loadPostgres } from "./Configuration.ts"
import type { PostgresSettings } from "./configuration/journal/PostgresPlan.ts"
import { CommandFailed, failedBy } from "./Exit.ts"
import { asideFile, forget } from "./owner/Anew.ts"
import { nodeAt, runs } from "./owner/NodeAt.ts"
import { Dialects } from "./trace/Dialects.ts"

/** Variable that the key is taken from when a directory is given. */
export const keyVariable = "JINKA_JOURNAL_KEY"

/**
 * What a command does with the journal's key. `needed`: it looks for a card number. `checked`: a key that can be had proves who
 * wrote the journal. `unused`: neither a missing nor another key keeps it from reading.
 */
export type KeyUse = "needed" | "checked" | "unused"

/** Where a journal is, and what reads it. */
export interface JournalPlace {
  readonly directory: string
  /** The control socket of its switch, if that runs. */
  readonly socket: string
  readonly dialects: Dialects
  /** Whether it can be read while its switch runs, here or on another node. */
  readonly isShared: boolean
  /** Fails where copies are made by other means: a journal in PostgreSQL is backed up as PostgreSQL is. */
  readonly mayBeCopied: Effect.Effect<void, CommandFailed>
  /** The keys that can be had; none is no error. */
  readonly keys: Effect.Effect<ReadonlyArray<Uint8Array>>
  /** Opens it for reading; fails with `Locked` while its switch runs. */
  readonly open: (key: KeyUse) => Effect.Effect<JournalReader, CommandFailed, Scope.Scope>
  /** What its anchor says, as a word; its switch may run. */
  readonly anchor: Effect.Effect<string, CommandFailed>
  /** Begins a new journal, also over what an earlier one left, and says what was done. Fails when there is one. */
  readonly begin: Effect.Effect<string, CommandFailed>
}

type Keys = Effect.Effect<ReadonlyArray<Uint8Array>, CommandFailed>

/** Finds the journal of a file or directory. */
export const journalPlace = Effect.fnUntraced(function* (
  place: string
): Effect.fn.Return<JournalPlace, CommandFailed, FileSystem.FileSystem | Path.Path> {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const info = yield* Effect.option(files.stat(place))
  if (info._tag === "Some" && info.value.type === "Directory") {
    const directory = path.resolve(place)
    const socket = path.join(directory, "control.sock")
    const found = reading(directory, keysOfEnvironment, shipped)
    return { directory, socket, dialects: new Dialects(), isShared: false, mayBeCopied: Effect.void, ...found }
  }
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const configuration = yield* Effect.mapError(load(place), (invalid) => {
    const { exit, says } = failedBy(invalid)
    return new CommandFailed({ exit, says: `${says}\n${byDirectory}` })
  })
  const { directory, dialects } = configuration.journal
  const keys: Keys = loadKeys(configuration).pipe(
    Effect.map(({ key, previousKeys }) => [key, ...previousKeys].map(Redacted.value)),
    Effect.mapError(failedBy),
    Effect.provideContext(context)
  )
  const local = {
    directory,
    socket: configuration.socket,
    dialects: new Dialects(dialects, configuration.settings.links),
    isShared: false,
    mayBeCopied: Effect.void,
    ...reading(directory, keys, dialects)
  }
  if (configuration.document.journal.postgres === undefined) return local
  const settings = yield* Effect.mapError(loadPostgres(configuration), failedBy)
  return {
    ...local,
    isShared: true,
    mayBeCopied: Effect.fail(failedBy(noCopy(placeText(Redacted.value(settings!.place).address)))),
    open: (use) =>
      Effect.flatMap(keysFor(keys, use), (given) =>
        Effect.mapError(openPostgres(Redacted.value(settings!.place), directory, { keys: given, dialects }), failedBy)
      ),
    begin: Effect.mapError(anew(place, configuration, settings!), failedBy).pipe(Effect.provideContext(context))
  }
})

/** Where the journal is in PostgreSQL only what this node knows of an earlier one can be in the way of a new one. */
const anew = Effect.fnUntraced(function* (file: string, configuration: Configuration, settings: PostgresSettings) {
  const at = yield* nodeAt(configuration, settings)
  const { directory, place } = at
  const word = yield* Effect.catch(anchorWord(directory, at.keys), (error) =>
    error.reason._tag === "NotJournal" ? Effect.succeed(undefined) : Effect.fail(error)
  )
  const [head] = word === undefined ? [] : headsIn(word)
  if (head === undefined && indexFiles(directory).length === 0)
    return yield* new CommandFailed({ exit: "usage", says: beginsByItself })
  const done = yield* forget(at, head)
  if (done._tag === "run") return yield* new CommandFailed({ exit: "bad", says: runs(done.row, place.node) })
  if (done._tag === "there") return yield* thereIsOne(placeText(place.address), done.lastSeq)
  const next = `Next: \`jinka run ${file}\`; the node begins a new journal, or joins the one that there is.`
  const what = head === undefined ? "the search index of the earlier journal is removed" : keptAside
  const said = [`${directory}: ${what}; what was open in it is forgotten`]
  if (done.halted === undefined) return [...said, next].join("\n")
  const release = `The switch is stopped (${done.halted}): first \`jinka owners ${file} --release --reason TEXT\`.`
  return [...said, release, next].join("\n")
})

const byDirectory = `Without what the file says, give the journal's directory in its place; its key then comes from ${keyVariable}.`

const keptAside = `journal.head of the earlier journal is kept as ${asideFile}`

const beginsByItself =
  "A journal in PostgreSQL begins when its switch is started for the first time; there is nothing to begin here."

/** The keys that a use asks for. */
const keysFor = (keys: Keys, use: KeyUse): Keys => {
  const ifHad = Effect.orElseSucceed(keys, () => [])
  return { needed: keys, checked: ifHad, unused: Effect.succeed([]) }[use]
}

const reading = (
  directory: string,
  keys: Keys,
  dialects: Readonly<Record<string, Dialect>>
): Pick<JournalPlace, "keys" | "open" | "anchor" | "begin"> => {
  const ifHad = Effect.orElseSucceed(keys, () => [])
  return {
    keys: ifHad,
    open: (use) =>
      Effect.flatMap(keysFor(keys, use), (given) =>
        Effect.mapError(openReadOnly(directory, { keys: given, dialects }), readingFailed(directory))
      ),
    anchor: Effect.flatMap(ifHad, (given) => Effect.mapError(anchorWord(directory, given), failedBy)),
    begin: Effect.flatMap(keys, ([key, ...previousKeys]) => {
      const store = layerSqlite({ directory, key: key!, previousKeys, begin: true, reserve: 0 })
      return Effect.flatMap(Journal, ({ recovered }) =>
        recovered.lastSeq === 0
          ? Effect.succeed(`a new journal begins in ${directory}`)
          : Effect.fail(thereIsOne(directory, recovered.lastSeq))
      ).pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store))), Effect.mapError(failedBy))
    })
  }
}

const thereIsOne = (directory: string, entries: number): CommandFailed =>
  new CommandFailed({
    exit: "bad",
    says: `${directory}: There is a journal here, with ${entries} entries; no entry was changed. To begin another one, move this directory away.`
  })

/** For a command that only reads, a journal that is in use means something else than for a switch that starts. */
const readingFailed =
  (directory: string) =>
  (failed: JournalError): CommandFailed =>
    failed.reason._tag === "Locked"
      ? new CommandFailed({ exit: "journal", says: `Locked: ${directory}: ${inUse}` })
      : failedBy(failed)

const inUse =
  "Its switch is running, and nobody else may open the journal meanwhile. `jinka status`, `jinka trace`, `jinka pending`, `jinka audit` and `jinka totals` ask the switch. For anything else `jinka journal backup` copies the journal while it runs: look at the copy."

/** The keys in the environment, the current one first. */
const keysOfEnvironment: Keys = Config.Redacted(keyVariable).pipe(
  Effect.mapError(
    () =>
      new CommandFailed({
        exit: "usage",
        says: `The environment variable ${keyVariable} has to hold the journal's key.`
      })
  ),
  Effect.flatMap((text) =>
    Effect.mapError(keysFromHex(Redacted.value(text), `environment variable ${keyVariable}`), failedBy)
  )
)
