import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, linkOf, purchase, startBench } from "./Bench.ts"

/** The usual two links, both up, and a request on its way. */
const bench = Effect.gen(function* () {
  const started = yield* startBench([linkOf("acquirer", 4802), linkOf("issuer", 103)])
  const { commit, dial, running, store } = started
  const [a, b] = [dial(0), dial(1)]
  yield* commit
  a.say(purchase())
  yield* commit
  const act = (link: string, what: "drain" | "unblock") => running.operations.act(link, what, { user: "ann" }, 500)
  const count = (kind: keyof typeof EntryKind) => store.entries.filter((entry) => entry.kind === EntryKind[kind]).length
  return { ...started, a, b, act, count, request: b.heard()[0]! }
})

describe("a link that is drained", () => {
  it.effect("takes back an approval that comes behind our FIN, also while the partner has not closed yet", () =>
    Effect.gen(function* () {
      const { a, b, act, commit, count, request } = yield* bench
      let finished = 0
      Object.assign(a, { finish: () => finished++ })
      const drained = yield* Effect.forkChild(act("acquirer", "drain"))
      yield* TestClock.adjust(600)
      yield* commit

      expect([finished, a.isOpen]).toEqual([1, true])

      b.say(answerTo(request, "0210"))
      yield* commit

      expect(a.heard()).toEqual([])
      expect([count("answered"), count("undelivered"), count("queued")]).toEqual([1, 1, 1])
      expect(b.heard().map(({ mti }) => mti)).toEqual(["0420"])

      yield* TestClock.adjust(2000)
      expect(drained.pollUnsafe()).toMatchObject({ value: { unfinished: [{ outcome: "Undelivered" }] } })
    })
  )

  it.effect(
    "stays in use when an operator unblocks it while it is being drained, and who drained it hears of that",
    () =>
      Effect.gen(function* () {
        const { a, b, act, commit, running, request } = yield* bench
        const drained = yield* Effect.forkChild(Effect.exit(act("issuer", "drain")))
        yield* TestClock.adjust(100)

        expect(yield* act("issuer", "unblock")).toMatchObject({ before: "draining", after: "ready" })

        yield* TestClock.adjust(700)
        yield* commit

        expect(b.isOpen).toBe(true)
        expect(running.status().links[1]).toMatchObject({ state: "ready", draining: false })
        expect(JSON.stringify(drained.pollUnsafe())).toContain("stays in use")

        b.say(answerTo(request, "0210"))
        yield* commit
        expect(a.heard().map(({ fields }) => fields[39])).toEqual(["00"])
      })
  )
})
