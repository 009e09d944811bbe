/** Keys that we give a partner, and keys that persons bring, in virtual time. */
import { describe, expect, it } from "@effect/vitest"
import { decryptBlocks, encryptBlocks, type Message, reveal } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { makeDisk } from "./Bench.ts"
import { keyOf, softwareModule } from "./Guarded.ts"
import { bench, delivery, keyEvents, operator } from "./KeyBench.ts"

describe("a key that we give", () => {
  const giving = { keys: { giver: "us" as const, kinds: ["mac" as const] } }

  /** What the partner finds in our 0800. */
  const keyIn = (message: Message | undefined): Buffer => {
    const value = message!.fields[48]!
    const text = typeof value === "string" ? value : String(reveal(value as never))
    return decryptBlocks("tdes", keyOf("zmk-a"), Buffer.from(text.slice(2), "latin1")) as Buffer
  }

  const accepted = (message: Message, fields: Message["fields"] = {}): Message => ({
    mti: "0810",
    header: { destination: "00010000", source: "48020000" },
    fields: {
      ...message.fields,
      48: undefined as never,
      96: undefined as never,
      128: undefined as never,
      39: "00",
      ...fields
    }
  })
  const answerOf = (message: Message, code = "00"): Message => {
    const { 48: _, 96: __, 128: ___, ...kept } = message.fields
    return { ...accepted(message), fields: { ...kept, 39: code } }
  }

  it.effect("is stored as offered before it leaves, and in use when the partner has taken it", () =>
    Effect.gen(function* () {
      const started = yield* bench(giving)
      const { centre, commit, running, store } = started
      yield* Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))
      yield* TestClock.adjust(1)

      expect(centre.heard().filter(({ mti }) => mti === "0800")).toEqual([])

      yield* commit
      const offer = centre.heard().find(({ mti }) => mti === "0800")
      expect(offer?.fields).toMatchObject({ 53: "2600000000000000", 70: "101", 100: "48020000" })
      expect(keyEvents(store).at(-1)).toMatch(/^key mac\/both 1 \(check value \w{6}\) offered/)
      expect(running.keys.at(0, "mac", "send")?.current).toBeUndefined()

      centre.say(answerOf(offer!))
      yield* commit

      const slot = running.keys.at(0, "mac", "send")!

      expect([slot.version, slot.isOffered, keyIn(offer).length]).toEqual([1, false, 16])
      expect(keyEvents(store).at(-1)).toMatch(/^key mac\/both 1 \(check value \w{6}\) taken, was none/)
    })
  )

  it.effect(
    "is withdrawn when the partner refuses it, and offered again, the same one, when its answer never came",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const module = softwareModule()
        const first = yield* Effect.scoped(
          Effect.gen(function* () {
            const { centre, commit, running } = yield* bench({ ...giving, disk, module })
            yield* Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))
            yield* commit
            return keyIn(centre.heard().find(({ mti }) => mti === "0800"))
          })
        )

        const { centre, commit, running, store } = yield* bench({ ...giving, disk, module })
        yield* TestClock.adjust("2 seconds")
        yield* commit
        const again = centre.heard().find(({ mti }) => mti === "0800")

        expect(keyIn(again)).toEqual(first)

        centre.say(answerOf(again!, "A7"))
        yield* commit
        expect(running.keys.at(0, "mac", "send")?.isOffered).toBe(false)
        expect(keyEvents(store).at(-1)).toContain("withdrawn: the partner answered our key with A7")
      })
  )

  it.effect(
    "takes the place of one whose window is open, on the disk too: nothing of it stays when it is refused",
    () =>
      Effect.gen(function* () {
        const { centre, commit, running, store } = yield* bench(giving)
        const give = Effect.gen(function* () {
          yield* Effect.forkChild(running.keyOperations.ask("centre", "mac", operator))
          yield* commit
          return centre.heard().find(({ mti }) => mti === "0800")!
        })
        for (let n = 0; n < 2; n++) {
          centre.say(answerOf(yield* give))
          yield* commit
        }
        const inWindow = (yield* running.keyOperations.list("centre")).find(({ slot }) => slot === "mac/both")

        centre.say(answerOf(yield* give, "A7"))
        yield* commit
        const after = (yield* running.keyOperations.list("centre")).find(({ slot }) => slot === "mac/both")

        expect([inWindow?.previous?.version, after?.previous, after?.current?.version]).toEqual([1, null, 2])
        expect(keyEvents(store).find((text) => text.includes("gives way"))).toMatch(
          /^key mac\/both 3 .* offered: asked for by hand; key 1 \(check value \w{6}\) gives way to it by night/
        )
      })
  )

  it.effect("goes to a partner that asks for it, after the answer that it will come", () =>
    Effect.gen(function* () {
      const { centre, commit } = yield* bench(giving)
      centre.heard()
      centre.say({
        mti: "0820",
        header: { destination: "00010000", source: "48020000" },
        fields: { 7: "1126100001", 11: "000005", 33: "48020000", 53: "2600000000000000", 70: "101" }
      })
      yield* commit

      const heard = centre.heard()

      expect(heard.map(({ fields, mti }) => [mti, fields[39]])).toContainEqual(["0830", "00"])
      expect(heard.at(-1)?.mti).toBe("0800")
    })
  )
})

describe("keys by hand", () => {
  it.effect("are made of components of different persons, shown by their check values, and told with both names", () =>
    Effect.gen(function* () {
      const { commit, running, store } = yield* bench({ hasKek: false })
      const { keyOperations } = running
      const other = Buffer.alloc(16, 0x5a)
      const whole = keyOf("zmk-a")
      const first = Buffer.from(whole.map((byte, n) => byte ^ other[n]!))
      const place = { link: "centre", purpose: "kek", direction: "both", algorithm: "tdes", text: undefined } as const
      const bring = (number: number, bytes: Buffer, person: string, checkValue = "") =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Effect.result(
              keyOperations.import(
                { ...place, checkValue, person, component: { number, of: 2, bytes: Buffer.from(bytes) } },
                operator
              )
            )
          )
          yield* commit
          return yield* Fiber.join(fiber)
        })

      expect(yield* bring(1, first, "Li")).toMatchObject({ success: { isWhole: false } })
      expect(yield* bring(2, other, "Li")).toMatchObject({
        failure: { says: "Li has brought component 1 already: each comes from another person." }
      })
      expect(yield* bring(2, other, "Wang", "37B92E")).toMatchObject({
        success: { isWhole: true, checkValue: "37B92E" }
      })
      expect(keyEvents(store).at(-1)).toBe(
        "key kek/both 1 (check value 37B92E) taken, was none: imported by hand by Li (night) and Wang (night) (a test)"
      )
    })
  )

  it.effect("are refused when a component leaves the key to the others: zeros, or the same as another one", () =>
    Effect.gen(function* () {
      const { commit, running } = yield* bench({ hasKek: false })
      const place = { link: "centre", purpose: "kek", direction: "both", algorithm: "tdes", text: undefined } as const
      const bring = (number: number, bytes: Buffer, person: string) =>
        Effect.gen(function* () {
          const component = { number, of: 3, bytes: Buffer.from(bytes) }
          const call = { ...place, checkValue: "", person, component }
          const fiber = yield* Effect.forkChild(Effect.result(running.keyOperations.import(call, operator)))
          yield* commit
          const result = yield* Fiber.join(fiber)
          return result._tag === "Failure" ? result.failure.says : result.success.says
        })
      const one = keyOf("zpk-a")
      // Parity bits make no other key.
      const twin = Buffer.from(one.map((byte) => byte ^ 1))

      expect(yield* bring(1, Buffer.alloc(16), "Li")).toContain("The component is all zeros")
      expect(yield* bring(1, Buffer.alloc(16, 1), "Li")).toContain("The component is all zeros")
      expect(yield* bring(1, one, "Li")).toContain("Component 1 of 3 is here")
      expect(yield* bring(2, twin, "Wang")).toContain("The component is the same as component 1")
      expect(yield* bring(2, keyOf("zpk-b"), "Wang")).toContain("Missing: 3")
    })
  )

  it.effect("are held against a check value that is longer than the one that is shown", () =>
    Effect.gen(function* () {
      const { commit, running } = yield* bench({ hasKek: false })
      const place = { link: "centre", purpose: "kek", direction: "both", algorithm: "tdes", text: undefined } as const
      const value = (encryptBlocks("tdes", keyOf("zmk-a"), Buffer.alloc(8)) as Buffer).toString("hex", 0, 4)
      const bring = (checkValue: string) =>
        Effect.gen(function* () {
          const component = { number: 1, of: 1, bytes: keyOf("zmk-a") }
          const call = { ...place, checkValue, person: "Li", component }
          const fiber = yield* Effect.forkChild(Effect.result(running.keyOperations.import(call, operator)))
          yield* commit
          return (yield* Fiber.join(fiber))._tag
        })

      expect(yield* bring(`${value.slice(0, 6)}00`)).toBe("Failure")
      expect(yield* bring(value)).toBe("Success")
    })
  )

  it.effect("are refused where the link's MACs and PIN blocks are not made under such keys", () =>
    Effect.gen(function* () {
      const { commit, running } = yield* bench()
      const place = { link: "centre", purpose: "mac", direction: "both", algorithm: "sm4", text: undefined } as const
      const component = { number: 1, of: 2, bytes: keyOf("sm4-zak") }
      const call = { ...place, checkValue: "", person: "Li", component }
      const fiber = yield* Effect.forkChild(Effect.flip(running.keyOperations.import(call, operator)))
      yield* commit

      expect((yield* Fiber.join(fiber)).says).toBe("The key is a sm4 key, and the link's MACs are made with tdes keys.")
    })
  )

  it.effect("are refused where they have no place, and the key in use stays in use", () =>
    Effect.gen(function* () {
      const { centre, commit, running } = yield* bench()
      centre.say(delivery("mac", "zak-a"))
      yield* commit
      const place = { link: "centre", purpose: "mac", direction: "both", algorithm: "tdes", text: undefined } as const
      const bring = (asked: object, number = 1, of = 2) =>
        Effect.gen(function* () {
          const component = { number, of, bytes: keyOf("zak-b") }
          const call = { ...place, checkValue: "", person: "Li", component, ...asked }
          const fiber = yield* Effect.forkChild(Effect.result(running.keyOperations.import(call, operator)))
          yield* commit
          const result = yield* Fiber.join(fiber)
          return result._tag === "Failure" ? result.failure.says : result.success.says
        })

      expect(yield* bring({ direction: "send" })).toBe(
        "The mac key of centre is one for both directions (mac/both): say --direction both."
      )
      expect(yield* bring({ purpose: "kek", direction: "receive" })).toContain("leave --direction out")
      expect(yield* bring({ purpose: "data" })).toBe(
        "centre has no `data` in the configuration: nothing would use the key."
      )
      expect(yield* bring({}, 3)).toBe("There is no component 3 of 2: the components are 1 to 2.")
      expect(yield* bring({ person: "Li Na" })).toContain("Component 1 of 2 is here")
      expect(yield* bring({ person: "LI  NA" }, 2)).toContain("each comes from another person")
      expect(yield* bring({ person: "Wang" }, 2, 3)).toBe(
        "Components of a tdes key of 2 are here: bring the others of it, or begin again in 15 minutes."
      )
      expect(running.keys.at(0, "mac", "send")?.current?.checkValue).toBe("C4039C")
      expect(running.keys.at(0, "mac", "receive")?.current?.checkValue).toBe("C4039C")
    })
  )

  it.effect("are refused when they are weak, published, or of another check value, and no component is kept then", () =>
    Effect.gen(function* () {
      const { commit, running } = yield* bench({ hasKek: false, module: softwareModule(false) })
      const place = { link: "centre", purpose: "kek", direction: "both", algorithm: "tdes", text: undefined } as const
      const bring = (bytes: Buffer, checkValue = "") =>
        Effect.gen(function* () {
          const component = { number: 1, of: 1, bytes }
          const fiber = yield* Effect.forkChild(
            Effect.flip(running.keyOperations.import({ ...place, checkValue, person: "Li", component }, operator))
          )
          yield* commit
          return (yield* Fiber.join(fiber)).says
        })

      expect(yield* bring(Buffer.from("0123456789ABCDEFFEDCBA9876543210", "hex"))).toContain("published test key")
      expect(yield* bring(Buffer.alloc(16, 0x11))).toContain("eight equal bytes")
      expect(yield* bring(keyOf("zmk-a"), "123456")).toContain("has the check value 37B92E, not 123456")
      expect(running.keys.at(0, "kek", "send")?.current).toBeUndefined()
    })
  )

  it.effect("are retired with who and why, and never get an old version again", () =>
    Effect.gen(function* () {
      const { centre, commit, running, store } = yield* bench()
      centre.say(delivery("mac", "zak-a"))
      yield* commit
      const place = { link: "centre", purpose: "mac", direction: "both" } as const
      const retired = yield* Effect.forkChild(running.keyOperations.retire(place, operator))
      yield* commit

      expect(yield* Fiber.join(retired)).toContain("Key mac/both 1 of centre, check value C4039C, is destroyed")
      expect(keyEvents(store).at(-1)).toBe(
        "key mac/both 1 (check value C4039C) retired: retired by hand by night (a test)"
      )
      expect(running.keys.at(0, "mac", "send")?.current).toBeUndefined()

      centre.say(delivery("mac", "zak-a", "000900"))
      yield* commit
      expect(running.keys.at(0, "mac", "send")?.version).toBe(2)
      expect(
        (yield* running.keyOperations.list("centre")).map(({ current, slot }) => [slot, current?.version])
      ).toContainEqual(["mac/both", 2])
    })
  )
})
