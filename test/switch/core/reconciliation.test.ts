/** Totals that partners compare with those of the switch: where its sums come from, what it says, and what it does not do. */
import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, iso8583v1993Ascii, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { DayRow } from "../../../packages/switch/src/exchange/day/Reconciliations.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { JournalError } from "../../../packages/switch/src/journal/JournalError.ts"
import { linkOf, makeDisk, settle, startBench } from "./Bench.ts"

const nothing = { count: 0, amount: 0 }
const row = (wishes: Partial<DayRow>): DayRow => ({
  link: "acquirer",
  side: "from",
  date: "2026-11-27",
  mti: "0200",
  type: "00",
  currency: "156",
  approved: nothing,
  reversed: nothing,
  unknown: nothing,
  undone: nothing,
  open: nothing,
  ...wishes
})

const bench = (rows: ReadonlyArray<DayRow>, dialect: Dialect = cups) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.UTC(2026, 10, 27, 14, 38, 29))
    const businessDay = { cutOver: "accept", stan: "goes-on", reconcile: "answer" } as const
    const started = yield* startBench([{ ...linkOf("acquirer", 4802, dialect), businessDay }], makeDisk())
    started.running.reconcileBy(() => Effect.succeed({ rows }))
    const a = started.dial(0)
    yield* started.commit
    a.heard()
    const events = () => started.store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)
    return { ...started, a, events }
  })

const totals = (fields: Message["fields"], mti = "0520"): Message => ({
  mti,
  header: { destination: "00010000", source: "48020000" },
  fields: { 7: "1127223829", 11: "000001", 15: "1127", 32: "48020000", 33: "48020000", ...fields }
})

describe("Totals that a partner compares", () => {
  it.effect("are counted by what transactions are: debits, credits, transfers, inquiries, authorizations", () =>
    Effect.gen(function* () {
      const { a, commit } = yield* bench([
        row({ type: "00", approved: { count: 3, amount: 900 }, reversed: { count: 1, amount: 100 } }),
        row({ type: "20", approved: { count: 2, amount: 70 } }),
        row({ type: "40", approved: { count: 4, amount: 5 } }),
        row({ type: "31", approved: { count: 6, amount: 0 } }),
        row({ mti: "0100", type: "03", approved: { count: 7, amount: 7000 } }),
        row({ side: "to", type: "00", approved: { count: 50, amount: 1 } }),
        row({ link: "other", type: "00", approved: { count: 50, amount: 1 } }),
        row({ date: "2026-11-26", type: "00", approved: { count: 50, amount: 1 } })
      ])
      a.say(
        totals({
          74: "0000000002",
          76: "0000000003",
          77: "0000000001",
          78: "0000000004",
          80: "0000000006",
          81: "0000000007",
          86: "0000000000000070",
          88: "0000000000000900",
          89: "0000000000000100",
          97: "C0000000000000930"
        })
      )
      yield* settle
      yield* commit
      const [answer] = a.heard()

      expect([answer?.mti, answer?.fields[39], answer?.fields[66]]).toEqual(["0530", "00", "1"])
    })
  )

  it.effect("that differ are an alarm that says which, how much, and what may be why, with no run of digits", () =>
    Effect.gen(function* () {
      const { a, commit, events } = yield* bench([
        row({
          approved: { count: 3, amount: 123_456_789 },
          unknown: { count: 2, amount: 5 },
          open: { count: 1, amount: 1 }
        })
      ])
      a.say(totals({ 76: "0000000003", 88: "0000000123456788" }))
      yield* settle
      yield* commit

      expect(a.heard()[0]?.fields[66]).toBe("2")
      expect(events().at(-1)).toBe(
        "0520 of the partner: totals of 2026-11-27 are out of balance: Debits, amount: 123,456,788 there, 123,456,789 here; 2 of unknown outcome; 1 not ended yet"
      )
    })
  )

  it.effect("in several currencies, or of a journal that cannot be read, are said not to be known", () =>
    Effect.gen(function* () {
      const { a, commit, events, running } = yield* bench([])
      const rows = [row({}), row({ currency: "840" })]
      running.reconcileBy(() => Effect.as(Effect.sleep(10), { rows }))
      a.say(totals({ 76: "0000000000" }), totals({ 11: "000002", 76: "0000000000" }))
      yield* settle
      yield* TestClock.adjust(10)
      yield* commit
      const heard = a.heard()
      const [first, second] = ["000001", "000002"].map((stan) => heard.find(({ fields }) => fields[11] === stan))
      running.reconcileBy(() => Effect.fail(JournalError.of("DiskFailed", "the journal", "It cannot be read.")))
      a.say(totals({ 11: "000003", 76: "0000000000" }))
      yield* settle
      yield* commit

      expect([first?.fields[39], first?.fields[66]]).toEqual(["00", "3"])
      expect(events().find((text) => text.includes("not compared"))).toContain("they are in 156, 840")
      // A second message while the first is being summed up.
      expect(second?.fields[39]).toBe("96")
      expect(a.heard()[0]?.fields[66]).toBe("3")
    })
  )

  it.effect("are answered by a response code in an edition without a field for it", () =>
    Effect.gen(function* () {
      const { a, commit } = yield* bench([row({ mti: "1200", approved: { count: 1, amount: 5 } })], iso8583v1993Ascii)
      const asked = (number: string): Message => ({
        mti: "1520",
        fields: { 7: "1127223829", 11: "000001", 12: "261127223829", 15: "261127", 32: "48020000", 76: number }
      })
      a.say(asked("0000000001"))
      yield* settle
      a.say(asked("0000000002"))
      yield* settle
      yield* commit

      expect(a.heard().map(({ fields, mti }) => [mti, fields[39]])).toEqual([
        ["1530", "500"],
        ["1530", "501"]
      ])
    })
  )
})
