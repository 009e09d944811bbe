import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, purchase, startBench } from "./Bench.ts"

const acquirer = linkOf("acquirer", 4802)

/** An issuer to which we sign on: three attempts, one second for the answer, half a second between them. */
const signedOnto = (signOn: Partial<LinkAll["signOn"]> = {}): LinkAll => ({
  ...linkOf("issuer", 103),
  signOn: { send: true, expect: false, timeoutMs: 1000, retries: { attempts: 3, pauseMs: 500 }, ...signOn }
})

const bench = (issuer: LinkAll) =>
  Effect.gen(function* () {
    const started = yield* startBench([acquirer, issuer])
    const a = started.dial(0)
    const b = started.dial(1)
    yield* started.commit
    const issuerState = () => started.running.status().links[1]!
    return { ...started, a, b, issuerState }
  })

describe("our sign-on", () => {
  it.effect("is tried again on the same connection when no answer comes, and then the connection is closed", () =>
    Effect.gen(function* () {
      const { b, commit, issuerState } = yield* bench(signedOnto())
      const heard: Array<number> = []
      for (const wait of [0, 1500, 1500]) {
        yield* TestClock.adjust(wait)
        yield* commit
        heard.push(b.heard().filter(({ fields }) => fields[70] === "001").length)
        expect(issuerState()).toMatchObject({ state: "signing on", epoch: 1, ready: false })
      }
      yield* TestClock.adjust(1000)
      yield* commit

      expect(heard).toEqual([1, 1, 1])
      expect(issuerState().ends[0]).toMatchObject({
        reason: "SignOnTimeout",
        why: "no answer to our sign-on, 3 attempts"
      })
    })
  )

  it.effect("is tried again after a code that asks for it, and the link is used once it is accepted", () =>
    Effect.gen(function* () {
      const { b, commit, issuerState } = yield* bench(signedOnto())
      b.say(answerTo(b.heard()[0]!, "0830", { 39: "91" }))
      yield* commit

      expect(b.heard()).toEqual([])

      yield* TestClock.adjust(500)
      yield* commit
      b.say(answerTo(b.heard()[0]!, "0830"))
      yield* commit

      expect(issuerState()).toMatchObject({ state: "ready", epoch: 1, signOnAttempts: 2, ours: "done" })

      yield* TestClock.adjust(10_000)
      expect(issuerState()).toMatchObject({ state: "ready", epoch: 1 })
    })
  )

  it.effect("is not tried again after a refusal for good: the connection is closed at once", () =>
    Effect.gen(function* () {
      const { b, commit, issuerState } = yield* bench(signedOnto())
      b.say(answerTo(b.heard()[0]!, "0830", { 39: "58" }))
      yield* commit
      expect(issuerState().ends[0]).toMatchObject({ reason: "SignOnRefused", why: "our sign-on was answered 58" })
    })
  )

  it.effect("that is not required does not hold the link up, whether it is refused or not answered", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuerState } = yield* bench(signedOnto({ required: false }))
      const [signOn] = b.heard()

      expect(issuerState()).toMatchObject({ state: "ready", ours: "optional" })

      b.say(answerTo(signOn!, "0830", { 39: "58" }))
      yield* commit
      yield* TestClock.adjust(10_000)
      a.say(purchase())
      yield* commit

      expect(b.heard().map(({ mti }) => mti)).toEqual(["0200"])
      expect(issuerState()).toMatchObject({ state: "ready", epoch: 1 })
    })
  )

  it.effect("is another thing than the link being up: requests are refused, the partner's own are not taken", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuerState } = yield* bench(signedOnto())
      b.heard()
      a.say(purchase())
      yield* commit

      expect(a.heard().map(({ fields }) => fields[39])).toEqual(["91"])
      expect(issuerState()).toMatchObject({ state: "signing on", epoch: 1, ours: "missing" })
    })
  )
})
