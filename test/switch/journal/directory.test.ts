import { spawnSync } from "node:child_process"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { openDatabase } from "../../../packages/switch/src/journal/SqliteFile.ts"
import { allEntries, journalOf, refusal, temporaryDirectory, testKey, withJournal, write } from "./Journals.ts"

const live = (title: string, body: Effect.Effect<void, unknown, import("effect").Scope.Scope>) =>
  it.live(title, () => Effect.scoped(body))

const NOBODY = 65_534

/** Why root cannot try as another user: this folder, or one above it, is closed to others. */
const nobodyHindrance = ((): string => {
  if (process.getuid?.() !== 0) return ""
  const { status } = spawnSync(process.execPath, ["-e", "0"], { uid: NOBODY, gid: NOBODY })
  return status === 0 ? "" : "(nobody but root may read this folder)"
})()

const opening = fileURLToPath(new URL("./Opening.ts", import.meta.url))

/** Opens journals, or only reads them, as another user where root runs this: root may read and write anywhere. */
const saidToNobody = (how: "write" | "read", ...directories: ReadonlyArray<string>): ReadonlyArray<string> => {
  const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const { stdout } = spawnSync(process.execPath, [opening, how, ...directories], { encoding: "utf8", ...asNobody })
  return stdout.trim().split("\n")
}

const liveAsNobody = nobodyHindrance === "" ? live : it.skip

describe("the directory of a journal", () => {
  liveAsNobody(
    `is refused where it may not be written to, and says whose it is to be ${nobodyHindrance}`,
    Effect.gen(function* () {
      const above = yield* temporaryDirectory
      const directory = join(above, "journal")
      mkdirSync(directory)
      chmodSync(above, 0o755)
      chmodSync(directory, 0o555)

      expect(saidToNobody("write", directory)).toEqual([
        expect.stringMatching(
          /^DirectoryUnusable: Give the directory to the user that runs the switch \(`chown`\), with mode 0700/
        )
      ])
    })
  )

  liveAsNobody(
    `says to another user as whom a journal may be read ${nobodyHindrance}`,
    Effect.gen(function* () {
      const directory = yield* journalOf()
      chmodSync(join(directory, ".."), 0o755)
      // Closed to others; with names that they may read, and no more; and open, with files that are not.
      const copies = [0o700, 0o704, 0o755].map((mode) => {
        const copy = `${directory}-${mode.toString(8)}`
        cpSync(directory, copy, { recursive: true })
        for (const file of readdirSync(copy)) chmodSync(join(copy, file), 0o600)
        chmodSync(copy, process.getuid?.() === 0 ? mode : 0)
        return copy
      })
      const said = saidToNobody("read", ...copies)
      // Whoever is not root removes nothing from a closed folder.
      for (const copy of copies) chmodSync(copy, 0o700)

      const remedy = "DirectoryUnusable: Run this as the user that the switch runs as, or as root."
      expect(said).toEqual([remedy, remedy, remedy])
    })
  )

  live(
    "says another thing where a file stands in its way, or where there is nothing to be read",
    Effect.gen(function* () {
      const above = yield* temporaryDirectory
      const file = join(above, "file")
      writeFileSync(file, "")
      const reading = (directory: string) =>
        Effect.scoped(Effect.flip(openReadOnly(directory, { keys: [testKey] }))).pipe(
          Effect.map(({ reason }) => reason.remedy)
        )
      const inTheWay = "A file has this name, or one above it: give another directory."

      expect((yield* refusal(join(file, "below"))).reason.remedy).toBe(inTheWay)
      expect(yield* reading(join(file, "below"))).toBe(inTheWay)
      expect(yield* reading(join(above, "gone"))).toBe(
        "If a configuration names it, no switch has run with this configuration yet. Otherwise give the directory of a journal, or what `jinka journal backup` or `archive` has made."
      )
    })
  )

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
      const lefts = [
        "journal.index.db",
        "journal.db-wal",
        "journal.db-wal.refused",
        "control.sock",
        "success-rates.jsonl"
      ]
      for (const left of lefts) {
        const directory = yield* journalOf()
        writeFileSync(join(directory, left), "left")
        for (const file of ["journal.db", "journal.head"]) rmSync(join(directory, file))

        const error = yield* refusal(directory)
        expect([left, error.reason._tag]).toEqual([left, "Gone"])
        expect(error.message).toMatch(/journal\.db and journal\.head are not there, or empty, but .*jinka journal new/)
        expect((yield* refusal(directory)).reason._tag).toBe("Gone")

        yield* withJournal(directory, () => Effect.void, { begin: true })
        const entries = yield* withJournal(directory, (journal) => allEntries(journal))
        expect(entries.map(({ code }) => code)).toEqual([expect.stringContaining(`begun again over`)])
        expect(entries[0]!.code).toContain(`${left} of an earlier journal`)
      }
    })
  )

  live(
    "is refused when what is left of it are files without anything in them, or links to nowhere",
    Effect.gen(function* () {
      const begun = yield* temporaryDirectory
      const database = openDatabase(join(begun, "journal.db"), false)
      const begins = readFileSync(join(begun, "journal.db"))
      database.close()
      const nothing = Buffer.alloc(0)
      // A database that was all in its log is a first page without it.
      for (const [database, log, anchor] of [
        [undefined, undefined, nothing],
        [nothing, undefined, nothing],
        [nothing, undefined, undefined],
        [nothing, Buffer.alloc(5000), nothing],
        [begins, undefined, undefined],
        [begins, undefined, nothing],
        [begins, nothing, undefined],
        [begins, Buffer.alloc(5000), undefined]
      ] as const) {
        const directory = yield* journalOf()
        const files = { "journal.db": database, "journal.db-wal": log, "journal.head": anchor }
        for (const [file, bytes] of Object.entries(files)) {
          rmSync(join(directory, file), { force: true })
          if (bytes !== undefined) writeFileSync(join(directory, file), bytes, { mode: 0o600 })
        }
        writeFileSync(join(directory, "control.sock"), "")

        const said = [database?.length, log?.length, anchor?.length, (yield* refusal(directory)).reason._tag]
        expect(said).toEqual([...said.slice(0, 3), "Gone"])

        yield* withJournal(directory, () => Effect.void, { begin: true })
        const entries = yield* withJournal(directory, (journal) => allEntries(journal))
        expect(entries[0]!.code).toContain("control.sock of an earlier journal")
      }
      const elsewhere = yield* temporaryDirectory
      symlinkSync(join(elsewhere, "away", "journal.db"), join(elsewhere, "journal.db"))
      expect((yield* refusal(elsewhere)).message).toMatch(/^Gone: .*, but journal\.db of an earlier one\./)
    })
  )

  live(
    "is begun where a first start was cut off before its anchor was there",
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      openDatabase(join(directory, "journal.db"), false).close()
      chmodSync(join(directory, "journal.db"), 0o600)

      yield* withJournal(directory, ({ recovered }) => Effect.sync(() => expect(recovered.notes).toEqual([])))
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
    "says that a directory above it may be written by everybody: another journal could be put in its place",
    Effect.gen(function* () {
      const above = join(yield* temporaryDirectory, "above")
      const directory = join(above, "journal")
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const notesOf = (mode: number) => {
        chmodSync(above, mode)
        return withJournal(directory, ({ recovered }) =>
          Effect.succeed(recovered.notes.filter((note) => /above/.test(note)))
        )
      }

      expect(yield* notesOf(0o777)).toEqual([
        `${above}, above the journal, may be written by everybody (mode 0777): anybody may put another journal in its place; \`chmod o-w\``
      ])
      for (const mode of [0o1777, 0o775, 0o700]) expect(yield* notesOf(mode)).toEqual([])
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
