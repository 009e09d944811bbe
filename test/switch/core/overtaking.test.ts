import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { GroupSettings } from "../../../packages/switch/src/link/LinkGroup.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const stan = (n: number) => String(n).padStart(6, "0")

/** The acquirer's own reversal of its purchase `n`. */
const reversalOf = (n: number): Message =>
  purchase({ 11: stan(900 + n), 90: `0200${stan(n)}1122223829${"00048020000"}${"00048020000"}` }, "0420")

const seen = (messages: ReadonlyArray<Message>) => messages.map(({ mti, fields }) => `${mti} ${Number(fields[11])}`)

const limits = { requestTimeoutMs: 2000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }

/** An acquirer on link 0, and an issuer of one link or of two that take turns. */
const bench = (issuers: ReadonlyArray<LinkAll>) =>
  Effect.gen(function* () {
    const group: GroupSettings = {
      name: "issuer",
      members: issuers.map(({ name }, n) => ({ link: n + 1, name, weight: 1 })),
      use: "round-robin",
      by: [],
      failbackMs: 0,
      fallTogether: false
    }
    const links = [linkOf("acquirer", 4802), ...issuers]
    const started = yield* startBench(links, makeDisk(), {
      groups: [group],
      routes: [{ bin: "62", to: links.length }],
      limits
    })
    const [acquirer, a, b] = [started.dial(0), started.dial(1), issuers.length > 1 ? started.dial(2) : undefined]
    yield* started.commit
    return { ...started, acquirer, a, b }
  })

const two = [
  { ...linkOf("issuer-a", 103), institution: "01030000" },
  { ...linkOf("issuer-b", 104), institution: "01030000" }
]

describe("a partner's reversal of a request that is still under way", () => {
  it.effect("waits for the request's end, and leaves by the link that the request was sent on", () =>
    Effect.gen(function* () {
      const { acquirer, a, b, commit } = yield* bench(two)
      acquirer.say(purchase({ 11: stan(1) }))
      yield* commit
      const [request] = a.heard()
      acquirer.say(reversalOf(1), purchase({ 11: stan(2) }, "0220"))
      yield* commit

      expect(seen(acquirer.heard())).toEqual(["0430 901", "0230 2"])
      // Nothing else waits for it.
      expect([...seen(a.heard()), ...seen(b!.heard())]).toEqual(["0220 2"])

      a.say(answerTo(request!, "0210"))
      yield* commit
      yield* TestClock.adjust(20)
      yield* commit

      expect(seen(acquirer.heard())).toEqual(["0210 1"])
      expect([seen(a.heard()), seen(b!.heard())]).toEqual([["0420 901"], []])
    })
  )

  it.effect("does not overtake it by another link of the group when the link of the request is lost", () =>
    Effect.gen(function* () {
      const { acquirer, a, b, commit, dial } = yield* bench(two)
      acquirer.say(purchase({ 11: stan(1) }))
      yield* commit
      a.heard()
      acquirer.say(reversalOf(1))
      yield* commit
      a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
      yield* commit
      yield* TestClock.adjust(1000)
      yield* commit

      expect(seen(b!.heard())).toEqual([])

      const again = dial(1)
      yield* commit
      yield* TestClock.adjust(20)
      yield* commit

      expect(seen(again.heard())[0]).toBe("0420 901")
    })
  )

  it.effect("does not leave before a request that waits for its place", () =>
    Effect.gen(function* () {
      const issuer = { ...linkOf("issuer", 103), window: 1, waiting: { places: 4, waitMs: 1500 } }
      const { acquirer, a, commit } = yield* bench([issuer])
      acquirer.say(purchase({ 11: stan(1) }), purchase({ 11: stan(2) }))
      yield* commit
      const [first] = a.heard()
      acquirer.say(reversalOf(2))
      yield* commit
      yield* TestClock.adjust(100)
      yield* commit

      expect(seen(a.heard())).toEqual([])

      a.say(answerTo(first!, "0210"))
      yield* commit
      const [second] = a.heard()

      expect(second?.fields[11]).toBe(stan(2))

      a.say(answerTo(second!, "0210"))
      yield* commit
      yield* TestClock.adjust(20)
      yield* commit

      expect(seen(a.heard())).toEqual(["0420 902"])
    })
  )
})
