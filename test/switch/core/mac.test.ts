/** MACs between two zones: what is taken, what is refused, what leaves with which MAC; one test for each row of the table. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { GuardSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import type { SecurityModule } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { cupsMacOf, giveKey, guardOf, sealed, softwareModule } from "./Guarded.ts"
import { codes, types } from "./Pair.ts"

/** Its own zone. */
const A = "zak-a"
/** The issuer's. */
const B = "zak-b"

interface Wishes {
  readonly acquirer?: GuardSettings | undefined
  readonly issuer?: GuardSettings | undefined
  readonly module?: SecurityModule
  readonly disk?: ReturnType<typeof makeDisk>
}

/** Two guarded links with a key each, both up. */
const bench = (wishes: Wishes = {}) =>
  Effect.gen(function* () {
    const { acquirer = guardOf({}), issuer = guardOf({}), module = softwareModule(), disk = makeDisk() } = wishes
    const links = [
      { ...linkOf("acquirer", 4802), ...("acquirer" in wishes ? { guard: wishes.acquirer } : { guard: acquirer }) },
      { ...linkOf("issuer", 103), ...("issuer" in wishes ? { guard: wishes.issuer } : { guard: issuer }) }
    ]
    const started = yield* startBench(links, disk, {}, module)
    giveKey(started.running, module, 0, "mac", A)
    giveKey(started.running, module, 1, "mac", B)
    yield* TestClock.adjust(25)
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    return { ...started, a, b, module }
  })

const isRight = (message: Message | undefined, key: string): boolean => {
  const { 128: mac, ...fields } = message!.fields
  return mac === cupsMacOf({ ...message!, fields }, key)
}

/** The issuer's answer, before its MAC. */
const back = (request: Message, mti: string, fields: Message["fields"] = {}): Message => {
  const { 128: _, ...rest } = request.fields
  return answerTo({ ...request, fields: rest }, mti, fields)
}

const reversal = (fields: Message["fields"] = {}): Message =>
  purchase({ 7: "1122223900", 11: "000077", 90: `02000000011122223829${"00048020000".repeat(2)}`, ...fields }, "0420")

describe("a request between two zones", () => {
  it.effect("is taken with the MAC of one and leaves with the MAC of the other, and its answer comes back so", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()

      a.say(sealed(purchase(), A))
      yield* commit
      const [request] = b.heard()
      b.say(sealed(back(request!, "0210", { 38: "a1b2  " }), B))
      yield* commit
      const [answer] = a.heard()

      expect(request?.mti).toBe("0200")
      expect(isRight(request, B)).toBe(true)
      expect(answer?.fields[39]).toBe("00")
      expect(isRight(answer, A)).toBe(true)
    })
  )

  it.effect("with a wrong MAC is refused with A0, sealed, and a right one with the same key is taken", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()

      a.say(sealed(purchase(), B), purchase())
      yield* commit
      const refusals = a.heard()
      const refused = store.entries.filter(({ kind }) => kind === EntryKind.refused)
      a.say(sealed(purchase(), A))
      yield* commit

      expect(codes(refusals)).toEqual(["A0", "A0"])
      expect(refusals.every((one) => isRight(one, A))).toBe(true)
      expect(refused.map(({ code }) => code)).toEqual(["A0", "A0"])
      expect(types(b.heard())).toEqual(["0200"])
      expect(a.heard()).toEqual([])
    })
  )

  it.effect("with a wrong MAC is not remembered after a restart, either", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, commit } = yield* bench({ disk })
          a.say(sealed(purchase(), B))
          yield* commit
          expect(codes(a.heard())).toEqual(["A0"])
        })
      )
      const { a, b, commit } = yield* bench({ disk })
      a.say(sealed(purchase(), A))
      yield* commit

      expect(a.heard()).toEqual([])
      expect(types(b.heard())).toEqual(["0200"])
    })
  )

  it.effect(
    "without a MAC is taken where one is looked at only if it is there, and a wrong one is refused there, too",
    () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench({ acquirer: guardOf({ receive: "ifPresent" }) })

        a.say(purchase())
        a.say(sealed(purchase({ 11: "000002" }), B))
        yield* commit

        expect(b.heard().map((one) => isRight(one, B))).toEqual([true])
        expect(codes(a.heard())).toEqual(["A0"])
      })
  )

  it.effect("loses its MAC on the way to a partner that gets none, and its answer gets one from us", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench({ issuer: undefined })

      a.say(sealed(purchase(), A))
      yield* commit
      const [request] = b.heard()
      b.say(back(request!, "0210"))
      yield* commit
      const [answer] = a.heard()

      expect(request?.fields[128]).toBeUndefined()
      expect(isRight(answer, A)).toBe(true)
    })
  )

  it.effect("of a partner without keys gets a MAC for the one that has them, whose answer loses its own", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench({ acquirer: undefined })

      a.say(purchase())
      yield* commit
      const [request] = b.heard()
      b.say(sealed(back(request!, "0210"), B))
      yield* commit
      const [answer] = a.heard()

      expect(isRight(request, B)).toBe(true)
      expect(answer?.fields[39]).toBe("00")
      expect(answer?.fields[128]).toBeUndefined()
    })
  )
})

describe("an answer", () => {
  it.effect("with a wrong MAC, or without one, is nobody's: the request ends Unknown and is reversed with a MAC", () =>
    Effect.gen(function* () {
      const { a, b, commit, store, running } = yield* bench()
      a.say(sealed(purchase(), A))
      yield* commit
      const [request] = b.heard()

      b.say(sealed(back(request!, "0210"), A))
      b.say(back(request!, "0210"))
      yield* commit

      expect(a.heard()).toEqual([])

      const strays = store.entries.filter(({ kind }) => kind === EntryKind.unmatched)
      expect(strays.map(({ code, exchange }) => [code, exchange > 0])).toEqual([
        ["MAC wrong", true],
        ["MAC missing", true]
      ])

      yield* TestClock.adjust(1100)
      yield* commit
      const told = a.heard()
      const [reversing] = b.heard()

      expect(codes(told)).toEqual(["98"])
      expect(isRight(told[0], A)).toBe(true)
      expect(reversing?.mti).toBe("0420")
      expect(isRight(reversing, B)).toBe(true)
      expect(running.status().links[1]?.guard).toMatchObject({ wrong: 1, missing: 1, made: 2 })
    })
  )

  it.effect("that says A0 is passed on, and three in a row are an alarm", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      for (const stan of ["000001", "000002", "000003"]) {
        a.say(sealed(purchase({ 11: stan }), A))
        yield* commit
        b.say(sealed(back(b.heard()[0]!, "0210", { 39: "A0" }), B))
        yield* commit
      }

      expect(codes(a.heard())).toEqual(["A0", "A0", "A0"])
      expect(eventsOf(store)).toContain(
        "3 MACs of ours were wrong for the partner in a row: compare the check values of the keys with the partner"
      )
    })
  )

  it.effect("that was given before is given again with a MAC of today's key", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, running } = yield* bench()
      a.say(sealed(purchase(), A))
      yield* commit
      b.say(sealed(back(b.heard()[0]!, "0210", { 38: "AUTH01" }), B))
      yield* commit

      expect(isRight(a.heard()[0], A)).toBe(true)

      giveKey(running, module, 0, "mac", "zpk-a", { name: A, until: Number.POSITIVE_INFINITY })
      a.say(sealed(purchase({}, "0201"), "zpk-a"))
      yield* commit
      const [again] = a.heard()

      expect(again?.fields[38]).toBe("AUTH01")
      expect(isRight(again, "zpk-a")).toBe(true)
      expect(b.heard()).toEqual([])
    })
  )
})

describe("an advice", () => {
  it.effect(
    "and a reversal with a wrong MAC are refused and taken with a right one; repeats have a MAC of their own",
    () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench()
        const advice = purchase({ 11: "000009" }, "0220")
        a.say(sealed(advice, B), sealed(reversal(), B))
        yield* commit

        expect(codes(a.heard())).toEqual(["A0", "A0"])

        a.say(sealed(advice, A), sealed(reversal(), A))
        yield* commit
        const acknowledged = a.heard()

        expect(codes(acknowledged)).toEqual(["00", "00"])
        expect(acknowledged.every((one) => isRight(one, A))).toBe(true)

        const first = b.heard()
        expect(types(first)).toEqual(["0220", "0420"])
        expect(first.every((one) => isRight(one, B))).toBe(true)

        yield* TestClock.adjust(2100)
        yield* commit
        const second = b.heard()

        expect(types(second)).toEqual(["0221", "0421"])
        expect(second.every((one) => isRight(one, B))).toBe(true)
        expect(second[0]?.fields[128]).not.toBe(first[0]?.fields[128])
      })
  )

  it.effect("is not acknowledged by an answer with a wrong MAC: it is sent again", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(sealed(purchase({}, "0220"), A))
      yield* commit
      b.say(sealed(back(b.heard()[0]!, "0230"), A))
      yield* commit
      yield* TestClock.adjust(2100)
      yield* commit
      const [again] = b.heard()

      expect(again?.mti).toBe("0221")

      b.say(sealed(back(again!, "0230"), B))
      yield* commit
      yield* TestClock.adjust(5000)
      yield* commit

      expect(b.heard()).toEqual([])
    })
  )

  it.effect("waits in the journal without its partner's MAC", () =>
    Effect.gen(function* () {
      const { a, commit, store } = yield* bench({ issuer: undefined })
      a.say(sealed(purchase({}, "0220"), A))
      yield* commit
      const queued = store.entries.find(({ kind }) => kind === EntryKind.queued)

      expect(queued?.message.toString("latin1")).not.toContain(cupsMacOf(purchase({}, "0220"), A))
    })
  )
})

describe("keys of a window", () => {
  it.effect("the previous one is taken until its window ends, and what fitted is counted", () =>
    Effect.gen(function* () {
      const { a, b, commit, module, running } = yield* bench()
      giveKey(running, module, 0, "mac", "zpk-a", { name: A, until: Number.MAX_SAFE_INTEGER })
      a.say(sealed(purchase({ 11: "000001" }), A), sealed(purchase({ 11: "000002" }), "zpk-a"))
      yield* commit

      expect(b.heard()).toHaveLength(2)
      expect(running.status().links[0]?.guard).toMatchObject({ current: 1, previous: 1, wrong: 0 })

      giveKey(running, module, 0, "mac", "zpk-a")
      a.say(sealed(purchase({ 11: "000003" }), A))
      yield* commit

      expect(codes(a.heard())).toEqual(["A0"])
    })
  )

  it.effect("a link without a key takes no requests, and says so", () =>
    Effect.gen(function* () {
      const { a, b, commit, running } = yield* bench({ acquirer: undefined })
      running.keys.retire(running.keys.slot(1, "mac", "both"), 0)
      yield* TestClock.adjust(25)
      a.say(purchase())
      yield* commit

      expect(codes(a.heard())).toEqual(["91"])
      expect(b.heard()).toEqual([])
      expect(running.status().links[1]?.state).toBe("without key")
    })
  )
})

describe("wrong MACs in a row", () => {
  const wrongs = (count: number, from = 1): ReadonlyArray<Message> =>
    Array.from({ length: count }, (_, at) => sealed(purchase({ 11: String(from + at).padStart(6, "0") }), B))

  it.effect("are one alarm, and a right one begins the count anew", () =>
    Effect.gen(function* () {
      const { a, commit, store } = yield* bench()
      a.say(...wrongs(2))
      a.say(sealed(purchase({ 11: "000010" }), A))
      a.say(...wrongs(2, 20))
      yield* commit

      expect(alarms(store)).toEqual([])

      a.say(...wrongs(5, 30))
      yield* commit
      expect(alarms(store)).toHaveLength(1)
    })
  )

  it.effect("sign us off, where the link's rule says so", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench({
        acquirer: guardOf({}, undefined, { after: 2, act: "signOff" })
      })
      a.say(...wrongs(2))
      yield* commit

      expect(types(a.heard())).toContain("0820")
      expect(running.links[0]?.isHeldOff).toBe(true)
    })
  )

  it.effect("are counted only, where the link's rule is nothing", () =>
    Effect.gen(function* () {
      const { a, commit, store } = yield* bench({ acquirer: guardOf({}, undefined, { after: 2, act: "nothing" }) })
      a.say(...wrongs(4))
      yield* commit
      expect(alarms(store)).toEqual([])
    })
  )
})

const eventsOf = (store: ReturnType<typeof makeDisk>["store"]): ReadonlyArray<string> =>
  store.entries.flatMap(({ kind, code }) => (kind === EntryKind.event ? [code] : []))

const alarms = (store: ReturnType<typeof makeDisk>["store"]): ReadonlyArray<string> =>
  eventsOf(store).filter((text) => text.includes("in a row"))
