/** A security module in the network that is slow, away or restarted: what waits, in which order it goes on, and what ends how. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { GuardSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, linkOf, makeDisk, purchase, settle, startBench } from "./Bench.ts"
import { cupsMacOf, cupsPin, giveKey, guardOf, HeldModule, pinBlock, pinIn, sealed } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

const A = "zak-a"
const B = "zak-b"

const bench = (
  guards: { acquirer?: GuardSettings | undefined; issuer?: GuardSettings | undefined } = {},
  disk = makeDisk()
) =>
  Effect.gen(function* () {
    const module = new HeldModule()
    const both = { acquirer: guardOf({}), issuer: guardOf({}), ...guards }
    const links = [
      { ...linkOf("acquirer", 4802), guard: both.acquirer, window: 4096 },
      { ...linkOf("issuer", 103), guard: both.issuer, window: 4096 }
    ]
    const started = yield* startBench(links, disk, {}, module)
    for (const [link, mac, pin] of [
      [0, A, "zpk-a"],
      [1, B, "zpk-b"]
    ] as const) {
      giveKey(started.running, module, link, "mac", mac)
      giveKey(started.running, module, link, "pin", pin)
    }
    yield* TestClock.adjust(25)
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    /** Everything that is asked, and what follows from it, until nothing is. */
    const goOn = Effect.gen(function* () {
      for (let round = 0; round < 8; round++) {
        yield* started.commit
        module.answer()
      }
      yield* started.commit
    })
    return { ...started, a, b, goOn, module }
  })

const isRight = (message: Message | undefined, key: string): boolean => {
  const { 128: mac, ...fields } = message!.fields
  return mac === cupsMacOf({ ...message!, fields }, key)
}

const back = (request: Message, mti: string, fields: Message["fields"] = {}): Message => {
  const { 128: _, ...rest } = request.fields
  return answerTo({ ...request, fields: rest }, mti, fields)
}

const stans = (messages: ReadonlyArray<Message>): ReadonlyArray<unknown> => messages.map(({ fields }) => fields[11])

const reversal = (): Message =>
  purchase({ 7: "1122223900", 11: "000077", 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")

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
          expect(module.waiting.map(({ operation }) => operation)).toEqual(["verifyMac"])

          module.answer()
          yield* settle
          // Its new MAC is asked for while the journal writes.
          expect(module.waiting.map(({ operation }) => operation)).toEqual(["makeMac"])
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
          module.answer()
          yield* settle
          expect(module.waiting.map(({ operation }) => operation)).toEqual(["makeMac"])
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

  it.effect("is not overtaken: what came later goes on later, however fast its own call was", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, goOn } = yield* bench()
      a.say(sealed(purchase(), A), sealed(purchase({ 11: "000002" }), A), sealed(reversal(), A))
      yield* commit

      expect(module.waiting).toHaveLength(3)

      module.answerAt(2)
      module.answerAt(1)
      yield* commit

      expect(module.waiting.map(({ operation }) => operation)).toEqual(["verifyMac"])

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

      expect(module.waiting.length).toBeGreaterThanOrEqual(1024)
      expect(module.waiting.length).toBeLessThan(1400)

      for (let round = 0; round < 20; round++) yield* goOn
      expect(stans(b.heard())).toEqual(many.map(({ fields }) => fields[11]))
    })
  )
})

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
          module.answer()
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
