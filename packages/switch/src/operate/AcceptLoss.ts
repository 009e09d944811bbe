/**
 * Going on although a journal in SQLite has lost what it had acknowledged: the journal's file was cut, or an older copy of it was
 * put back. The loss, with who accepted it and why, is the first entry behind the gap. In PostgreSQL: `owner/AcceptedLoss`.
 */
import { Effect, Layer } from "effect"
import { Journal } from "../journal/Journal.ts"
import type { JournalError } from "../journal/JournalError.ts"
import type { JournalStore } from "../journal/JournalStore.ts"
import { layerSqlite, type SqliteStoreOptions } from "../journal/SqliteStore.ts"

/** What is lost, in words; `undefined`: nothing is. Changes nothing; fails where the switch runs. */
export const localLoss = (options: SqliteStoreOptions): Effect.Effect<string | undefined, JournalError> =>
  opened(layerSqlite(options), Effect.as(Journal, undefined)).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Truncated" ? Effect.succeed(error.reason.problem) : Effect.fail(error)
    )
  )

/** Accepts it. `who`: the user; `why`: his reason, in plain characters. Succeeds with the number of the entry that says so. */
export const acceptLocalLoss = (
  options: SqliteStoreOptions,
  who: string,
  why: string
): Effect.Effect<number, JournalError> =>
  opened(
    layerSqlite({ ...options, acceptLoss: true }),
    Effect.gen(function* () {
      const { drained, writer } = yield* Journal
      const seq = writer.note(`operator ${who}: accept loss: ${why}`)
      writer.flush()
      yield* drained
      return seq
    })
  )

const opened = <A>(store: Layer.Layer<JournalStore>, use: Effect.Effect<A, JournalError, Journal>) =>
  Effect.provide(use, Journal.layer.pipe(Layer.provide(store)))
