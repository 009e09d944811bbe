import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { SwitchSettings } from "../../../packages/switch/src/Switch.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"

const acquirer = linkOf("acquirer", 4802)
const limits = { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21 }
const stans = ["callers", "own"] as const

const about = (mti: string, n: number) => `${mti}00000${n}1122223829${"00048020000".repeat(2)}`
const reversalOf = (mti: string, n: number): Message => purchase({ 11: "000900", 90: about(mti, n) }, "0420")
const types = (messages: ReadonlyArray<Message>) => messages.map(({ mti }) => mti)

/** A switch whose cards go to the first of two issuers, until a reload sends them to the second. */
const bench = (first: LinkAll, second: LinkAll, disk = makeDisk()) =>
  Effect.gen(function* () {
    const links = [acquirer, first, second]
    const started = yield* startBench(links, disk, { limits })
    const { commit, dial, running } = started
    const [a, b, c] = [dial(0), dial(1), dial(2)] as const
    yield* commit
    const pass = (ms: number) =>
      Effect.gen(function* () {
        for (let at = 0; at < ms; at += 20) {
          yield* TestClock.adjust(20)
          yield* commit
        }
      })
    const reload = (next: Partial<SwitchSettings>) =>
      Effect.gen(function* () {
        const settings = { links, routes: [{ bin: "62", to: 2 }], limits, ...next }
        const reloading = yield* Effect.forkChild(Effect.result(running.reload(settings, { user: "ann" }, 300)))
        yield* pass(3000)
        expect((yield* Fiber.join(reloading))._tag).toBe("Success")
      })
    return { ...started, a, b, c, pass, reload }
  })

const issuer = (stan: LinkAll["stan"]): LinkAll => ({ ...linkOf("issuer", 103), stan })
const other = (stan: LinkAll["stan"]): LinkAll => ({ ...linkOf("other", 104), stan })

describe("What is about something that went to another partner than the routes name now", () => {
  for (const stan of stans) {
    it.effect(`goes there: a reversal of a purchase, of an open one, and of an advice; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, c, commit, pass, reload } = yield* bench(issuer(stan), other(stan), disk)
            a.say(purchase(), purchase({ 11: "000002" }, "0220"))
            yield* commit
            for (const seen of b.heard()) b.say(answerTo(seen, seen.mti === "0200" ? "0210" : "0230"))
            yield* commit
            yield* reload({})
            a.say(purchase({ 11: "000003" }))
            yield* commit
            const there = types(c.heard())
            a.say(reversalOf("0200", 1))
            yield* commit
            a.say({ ...reversalOf("0220", 2), fields: { ...reversalOf("0220", 2).fields, 11: "000901" } })
            yield* commit
            yield* pass(40)

            expect(there).toEqual(["0200"])
            expect([types(b.heard()), types(c.heard())]).toEqual([["0420", "0420"], []])
          })
        )
        const { a, b, c, commit, reload } = yield* bench(issuer(stan), other(stan), disk)
        for (const seen of b.heard()) b.say(answerTo(seen, "0430"))
        yield* commit
        yield* reload({})
        b.heard()
        c.heard()
        a.say({ ...reversalOf("0200", 1), fields: { ...reversalOf("0200", 1).fields, 11: "000902" } })
        a.say({ ...reversalOf("0220", 2), fields: { ...reversalOf("0220", 2).fields, 11: "000903" } })
        yield* commit

        expect([types(b.heard()), types(c.heard())]).toEqual([["0420", "0420"], []])
      })
    )

    it.effect(`waits there for the end of a request that is still open; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const { a, b, c, commit, pass, reload } = yield* bench(issuer(stan), other(stan))
        yield* reload({ routes: [{ bin: "62", to: 1 }] })
        a.say(purchase())
        yield* commit
        const [seen] = b.heard()
        // The drain waits for nothing: no link changes.
        const reloading = yield* Effect.forkChild(reload({}))
        yield* commit
        a.say(reversalOf("0200", 1))
        yield* commit
        const early = [types(b.heard()), types(c.heard())]
        b.say(answerTo(seen!, "0210"))
        yield* pass(40)
        yield* Fiber.join(reloading)

        expect(early).toEqual([[], []])
        // The rest is its repeats: nobody answers.
        expect([types(b.heard())[0], types(c.heard())]).toEqual(["0420", []])
      })
    )
  }

  for (const stan of stans)
    it.effect(`goes there also when memory has forgotten it, and the journal knows; STANs ${stan}`, () =>
      Effect.gen(function* () {
        const forgetful = { ...limits, repeatsMs: 2000 }
        const disk = makeDisk()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, c, commit, pass, reload } = yield* bench(issuer(stan), other(stan), disk)
            a.say(purchase())
            yield* commit
            b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
            yield* commit
            yield* reload({ limits: forgetful })
            yield* pass(3000)
            a.say(reversalOf("0200", 1))
            yield* commit

            expect([types(b.heard()), types(c.heard())]).toEqual([["0420"], []])
          })
        )
      })
    )

  it.effect("is refused when the link is gone, and goes by the routes to another link of the same institution", () =>
    Effect.gen(function* () {
      const gone = yield* bench(issuer("callers"), other("callers"))
      const same = yield* bench(issuer("callers"), { ...other("callers"), institution: "1030000" })
      for (const { a, b, c, commit, reload } of [gone, same]) {
        a.say(purchase())
        yield* commit
        b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
        yield* commit
        yield* reload(a === gone.a ? { links: [acquirer, other("callers")], routes: [{ bin: "62", to: 1 }] } : {})
        a.heard()
        a.say(reversalOf("0200", 1))
        yield* commit
        const codes = a.heard().map(({ fields }) => fields[39])

        expect([codes, types(c.heard())]).toEqual(a === gone.a ? [["92"], []] : [["00"], ["0420"]])
      }
    })
  )
})

describe("What is about something that went under another STAN than it would now", () => {
  for (const [before, after] of [
    ["callers", "own"],
    ["own", "callers"]
  ] as const)
    it.effect(`names it as its target knows it: ${before} before a reload, ${after} behind it`, () =>
      Effect.gen(function* () {
        const { a, b, commit, dial, reload } = yield* bench(issuer(before), other(after))
        a.say(purchase({ 11: "000007" }))
        yield* commit
        const [request] = b.heard()
        b.say(answerTo(request!, "0210"))
        yield* commit
        const links = [acquirer, issuer(after), other(after)]
        yield* reload({ links, routes: [{ bin: "62", to: 1 }] })
        const again = dial(1)
        yield* commit
        a.say(reversalOf("0200", 7))
        yield* commit
        const [back] = again.heard()

        expect(String(back?.fields[90]).slice(4, 10)).toBe(request!.fields[11])
        expect(back?.fields[11] === "000900").toBe(after === "callers")
      })
    )
})
