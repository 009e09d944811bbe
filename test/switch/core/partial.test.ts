/** Reversals that take back a part: in 1987 DE 95 says what remains, in 1993 and 2003 DE 30 what there was. */
import { describe, expect, it } from "@effect/vitest"
import { compile, cups, type Dialect, derive, iso8583v1993Ascii, iso8583v2003, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { money } from "../../simulator/scripted/Bench.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { totalsOf } from "./DayTotals.ts"
import { bench, codes, issuer, types } from "./Pair.ts"

const about = `02000000011122223829${"00048020000".repeat(2)}`

/** The reversal of a purchase of 12300 of which this much remains; "": all is taken back. */
const reversal = (remains: number | "", fields: Message["fields"] = {}, mti = "0420") => {
  const replacement = remains === "" ? {} : { 95: String(remains).padStart(12, "0").padEnd(42, "0") }
  return purchase({ 11: "000900", 90: about, ...replacement, ...fields }, mti)
}

const remains = (messages: ReadonlyArray<Message>) =>
  messages.map(({ fields }) => Number(String(fields[95] ?? "").slice(0, 12)))

/** A purchase that was approved. */
const approved = (disk = makeDisk(), links: Parameters<typeof bench>[0] = {}) =>
  Effect.gen(function* () {
    const started = yield* bench(links, disk)
    const { a, b, commit } = started
    a.say(purchase())
    yield* commit
    b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
    yield* commit
    a.heard()
    return started
  })

const acknowledge = (b: Effect.Success<ReturnType<typeof bench>>["b"], code = "00") => {
  const heard = b.heard()
  b.say(...heard.map((seen) => answerTo(seen, "0430", { 39: code })))
  return heard
}

describe("A reversal of a part", () => {
  for (const mti of ["0420", "0421"])
    it.effect(`with the key of another one, and another part, is another message (${mti})`, () =>
      Effect.gen(function* () {
        const { a, b, commit } = yield* approved()
        a.say(reversal(6000))
        yield* commit
        a.say(reversal(4000, {}, mti), reversal(6000, {}, "0421"), reversal("", {}, mti))
        yield* commit

        expect(codes(a.heard())).toEqual(["00", "30", "00", "30"])
        expect(remains(b.heard())).toEqual([6000])
      })
    )

  it.effect("with a key of its own goes out behind the one before, also after a restart", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit } = yield* approved(disk)
          a.say(reversal(6000), reversal(4000, { 11: "000901" }))
          yield* commit

          expect(codes(a.heard())).toEqual(["00", "00"])
          expect(remains(b.heard())).toEqual([6000])
        })
      )
      const { b, commit } = yield* bench({}, disk)
      yield* commit
      const first = acknowledge(b)
      yield* commit

      expect([...first, ...b.heard()].map(({ fields, mti }) => [mti, Number(String(fields[95]).slice(0, 12))])).toEqual(
        [
          ["0421", 6000],
          ["0420", 4000]
        ]
      )
    })
  )

  for (const stan of ["callers", "own"] as const)
    it.effect(`leaves the rest standing: a repeat of the purchase is answered as before (STANs ${stan})`, () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const links = { issuer: { ...issuer, stan } }
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit } = yield* approved(disk, links)
            a.say(reversal(6000))
            yield* commit
            acknowledge(b)
            yield* commit
            a.heard()
            a.say(purchase({}, "0201"))
            yield* commit

            expect(codes(a.heard())).toEqual(["00"])
          })
        )
        const { a, commit } = yield* bench(links, disk)
        a.say(purchase({}, "0201"))
        yield* commit

        expect(codes(a.heard())).toEqual(["00"])
      })
    )

  it.effect("leaves it standing, too, when it comes before its answer", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* bench()
      a.say(purchase(), reversal(6000))
      yield* commit
      b.say(...b.heard().map((seen) => answerTo(seen, "0210")))
      yield* commit
      a.heard()
      yield* TestClock.adjust(40)
      a.say(purchase({}, "0201"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect("that was done does not let 'no such request' end the reversal of the rest", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* approved()
      a.say(reversal(6000))
      yield* commit
      acknowledge(b)
      yield* commit
      a.say(reversal("", { 11: "000901" }))
      yield* commit
      acknowledge(b, "25")
      yield* commit
      yield* TestClock.adjust(1100)
      yield* commit

      expect(types(b.heard())).toEqual(["0421"])
    })
  )

  it.effect("that says no amount, or more than there was, is refused", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* approved()
      a.say(reversal("", { 95: "A".repeat(42) }), reversal(12301, { 11: "000901" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["30", "30"])
      expect(b.heard()).toEqual([])
    })
  )

  it.effect("of which all remains nothing is all of it", () =>
    Effect.gen(function* () {
      const { a, b, commit } = yield* approved()
      a.say(reversal(0))
      yield* commit
      acknowledge(b)
      yield* commit
      a.say(purchase({}, "0201"))
      yield* commit

      expect(codes(a.heard())).toEqual(["00", "98"])
    })
  )

  it.effect("is never sent as one of all, to a partner whose dialect has no field for the part", () =>
    Effect.gen(function* () {
      const { 95: _, ...fields } = cups.fields
      const words: Dialect = { ...derive(cups, { name: "noParts" }), fields }
      const { a, b, commit } = yield* approved(makeDisk(), {
        issuer: linkOf("issuer", 103, words)
      })
      a.say(reversal(6000), reversal("", { 11: "000901" }))
      yield* commit

      expect(codes(a.heard())).toEqual(["30", "00"])
      expect(types(b.heard())).toEqual(["0420"])
    })
  )

  it.effect("takes its part out of the totals, each one only what was left", () =>
    Effect.gen(function* () {
      const { a, b, commit, links, store } = yield* approved()
      const reversed = Effect.gen(function* () {
        acknowledge(b)
        yield* commit
        const { rows } = yield* totalsOf(store.entries, links)
        return rows.find(({ side }) => side === "to")!
      })
      const sums: Array<unknown> = []
      for (const [at, left] of ([6000, 4000, "", ""] as const).entries()) {
        a.say(reversal(left, { 11: `00090${at}` }))
        yield* commit
        sums.push((yield* reversed).reversed)
      }

      expect(sums).toEqual([
        { count: 1, amount: 6300 },
        { count: 2, amount: 8300 },
        { count: 3, amount: 12_300 },
        { count: 3, amount: 12_300 }
      ])
      expect((yield* reversed).approved).toEqual({ count: 1, amount: 12_300 })
    })
  )

  it.effect("takes only its part out of the totals where its original is not in the journal", () =>
    Effect.gen(function* () {
      const { a, b, commit, links, store } = yield* bench()
      a.say(reversal(6000))
      yield* commit
      acknowledge(b)
      yield* commit
      const { rows } = yield* totalsOf(store.entries, links)

      expect(rows.find(({ side }) => side === "to")?.reversed).toEqual({ count: 1, amount: 6300 })
    })
  )
})

/** The editions in which DE 4 is what remains, with the original's type and what their amounts begin with. */
const editions: ReadonlyArray<readonly [string, Dialect, string]> = [
  ["1993", iso8583v1993Ascii, ""],
  ["2003", iso8583v2003, "1562"]
]

describe("A reversal of a part in", () => {
  for (const [edition, dialect, money4] of editions)
    it.effect(`${edition} has the original's amount in DE 30`, () =>
      Effect.gen(function* () {
        const first = edition === "1993" ? "1" : "2"
        const links: ReadonlyArray<LinkAll> = ["acquirer", "issuer"].map((name, at) => ({
          ...linkOf(name, 4802 + at, dialect),
          identity: "unchecked" as const
        }))
        const { commit, dial, store } = yield* startBench(links, makeDisk(), { routes: [{ bin: "62", to: 1 }] })
        const [a, b] = [dial(0), dial(1)]
        yield* commit
        const amount = (minor: number) => money4 + String(minor).padStart(12, "0")
        const asked = money(compile(dialect), { 4: "12300", 11: "1" })
        a.say(asked)
        yield* commit
        const [request] = b.heard()
        b.say(answerTo(request!, `${first}210`, { 39: edition === "1993" ? "000" : "0000" }))
        yield* commit
        a.heard()
        const codec = compile(dialect)
        const { fields } = request!
        const stan = String(fields[11])
        const original =
          edition === "1993"
            ? `1200${stan}${fields[12]}${String(String(fields[32]).length).padStart(2, "0")}${fields[32]}`
            : `2200${stan}${fields[12]}${fields[32]}`
        const part = (minor: number, more: Message["fields"] = {}): Message => ({
          ...asked,
          mti: `${first}420`,
          fields: {
            ...fields,
            4: amount(minor),
            11: stan.replace(/.$/, "9"),
            30: amount(12_300).padEnd(2 * amount(0).length, "0"),
            56: original,
            ...more
          }
        })
        expect(codec.dialect).toBe(dialect)
        a.say(part(6000), part(4000), part(12_300, { 11: stan.replace(/.$/, "8") }))
        yield* commit
        const heard = [...b.heard()]
        b.say(...heard.map((seen) => answerTo(seen, `${first}430`, { 39: edition === "1993" ? "400" : "0400" })))
        yield* commit
        const { rows } = yield* totalsOf(store.entries, links)
        const partial = rows.find(({ side }) => side === "to")?.reversed
        const [whole] = b.heard()
        b.say(answerTo(whole!, `${first}430`, { 39: edition === "1993" ? "400" : "0400" }))
        yield* commit
        const all = (yield* totalsOf(store.entries, links)).rows.find(({ side }) => side === "to")?.reversed
        const { approved, formatError } = {
          approved: edition === "1993" ? "000" : "0000",
          formatError: edition === "1993" ? "904" : "9100"
        }

        expect(codes(a.heard())).toEqual([approved, formatError, approved])
        expect(heard.map((seen) => seen.fields[4])).toEqual([amount(6000)])
        // With the original's amount as its own a reversal takes all back.
        expect([partial, all]).toEqual([
          { count: 1, amount: 6300 },
          { count: 2, amount: 12_300 }
        ])
      })
    )
})
