/** The journal in a real PostgreSQL: what it keeps, who may write, what it refuses. */
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v1987Ascii } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { afterAll, beforeAll } from "vitest"
import { secretPan, secretRest } from "../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { headsIn } from "../../packages/switch/src/journal/Head.ts"
import type { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { openPostgres } from "../../packages/switch/src/journal/postgres/PostgresReader.ts"
import { allEntries, messageOf, temporaryDirectory, testKey, testPan, write } from "../switch/journal/Journals.ts"
import { postgresTitle, RealPostgres, whyNoPostgres } from "./RealPostgres.ts"
import { placeOf, refusalAt, withJournalAt } from "./Stores.ts"

const codec = compile(iso8583v1987Ascii)
const request = (stan: string, rrn: string): Buffer => {
  const encoded = codec.encode({ mti: "0200", fields: { 3: "000000", 4: "000000000100", 11: stan, 37: rrn } })
  if (!Buffer.isBuffer(encoded)) throw new Error("the test message does not encode")
  return encoded
}

let count = 0
/** A switch of its own for each test: its journal is empty. */
const newName = (): string => `switch-${++count}`

describe.skipIf(whyNoPostgres() !== undefined)(postgresTitle("The journal in PostgreSQL"), () => {
  let server: RealPostgres
  beforeAll(async () => {
    server = await RealPostgres.begin()
    await server.administer("CREATE ROLE writer LOGIN IN ROLE jinka_switch")
  })
  afterAll(() => server?.end())
  const url = () => server.url("writer")

  const live = (title: string, body: (directory: string) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it.live(title, () => Effect.scoped(Effect.flatMap(temporaryDirectory, body)))

  live(
    "gives back every entry as it was written, with names and keys, after it was closed and taken over",
    (directory) =>
      Effect.gen(function* () {
        const place = placeOf(url(), newName())
        const rest = Buffer.from("a whole message, sealed")
        yield* withJournalAt(place, directory, (journal) =>
          Effect.gen(function* () {
            const { writer } = journal
            expect(journal.recovered).toMatchObject({ epoch: 1, lastSeq: 1, floor: 1, notes: [] })
            writer.now = 1_750_000_000_123
            const link = journal.nameId("银行-a", "cups")
            write(writer, { link, epoch: 4_000_000_000, code: "0200", message: messageOf(2), pan: testPan, rest })
            write(writer, { kind: EntryKind.queued, about: 3, message: Buffer.alloc(70_000, 7) })
            const row = { link: "银行-a", slot: "mac/both", keys: "wrapped" }
            journal.keep(row, link, "a key came", "{}")
            journal.keep({ ...row, keys: "wrapped again" }, link, "another key came", "{}")
            yield* journal.drained
          })
        )

        yield* withJournalAt(placeOf(url(), place.name, "n2"), directory, (journal) =>
          Effect.gen(function* () {
            const entries = yield* allEntries(journal)
            expect(entries.map(({ code }) => code).filter((code) => code.startsWith("owner"))).toEqual([
              "owner: node n1, epoch 1",
              "owner: node n2, epoch 2"
            ])
            expect(journal.recovered.epoch).toBe(2)
            const one = entries[2]!
            expect(one).toMatchObject({ seq: 3, at: 1_750_000_000_123, link: 1, epoch: 4_000_000_000, code: "0200" })
            expect([secretPan(one.secret), secretRest(one.secret)]).toEqual([testPan, rest])
            expect(entries[3]!.message).toEqual(Buffer.alloc(70_000, 7))
            expect(journal.names()).toEqual([{ id: 1, name: "银行-a", dialect: "cups" }])
            expect(journal.recovered.keys).toEqual([{ link: "银行-a", slot: "mac/both", keys: "wrapped again" }])
            expect(journal.recovered.counts).toEqual(journal.counts())
            expect(journal.recovered.counts[EntryKind.event]).toBe(2)
            expect(yield* journal.verify()).toMatchObject({ entries: 7, unopened: [] })
          })
        )
      })
  )

  live("finds exchanges by STAN, RRN and PAN while entries are written, and recalls what was asked", (directory) =>
    withJournalAt(placeOf(url(), newName()), directory, (journal) =>
      Effect.gen(function* () {
        const { writer } = journal
        const link = journal.nameId("bank-a", iso8583v1987Ascii.name)
        const first = write(writer, { link, message: request("000123", "RRN000000001"), pan: testPan })
        const second = write(writer, { link, message: request("000123", "RRN000000002"), pan: "6222020000000000" })
        write(writer, { kind: EntryKind.timedOut, exchange: first })
        const reversal = write(writer, { kind: EntryKind.queued, about: first, link, message: request("000124", "R") })
        yield* journal.drained

        expect(yield* journal.find({ stan: 123 })).toEqual([second, first])
        expect(yield* journal.find({ pan: testPan })).toEqual([first])
        expect((yield* journal.read(first)).map(({ seq }) => seq)).toEqual([first, first + 2, reversal])
        expect(secretPan((yield* journal.read(second, { secrets: true }))[0]!.secret)).toBe("6222020000000000")
        expect(yield* journal.read(424_242)).toEqual([])
        expect((yield* journal.entries([second, 1])).map(({ seq }) => seq)).toEqual([second, 1])
        const [open] = yield* journal.entries([second], { secrets: true })
        expect(secretPan(open!.secret)).toBe("6222020000000000")
      })
    )
  )

  live("goes from one part of its table to the next, and scans and verifies across", (directory) =>
    Effect.gen(function* () {
      const place = placeOf(url(), newName())
      // A journal has parts of one size from its beginning to its end; an administrator may make its row.
      const row = `('${place.name}', '${"ab".repeat(16)}', 1024)`
      yield* Effect.promise(() =>
        server.administer(`INSERT INTO jinka.journal (switch, journal_id, part_entries) VALUES ${row}`)
      )
      yield* withJournalAt(place, directory, (journal) =>
        Effect.gen(function* () {
          for (let n = 1; n <= 3000; n++) {
            write(journal.writer, { message: messageOf(n, 300), pan: testPan })
            if (n % 70 === 0) journal.writer.flush()
          }
          yield* journal.drained
          expect(yield* journal.scan(1, () => undefined)).toBe(3001)
          expect(yield* journal.scan(2000, () => undefined, { kinds: [EntryKind.event] })).toBe(0)
          expect((yield* journal.verify()).bad).toBeUndefined()
          expect((yield* journal.find({ pan: testPan })).length).toBe(1000)
        })
      )
      yield* withJournalAt(place, directory, (journal) => Effect.asVoid(journal.verify()))
      const parts = yield* Effect.promise(() =>
        server.administer(
          `SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid JOIN jinka.journal j ON j.switch = '${place.name}'
           WHERE relname LIKE 'group_' || j.id || '_%' AND relkind = 'r' ORDER BY 1`
        )
      )
      expect(parts.length).toBe(3)
    })
  )

  live(
    "drops whole parts that are old, verified, and only with the right to; the chain goes on from there",
    (directory) =>
      Effect.gen(function* () {
        const place = placeOf(url(), newName())
        const row = `('${place.name}', '${"cd".repeat(16)}', 1024)`
        yield* Effect.promise(() =>
          server.administer(
            `INSERT INTO jinka.journal (switch, journal_id, part_entries) VALUES ${row}`,
            "CREATE ROLE keeper LOGIN IN ROLE jinka_switch, jinka_keeper"
          )
        )
        const dropped = (journal: Journal["Service"]) =>
          Effect.gen(function* () {
            const { upTo } = yield* journal.extent(Number.MAX_SAFE_INTEGER, 2900)
            yield* Effect.repeat(journal.drop(upTo), { while: ({ isDone }) => !isDone })
            return upTo
          })
        yield* withJournalAt(place, directory, (journal) =>
          Effect.gen(function* () {
            for (let n = 1; n <= 3000; n++) {
              write(journal.writer, { message: messageOf(n, 60), pan: testPan })
              if (n % 7 === 0) journal.writer.flush()
            }
            yield* journal.drained
            expect((yield* Effect.flip(dropped(journal))).reason).toMatchObject({ _tag: "StoreRefused" })
            expect(yield* journal.verify()).toMatchObject({ from: 1, entries: 3001 })
          })
        )
        const keeper = placeOf(server.url("keeper"), place.name)
        const upTo = yield* withJournalAt(keeper, directory, (journal) =>
          Effect.gen(function* () {
            const upTo = yield* dropped(journal)
            expect(upTo).toBeGreaterThanOrEqual(1023)
            expect(upTo).toBeLessThan(2900)
            expect(yield* journal.verify()).toMatchObject({ from: upTo + 1, entries: 3002 })
            expect((yield* journal.find({ pan: testPan })).at(-1)).toBeGreaterThan(upTo)
            expect((yield* journal.extent(Number.MAX_SAFE_INTEGER, 2900)).upTo).toBe(0)
            return upTo
          })
        )
        yield* withJournalAt(place, directory, (journal) =>
          Effect.gen(function* () {
            expect(journal.recovered.firstSeq).toBe(upTo + 1)
            expect(yield* journal.scan(1, () => undefined)).toBe(3003 - upTo)
          })
        )
      })
  )

  live("has one owner: whoever takes it over is alone in writing, and the one before ends as overtaken", (directory) =>
    Effect.gen(function* () {
      const place = placeOf(url(), newName())
      const other = yield* temporaryDirectory
      const error = yield* withJournalAt(place, directory, (journal) =>
        Effect.gen(function* () {
          write(journal.writer, {})
          yield* journal.drained
          yield* withJournalAt(placeOf(url(), place.name, "n2"), other, (next) => {
            write(next.writer, {})
            return next.drained
          })
          write(journal.writer, {})
          journal.writer.flush()
          return yield* Effect.flip(journal.failed)
        })
      )
      expect(error.reason._tag).toBe("Overtaken")
      yield* withJournalAt(place, other, (journal) =>
        Effect.map(allEntries(journal), (entries) =>
          expect(entries.map(({ kind }) => kind)).toEqual(
            [EntryKind.event, EntryKind.accepted]
              .flatMap((kind) => [kind])
              .concat([EntryKind.event, EntryKind.accepted, EntryKind.event])
          )
        )
      )
    })
  )

  live("finds a group, a name and a mark that somebody changed", (directory) =>
    Effect.gen(function* () {
      const place = placeOf(url(), newName())
      yield* withJournalAt(place, directory, (journal) => {
        const link = journal.nameId("bank-a", "cups")
        for (let n = 1; n <= 20; n++) {
          write(journal.writer, { link, message: messageOf(n) })
          journal.writer.flush()
        }
        return journal.drained
      })
      const id = `(SELECT id FROM jinka.journal WHERE switch = '${place.name}')`
      const other = yield* temporaryDirectory
      const spoil = (statement: string, back: string) =>
        Effect.gen(function* () {
          yield* Effect.promise(() => server.administer(statement))
          const error = yield* refusalAt(place, other)
          yield* Effect.promise(() => server.administer(back))
          return error.reason._tag
        })
      const flip = `UPDATE jinka.commit_group SET bytes = set_byte(bytes, 120, 255 - get_byte(bytes, 120)) WHERE journal = ${id} AND first = 2`
      expect(yield* spoil(flip, flip)).toBe("Corrupt")
      const name = (text: string) => `UPDATE jinka.name SET name = '${text}' WHERE journal = ${id}`
      expect(yield* spoil(name("bank-b"), name("bank-a"))).toBe("Corrupt")
      yield* withJournalAt(place, directory, (journal) => Effect.asVoid(journal.verify()))
    })
  )

  live("is read from another node while its switch runs, with no right to write", (directory) =>
    Effect.gen(function* () {
      yield* Effect.promise(() => server.administer("CREATE ROLE looker LOGIN IN ROLE jinka_reader"))
      const place = placeOf(url(), newName())
      const elsewhere = yield* temporaryDirectory
      const reading = openPostgres(placeOf(server.url("looker"), place.name, "n2"), elsewhere, {
        keys: [testKey],
        dialects: { [iso8583v1987Ascii.name]: iso8583v1987Ascii }
      })
      expect((yield* Effect.flip(Effect.scoped(reading))).reason._tag).toBe("NotJournal")
      yield* withJournalAt(place, directory, (journal) =>
        Effect.gen(function* () {
          const link = journal.nameId("bank-a", iso8583v1987Ascii.name)
          const asked = write(journal.writer, { link, message: request("000777", "RRN000000777"), pan: testPan })
          for (let n = 0; n < 200; n++) {
            write(journal.writer, { message: messageOf(n) })
            journal.writer.flush()
          }
          yield* journal.drained
          const head = yield* journal.head

          const opened = yield* reading
          write(journal.writer, {})
          yield* journal.drained

          expect(opened.recovered).toMatchObject({ lastSeq: 203, names: journal.names(), notes: [] })
          expect(yield* opened.find({ stan: 777 })).toEqual([asked])
          expect(yield* opened.find({ pan: testPan })).toEqual([asked])
          expect((yield* opened.read(asked, { secrets: true })).map(({ secret }) => secretPan(secret))).toEqual([
            testPan
          ])
          expect(yield* opened.scan(1, () => undefined)).toBe(203)
          expect(yield* opened.verify()).toMatchObject({ entries: 203, unopened: [] })
          expect(yield* opened.faultOf(headsIn(head)[0]!)).toBeUndefined()
          expect((yield* Effect.flip(opened.backup(elsewhere))).reason.remedy).toContain("base backup")
        }).pipe(Effect.scoped)
      )
    })
  )

  live("is not taken over with another key, and the owner goes on", (directory) =>
    Effect.gen(function* () {
      const other = yield* temporaryDirectory
      const place = placeOf(url(), newName())
      yield* withJournalAt(place, directory, (journal) =>
        Effect.gen(function* () {
          const error = yield* refusalAt({ ...place, node: "n2" }, other, { key: Buffer.alloc(32, 0x17) })
          expect(error.reason._tag).toBe("KeyWrong")
          write(journal.writer, {})
          yield* journal.drained
        })
      )
    })
  )

  live("says that this node had acknowledged more than PostgreSQL has", (directory) =>
    Effect.gen(function* () {
      const place = placeOf(url(), newName())
      yield* withJournalAt(place, directory, (journal) => {
        for (let n = 1; n <= 3; n++) {
          write(journal.writer, { message: messageOf(n) })
          journal.writer.flush()
        }
        return journal.drained
      })
      const id = `(SELECT id FROM jinka.journal WHERE switch = '${place.name}')`
      yield* Effect.promise(() =>
        server.administer(
          `DELETE FROM jinka.commit_group WHERE journal = ${id} AND last = (SELECT max(last) FROM jinka.commit_group WHERE journal = ${id})`,
          `DELETE FROM jinka.mark WHERE journal = ${id}`
        )
      )
      const lost = yield* refusalAt(place, directory)
      expect(lost.reason).toMatchObject({ _tag: "Truncated", problem: expect.stringContaining("journal.head") })
      // Another node knows nothing of it; what it writes is another entry of that number for this one.
      const other = yield* temporaryDirectory
      yield* withJournalAt(place, other, () => Effect.void)
      expect((yield* refusalAt(place, directory)).reason._tag).toBe("Truncated")
      const accepted = yield* withJournalAt(
        place,
        directory,
        (journal) => Effect.andThen(journal.drained, allEntries(journal)),
        { acceptLoss: true }
      )
      expect(accepted.some(({ code }) => code.startsWith("loss accepted"))).toBe(true)
      const elsewhere = yield* refusalAt(placeOf(url(), newName()), directory)
      expect(elsewhere.reason).toMatchObject({ _tag: "Truncated", problem: expect.stringContaining("no journal of") })
    })
  )
})
