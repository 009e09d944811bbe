/** What a switch relies on of its journal's store, in the same words for each of them. */
import { Effect } from "effect"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { secretPan, secretRest } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { headsIn } from "../../../packages/switch/src/journal/Head.ts"
import { everyStore, type OneJournal } from "./EveryStore.ts"
import { allEntries, messageOf, testPan, write } from "./Journals.ts"

const otherPan = "6222020000000000"

for (const { absent, begin, end, make, name } of everyStore) {
  const skipped = absent === undefined ? "" : ` (skipped: ${absent})`
  describe.skipIf(absent !== undefined)(`A journal's store, ${name}${skipped}`, () => {
    let journal: OneJournal
    beforeAll(begin ?? (() => undefined), 60_000)
    afterAll(end ?? (() => undefined))
    beforeEach(() => {
      journal = make()
    })
    afterEach(() => journal.end())

    it("gives back every entry as it was written, also after it was closed and opened again, and goes on numbering", async () => {
      const rest = Buffer.from("a whole message, sealed")
      const written = await journal.use(({ counts, drained, keep, nameId, writer }) =>
        Effect.gen(function* () {
          writer.now = 1_750_000_000_123
          const link = nameId("银行-a", "cups")
          const first = write(writer, {
            ...{ link, epoch: 4_000_000_000, code: "0200", message: messageOf(2), pan: testPan, rest }
          })
          write(writer, { kind: EntryKind.queued, about: first, message: Buffer.alloc(70_000, 7) })
          const row = { link: "银行-a", slot: "mac/both", keys: "wrapped" }
          keep(row, link, "a key came", "{}")
          keep({ ...row, keys: "wrapped again" }, link, "another key came", "{}")
          yield* drained
          return { first, next: writer.next, counts: counts() }
        })
      )
      await journal.use((opened) =>
        Effect.gen(function* () {
          const { counts, names, recovered, writer } = opened
          const { first } = written
          const entries = yield* allEntries(opened)
          const [one, two] = entries.filter(({ seq }) => seq === first || seq === first + 1)
          expect(one).toMatchObject({
            ...{ seq: first, exchange: first, at: 1_750_000_000_123, link: 1, epoch: 4_000_000_000, code: "0200" }
          })
          expect(one!.message).toEqual(messageOf(2))
          expect([secretPan(one!.secret), secretRest(one!.secret)]).toEqual([testPan, rest])
          expect(two).toMatchObject({ kind: EntryKind.queued, exchange: first + 1, about: first })
          expect(two!.message).toEqual(Buffer.alloc(70_000, 7))
          expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, n) => n + 1))
          expect(names()).toEqual([{ id: 1, name: "银行-a", dialect: "cups" }])
          expect(recovered.keys).toEqual([{ link: "银行-a", slot: "mac/both", keys: "wrapped again" }])
          // A store that has owners says in an entry of its own who it is.
          expect(writer.next).toBeGreaterThanOrEqual(written.next)
          expect(writer.next - written.next).toBe(counts()[EntryKind.event]! - written.counts[EntryKind.event]!)
          expect(recovered.counts).toEqual(counts())
          expect(recovered.lastSeq).toBe(entries.length)
        })
      )
    })

    it("acknowledges every group once and in order, and the entries kept together in one", async () => {
      await journal.use(({ drained, writer }) =>
        Effect.gen(function* () {
          const told: Array<number> = []
          writer.onCommitted = (last) => told.push(last)
          const pairs: Array<number> = []
          for (let n = 0; n < 40; n++) {
            writer.beginTogether()
            const first = write(writer, { message: messageOf(n, 500) })
            write(writer, { kind: EntryKind.timedOut, exchange: first })
            writer.endTogether()
            pairs.push(first)
            writer.flush()
          }
          yield* drained
          expect(told).toEqual([...new Set(told)].sort((one, other) => one - other))
          expect(told.at(-1)).toBe(writer.next - 1)
          expect(writer.committedSeq).toBe(writer.next - 1)
          expect(pairs.filter((first) => told.includes(first))).toEqual([])
        })
      )
    })

    it("has on its disk what was pending when it was closed", async () => {
      const last = await journal.use(({ writer }) =>
        Effect.sync(() => {
          for (let n = 0; n < 30; n++) write(writer, { message: messageOf(n) })
          return writer.next - 1
        })
      )
      const found = await journal.use((opened) => allEntries(opened))
      expect(found.filter(({ kind }) => kind === EntryKind.accepted).at(-1)!.seq).toBe(last)
    })

    it("finds exchanges by card number, newest first, and reads each with what is about it", async () => {
      await journal.use((opened) =>
        Effect.gen(function* () {
          const { drained, entries, find, read, writer } = opened
          const first = write(writer, { message: messageOf(1), pan: testPan })
          const second = write(writer, { message: messageOf(2), pan: testPan })
          const third = write(writer, { message: messageOf(3), pan: otherPan })
          const end = write(writer, { kind: EntryKind.timedOut, exchange: first })
          const reversal = write(writer, { kind: EntryKind.queued, about: first, message: messageOf(4) })
          yield* drained
          expect(yield* find({ pan: testPan })).toEqual([second, first])
          expect(yield* find({ pan: "6222029999999999" })).toEqual([])
          const told = yield* read(first)
          expect(told.map(({ seq }) => seq)).toEqual([first, end, reversal])
          expect(told.every(({ secret }) => secret.length === 0)).toBe(true)
          expect(secretPan((yield* read(third, { secrets: true }))[0]!.secret)).toBe(otherPan)
          expect(yield* read(424_242)).toEqual([])
          const some = yield* entries([third, first, 424_242])
          expect(some.map(({ seq }) => seq)).toEqual([third, first])
        })
      )
    })

    it("scans from where it is asked to, only the kinds that are asked for, and no further than is wanted", async () => {
      await journal.use(({ drained, scan, writer }) =>
        Effect.gen(function* () {
          const from = writer.next
          for (let n = 0; n < 600; n++) {
            write(writer, { kind: n % 3 === 0 ? EntryKind.refused : EntryKind.accepted, message: messageOf(n, 200) })
            if (n % 7 === 0) writer.flush()
          }
          yield* drained
          const seen: Array<number> = []
          yield* scan(from + 300, ({ seq }) => seen.push(seq))
          expect(seen).toEqual(Array.from({ length: 300 }, (_, n) => from + 300 + n))
          const refused: Array<number> = []
          yield* scan(from, ({ seq }) => refused.push(seq), { kinds: [EntryKind.refused] })
          expect(refused).toEqual(Array.from({ length: 200 }, (_, n) => from + 3 * n))
          const few: Array<number> = []
          yield* scan(from, ({ seq }) => few.push(seq) < 5)
          expect(few.length).toBe(5)
        })
      )
    })

    it("verifies as it was written, and says how far it is in a word that it knows again", async () => {
      await journal.use(({ drained, head, verify, writer }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 200; n++) {
            write(writer, { message: messageOf(n) })
            if (n % 9 === 0) writer.flush()
          }
          yield* drained
          const { bad, entries, from } = yield* verify()
          expect([bad, from, entries]).toEqual([undefined, 1, writer.next - 1])
          const [{ seq } = { seq: 0 }] = headsIn(yield* head)
          expect(seq).toBe(writer.committedSeq)
        })
      )
    })

    it("starts recovery at the floor, with the secrets that a reversal needs", async () => {
      const floor = await journal.use(({ drained, writer }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 50; n++) write(writer, { message: messageOf(n), pan: otherPan })
          yield* drained
          const open = write(writer, { message: messageOf(50), pan: testPan })
          writer.floor = open
          for (let n = 0; n < 20; n++) write(writer, { kind: EntryKind.event, code: `event ${n}` })
          yield* drained
          return open
        })
      )
      const seen: Array<number> = []
      await journal.use(({ recover }) =>
        recover((entry) => {
          seen.push(entry.seq)
          if (entry.seq === floor) expect(secretPan(entry.secret)).toBe(testPan)
        })
      )

      expect(seen[0]).toBe(floor)
      expect(seen.length).toBeGreaterThanOrEqual(21)
    })

    it("takes new work and is its own, as long as nothing is wrong", async () => {
      const state = await journal.use(({ isOurs, refuses, scarce, stopped, trouble }) =>
        Effect.sync(() => [refuses(), isOurs(), scarce(), stopped(), trouble()])
      )
      expect(state).toEqual([undefined, true, false, undefined, ""])
    })
  })
}
