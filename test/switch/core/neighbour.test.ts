import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

const stan = (n: number) => String(n).padStart(6, "0")
const one = (n: number, fields: Message["fields"] = {}, mti = "0200"): Message => ({
  ...purchase({ 11: stan(n), ...fields }, mti),
  header: { destination: "00010000", source: String(fields[32] ?? "48020000") }
})
const fromB = { 32: "48030000", 33: "48030000" }
const many = (count: number, fields: Message["fields"] = {}, mti = "0200", first = 1) =>
  Array.from({ length: count }, (_, n) => one(first + n, fields, mti))
const reversals = (count: number, fields: Message["fields"] = {}) =>
  many(count, { ...fields, 90: `02000009991122223829${"00048020000".repeat(2)}` }, "0420").map((message, n) => ({
    ...message,
    fields: { ...message.fields, 90: `0200${stan(n + 1)}${String(1_122_000_000 + n)}${"00048020000".repeat(2)}` }
  }))

/** A partner that floods, the issuer of both, a good partner, and an issuer of its own: all up. */
const bench = (change: { readonly [name: string]: Partial<LinkAll> } = {}, disk = makeDisk()) =>
  Effect.gen(function* () {
    const started = yield* startBench(
      [
        { ...linkOf("flood", 4802), ...change["flood"] },
        { ...linkOf("issuer", 103), ...change["issuer"] },
        { ...linkOf("good", 4803), ...change["good"] }
      ],
      disk
    )
    const { commit, dial } = started
    const [flood, issuer, good] = [dial(0), dial(1), dial(2)]
    yield* commit
    return { ...started, flood, issuer, good }
  })

describe("the window of an issuer that partners share", () => {
  it.effect("keeps a quarter for whoever comes, however much one partner asks of a silent issuer", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer } = yield* bench({ issuer: { window: 64 } })
      flood.say(...many(200))
      yield* commit
      good.say(...many(8, fromB))
      yield* commit

      const seen = issuer.heard()

      expect(seen.filter(({ fields }) => fields[32] === fromB[32]).length).toBe(8)
      expect(seen.length - 8).toBe(48)
      expect(new Set(codes(flood.heard()))).toEqual(new Set(["96"]))
      expect(good.heard()).toEqual([])
    })
  )

  it.effect("is let to the waiting partners in turn", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer } = yield* bench({
        issuer: { window: 4, waiting: { places: 60, waitMs: 900 } }
      })
      flood.say(...many(40))
      yield* commit
      good.say(...many(2, fromB))
      yield* commit
      const first = issuer.heard()

      expect(first.length).toBe(4)

      issuer.say(...first.map((seen) => answerTo(seen, "0210")))
      yield* commit

      expect(issuer.heard().filter(({ fields }) => fields[32] === fromB[32]).length).toBe(2)
    })
  )
})

describe("the turns of partners", () => {
  it.effect("come round to another partner's request long before a flood that was read first is worked off", () =>
    Effect.gen(function* () {
      const { commit, flood, good, store } = yield* bench({ issuer: { window: 8192 } })
      flood.say(...many(3000))
      good.say(one(1, fromB))
      for (let round = 0; round < 20; round++) yield* commit

      const accepted = store.entries.filter(({ kind }) => kind === EntryKind.accepted)

      expect(accepted.length).toBe(3001)

      const ofGood = accepted.findIndex(({ link }) => link !== accepted[0]!.link)
      // Behind two turns of the flood at most, each of 32 KiB: some hundred purchases.
      expect(ofGood).toBeLessThan(300)
    })
  )
})

describe("a rate limit", () => {
  it.effect("refuses what is above it at once, writes nothing of it down, and leaves other partners alone", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer, running, store } = yield* bench({ flood: { rateLimit: 10 } })
      flood.say(...many(25))
      good.say(...many(20, fromB))
      yield* commit

      const seen = issuer.heard()

      expect(seen.filter(({ fields }) => fields[32] !== fromB[32]).length).toBe(10)
      expect(seen.filter(({ fields }) => fields[32] === fromB[32]).length).toBe(20)
      expect(codes(flood.heard())).toEqual(new Array(15).fill("96"))
      expect(store.entries.filter(({ kind }) => kind === EntryKind.refused)).toEqual([])
      expect(running.status().links.map(({ overRate }) => overRate)).toEqual([15, 0, 0])

      const notes = store.entries.filter(({ code }) => code.includes("requests a second")).map(({ code }) => code)
      expect(notes).toEqual(["more than 10 requests a second: refused 96"])
    })
  )

  it.effect("holds for messages that cannot be read, too", () =>
    Effect.gen(function* () {
      const { commit, flood, store } = yield* bench({ flood: { rateLimit: 10 } })
      // Its last field says that it is shorter than it is.
      const bytes = linkOf("flood", 4802).codec.encode(one(1, { 62: "ABC" })) as Buffer
      bytes.write("002", bytes.length - 6, "latin1")
      flood.say(...new Array(25).fill(bytes))
      yield* commit

      expect(codes(flood.heard())).toEqual(new Array(25).fill("30"))
      expect(store.entries.filter(({ kind }) => kind === EntryKind.refused).length).toBe(10)
    })
  )

  it.effect("holds for messages that speak for another partner, too: those above it are not written down", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer, running, store } = yield* bench({ flood: { rateLimit: 10 } })
      flood.say(...many(25, fromB))
      yield* commit

      expect(codes(flood.heard())).toEqual(new Array(25).fill("63"))
      expect(store.entries.filter(({ kind }) => kind === EntryKind.refused).length).toBe(10)
      expect(running.status().links[0]).toMatchObject({ overRate: 15, lies: { count: 25 } })

      // Whom they named does not feel them.
      good.say(...many(25, fromB))
      yield* commit
      expect(issuer.heard().length).toBe(25)
    })
  )

  it.effect("refuses the same request again when it comes again, and lets answers to our own requests through", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer } = yield* bench({ flood: { rateLimit: 2 }, issuer: { rateLimit: 1 } })
      flood.say(...many(3))
      yield* commit

      expect(codes(flood.heard())).toEqual(["96"])

      good.say(...many(5, fromB))
      yield* commit
      issuer.say(...issuer.heard().map((seen) => answerTo(seen, "0210")))
      yield* commit

      expect(codes(good.heard())).toEqual(["00", "00", "00", "00", "00"])
      expect(codes(flood.heard())).toEqual(["00", "00"])

      yield* TestClock.adjust(500)
      flood.say(one(3))
      yield* commit

      expect(codes(flood.heard())).toEqual(["96"])

      yield* TestClock.adjust(500)
      flood.say(one(4))
      yield* commit

      expect(issuer.heard().map(({ fields }) => fields[11])).toEqual([stan(4)])
    })
  )

  it.effect("takes a refused reversal when it comes again", () =>
    Effect.gen(function* () {
      const { commit, flood, issuer } = yield* bench({ flood: { rateLimit: 2 } })
      flood.say(...reversals(3))
      yield* commit

      expect(codes(flood.heard()).sort()).toEqual(["00", "00", "96"])

      yield* TestClock.adjust(1000)
      flood.say(reversals(3)[2]!)
      yield* commit

      expect(codes(flood.heard())).toEqual(["00"])
      expect(issuer.heard().length).toBe(3)
    })
  )

  it.effect("never answers an accepted request with another code: its repeat waits for a place", () =>
    Effect.gen(function* () {
      const { commit, flood, issuer, running } = yield* bench({ flood: { rateLimit: 2 } })
      flood.say(...many(2), ...many(2))
      yield* commit
      issuer.say(...issuer.heard().map((seen) => answerTo(seen, "0210")))
      yield* commit

      expect(codes(flood.heard())).toEqual(["00", "00"])

      flood.say(one(1))
      yield* commit
      expect(codes(flood.heard())).toEqual([])
      expect(running.status().links[0]!.overRate).toBe(3)

      yield* TestClock.adjust(1000)
      flood.say(one(1))
      yield* commit

      expect(codes(flood.heard())).toEqual(["00"])
    })
  )
})

describe("stored messages", () => {
  it.effect("leave for the good partner in turn, and ours first, beside any number of made-up reversals", () =>
    Effect.gen(function* () {
      const { commit, dial, flood, good, issuer, running } = yield* bench()
      good.say(one(500, fromB))
      yield* commit
      issuer.close()
      yield* commit
      // Its outcome is unknown: our own reversal waits with the others.
      flood.say(...reversals(400))
      yield* commit
      good.say(one(1, { ...fromB, 90: `02000007771122223829${"00048030000".repeat(2)}` }, "0420"))
      for (let round = 0; round < 5; round++) yield* commit

      expect(running.status().links[1]!.stored.size).toBe(402)

      const again = dial(1)
      yield* commit
      const first = again.heard()
      // The good partner's own, and ours, which names it as the one that asked: two of the first eight.
      const ours = first.findIndex(({ fields }) => fields[33] === "00010000")
      const theirs = first.findIndex(({ fields }) => fields[33] === fromB[33])

      expect(ours).toBe(0)
      expect(theirs).toBeGreaterThan(0)
      expect(theirs).toBeLessThan(3)
    })
  )

  it.effect("of one partner do not fill the whole window", () =>
    Effect.gen(function* () {
      const { commit, flood, good, issuer } = yield* bench()
      flood.say(...reversals(50))
      yield* commit

      expect(issuer.heard().length).toBe(6)

      good.say(one(1, fromB, "0220"))
      yield* commit
      expect(types(issuer.heard())).toEqual(["0220"])
    })
  )
})

describe("a request that is old when it is read", () => {
  it.effect("is refused and not sent on when its time is over, and has what is left of it otherwise", () =>
    Effect.gen(function* () {
      const { commit, flood, issuer } = yield* bench()
      flood.sayLate(1000, one(1))
      yield* commit

      expect(codes(flood.heard())).toEqual(["98"])
      expect(issuer.heard()).toEqual([])

      flood.sayLate(600, one(2))
      yield* commit
      expect(types(issuer.heard())).toEqual(["0200"])

      yield* TestClock.adjust(430)
      yield* commit
      expect(codes(flood.heard())).toEqual(["98"])
    })
  )

  it.effect("still is an advice or a reversal that has to be delivered", () =>
    Effect.gen(function* () {
      const { commit, flood, issuer } = yield* bench()
      flood.sayLate(60_000, ...reversals(1))
      yield* commit

      expect(codes(flood.heard())).toEqual(["00"])
      expect(types(issuer.heard())).toEqual(["0420"])
    })
  )

  it.effect("is known by its DE 7 where the dialect says how far clocks may differ, and only there", () =>
    Effect.gen(function* () {
      const timed: Dialect = { ...cups, name: "timed", clockError: 30 }
      const { commit, flood, issuer } = yield* bench({
        flood: linkOf("flood", 4802, timed),
        issuer: linkOf("issuer", 103, timed)
      })
      // The test's clock is at the beginning of 1970.
      flood.say(one(1, { 7: "1231235929" }), one(2, { 7: "1231235931" }), one(3, { 7: "0101000500" }))
      yield* commit

      expect(issuer.heard().map(({ fields }) => fields[11])).toEqual(["000002", "000003"])
      expect(codes(flood.heard())).toEqual(["98"])
    })
  )

  it.effect("is not known by its DE 7 where the dialect says nothing", () =>
    Effect.gen(function* () {
      const { commit, flood, issuer } = yield* bench()
      flood.say(one(1, { 7: "0601000000" }))
      yield* commit
      expect(types(issuer.heard())).toEqual(["0200"])
    })
  )
})

describe("a stall of the disk", () => {
  it.effect("is told in the status while it lasts and afterwards, and noted in the journal", () =>
    Effect.gen(function* () {
      const { commit, flood, running, store } = yield* bench()
      expect(running.status().stalls).toBeUndefined()

      flood.say(one(1))
      yield* TestClock.adjust(4000)
      expect(running.status().stalls).toMatchObject({ count: 1, last: { what: "disk" } })

      yield* commit
      yield* TestClock.adjust(40)
      yield* commit

      expect(running.status().stalls?.longest.ms).toBeGreaterThan(3900)
      expect(
        store.entries.some(({ code }) => code.startsWith("stalled: the journal's disk confirmed nothing for 4"))
      ).toBe(true)
    })
  )
})
