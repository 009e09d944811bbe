import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { builtWriting } from "../../programs/Programs.ts"
import { isLong } from "../../Runs.ts"
import { allEntries, refusal, temporaryDirectory, withJournal } from "./Journals.ts"
import { clearPanIn } from "./Plain.ts"
import { faultOf } from "./Writing.ts"

const writing = builtWriting()
const ROUNDS = isLong ? 30 : 4

/**
 * Starts the writing process, kills it `afterMs` after its first acknowledgement, returns the last seq acknowledged.
 */
const writeAndKill = (directory: string, afterMs: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const child = spawn(process.execPath, [writing, directory, "forever"], { stdio: ["ignore", "pipe", "inherit"] })
    let heard = ""
    child.stdout.on("data", (bytes: Buffer) => {
      if (heard === "") setTimeout(() => child.kill("SIGKILL"), afterMs)
      heard += bytes.toString()
    })
    child.on("close", () => resume(Effect.succeed(Number(heard.split("\n").at(-2)))))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("a process killed while it writes the journal", () => {
  it.live("has every acknowledged entry on disk, in order, with pairs never parted, round after round", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      let before = 0
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = yield* writeAndKill(directory, 5 + ((round * 37) % 60))
        expect(acknowledged).toBeGreaterThan(before)
        expect(clearPanIn(directory)).toEqual([])

        const lastSeq = yield* withJournal(directory, (journal) =>
          Effect.gen(function* () {
            expect(journal.recovered.lastSeq).toBeGreaterThanOrEqual(acknowledged)
            expect(faultOf(yield* allEntries(journal))).toBeUndefined()
            const verified = yield* journal.verify()
            expect(verified.bad).toBeUndefined()
            expect(journal.counts().reduce((sum, count) => sum + count, 0)).toBe(journal.recovered.lastSeq)
            return journal.recovered.lastSeq
          })
        )
        before = lastSeq
      }

      expect(clearPanIn(directory)).toEqual([])
    }).pipe(Effect.scoped)
  )

  it.live("keeps others out while it lives, and lets them in when it is dead", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const child = spawn(process.execPath, [writing, directory, "forever"], { stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.callback<void>((resume) => void child.stdout.once("data", () => resume(Effect.void)))

      const error = yield* refusal(directory)
      child.kill("SIGKILL")
      yield* Effect.callback<void>((resume) => void child.once("close", () => resume(Effect.void)))

      expect(error.reason._tag).toBe("Locked")
      expect(error.message).toMatch(/lsof/)
      yield* withJournal(directory, (journal) =>
        Effect.map(allEntries(journal), (all) => expect(faultOf(all)).toBeUndefined())
      )
    }).pipe(Effect.scoped)
  )

  it.live("stops when the disk takes no more, and has what it acknowledged", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      // A limit on file sizes: write() fails with EFBIG, as a failing disk would fail it.
      const limited = ["-c", 'trap "" XFSZ; ulimit -f 1500; exec "$0" "$@"', process.execPath, writing, directory]
      const { stdout } = spawnSync("bash", limited, { encoding: "utf8", timeout: 300_000 })
      const lines = stdout.trimEnd().split("\n")

      expect(lines.at(-1)).toMatch(/^(DiskFailed|DiskFull): /)

      const acknowledged = Number(lines.at(-2))
      expect(acknowledged).toBeGreaterThan(0)

      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          expect(journal.recovered.lastSeq).toBeGreaterThanOrEqual(acknowledged)
          expect(faultOf(yield* allEntries(journal))).toBeUndefined()
        })
      )
    }).pipe(Effect.scoped)
  )

  it.live("leaves a WAL behind that is read again, and of bounded size", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      spawnSync(process.execPath, [writing, directory, "entries", "20000"])
      const wal = join(directory, "journal.db-wal")

      expect(existsSync(wal)).toBe(true)
      expect(statSync(wal).size).toBeLessThan(16 * 1024 * 1024)

      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          expect(journal.recovered.lastSeq).toBeGreaterThanOrEqual(20_000)
          expect(faultOf(yield* allEntries(journal))).toBeUndefined()
        })
      )
      expect(readdirSync(directory)).not.toContain("journal.db-wal")
    }).pipe(Effect.scoped)
  )
})
