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
