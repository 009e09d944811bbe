/** What was given up and sent once more by a person has two ends in the journal: all who read it go by the last. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Journal } from "../../../packages/switch/src/journal/Journal.ts"
import { type SummaryLine, summarize } from "../../../packages/switch/src/operate/Summary.ts"
import { Dialects } from "../../../packages/switch/src/operate/trace/Dialects.ts"
import { answerTo, purchase } from "./Bench.ts"
import { totalsOf } from "./DayTotals.ts"
import { bench, issuer } from "./Pair.ts"

const none = { count: 0, amount: 0 }
const one = { count: 1, amount: 12_300 }

/** A reversal of ours and an advice of the partner that nobody answered, sent once more and answered `code`. */
const onceMore = (code: string) =>
  Effect.gen(function* () {
    const started = yield* bench({ issuer: { delivery: { ...issuer.delivery, attemptsMax: 1 } } })
    const { a, b, commit, links, running, store } = started
    a.say(purchase(), purchase({ 11: "000002", 39: "00" }, "0220"))
    const pass = Effect.gen(function* () {
      for (let step = 0; step < 14; step++) {
        yield* commit
        yield* TestClock.adjust(1100)
      }
      yield* commit
    })
    yield* pass
    b.heard()
    const { messages } = running.pending.list()
    expect(messages.map(({ state }) => state)).toEqual(["abandoned", "abandoned"])
    for (const { exchange } of messages) yield* running.pending.retry(exchange, "ann", "the issuer is back")
    yield* commit
    for (const sent of b.heard()) b.say(answerTo(sent, `${sent.mti.slice(0, 2)}30`, { 39: code }))
    yield* pass
    const lines: Array<SummaryLine> = []
    const read = Effect.flatMap(Journal, (journal) =>
      summarize(journal, new Dialects({}, links), (line) => lines.push(line) > 0, Effect.void)
    )
    const sums = yield* read.pipe(Effect.provide(Journal.layer.pipe(Layer.provide(store.copy().layer))))
    const { rows } = yield* totalsOf(store.entries, links)
    const deliveries = lines.filter(({ kind }) => kind === "delivery")
    return { running, deliveries, sums, rows: rows.filter(({ side }) => side === "to") }
  })

describe("What was given up and is sent once more", () => {
  it.effect("counts as done when the partner acknowledges it, in summary and totals as in the status", () =>
    Effect.gen(function* () {
      const { running, deliveries, sums, rows } = yield* onceMore("00")

      expect(running.pending.list()).toMatchObject({ inDoubt: 0 })
      expect(deliveries).toMatchObject([
        { end: "Acknowledged", code: "00", attempts: 2, inDoubt: false },
        { end: "Acknowledged", code: "00", attempts: 2, inDoubt: false }
      ])
      expect(sums).toMatchObject({ inDoubt: 0, reversed: 1, reversalAbandoned: 0 })
      expect(sums.ends).toMatchObject({ Acknowledged: 2, Abandoned: 0 })
      expect(rows).toMatchObject([
        { mti: "0200", unknown: none, undone: one },
        { mti: "0220", unknown: none, approved: one }
      ])
    })
  )

  it.effect("counts as declined when the partner declines it", () =>
    Effect.gen(function* () {
      const { running, deliveries, sums, rows } = yield* onceMore("57")

      expect(running.pending.list().messages.map(({ state }) => state)).toEqual(["declined", "declined"])
      expect(deliveries.map(({ end, inDoubt }) => [end, inDoubt])).toEqual([
        ["Declined", true],
        ["Declined", true]
      ])
      expect(sums).toMatchObject({ inDoubt: 2, reversalDeclined: 1, reversalAbandoned: 0 })
      expect(rows).toMatchObject([
        { mti: "0200", unknown: one, undone: none },
        { mti: "0220", unknown: none, declined: one }
      ])
    })
  )
})
