/**
 * Going on although a journal has lost what it had acknowledged: what a person accepts is the first entry behind the gap, and who
 * accepted it, and why, the next. In PostgreSQL other nodes are kept out meanwhile: `owner/Stopped`.
 */
import { Effect, Layer } from "effect"
import { type ActText, actText } from "../ActText.ts"
import { Journal } from "../journal/Journal.ts"
import type { JournalError } from "../journal/JournalError.ts"
import { openReadOnly, type ReadOnlyOptions } from "../journal/JournalReader.ts"
import type { JournalStore } from "../journal/JournalStore.ts"

/** What the SQLite journal of a directory has lost, in words; `undefined`: nothing. Reads only; fails where the switch runs. */
export const localLoss = (
  directory: string,
  options: ReadOnlyOptions
): Effect.Effect<string | undefined, JournalError> =>
  Effect.scoped(Effect.as(openReadOnly(directory, options), undefined)).pipe(
    Effect.catch((error) =>
      error.reason._tag === "Truncated" ? Effect.succeed(error.reason.problem) : Effect.fail(error)
    )
  )

/**
 * Opens the journal of a store that accepts the loss. `who`: the user; `why`: his reason, in ASCII characters. Succeeds with the
 * number of the entry that says so, or `undefined` where nothing was lost.
 */
export const writeAcceptance = (
  store: Layer.Layer<JournalStore>,
  who: string,
  why: string
): Effect.Effect<number | undefined, JournalError> =>
  Effect.provide(
    Effect.flatMap(Journal, (journal) =>
      journal.recovered.lossAccepted === undefined
        ? Effect.succeed(undefined)
        : noted(journal, actText({ user: who, what: "accept loss", why }))
    ),
    Journal.layer.pipe(Layer.provide(store))
  )

/** Opens the journal of a store and writes what a person has done, while nobody runs the switch; the entry's number. */
export const writeAct = (store: Layer.Layer<JournalStore>, act: ActText): Effect.Effect<number, JournalError> =>
  Effect.provide(
    Effect.flatMap(Journal, (journal) => noted(journal, actText(act))),
    Journal.layer.pipe(Layer.provide(store))
  )

const noted = ({ drained, writer }: Journal["Service"], text: string): Effect.Effect<number, JournalError> =>
  Effect.suspend(() => {
    const seq = writer.note(text)
    writer.flush()
    return Effect.as(drained, seq)
  })
