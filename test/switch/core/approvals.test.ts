/** What is known of approvals: by the answers of requests alone, in every dialect, over restarts and renamed links. */
import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Approvals } from "../../../packages/switch/src/exchange/delivery/Approvals.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { acquirer, bench, issuer, types } from "./Pair.ts"

const { reversal: _, ...words } = cups
/** A reversal has the key of its original, and names it by nothing else. */
const terminals: Dialect = { ...words, name: "terminals", match: { ...cups.match, transaction: [11, 41] } }
const noSuch = { 39: "25" }
const none = { inDoubt: 0, waiting: 0 }
const reversal = purchase({ 11: "000900", 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")

/** A purchase of a terminal that its host has answered with this code, and the reversal that the terminal sends after it. */
const reversed = (code: string, stan: LinkAll["stan"]) =>
  Effect.gen(function* () {
    const links = [linkOf("acquirer", 4802, terminals), { ...linkOf("issuer", 103, terminals), stan }]
    const started = yield* startBench(links)
    const [a, b] = [started.dial(0), started.dial(1)]
    yield* started.commit
    a.say(purchase())
    yield* started.commit
    b.say(...b.heard().map((seen) => answerTo(seen, "0210", { 39: code })))
    yield* started.commit
    a.say(purchase({}, "0400"))
    yield* started.commit
    return { ...started, b, back: b.heard() }
  })

describe("Where a reversal has the key of its original", () => {
  for (const stan of ["callers", "own"] as const) {
    it.effect(`no such request does not end the reversal of what its host has approved; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const { b, back, commit, running } = yield* reversed("00", stan)
        b.say(...back.map((seen) => answerTo(seen, "0410", noSuch)))
        yield* commit

        expect(types(back)).toEqual(["0400"])
        expect(running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 1 })
      })
    )

    it.effect(`the second answer of a reversal is no approval of its request; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const { b, back, commit, running } = yield* reversed("51", stan)
        for (let n = 0; n < 2; n++) {
          b.say(...back.map((seen) => answerTo(seen, "0410")))
          yield* commit
          yield* commit
        }

        expect(types(b.heard())).toEqual([])
        expect(running.pending.list()).toMatchObject(none)
        expect(running.status().links[1]!.traffic).toMatchObject({ duplicates: 0, unmatched: 1 })
      })
    )
  }
})

describe("No such request, behind a restart,", () => {
  it.effect(
    "does not end the reversal of what was approved: what its first attempt was told nobody knows any more",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* bench({}, disk)
            a.say(purchase())
            yield* commit
            b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
            yield* commit
            a.say(reversal)
            yield* commit
            b.say(...b.heard().map((seen) => answerTo(seen, "0430", noSuch)))
            yield* commit
          })
        )
        const { b, commit, running } = yield* bench({}, disk)
        const back = b.heard()
        b.say(...back.map((seen) => answerTo(seen, "0430", noSuch)))
        yield* commit

        expect(types(back)).toEqual(["0421"])
        expect(running.pending.list()).toMatchObject({ inDoubt: 0, waiting: 1 })
      })
  )
})

describe("No such request, told to a first attempt,", () => {
  it("contradicts an approval that comes behind it, and not one whose reversal was done", () => {
    const approvals = new Approvals()
    expect(approvals.contradicts(1, 9, 1)).toBe(false)
    approvals.add(1)
    expect(approvals.contradicts(1, 9, 2)).toBe(true)

    approvals.ended(1, false)
    approvals.add(1)
    expect(approvals.contradicts(1, 10, 1)).toBe(false)
  })

  it("is not known of a second attempt: the first may have done it", () => {
    const approvals = new Approvals()
    approvals.add(1)
    expect(approvals.contradicts(1, 9, 2)).toBe(false)
  })
})

describe("An approval behind a reversal that was told that there is no such request", () => {
  it.effect("is taken back on the link that its issuer has now: a reload has renamed it", () =>
    Effect.gen(function* () {
      const limits = { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
      const { commit, dial, running } = yield* startBench([acquirer, issuer], makeDisk(), { limits })
      const [a, b] = [dial(0), dial(1)]
      yield* commit
      a.say(purchase())
      yield* commit
      const [request] = b.heard()
      yield* TestClock.adjust(1020)
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0430", noSuch)))
      yield* commit
      const next = { links: [acquirer, { ...issuer, name: "bank" }], routes: [{ bin: "62", to: 1 }], limits }
      const reloading = yield* Effect.forkChild(Effect.result(running.reload(next, { user: "ann" }, 300)))
      for (let at = 0; at < 3000; at += 20) {
        yield* TestClock.adjust(20)
        yield* commit
      }
      yield* Fiber.join(reloading)
      const again = dial(1)
      yield* commit
      again.say(answerTo(request!, "0210"))
      yield* commit
      yield* commit

      expect(types(again.heard())).toEqual(["0420"])
    })
  )
})
