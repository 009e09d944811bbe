/**
 * Text files that a command writes at its end: reports and recordings.
 *
 * Owns writing them, and trying it before the command begins: a run of hours must not end with a path that cannot be written.
 */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs"
import { Effect } from "effect"
import { FileFailed, reasonOf } from "../SimulatorError.ts"

const tried = (path: string): Effect.Effect<void, FileFailed> =>
  Effect.try({
    try: () => {
      const isNew = !existsSync(path)
      closeSync(openSync(path, "a"))
      if (isNew) rmSync(path)
    },
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  })

/** Tries whether files can be written, and leaves them as they are. Those that were not asked for are undefined or empty. */
export const tryToWrite = (paths: ReadonlyArray<string | undefined>): Effect.Effect<void, FileFailed> =>
  Effect.forEach(
    paths.filter((path) => path !== undefined && path !== ""),
    (path) => tried(path!),
    { discard: true }
  )

/** Writes a file. */
export const writeText = (path: string, text: () => string): Effect.Effect<void, FileFailed> =>
  Effect.try({
    try: () => writeFileSync(path, text()),
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  })
