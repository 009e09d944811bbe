import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect } from "@jinka/codec"
import { Effect } from "effect"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { damaged, diskReading, type Reads } from "./BadReads.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, settle } from "./Bench.ts"
import { bench, codes, types } from "./Pair.ts"

describe("what comes again", () => {
  it.effect(
    "stays refused when it was refused while room was scarce and no entry tells of it: one answer, not two",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, store } = yield* bench()
        store.refuses = "space"
        const unknown = { 2: "9900000000000000", 11: "000003" }
        a.say(purchase(), purchase(unknown))
        yield* commit
        store.refuses = undefined
        a.say(purchase({}, "0201"), purchase(unknown, "0201"))
        yield* commit
        a.say(purchase({ 11: "000002" }))
        yield* commit

        expect(codes(a.heard())).toEqual(["96", "92", "96", "92"])
        expect(b.heard().map(({ fields }) => fields[11])).toEqual(["000002"])
      })
  )

  it.effect("is delivered once, although something of a reserved type with the same key was refused in between", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase({}, "0220"))
      yield* commit
      a.say(purchase({}, "0240"))
      yield* commit
      a.say(purchase({}, "0220"), purchase({}, "0221"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00", "30", "00", "00"])
      expect(types(b.heard())).toEqual(["0220"])
    })
  )

  it.effect("takes a reversal with the key of its original, and knows its repeat", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      const reversal = purchase({ 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")
      a.say(purchase())
      yield* commit
      const [seen] = b.heard()
      a.say(reversal)
      yield* commit
      b.say(answerTo(seen!, "0210"))
      yield* commit
      b.say(...b.heard().map((sent) => answerTo(sent, "0430")))
      yield* commit
      a.say({ ...reversal, mti: "0421" })
      yield* commit

      expect(a.heard().map(({ mti, fields }) => `${mti} ${fields[39]}`)).toEqual(["0430 00", "0210 00", "0430 00"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect("knows the repeat of an advice whose target counts keys in another way", () =>
    Effect.gen(function* () {
      const otherKeys: Dialect = { ...cups, name: "other keys", match: { ...cups.match, transaction: [11, 41] } }
      const { a, b, commit } = yield* bench({ issuer: linkOf("issuer", 103, otherKeys) })
      a.say(purchase({}, "0220"))
      yield* commit
      const sent = b.heard()

      expect(types(sent)).toEqual(["0220"])

      b.say(...sent.map((advice) => answerTo(advice, "0230")))
      yield* commit
      a.say(purchase({}, "0221"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00", "00"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect("knows repeats and late answers after a restart, also between links of different dialects", () =>
    Effect.gen(function* () {
      const { header, ...rest } = cups

      expect(header).toBeDefined()

      const headless: Dialect = { ...rest, name: "headless", match: { ...cups.match, transaction: [11, 41] } }
      const change = { issuer: linkOf("issuer", 103, headless) }
      const disk = makeDisk()
      const request = yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit } = yield* bench(change, disk)
          a.say(purchase({}, "0220"))
          yield* commit
          b.say(...b.heard().map((advice) => answerTo(advice, "0230")))
          a.say(purchase({ 11: "000002" }))
          yield* commit
          return b.heard()[0]!
        })
      )
      const { a, b, commit } = yield* bench(change, disk)
      a.say(purchase({}, "0221"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
      expect(types(b.heard())).toEqual(["0420"])

      b.say(answerTo(request, "0210"))
      yield* commit

      expect(disk.store.entries.at(-1)?.kind).toBe(EntryKind.late)
    })
  )

  it.effect("knows the repeat of an advice after a restart although the advice went out with a STAN of our own", () =>
    Effect.gen(function* () {
      const change: { issuer: Partial<LinkAll> } = { issuer: { stan: "own" } }
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit } = yield* bench(change, disk)
          a.say(purchase({ 11: "000777" }, "0220"))
          yield* commit
          const [sent] = b.heard()
          expect(sent?.fields[11]).not.toBe("000777")
          b.say(answerTo(sent!, "0230"))
          yield* commit
        })
      )
      const { a, b, commit } = yield* bench(change, disk)
      a.say(purchase({ 11: "000777" }, "0221"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
      expect(types(b.heard())).toEqual([])
    })
  )

  it.effect("waits for the answer that is on its way to disk, also while room is scarce", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      store.refuses = "space"
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* settle
      a.say(purchase())
      yield* settle
      const before = a.heard()
      yield* commit
      const after = codes(a.heard())
      a.say(purchase())
      yield* commit

      expect(before).toEqual([])
      expect(after).toEqual(["00", "00"])
      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect(
    "of an advice that was taken is acknowledged at once while room is scarce, and no sooner than it is taken",
    () =>
      Effect.gen(function* () {
        const { a, commit, store } = yield* bench()
        const advice = purchase({ 11: "000777" }, "0220")
        a.say(advice)
        yield* settle
        store.refuses = "space"
        a.say(advice)
        yield* settle
        const before = a.heard()
        yield* commit
        const taken = codes(a.heard())
        a.say(advice)
        yield* settle

        expect(before).toEqual([])
        expect(taken).toEqual(["00", "00"])
        expect(codes(a.heard())).toEqual(["00"])
      })
  )

  it.effect("gets no answer while the journal cannot read what was answered, and the same one when it can again", () =>
    Effect.gen(function* () {
      const reads: Reads = {}
      const { a, b, commit } = yield* bench({}, diskReading(reads))
      a.say(purchase())
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* commit
      const first = codes(a.heard())
      reads.answer = damaged
      a.say(purchase())
      yield* commit
      const meanwhile = codes(a.heard())
      reads.answer = undefined
      a.say(purchase())
      yield* commit

      expect([first, meanwhile, codes(a.heard())]).toEqual([["00"], [], ["00"]])

      a.say(purchase({ 11: "000002" }))
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* commit
      // Dropped with what is older than `journal.keep`.
      reads.answer = Effect.succeed([])
      a.say(purchase({ 11: "000002" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
    })
  )
})
