/** A second connection of the same partner: one owner, and the rule that was stated; test plan row 14. In virtual time. */

import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { answerTo, type LinkAll, linkOf, settle, startBench } from "./Bench.ts"

const links = (second: "refuse" | "replace" | "challenge", probe = true): ReadonlyArray<LinkAll> => {
  const acquirer = linkOf("acquirer", 4802)
  return [
    {
      ...acquirer,
      side: { _tag: "listen", at: { host: "bench", port: 4802 }, from: [], second, challengeMs: 5000 },
      watchdog: { intervalMs: 3_600_000, probe, proofs: 0 }
    },
    linkOf("issuer", 4803)
  ]
}

/** A first and a second connection of the acquirer. */
const two = Effect.fnUntraced(function* (second: "refuse" | "replace" | "challenge") {
  const bench = yield* startBench(links(second))
  const first = bench.dial(0)
  yield* settle
  const other = bench.dial(0)
  yield* settle
  return { bench, first, other }
})

describe("A second connection of a partner", () => {
  it.effect("is closed at once where the rule is refuse", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("refuse")

      expect([first.isOpen, other.isOpen]).toEqual([true, false])
      expect(bench.running.links[0]!.epoch).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.effect("takes the place of the first where the rule is replace", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("replace")

      expect([first.isOpen, other.isOpen]).toEqual([false, true])
      expect(bench.running.links[0]!.epoch).toBe(2)
      expect(bench.running.links[0]!.status().ends[0]?.reason).toBe("Replaced")
    }).pipe(Effect.scoped)
  )

  it.effect("waits while the first is asked for a sign of life, and is closed when one comes", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("challenge")
      const asked = first.heard()
      const waiting = [first.isOpen, other.isOpen]
      yield* TestClock.adjust(4000)
      first.say(answerTo(asked[0]!, "0830"))
      yield* settle

      expect(asked.map(({ mti, fields }) => [mti, fields[70]])).toEqual([["0820", "301"]])
      expect(waiting).toEqual([true, true])
      expect([first.isOpen, other.isOpen]).toEqual([true, false])

      yield* TestClock.adjust(10_000)
      expect(first.isOpen).toBe(true)
      expect(bench.running.links[0]!.epoch).toBe(1)
    }).pipe(Effect.scoped)
  )

  it.effect("takes the place of a first one that gives no sign of life in time, and not a moment before", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("challenge")
      yield* TestClock.adjust(4990)
      const before = [first.isOpen, other.isOpen]
      yield* TestClock.adjust(20)
      yield* settle

      expect(before).toEqual([true, true])
      expect([first.isOpen, other.isOpen]).toEqual([false, true])
      expect(bench.running.links[0]!.epoch).toBe(2)
    }).pipe(Effect.scoped)
  )

  it.effect("takes over at once when the first ends while it is being asked", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("challenge")
      first.close()
      yield* settle

      expect(other.isOpen).toBe(true)
      expect(bench.running.links[0]!.epoch).toBe(2)
    }).pipe(Effect.scoped)
  )

  it.effect("is closed with the first when the link is drained meanwhile: nobody would read it", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("challenge")
      const drained = yield* Effect.forkChild(bench.running.operations.act("acquirer", "drain", { user: "ann" }, 100))
      yield* TestClock.adjust(6000)
      yield* settle

      expect([first.isOpen, other.isOpen]).toEqual([false, false])
      expect(drained.pollUnsafe()).toMatchObject({ _tag: "Success" })
    }).pipe(Effect.scoped)
  )

  it.effect("keeps a third from coming in: one challenge at a time", () =>
    Effect.gen(function* () {
      const { bench, first, other } = yield* two("challenge")
      const third = bench.dial(0)
      yield* settle

      expect([first.isOpen, other.isOpen, third.isOpen]).toEqual([true, true, false])
      expect(first.heard()).toHaveLength(1)
    }).pipe(Effect.scoped)
  )
})
