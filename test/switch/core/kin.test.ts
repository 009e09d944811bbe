import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const told = (messages: ReadonlyArray<Message>) => messages.map(({ mti, fields }) => `${mti} ${fields[39]}`)

const issuer = linkOf("issuer", 103)
const one = linkOf("one", 4802)
/** Another link of the same institution, in no group with it. */
const two = { ...linkOf("two", 4803), institution: one.institution }

const limits = { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }

const advice = (mti = "0220") => purchase({ 11: "000777" }, mti)

/** A purchase and an advice that came on the first link, and their answers. */
const asked = (links = [one, issuer, two], disk = makeDisk()) =>
  Effect.gen(function* () {
    const started = yield* startBench(links, disk)
    const { commit, dial } = started
    const [a, b] = [dial(0), dial(1)]
    yield* commit
    a.say(purchase(), advice())
    yield* commit
    b.say(...b.heard().map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0230")))
    yield* commit
    return { ...started, a, b }
  })

describe("What comes again on another link of its institution", () => {
  it.effect("is known, before a restart and after it", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { b, commit, dial } = yield* asked(undefined, disk)
          const c = dial(2)
          yield* commit
          c.say(purchase({}, "0201"), advice("0221"))
          yield* commit

          expect([told(b.heard()), told(c.heard())]).toEqual([[], ["0210 00", "0230 00"]])
        })
      )
      const { commit, dial } = yield* startBench([one, issuer, two], disk)
      const [b, c] = [dial(1), dial(2)]
      yield* commit
      c.say(purchase({}, "0201"), advice("0221"))
      yield* commit

      expect([told(b.heard()), told(c.heard())]).toEqual([[], ["0210 00", "0230 00"]])
    })
  )

  it.effect("is known behind a reload that gave the link another name", () =>
    Effect.gen(function* () {
      const { b, commit, offer, running } = yield* asked([one, issuer])
      const settings = { links: [two, issuer], routes: [{ bin: "62", to: 1 }], limits }
      const reloading = yield* Effect.forkChild(Effect.result(running.reload(settings, { user: "ann" }, 300)))
      for (let at = 0; at < 3000; at += 20) {
        yield* TestClock.adjust(20)
        yield* commit
      }
      expect((yield* Fiber.join(reloading))._tag).toBe("Success")
      const c = offer(two)
      yield* commit
      c.say(purchase({}, "0201"), advice("0221"))
      yield* commit

      expect([told(b.heard()), told(c.heard())]).toEqual([[], ["0210 00", "0230 00"]])
    })
  )

  it.effect("is another message where the key does not say whose it is", () =>
    Effect.gen(function* () {
      const unchecked = [one, two].map((link) => ({ ...link, identity: "unchecked" as const }))
      const { b, commit, dial } = yield* asked([unchecked[0]!, issuer, unchecked[1]!])
      const c = dial(2)
      yield* commit
      c.say(purchase())
      yield* commit

      expect(b.heard().map(({ mti }) => mti)).toEqual(["0200"])
    })
  )

  it.effect("is known where the link itself had refused it before another one took it", () =>
    Effect.gen(function* () {
      const { a, b, commit, dial, store } = yield* asked()
      const c = dial(2)
      yield* commit
      const other = (mti: string) => purchase({ 11: "000778" }, mti)
      store.refuses = "space"
      c.say(other("0220"))
      yield* commit
      store.refuses = undefined
      a.heard()
      a.say(other("0221"))
      yield* commit
      const [taken] = b.heard()
      b.say(answerTo(taken!, "0230"))
      yield* commit
      c.say(other("0221"))
      yield* commit

      expect([told(a.heard()), told(c.heard())]).toEqual([["0230 00"], ["0230 96", "0230 00"]])
      expect(b.heard()).toEqual([])
    })
  )
})
