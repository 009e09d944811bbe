/** A security module in the network that is slow: what waits, and in which order it goes on. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { makeDisk, purchase, settle } from "./Bench.ts"
import { A, B, back, bench, isRight, operations, reversal, stans } from "./GateBench.ts"
import { cupsPin, giveKey, guardOf, pinBlock, pinIn, sealed } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

describe("A request at a module in the network", () => {
  it.effect(
    "leaves when its MAC was found right, the journal has it and its new MAC is made, whichever comes last",
    () =>
      Effect.gen(function* () {
        for (const isDiskFirst of [true, false]) {
          const { a, b, commit, module, store } = yield* bench()
          a.say(sealed(purchase(), A))
          yield* commit
          expect(store.entries.filter(({ kind }) => kind === EntryKind.accepted)).toEqual([])
          // Its new MAC is made while the one that it came with is looked at.
          expect(operations(module)).toEqual(["verifyMac", "makeMac"])

          module.answerAt(0)
          yield* settle
          if (isDiskFirst) yield* commit
          else module.answer()
          yield* settle
          expect(b.heard()).toEqual([])
          if (isDiskFirst) module.answer()
          yield* commit
          const [request] = b.heard()
          expect(isRight(request, B)).toBe(true)

          b.say(sealed(back(request!, "0210"), B))
          yield* commit
          expect(a.heard()).toEqual([])
          expect(operations(module)).toEqual(["verifyMac", "makeMac"])
          module.answerAt(0)
          yield* settle
          if (isDiskFirst) yield* commit
          else module.answer()
          yield* settle
          expect(a.heard()).toEqual([])
          if (isDiskFirst) module.answer()
          yield* commit
          const [answer] = a.heard()
          expect(answer?.fields[39]).toBe("00")
          expect(isRight(answer, A)).toBe(true)
        }
      })
  )

  it.effect(
    "is nothing that is known, stored or sent before its MAC was found right, although its new MAC is made",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, goOn, module, store } = yield* bench()
        const isWritten = (kind: EntryKind) => store.entries.some((entry) => entry.kind === kind)
        a.say(sealed(purchase(), A))
        yield* commit
        module.answerAt(1)
        yield* commit

        expect(isWritten(EntryKind.accepted)).toBe(false)
        expect(b.heard()).toEqual([])

        yield* goOn
        const [request] = b.heard()
        b.say(sealed(back(request!, "0210"), B))
        yield* commit
        module.answerAt(1)
        yield* commit

        expect(isWritten(EntryKind.answered)).toBe(false)
        expect(a.heard()).toEqual([])

        yield* goOn
        expect(codes(a.heard())).toEqual(["00"])
      })
  )

  it.effect("whose MAC is wrong leaves nothing of what was made for it, nor does an answer; the right ones pass", () =>
    Effect.gen(function* () {
      const { a, b, commit, goOn, module } = yield* bench({
        acquirer: guardOf({}, cupsPin),
        issuer: guardOf({}, cupsPin)
      })
      const pan = "6200000000000005"
      const asked = purchase({ 52: pinBlock("1234", "zpk-a", "iso0", pan), 53: "2600000000000000" })
      for (const isVerdictFirst of [true, false]) {
        a.say(sealed(asked, B))
        yield* commit
        expect(operations(module)).toEqual(["verifyMac", "translatePin"])
        module.answerAt(isVerdictFirst ? 0 : 1)
        yield* goOn
        expect(codes(a.heard())).toEqual(["A0"])
        expect(b.heard()).toEqual([])
        expect(module.waiting).toEqual([])
      }
      a.say(sealed(asked, A))
      yield* goOn
      const [request] = b.heard()
      expect(pinIn(request?.fields[52], "zpk-b", "iso0", pan)).toBe("1234")
      expect(isRight(request, B)).toBe(true)

      b.say(sealed(back(request!, "0210"), A))
      yield* goOn
      expect(a.heard()).toEqual([])

      b.say(sealed(back(request!, "0210", { 38: "654321" }), B))
      yield* goOn
      const [answer] = a.heard()
      expect(answer?.fields[38]).toBe("654321")
      expect(isRight(answer, A)).toBe(true)
    })
  )

  it.effect("leaves with the key of the moment, and so does its answer, though they were sealed before it came", () =>
    Effect.gen(function* () {
      const { a, b, commit, goOn, module, running } = yield* bench()
      a.say(sealed(purchase(), A))
      yield* settle
      module.answer()
      yield* settle
      giveKey(running, module, 1, "mac", "pos-mak-16")
      yield* commit

      expect(b.heard()).toEqual([])
      expect(operations(module)).toEqual(["makeMac"])

      yield* goOn
      const [request] = b.heard()
      expect(isRight(request, "pos-mak-16")).toBe(true)

      b.say(sealed(back(request!, "0210"), "pos-mak-16"))
      yield* settle
      module.answer()
      yield* settle
      giveKey(running, module, 0, "mac", "pos-mak-16")
      yield* goOn
      const [answer] = a.heard()
      expect(answer?.fields[39]).toBe("00")
      expect(isRight(answer, "pos-mak-16")).toBe(true)
    })
  )

  it.effect("has ended while its answer was looked at: it was told so, and hears no second answer", () =>
    Effect.gen(function* () {
      const { a, b, commit, goOn, module } = yield* bench()
      a.say(sealed(purchase(), A))
      yield* goOn
      b.say(sealed(back(b.heard()[0]!, "0210"), B))
      yield* commit
      yield* TestClock.adjust(1100)
      expect(operations(module).slice(0, 2)).toEqual(["verifyMac", "makeMac"])
      yield* goOn

      expect(codes(a.heard())).toEqual(["98"])
      yield* goOn
      expect(types(b.heard())).toContain("0420")
      expect(a.heard()).toEqual([])
    })
  )

  it.effect("to a partner that knows it by a STAN of ours has its new MAC made when it has that STAN", () =>
    Effect.gen(function* () {
      const { a, b, commit, goOn, module } = yield* bench({}, makeDisk(), { stan: "own" })
      a.say(sealed(purchase(), A))
      yield* commit
      expect(operations(module)).toEqual(["verifyMac"])
      yield* goOn
      const [request] = b.heard()
      expect(isRight(request, B)).toBe(true)
      expect(request?.fields[11]).not.toBe("000001")

      b.say(sealed(back(request!, "0210"), B))
      yield* commit
      expect(operations(module)).toEqual(["verifyMac", "makeMac"])
      yield* goOn
      const [answer] = a.heard()
      expect(answer?.fields[11]).toBe("000001")
      expect(isRight(answer, A)).toBe(true)
    })
  )

  it.effect("is not overtaken: what came later goes on later, however fast its own call was", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn } = yield* bench()
      a.say(sealed(purchase(), A), sealed(purchase({ 11: "000002" }), A), sealed(reversal(), A))
      yield* commit

      // A reversal is stored: its MAC is made when it leaves.
      expect(operations(module)).toEqual(["verifyMac", "makeMac", "verifyMac", "makeMac", "verifyMac"])

      for (const at of [4, 3, 2, 1]) module.answerAt(at)
      yield* commit

      expect(operations(module)).toEqual(["verifyMac"])

      yield* goOn

      expect(stans(b.heard())).toEqual(["000001", "000002"])

      yield* TestClock.adjust(1100)
      yield* goOn
      expect(types(b.heard()).slice(0, 3)).toContain("0420")
    })
  )

  it.effect("with a PIN has it translated first, and then its MAC made", () =>
    Effect.gen(function* () {
      const { a, b, goOn } = yield* bench({ acquirer: guardOf({}, cupsPin), issuer: guardOf({}, cupsPin) })
      const pan = "6200000000000005"
      const block = pinBlock("1234", "zpk-a", "iso0", pan)
      a.say(sealed(purchase({ 52: block, 53: "2600000000000000" }), A))
      yield* goOn

      const [request] = b.heard()

      expect(pinIn(request?.fields[52], "zpk-b", "iso0", pan)).toBe("1234")
      expect(isRight(request, B)).toBe(true)
    })
  )

  it.effect("with a wrong MAC is refused with A0, and what came behind it is not", () =>
    Effect.gen(function* () {
      const { a, b, goOn } = yield* bench()
      a.say(sealed(purchase(), B), sealed(purchase({ 11: "000002" }), A))
      yield* goOn

      const [refusal] = a.heard()

      expect(refusal?.fields[39]).toBe("A0")
      expect(isRight(refusal, A)).toBe(true)
      expect(stans(b.heard())).toEqual(["000002"])
    })
  )

  it.effect("waits with a thousand others, and then its partner is not read until there is room", () =>
    Effect.gen(function* () {
      const { a, b, commit, goOn, module } = yield* bench()
      const many = Array.from({ length: 3000 }, (_, at) => sealed(purchase({ 11: String(at + 1).padStart(6, "0") }), A))
      for (let at = 0; at < many.length; at += 100) a.say(...many.slice(at, at + 100))
      for (let round = 0; round < 20; round++) yield* commit

      const verified = operations(module).filter((operation) => operation === "verifyMac")
      expect(verified.length).toBeGreaterThanOrEqual(1024)
      expect(verified.length).toBeLessThan(1400)

      for (let round = 0; round < 20; round++) yield* goOn
      expect(stans(b.heard())).toEqual(many.map(({ fields }) => fields[11]))
    })
  )
})
