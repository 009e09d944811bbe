import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { damaged, diskReading, type Reads } from "./BadReads.ts"
import { answerTo, makeDisk, purchase } from "./Bench.ts"
import { acquirer, bench, issuer } from "./Pair.ts"

const types = (messages: ReadonlyArray<Message>) => messages.map(({ mti }) => mti)

/** A purchase that has timed out, and its reversal as the issuer hears it. */
const timedOut = (disk = makeDisk()) =>
  Effect.gen(function* () {
    const started = yield* bench({}, disk)
    const { a, b, commit } = started
    a.say(purchase())
    yield* commit
    const [request] = b.heard()
    yield* TestClock.adjust(1020)
    yield* commit
    const [reversal] = b.heard()
    return { ...started, request: request!, reversal: reversal! }
  })

const noSuch = { 39: "25" }

const once = { ...issuer.delivery, attemptsMax: 1 }

describe("An approval that comes when its request has timed out", () => {
  it.effect("and its reversal was told that there is no such request, is reversed again", () =>
    Effect.gen(function* () {
      const { b, commit, request, reversal, running } = yield* timedOut()
      b.say(answerTo(reversal, "0430", noSuch))
      yield* commit
      b.say(answerTo(request, "0210"))
      yield* commit
      yield* commit
      const [again, ...more] = b.heard()

      expect([again?.mti, more]).toEqual(["0420", []])
      expect(again!.fields[11]).not.toBe(reversal.fields[11])
      expect(again!.fields[90]).toBe(reversal.fields[90])

      b.say(answerTo(again!, "0430"), answerTo(request, "0210"))
      yield* commit
      yield* commit

      expect(b.heard()).toEqual([])
      expect(running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 0 })
    })
  )

  it.effect(
    "while its reversal is under way does not let that end with no such request: it is repeated until it is done",
    () =>
      Effect.gen(function* () {
        const { b, commit, request, reversal, running } = yield* timedOut()
        b.say(answerTo(request, "0210"), answerTo(reversal, "0430", noSuch))
        yield* commit
        yield* TestClock.adjust(1020)
        yield* commit
        const [again] = b.heard()
        b.say(answerTo(again!, "0430", noSuch))
        yield* commit
        yield* TestClock.adjust(1020)
        yield* commit
        const [third] = b.heard()
        b.say(answerTo(third!, "0430"))
        yield* commit

        expect(types([again!, third!])).toEqual(["0421", "0421"])
        expect(running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 0 })
      })
  )

  it.effect("is of no account where the reversal was done, seen before or repeated, or the answer is no approval", () =>
    Effect.gen(function* () {
      for (const code of ["00", "94"]) {
        const { b, commit, request, reversal } = yield* timedOut()
        b.say(answerTo(reversal, "0430", { 39: code }))
        yield* commit
        b.say(answerTo(request, "0210"))
        yield* commit
        expect(b.heard()).toEqual([])
      }
      const { b, commit, request, reversal, running } = yield* timedOut()
      b.say(answerTo(reversal, "0430", noSuch))
      yield* commit
      b.say(answerTo(request, "0210", { 39: "51" }))
      yield* commit
      expect(b.heard()).toEqual([])
      expect(running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 0 })

      const lost = yield* timedOut()
      // The first attempt may have done it: its answer was lost.
      yield* TestClock.adjust(2500)
      yield* lost.commit
      lost.b.say(answerTo(lost.request, "0210"))
      yield* lost.commit
      lost.b.say(...lost.b.heard().map((seen) => answerTo(seen, "0430", noSuch)))
      yield* lost.commit
      expect(lost.running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 0 })
    })
  )

  it.effect("does not ask the journal for every late answer of a slow issuer, however often it comes", () =>
    Effect.gen(function* () {
      let asked = 0
      const counted = Effect.sync(() => {
        asked++
        return []
      })
      const reads: Reads = { exchange: counted }
      const { b, commit, request, reversal } = yield* timedOut(diskReading(reads))
      b.say(answerTo(request, "0210"), answerTo(reversal, "0430"))
      yield* commit
      for (let n = 0; n < 5; n++) b.say(answerTo(request, "0210"))
      yield* commit

      expect(asked).toBe(0)
    })
  )

  it.effect("is looked at again by the next start, where this one could not read its journal", () =>
    Effect.gen(function* () {
      const reads: Reads = {}
      const disk = diskReading(reads)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { b, commit, request, reversal } = yield* timedOut(disk)
          b.say(answerTo(reversal, "0430", noSuch))
          yield* commit
          reads.exchange = damaged
          b.say(answerTo(request, "0210"))
          yield* commit
          expect(b.heard()).toEqual([])
        })
      )
      reads.exchange = undefined
      const { b, commit } = yield* bench({}, disk)
      yield* commit

      expect(types(b.heard())).toEqual(["0420"])
    })
  )
})

describe("An approval of what its issuer has declined", () => {
  it.effect(
    "is taken back, once: its acquirer was told that it is declined; a decline behind an approval changes nothing",
    () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* bench()
        a.say(purchase(), purchase({ 11: "000002" }), purchase({ 11: "000003" }))
        yield* commit
        const [first, second, third] = b.heard()
        const decline = { 39: "51" }
        // In one read, and later.
        b.say(answerTo(first!, "0210", decline), answerTo(first!, "0210"), answerTo(second!, "0210", decline))
        b.say(answerTo(third!, "0210"), answerTo(third!, "0210", decline))
        yield* commit
        b.say(answerTo(second!, "0210"), answerTo(second!, "0210"), answerTo(first!, "0210"))
        yield* commit
        yield* commit
        const back = b.heard()

        expect(a.heard().map(({ fields }) => fields[39])).toEqual(["51", "51", "00"])
        expect(types(back)).toEqual(["0420", "0420"])
        expect(back.map(({ fields }) => String(fields[90]).slice(4, 10)).sort()).toEqual(["000001", "000002"])
      })
  )

  it.effect("is taken back by the next start, where this one could not read its journal, and not twice", () =>
    Effect.gen(function* () {
      const reads: Reads = { exchange: damaged }
      const disk = diskReading(reads)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit } = yield* bench({}, disk)
          a.say(purchase())
          yield* commit
          b.say(...b.heard().flatMap((seen) => ["51", "00"].map((code) => answerTo(seen, "0210", { 39: code }))))
          yield* commit
        })
      )
      reads.exchange = undefined
      const started = yield* Effect.scoped(
        Effect.gen(function* () {
          const { b, commit } = yield* bench({}, disk)
          yield* commit
          const back = b.heard()
          b.say(...back.map((seen) => answerTo(seen, "0430")))
          yield* commit
          return types(back)
        })
      )
      const { b, commit } = yield* bench({}, disk)
      yield* commit

      expect([started, types(b.heard())]).toEqual([["0420"], []])
    })
  )
})

describe("The reversal of an approval that nobody heard of", () => {
  it.effect(
    "is not done because the issuer, which has approved, knows no such request: it goes on, and then to a person",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, running } = yield* bench({ issuer: { delivery: { ...issuer.delivery, attemptsMax: 3 } } })
        a.say(purchase())
        yield* commit
        a.takes = false
        b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
        yield* commit
        a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
        yield* commit
        const attempts: Array<string> = []
        for (let attempt = 0; attempt < 3; attempt++) {
          const heard = b.heard()
          attempts.push(...types(heard))
          b.say(...heard.map((seen) => answerTo(seen, "0430", noSuch)))
          yield* commit
          yield* TestClock.adjust(1020)
          yield* commit
        }

        expect(attempts).toEqual(["0420", "0421", "0421"])
        expect(running.pending.list().messages).toMatchObject([{ state: "declined" }])
      })
  )

  it.effect("is not done so either where the answer does not fit the acquirer's frame", () =>
    Effect.gen(function* () {
      const frame = { ...acquirer.frame, lengthMax: 300 }
      const { a, b, commit, running } = yield* bench({ acquirer: { frame }, issuer: { delivery: once } })
      a.say(purchase())
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 48: "A".repeat(200) })))
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0430", noSuch)))
      yield* commit

      expect(a.heard().map(({ fields }) => fields[39])).toEqual(["98"])
      expect(running.pending.list().messages).toMatchObject([{ state: "declined" }])
    })
  )

  it.effect(
    "nor is its acquirer's: the issuer has approved it. A second reversal may be unknown, and one of a decline",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, running } = yield* bench({ issuer: { delivery: { ...issuer.delivery, attemptsMax: 2 } } })
        const reversal = (n: number, stan: string) =>
          purchase({ 11: stan, 90: `020000000${n}1122223829${"00048020000".repeat(2)}` }, "0420")
        const answered = (code: string) =>
          Effect.gen(function* () {
            const heard = b.heard()
            b.say(...heard.map((seen) => answerTo(seen, "0430", { 39: code })))
            yield* commit
            return heard.map(({ mti, fields }) => `${mti} ${fields[11]}`)
          })
        a.say(purchase(), purchase({ 11: "000002" }), purchase({ 11: "000003" }))
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 39: seen.fields[11] === "000003" ? "51" : "00" })))
        yield* commit
        a.say(reversal(1, "000901"), reversal(2, "000902"), reversal(3, "000903"))
        yield* commit
        const unknown = yield* answered("25")
        yield* TestClock.adjust(1020)
        yield* commit
        const again = b.heard()
        b.say(...again.map((seen) => answerTo(seen, "0430", { 39: seen.fields[11] === "000901" ? "25" : "00" })))
        yield* commit
        a.say(reversal(2, "000912"))
        yield* commit
        const second = yield* answered("25")

        expect(unknown).toEqual(["0420 000901", "0420 000902", "0420 000903"])
        expect(types(again)).toEqual(["0421", "0421"])
        expect(second).toEqual(["0420 000912"])
        expect(running.pending.list()).toMatchObject({ inDoubt: 1, waiting: 0, messages: [{ stan: "000901" }] })
      })
  )
})
