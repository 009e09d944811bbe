/** Totals out of the journal, in editions that write amounts in another way. */
import { describe, expect, it } from "@effect/vitest"
import { compile, iso8583v2003 } from "@jinka/codec"
import { Effect } from "effect"
import { money } from "../../simulator/scripted/Bench.ts"
import { answerTo, linkOf, makeDisk, startBench } from "./Bench.ts"
import { totalsOf } from "./DayTotals.ts"

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
})
