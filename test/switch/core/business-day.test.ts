/** The business day of a partner: its cut-over messages, the settlement dates of its answers, a restart; the totals by day. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { BusinessDaySettings, DayAct } from "../../../packages/switch/src/exchange/day/BusinessDay.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { totals } from "../../../packages/switch/src/operate/totals/Totals.ts"
import type { TotalsRow } from "../../../packages/switch/src/operate/totals/TotalsReport.ts"
import { Dialects } from "../../../packages/switch/src/operate/trace/Dialects.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, settle, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

/** 2026-11-27 22:38:29, when the bench's purchases say that they were sent. */
const NOW = Date.UTC(2026, 10, 27, 14, 38, 29)

const accepted: BusinessDaySettings = { cutOver: "accept", stan: "goes-on", reconcile: "pass" }

const original = `02000000011122223829${"00048020000".repeat(2)}`

const bench = (
  disk = makeDisk(),
  settings: Partial<BusinessDaySettings> = {},
  now = NOW,
  stan: LinkAll["stan"] = "callers"
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    const businessDay = { ...accepted, ...settings }
    const links = [
      { ...linkOf("acquirer", 4802), businessDay },
      { ...linkOf("issuer", 103), businessDay, stan }
    ]
    const started = yield* startBench(links, disk)
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    const days = () => started.running.status().links.map(({ businessDay: day }) => day)
    /** A purchase, and the issuer's answer with this settlement date. */
    const bought = (stan: number, fields: Message["fields"] = {}, answer: Message["fields"] = {}) =>
      Effect.gen(function* () {
        a.say(purchase({ 11: String(stan).padStart(6, "0"), ...fields }))
        yield* started.commit
        const [request] = b.heard()
        if (request !== undefined) b.say(answerTo(request, "0210", answer))
        yield* started.commit
        return a.heard()
      })
    return { ...started, a, b, bought, days }
  })

let stans = 0

const cutOver = (code: "201" | "202", date: string | undefined, sender = "48020000"): Message => ({
  mti: "0820",
  header: { destination: "00010000", source: sender },
  fields: {
    7: "1127223829",
    11: String(++stans).padStart(6, "0"),
    ...(date === undefined ? {} : { 15: date }),
    70: code,
    100: "00010000"
  }
})

const fromIssuer = (code: "201" | "202", date: string | undefined) => cutOver(code, date, "1030000")

describe("A cut-over", () => {
  it.effect("moves the day of the link that it came on, and of no other; it is answered when it is on disk", () =>
    Effect.gen(function* () {
      const { a, b, commit, days, store } = yield* bench()
      b.say(fromIssuer("201", "1128"))
      yield* settle

      expect(b.heard()).toEqual([])

      yield* commit
      const [begun] = b.heard()

      expect(begun?.mti).toBe("0830")
      expect(begun?.fields).toMatchObject({ 15: "1128", 39: "00", 70: "201", 100: "00010000" })
      expect(days()).toEqual([
        { date: "", next: "", state: "unknown" },
        { date: "", next: "2026-11-28", state: "closing" }
      ])

      b.say(fromIssuer("202", "1128"))
      yield* commit

      expect(codes(b.heard())).toEqual(["00"])
      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
      expect(days()[0]).toEqual({ date: "", next: "", state: "unknown" })
      expect(a.heard()).toEqual([])

      const said = store.entries.filter(({ kind }) => kind === EntryKind.day).map(({ code }) => code)
      expect(said).toEqual(["closing - 2026-11-28 cutoverStart since 0", "open 2026-11-28 cutoverEnd"])
    })
  )

  it.effect("said twice is answered twice, and moves the day once", () =>
    Effect.gen(function* () {
      const { b, commit, days, store } = yield* bench()
      for (const code of ["201", "201", "202", "202"] as const) b.say(fromIssuer(code, "1128"))
      yield* commit

      expect(codes(b.heard())).toEqual(["00", "00", "00", "00"])
      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
      expect(store.entries.filter(({ kind }) => kind === EntryKind.day)).toHaveLength(2)
    })
  )

  it.effect(
    "without a date, with one that is none, one of the past or one far ahead is answered 30 and moves nothing",
    () =>
      Effect.gen(function* () {
        const { b, commit, days } = yield* bench()
        b.say(fromIssuer("201", "1128"), fromIssuer("202", "1128"))
        yield* commit
        b.heard()
        for (const wrong of [undefined, "1131", "1127", "1220"]) {
          b.say(fromIssuer("201", wrong))
          yield* commit
          expect([wrong, codes(b.heard())]).toEqual([wrong, ["30"]])
        }
        // The end of one names its date, or the beginning has.
        b.say(fromIssuer("202", undefined))
        yield* commit

        expect(codes(b.heard())).toEqual(["30"])
        expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
      })
  )

  it.effect("that the link refuses is answered 90, and moves nothing", () =>
    Effect.gen(function* () {
      const { b, commit, days } = yield* bench(makeDisk(), { cutOver: "refuse" })
      b.say(fromIssuer("201", "1128"), fromIssuer("202", "1128"))
      yield* commit

      expect(codes(b.heard())).toEqual(["90", "90"])
      expect(days()[1]).toEqual({ date: "", next: "", state: "unknown" })
    })
  )

  it.effect("keeps no request waiting, and is known after a restart, between its two messages too", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { b, bought, commit } = yield* bench(disk)
          yield* bought(1, {}, { 15: "1127" })
          b.say(fromIssuer("201", "1128"))
          yield* commit
          expect(codes(b.heard())).toEqual(["00"])
          expect(codes(yield* bought(2, {}, { 15: "1128" }))).toEqual(["00"])
        })
      )
      const { b, commit, days } = yield* bench(disk)

      expect(days()[1]).toEqual({ date: "2026-11-27", next: "2026-11-28", state: "closing" })

      b.say(fromIssuer("202", undefined))
      yield* commit
      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
    })
  )

  it.effect("over the new year goes to the nearest year", () =>
    Effect.gen(function* () {
      const { b, commit, days } = yield* bench(makeDisk(), {}, Date.UTC(2026, 11, 31, 15, 0))
      b.say(fromIssuer("201", "0101"), fromIssuer("202", "0101"))
      yield* commit

      expect(days()[1]).toEqual({ date: "2027-01-01", next: "", state: "open" })
    })
  )
})

describe("An operator", () => {
  const night = { user: "night", reason: "they confirmed it" }

  it.effect("cuts a day over when its messages did not come, once it is on disk; said twice it moves once", () =>
    Effect.gen(function* () {
      const { a, b, bought, commit, days, running, store } = yield* bench()
      yield* bought(1, {}, { 15: "1127" })
      const move = running.dayOperations.move("issuer", "cut-over", "2026-11-28", night)
      const asked = yield* Effect.forkChild(move)
      yield* settle
      expect(asked.pollUnsafe()).toBeUndefined()
      yield* commit
      const { before, did } = yield* Fiber.join(asked)
      const again = yield* Effect.forkChild(move)
      yield* commit

      expect([before.date, did]).toEqual([
        "2026-11-27",
        expect.stringMatching(/^The business day of issuer is 2026-11-28\. /)
      ])
      expect((yield* Fiber.join(again)).did).toBe("The business day of issuer was 2026-11-28 already.")
      expect(days()).toEqual([
        { date: "", next: "", state: "unknown" },
        { date: "2026-11-28", next: "", state: "open" }
      ])
      expect([a.heard(), b.heard()]).toEqual([[], []])
      const said = store.entries.map(({ code }) => code)
      expect(said).toContain("open 2026-11-28 operator")
      expect(said.find((text) => text.startsWith("operator night"))).toBe(
        "operator night: day cut-over to 2026-11-28 (they confirmed it): business day of issuer is 2026-11-28. Before: open 2026-11-27 answer"
      )
    })
  )

  it.effect("ends a cut-over that was begun, with its own date, and what he did is known after a restart", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { b, commit, running } = yield* bench(disk)
          b.say(fromIssuer("201", "1128"))
          yield* commit
          const other = running.dayOperations.move("issuer", "cut-over", "2026-11-29", night)
          expect((yield* Effect.flip(other)).says).toContain("has begun a cut-over to 2026-11-28")
          const asked = yield* Effect.forkChild(running.dayOperations.move("issuer", "cut-over", "2026-11-28", night))
          yield* commit
          yield* Fiber.join(asked)
        })
      )
      const { days } = yield* bench(disk)

      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
    })
  )

  it.effect("moves no day back, far ahead, or where none is kept, and hears what to do; a wrong one is put right", () =>
    Effect.gen(function* () {
      const { b, commit, days, running } = yield* bench()
      b.say(fromIssuer("201", "1128"), fromIssuer("202", "1128"))
      yield* commit
      const refused = (act: DayAct, to: string, link = "issuer") =>
        Effect.map(Effect.flip(running.dayOperations.move(link, act, to, night)), ({ says }) => says)

      expect(yield* refused("cut-over", "2026-11-27")).toMatch(
        /2026-11-27 is before the business day.*jinka day correct/
      )
      expect(yield* refused("cut-over", "2027-11-28")).toContain("more than 10 days from today, 2026-11-27")
      expect(yield* refused("correct", "2026-10-27")).toContain("is it a slip?")
      expect(yield* refused("cut-over", "2026-11-29", "nobody")).toBe(
        "There is no link nobody. The links are: acquirer, issuer."
      )
      expect(days()[1]).toMatchObject({ date: "2026-11-28" })

      const corrected = yield* Effect.forkChild(running.dayOperations.move("issuer", "correct", "2026-11-27", night))
      yield* commit
      yield* Fiber.join(corrected)
      b.heard()
      b.say(fromIssuer("201", "1128"))
      yield* commit

      expect(days()[1]).toEqual({ date: "2026-11-27", next: "2026-11-28", state: "closing" })
    })
  )
})

describe("The settlement date of an answer", () => {
  it.effect("moves the day of the link that answered, where no cut-over message came; an earlier one does not", () =>
    Effect.gen(function* () {
      const { bought, days } = yield* bench()
      yield* bought(1, {}, { 15: "1127" })
      expect(days()).toEqual([
        { date: "", next: "", state: "unknown" },
        { date: "2026-11-27", next: "", state: "open" }
      ])

      yield* bought(2, {}, { 15: "1128" })
      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })

      yield* bought(3, {}, { 15: "1127" })
      yield* bought(4, {}, { 15: "1231" })
      expect(days()[1]).toEqual({ date: "2026-11-28", next: "", state: "open" })
    })
  )

  it.effect("of the next day does not end a cut-over that has begun", () =>
    Effect.gen(function* () {
      const { b, bought, commit, days } = yield* bench()
      yield* bought(1, {}, { 15: "1127" })
      b.say(fromIssuer("201", "1128"))
      yield* commit
      b.heard()
      yield* bought(2, {}, { 15: "1128" })
      expect(days()[1]).toMatchObject({ date: "2026-11-27", state: "closing" })

      yield* bought(3, {}, { 15: "1129" })
      expect(days()[1]).toEqual({ date: "2026-11-29", next: "", state: "open" })
    })
  )
})

describe("A request with a key of another day", () => {
  const again = (stan: "goes-on" | "begins-anew") =>
    Effect.gen(function* () {
      const { a, b, bought, commit } = yield* bench(makeDisk(), { stan })
      yield* bought(1)
      a.say(cutOver("201", "1128"), cutOver("202", "1128"))
      yield* commit
      expect(codes(a.heard())).toEqual(["00", "00"])
      a.say(purchase({ 11: "000001" }))
      yield* commit
      return types(b.heard())
    })

  it.effect("is a repeat, unless the partner's STANs begin anew with each day", () =>
    Effect.gen(function* () {
      expect(yield* again("goes-on")).toEqual([])
      expect(yield* again("begins-anew")).toEqual(["0200"])
    })
  )
})

describe("A request that is open when the day is cut over", () => {
  for (const stan of ["callers", "own"] as const)
    it.effect(`is still the one that its repeat and its reversal mean, where STANs begin anew; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench(makeDisk(), { stan: "begins-anew" }, NOW, stan)
        a.say(purchase())
        yield* commit
        const [request] = b.heard()
        a.say(cutOver("201", "1128"), cutOver("202", "1128"))
        yield* commit
        a.heard()
        a.say(purchase({}, "0201"), purchase({ 11: "000900", 90: original }, "0420"))
        yield* commit
        const early = types(b.heard())
        b.say(answerTo(request!, "0210"))
        yield* commit
        yield* TestClock.adjust(20)
        yield* commit

        expect(early).toEqual([])
        expect(types(b.heard())).toEqual(["0420"])
        expect(types(a.heard())).toEqual(["0430", "0210"])
      })
    )
})

describe("The totals of a business day", () => {
  const sumsOf = (row: TotalsRow) =>
    Object.fromEntries(
      (["approved", "reversed", "declined", "unknown", "undone", "open"] as const)
        .filter((name) => row[name].count !== 0)
        .map((name) => [name, [row[name].count, row[name].amount]])
    )

  it.effect(
    "are by the date of the answer, with what was declined, is unknown, was reversed or is open; on both links",
    () =>
      Effect.gen(function* () {
        const { a, b, bought, commit, store } = yield* bench()
        const report = (date?: string) =>
          totals(
            {
              names: () => [
                { id: 1, name: "acquirer", dialect: "cups" },
                { id: 2, name: "issuer", dialect: "cups" }
              ],
              scan: (from, each, options) =>
                Effect.sync(() => {
                  for (const entry of store.entries)
                    if (entry.seq >= from && options?.kinds?.includes(entry.kind) !== false) each(entry)
                  return 0
                })
            },
            new Dialects(),
            date
          )
        yield* bought(1, { 4: "000000000100" }, { 15: "1127" })
        yield* bought(2, { 4: "000000000200" }, { 15: "1127", 39: "51" })
        b.say(fromIssuer("201", "1128"))
        yield* commit
        b.heard()
        // Sent before, answered after the cut-over: it belongs to the date that the centre gives.
        yield* bought(3, { 4: "000000000400" }, { 15: "1128" })
        // A part of it.
        yield* bought(4, { 4: "000000000800" }, { 15: "1127", 39: "10", 4: "000000000700" })
        b.say(fromIssuer("202", "1128"))
        yield* commit
        b.heard()
        // Nobody knows, then its reversal is acknowledged; another one's is not.
        for (const stan of ["000005", "000006"]) a.say(purchase({ 11: stan, 4: "000000001600" }))
        yield* commit
        expect(types(b.heard())).toEqual(["0200", "0200"])
        yield* TestClock.adjust(1100)
        yield* commit
        expect(codes(a.heard())).toEqual(["98", "98"])
        const [first] = b.heard().filter(({ mti }) => mti === "0420")
        b.say(answerTo(first!, "0430"))
        // The acquirer takes back the first one, of the day before.
        a.say(
          purchase(
            { 7: "1127230000", 11: "000090", 4: "000000000100", 90: `0200000001112222382900048020000${"00048020000"}` },
            "0420"
          )
        )
        yield* commit
        a.heard()
        const theirs = b
          .heard()
          .find(({ mti, fields }) => mti.startsWith("042") && String(fields[90]).slice(4, 10) === "000001")
        b.say(answerTo(theirs!, "0430"))
        // And one is open.
        a.say(purchase({ 11: "000007", 4: "000000003200" }))
        yield* commit

        const { dates, days, rows } = yield* report()
        const row = (date: string, link: string) =>
          rows.filter((one) => one.date === date && one.link === link).map(sumsOf)

        expect(days).toEqual([{ link: "issuer", date: "2026-11-28", next: "", state: "open" }])
        const before = { approved: [2, 800], reversed: [1, 100], declined: [1, 200] }
        const now = { approved: [1, 400], unknown: [1, 1600], undone: [1, 1600], open: [1, 3200] }
        expect(row("2026-11-27", "issuer")).toEqual([before])
        expect(row("2026-11-27", "acquirer")).toEqual([before])
        expect(row("2026-11-28", "issuer")).toEqual([now])
        expect(row("2026-11-28", "acquirer")).toEqual([now])
        expect(rows[0]).toMatchObject({ side: "from", mti: "0200", type: "00", currency: "156" })
        expect(dates).toContainEqual({ link: "issuer", date: "2026-11-27", isClosed: true })
        expect(dates).toContainEqual({ link: "issuer", date: "2026-11-28", isClosed: false })
        expect((yield* report("2026-11-27")).rows.every(({ date }) => date === "2026-11-27")).toBe(true)
      })
  )
})
