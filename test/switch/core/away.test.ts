import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { MemoryStore } from "../../../packages/switch/src/journal/MemoryStore.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { bench, codes, types } from "./Pair.ts"

/** The store stops answering, and the switch has had a look. */
const goAway = (store: MemoryStore) =>
  Effect.andThen(
    Effect.sync(() => {
      store.refuses = "away"
    }),
    TestClock.adjust(40)
  )

const comeBack = (store: MemoryStore) =>
  Effect.andThen(
    Effect.sync(() => {
      store.refuses = undefined
    }),
    TestClock.adjust(40)
  )

const stan = (number: number) => ({ 11: `${number}`.padStart(6, "0") })

const echo = {
  mti: "0820",
  header: purchase().header!,
  fields: { 7: "1122223829", 11: "000001", 33: "48020000", 70: "301" }
}

describe("while the journal's store is away", () => {
  it.effect("every new request is refused at once, the refusals are written when it is back, and work goes on", () =>
    Effect.gen(function* () {
      const { a, b, commit, running, store } = yield* bench()
      yield* goAway(store)
      const before = store.entries.length
      a.say(purchase(), purchase({ ...stan(2), 2: "9900000000000000" }), purchase(stan(3), "0220"))
      yield* commit
      const refused = codes(a.heard())
      const full = running.status().fullBy
      const acknowledged = running.status().unwritten.entries
      yield* comeBack(store)
      yield* commit
      a.say(purchase(stan(4)))
      yield* commit

      expect(refused).toEqual(["96", "92", "96"])
      expect(full).toBe("away")
      expect(acknowledged).toBeGreaterThan(2)
      expect(running.status()).toMatchObject({ fullBy: undefined, unwritten: { entries: 0 } })
      expect(b.heard().map(({ fields }) => fields[11])).toEqual(["000004"])
      const written = store.entries.slice(before)
      expect(written.filter(({ kind }) => kind === EntryKind.refused).map(({ code }) => code)).toEqual(refused)
      expect(written.filter(({ kind }) => kind === EntryKind.event).map(({ code }) => code)).toEqual([
        "the journal's store does not answer: links stay up, new requests are refused until it does",
        "the journal's store answers again after 0.0 s: requests are taken"
      ])
    })
  )

  it.effect("a request that is refused then stays refused on its repeat, with the same code and in time", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      yield* goAway(store)
      const unknown = { ...stan(2), 2: "9900000000000000" }
      a.say(purchase(), purchase({}, "0201"), purchase(unknown), purchase(unknown, "0201"))
      yield* commit
      const during = codes(a.heard())
      yield* comeBack(store)
      yield* commit
      a.say(purchase({}, "0201"), purchase(unknown, "0201"))
      yield* commit

      expect(during).toEqual(["96", "96", "92", "92"])
      expect(codes(a.heard())).toEqual(["96", "92"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect(
    "a request that was sent before ends by its deadline: its origin hears in time, its reversal goes out after",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, store } = yield* bench()
        a.say(purchase())
        yield* commit
        const [open] = b.heard()
        yield* goAway(store)
        yield* TestClock.adjust(1000)
        yield* commit
        const told = codes(a.heard())
        const silent = b.heard()
        yield* comeBack(store)
        yield* commit
        b.say(answerTo(open!, "0210"))
        yield* commit

        expect(told).toEqual(["98"])
        expect(silent).toEqual([])
        expect(types(b.heard())).toEqual(["0420"])
        expect(a.heard()).toEqual([])
        expect(store.entries.filter(({ kind }) => kind === EntryKind.timedOut)).toHaveLength(1)
      })
  )

  it.effect("an answer is held until it is on disk, and delivered then, once", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase())
      yield* commit
      yield* goAway(store)
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* TestClock.adjust(2000)
      yield* commit
      const during = a.heard()
      yield* comeBack(store)
      yield* commit

      expect(during).toEqual([])
      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect(
    "a request that had just been taken is never sent once its time is over, and its origin hears so in time",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, store } = yield* bench()
        a.say(purchase())
        yield* TestClock.adjust(0)
        yield* goAway(store)
        yield* commit
        yield* TestClock.adjust(1000)
        const told = codes(a.heard())
        yield* comeBack(store)
        yield* commit

        expect(told).toEqual(["98"])
        expect(b.heard()).toEqual([])
        expect(a.heard()).toEqual([])
        expect(store.entries.filter(({ kind }) => kind === EntryKind.notSent)).toHaveLength(1)
      })
  )

  it.effect("links are read on, however much is refused: echoes are answered, and memory is bounded", () =>
    Effect.gen(function* () {
      const limits = { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 20_000, unwrittenStop: 40_000 }
      const links = [linkOf("acquirer", 4802), linkOf("issuer", 102)]
      const { commit, dial, running, store } = yield* startBench(links, makeDisk(), { limits })
      const [a] = [dial(0), dial(1)]
      yield* commit
      yield* goAway(store)
      let answered = 0
      for (let n = 0; n < 20; n++) {
        a!.say(...Array.from({ length: 50 }, (_, i) => purchase(stan(1 + 50 * n + i))), echo)
        yield* commit
        answered += a!.heard().length
      }
      const { bytes } = running.status().unwritten
      yield* comeBack(store)
      yield* TestClock.adjust(1000)
      yield* commit

      expect(answered).toBe(20 * 51)
      expect(bytes).toBeLessThan(25_000)
      expect(store.entries.at(-1)!.code).toMatch(
        /^not journalled, because there is no room for it: \d+ refused, \d+ event; \d+ in all$/
      )
    })
  )

  it.effect("an advice that was taken before is acknowledged again; a new one is refused and taken on its repeat", () =>
    Effect.gen(function* () {
      const { a, b, commit, store } = yield* bench()
      a.say(purchase({}, "0220"))
      yield* commit
      yield* goAway(store)
      a.say(purchase({}, "0221"), purchase(stan(2), "0220"))
      yield* commit
      const during = codes(a.heard())
      yield* comeBack(store)
      yield* commit
      a.say(purchase(stan(2), "0221"))
      yield* commit

      expect(during).toEqual(["00", "00", "96"])
      expect(codes(a.heard())).toEqual(["00"])
      expect(types(b.heard())).toContain("0220")
    })
  )

  it.effect("none of that time counts as a disk that stands still; a limit of its own ends the switch", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const schedule = (_: number, run: () => void) => queueMicrotask(run)
      disk.store = new MemoryStore({ schedule, yieldAfterMs: 60_000 })
      const { commit, dial, running } = yield* startBench([linkOf("acquirer", 4802), linkOf("issuer", 102)], disk)
      dial(0)
      yield* commit
      yield* goAway(disk.store)
      const failed = yield* Effect.forkScoped(Effect.flip(running.failed))
      yield* TestClock.adjust(58_000)
      const early = failed.pollUnsafe()
      yield* TestClock.adjust(4000)
      const late = failed.pollUnsafe()
      disk.store.refuses = undefined

      expect(running.status().stalls).toBeUndefined()
      expect(early).toBeUndefined()
      expect(late).toMatchObject({ value: { reason: { _tag: "StoreAway" } } })
    })
  )
})

describe("an owner that is not sure any more that it is one", () => {
  it.effect(
    "sends nothing of what is on disk: another node may have ended it; when it is sure again, all goes on",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, store } = yield* bench()
        a.say(purchase(stan(1)), purchase(stan(2), "0220"))
        store.isOurs = false
        yield* commit
        yield* TestClock.adjust(100)
        const accepted = store.entries.filter(({ kind }) => kind === EntryKind.accepted).length
        const held = [a.heard(), b.heard()]
        store.isOurs = true
        yield* TestClock.adjust(100)
        yield* commit

        expect(accepted).toBe(1)
        expect(held).toEqual([[], []])
        expect(types(b.heard())).toEqual(["0200", "0220"])
        expect(types(a.heard())).toEqual(["0230"])
      })
  )

  it.effect("echoes are answered and new requests refused all the while: PostgreSQL may be away for everybody", () =>
    Effect.gen(function* () {
      const { a, commit, store } = yield* bench()
      yield* goAway(store)
      store.isOurs = false
      a.say(echo, purchase())
      yield* commit
      yield* TestClock.adjust(100)

      expect(types(a.heard())).toEqual(["0830", "0210"])
    })
  )

  it.effect(
    "its refusal promises nothing: the repeat is a new request at the next owner, and may be approved there",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const one = yield* bench({}, disk)
        yield* goAway(disk.store)
        disk.store.isOurs = false
        one.a.say(purchase(), purchase(stan(2), "0220"))
        yield* one.commit
        const refused = codes(one.a.heard())

        disk.store = disk.store.copy()
        const two = yield* bench({}, disk)
        two.a.say(purchase({}, "0201"), purchase(stan(2), "0221"))
        yield* two.commit
        const asked = two.b.heard()
        for (const message of asked) two.b.say(answerTo(message, message.mti === "0201" ? "0210" : "0230"))
        yield* two.commit
        two.a.say(purchase({}, "0201"))
        yield* two.commit

        expect(refused).toEqual(["96", "96"])
        expect([one.b.heard(), types(asked).sort()]).toEqual([[], ["0201", "0220"]])
        expect(codes(two.a.heard())).toEqual(["00", "00", "00"])
        expect(two.b.heard()).toEqual([])
        const kinds = disk.store.entries.map(({ kind }) => kind)
        expect(kinds.filter((kind) => kind === EntryKind.refused)).toEqual([])
        expect(kinds.filter((kind) => kind === EntryKind.accepted)).toHaveLength(1)
      })
  )
})
