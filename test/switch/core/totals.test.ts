/** Totals out of the journal, in editions that write amounts in another way. */
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v2003, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { money } from "../../simulator/scripted/Bench.ts"
import { answerTo, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { totalsOf } from "./DayTotals.ts"
import { bench } from "./Pair.ts"

describe("totals", () => {
  it.effect(
    "have amounts and currencies of the 2003 edition, which are in one data element, of partial approvals too",
    () =>
      Effect.gen(function* () {
        const links = ["acquirer", "issuer"].map((name, at) => ({
          ...linkOf(name, 4802 + at, iso8583v2003),
          identity: "unchecked" as const
        }))
        const { commit, dial, store } = yield* startBench(links, makeDisk(), { routes: [{ bin: "62", to: 1 }] })
        const [acquirer, issuer] = [dial(0), dial(1)]
        yield* commit
        const codec = compile(iso8583v2003)
        const inDollars = money(codec, { 11: "3" })
        acquirer.say(money(codec, { 4: "12300", 11: "1" }), money(codec, { 4: "40000", 11: "2" }), {
          ...inDollars,
          fields: { ...inDollars.fields, 4: "8402000000000700" }
        })
        yield* commit
        const [whole, part, other] = issuer.heard().map((request) => answerTo(request, "2210"))
        issuer.say(
          { ...whole!, fields: { ...whole!.fields, 39: "0000" } },
          { ...part!, fields: { ...part!.fields, 4: "1562000000010000", 39: "0002" } },
          { ...other!, fields: { ...other!.fields, 39: "0000" } }
        )
        yield* commit
        const { rows } = yield* totalsOf(store.entries, links)

        expect(rows.filter(({ side }) => side === "to").map(({ approved, currency }) => [currency, approved])).toEqual([
          ["156", { count: 2, amount: 22_300 }],
          ["840", { count: 1, amount: 700 }]
        ])
      })
  )

  it.effect("count once what both we and the acquirer have reversed, and nothing that was never done", () =>
    Effect.gen(function* () {
      const { a, b, commit, links, store } = yield* bench()
      const about = (n: number) => `020000000${n}1122223829${"00048020000".repeat(2)}`
      const reversal = (n: number, stan: string) => purchase({ 11: stan, 90: about(n) }, "0420")
      const answers = (answer: (seen: Message) => string) =>
        Effect.gen(function* () {
          const heard = b.heard()
          b.say(...heard.map((seen) => answerTo(seen, seen.mti === "0200" ? "0210" : "0430", { 39: answer(seen) })))
          yield* commit
          return heard
        })
      // 1 has no answer, 2 is approved, 3 is declined.
      a.say(purchase(), purchase({ 11: "000002" }), purchase({ 11: "000003" }))
      yield* commit
      const [, ...seen] = b.heard()
      b.say(...seen.map((one) => answerTo(one, "0210", { 39: one.fields[11] === "000003" ? "51" : "00" })))
      yield* commit
      yield* TestClock.adjust(1020)
      yield* commit
      yield* answers(() => "00")
      a.say(reversal(1, "000901"), reversal(2, "000902"), reversal(3, "000903"))
      yield* commit
      yield* answers(({ fields }) => (fields[11] === "000902" ? "00" : "25"))
      a.say(reversal(2, "000912"))
      yield* commit
      yield* answers(() => "25")
      const { rows } = yield* totalsOf(store.entries, links)
      const none = { count: 0, amount: 0 }
      const once = { count: 1, amount: 12_300 }

      expect(rows.filter(({ side }) => side === "to")).toMatchObject([
        { approved: once, reversed: once, declined: once, unknown: none, undone: once, open: none }
      ])
    })
  )
})
