import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { allEntries, journalOf, refusal, temporaryDirectory, withJournal, write } from "./Journals.ts"

const live = (title: string, body: Effect.Effect<void, unknown, import("effect").Scope.Scope>) =>
  it.live(title, () => Effect.scoped(body))

describe("the directory of a journal", () => {
  live(
    "notes for ever that a slot of the anchor was cut, emptied or changed, and repairs it",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      const anchor = join(directory, "journal.head")
      const breaks: ReadonlyArray<(whole: Buffer) => Buffer> = [
        (whole) => whole.subarray(0, 512),
        (whole) => whole.fill(0, 0, 512),
        (whole) => whole.fill(7, 600, 610)
      ]
      for (const breakIt of breaks) {
        writeFileSync(anchor, breakIt(readFileSync(anchor)))
        yield* withJournal(directory, () => Effect.void)
        yield* withJournal(directory, ({ recovered }) => Effect.sync(() => expect(recovered.notes).toEqual([])))
      }
      const noted = yield* withJournal(directory, (journal) => allEntries(journal))

      expect(noted.slice(10).map(({ kind, code }) => [kind, code.replace(/entry \d+/, "entry n")])).toEqual(
        [2, 1, 2].map((slot) => [
          EntryKind.event,
          `journal.head: slot ${slot} of 2 was not as it was written; the journal reaches entry n, which the other slot says`
        ])
      )
    })
  )

  live(
    "is refused when it is gone and only its index, its log or a control socket shows that there was one, until somebody begins anew",
    Effect.gen(function* () {
      for (const left of ["journal.index.db", "journal.db-wal", "journal.db-wal.refused", "control.sock"]) {
        const directory = yield* journalOf()
        writeFileSync(join(directory, left), "left")
        for (const file of ["journal.db", "journal.head"]) rmSync(join(directory, file))

        const error = yield* refusal(directory)
        expect([left, error.reason._tag]).toEqual([left, "Gone"])
        expect(error.message).toMatch(/neither journal\.db nor journal\.head, but .*jinka journal new/)
        expect((yield* refusal(directory)).reason._tag).toBe("Gone")

        yield* withJournal(directory, () => Effect.void, { begin: true })
        const entries = yield* withJournal(directory, (journal) => allEntries(journal))
        expect(entries.map(({ code }) => code)).toEqual([expect.stringContaining(`begun anew over`)])
        expect(entries[0]!.code).toContain(`${left} of an earlier journal`)
      }
    })
  )

  live(
    "is refused as damaged, and not for its disk, when its file is shorter than it says",
    Effect.gen(function* () {
      const original = yield* journalOf(2000)
      const { size } = statSync(join(original, "journal.db"))
      for (const length of [100, 4096, 5000, size - 40_000, size - 4096, size - 1]) {
        const directory = join(yield* temporaryDirectory, "copy")
        cpSync(original, directory, { recursive: true })
        truncateSync(join(directory, "journal.db"), length)

        const error = yield* refusal(directory)

        expect([length, error.reason._tag]).toEqual([length, "Corrupt"])
        expect(error.message).toContain(
          `The file has ${length} bytes, and its own header says ${size}: its end is missing.`
        )
        expect(error.message).not.toContain("smartctl")
      }
    })
  )

  live(
    "is closed to others in a directory that was made beforehand, and refused in one that everybody may write",
    Effect.gen(function* () {
      const directory = yield* journalOf()
      const modes = () => readdirSync(directory).map((file) => statSync(join(directory, file)).mode & 0o777)
      chmodSync(directory, 0o775)
      for (const file of readdirSync(directory)) chmodSync(join(directory, file), 0o664)

      const notes = yield* withJournal(directory, ({ recovered }) => Effect.succeed(recovered.notes))
      const closed = [statSync(directory).mode & 0o777, ...modes()]
      chmodSync(directory, 0o777)
      const error = yield* refusal(directory)

      expect(notes).toContain(`${directory} was open to others (mode 0775); it is 0700 now`)
      expect(notes).toContain(`${join(directory, "journal.db")} was open to others (mode 0664); it is 0600 now`)
      expect(closed).toEqual([0o700, ...closed.slice(1).map(() => 0o600)])
      expect(error.reason._tag).toBe("DirectoryUnusable")
      expect(error.message).toMatch(
        /Everybody may write in this directory \(mode 0777\)\. Give the journal a directory of its own/
      )
    })
  )

  live(
    "keeps its files to its owner whatever the umask is",
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "made", "beforehand")
      mkdirSync(directory, { recursive: true, mode: 0o755 })
      const before = process.umask(0)
      const modes = yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          write(journal.writer)
          yield* journal.drained
          yield* journal.find({ stan: 1 })
          return readdirSync(directory).map(
            (file) => `${file} ${(statSync(join(directory, file)).mode & 0o777).toString(8)}`
          )
        })
      ).pipe(Effect.ensuring(Effect.sync(() => process.umask(before))))

      expect(modes.sort()).toEqual([
        "journal.db 600",
        "journal.db-wal 600",
        "journal.head 600",
        "journal.index.db 600",
        "journal.index.db-wal 600"
      ])
    })
  )

  live(
    "is made where there was no directory, readable by its owner only",
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "a", "b")
      yield* withJournal(directory, () => Effect.void)

      expect(existsSync(join(directory, "journal.db"))).toBe(true)
      expect(statSync(directory).mode & 0o777).toBe(0o700)
    })
  )
})
