import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { describe, expect } from "vitest"
import { check, rules } from "../../packages/simulator/src/checker/Checker.ts"
import type { Evidence } from "../../packages/simulator/src/checker/Evidence.ts"
import { readEvidence } from "../../packages/simulator/src/checker/EvidenceFiles.ts"
import { timelineText } from "../../packages/simulator/src/checker/Timeline.ts"
import type { FaultLine } from "../../packages/simulator/src/proxy/FaultHistory.ts"
import { verdictLine, verdictTable } from "../../packages/simulator/src/report/Report.ts"
import { lineOf as trafficLine } from "../../packages/simulator/src/traffic/Traffic.ts"
import { testFolder } from "../TestFolder.ts"
import { lineOf, sound } from "./SoundRun.ts"
import { codec, message, pan } from "./System.ts"

/** A run in which the answer to request 1 came twice. */
const doubled = (): Evidence => {
  const evidence = sound()
  const second = { ...lineOf(evidence, 1, "approved"), at: 3, what: "duplicateAnswer" as const, reason: "approved" }
  return { ...evidence, acquirer: [...evidence.acquirer, second] }
}

const fault = (did: string, more: Partial<FaultLine> = {}): FaultLine => ({
  ...{ at: 2, did, connection: 1, direction: "fromTarget", mti: "0210", rrn: "RRN1", stan: "000001" },
  ...more
})

const brokenOf = (evidence: Evidence): ReadonlyArray<string> => check(evidence).findings.map(({ rule }) => rule)

describe("a finding", () => {
  it("is told as a timeline of both partners, the proxy, the books, and the bytes of both sides with the card covered", () => {
    const rrn = "RRN1".padEnd(12)
    const bytes = (mti: string) => message(mti, 1, 1000, { 37: rrn })
    const traffic = [
      trafficLine(codec, bytes("0200"), { at: 1, connection: 1, direction: "toTarget" }, undefined),
      trafficLine(codec, bytes("0210"), { at: 2, connection: 1, direction: "fromTarget" }, undefined)
    ].map((line) => ({ ...line, rrn: "RRN1" }))
    const verdict = check({ ...doubled(), faults: [fault("delay", { ms: 500, says: "late" })], traffic })
    const [timeline] = verdict.timelines

    expect(timeline!.finding.rule).toBe("one-answer")

    const who = new Set(timeline!.lines.map((line) => line.who))

    expect([...who].sort()).toEqual([
      ...["acquirer", "issuer", "journal", "ledger", "proxy, fromTarget", "wire 1, fromTarget", "wire 1, toTarget"]
    ])

    const text = timelineText(timeline!.lines).join("\n")

    expect(text).toContain("0200, sent, amount")
    expect(text).toContain("0210: delay, late")
    expect(text).toContain(Buffer.from("620000******0005").toString("hex"))
    expect(text).not.toContain(pan)
    expect(text).not.toContain(Buffer.from(pan).toString("hex"))

    const times = timeline!.lines.filter(({ at }) => at !== undefined).map(({ at }) => at!)

    expect(times).toEqual([...times].sort((one, other) => one - other))
    expect(verdictTable(verdict)).toContain("one-answer: ")
    expect(JSON.parse(verdictLine(verdict)).timelines.length).toBe(1)
  })

  it("is none when a proxy made it itself, and only then", () => {
    expect(brokenOf({ ...doubled(), faults: [fault("duplicate")] })).toEqual([])
    expect(check({ ...doubled(), faults: [fault("duplicate", { rule: "duplicate 0210" })] }).made).toEqual([
      expect.objectContaining({ rule: "one-answer", says: expect.stringContaining(`the proxy's own "duplicate 0210"`) })
    ])
    expect(brokenOf({ ...doubled(), faults: [fault("duplicate", { rrn: "RRN2", stan: "000002" })] })).toEqual([
      "one-answer"
    ])
    expect(brokenOf({ ...doubled(), faults: [fault("duplicate", { direction: "toTarget", mti: "0200" })] })).toEqual([
      "one-answer"
    ])
    expect(brokenOf({ ...doubled(), faults: [fault("drop")] })).toEqual(["one-answer"])
    // Behind the switch it is the switch's to stop.
    expect(brokenOf({ ...doubled(), issuerFaults: [fault("duplicate")] })).toEqual(["one-answer"])
  })

  it("is none where a proxy in front of the issuer doubled the request, and one where the proxy was in front of the switch", () => {
    const evidence = sound()
    const arrived = evidence.issuer.find(({ rrn, what }) => rrn === "RRN1" && what === "received")!
    const twice = { ...evidence, issuer: [...evidence.issuer, { ...arrived, what: "doubled" as const }, arrived] }
    const request = fault("duplicate", { direction: "toTarget", mti: "0200" })

    expect(new Set(brokenOf(twice))).toEqual(new Set(["no-blind-resend"]))
    expect(brokenOf({ ...twice, issuerFaults: [request] })).toEqual([])
    expect(new Set(brokenOf({ ...twice, faults: [request] }))).toEqual(new Set(["no-blind-resend"]))
  })

  it("is none where a proxy changed what the ledger is held against, and then the sum is none either", () => {
    const evidence = sound()
    const postings = evidence.postings.map((one) => (one.rrn === "RRN1" ? { ...one, amount: one.amount - 1 } : one))
    const other = { ...evidence, postings, ledger: undefined }
    const made = fault("change", { direction: "toTarget", mti: "0200" })

    expect(new Set(brokenOf(other))).toEqual(new Set(["money", "money-total"]))
    for (const faults of [{ faults: [made] }, { issuerFaults: [made] }])
      expect(brokenOf({ ...other, ...faults })).toEqual([])
    const second = postings.map((one) => (one.rrn === "RRN8" ? { ...one, amount: one.amount - 1 } : one))
    expect(new Set(brokenOf({ ...other, postings: second, faults: [made] }))).toEqual(new Set(["money", "money-total"]))
  })
})

describe("the rules that were added", () => {
  it("say that no fault came, that a request took too long, and where a card number stands in clear", () => {
    expect(brokenOf({ ...sound(), faults: [fault("connected"), fault("ended")] })).toEqual(["faults-came"])
    // A fault of bytes has a line of its own, too.
    expect(brokenOf({ ...sound(), faults: [fault("connected"), fault("began")] })).toEqual([])

    const slow = sound()
    const end = lineOf(slow, 1, "approved")
    const acquirer = slow.acquirer.map((line) => (line === end ? { ...line, at: line.at + 9000 } : line))

    expect(brokenOf({ ...slow, acquirer, withinMs: 5000 })).toEqual(["in-time"])
    expect(brokenOf({ ...slow, acquirer, withinMs: 9000 })).toEqual([])
    expect(brokenOf({ ...sound(), cardData: ["switch.log:3: a card number in clear"] })).toEqual(["cards-covered"])
  })

  it.effect("look for card numbers in every file that is given", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(testFolder(), "jinka-check-"))
      const log = join(folder, "switch.log")
      writeFileSync(log, `ready\naccepted 620000******0005\nforwarded ${pan} to issuer\n`)
      const lines = join(folder, "partners.out")
      // Digits that name a message look like a card's one time in ten; of a card in the same line nothing is lost by that.
      const own = {
        event: "sent",
        at: 1_795_821_464_617,
        key: `00000${pan}0000`,
        original: pan,
        rrn: pan,
        pan: "620000******0005"
      }
      writeFileSync(lines, `${JSON.stringify(own)}\n${JSON.stringify({ ...own, reason: `card ${pan}` })}\n`)
      const key = { op: "info", what: "key", epoch: 1, reason: "mac key 2, check value 8B2F11, is in use: given" }
      writeFileSync(join(folder, "history"), `${JSON.stringify({ at: 1, ...key })}\n`)
      const issuer = [join(folder, "history")]
      const { cardData, keysInUse } = yield* readEvidence({ acquirer: [], issuer, ledger: [], log: [log, lines] })
      rmSync(folder, { recursive: true })

      expect(cardData).toEqual([log, lines].map((path, at) => `${path}:${3 - at}: a card number in clear, or a track`))
      expect(keysInUse).toEqual([{ partner: issuer[0], side: "issuer", purpose: "mac", checkValue: "8B2F11" }])
    })
  )
})

describe("the report", () => {
  it("says of every guarantee what is not checked", () => {
    const table = verdictTable(check({ ...sound(), journal: undefined }))
    // A terminal breaks no line of it.
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120)
    for (const guarantee of ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10"]) {
      expect(table).toMatch(new RegExp(`^  ${guarantee}  \\S`, "m"))
    }

    expect(table).toContain("durable-first (its evidence was not given)")
    expect(table).toContain("bounded memory: histories say nothing of it")

    const named = new Set(rules.flatMap(({ guarantees }) => guarantees))

    expect([...named].sort()).toEqual(["G1", "G10", "G2", "G3", "G4", "G5", "G6", "G7"])
  })
})
