/**
 * Preloaded by a process (`node --import`), into its main thread and into each worker: the wall clock is off by as many
 * milliseconds as the file says that `JINKA_CLOCK_FILE` names, and steps when that changes. The monotonic clock goes on as it
 * does when a machine's clock is set.
 */
import { readFileSync } from "node:fs"
import process from "node:process"

/** How often the file is read, in milliseconds. */
const READ_MS = 20

const file = process.env["JINKA_CLOCK_FILE"] ?? ""
const Kept = globalThis.Date
const wall = Kept.now.bind(Kept)
let readAt = Number.NEGATIVE_INFINITY
let offsetMs = 0

const now = (): number => {
  const at = performance.now()
  if (at - readAt > READ_MS) {
    readAt = at
    offsetMs = Number(readFileSync(file, "utf8"))
  }
  return wall() + offsetMs
}

class MovedDate extends Kept {
  static override now(): number {
    return now()
  }

  constructor(...given: ReadonlyArray<unknown>) {
    if (given.length === 0) super(now())
    else super(...(given as [number]))
  }
}

if (file !== "") globalThis.Date = MovedDate as DateConstructor
