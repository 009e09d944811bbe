/** What a running switch says, or, when none runs, its journal: for commands that look and change nothing. */
import { Effect, FileSystem, Option, Result } from "effect"
import type { CommandFailed } from "../Exit.ts"
import { type JournalPlace, journalPlace } from "../JournalPlace.ts"
import { socketOf, socketOfFile } from "./Asked.ts"

/**
 * Asks the switch where its socket is there; reads the journal when nobody answers. A file that was spoilt while its switch
 * runs says at least where to ask.
 */
export const eitherWay = Effect.fnUntraced(function* <A, R1, R2>(
  place: Option.Option<string>,
  control: Option.Option<string>,
  asked: (socket: string) => Effect.Effect<A, CommandFailed, R1>,
  read: (place: JournalPlace) => Effect.Effect<A, CommandFailed, R2>
) {
  if (Option.isSome(control) || Option.isNone(place)) {
    return yield* asked(yield* socketOf({ file: place, control }))
  }
  const files = yield* FileSystem.FileSystem
  const found = yield* Effect.result(journalPlace(place.value))
  if (Result.isFailure(found)) {
    const socket = yield* socketOfFile(place.value)
    const isThere = yield* Effect.orElseSucceed(files.exists(socket), () => false)
    return isThere ? yield* asked(socket) : yield* found.failure
  }
  const { socket } = found.success
  if (!(yield* Effect.orElseSucceed(files.exists(socket), () => false))) return yield* read(found.success)
  return yield* asked(socket).pipe(
    // A node that stands by says that another one has the switch: its journal can be read all the same.
    Effect.catch((failed) =>
      failed.exit === "network" || found.success.isShared ? read(found.success) : Effect.fail(failed)
    )
  )
})
