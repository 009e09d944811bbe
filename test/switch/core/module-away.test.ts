/** A security module in the network that goes away and comes back: what ends how, and what nobody loses. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, makeDisk, purchase, settle } from "./Bench.ts"
import { A, B, back, bench, isRight, operations, stans } from "./GateBench.ts"
import { sealed } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

describe("A module that goes away", () => {
  const unguarded = { acquirer: undefined }

  it.effect("leaves the link without new requests, which are refused with 91, and says so", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, running, goOn } = yield* bench(unguarded)
      module.goAway()
      yield* TestClock.adjust(25)
      a.say(purchase())
      yield* commit

      expect(codes(a.heard())).toEqual(["91"])
      expect(running.status().links[1]).toMatchObject({ ready: false, state: "without module" })

      module.isUp = true
      yield* TestClock.adjust(25)
      a.say(purchase({ 11: "000002" }))
      yield* goOn

      expect(stans(b.heard())).toEqual(["000002"])
    })
  )

  it.effect("refuses what it cannot look at, and remembers nothing of it, not after a restart either", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit, module, goOn } = yield* bench({}, disk)
          a.say(sealed(purchase({}, "0220"), A))
          yield* goOn
          expect(types(b.heard())).toEqual(["0220"])
          expect(codes(a.heard())).toEqual(["00"])
          module.goAway()
          a.say(sealed(purchase({}, "0221"), A), sealed(purchase({ 11: "000002" }), A))
          yield* commit
          module.isUp = true
          yield* TestClock.adjust(25)
        })
      )
      const { a, b, goOn } = yield* bench({}, disk)
      yield* goOn
      b.heard()
      a.say(sealed(purchase({}, "0221"), A), sealed(purchase({ 11: "000002" }), A))
      yield* goOn

      expect(codes(a.heard())).toEqual(["00"])
      expect(types(b.heard())).toEqual(["0200"])
    })
  )

  it.effect("while a MAC is made: the request was not sent, and nothing is reversed", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, store } = yield* bench(unguarded)
      a.say(purchase())
      yield* commit
      module.goAway()
      yield* commit

      expect(codes(a.heard())).toEqual(["91"])

      yield* TestClock.adjust(2000)
      yield* commit
      expect(b.heard()).toEqual([])
      expect(store.entries.map(({ kind }) => kind)).toContain(EntryKind.notSent)
      expect(store.entries.map(({ kind }) => kind)).not.toContain(EntryKind.queued)
    })
  )

  it.effect("while an answer is held against its MAC: it is held, and delivered when the module is back in time", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn } = yield* bench(unguarded)
      a.say(purchase())
      yield* goOn
      b.say(sealed(back(b.heard()[0]!, "0210"), B))
      yield* commit
      module.goAway()
      yield* TestClock.adjust(300)
      yield* commit

      expect(a.heard()).toEqual([])

      module.isUp = true
      yield* TestClock.adjust(25)
      yield* goOn

      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect("for longer than the request has: it ends Unknown, and is reversed when the module is back", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn, store } = yield* bench(unguarded)
      a.say(purchase())
      yield* goOn
      b.say(sealed(back(b.heard()[0]!, "0210"), B))
      yield* commit
      module.goAway()
      yield* TestClock.adjust(2000)
      yield* commit

      expect(codes(a.heard())).toEqual(["98"])
      expect(b.heard()).toEqual([])

      const unmatched = store.entries.filter(({ kind }) => kind === EntryKind.unmatched)
      expect(unmatched.map(({ code }) => code)).toEqual(["MAC unproved"])

      module.isUp = true
      yield* TestClock.adjust(1100)
      yield* goOn
      const [reversing] = b.heard()

      expect(reversing?.mti).toBe("0420")
      expect(isRight(reversing, B)).toBe(true)
    })
  )

  it.effect(
    "leaves nothing that has no MAC: an answer that cannot get one is not delivered, and its approval taken back",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, module, goOn } = yield* bench({ issuer: undefined })
        a.say(sealed(purchase(), A))
        yield* goOn
        b.say(answerTo(b.heard()[0]!, "0210"))
        yield* settle
        module.goAway()
        yield* commit
        yield* TestClock.adjust(25)
        yield* commit

        expect(a.heard()).toEqual([])
        expect(types(b.heard())).toEqual(["0420"])
      })
  )

  for (const [issuer, guards] of [
    ["an issuer without keys", { issuer: undefined }],
    ["an issuer with keys", {}],
    ["an acquirer without keys", unguarded]
  ] as const)
    it.effect(
      `tells the acquirer of a request for ${issuer} that cannot be sent while the journal is away, with an answer`,
      () =>
        Effect.gen(function* () {
          const { a, b, commit, module, store } = yield* bench(guards)
          const asked = "acquirer" in guards ? purchase() : sealed(purchase(), A)
          a.say(asked)
          yield* settle
          module.answer()
          yield* settle
          store.refuses = "away"
          for (let round = 0; round < 8; round++) {
            yield* commit
            module.answer()
          }
          yield* TestClock.adjust(2000)
          for (let round = 0; round < 8; round++) {
            yield* commit
            module.answer()
          }
          const heard = a.heard()
          store.refuses = undefined
          yield* TestClock.adjust(40)
          yield* commit

          expect(heard.map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0210", "98"]])
          if (!("acquirer" in guards)) expect(isRight(heard[0], A)).toBe(true)
          expect(types(b.heard())).toEqual([])
          expect(store.entries.map(({ kind }) => kind)).toContain(EntryKind.notSent)
        })
    )

  it.effect("costs one message where it throws, and the switch goes on", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn } = yield* bench(unguarded)
      const { submit } = module
      module.submit = () => {
        throw new Error("a defect of the module")
      }
      a.say(purchase())
      yield* commit
      expect(codes(a.heard())).toEqual(["96"])

      module.submit = submit
      a.say(purchase({ 11: "000002" }))
      yield* goOn
      expect(stans(b.heard())).toEqual(["000002"])
    })
  )

  it.effect("and comes back, again and again: each request ends once, and what was approved is known or reversed", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn } = yield* bench()
      const approved = new Map<Message["fields"][number] | undefined, string>()
      for (let stan = 1; stan <= 40; stan++) {
        a.say(sealed(purchase({ 11: String(stan).padStart(6, "0") }), A))
        if (stan % 7 === 0) module.goAway()
        if (stan % 7 === 3) module.isUp = true
        yield* stan % 3 === 0 ? commit : goOn
        for (const message of b.heard()) {
          if (message.mti === "0200") {
            approved.set(message.fields[11], "approved")
            b.say(sealed(back(message, "0210"), B))
          } else {
            approved.set(String(message.fields[90]).slice(4, 10), "reversed")
            b.say(sealed(back(message, "0430"), B))
          }
        }
        if (stan % 5 === 4) {
          // The answer was right, and its own MAC is being made.
          yield* settle
          for (let at = 0; at >= 0; at = operations(module).indexOf("verifyMac")) module.answerAt(at)
          yield* settle
          module.goAway()
        }
        yield* TestClock.adjust(40)
      }
      module.isUp = true
      for (let round = 0; round < 10; round++) {
        yield* TestClock.adjust(400)
        yield* goOn
        for (const message of b.heard()) {
          if (message.mti === "0200") continue
          approved.set(String(message.fields[90]).slice(4, 10), "reversed")
          b.say(sealed(back(message, "0430"), B))
        }
      }
      const told = a.heard()
      const heard = new Map(told.map(({ fields }) => [fields[11], fields[39]]))

      expect(new Set(stans(told)).size).toBe(told.length)
      expect(told.every((one) => isRight(one, A))).toBe(true)
      expect([...approved.values()]).toContain("approved")
      expect([...approved.values()]).toContain("reversed")
      for (const [stan, how] of approved)
        expect([stan, how]).toEqual([stan, heard.get(stan) === "00" ? "approved" : "reversed"])
    })
  )
})
