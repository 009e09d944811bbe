import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import type { SwitchSettings } from "../../../packages/switch/src/Switch.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const acquirer = linkOf("acquirer", 4802)
const issuer = linkOf("issuer", 103)

const settings = (change: Partial<SwitchSettings> = {}): SwitchSettings => ({
  links: [acquirer, issuer],
  routes: [{ bin: "62", to: 1 }],
  limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 },
  ...change
})

const withoutIssuer = settings({ links: [acquirer], routes: [] })

const bench = Effect.gen(function* () {
  const started = yield* startBench([acquirer, issuer], makeDisk())
  const a = started.dial(0)
  const b = started.dial(1)
  yield* started.commit
  const { running } = started
  const reload = (next: SwitchSettings, drainMs = 300) =>
    Effect.forkChild(Effect.result(running.reload(next, { user: "ann" }, drainMs)))
  /** Lets time pass and the disk write, until whatever runs has an end. */
  const pass = (ms: number) =>
    Effect.gen(function* () {
      for (let at = 0; at < ms; at += 20) {
        yield* TestClock.adjust(20)
        yield* started.commit
      }
    })
  return { ...started, a, b, reload, pass }
})

const advice = purchase({ 39: "00" }, "0220")

describe("a reload in the hand", () => {
  it.effect("that removes a link takes everything back when the drain leaves a reversal to deliver", () =>
    Effect.gen(function* () {
      const { a, b, dial, commit, reload, running, pass } = yield* bench
      a.say(purchase())
      yield* commit
      b.heard()
      const reloading = yield* reload(withoutIssuer)
      yield* pass(3000)
      const refused = yield* Fiber.join(reloading)

      expect(refused).toMatchObject({ _tag: "Failure", failure: { reason: "LinksMissing" } })
      expect(a.heard().map(({ fields }) => fields[39])).toEqual(["98"])
      expect(running.status().links.map(({ name, state }) => [name, state])).toEqual([
        ["acquirer", "ready"],
        ["issuer", "down"]
      ])

      const again = dial(1)
      yield* pass(100)
      const [reversal] = again.heard()

      expect(reversal?.mti).toBe("0420")

      again.say(answerTo(reversal!, "0430"))
      yield* commit
      const second = yield* reload(withoutIssuer)
      yield* pass(3000)

      expect((yield* Fiber.join(second))._tag).toBe("Success")
      expect(running.status().links.map(({ name }) => name)).toEqual(["acquirer"])
    })
  )

  it.effect("that removes a link stores nothing more for it: an advice is refused, and taken when it comes again", () =>
    Effect.gen(function* () {
      const { a, b, commit, reload, pass } = yield* bench
      a.say(purchase())
      yield* commit
      const [seen] = b.heard()
      const reloading = yield* reload(withoutIssuer, 800)
      yield* pass(100)
      a.say({ ...advice, fields: { ...advice.fields, 11: "000002" } })
      yield* commit
      const refused = a.heard().map(({ mti, fields }) => [mti, fields[39]])
      b.say(answerTo(seen!, "0210"))
      yield* pass(3000)

      expect(refused).toEqual([["0230", "91"]])
      expect((yield* Fiber.join(reloading))._tag).toBe("Success")
      expect(a.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0210", "00"]])
    })
  )

  it.effect(
    "of the issuer's window leaves answers that are on their way: one that is not delivered is still reversed",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, dial, pass, reload, running, store } = yield* bench
        a.say(purchase(), purchase({ 11: "000002" }))
        yield* commit
        a.takes = false
        for (const one of b.heard()) b.say(answerTo(one, "0210"))
        yield* commit
        const reloading = yield* reload(settings({ links: [acquirer, { ...issuer, window: 7 }] }))
        yield* pass(3000)
        expect((yield* Fiber.join(reloading))._tag).toBe("Success")
        const again = dial(1)
        yield* pass(100)
        a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
        yield* pass(100)

        expect(store.entries.filter(({ kind }) => kind === EntryKind.undelivered)).toHaveLength(2)
        expect(again.heard().map(({ mti }) => mti)).toEqual(["0420", "0420"])
        expect(running.status().links[1]).toMatchObject({ window: 7 })
      })
  )

  it.effect("that removes the issuer waits for an approval on its way: its reversal would have nowhere to go", () =>
    Effect.gen(function* () {
      const { a, b, commit, dial, pass, reload } = yield* bench
      a.say(purchase())
      yield* commit
      a.takes = false
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* commit
      const reloading = yield* reload(withoutIssuer)
      yield* pass(1000)
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* pass(6000)
      const again = dial(1)
      yield* pass(100)

      expect(yield* Fiber.join(reloading)).toMatchObject({ _tag: "Failure", failure: { reason: "LinksMissing" } })
      expect(again.heard().map(({ mti }) => mti)).toEqual(["0420"])
    })
  )

  it.effect("waits for the disk: what was accepted before it is in a queue before the links change", () =>
    Effect.gen(function* () {
      const { a, running, commit, reload, dial, pass } = yield* bench
      a.say(advice)
      yield* TestClock.adjust(20)
      const reloading = yield* reload(settings({ links: [acquirer, { ...issuer, window: 7 }] }))
      yield* TestClock.adjust(1000)

      expect(running.status().links[1]).toMatchObject({ window: 64, state: "down, drained" })

      yield* commit
      yield* pass(200)
      expect((yield* Fiber.join(reloading))._tag).toBe("Success")
      expect(running.status().links[1]).toMatchObject({ window: 7, stored: { size: 1 } })

      const again = dial(1)
      yield* pass(100)
      expect(again.heard().map(({ mti }) => mti)).toEqual(["0220"])
    })
  )

  it.effect("keeps a changed link's repeats known: a request sent again after it is not forwarded twice", () =>
    Effect.gen(function* () {
      const { a, b, commit, reload, dial, pass } = yield* bench
      a.say(purchase())
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0210"))
      yield* commit
      a.heard()
      const reloading = yield* reload(settings({ links: [{ ...acquirer, window: 9 }, issuer] }))
      yield* pass(200)

      expect((yield* Fiber.join(reloading))._tag).toBe("Success")

      const back = dial(0)
      yield* pass(100)
      back.say(purchase())
      yield* pass(100)

      expect(b.heard()).toEqual([])
      expect(back.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0210", "00"]])
    })
  )

  it.effect(
    "keeps a renamed link's repeats known, on both sides: nothing is forwarded twice, and answers are given again",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, dial, reload, pass, running } = yield* bench
        a.say(purchase(), purchase({ 11: "000002" }, "0220"))
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0230")))
        yield* commit
        a.heard()
        const [one, other] = [
          { ...acquirer, name: "bank-a" },
          { ...issuer, name: "bank-i" }
        ]
        const reloading = yield* reload(settings({ links: [one, other] }))
        yield* pass(3000)
        const [again, there] = [dial(0), dial(1)]
        yield* pass(100)
        again.say(
          purchase({}, "0201"),
          purchase({ 11: "000002" }, "0221"),
          purchase({ 4: "000000099900" }, "0201"),
          purchase({ 11: "000003" })
        )
        yield* pass(100)

        expect((yield* Fiber.join(reloading))._tag).toBe("Success")
        expect(running.status().links.map(({ name }) => name)).toEqual(["bank-a", "bank-i"])
        expect(there.heard().map(({ mti, fields }) => [mti, fields[11]])).toEqual([["0200", "000003"]])
        expect(
          again
            .heard()
            .map(({ mti, fields }) => `${mti} ${fields[39]}`)
            .sort()
        ).toEqual(["0210 00", "0210 94", "0230 00"])
      })
  )

  it.effect("brings a group with a second link to a partner: requests go to both in turn", () =>
    Effect.gen(function* () {
      const { a, b, commit, reload, running, offer, pass } = yield* bench
      const second = linkOf("issuer2", 104)
      const both = {
        name: "both",
        use: "round-robin" as const,
        by: [],
        members: [
          { link: 1, name: "issuer", weight: 1 },
          { link: 2, name: "issuer2", weight: 1 }
        ],
        failbackMs: 1000,
        fallTogether: false
      }
      const reloading = yield* reload(
        settings({ links: [acquirer, issuer, second], groups: [both], routes: [{ bin: "62", to: 3 }] })
      )
      yield* pass(100)

      expect((yield* Fiber.join(reloading))._tag).toBe("Success")

      const b2 = offer(second)
      yield* pass(100)
      for (const stan of [1, 2, 3, 4]) a.say(purchase({ 11: String(stan).padStart(6, "0") }))
      yield* commit

      expect([b.heard().length, b2.heard().length]).toEqual([2, 2])
      expect(running.status().links.map(({ name, epoch }) => [name, epoch])).toEqual([
        ["acquirer", 1],
        ["issuer", 1],
        ["issuer2", 1]
      ])
    })
  )

  it.effect("one at a time, and none when the switch is stopping", () =>
    Effect.gen(function* () {
      const { running, reload, pass } = yield* bench
      const first = yield* reload(settings({ links: [acquirer, { ...issuer, window: 7 }] }))
      const second = yield* reload(settings({ links: [acquirer, { ...issuer, window: 8 }] }))
      yield* pass(500)

      expect([(yield* Fiber.join(first))._tag, (yield* Fiber.join(second))._tag]).toEqual(["Success", "Success"])
      expect(running.status().links[1]).toMatchObject({ window: 8 })

      yield* Effect.forkChild(running.drain(100))
      yield* pass(20)
      const late = yield* reload(settings())
      yield* pass(100)

      expect(yield* Fiber.join(late)).toMatchObject({ _tag: "Failure", failure: { reason: "Busy" } })
    })
  )

  it.effect("that is overtaken by a stop brings no link into it, neither a new one nor one that it has drained", () =>
    Effect.gen(function* () {
      const third = linkOf("third", 104)
      const others = [
        [acquirer, issuer, third],
        [acquirer, { ...issuer, window: 7 }, third]
      ]
      for (const links of others)
        for (let turns = 0; turns < 4; turns++) {
          const { a, b, commit, reload, running, pass } = yield* bench
          a.say(purchase())
          yield* commit
          const reloading = yield* reload(settings({ links }))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          yield* Effect.forkChild(running.drain(500))
          yield* pass(100)
          b.say(answerTo(b.heard()[0]!, "0210"))
          yield* pass(1000)
          yield* Fiber.join(reloading)

          const left = running.links.filter(({ isAway }) => !isAway).map(({ settings: { name } }) => name)
          expect({ turns, left }).toEqual({ turns, left: [] })
        }
    }).pipe(Effect.scoped)
  )
})
