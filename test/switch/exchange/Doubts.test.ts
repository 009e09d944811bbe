import { describe, expect, it } from "vitest"
import { Doubts, doubtOf, doubtText, type InDoubt } from "../../../packages/switch/src/exchange/delivery/Doubts.ts"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../../packages/switch/src/journal/EntryKind.ts"

const one = (exchange: number, more: Partial<InDoubt> = {}): InDoubt => ({
  exchange,
  about: 3,
  end: "abandoned",
  code: "no answer",
  link: "issuer",
  mti: 420,
  stan: "000123",
  at: 1_764_201_600_000,
  ...more
})

const entry = (seq: number, kind: Entry["kind"], exchange: number, code: string): Entry => ({
  seq,
  kind,
  exchange,
  code,
  about: 3,
  at: 0,
  link: 1,
  epoch: 0,
  message: Buffer.alloc(0),
  secret: Buffer.alloc(0),
  secretLength: 0
})

describe("Doubts", () => {
  it("say themselves again in an entry that a start reads back", () => {
    for (const said of [one(7), one(8, { stan: "", end: "unreversed", mti: 0, code: "there is no reversal for it" })]) {
      expect(doubtOf(entry(900, EntryKind.inDoubt, said.exchange, doubtText(said)), "issuer")).toEqual(said)
    }
    expect(doubtOf(entry(900, EntryKind.inDoubt, 7, "nonsense"), "issuer")).toBeUndefined()
  })

  it("hold a start back to where the oldest is told, and no further once it was said again", () => {
    const doubts = new Doubts()
    expect(doubts.floor).toBe(Number.POSITIVE_INFINITY)

    for (const exchange of [10, 20, 30_000]) doubts.add(one(exchange))
    expect(doubts.floor).toBe(10)

    const said: Array<number> = []
    doubts.sayAgain(40_000, ({ exchange }) => 40_000 + said.push(exchange))
    expect(said).toEqual([10, 20])
    expect(doubts.floor).toBe(30_000)

    doubts.sayAgain(40_010, () => Number.NaN)
    expect(doubts.floor).toBe(30_000)
  })

  it("are said again a hundred at a time", () => {
    const doubts = new Doubts()
    for (let exchange = 1; exchange <= 250; exchange++) doubts.add(one(exchange))
    const said: Array<number> = []
    for (let turn = 0; turn < 3; turn++) doubts.sayAgain(100_000, ({ exchange }) => 100_000 + said.push(exchange))

    expect(said).toHaveLength(250)
    expect(doubts.floor).toBeGreaterThan(100_000)
  })

  it("are counted as they come and go, by link and end, also one that is said again or changes", () => {
    const doubts = new Doubts()
    for (const exchange of [1, 2, 3]) doubts.add(one(exchange))
    doubts.add(one(3, { end: "declined" }), 900)
    doubts.add(one(4, { link: "other", end: "unreversed" }))
    expect(doubts.size).toBe(4)
    expect(doubts.counts("issuer")).toEqual({ abandoned: 2, declined: 1, unreversed: 0 })
    expect(doubts.counts("other")).toEqual({ abandoned: 0, declined: 0, unreversed: 1 })

    expect([doubts.close(3), doubts.close(3), doubts.close(4)]).toEqual([true, false, true])
    expect(doubts.size).toBe(2)
    expect(doubts.counts("issuer")).toEqual({ abandoned: 2, declined: 0, unreversed: 0 })
    expect(doubts.counts("other")).toEqual({ abandoned: 0, declined: 0, unreversed: 0 })
  })

  it("cost a look at the switch nothing, however many there are", () => {
    const doubts = new Doubts()
    for (let exchange = 1; exchange <= 1000; exchange++) doubts.add(one(exchange))
    const known = (doubts as unknown as { known: Map<number, InDoubt> }).known
    known.values = () => {
      throw new Error("all of them were gone through")
    }

    expect([doubts.size, doubts.counts("issuer").abandoned, doubts.counts("other").abandoned]).toEqual([1000, 1000, 0])
  })

  it("are learned from the journal and end with the entry of a person", () => {
    const doubts = new Doubts()
    doubts.read(entry(50, EntryKind.inDoubt, 7, doubtText(one(7))), "issuer")
    doubts.read(entry(51, EntryKind.unreversed, 8, doubtText(one(8, { end: "unreversed" }))), "other")

    expect(doubts.counts("issuer")).toEqual({ abandoned: 1, declined: 0, unreversed: 0 })
    expect(doubts.floor).toBe(50)

    doubts.read(entry(52, EntryKind.closed, 7, "ann: done"), "issuer")
    expect(doubts.all.map(({ exchange }) => exchange)).toEqual([8])
  })
})
