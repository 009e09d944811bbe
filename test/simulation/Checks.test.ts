import { describe, expect, it } from "vitest"
import type { Entry } from "../../packages/switch/src/journal/Entry.ts"
import { EntryKind } from "../../packages/switch/src/journal/EntryKind.ts"
import { keyEntryText } from "../../packages/switch/src/journal/KeySlots.ts"
import {
  atMostOnce,
  coveredCards,
  markedRepeats,
  moneyAgrees,
  oneAnswer,
  rightAnswer,
  unheardTakenBack
} from "./check/Checks.ts"
import { commonDays, daysDurable } from "./check/DayChecks.ts"
import { History, type Purchase, type Receipt, type Written } from "./check/History.ts"
import { commonKeys, coveredEntries, durableBeforeVisible, Ends } from "./check/JournalChecks.ts"
import { frameOf, newMessage } from "./partner/Cups.ts"

const rrn = "000100000001"
const acquirers = new Set(["acquirer-1"])

const answer = (code: string, more = {}) => ({ at: 0, code, rrn: rrn, amount: 100, isLate: false, ...more })

const purchase = (more: Partial<Purchase> = {}): Purchase => ({
  ...{ acquirer: "acquirer-1", issuer: "issuer-1", key: "k1", rrn: rrn, amount: 100, startedAt: 0, sends: 1 },
  ...{ answers: [], outcome: "approved", reversal: undefined },
  ...more
})

const written = (more: Partial<Written> = {}): Written => ({
  ...{ at: 0, to: "issuer-1", connection: "c1", mti: "0200", key: "k1", originalKey: undefined, rrn: rrn, amount: 100 },
  ...{ code: undefined, durable: undefined, isLow: false },
  ...more
})

const receipt = (more: Partial<Receipt> = {}): Receipt => ({
  ...{ at: 0, issuer: "issuer-1", mti: "0200", key: "k1", originalKey: undefined, rrn: rrn, amount: 100 },
  ...more
})

const history = (parts: {
  purchases?: Array<Purchase>
  written?: Array<Written>
  receipts?: Array<Receipt>
}): History => {
  const made = new History()
  for (const each of parts.purchases ?? []) made.purchases.set(each.rrn, each)
  made.written.push(...(parts.written ?? []))
  made.receipts.push(...(parts.receipts ?? []))
  return made
}

describe("oneAnswer (G3)", () => {
  const findings = (more: Partial<Purchase>) => oneAnswer(history({ purchases: [purchase(more)] }))

  it("accepts one answer, none, and the same answer to a repeated request", () => {
    expect(findings({ answers: [] })).toEqual([])
    expect(findings({ answers: [answer("00")] })).toEqual([])
    expect(findings({ answers: [answer("00"), answer("00")], sends: 2 })).toEqual([])
    expect(findings({ answers: [answer("00"), answer("94")], sends: 2 })).toEqual([])
  })

  it("names a second answer and two different answers", () => {
    expect(findings({ answers: [answer("00"), answer("00")] })).toHaveLength(1)
    expect(findings({ answers: [answer("00"), answer("05")], sends: 2 })).toEqual([
      `G3: acquirer-1 got 00 and 05 for ${rrn}`
    ])
  })
})

describe("atMostOnce (G4)", () => {
  it("accepts one write and one receipt, and an answer with the same RRN", () => {
    const fine = history({ written: [written(), written({ mti: "0210", to: "acquirer-1" })], receipts: [receipt()] })
    expect(atMostOnce(fine, acquirers)).toEqual([])
  })

  it("names a request that was written on two connections, also when it changed its key", () => {
    const twice = history({ written: [written(), written({ connection: "c2", key: "k2" })] })
    expect(atMostOnce(twice, acquirers)).toEqual([`G4: request ${rrn} was written 2 times, on 2 connections`])
  })

  it("names a request that reached two issuers", () => {
    const twice = history({ receipts: [receipt(), receipt({ issuer: "issuer-2" })] })
    expect(atMostOnce(twice, acquirers)).toEqual([`G4: request ${rrn} reached issuers 2 times`])
  })
})

describe("markedRepeats (G5)", () => {
  const reversal = (more: Partial<Written> = {}) => written({ mti: "0420", key: "r1", originalKey: "k1", ...more })
  const findings = (...list: Array<Written>) => markedRepeats(history({ written: list }), acquirers)

  it("accepts 0420 and then 0421 with the same keys", () => {
    expect(findings(written(), reversal(), reversal({ mti: "0421" }), reversal({ mti: "0421" }))).toEqual([])
  })

  it("names a repeat that does not say so, changed keys and a wrong original", () => {
    expect(findings(reversal(), reversal())).toEqual([`G5: reversal r1 of ${rrn} was repeated as 0420`])
    expect(findings(reversal(), reversal({ mti: "0421", amount: 1 }))).toEqual([
      `G5: repeats of reversal r1 of ${rrn} changed their keys`
    ])
    expect(findings(written(), reversal({ originalKey: "k9" }))).toEqual([
      `G5: DE 90 of the reversal of ${rrn} names k9, it was k1`
    ])
  })
})

describe("rightAnswer (G6)", () => {
  it("names an answer with another RRN or amount, and two requests with one key", () => {
    const mixed = purchase({ answers: [answer("00", { rrn: "000100000002", amount: 7 })] })
    const wires = [written(), written({ rrn: "000100000002" }), written({ rrn: "000100000003", to: "issuer-2" })]

    expect(rightAnswer(history({ purchases: [mixed], written: wires }), acquirers)).toHaveLength(3)

    const reversals = [written({ mti: "0420" }), written({ mti: "0421", rrn: "000100000002" })]
    expect(rightAnswer(history({ written: reversals }), acquirers)).toHaveLength(1)
    expect(rightAnswer(history({ purchases: [purchase({ answers: [answer("00")] })] }), acquirers)).toEqual([])
  })
})

describe("moneyAgrees", () => {
  const findings = (more: Partial<Purchase>, kept: number) =>
    moneyAgrees(history({ purchases: [purchase(more)], receipts: [receipt()] }), () => kept)
  const reversed = { key: "r1", attempts: 1, code: "00" }

  it("accepts an approval that is kept, and nothing kept after a decline or an acknowledged reversal", () => {
    expect(findings({ outcome: "approved" }, 100)).toEqual([])
    expect(findings({ outcome: "declined" }, 0)).toEqual([])
    expect(findings({ outcome: "unknown", reversal: reversed }, 0)).toEqual([])
  })

  it("names money kept without an approval, and approvals without money", () => {
    expect(findings({ outcome: "approved" }, 0)).toHaveLength(1)
    expect(findings({ outcome: "declined" }, 100)).toHaveLength(1)
    expect(findings({ outcome: "unknown", reversal: reversed }, 100)).toHaveLength(1)
  })

  it("leaves open what the acquirer does not know yet", () => {
    expect(findings({ outcome: "unknown", reversal: { ...reversed, code: undefined } }, 100)).toEqual([])
  })

  it("names an approval that is kept although its caller was gone before its answer, unless the switch died behind that", () => {
    const seen = history({ purchases: [purchase({ outcome: "left" })] })
    const keeps = (amount: number) => unheardTakenBack(seen, () => amount)

    expect(keeps(100)).toEqual([])

    seen.unheard.set(rrn, 1000)

    expect(keeps(0)).toEqual([])
    expect(keeps(100)).toEqual([
      `unheard: issuer-1 keeps 100 for ${rrn}, and acquirer-1 was gone before it could hear of that`
    ])

    seen.deaths.push(1500)

    expect(keeps(100)).toEqual([])

    seen.deaths.splice(0)
    seen.heard.add(rrn)

    expect(keeps(100)).toEqual([])
  })

  it("names a purchase that nobody sent", () => {
    expect(moneyAgrees(history({ receipts: [receipt()] }), () => 0)).toEqual([
      `money: issuer-1 got a purchase ${rrn} that nobody sent`
    ])
  })
})

describe("the journal's checkers", () => {
  const ends = { source: "00010000", destination: "48010001" }
  const message = (mti: string) => frameOf(newMessage(mti, ends, { 2: "622581****3456", 37: rrn })).subarray(4)
  const entry = (seq: number, kind: EntryKind, exchange: number, more: Partial<Entry> = {}): Entry => ({
    ...{ seq, at: 0, kind, exchange, about: 0, link: 1, epoch: 1, code: "", message: Buffer.alloc(0) },
    ...{ secret: Buffer.alloc(0), secretLength: 0 },
    ...more
  })
  const accepted = entry(1, EntryKind.accepted, 1, { message: message("0200") })

  it("accept one end for each exchange (G2)", () => {
    const good = [
      accepted,
      entry(2, EntryKind.queued, 2),
      entry(3, EntryKind.answered, 1),
      entry(4, EntryKind.acknowledged, 2)
    ]

    expect(new Ends().follow(good).findings).toEqual([])
    expect(new Ends().follow(good).missing).toEqual([])
  })

  it("name two ends, an end of the wrong kind, and what has no end (G2)", () => {
    const twice = [accepted, entry(2, EntryKind.timedOut, 1), entry(3, EntryKind.answered, 1)]

    expect(new Ends().follow(twice).findings).toEqual(["G2: exchange 1 ends as timedOut and answered"])
    expect(new Ends().follow([accepted, entry(2, EntryKind.acknowledged, 1)]).findings).toHaveLength(1)
    expect(new Ends().follow([accepted, entry(2, EntryKind.queued, 2)]).missing).toEqual([
      "request 1 has no end",
      "store-and-forward message 2 has no end"
    ])
  })

  it("name what left before it was on disk (G1)", () => {
    const findings = (durable: number) => durableBeforeVisible(history({ written: [written({ durable })] }), [accepted])
    expect(findings(1)).toEqual([])
    expect(findings(0)).toEqual([`G1: 0200 ${rrn} left for issuer-1 before it was on disk`])

    const refused = (more: Partial<Written>) =>
      durableBeforeVisible(history({ written: [written({ durable: 0, mti: "0210", code: "96", ...more })] }), taken)
    let taken: ReadonlyArray<Entry> = []
    expect(refused({ isLow: true })).toEqual([])
    expect(refused({ isLow: false })).toHaveLength(1)
    expect(refused({ isLow: true, code: "00" })).toHaveLength(1)

    // The same purchase comes again, and is taken then.
    taken = [accepted]
    expect(refused({ isLow: true })).toEqual([])
    expect(refused({ isLow: false })).toHaveLength(1)
    expect(durableBeforeVisible(history({ written: [written({ durable: 9, mti: "0420" })] }), [accepted])).toHaveLength(
      1
    )
  })

  it("name a partner that ends with another key than the switch, or without an answer for its last one", () => {
    const taken = (checkValue: string): Entry => {
      const row = { link: "acquirer-1", slot: "mac/both", keys: "{}" }
      const event = JSON.stringify({ event: "taken", key: { version: 1, checkValue } })
      return { ...accepted, kind: EntryKind.key, message: Buffer.from(keyEntryText(row, event)) }
    }
    const entries = [taken("AAAAAA"), taken("BBBBBB")]

    expect(commonKeys(entries, [["acquirer-1", "BBBBBB"]])).toEqual([])
    expect(commonKeys(entries, [["acquirer-1", "AAAAAA"]])).toEqual([
      "keys: acquirer-1 ends with BBBBBB, its partner with AAAAAA"
    ])
    expect(commonKeys(entries, [["acquirer-1", "not answered for"]])).toHaveLength(1)
    expect(commonKeys([], [["issuer-1", "AAAAAA"]])).toHaveLength(1)
  })

  it("name card numbers in entries and logs (G10)", () => {
    const cards = new Set(["6225811234567890"])
    const clear = { ...accepted, message: Buffer.from("1662258112345678900000") }
    const alike = { ...accepted, message: Buffer.from("1662258112345678800000") }

    expect(coveredEntries([accepted, alike], cards)).toEqual([])
    expect(coveredEntries([clear], cards)).toEqual(["G10: entry 1 shows a card number"])

    const logged = new History()
    logged.log.push("card 6225811234567890")
    expect(coveredCards(logged)).toEqual([])

    logged.cards.add("6225811234567890")
    expect(coveredCards(logged)).toHaveLength(1)
  })
})

describe("business days", () => {
  const entry = (seq: number, kind: EntryKind, code: string, message = ""): Entry =>
    ({ seq, kind, code, link: 1, message: Buffer.from(message) }) as Entry
  const entries = [
    entry(1, EntryKind.named, "", "issuer-1\ncups"),
    entry(2, EntryKind.day, "closing - 2026-03-03 cutoverStart"),
    entry(3, EntryKind.day, "open 2026-03-03 cutoverEnd")
  ]
  const answered = (isBegun: boolean, durable: number, link = "issuer-1") => ({ link, date: "0303", isBegun, durable })

  it("are in the journal before a cut-over is answered, each step and each link by itself", () => {
    expect(daysDurable(entries, [answered(true, 2), answered(false, 3)])).toEqual([])
    expect(daysDurable(entries, [answered(true, 1)])).toEqual([
      "G1: a cut-over of issuer-1 to 0303 was answered with 1 entries on disk, none of it"
    ])
    expect(daysDurable(entries, [answered(false, 2), answered(true, 3, "issuer-2")])).toHaveLength(2)
  })

  it("are the same on both sides in the end, or the one that the partner has said and not heard of", () => {
    const ends = (date: string, next = "") => commonDays(entries, [["issuer-1", { date, next }]])

    expect([ends("0303"), ends("0302", "0303")]).toEqual([[], []])
    expect(ends("0304")).toEqual(["days: issuer-1 ends on 0303, its partner on 0304"])
    expect(ends("", "")).toHaveLength(1)
  })
})
