/** Moving the write-ahead log into a database that cannot be written for a time: what is told, and where it stops. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type Database from "better-sqlite3"
import { afterEach, describe, expect, it } from "vitest"
import { Checkpoint } from "../../../packages/switch/src/journal/Checkpoint.ts"

const folders: Array<string> = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Checkpoints of a database that takes writes while `disk.works`, with a log of at most a MiB. */
const checkpoints = () => {
  const folder = mkdtempSync(join(tmpdir(), "jinka-checkpoint-"))
  folders.push(folder)
  const path = join(folder, "journal.db")
  writeFileSync(`${path}-wal`, "")
  const disk = { works: true, calls: 0 }
  const told: Array<string> = []
  const pragma = () => {
    disk.calls++
    if (!disk.works) throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_WRITE" })
  }
  const database = { pragma } as unknown as Database.Database
  const checkpoint = new Checkpoint(database, path, 1024 * 1024, (trouble) => told.push(trouble))
  return { checkpoint, disk, told, grow: (bytes: number) => truncateSync(`${path}-wal`, bytes) }
}

describe("A database that cannot be written, while its log can", () => {
  it("is told, and told to be over at the next look when it can be written again, though nothing is committed", () => {
    const { checkpoint, disk, told } = checkpoints()
    checkpoint.look()
    expect(disk.calls).toBe(0)
    disk.works = false
    checkpoint.committed(1024 * 1024)
    checkpoint.look()
    expect(told).toHaveLength(2)
    expect(told[1]).toContain("The database cannot be written, though its log can")

    disk.works = true
    checkpoint.look()
    checkpoint.look()

    expect(told.slice(2)).toEqual([""])
    expect(disk.calls).toBe(3)
  })

  it("stops the journal at a look, too, when the log is at its limit", () => {
    const { checkpoint, disk, grow } = checkpoints()
    disk.works = false
    checkpoint.committed(1024 * 1024)
    grow(1024 * 1024)

    expect(() => checkpoint.look()).toThrow(/the log has 1\.0 MiB of at most 1\.0 MiB/)
  })
})
