/** Store-and-forward whose messages are in the journal and not in memory: what a partner sees must be the same. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { usualLink } from "../LinkSettings.ts"
import { damaged, diskReading, type Reads } from "./BadReads.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench, type Wire } from "./Bench.ts"

const acquirer = linkOf("acquirer", 4802)
const issuer = { ...linkOf("issuer", 103), delivery: { ...usualLink.delivery, retryMs: 1000, window: 3 } }
const limits = (storedWhole: number) => ({
  limits: { requestTimeoutMs: 1000, recentKeys: 1024, unwrittenRefuse: 1 << 20, unwrittenStop: 1 << 21, storedWhole }
})
const stan = (n: number) => String(n).padStart(6, "0")
const advices = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => purchase({ 11: stan(from + n), 60: `advice ${from + n}` }, "0220"))

/** Answers all that comes until nothing comes any more; gives what came. */
const acknowledged = Effect.fnUntraced(function* (wire: Wire, commit: Effect.Effect<void>) {
  const came: Array<string> = []
  for (;;) {
    const heard = wire.heard()
    if (heard.length === 0) return came
    for (const message of heard) came.push(`${message.mti} ${message.fields[11]} ${message.fields[60]}`)
    wire.say(...heard.map((message) => answerTo(message, "0230")))
    yield* commit
  }
})

describe("messages that wait in the journal", () => {
  it.effect("leave in their order and as they came, however few of them are in memory", () =>
    Effect.gen(function* () {
      for (const whole of [1, 2, 8, 1024]) {
        const { commit, dial, running } = yield* startBench([acquirer, issuer], makeDisk(), limits(whole))
        const a = dial(0)
        yield* commit
        a.say(...advices(1, 60))
        yield* commit
        expect(a.heard().map(({ fields }) => fields[39])).toEqual(Array.from({ length: 60 }, () => "00"))
        expect(running.pending.list().messages.map((one) => one.stan)).toEqual(advices(1, 60).map((m) => m.fields[11]))
        const b = dial(1)
        yield* commit

        expect(yield* acknowledged(b, commit)).toEqual(
          Array.from({ length: 60 }, (_, n) => `0220 ${stan(n + 1)} advice ${n + 1}`)
        )
        expect(running.pending.list()).toEqual({ messages: [], inDoubt: 0, waiting: 0 })
      }
    })
  )

  it.effect("and cannot be read are an alarm, and go out once they can", () =>
    Effect.gen(function* () {
      const reads: Reads = {}
      const { commit, dial, store } = yield* startBench([acquirer, issuer], diskReading(reads), limits(2))
      const a = dial(0)
      yield* commit
      a.say(...advices(1, 12))
      yield* commit
      reads.answer = damaged
      const b = dial(1)
      yield* commit
      const before = yield* acknowledged(b, commit)
      yield* TestClock.adjust(1000)
      yield* commit
      const said = store.entries.filter(({ code }) => code.includes("cannot be read, and none leaves"))
      reads.answer = undefined
      yield* TestClock.adjust(40)
      yield* commit

      expect(said).toHaveLength(1)
      expect([...before, ...(yield* acknowledged(b, commit))]).toHaveLength(12)
    })
  )

  it.effect("go on behind a restart: each once, those that were under way as repeats, what is held stays", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const first = yield* Scope.make()
      const before = yield* Scope.provide(startBench([acquirer, issuer], disk, limits(2)), first)
      const a = before.dial(0)
      yield* before.commit
      a.say(...advices(1, 20))
      yield* before.commit
      const held = before.running.pending.list().messages[9]!
      yield* before.running.pending.hold(held.exchange, "anna", "the partner asked")
      yield* before.commit
      const b = before.dial(1)
      yield* before.commit
      const [one, two] = b.heard()
      b.say(answerTo(one!, "0230"), answerTo(two!, "0230"))
      yield* before.commit
      b.heard()
      yield* Scope.close(first, Exit.void)

      const after = yield* startBench([acquirer, issuer], disk, limits(2))
      expect(after.running.recovered.resumed).toBe(18)
      const again = after.dial(1)
      yield* after.commit
      const came = yield* acknowledged(again, after.commit)

      const theirs = [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]
      expect(came.map((text) => Number(text.slice(5, 11)))).toEqual(theirs)
      expect(came.filter((text) => text.startsWith("0221")).map((text) => Number(text.slice(5, 11)))).toEqual([3, 4, 5])
      expect(after.running.pending.list().messages).toMatchObject([{ exchange: held.exchange, state: "held" }])

      yield* after.running.pending.release(held.exchange, "anna", "agreed")
      yield* after.commit
      expect(yield* acknowledged(again, after.commit)).toEqual([`0220 ${stan(10)} advice 10`])
    })
  )

  it.effect("are repeated out of the journal, and given up after their attempts, each with its STAN", () =>
    Effect.gen(function* () {
      const delivery = { timeoutMs: 100, retryMs: 1000, attemptsMax: 2, window: 8 }
      const { commit, dial, running } = yield* startBench([acquirer, { ...issuer, delivery }], makeDisk(), limits(2))
      const a = dial(0)
      yield* commit
      a.say(...advices(1, 8))
      yield* commit
      const b = dial(1)
      yield* commit
      const tries: Array<string> = []
      for (let n = 0; n < 30; n++) {
        yield* TestClock.adjust(100)
        yield* commit
        tries.push(...b.heard().map(({ fields, mti }) => `${mti} ${fields[11]} ${fields[60]}`))
      }

      expect([...tries].sort()).toEqual([
        ...Array.from({ length: 8 }, (_, n) => `0220 ${stan(n + 1)} advice ${n + 1}`),
        ...Array.from({ length: 8 }, (_, n) => `0221 ${stan(n + 1)} advice ${n + 1}`)
      ])
      expect(
        running.pending
          .list()
          .messages.map((one) => `${one.state} ${one.stan}`)
          .sort()
      ).toEqual(Array.from({ length: 8 }, (_, n) => `abandoned ${stan(n + 1)}`))
    })
  )

  it.effect("let our own reversal go first, and another partner's advice in turn", () =>
    Effect.gen(function* () {
      const other = linkOf("other", 4803)
      const { commit, dial } = yield* startBench([acquirer, issuer, other], makeDisk(), limits(2))
      const a = dial(0)
      const c = dial(2)
      const b = dial(1)
      yield* commit
      // Its time ends without an answer.
      a.say(purchase({ 11: stan(900) }))
      yield* commit
      b.heard()
      b.end(new ConnectionEnded({ how: "fin", cause: "the partner has gone" }))
      yield* commit
      a.say(...advices(1, 30))
      yield* commit
      c.say(
        ...advices(500, 501).map((message) => ({
          ...message,
          header: { destination: "00010000", source: "48030000" },
          fields: { ...message.fields, 32: "48030000", 33: "48030000" }
        }))
      )
      yield* TestClock.adjust(1100)
      yield* commit
      const again = dial(1)
      yield* commit
      const came = (yield* acknowledged(again, commit)).map((text) => text.slice(0, 11))

      expect(came[0]).toMatch(/^042[01] /)
      expect(came.slice(1, 5)).toEqual([`0220 ${stan(1)}`, `0220 ${stan(500)}`, `0220 ${stan(2)}`, `0220 ${stan(501)}`])
      expect(came.length).toBe(33)
    })
  )
})
