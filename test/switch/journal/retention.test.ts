import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { archiveInto } from "../../../packages/switch/src/journal/Archive.ts"
import { restoreArchives } from "../../../packages/switch/src/journal/ArchiveFile.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { headsIn } from "../../../packages/switch/src/journal/Head.ts"
import type { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { allEntries, messageOf, refusal, temporaryDirectory, testKey, testPan, withJournal, write } from "./Journals.ts"

const DAY_MS = 86_400_000
/** Midnight before the first entry. */
const start = Date.UTC(2026, 7, 1)
const otherKey = Buffer.alloc(32, 0x5a)

const live = (title: string, body: (directory: string) => Effect.Effect<void, unknown>) =>
  it.live(title, () => Effect.scoped(Effect.flatMap(temporaryDirectory, body)))

/**
 * Writes `perDay` exchanges a day for `days` days, a group for each exchange; the first entries give a link its name and a
 * key.
 */
const trade = ({ drained, keep, nameId, writer }: Journal["Service"], days: number, perDay: number, from = start) =>
  Effect.gen(function* () {
    const link = nameId("acquirer", "iso8583v1987Ascii")
    writer.floor = 0
    writer.now = from
    keep({ link: "acquirer", slot: "mac/both", keys: `wrapped ${from}` }, link, "a key came", "{}")
    for (let n = 0; n < days * perDay; n++) {
      writer.now = from + Math.floor((n * DAY_MS) / perDay)
      const exchange = write(writer, { link, message: messageOf(n), pan: testPan })
      write(writer, { kind: EntryKind.answered, exchange, code: "00" })
      yield* drained
    }
  })

const verified = (directory: string, keys: ReadonlyArray<Uint8Array> = [testKey]) =>
  Effect.scoped(
    Effect.flatMap(openReadOnly(directory, { keys }), (reader) =>
      Effect.map(reader.verify(), (verification) => ({ ...verification, reader }))
    )
  )

/** What a crash at this moment leaves on the disk. */
const image = (directory: string, to: string) =>
  Effect.sync(() => {
    cpSync(directory, to, { recursive: true })
    return to
  })

const bytesIn = (file: string, sql: string) => {
  const database = new Database(file)
  const value = database.prepare(sql).pluck().get()
  database.close()
  return Number(value)
}

describe("A journal that is kept for some days", () => {
  live("drops whole days from its front, is whole after a crash at every step, and goes on", (directory) =>
    Effect.gen(function* () {
      const journal = join(directory, "journal")
      const images: Array<string> = []
      yield* withJournal(journal, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 4, 84)
          const extent = yield* open.extent(start + 2 * DAY_MS, 1_000_000)
          const counts = [...open.counts()]
          expect(extent.first).toBe(1)
          expect(extent.upTo).toBeGreaterThan(326)
          expect(extent.droppable).toBeGreaterThan(0)
          expect((yield* open.find({ pan: testPan })).length).toBe(336)
          for (let isDone = false; !isDone; ) {
            isDone = (yield* open.drop(extent.upTo)).isDone
            images.push(yield* image(journal, join(directory, `image-${images.length}`)))
          }
          expect(open.counts()).toEqual(counts)
          const after = yield* open.extent(start + 2 * DAY_MS, 1_000_000)
          expect(after).toMatchObject({ first: extent.upTo + 1, last: extent.last, upTo: 0, isHeldBack: false })
          expect(after.since).toBe(start + 2 * DAY_MS)
          expect(after.free).toBeGreaterThan(0)
          const found = yield* open.find({ pan: testPan })
          expect(found.length).toBe(168)
          expect(Math.min(...found)).toBeGreaterThan(extent.upTo)
          expect(yield* open.read(5)).toEqual([])
          yield* trade(open, 1, 10, start + 4 * DAY_MS)
          expect((yield* allEntries(open)).at(0)?.seq).toBe(extent.upTo + 1)
        })
      )
      expect(images.length).toBeGreaterThan(2)
      let reached = 1
      for (const one of images) {
        const { bad, from, unopened } = yield* verified(one)
        expect({ bad, unopened }).toEqual({ bad: undefined, unopened: [] })
        expect(from).toBeGreaterThan(reached)
        reached = from
        yield* withJournal(one, ({ recovered, writer, drained }) => {
          expect(recovered.firstSeq).toBe(from)
          write(writer)
          return drained
        })
        expect((yield* verified(one)).bad).toBeUndefined()
      }
      const whole = yield* verified(journal)
      expect(whole).toMatchObject({ from: reached, unopened: [] })
      expect(whole.bad).toBeUndefined()
      expect(bytesIn(join(journal, "journal.index.db"), `SELECT count(*) FROM member WHERE seq < ${reached}`)).toBe(0)
      expect(bytesIn(join(journal, "journal.index.db"), `SELECT count(*) FROM pan WHERE exchange < ${reached}`)).toBe(0)
    })
  )

  live("drops nothing from the oldest exchange on that somebody needs, and says that it holds more back", (directory) =>
    Effect.gen(function* () {
      yield* withJournal(directory, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 3, 50)
          const needed = 61
          const extent = yield* open.extent(start + 2 * DAY_MS, needed)
          expect(extent.isHeldBack).toBe(true)
          expect(extent.upTo).toBeLessThan(needed)
          expect(extent.upTo).toBeGreaterThan(needed - 4)
          expect(yield* open.drop(extent.upTo)).toMatchObject({ seq: extent.upTo })
          expect((yield* open.read(needed)).length).toBeGreaterThan(0)
          const nothing = yield* open.extent(start + 9 * DAY_MS, 1)
          expect(nothing).toMatchObject({ upTo: 0, droppable: 0, isHeldBack: true })
          const last = yield* open.extent(start + 9 * DAY_MS, 1_000_000)
          expect(last.upTo).toBeLessThan(last.last)
        })
      )
    })
  )

  live("uses the room that became free for what comes", (directory) =>
    Effect.gen(function* () {
      const size = yield* withJournal(directory, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 2, 80)
          const { size, upTo } = yield* open.extent(start + DAY_MS, 1_000_000)
          while (!(yield* open.drop(upTo)).isDone);
          yield* trade(open, 1, 64, start + 2 * DAY_MS)
          return size
        })
      )
      expect((yield* withJournal(directory, (open) => open.extent(0, 1))).size).toBeLessThanOrEqual(size)
    })
  )

  live("is not believed when somebody without the key moves its beginning, or cuts its front off", (directory) =>
    Effect.gen(function* () {
      yield* withJournal(directory, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 3, 50)
          const { upTo } = yield* open.extent(start + DAY_MS, 1_000_000)
          while (!(yield* open.drop(upTo)).isDone);
        })
      )
      const edited = (name: string, sql: string) => {
        const to = join(directory, name)
        cpSync(join(directory, "journal.db"), join(mkdirOf(to), "journal.db"))
        cpSync(join(directory, "journal.head"), join(to, "journal.head"))
        const database = new Database(join(to, "journal.db"))
        database.exec(sql)
        database.close()
        return to
      }
      const moved = yield* refusal(edited("moved", "UPDATE beginning SET seq = seq + 2"))
      const gone = yield* Effect.exit(
        verified(edited("gone", "DELETE FROM commit_group WHERE first IN (SELECT min(first) FROM commit_group)"))
      )
      const none = yield* Effect.exit(verified(edited("none", "DELETE FROM beginning")))

      expect(moved.reason).toMatchObject({ _tag: "Corrupt" })
      expect(moved.reason.problem).toContain("where the journal begins")
      expect(JSON.stringify(gone)).toContain("a group is missing")
      expect(JSON.stringify(none)).toContain("a group is missing")
      expect((yield* verified(directory, [])).unopened.length).toBeGreaterThan(0)
    })
  )

  live("keeps what is not as it was written, and what nobody can prove", (directory) =>
    Effect.gen(function* () {
      // A clean close writes a mark: the next opening verifies from there on, and the first day is before it.
      yield* withJournal(directory, (open) => trade(open, 2, 50))
      yield* withJournal(directory, (open) => trade(open, 1, 9, start + 2 * DAY_MS))
      const edit = new Database(join(directory, "journal.db"))
      edit.exec(
        "UPDATE commit_group SET bytes = zeroblob(length(bytes)) WHERE first = (SELECT first FROM commit_group LIMIT 1 OFFSET 9)"
      )
      edit.close()

      const dropped = yield* Effect.flip(
        withJournal(directory, (open) =>
          Effect.flatMap(open.extent(start + DAY_MS, 1_000_000), ({ upTo }) =>
            Effect.repeat(open.drop(upTo), { while: ({ isDone }) => !isDone })
          )
        )
      )
      expect(dropped.reason._tag).toBe("Corrupt")
      expect(dropped.reason.problem).toContain("Nothing from there on is dropped")
      const database = new Database(join(directory, "journal.db"))
      expect(database.prepare("SELECT count(*) FROM beginning").pluck().get()).toBe(0)
      database.close()
    })
  )

  live("knows an anchor from before: the last hash of what was dropped is kept", (directory) =>
    Effect.gen(function* () {
      const words: Array<string> = []
      yield* withJournal(directory, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 1, 20)
          words.push(yield* open.head)
          const { last } = yield* open.extent(0, 1)
          yield* trade(open, 2, 20, start + DAY_MS)
          words.push(yield* open.head)
          while (!(yield* open.drop(last)).isDone);
        })
      )
      const heads = headsIn(words.join("\n"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const reader = yield* openReadOnly(directory, { keys: [testKey] })
          const faults = yield* Effect.forEach(heads, reader.faultOf)
          const wrong = { ...heads[0]!, hash: Buffer.alloc(32, 1) }

          expect(faults).toEqual([undefined, undefined])
          expect(yield* reader.faultOf(wrong)).toContain("not made with this journal's key")
        })
      )
    })
  )
})

const mkdirOf = (directory: string): string => {
  mkdirSync(directory, { recursive: true })
  return directory
}

describe("The archive of a journal", () => {
  /** Three days traded, of which the first two were archived and dropped one by one. */
  const archivedIn = (directory: string) =>
    Effect.gen(function* () {
      const [journal, archive] = [join(directory, "journal"), join(directory, "archive")]
      const files: Array<string> = []
      yield* withJournal(journal, (open) =>
        Effect.gen(function* () {
          yield* trade(open, 3, 40)
          const { journalId } = open.recovered
          for (const days of [1, 2]) {
            const { first, upTo } = yield* open.extent(start + days * DAY_MS, 1_000_000)
            const source = { backup: open.backup, journalId, keys: [testKey] }
            files.push(yield* archiveInto(source, archive, { day: `2026-08-0${days}`, first, last: upTo }))
            while (!(yield* open.drop(upTo)).isDone);
          }
        })
      )
      return { journal, archive, files }
    })

  live("holds each day verified and compressed, and gives all of them back for reading", (directory) =>
    Effect.gen(function* () {
      const { archive, files } = yield* archivedIn(directory)
      const back = join(directory, "back")
      yield* Effect.promise(() => restoreArchives(files, back))

      const { bad, entries, from, unopened } = yield* verified(back)
      const refused = yield* refusal(back)
      const found = yield* Effect.scoped(
        Effect.flatMap(openReadOnly(back, { keys: [testKey] }), (reader) => reader.find({ pan: testPan }))
      )

      expect(readdirSync(archive).length).toBe(2)
      expect(readdirSync(archive).every((name) => /^jinka-[0-9a-f]{8}-2026-08-0[12]-\d+-\d+\.db\.gz$/.test(name))).toBe(
        true
      )
      expect({ bad, from, unopened }).toEqual({ bad: undefined, from: 1, unopened: [] })
      expect(entries).toBe(162)
      expect(found.length).toBe(80)
      expect(refused.reason).toMatchObject({ _tag: "NotJournal" })
      expect(refused.reason.problem).toContain("archived part")
      expect(readFileSync(files[0]!).includes(testPan)).toBe(false)
    })
  )

  live(
    "is begun anew where a crash broke it off, and taken as it is where only the dropping was broken off",
    (directory) =>
      Effect.gen(function* () {
        const [journal, archive] = [join(directory, "journal"), join(directory, "archive")]
        yield* withJournal(journal, (open) =>
          Effect.gen(function* () {
            yield* trade(open, 2, 40)
            const { journalId } = open.recovered
            const source = { backup: open.backup, journalId, keys: [testKey] }
            const { first, upTo } = yield* open.extent(start + DAY_MS, 1_000_000)
            const range = { day: "2026-08-01", first, last: upTo }
            const name = `jinka-${journalId.slice(0, 8)}-2026-08-01-${first}-${upTo}.db.gz`
            mkdirSync(join(archive, `${name}.making`), { recursive: true })
            writeFileSync(join(archive, `${name}.making`, "journal.db"), "half of it")
            const file = yield* archiveInto(source, archive, range)
            const bytes = readFileSync(file)
            yield* open.drop(upTo)
            const rest = yield* open.extent(start + DAY_MS, 1_000_000)
            expect(rest.first).toBeGreaterThan(first)
            const again = yield* archiveInto(source, archive, { ...range, first: rest.first })
            expect(again).toBe(file)
            expect(readFileSync(file).equals(bytes)).toBe(true)
            expect(readdirSync(archive)).toEqual([name])

            writeFileSync(file, bytes.subarray(0, bytes.length - 9))
            const cut = yield* Effect.flip(archiveInto(source, archive, { ...range, first: rest.first }))
            expect(cut.message).not.toBe("")
            const other = yield* Effect.flip(archiveInto({ ...source, keys: [otherKey] }, join(directory, "x"), range))
            expect(other.reason._tag).toBe("KeyWrong")
          })
        )
      })
  )

  live("is refused where a day between is missing, or is of another journal", (directory) =>
    Effect.gen(function* () {
      const { files } = yield* archivedIn(directory)
      const others = yield* archivedIn(join(directory, "other"))
      const tried = (some: ReadonlyArray<string>, name: string) =>
        Effect.flip(Effect.tryPromise({ try: () => restoreArchives(some, join(directory, name)), catch: String }))

      const alone = join(directory, "alone")
      yield* Effect.promise(() => restoreArchives(files.slice(1), alone))

      expect((yield* verified(alone)).from).toBeGreaterThan(1)
      expect(yield* tried([others.files[0]!, files[1]!], "mixed")).toContain("another journal")
    })
  )
})
