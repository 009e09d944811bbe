/** Partner A speaks for partner B: what the switch makes of it, and that B feels nothing. */
import { describe, expect, it } from "@effect/vitest"
import type { Message } from "@jinka/codec"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

const header = (source: string) => ({ destination: "00010000", source })

/** As bank B would say it. */
const ofB = (fields: Message["fields"] = {}, mti = "0200"): Message => ({
  ...purchase({ 32: "48030000", 33: "48030000", ...fields }, mti),
  header: header("48030000")
})

const original = (stan: string, bank: string): string => `0200${stan}1122223829${`000${bank}`.repeat(2)}`

/** B's reversal of its purchase 000001. */
const reversalOfB = (fields: Message["fields"] = {}): Message =>
  ofB({ 7: "1122223900", 11: "000077", 90: original("000001", "48030000"), ...fields }, "0420")

/** Bank A, an issuer, bank B. */
const bench = (change: Partial<LinkAll> = {}, disk = makeDisk()) =>
  Effect.gen(function* () {
    const links = [{ ...linkOf("bank-a", 4802), ...change }, linkOf("issuer", 103), linkOf("bank-b", 4803)]
    const started = yield* startBench(links, disk)
    const [a, issuer, b] = [started.dial(0), started.dial(1), started.dial(2)]
    yield* started.commit
    return { ...started, a, issuer, b }
  })

const lies = ({
  running
}: {
  readonly running: { readonly status: () => { readonly links: ReadonlyArray<object> } }
}) => running.status().links[0] as { readonly lies?: { readonly count: number; readonly why: string } }

describe("a partner that speaks for another", () => {
  it.effect("cannot reverse its purchase, wherever in the message it names it", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { a, b, commit, issuer } = started
      b.say(ofB())
      yield* commit
      issuer.say(answerTo(issuer.heard()[0]!, "0210"))
      yield* commit
      b.heard()

      const mine = { 32: "48020000", 33: "48020000" }
      a.say(
        reversalOfB(),
        { ...reversalOfB(), header: header("48020000") },
        { ...reversalOfB({ 33: "48020000" }), header: header("48020000") },
        { ...reversalOfB(mine), header: header("48020000") },
        { ...reversalOfB({ ...mine, 90: original("000001", "48020000") }), header: header("48030000") }
      )
      yield* commit

      expect(a.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual(Array(5).fill(["0430", "63"]))
      expect(issuer.heard()).toEqual([])
      expect(lies(started).lies).toMatchObject({ count: 5 })
      expect(lies(started).lies?.why).toBe("a 0420 of the partner names 48030000 as the source in its header: refused")
    })
  )

  it.effect("occupies none of its keys, not after a restart either, and delays no reversal of ours", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit, issuer } = yield* bench({}, disk)
          for (const mti of ["0200", "0220", "0420"]) a.say(ofB({ 11: "000005" }, mti))
          yield* commit
          expect(codes(a.heard())).toEqual(["63", "63", "63"])
          // B's own purchase, under the key that A has used, times out. A's lie about it comes before our reversal.
          b.say(ofB({ 11: "000005" }))
          yield* commit
          expect(types(issuer.heard())).toEqual(["0200"])
          a.say(reversalOfB({ 90: original("000005", "48030000") }))
          yield* commit
          yield* TestClock.adjust(1100)
          yield* commit
          expect(types(issuer.heard())).toEqual(["0420"])
          expect(codes(b.heard())).toEqual(["98"])
          for (let stan = 10; stan < 20; stan++) a.say(ofB({ 11: `0000${stan}` }))
          yield* commit
        })
      )
      const { b, commit, issuer } = yield* bench({}, disk)
      issuer.heard()
      for (let stan = 10; stan < 20; stan++) b.say(ofB({ 11: `0000${stan}` }))
      yield* commit

      expect(types(issuer.heard()).filter((mti) => mti === "0200").length).toBe(10)
      expect(codes(b.heard())).toEqual([])
    })
  )

  it.effect("signs nobody on, and proves nothing by its answers", () =>
    Effect.gen(function* () {
      const { a, commit, running } = yield* bench({ signOn: { send: false, expect: true, timeoutMs: 60_000 } })
      const signOn = (source: string, forwarder: string): Message => ({
        mti: "0820",
        header: header(source),
        fields: { 7: "1122223829", 11: "000009", 33: forwarder, 70: "001" }
      })
      a.say(signOn("48030000", "48030000"), signOn("48020000", "48030000"))
      yield* commit

      expect(a.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([
        ["0830", "63"],
        ["0830", "63"]
      ])
      expect(running.status().links[0]).toMatchObject({ state: "waiting for sign-on" })

      a.say(signOn("48020000", "48020000"))
      yield* commit
      expect(codes(a.heard())).toEqual(["00"])
      expect(running.status().links[0]).toMatchObject({ ready: true, lies: { count: 2 } })
    })
  )

  it.effect("answers no request: the request goes on waiting for its own", () =>
    Effect.gen(function* () {
      const { a, commit, issuer, store } = yield* bench()
      a.say(purchase())
      yield* commit
      const answer = answerTo(issuer.heard()[0]!, "0210")
      issuer.say({ ...answer, header: header("48030000") })
      yield* commit

      expect(a.heard()).toEqual([])

      const entry = store.entries.find(({ kind }) => kind === EntryKind.unmatched)
      expect(entry?.code).toBe("names 48030000 as the source in its header")

      issuer.say({ ...answer, header: header("1030000") })
      yield* commit
      expect(codes(a.heard())).toEqual(["00"])
    })
  )

  it.effect("is warned of in the journal, a flood of it not line by line, and counted to the last", () =>
    Effect.gen(function* () {
      const started = yield* bench()
      const { a, commit, store } = started
      for (let stan = 0; stan < 200; stan++) a.say(ofB({ 11: String(stan).padStart(6, "0") }))
      yield* commit

      expect(codes(a.heard())).toEqual(Array(200).fill("63"))

      const lines = store.entries.filter(
        ({ kind, code }) => kind === EntryKind.event && code.includes("names 48030000")
      )
      expect(lines.length).toBeGreaterThan(0)
      expect(lines.length).toBeLessThan(20)
      expect(store.entries.filter(({ kind, code }) => kind === EntryKind.refused && code === "63").length).toBe(200)
      expect(lies(started).lies).toMatchObject({ count: 200 })
    })
  )

  it.effect("is let through where it speaks for the other, or is unchecked", () =>
    Effect.gen(function* () {
      for (const change of [{ speaksFor: ["48030000"] }, { identity: "unchecked" as const }]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, commit, issuer } = yield* bench(change)
            a.say(ofB({ 11: "000021" }))
            yield* commit
            expect(types(issuer.heard())).toEqual(["0200"])
          })
        )
      }
    })
  )
})

describe("a header that names another destination than us", () => {
  it.effect("is taken and noted once, with both names; blanks, our own and an unchecked link's are not", () =>
    Effect.gen(function* () {
      const noted = (change: Partial<LinkAll>, destinations: ReadonlyArray<string>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const { a, commit, issuer, store } = yield* bench(change)
            for (const [n, destination] of destinations.entries())
              a.say({ ...purchase({ 11: `00003${n}` }), header: { destination, source: "48020000" } })
            yield* commit
            expect(types(issuer.heard())).toEqual(destinations.map(() => "0200"))
            const events = store.entries.filter(({ kind }) => kind === EntryKind.event)
            return events.map(({ code }) => code).filter((text) => text.includes("destination"))
          })
        )

      expect(yield* noted({}, ["00010000", "00010344", "", "01030000"])).toEqual([
        "a 0200 of the partner names 00010344 as the destination in its header, and we are 00010000: it was taken"
      ])
      expect(yield* noted({ identity: "unchecked" }, ["00010344"])).toEqual([])
    })
  )
})

describe("an answer", () => {
  it.effect("that approves more than was asked for in part, or echoes nothing, is none", () =>
    Effect.gen(function* () {
      const { a, commit, issuer } = yield* bench()
      a.say(purchase({ 4: "000000001000" }))
      yield* commit
      const [asked] = issuer.heard()
      const { header: turned, fields } = answerTo(asked!, "0210")
      const bare = { 7: fields[7]!, 11: fields[11]!, 32: fields[32]!, 33: fields[33]!, 39: "00" }
      issuer.say(
        answerTo(asked!, "0210", { 4: "000099999999", 39: "10" }),
        { mti: "0210", header: turned!, fields: bare },
        answerTo(asked!, "0210", { 4: "000000000999" })
      )
      yield* commit

      expect(a.heard()).toEqual([])

      issuer.say(answerTo(asked!, "0210", { 4: "000000000700", 39: "10" }))
      yield* commit
      expect(a.heard().map(({ fields }) => [fields[4], fields[39]])).toEqual([["000000000700", "10"]])
    })
  )
})
