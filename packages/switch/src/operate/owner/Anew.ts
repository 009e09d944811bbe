/**
 * A node whose directory is of a journal that PostgreSQL has no more: the database was replaced, or is a new one. No loss can be
 * accepted there, for nothing of that journal is left. When it is gone for good the node forgets it: its anchor is put aside, and
 * its next start begins a new journal, or joins the one that there is.
 */
import { Effect, FileSystem, Path } from "effect"
import { anchorFile } from "../../journal/Anchor.ts"
import type { Head } from "../../journal/Head.ts"
import { indexFiles } from "../../journal/JournalDirectory.ts"
import type { JournalError } from "../../journal/JournalError.ts"
import { openPostgres } from "../../journal/postgres/PostgresReader.ts"
import type { OwnerRow } from "./OwnerRows.ts"
import { isRun, type NodePlace, rowOf } from "./Stopped.ts"

/** Name of an anchor that was put aside. */
export const asideFile = `${anchorFile}.earlier`

/**
 * What came of it. `run`: this node runs the switch. `there`: PostgreSQL has the journal; nothing was changed. `aside`: the
 * anchor is put aside; `halted`: why nobody takes the switch over all the same.
 */
export type Forgotten =
  | { readonly _tag: "run"; readonly row: OwnerRow }
  | { readonly _tag: "there"; readonly lastSeq: number }
  | { readonly _tag: "aside"; readonly halted: string | undefined }

/** Forgets the journal of `head`, which this node's anchor says, or of which only the index is left; see the module header. */
export const forget = Effect.fnUntraced(function* (
  at: NodePlace,
  head: Head | undefined
): Effect.fn.Return<Forgotten, JournalError, FileSystem.FileSystem | Path.Path> {
  const { directory, place, takeoverAfterMs } = at
  const row = yield* rowOf(place)
  if (row?.node === place.node && isRun(row, takeoverAfterMs)) return { _tag: "run", row }
  const lastSeq = yield* lastSeqOf(at, head)
  if (lastSeq !== undefined) return { _tag: "there", lastSeq }
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const inDirectory = (file: string) => path.join(directory, file)
  if (head !== undefined) yield* Effect.orDie(files.rename(inDirectory(anchorFile), inDirectory(asideFile)))
  // Made from the journal, and made again from the next one.
  for (const file of indexFiles(directory)) yield* Effect.orDie(files.remove(inDirectory(file)))
  return { _tag: "aside", halted: row?.halted ?? undefined }
})

/** The last entry of the head's journal in PostgreSQL, or of whatever there is; `undefined`: it is not there. */
const lastSeqOf = ({ directory, keys, place }: NodePlace, head: Head | undefined) =>
  Effect.scoped(openPostgres(place, directory, { keys }, "write")).pipe(
    Effect.map(({ recovered }) =>
      (head?.journalId ?? recovered.journalId) === recovered.journalId ? recovered.lastSeq : undefined
    ),
    Effect.catch((error) => (error.reason._tag === "NotJournal" ? Effect.succeed(undefined) : Effect.fail(error)))
  )
