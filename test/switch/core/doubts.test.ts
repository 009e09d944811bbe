/** What is in doubt until a person ends it: given up, declined, or without a reversal; told, counted apart, kept at a restart. */
import { describe, expect, it } from "@effect/vitest"
import { cups } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { reportOf } from "../../../packages/switch/src/operate/control/Status.ts"
import { statusText } from "../../../packages/switch/src/operate/control/StatusText.ts"
import { ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { acquirer, bench, issuer } from "./Pair.ts"

type Started = Effect.Success<ReturnType<typeof bench>>

/** A purchase without an answer, and its reversal on the issuer's wire. */
const timedOut = (started: Started) =>
  Effect.gen(function* () {
    const { a, b, commit } = started
    a.say(purchase())
    yield* commit
    b.heard()
    yield* TestClock.adjust(1100)
    yield* commit
    return b.heard().find(({ mti }) => mti === "0420")!
  })

/** Answers the reversal, and lets every attempt that follows pass without an answer. */
const ended = (started: Started, code: string | undefined) =>
  Effect.gen(function* () {
    const reversal = yield* timedOut(started)
    if (code !== undefined) started.b.say(answerTo(reversal, "0430", { 39: code }))
    for (let step = 0; step < 12; step++) {
      yield* started.commit
      yield* TestClock.adjust(1100)
    }
    yield* started.commit
    return started
  })

const codes = ({ store }: Pick<Started, "store">, kind: keyof typeof EntryKind) =>
  store.entries.filter((entry) => entry.kind === EntryKind[kind]).map(({ code }) => code)

const ATTEMPTS = 3
const delivery = { ...issuer.delivery, attemptsMax: ATTEMPTS }

describe("a reversal", () => {
  for (const code of ["00", "25", "94"]) {
    it.effect(`that is answered ${code} ends it: nothing is in doubt`, () =>
      Effect.gen(function* () {
        const started = yield* ended(yield* bench({ issuer: { delivery } }), code)
        expect(codes(started, "acknowledged")).toEqual([code])
        expect(started.running.pending.list()).toMatchObject({ messages: [], inDoubt: 0 })
      })
    )
  }

  // 10: a part of it was done, and the rest remains.
  for (const code of ["57", "05", "12", "14", "51", "41", "Q7", "10"]) {
    it.effect(`that is answered ${code} is declined: it is in doubt, said, marked and counted apart`, () =>
      Effect.gen(function* () {
        const started = yield* ended(yield* bench({ issuer: { delivery } }), code)
        expect(codes(started, "declined")).toEqual([code])
        expect(codes(started, "acknowledged")).toEqual([])

        const { messages } = started.running.pending.list()
        expect(messages).toMatchObject([
          { state: "declined", code, mti: "0420", link: "issuer", about: expect.any(Number) }
        ])
        expect(started.running.status()).toMatchObject({
          inDoubt: 1,
          links: [{ inDoubt: { declined: 0 } }, { inDoubt: { abandoned: 0, declined: 1, unreversed: 0 } }]
        })
        expect(codes(started, "event").at(-1)).toMatch(
          new RegExp(`^0420 of exchange \\d+, reversal of exchange \\d+: declined with ${code}. It is in doubt until`)
        )
      })
    )
  }

  it.effect("that nobody answers is abandoned after its attempts, in doubt, and marked in the status", () =>
    Effect.gen(function* () {
      const { running } = yield* ended(yield* bench({ issuer: { delivery } }), undefined)
      expect(running.pending.list().messages).toMatchObject([{ state: "abandoned", code: "no answer" }])

      const clocks = { wallMs: 60_000, monotonicMs: 60_000 }
      const kernel = { view: { _tag: "absent", why: "a test" }, earlier: new Map() } as const
      const told = { alarms: [], success: () => undefined }
      const text = statusText(reportOf({ name: "t", pid: 1, startedAt: 0 }, running.status(), clocks, kernel, told))

      expect(text).toContain("! 1 in doubt until a person ends it: jinka pending list")
      expect(text).toContain("    ! in doubt until a person ends it: 1 abandoned: jinka pending list")
    })
  )

  it.effect("that cannot be made, where a dialect has none, leaves its request in doubt", () =>
    Effect.gen(function* () {
      const { reversal: _, ...withoutReversal } = cups
      const dialect = { ...withoutReversal, name: "no-reversals" }
      const target = linkOf("issuer", 103, dialect)
      const started = yield* startBench([acquirer, target])
      const a = started.dial(0)
      const b = started.dial(1)
      yield* started.commit
      a.say(purchase())
      yield* started.commit
      b.heard()
      yield* TestClock.adjust(1100)
      yield* started.commit

      expect(started.running.pending.list().messages).toMatchObject([
        { state: "unreversed", mti: "0200", stan: "000001", link: "issuer" }
      ])
    })
  )
})

describe("an advice of a partner", () => {
  it.effect("that the target declines is in doubt like a reversal; one that it has seen before is not", () =>
    Effect.gen(function* () {
      for (const [code, state] of [
        ["57", "declined"],
        ["94", undefined]
      ] as const) {
        const { a, b, commit, running } = yield* bench({ issuer: { delivery } })
        a.say(purchase({ 3: "200000" }, "0220"))
        yield* commit
        b.say(answerTo(b.heard()[0]!, "0230", { 39: code }))
        yield* commit
        expect(running.pending.list().messages.map((one) => one.state)).toEqual(state === undefined ? [] : [state])
      }
    })
  )
})

describe("what is in doubt", () => {
  it.effect("ends by a person, with user and reason in the journal, and only once", () =>
    Effect.gen(function* () {
      const started = yield* ended(yield* bench({ issuer: { delivery } }), "57")
      const { pending } = started.running
      const [one] = pending.list().messages
      const closed = yield* pending.close(one!.exchange, "ann", "issuer has reversed by hand")
      yield* started.commit

      expect(closed).toEqual(one)
      expect(codes(started, "closed")).toEqual(["ann: issuer has reversed by hand"])
      expect(started.running.status().inDoubt).toBe(0)

      const again = yield* Effect.flip(pending.close(one!.exchange, "ann", "again"))
      expect(again).toMatchObject({ reason: "NotNow" })
    })
  )

  it.effect("cannot be ended while it is still being delivered", () =>
    Effect.gen(function* () {
      const started = yield* bench({ issuer: { delivery } })
      yield* timedOut(started)
      const [one] = started.running.pending.list().messages

      expect(one).toMatchObject({ state: "under way", mti: "0420" })

      const refused = yield* Effect.flip(started.running.pending.close(one!.exchange, "ann", "why"))
      expect(refused.says).toContain("still being delivered")
    })
  )

  it.effect("is still in doubt after a restart, and not when a person has ended it", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const started = yield* ended(yield* bench({ issuer: { delivery } }, disk), "57")
          return started.running.pending.list().messages
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { running, commit } = yield* bench({ issuer: { delivery } }, disk)
          expect(running.pending.list().messages).toEqual(before.map((one) => ({ ...one, at: expect.any(Number) })))
          yield* running.pending.close(before[0]!.exchange, "ann", "done")
          yield* commit
        })
      )

      const last = yield* bench({ issuer: { delivery } }, disk)

      expect(last.running.pending.list()).toMatchObject({ messages: [], inDoubt: 0 })
    })
  )

  it.effect("that no dialect on the way has leaves money in doubt, and no inquiry", () =>
    Effect.gen(function* () {
      const { reversal: _, ...withoutReversal } = cups
      const dialect = { ...withoutReversal, name: "no-reversals" }
      const started = yield* startBench([linkOf("acquirer", 4802, dialect), linkOf("issuer", 103, dialect)])
      const a = started.dial(0)
      started.dial(1)
      yield* started.commit
      a.say(
        purchase(),
        purchase({ 11: "000002", 3: "310000" }),
        purchase({ 11: "000003", 3: "030000" }, "0100"),
        purchase({ 11: "000004" }, "0201")
      )
      yield* started.commit
      yield* TestClock.adjust(1100)
      yield* started.commit

      const { messages } = started.running.pending.list()
      expect(messages.map(({ state, stan }) => [state, stan]).sort()).toEqual([
        ["unreversed", "000001"],
        ["unreversed", "000003"],
        ["unreversed", "000004"]
      ])
    })
  )

  it.effect(
    "is also money of a kind for which the network has no reversal: a transfer, and what does not say what it is",
    () =>
      Effect.gen(function* () {
        const started = yield* startBench([linkOf("acquirer", 4802), linkOf("issuer", 103)])
        const a = started.dial(0)
        const b = started.dial(1)
        yield* started.commit
        const { 3: _, ...silent } = purchase({ 11: "000002" }).fields
        a.say(purchase({ 3: "400000" }), purchase({ 11: "000003", 3: "300000" }), { ...purchase(), fields: silent })
        a.say(purchase({ 11: "000004", 3: "210000" }))
        yield* started.commit
        // Approved, and nobody hears of it.
        b.say(
          ...b
            .heard()
            .filter(({ fields }) => fields[3] === "210000")
            .map((seen) => answerTo(seen, "0210"))
        )
        a.takes = false
        yield* started.commit
        a.end(new ConnectionEnded({ how: "reset", cause: "ECONNRESET" }))
        yield* started.commit
        yield* TestClock.adjust(1100)
        yield* started.commit

        const { messages } = started.running.pending.list()
        expect(messages.map(({ state, stan }) => [state, stan]).sort()).toEqual([
          ["unreversed", "000001"],
          ["unreversed", "000002"],
          ["unreversed", "000004"]
        ])
        expect(b.heard()).toEqual([])
      })
  )
})
