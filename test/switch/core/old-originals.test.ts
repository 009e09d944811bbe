import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

/** How long a repeat is known here. */
const REPEATS_MS = 2000

const limits = {
  requestTimeoutMs: 1000,
  recentKeys: 1024,
  repeatsMs: REPEATS_MS,
  unwrittenRefuse: 1 << 20,
  unwrittenStop: 1 << 21
}

const told = (messages: ReadonlyArray<Message>) => messages.map(({ mti, fields }) => `${mti} ${fields[39]}`)

const reversal = (stan: string) =>
  purchase({ 7: "1125090000", 11: stan, 90: `02000000011122223829${"00048020000".repeat(2)}` }, "0420")

/** A purchase that was approved on a link of STANs of ours, and is older than any repeat that is known. */
const bought = (dialect: Dialect = cups, disk = makeDisk()) =>
  Effect.gen(function* () {
    const issuer: LinkAll = { ...linkOf("issuer", 103, dialect), stan: "own" }
    const started = yield* startBench([linkOf("acquirer", 4802, dialect), issuer], disk, { limits })
    const { commit, dial } = started
    const [a, b] = [dial(0), dial(1)]
    yield* commit
    a.say(purchase())
    yield* commit
    const heard = b.heard()
    b.say(...heard.map((seen) => answerTo(seen, "0210")))
    yield* commit
    a.heard()
    yield* TestClock.adjust(REPEATS_MS + 2000)
    yield* commit
    return { ...started, a, b, stan: heard[0]?.fields[11] }
  })

describe("A reversal of what came longer ago than repeats are known", () => {
  it.effect("reaches a target that knows messages by STANs of ours, by the STAN that its original had there", () =>
    Effect.gen(function* () {
      const { a, b, commit, stan } = yield* bought()
      a.say(reversal("000900"))
      yield* commit
      const [back] = b.heard()

      expect(told(a.heard())).toEqual(["0430 00"])
      expect(String(back?.fields[90]).slice(4, 10)).toBe(stan)
    })
  )

  it.effect("does not hit what had the same number long ago, where numbers have no date", () =>
    Effect.gen(function* () {
      const terminals: Dialect = { ...cups, name: "terminals", match: { ...cups.match, transaction: [11, 41] } }
      const { a, b, commit } = yield* bought(terminals)
      a.say(reversal("000900"))
      yield* commit

      expect([told(a.heard()), told(b.heard())]).toEqual([["0430 00"], []])
    })
  )
})

describe("A reversal without original data, where its dialect has a field for them,", () => {
  it.effect("is refused when its own key is nobody's: it was acknowledged, and what it meant stood", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bought()
      a.say(purchase({ 7: "1125090000", 11: "000900" }, "0420"))
      yield* commit

      expect([told(a.heard()), b.heard()]).toEqual([["0430 30"], []])
    })
  )

  it.effect("takes back what has its key", () =>
    Effect.gen(function* () {
      const { a, b, commit, stan } = yield* bought()
      a.say(purchase({}, "0420"))
      yield* commit

      expect([told(a.heard()), b.heard().map(({ fields }) => fields[11])]).toEqual([["0430 00"], [stan]])
    })
  )
})

describe("A request about what memory has forgotten", () => {
  it.effect(
    "reaches a target that knows messages by STANs of ours, and names its original there as the target knows it",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, stan } = yield* bought()
        a.say(
          purchase({ 3: "200000", 7: "1125090000", 11: "000900", 90: `02000000011122223829${"00048020000".repeat(2)}` })
        )
        yield* commit
        const [seen] = b.heard()

        expect([seen?.mti, String(seen?.fields[90]).slice(4, 10)]).toEqual(["0200", stan])
        expect(a.heard()).toEqual([])
      })
  )
})
