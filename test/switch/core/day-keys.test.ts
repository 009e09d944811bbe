/** Keys that begin anew with each business day, where a partner has several links. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { types } from "./Pair.ts"

/** 2026-11-27 22:38:29, when the bench's purchases say that they were sent. */
const NOW = Date.UTC(2026, 10, 27, 14, 38, 29)

let stans = 0

const cutOver = (code: "201" | "202"): Message => ({
  mti: "0820",
  header: { destination: "00010000", source: "48020000" },
  fields: { 7: "1127223829", 11: String(++stans).padStart(6, "0"), 15: "1128", 70: code, 100: "00010000" }
})

describe("A key of another day, on another link of the same partner", () => {
  const group = Effect.gen(function* () {
    yield* TestClock.setTime(NOW)
    const businessDay = { cutOver: "accept", stan: "begins-anew", reconcile: "pass" } as const
    const acquirers = ["one", "two"].map((name, n) => ({
      ...linkOf(name, 4802 + n),
      institution: "48020000",
      businessDay
    }))
    const links = [acquirers[0]!, linkOf("issuer", 103), acquirers[1]!]
    const members = [0, 2].map((link) => ({ link, name: links[link]!.name, weight: 1 }))
    const pair = { name: "pair", members, use: "round-robin", by: [], failbackMs: 1000, fallTogether: false } as const
    const { commit, dial } = yield* startBench(links, makeDisk(), { groups: [pair] })
    const [one, b, two] = [dial(0), dial(1), dial(2)]
    yield* commit
    /** A purchase on this link, and what the issuer hears of it. */
    const bought = (link: typeof one) =>
      Effect.gen(function* () {
        link.say(purchase())
        yield* commit
        const heard = b.heard()
        for (const request of heard) b.say(answerTo(request, "0210"))
        yield* commit
        link.heard()
        return types(heard)
      })
    const moveDay = (link: typeof one) =>
      Effect.gen(function* () {
        link.say(cutOver("201"), cutOver("202"))
        yield* commit
        link.heard()
      })
    return { bought, moveDay, one, two }
  })

  it.effect("is free, too: a new request is not answered with the answer of yesterday", () =>
    Effect.gen(function* () {
      const { bought, moveDay, one, two } = yield* group
      expect(yield* bought(one)).toEqual(["0200"])
      yield* moveDay(two)

      expect(yield* bought(two)).toEqual(["0200"])
    })
  )

  it.effect("does not hide the request of today that was sent on the other link: its repeat is one", () =>
    Effect.gen(function* () {
      const { bought, moveDay, one, two } = yield* group
      expect(yield* bought(one)).toEqual(["0200"])
      yield* moveDay(one)
      yield* moveDay(two)
      expect(yield* bought(two)).toEqual(["0200"])

      expect(yield* bought(one)).toEqual([])
    })
  )
})

describe("What is marked as a repeat behind the cut-over, where STANs begin anew with the day,", () => {
  it.effect(
    "is one of the day before, and not sent again: a purchase and an advice; with another amount it is refused",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(NOW)
        const businessDay = { cutOver: "accept", stan: "begins-anew", reconcile: "pass" } as const
        const links = [{ ...linkOf("acquirer", 4802), businessDay }, linkOf("issuer", 103)]
        const { commit, dial } = yield* startBench(links)
        const [a, b] = [dial(0), dial(1)]
        yield* commit
        a.say(purchase(), purchase({ 11: "000002" }, "0220"))
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0230")))
        a.say(cutOver("201"), cutOver("202"))
        yield* commit
        a.heard()
        a.say(purchase({}, "0201"), purchase({ 11: "000002" }, "0221"), purchase({ 4: "000000045600" }, "0201"))
        yield* commit

        expect(b.heard()).toEqual([])
        expect(
          a
            .heard()
            .map(({ mti, fields }) => `${mti} ${fields[39]}`)
            .toSorted()
        ).toEqual(["0210 00", "0210 94", "0230 00"])
      })
  )
})

describe("A key of today, where STANs begin anew with the day,", () => {
  const businessDay = { cutOver: "accept", stan: "begins-anew", reconcile: "pass" } as const
  const links = [{ ...linkOf("acquirer", 4802), businessDay }, linkOf("issuer", 103)]

  /** A switch of these links on this disk, what its acquirer buys, and the codes that it hears. */
  const started = (disk: ReturnType<typeof makeDisk>) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(NOW)
      const { commit, dial } = yield* startBench(links, disk)
      const [a, b] = [dial(0), dial(1)]
      yield* commit
      const bought = (fields: Message["fields"], mti = "0200") =>
        Effect.gen(function* () {
          a.say(purchase(fields, mti))
          yield* commit
          const sent = b.heard()
          b.say(...sent.map((request) => answerTo(request, "0210")))
          yield* commit
          a.heard()
          return types(sent)
        })
      return { a, bought, commit }
    })

  it.effect("is known behind a restart that begins to read after the cut-over: its repeat is not sent again", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, bought, commit } = yield* started(disk)
          yield* bought({ 11: "000007" })
          a.say(cutOver("201"), cutOver("202"))
          yield* commit
          yield* bought({ 11: "000008" })
          // More than a start reads; what is said of days is said again on the way.
          for (let n = 0; n < 36; n++) {
            const nobodys = (at: number) => purchase({ 2: "9900000000000005", 11: String(10_000 + 1000 * n + at) })
            a.say(...Array.from({ length: 1000 }, (_, at) => nobodys(at)))
            yield* commit
            yield* TestClock.adjust(1000)
            yield* commit
            if (n === 8) yield* bought({ 11: "000009" })
          }
          a.heard()
        })
      )
      const { bought } = yield* started(disk)

      expect(yield* bought({ 11: "000009" }, "0201")).toEqual([])
      expect(yield* bought({ 11: "000008" }, "0201")).toEqual([])
      expect(yield* bought({ 11: "000007" })).toEqual(["0200"])
    })
  )
})
