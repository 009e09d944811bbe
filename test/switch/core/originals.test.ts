/** Messages about a transaction of another partner, whose key and names say nothing of that. */
import { describe, expect, it } from "@effect/vitest"
import { cups, type Dialect, derive, type Message } from "@jinka/codec"
import { Effect } from "effect"
import { answerTo, type LinkAll, linkOf, makeDisk, purchase, startBench } from "./Bench.ts"
import { codes, types } from "./Pair.ts"

/** A network in which terminals tell transactions apart, and no institution does. */
const byTerminal: Dialect = derive(cups, {
  name: "by terminal",
  match: { transaction: [7, 11, 41] },
  reversal: {
    renews: [7, 11],
    originalData: {
      field: 90,
      parts: [
        { de: 0, digits: 4 },
        { de: 11, digits: 6 },
        { de: 7, digits: 10 }
      ]
    }
  },
  fields: { 90: { format: "n20" } }
})

/** The same network in other words. */
const otherWords: Dialect = derive(byTerminal, { name: "by terminal, longer" })

const institutions = ["48020000", "48030000"] as const

/** A message of bank 0 or 1 about terminal T0000001. */
const of = (bank: number, fields: Message["fields"] = {}, mti = "0200"): Message => ({
  ...purchase({ 32: institutions[bank]!, 33: institutions[bank]!, ...fields }, mti),
  header: { destination: "00010000", source: institutions[bank]! }
})

const about = (bank: number, stan = "000001", mti = "0420"): Message =>
  of(bank, { 7: "1122224000", 11: "000077", 90: `0200${stan}1122223829` }, mti)

interface Change {
  readonly dialect?: Dialect
  readonly issuer?: Partial<LinkAll>
  readonly bank?: Partial<LinkAll>
  readonly second?: Partial<LinkAll>
  readonly groups?: NonNullable<Parameters<typeof startBench>[2]>["groups"]
}

/** Bank 0, an issuer, bank 1, and a second link of bank 1. */
const bench = ({ dialect = byTerminal, ...change }: Change = {}, disk = makeDisk()) =>
  Effect.gen(function* () {
    const links = [
      { ...linkOf("bank-0", 4802, dialect), ...change.bank },
      { ...linkOf("issuer", 103, byTerminal), ...change.issuer },
      linkOf("bank-1", 4803, dialect),
      { ...linkOf("bank-1-b", 4804, dialect), institution: institutions[1], ...change.second }
    ]
    const groups = change.groups === undefined ? {} : { groups: change.groups }
    const started = yield* startBench(links, disk, groups)
    const [a, issuer, b, second] = [started.dial(0), started.dial(1), started.dial(2), started.dial(3)]
    yield* started.commit
    return { ...started, a, issuer, b, second }
  })

const languages: ReadonlyArray<readonly [string, Change]> = [
  ["in the issuer's own words", {}],
  ["in other words", { dialect: otherWords }]
]

describe.each(languages)("a message about another partner's transaction, %s", (_, change) => {
  it.effect("is refused while the original is open, when it was answered, and after a restart", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { a, b, commit, issuer, running } = yield* bench(change, disk)
          b.say(of(1))
          yield* commit
          const [asked] = issuer.heard()
          for (const mti of ["0420", "0220", "0200"]) a.say(about(0, "000001", mti))
          yield* commit
          expect(codes(a.heard())).toEqual(["63", "63", "63"])
          issuer.say(answerTo(asked!, "0210"))
          yield* commit
          expect(codes(b.heard())).toEqual(["00"])
          for (const mti of ["0420", "0220", "0200"]) a.say(about(0, "000001", mti))
          yield* commit
          expect(codes(a.heard())).toEqual(["63", "63", "63"])
          expect(issuer.heard()).toEqual([])
          expect(running.status().links[0]).toMatchObject({
            lies: { count: 6, why: "a 0200 of the partner is about a transaction of another partner: refused" }
          })
        })
      )
      const { a, b, commit, issuer } = yield* bench(change, disk)
      a.say(about(0))
      yield* commit

      expect(codes(a.heard())).toEqual(["63"])

      b.say(about(1))
      yield* commit
      expect(codes(b.heard())).toEqual(["00"])
      expect(types(issuer.heard())).toEqual(["0420"])
    })
  )

  it.effect(
    "is refused when the original is an advice: while it waits, when it was delivered, and after a restart",
    () =>
      Effect.gen(function* () {
        const disk = makeDisk()
        const aboutAdvice = (bank: number, mti: string) => {
          const { fields, ...message } = about(bank, "000001", mti)
          return { ...message, fields: { ...fields, 90: "02200000011122223829" } }
        }
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit, issuer } = yield* bench(change, disk)
            b.say(of(1, {}, "0220"))
            yield* commit
            const [asked] = issuer.heard()
            expect(codes(b.heard())).toEqual(["00"])
            for (const mti of ["0420", "0220", "0200"]) a.say(aboutAdvice(0, mti))
            yield* commit
            issuer.say(answerTo(asked!, "0230"))
            yield* commit
            // Whatever it says that the original was.
            a.say(about(0))
            for (const mti of ["0420", "0220", "0200"]) a.say(aboutAdvice(0, mti))
            yield* commit
            expect(codes(a.heard())).toEqual(new Array(7).fill("63"))
            expect(issuer.heard()).toEqual([])
          })
        )
        const { a, b, commit, issuer } = yield* bench(change, disk)
        a.say(aboutAdvice(0, "0420"))
        yield* commit

        expect(codes(a.heard())).toEqual(["63"])

        b.say(aboutAdvice(1, "0420"))
        yield* commit
        expect(codes(b.heard())).toEqual(["00"])
        expect(types(issuer.heard())).toEqual(["0420"])
      })
  )

  it.effect("is refused although the partner has pushed the original out of what is known of its target", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuer } = yield* bench(change)
      b.say(of(1))
      yield* commit
      issuer.say(answerTo(issuer.heard()[0]!, "0210"))
      yield* commit
      for (let stan = 100; stan < 9000; stan += 100) {
        a.say(...Array.from({ length: 100 }, (_, n) => of(0, { 11: String(stan + n).padStart(6, "0") })))
        yield* commit
        issuer.say(...issuer.heard().map((asked) => answerTo(asked, "0210")))
        yield* commit
        a.heard()
      }
      a.say(about(0))
      yield* commit

      expect(codes(a.heard())).toEqual(["63"])
      expect(issuer.heard()).toEqual([])
    })
  )

  it.effect("is taken from the partner itself, on whichever of its links, and where nobody knows the original", () =>
    Effect.gen(function* () {
      const members = [
        { link: 2, name: "bank-1", weight: 1 },
        { link: 3, name: "bank-1-b", weight: 1 }
      ]
      const group = { name: "bank", members, use: "round-robin", by: [], failbackMs: 0, fallTogether: false } as const
      for (const groups of [undefined, [group]]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { a, b, commit, issuer, second } = yield* bench(groups === undefined ? change : { ...change, groups })
            b.say(of(1))
            yield* commit
            issuer.say(answerTo(issuer.heard()[0]!, "0210"))
            yield* commit
            second.say(about(1))
            const unknown = about(0, "000009")
            a.say({ ...unknown, fields: { ...unknown.fields, 11: "000078" } })
            yield* commit
            expect(codes(second.heard())).toEqual(["00"])
            expect(codes(a.heard())).toEqual(["00"])
            expect(types(issuer.heard())).toEqual(["0420", "0420"])
          })
        )
      }
    })
  )
})

describe("a partner whose names are not looked at", () => {
  it.effect("reverses nobody else's transaction: a centre may name anybody", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuer } = yield* bench({ bank: { speaksFor: "any" } })
      b.say(of(1))
      yield* commit
      issuer.say(answerTo(issuer.heard()[0]!, "0210"))
      yield* commit
      a.say({ ...about(1), header: { destination: "00010000", source: institutions[0] } })
      yield* commit

      expect(codes(a.heard())).toEqual(["63"])
      expect(issuer.heard()).toEqual([])
    })
  )

  it.effect("is believed in everything where the file says that its identity is unchecked", () =>
    Effect.gen(function* () {
      const { a, b, commit, issuer } = yield* bench({ bank: { identity: "unchecked" } })
      b.say(of(1))
      yield* commit
      issuer.say(answerTo(issuer.heard()[0]!, "0210"))
      yield* commit
      a.say(about(1))
      yield* commit

      expect(codes(a.heard())).toEqual(["00"])
      expect(types(issuer.heard())).toEqual(["0420"])
    })
  )
})

describe("a target that knows messages by STANs of ours", () => {
  it.effect(
    "hears of a void, a reversal and an advice by the STAN that their original had there, and of no other's",
    () =>
      Effect.gen(function* () {
        const { a, b, commit, issuer } = yield* bench({ issuer: { stan: "own" } })
        b.say(of(1))
        yield* commit
        const [asked] = issuer.heard()
        issuer.say(answerTo(asked!, "0210"))
        yield* commit
        b.heard()
        for (const mti of ["0200", "0420", "0220"]) b.say(about(1, "000001", mti))
        yield* commit
        const sent = issuer.heard()

        expect(types(sent).toSorted()).toEqual(["0200", "0420"])

        issuer.say(...sent.filter(({ mti }) => mti === "0420").map((one) => answerTo(one, "0430")))
        yield* commit
        const all = [...sent, ...issuer.heard()]

        expect(types(all).toSorted()).toEqual(["0200", "0220", "0420"])
        for (const { fields } of all) expect(fields[90]).toBe(`0200${asked!.fields[11]}1122223829`)

        // The caller's STAN, and the one that another's request has there: neither leads to it. A reversal of what the partner
        // never sent has nothing to undo, and is acknowledged.
        for (const stan of ["000001", String(asked!.fields[11])]) {
          for (const mti of ["0200", "0420", "0220"]) a.say(about(0, stan, mti))
        }
        yield* commit
        expect(codes(a.heard()).toSorted()).toEqual(["00", "00", "30", "30", "30", "30"])
        expect(issuer.heard()).toEqual([])
      })
  )

  it.effect("hears of a reversal without original data by the STAN of what it takes back", () =>
    Effect.gen(function* () {
      const plain = derive(byTerminal, { name: "without original data", reversal: null })
      const { a, b, commit, issuer } = yield* bench({
        dialect: plain,
        issuer: { ...linkOf("issuer", 103, plain), stan: "own" }
      })
      b.say(of(1))
      yield* commit
      const [asked] = issuer.heard()
      issuer.say(answerTo(asked!, "0210"))
      yield* commit
      b.say(of(1, {}, "0400"))
      a.say(of(0, {}, "0400"))
      yield* commit

      expect(issuer.heard().map(({ mti, fields }) => [mti, fields[11]])).toEqual([["0400", asked!.fields[11]]])
      // The partner has sent no such request: its reversal has nothing to undo.
      expect(a.heard().map(({ mti, fields }) => [mti, fields[39]])).toEqual([["0410", "00"]])
    })
  )
})
