/** The life of a key that a centre delivers to us, or that we ask it for: one test for each row of the table, in virtual time. */
import { describe, expect, it } from "@effect/vitest"
import { macAlgorithms } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeDisk, purchase } from "./Bench.ts"
import { HeldModule, sealed, softwareModule } from "./Guarded.ts"
import { bench, checkValues, codesOf, delivery, isSealed, keyEvents, operator, pass } from "./KeyBench.ts"

describe("a key that the centre delivers", () => {
  it.effect("is in use once it is on disk, and is then answered with a MAC of the new key; on its own link only", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit, store } = started

      centre.say(delivery("mac", "zak-a"))
      yield* TestClock.adjust(1)
      const before = centre.heard()
      yield* commit
      const [answer] = centre.heard()

      expect(before).toEqual([])
      expect([answer?.mti, answer?.fields[39], answer?.fields[70]]).toEqual(["0810", "00", "101"])
      expect(Object.keys(answer!.fields).map(Number)).toEqual([7, 11, 39, 53, 70, 100, 128])
      expect(isSealed(answer, "zak-a")).toBe(true)
      expect(checkValues(started)).toEqual([["mac", "C4039C", undefined]])
      expect(checkValues(started, 1)).toEqual([])
      expect(keyEvents(store).at(-1)).toBe(
        "key mac/both 1 (check value C4039C) taken, was none: delivered by the partner, unasked"
      )
    })
  )

  it.effect("opens the link for requests with the answer: a first purchase right behind it is not refused", () =>
    Effect.gen(function* () {
      const { centre, commit, running } = yield* bench()
      const before = running.status().links[0]?.ready
      centre.say(delivery("mac", "zak-a"))
      yield* TestClock.adjust(1)
      yield* commit

      expect(codesOf(centre.heard())).toEqual(["00"])
      expect([before, running.status().links[0]?.ready]).toEqual([false, true])
    })
  )

  it.effect("may be a PIN key, whose answer it seals itself, or a MAC key of single length in F96", () =>
    Effect.gen(function* () {
      const started = yield* bench({ keys: { algorithm: "des" }, mac: { algorithm: macAlgorithms["ansi-x9.9"] } })
      const { centre, commit } = started

      centre.say(delivery("pin", "zpk-a", "000001"))
      yield* commit
      centre.say(delivery("mac", "zak-single", "000002"))
      yield* commit
      const [pin, mac] = centre.heard()

      expect([isSealed(pin, "zpk-a"), isSealed(mac, "zak-single")]).toEqual([true, true])
      expect(checkValues(started)).toEqual([
        ["mac", "4CEFF9", undefined],
        ["pin", "93E1AA", undefined]
      ])
    })
  )

  it.effect("is answered with 00 and changes nothing when it is the one in use", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit, store } = started
      centre.say(delivery("mac", "zak-a", "000001"))
      yield* commit
      centre.heard()
      const events = keyEvents(store).length

      centre.say(delivery("mac", "zak-a", "000002", "zak-a"), delivery("mac", "zak-a", "000002"))
      yield* commit
      const answers = centre.heard()

      expect(codesOf(answers)).toEqual(["00", "00"])
      expect(answers.every((one) => isSealed(one, "zak-a"))).toBe(true)
      expect(keyEvents(store)).toHaveLength(events)
      expect(checkValues(started)[0]).toEqual(["mac", "C4039C", undefined])
    })
  )

  it.effect(
    "leaves the one before good on receipt for its window, and destroys it then, told with both check values",
    () =>
      Effect.gen(function* () {
        const started = yield* bench()
        const { centre, commit, store } = started
        centre.say(delivery("mac", "zak-a", "000001"))
        yield* commit
        centre.say(delivery("mac", "zak-b", "000002"))
        yield* commit
        centre.heard()

        centre.say(sealed(purchase({ 11: "000010" }), "zak-a"), sealed(purchase({ 11: "000011" }), "zak-b"))
        yield* commit
        yield* TestClock.adjust("1 second")
        yield* commit
        const inWindow = centre.heard()
        yield* pass(180, commit)
        centre.heard()
        centre.say(sealed(purchase({ 11: "000012" }), "zak-a"))
        yield* commit

        // Nobody is there for BIN 62: what matters is that the MAC was right.
        expect(codesOf(inWindow)).toEqual(["91", "91"])
        expect(codesOf(centre.heard())).toEqual(["A0"])
        expect(checkValues(started)[0]).toEqual(["mac", "AE5D14", undefined])
        expect(started.running.keys.at(0, "mac", "receive")).toMatchObject({
          fittedCurrent: 1,
          fittedPrevious: 1,
          fittedNone: 1
        })
        expect(keyEvents(store).at(-1)).toBe("key mac/both 1 (check value C4039C) ended: its window has ended")
      })
  )

  it.effect("is refused with A0 when its MAC is of neither key, and with A7 when it is no key", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit, store } = started

      centre.say(delivery("mac", "zak-a", "000001", "zak-b"))
      yield* commit
      centre.say(delivery("mac", "zak-a", "000002", undefined, "zmk-b"))
      yield* commit
      centre.say({ ...delivery("mac", "zak-a", "000003"), fields: { ...delivery("mac", "zak-a").fields, 48: "NK" } })
      yield* commit

      expect(codesOf(centre.heard())).toEqual(["A0", "A7", "A7"])
      expect(checkValues(started)).toEqual([])
      expect(store.entries.filter(({ code }) => /the current one stays/.test(code))).toHaveLength(3)
    })
  )

  it.effect("is refused with A7 when the link's MACs are made with keys of another cipher or length", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit, store } = started
      centre.say(delivery("mac", "zak-single", "000001"))
      yield* commit
      centre.say(delivery("mac", "sm4-zak", "000002"))
      yield* commit

      expect(codesOf(centre.heard())).toEqual(["A7", "A7"])
      expect(checkValues(started)).toEqual([])
      expect(store.entries.find(({ code }) => code.includes("the link's MACs are made with tdes keys"))).toBeDefined()
    })
  )

  it.effect("may have a MAC of the current key in place of the new one", () =>
    Effect.gen(function* () {
      const { centre, commit } = yield* bench()
      centre.say(delivery("mac", "zak-a", "000001"))
      yield* commit
      centre.say(delivery("mac", "zak-b", "000002", "zak-a"))
      yield* commit

      expect(codesOf(centre.heard())).toEqual(["00", "00"])
    })
  )

  it.effect(
    "is refused with A7 where there is no key-encryption key, and with 96 while the module or the disk cannot keep it",
    () =>
      Effect.gen(function* () {
        const without = yield* bench({ hasKek: false })
        without.centre.say(delivery("mac", "zak-a"))
        yield* without.commit
        expect(codesOf(without.centre.heard())).toEqual(["A7"])

        const held = new HeldModule()
        const away = yield* bench({ module: held })
        held.goAway()
        away.centre.say(delivery("mac", "zak-a", "000001"))
        yield* away.commit
        expect(codesOf(away.centre.heard())).toEqual(["96"])

        const full = yield* bench()
        full.store.refuses = "space"
        full.centre.say(delivery("mac", "zak-a", "000001"))
        yield* full.commit
        expect(codesOf(full.centre.heard())).toEqual(["96"])
        expect(checkValues(full)).toEqual([])
      })
  )

  it.effect("gives way to one with a later STAN, in whichever order both come", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit } = started

      centre.say(delivery("mac", "zak-b", "000011"), delivery("mac", "zak-a", "000010"))
      yield* commit

      expect(codesOf(centre.heard())).toEqual(["00", "96"])
      expect(checkValues(started)[0]).toEqual(["mac", "AE5D14", undefined])

      centre.say(delivery("mac", "zak-a", "000012"))
      yield* commit
      expect(codesOf(centre.heard())).toEqual(["00"])
      expect(checkValues(started)[0]).toEqual(["mac", "C4039C", "AE5D14"])
    })
  )

  it.effect(
    "is found at the next start with the one before and the rest of its window, and a repeat of it is good",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const module = softwareModule()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { centre, commit } = yield* bench({ disk, module })
            centre.say(delivery("mac", "zak-a", "000001"))
            yield* commit
            centre.say(delivery("mac", "zak-b", "000002"))
            yield* commit
          })
        )
        yield* TestClock.adjust("100 seconds")

        const started = yield* bench({ disk, module })
        const { centre, commit } = started
        expect(checkValues(started)[0]).toEqual(["mac", "AE5D14", "C4039C"])
        centre.say(delivery("mac", "zak-b", "000002"), sealed(purchase({ 11: "000010" }), "zak-a"))
        yield* commit
        expect(codesOf(centre.heard()).toSorted()).toEqual(["00", "91"])
        yield* TestClock.adjust("81 seconds")
        yield* commit
        expect(checkValues(started)[0]).toEqual(["mac", "AE5D14", undefined])
      })
  )

  it.effect("is stored when its connection ends before the answer, which is not sent on the next one", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { centre, commit, dial } = started
      centre.say(delivery("mac", "zak-a", "000001"))
      yield* TestClock.adjust(1)
      centre.close()
      const next = dial(0)
      yield* commit

      expect(next.heard()).toEqual([])
      expect(checkValues(started)[0]).toEqual(["mac", "C4039C", undefined])
      next.say(delivery("mac", "zak-a", "000001"))
      yield* commit
      expect(codesOf(next.heard())).toEqual(["00"])
    })
  )
})

describe("a key that we ask for", () => {
  it.effect("comes, and whoever asked hears its check value", () =>
    Effect.gen(function* () {
      const { centre, commit, running, store } = yield* bench({ keys: { kinds: ["mac"] } })
      const asked = yield* Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))
      yield* commit
      const question = centre.heard().findLast(({ mti }) => mti === "0820")
      centre.say({ ...question!, mti: "0830", fields: { ...question!.fields, 39: "00" } })
      yield* commit
      centre.say(delivery("mac", "zak-a"))
      yield* commit

      expect(question?.fields).toMatchObject({ 53: "2600000000000000", 70: "101", 33: "00010000" })
      expect(yield* Fiber.join(asked)).toEqual([{ isDone: true, says: "mac key 1, check value C4039C" }])
      expect(keyEvents(store).at(-1)).toContain("asked for by hand by night (a test)")
    })
  )

  it.effect("is an alarm when the answer is not 00, or when no key comes in time: the current one stays", () =>
    Effect.gen(function* () {
      const started = yield* bench({ keys: { kinds: ["mac"] } })
      const { centre, commit, running, store } = started
      centre.say(delivery("mac", "zak-a"))
      yield* commit
      centre.heard()
      const ask = Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))

      const refused = yield* ask
      yield* commit
      const [first] = centre.heard()
      centre.say({ ...first!, mti: "0830", fields: { ...first!.fields, 39: "96" } })
      yield* commit
      const forgotten = yield* ask
      yield* commit
      const [second] = centre.heard()
      centre.say({ ...second!, mti: "0830", fields: { ...second!.fields, 39: "00" } })
      yield* commit
      yield* TestClock.adjust("16 seconds")
      yield* commit

      expect(yield* Fiber.join(refused)).toEqual([
        { isDone: false, says: "the partner answered our question for a key with 96" }
      ])
      expect(yield* Fiber.join(forgotten)).toEqual([
        {
          isDone: false,
          says: "the partner has said that it brings a key, and none came within 15 s: the current mac key stays"
        }
      ])
      expect(checkValues(started)[0]).toEqual(["mac", "C4039C", undefined])
      expect(store.entries.filter(({ code }) => code.startsWith("no new mac key"))).toHaveLength(2)
    })
  )

  it.effect(
    "is not asked for any more when it has come meanwhile, and the answer to an old question ends no new one",
    () =>
      Effect.gen(function* () {
        const { centre, commit, running } = yield* bench({ keys: { kinds: ["mac"] } })
        const ask = Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))
        centre.say(delivery("mac", "zak-a", "000001"))
        yield* TestClock.adjust(1)
        const meanwhile = yield* ask
        yield* TestClock.adjust(1)
        yield* commit
        const heard = centre.heard().map(({ mti }) => mti)

        const first = yield* ask
        yield* commit
        const [question] = centre.heard()
        const second = yield* ask
        yield* commit
        centre.say({ ...question!, mti: "0830", fields: { ...question!.fields, 39: "96" } })
        yield* commit
        centre.say(delivery("mac", "zak-b", "000002"))
        yield* commit

        expect(heard).toEqual(["0810"])
        expect(yield* Fiber.join(meanwhile)).toEqual([{ isDone: true, says: "mac key 1, check value C4039C" }])
        expect(yield* Fiber.join(first)).toEqual([{ isDone: false, says: "it was asked for again" }])
        expect(yield* Fiber.join(second)).toEqual([{ isDone: true, says: "mac key 2, check value AE5D14" }])
      })
  )

  it.effect("is asked for when there is none, by schedule, after so many messages, and when MACs go wrong", () =>
    Effect.gen(function* () {
      const { centre, commit, running } = yield* bench({
        keys: { kinds: ["mac"], schedule: { whenNone: true, everyMs: 3_600_000, messages: 6 } }
      })
      const questions = Effect.gen(function* () {
        yield* TestClock.adjust("2 seconds")
        yield* commit
        return centre.heard().filter(({ mti }) => mti === "0820").length
      })
      const take = (key: string, stan: string) => {
        centre.say(delivery("mac", key, stan))
        return commit
      }
      expect(yield* questions).toBeGreaterThanOrEqual(0)
      yield* take("zak-a", "000001")
      yield* pass(61, commit)
      expect(yield* questions).toBe(0)

      yield* pass(3540, commit)
      expect(yield* questions).toBe(1)
      yield* take("zak-b", "000002")
      yield* pass(61, commit)
      for (const stan of ["000020", "000021", "000022"]) centre.say(sealed(purchase({ 11: stan }), "zak-b"))
      yield* commit
      expect(yield* questions).toBe(1)
      expect(running.keys.at(0, "mac", "receive")).toMatchObject({ version: 2 })
    })
  )
})
