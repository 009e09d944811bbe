/**
 * The bytes of anything that has a path: a file, a pipe, what the shell's `<(...)` makes.
 *
 * Owns reading at once and to the end, without ever waiting where a signal is not heard: a pipe that stays silent, a device
 * without an end, and a file that is larger than can be read are errors in words.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs"

/** Milliseconds that a pipe may stay silent. */
const SILENCE_MS = 5000

/** Most bytes from what has no size of its own. */
const PIPE_MAX = 268_435_456

/** Most bytes of a text: what Node keeps in one string. */
const TEXT_MAX = 536_870_888

/** Most bytes of a file: what Node reads at once. */
const FILE_MAX = 2_147_483_647

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

/** Holds the thread: there is no loop to go back to in the middle of a file. */
const rest = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)

/** Bytes that are there now; -1 where none have come yet. */
const readNow = (descriptor: number, into: Buffer): number => {
  try {
    return readSync(descriptor, into)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return -1
    throw error
  }
}

/** What comes out of a pipe or device until its end. */
const drained = (descriptor: number): Buffer => {
  const pieces: Array<Buffer> = []
  let size = 0
  let silent = 0
  for (;;) {
    const into = Buffer.allocUnsafe(65_536)
    const read = readNow(descriptor, into)
    // Before its first writer has come, a pipe reads as one that has ended.
    if (read < 0 || (read === 0 && size === 0)) {
      silent += 10
      if (silent > SILENCE_MS)
        throw new Error(`it is a pipe or device, and nothing came in ${SILENCE_MS / 1000} seconds`)
      rest()
    } else if (read === 0) {
      return Buffer.concat(pieces)
    } else {
      silent = 0
      size += read
      if (size > PIPE_MAX)
        throw new Error(`it is a pipe or device, and more than ${megabytes(PIPE_MAX)} came; give a file`)
      pieces.push(into.subarray(0, read))
    }
  }
}

const bytesUpTo = (path: string, most: number): Buffer => {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const there = fstatSync(descriptor)
    if (!there.isFile() && !there.isDirectory()) return drained(descriptor)
    if (there.size > most) throw new Error(`it has ${megabytes(there.size)}, and at most ${megabytes(most)} are read`)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The bytes behind a path. Throws what the system says, or why they are not read. */
export const bytesOfFile = (path: string): Buffer => bytesUpTo(path, FILE_MAX)

/** How the bytes of a text are to be read: by its mark, which editors and spreadsheets put in front. */
const encodingOf = (bytes: Buffer): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8"
}

/** The text of bytes, without the mark in front of it: UTF-8, or UTF-16 with its mark, as some systems write files. */
export const textOfBytes = (bytes: Buffer): string => new TextDecoder(encodingOf(bytes)).decode(bytes)

/** The text behind a path, as `bytesOfFile`. */
export const textOfFile = (path: string): string => textOfBytes(bytesUpTo(path, TEXT_MAX))
