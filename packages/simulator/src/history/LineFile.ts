/**
 * An append-only file of JSON lines.
 *
 * Owns gathering lines and writing them in one system call per flush. The write is synchronous, so that every line of
 * a flush is with the operating system when the call returns and a killed simulator loses only what came after it; it
 * is not synced to disk. A start that fails leaves the file as it was: it may be that of the process that holds the port.
 * When the disk refuses, the file ends with its last whole line.
 * What a line holds is its owner's business.
 */
import { closeSync, fstatSync, ftruncateSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { Clock, Effect, Exit, type Scope } from "effect"
import { makeFolder, openForAppending } from "../file/TextFile.ts"
import { timepieceOf } from "../partner/Session.ts"
import { FileFailed, FileLost, reasonOf } from "../SimulatorError.ts"

/** A file to append objects to. */
export interface LineFile {
  readonly append: (line: object) => void
  /** Writes what has gathered. Throws `FileLost` when the disk refuses: a run without its history is worth nothing. */
  readonly flush: () => void
  /** For every tick: flushes when the last time was long enough ago. */
  readonly tick: () => void
}

const NEWLINE = 0x0a

/** How many bytes of the last write are in the file. */
const written = (descriptor: number, before: number): number => {
  try {
    return Math.max(0, fstatSync(descriptor).size - before)
  } catch {
    return 0
  }
}

/** Between two writes, in milliseconds: a system call per tick costs more than all else at a few thousand lines a second. */
const FLUSH_MS = 20

/**
 * Opens a file, and empties it with the first flush; its directory is made when it is missing. Flushed and closed with the scope,
 * but left alone when the scope fails before a flush.
 */
export const makeLineFile = (path: string): Effect.Effect<LineFile, FileFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const descriptor = yield* Effect.try({
      try: () => {
        makeFolder(dirname(path))
        return openForAppending(path)
      },
      catch: (error) => new FileFailed({ path, reason: reasonOf(error) })
    })
    const time = timepieceOf(yield* Clock.Clock)
    let gathered: Array<string> = []
    let isBegun = false
    let isLost = false
    let whole = 0
    const cut = (bytes: number): void => {
      try {
        ftruncateSync(descriptor, bytes)
      } catch {
        // A pipe or a terminal has no end to be set.
      }
    }
    const flush = (): void => {
      if (isLost) return
      if (!isBegun) cut(0)
      isBegun = true
      if (gathered.length === 0) return
      const bytes = Buffer.from(`${gathered.join("\n")}\n`)
      gathered = []
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at)
      } catch (error) {
        isLost = true
        cut(whole + bytes.subarray(0, written(descriptor, whole)).lastIndexOf(NEWLINE) + 1)
        throw new FileLost({ path, reason: reasonOf(error) })
      }
      whole += bytes.length
    }
    yield* Effect.addFinalizer((exit) =>
      Effect.sync(() => {
        if (isBegun || Exit.isSuccess(exit)) flush()
        closeSync(descriptor)
      })
    )
    let flushedAt = time.monotonic()
    const tick = (): void => {
      if (gathered.length === 0 || time.monotonic() - flushedAt < FLUSH_MS) return
      flushedAt = time.monotonic()
      flush()
    }
    return { append: (line) => gathered.push(JSON.stringify(line)), flush, tick }
  })

/** A file that keeps nothing, for runs that need no history. */
export const noLineFile: LineFile = { append: () => undefined, flush: () => undefined, tick: () => undefined }
