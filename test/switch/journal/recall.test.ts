import { compile, cups, iso8583v1987Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { secretRest } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import type { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import type { AskedKind } from "../../../packages/switch/src/journal/JournalStore.ts"
import { everyStore, type Use } from "./EveryStore.ts"
import { write } from "./Journals.ts"

const header = { destination: "00010000", source: "48020000" }
const encoded = (fields: Message["fields"], mti = "0200", dialect = cups): Buffer => {
  const message: Message = {
    mti,
    fields: { 3: "000000", 4: "000000000100", 32: "48020000", 33: "48020000", ...fields }
  }
  const bytes = compile(dialect).encode(dialect === cups ? { ...message, header } : message)
  if (!Buffer.isBuffer(bytes)) throw new Error("the test message does not encode")
  return bytes
}

const purchase = (stan: string, time = "1122223829") => encoded({ 7: time, 11: stan })

const keyOf = (stan: string, time = "1122223829") => `${time}|${stan}|48020000|48020000`

for (const { absent, begin, end, make, name } of everyStore) {
  const skipped = absent === undefined ? "" : ` (skipped: ${absent})`
  describe.skipIf(absent !== undefined)(`what was asked before, in a journal in ${name}${skipped}`, () => {
    beforeAll(begin ?? (() => undefined), 60_000)
    afterAll(end ?? (() => undefined))
    const live = (title: string, use: Use<void>) =>
      it(title, async () => {
        const journal = make()
        try {
          await journal.use(use)
        } finally {
          journal.end()
        }
      })

    const recalled = (journal: Journal["Service"], link: string, kind: AskedKind, key: string, since = 0) =>
      Effect.map(journal.recall([{ link, kind, key, since }], journal.writer.next - 1), ([found]) =>
        found!.map(({ exchange, entries }) => [exchange, ...entries.map((entry) => [entry.kind, entry.code])])
      )

    live("finds a request by its link and its key, with its end, and no other's", (journal) =>
      Effect.gen(function* () {
        const { writer, nameId, drained } = journal
        const acquirer = nameId("acquirer", "cups")
        const other = nameId("other", "cups")
        const issuer = nameId("issuer", "cups")
        const mine = write(writer, { link: acquirer, code: "issuer", message: purchase("000001") })
        write(writer, { link: other, code: "issuer", message: purchase("000001") })
        write(writer, { kind: EntryKind.refused, link: acquirer, code: "92", message: purchase("000009") })
        write(writer, { link: acquirer, code: "issuer", message: purchase("000002") })
        for (let n = 0; n < 50; n++) {
          write(writer, {
            kind: EntryKind.duplicateRequest,
            exchange: mine,
            link: acquirer,
            message: purchase("000001")
          })
        }
        write(writer, {
          kind: EntryKind.answered,
          exchange: mine,
          link: issuer,
          code: "51",
          message: purchase("000001")
        })
        writer.flush()
        yield* drained

        const found = yield* recalled(journal, "acquirer", "request", keyOf("000001"))
        expect(found).toEqual([[mine, [EntryKind.accepted, "issuer"], [EntryKind.answered, "51"]]])
        expect(yield* recalled(journal, "acquirer", "request", keyOf("000003"))).toEqual([])
        expect(yield* recalled(journal, "acquirer", "request", keyOf("000009"))).toEqual([])
        expect(yield* recalled(journal, "acquirer", "reversal", keyOf("000001"))).toEqual([])
      })
    )

    live("finds a stored message by the link, the dialect and the STAN that it came with", (journal) =>
      Effect.gen(function* () {
        const { writer, nameId, drained } = journal
        nameId("acquirer", "cups")
        const host = nameId("host", "iso8583v1987Ascii")
        // It went out with a STAN of ours, and in the host's dialect.
        const message = encoded({ 7: "1122223829", 11: "000555" }, "0420", iso8583v1987Ascii)
        const stored = { kind: EntryKind.queued, link: host, message }
        const exchange = write(writer, { ...stored, code: "from acquirer as 000777" })
        write(writer, { ...stored, code: "reversal" })
        writer.flush()
        yield* drained

        const found = yield* recalled(journal, "acquirer", "reversal", keyOf("000777"))
        expect(found).toEqual([[exchange, [EntryKind.queued, "from acquirer as 000777"]]])
      })
    )

    live("leaves out what was asked before the time that is meant", (journal) =>
      Effect.gen(function* () {
        const { writer, nameId, drained } = journal
        writer.now = 5000
        write(writer, { link: nameId("acquirer", "cups"), message: purchase("000001") })
        writer.flush()
        yield* drained
        expect((yield* recalled(journal, "acquirer", "request", keyOf("000001"), 5000)).length).toBe(1)
        expect(yield* recalled(journal, "acquirer", "request", keyOf("000001"), 5001)).toEqual([])
      })
    )

    live("tells the newest time that was asked on each link, and that a link's keys have none", (journal) =>
      Effect.gen(function* () {
        const { writer, nameId, drained } = journal
        writer.now = 1000
        const acquirer = nameId("acquirer", "cups")
        write(writer, { link: acquirer, message: purchase("000001", "1122223830") })
        write(writer, { link: acquirer, message: purchase("000002", "1122223829") })
        const noTime = { ...cups, name: "no time", match: { ...cups.match, transaction: [11, 41] } }
        journal.learn({ "no time": noTime })
        write(writer, { link: nameId("terminals", "no time"), message: encoded({ 11: "000001", 41: "T0000001" }) })
        writer.flush()
        yield* drained

        const newest = yield* journal.newest(writer.next - 1, 0)
        expect([...newest].sort((one, other) => one.link.localeCompare(other.link))).toEqual([
          { link: "acquirer", time: 1_122_223_830 },
          { link: "terminals", time: Number.POSITIVE_INFINITY }
        ])
        expect(yield* journal.newest(writer.next - 1, 1001)).toEqual([])
      })
    )

    live("gives single entries by their numbers, in the order asked for", (journal) =>
      Effect.gen(function* () {
        const { writer, drained } = journal
        const first = writer.next
        for (let n = 1; n <= 10; n++) {
          write(writer, { message: Buffer.from(`entry ${n}`) })
          writer.flush()
        }
        yield* drained
        const entries = yield* journal.entries([first + 6, first + 2, first + 9, first + 98])
        expect(entries.map(({ message }) => message.toString())).toEqual(["entry 7", "entry 3", "entry 10"])
      })
    )

    live("gives what is sealed with them only where it is asked for, out of however many groups", (journal) =>
      Effect.gen(function* () {
        const { writer, drained } = journal
        const seqs: Array<number> = []
        for (let n = 1; n <= 40; n++) {
          const rest = Buffer.from(`sealed ${n}`)
          // More than one answer of a store on disk may hold.
          seqs.push(write(writer, { kind: EntryKind.queued, message: Buffer.alloc(20_000), rest }))
          writer.flush()
          yield* drained
        }
        const open = yield* journal.entries(seqs, { secrets: true })
        const covered = yield* journal.entries(seqs)

        expect(open.map(({ seq }) => seq)).toEqual(seqs)
        expect(open.map(({ secret }) => secretRest(secret).toString())).toEqual(seqs.map((_, n) => `sealed ${n + 1}`))
        expect(covered.map(({ secret }) => secret.length)).toEqual(seqs.map(() => 0))
      })
    )
  })
}
