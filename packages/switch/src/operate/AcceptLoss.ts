/**
 * A loss that a person accepts. What a journal had acknowledged and does not hold any more keeps its switch from starting
 * (`Truncated`), and, in PostgreSQL, every other node. When the missing end is gone for good, somebody has to say so: the loss,
 * with who and why, is then the first entry behind the gap.
 */
import { userInfo } from "node:os"
import { Clock, Effect, type FileSystem, Layer, type Path, Redacted } from "effect"
import { Journal } from "../journal/Journal.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalStore } from "../journal/JournalStore.ts"
import type { PostgresPlace } from "../journal/postgres/PostgresConnection.ts"
import { layerPostgres } from "../journal/postgres/PostgresStore.ts"
import { layerSqlite } from "../journal/SqliteStore.ts"
import { load, loadKeys, loadPostgres } from "./Configuration.ts"
import { CommandFailed, failedBy } from "./Exit.ts"
import { ownersOf, releaseSwitch } from "./owner/OwnerRows.ts"

/** Accepts the loss in the journal of a configuration file. Succeeds with what was lost, in words; refused where nothing was. */
export const acceptLoss = Effect.fnUntraced(function* (
  file: string,
  reason: string
): Effect.fn.Return<string, CommandFailed, FileSystem.FileSystem | Path.Path> {
  const configuration = yield* Effect.mapError(load(file), failedBy)
  const keys = yield* Effect.mapError(loadKeys(configuration), failedBy)
  const postgres = yield* Effect.mapError(loadPostgres(configuration), failedBy)
  const place = postgres === undefined ? undefined : Redacted.value(postgres.place)
  if (place !== undefined) yield* nobodyRuns(place, postgres!.takeoverAfterMs)
  const given = { key: Redacted.value(keys.key), previousKeys: keys.previousKeys.map(Redacted.value) }
  const { directory, dialects } = configuration.journal
  const store = (isAccepted: boolean) =>
    place === undefined
      ? layerSqlite({ ...configuration.journal, ...given, acceptLoss: isAccepted })
      : layerPostgres({ place, directory, dialects, ...given, acceptLoss: isAccepted })
  const lost = yield* opened(store(false), Effect.as(Journal, undefined)).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Truncated" ? Effect.succeed(error.reason.problem) : Effect.fail(error)
    ),
    Effect.mapError(failedBy)
  )
  if (lost === undefined) return yield* new CommandFailed({ exit: "bad", says: nothingLost })
  yield* Effect.mapError(opened(store(true), written(reason)), failedBy)
  if (place !== undefined) yield* Effect.mapError(releaseSwitch(place), failedBy)
  return lost
})

const nothingLost =
  "Nothing is lost: the journal holds every entry that it had acknowledged. Nothing was changed; start the switch."

const opened = <A, E>(store: Layer.Layer<JournalStore>, use: Effect.Effect<A, E, Journal>) =>
  Effect.provide(use, Journal.layer.pipe(Layer.provide(store)))

/** The store itself writes which entries are lost; this is who said so, and why. */
const written = (reason: string): Effect.Effect<void, JournalError, Journal> =>
  Effect.gen(function* () {
    const { drained, writer } = yield* Journal
    writer.now = yield* Clock.currentTimeMillis
    writer.note(`loss accepted by ${userInfo().username}: ${reason}`)
    writer.flush()
    yield* drained
  })

/** To open the journal is to take it from whoever has it: that must be nobody. */
const nobodyRuns = Effect.fnUntraced(function* (place: PostgresPlace, takeoverAfterMs: number) {
  const rows = yield* Effect.mapError(ownersOf(place), failedBy)
  const row = rows.find((one) => one.switch === place.name)
  if (row === undefined || row.node === null || row.halted !== null) return
  if (row.silent === null || row.silent * 1000 > 2 * takeoverAfterMs) return
  const says = `Node ${row.node} runs this switch; its last beat was ${row.silent.toFixed(1)} s ago. Nothing was changed. Stop it first, if a loss has to be accepted here.`
  return yield* new CommandFailed({ exit: "bad", says })
})
