/**
 * Text files: those that a command reads whole, and those that it writes at its end, reports and recordings.
 *
 * Owns reading them, with the file's name in what goes wrong; writing them, and trying it before the command begins: a run of
 * hours must not end with a path that cannot be written.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { dirname } from "node:path"
import { Effect } from "effect"
import { FileFailed, FileMalformed, reasonOf } from "../SimulatorError.ts"
import { textOfFile } from "./FileBytes.ts"

/** What `parse` makes of the text behind a path; what it throws is the file's fault. */
export const readText = <A>(path: string, parse: (text: string) => A): Effect.Effect<A, FileFailed | FileMalformed> =>
  Effect.try({
    try: () => textOfFile(path),
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  }).pipe(
    Effect.flatMap((text) =>
      Effect.try({ try: () => parse(text), catch: (error) => new FileMalformed({ path, reason: reasonOf(error) }) })
    )
  )

/** Opens for writing at the end; a pipe that nobody reads is an error, where a plain open would wait and hear no signal. */
export const openForAppending = (path: string): number => {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  const probe = openSync(path, O_APPEND | O_CREAT | O_NONBLOCK | O_WRONLY, 0o666)
  if (fstatSync(probe).isFile()) return probe
  try {
    // While the probe is open, this does not wait; and a full pipe makes the writes wait, as they should.
    return openSync(path, "a")
  } finally {
    closeSync(probe)
  }
}

const tried = (path: string): Effect.Effect<void, FileFailed> =>
  Effect.try({
    try: () => {
      const isNew = !existsSync(path)
      // Who reads a pipe would take this for its end.
      if (!isNew && statSync(path).isFIFO()) return
      closeSync(openForAppending(path))
      if (isNew) rmSync(path)
    },
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  })

/**
 * Makes a folder and those above it. Step by step: Node's own way never ends where a folder cannot be made although the one above
 * is there, as in /proc. Throws what the system says.
 */
export const makeFolder = (path: string): void => {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) return
  if (there !== undefined) throw Object.assign(new Error(`${path} is a file`), { code: "ENOTDIR" })
  const above = dirname(path)
  if (above !== path) makeFolder(above)
  mkdirSync(path)
}

/** Tries whether files can be written, and leaves them as they are. Those that were not asked for are undefined or empty. */
export const tryToWrite = (paths: ReadonlyArray<string | undefined>): Effect.Effect<void, FileFailed> =>
  Effect.forEach(
    paths.filter((path) => path !== undefined && path !== ""),
    (path) => tried(path!),
    { discard: true }
  )

const writtenAsItIs = (path: string, text: string): void => {
  const descriptor = openForAppending(path)
  try {
    writeFileSync(descriptor, text)
  } finally {
    closeSync(descriptor)
  }
}

/** A file under another name until it is whole; then it takes the place of what was there. */
const replaced = (path: string, text: string): void => {
  const there = statSync(path, { throwIfNoEntry: false })
  // A device or a pipe is written as it is.
  if (there !== undefined && !there.isFile()) return writtenAsItIs(path, text)
  const real = there === undefined ? path : realpathSync(path)
  const part = `${real}.part`
  try {
    writeFileSync(part, text, there === undefined ? {} : { mode: there.mode })
    renameSync(part, real)
  } catch (error) {
    rmSync(part, { force: true })
    // In a folder where nothing may be made, what is there can be written all the same.
    if (!mayMakeNothing.has((error as NodeJS.ErrnoException).code ?? "")) throw error
    writeFileSync(real, text)
  }
}

const mayMakeNothing: ReadonlySet<string> = new Set(["EACCES", "EPERM", "ENAMETOOLONG"])

/** Writes a file, whole or not at all: half a report looks like a report. */
export const writeText = (path: string, text: () => string): Effect.Effect<void, FileFailed> =>
  Effect.try({
    try: () => replaced(path, text()),
    catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
  })

/** Writes several files, those without a path not. Where one cannot be written, the others are all the same. */
export const writeTexts = (
  texts: ReadonlyArray<readonly [path: string | undefined, text: () => string]>
): Effect.Effect<void, FileFailed> =>
  Effect.gen(function* () {
    const failed: Array<FileFailed> = []
    for (const [path, text] of texts) {
      if (path === undefined || path === "") continue
      yield* Effect.catch(writeText(path, text), (error) => Effect.sync(() => void failed.push(error)))
    }
    if (failed[0] !== undefined) return yield* failed[0]
  })
