import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v1987Ascii } from "@jinka/codec"
import Database from "better-sqlite3"
import { Effect } from "effect"
import fc from "fast-check"
import { ENTRY_CODE_LENGTH_MAX, secretPan, secretRest } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { MARK_EVERY } from "../../../packages/switch/src/journal/GroupSeal.ts"
import { openReadOnly } from "../../../packages/switch/src/journal/JournalReader.ts"
import { loadedBy } from "../Loads.ts"
import {
  allEntries,
  messageOf,
  refusal,
  temporaryDirectory,
  testKey,
  testPan,
  type Written,
  withJournal,
  write
} from "./Journals.ts"
import { clearPanIn } from "./Plain.ts"

const live = (title: string, body: (directory: string) => Effect.Effect<void, unknown>) =>
  it.live(title, () => Effect.scoped(Effect.flatMap(temporaryDirectory, body)))

const codec = compile(iso8583v1987Ascii)
const request = (stan: string, rrn: string): Buffer => {
  const encoded = codec.encode({ mti: "0200", fields: { 3: "000000", 4: "000000000100", 11: stan, 37: rrn } })
  if (!Buffer.isBuffer(encoded)) throw new Error("the test message does not encode")
  return encoded
}

describe("the journal on SQLite", () => {
  it("has a thread that begins without the codec and without Effect: to load them takes longer than to open the journal", () => {
    const loaded = [...loadedBy("packages/switch/src/journal/SqliteWorker.ts")]

    expect(
      loaded.filter((name) => !name.startsWith("packages/switch/src/journal/") && !name.startsWith("node:"))
    ).toEqual(["better-sqlite3"])
  })

  live("can be read with nothing but sqlite3 while the switch is stopped", (directory) =>
    Effect.gen(function* () {
      yield* withJournal(directory, ({ writer, drained }) => {
        writer.now = Date.UTC(2026, 10, 23, 3, 4, 5, 678)
        write(writer, { message: Buffer.from("first"), pan: "6222021234567890128" })
        write(writer, {
          kind: EntryKind.answered,
          exchange: 1,
          about: 7,
          epoch: 3,
          code: "51",
          message: Buffer.from("second")
        })
        writer.flush()
        write(writer, { kind: EntryKind.event, code: "a longer code" })
        return drained
      })

      const database = new Database(join(directory, "journal.db"))
      const rows = database.prepare("SELECT * FROM readable").all()
      database.close()

      const nothing = { about: 0, link: null, epoch: 0, code: "", message_bytes: 0, message: "" }
      const utc = "2026-11-23 03:04:05.678"
      const hex = (text: string) => Buffer.from(text).toString("hex").toUpperCase()
      expect(rows).toEqual([
        { ...nothing, seq: 1, utc, kind: "accepted", exchange: 1, message_bytes: 5, message: hex("first") },
        {
          ...nothing,
          seq: 2,
          utc,
          kind: "answered",
          exchange: 1,
          about: 7,
          epoch: 3,
          code: "51",
          message_bytes: 6,
          message: hex("second")
        },
        { ...nothing, seq: 3, utc, kind: "event", exchange: 0, code: "a longer code" }
      ])
    })
  )

  live("gives back every entry as it was written, also after it was closed and opened again", (directory) =>
    Effect.gen(function* () {
      const rest = Buffer.from("a whole message, sealed")
      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          const { writer } = journal
          writer.now = 1_750_000_000_123
          const link = journal.nameId("银行-a", "cups")
          write(writer, { link, epoch: 4_000_000_000, code: "0200", message: messageOf(2), pan: testPan, rest })
          write(writer, { kind: EntryKind.queued, about: 2, code: "é\n", message: Buffer.alloc(70_000, 7) })
          yield* journal.drained
          expect(journal.counts()[EntryKind.queued]).toBe(1)
        })
      )

      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          const [, one, two] = yield* allEntries(journal)
          expect(one).toMatchObject({
            seq: 2,
            at: 1_750_000_000_123,
            exchange: 2,
            link: 1,
            epoch: 4_000_000_000,
            code: "0200"
          })
          expect(one!.message).toEqual(messageOf(2))
          expect([secretPan(one!.secret), secretRest(one!.secret)]).toEqual([testPan, rest])
          expect(two).toMatchObject({ seq: 3, exchange: 3, about: 2, code: "??" })
          expect(two!.message).toEqual(Buffer.alloc(70_000, 7))
          expect(journal.names()).toEqual([{ id: 1, name: "银行-a", dialect: "cups" }])
          expect(journal.recovered.counts).toEqual(journal.counts())
          expect(journal.writer.next).toBe(4)
        })
      )
      expect(clearPanIn(directory)).toEqual([])
    })
  )

  live("keeps any sequence of groups, pairs and secrets (random)", (directory) =>
    Effect.promise(() => {
      const entry = fc.record({
        kind: fc.integer({ min: 1, max: 15 }) as fc.Arbitrary<EntryKind>,
        exchange: fc.nat(50),
        code: fc.stringMatching(/^[ -~]{0,20}$/),
        message: fc.uint8Array({ maxLength: 3000 }),
        pan: fc.option(fc.stringMatching(/^\d{0,19}$/), { nil: undefined }),
        rest: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined })
      })
      const group = fc.record({ isTogether: fc.boolean(), entries: fc.array(entry, { minLength: 1, maxLength: 70 }) })
      let seq = 1
      return fc.assert(
        fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 8 }), async (groups) => {
          const from = seq
          const written: Array<Written> = []
          await Effect.runPromise(
            withJournal(directory, (journal) =>
              Effect.gen(function* () {
                for (const { entries, isTogether } of groups) {
                  if (isTogether) journal.writer.beginTogether()
                  for (const { pan, rest, ...fields } of entries) {
                    const one: Written = {
                      ...fields,
                      ...(pan === undefined ? {} : { pan }),
                      ...(rest === undefined ? {} : { rest })
                    }
                    seq = write(journal.writer, one) + 1
                    written.push(one)
                  }
                  if (isTogether) journal.writer.endTogether()
                  journal.writer.flush()
                }
                yield* journal.drained
              })
            )
          )
          await Effect.runPromise(
            withJournal(directory, (journal) =>
              Effect.gen(function* () {
                const read = yield* allEntries(journal, from)
                expect(read.length).toBe(written.length)
                for (const [n, one] of written.entries()) {
                  expect(read[n]).toMatchObject({ seq: from + n, kind: one.kind, code: one.code })
                  expect(read[n]!.message.equals(one.message!)).toBe(true)
                  expect(secretPan(read[n]!.secret)).toBe(one.pan ?? "")
                  expect(secretRest(read[n]!.secret).equals(one.rest ?? Buffer.alloc(0))).toBe(true)
                }
                expect((yield* journal.verify()).bad).toBeUndefined()
              })
            )
          )
        }),
        { numRuns: 6 }
      )
    })
  )

  live("finds exchanges by STAN, RRN and PAN, and reads them with what is about them", (directory) =>
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        const { writer } = journal
        const link = journal.nameId("bank-a", iso8583v1987Ascii.name)
        const first = write(writer, { link, message: request("000123", "RRN000000001"), pan: testPan })
        const second = write(writer, { link, message: request("000123", "RRN000000002"), pan: "6222020000000000" })
        write(writer, { kind: EntryKind.timedOut, exchange: first })
        const reversal = write(writer, {
          kind: EntryKind.queued,
          about: first,
          link,
          message: request("000124", "RRN000000001")
        })
        const lone = write(writer, { kind: EntryKind.unmatched, link, message: request("000999", "RRN000000009") })
        yield* journal.drained

        expect(yield* journal.find({ stan: 123 })).toEqual([second, first])
        expect(yield* journal.find({ rrn: "RRN000000001" })).toEqual([reversal, first])
        expect(yield* journal.find({ pan: testPan })).toEqual([first])
        expect(yield* journal.find({ stan: 123, rrn: "RRN000000002", pan: "6222020000000000" })).toEqual([second])
        expect(yield* journal.find({ stan: 123, pan: "4111111111111111" })).toEqual([])
        expect(yield* journal.find({ stan: 999 })).toEqual([lone])
        expect(yield* journal.find({})).toEqual([])
        expect((yield* journal.read(first)).map(({ seq }) => seq)).toEqual([first, first + 2, reversal])
        expect((yield* journal.read(first)).every(({ secret }) => secret.length === 0)).toBe(true)
        expect(secretPan((yield* journal.read(second, { secrets: true }))[0]!.secret)).toBe("6222020000000000")
        expect((yield* journal.read(lone)).map(({ seq }) => seq)).toEqual([lone])
        expect(yield* journal.read(424_242)).toEqual([])
      })
    )
  )

  live("makes the search index anew when it is deleted, damaged or of another journal", (directory) =>
    Effect.gen(function* () {
      const index = join(directory, "journal.index.db")
      const find = withJournal(directory, (journal) => journal.find({ pan: testPan }), { begin: true })
      yield* withJournal(directory, (journal) => {
        for (let n = 0; n < 300; n++) write(journal.writer, { message: messageOf(n), pan: testPan })
        return journal.drained
      })

      expect((yield* find).length).toBe(300)
      const whole = readFileSync(index)
      rmSync(index)
      expect((yield* find).length).toBe(300)
      writeFileSync(index, "this is no database, but it is long enough to be looked at".repeat(20))
      expect((yield* find).length).toBe(300)
      const damaged = Buffer.from(whole)
      damaged.fill(0xee, 4096)
      writeFileSync(index, damaged)
      expect((yield* find).length).toBe(300)
      rmSync(join(directory, "journal.db"))
      rmSync(join(directory, "journal.head"))
      expect(yield* find).toEqual([])
    })
  )

  live(
    "starts recovery at the floor, with the secrets a reversal needs, and counts from the last mark on",
    (directory) =>
      Effect.gen(function* () {
        const entries = MARK_EVERY + 500
        yield* withJournal(directory, (journal) =>
          Effect.gen(function* () {
            for (let n = 0; n < entries; n++) {
              write(journal.writer, { kind: EntryKind.event })
              if (n % 500 === 0) journal.writer.flush()
            }
            yield* journal.drained
            const open = write(journal.writer, { pan: testPan })
            journal.writer.floor = open
            journal.writer.flush()
            write(journal.writer, { kind: EntryKind.sent, exchange: open })
            yield* journal.drained
          })
        )

        yield* withJournal(directory, (journal) =>
          Effect.gen(function* () {
            const read: Array<string> = []
            expect(journal.recovered).toMatchObject({ lastSeq: entries + 2, floor: entries + 1 })
            expect(yield* journal.recover(({ secret }) => read.push(secretPan(secret)))).toBe(2)
            expect(read).toEqual([testPan, ""])
            expect([journal.counts()[EntryKind.event], journal.counts()[EntryKind.sent]]).toEqual([entries, 1])
          })
        )
      })
  )

  live("scans no further than it is asked to", (directory) =>
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        for (let n = 1; n <= 5000; n++) write(journal.writer, { message: messageOf(n, 300) })
        yield* journal.drained
        const seen: Array<number> = []

        expect(yield* journal.scan(4000, ({ seq }) => seen.push(seq) < 3)).toBe(3)
        expect(seen).toEqual([4000, 4001, 4002])
        expect(yield* journal.scan(6000, () => undefined)).toBe(0)
        expect(yield* journal.scan(1, () => undefined)).toBe(5000)
      })
    )
  )

  live("verifies itself while entries are written, and tells how far it is", (directory) =>
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        for (let n = 1; n <= 3000; n++) {
          write(journal.writer, { message: messageOf(n, 1000), pan: testPan })
          if (n % 10 === 0) journal.writer.flush()
        }
        yield* journal.drained
        const told: Array<number> = []

        const verified = yield* journal.verify((seq) => {
          told.push(seq)
          if (told.length < 4) write(journal.writer, { message: messageOf(seq) })
          journal.writer.flush()
        })

        expect(verified.bad).toBeUndefined()
        expect(verified.entries).toBeGreaterThanOrEqual(3000)
        expect(told.length).toBeGreaterThan(2)
      })
    )
  )

  live("opens older groups with a previous key, and finds PANs sealed under either", (directory) =>
    Effect.gen(function* () {
      const newKey = Buffer.alloc(32, 0x11)
      const add = (options: object) =>
        withJournal(
          directory,
          (journal) =>
            Effect.as(
              Effect.andThen(
                Effect.sync(() => write(journal.writer, { pan: testPan })),
                journal.drained
              ),
              0
            ),
          options
        )
      yield* add({})

      const error = yield* refusal(directory, { key: newKey })
      expect(error.reason._tag).toBe("KeyWrong")
      expect(error.message).toMatch(/written with the key [0-9a-f]{8}/)
      yield* add({ key: newKey, previousKeys: [testKey] })

      yield* withJournal(
        directory,
        (journal) =>
          Effect.gen(function* () {
            expect((yield* allEntries(journal)).map(({ secret }) => secretPan(secret))).toEqual([testPan, testPan])
            expect(yield* journal.find({ pan: testPan })).toEqual([2, 1])
            expect((yield* journal.verify()).bad).toBeUndefined()
          }),
        { key: newKey, previousKeys: [testKey] }
      )
    })
  )

  live("says when space runs low", (directory) =>
    Effect.gen(function* () {
      const isLow = (reserve: number) =>
        withJournal(directory, (journal) => Effect.sync(() => journal.refuses() === "space"), { reserve })

      expect(yield* isLow(Number.MAX_SAFE_INTEGER)).toBe(true)
      expect(yield* isLow(0)).toBe(false)
    })
  )

  live("writes what is pending before it closes", (directory) =>
    Effect.gen(function* () {
      yield* withJournal(directory, (journal) => Effect.sync(() => write(journal.writer, { code: "last" })))

      yield* withJournal(directory, (journal) =>
        Effect.gen(function* () {
          expect((yield* allEntries(journal)).map(({ code }) => code)).toEqual(["last"])
        })
      )
    })
  )

  live("cuts a code that is too long instead of breaking the entry", (directory) =>
    withJournal(directory, (journal) =>
      Effect.gen(function* () {
        write(journal.writer, { kind: EntryKind.event, code: "x".repeat(1000), message: messageOf(1) })
        yield* journal.drained
        const [entry] = yield* allEntries(journal)

        expect([entry!.code.length, entry!.message]).toEqual([ENTRY_CODE_LENGTH_MAX, messageOf(1)])
      })
    )
  )

  live("is read by the command line while no switch runs, with and without the key", (directory) =>
    Effect.gen(function* () {
      yield* withJournal(directory, (journal) => {
        write(journal.writer, { message: messageOf(1), pan: testPan })
        return journal.drained
      })

      const look = (keys: ReadonlyArray<Uint8Array>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const reader = yield* openReadOnly(directory, { keys })
            const [entry] = yield* reader.read(1, { secrets: true })
            const verified = yield* reader.verify()
            return { pan: secretPan(entry!.secret), found: yield* reader.find({ pan: testPan }), bad: verified.bad }
          })
        )
      expect(yield* look([testKey])).toEqual({ pan: testPan, found: [1], bad: undefined })
      expect(yield* look([])).toEqual({ pan: "", found: [], bad: undefined })
      yield* withJournal(directory, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(Effect.scoped(openReadOnly(directory)))
          expect(error.reason._tag).toBe("Locked")
        })
      )
    })
  )
})
