import { describe, expect, it } from "@effect/vitest"
import { cups } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { acquirer, bench, issuer } from "./Pair.ts"

const limits = {
  requestTimeoutMs: 1000,
  recentKeys: 1024,
  repeatsMs: 60_000,
  unwrittenRefuse: 1 << 20,
  unwrittenStop: 1 << 21
}

/** What a start with this link says of links that are not there; `laterMs` behind a purchase and an advice on another one. */
const told = (link: LinkAll, laterMs: number) =>
  Effect.gen(function* () {
    const disk = makeDisk()
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench({}, disk)
        a.say(purchase(), purchase({ 11: "000002" }, "0220"))
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0230")))
        yield* commit
      })
    )
    yield* TestClock.adjust(laterMs)
    const { commit, store } = yield* startBench([link, issuer], disk, { limits })
    yield* commit
    const events = store.entries.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)
    return events.filter((text) => text.includes("not in the configuration"))
  })

describe("A start with a link that the journal knows by another name or dialect", () => {
  it.effect("warns that what came on it is forgotten, once, as long as it may be repeated", () =>
    Effect.gen(function* () {
      const renamed = { ...acquirer, name: "bank" }
      const otherWords = linkOf("acquirer", 4802, { ...cups, name: "other words" })

      expect(yield* told(renamed, 0)).toEqual([
        expect.stringMatching(/^link acquirer of the journal .*say so \(formerly: acquirer\) and start again$/)
      ])
      expect(yield* told(otherWords, 0)).toHaveLength(1)
      expect(yield* told(renamed, 120_000)).toEqual([])
      expect(yield* told(acquirer, 0)).toEqual([])
    })
  )
})
