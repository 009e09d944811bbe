import { describe, expect, it } from "vitest"
import { check, rules } from "../../packages/simulator/src/checker/Checker.ts"
import type { Evidence } from "../../packages/simulator/src/checker/Evidence.ts"
import type { Posting } from "../../packages/simulator/src/issuer/Ledger.ts"
import { moneyText, verdictLine, verdictTable } from "../../packages/simulator/src/report/Report.ts"
import { type Breach, journalBreaches } from "./JournalBreaches.ts"
import { brokenRules, keyOf, lineOf, sound, soundRun, withJournal, without } from "./SoundRun.ts"

const breaches: ReadonlyArray<Breach> = [
  [
    "progress",
    "nothing at all was asked for",
    () => ({ ...sound(), acquirer: [], issuer: [], postings: [], journal: [], ledger: undefined, counters: undefined }),
    []
  ],
  [
    "progress",
    "no refund was ever acknowledged",
    () => {
      const run = soundRun()
      run.acquirer = run.acquirer.map((line) =>
        line.what === "acknowledged" && line.mti === "0220" ? { ...line, what: "refused", code: "12" } : line
      )
      run.postings = run.postings.filter(({ rrn }) => rrn !== "RRN6")
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    []
  ],
  [
    "one-end",
    "a request never ended",
    () => {
      const evidence = sound()
      return { ...evidence, acquirer: without(evidence.acquirer, (line) => line === lineOf(evidence, 1, "approved")) }
    },
    ["settled", "progress", "approvals-heard"]
  ],
  [
    "one-end",
    "a request ended twice",
    () => {
      const evidence = sound()
      return { ...evidence, acquirer: [...evidence.acquirer, { ...lineOf(evidence, 1, "approved"), what: "timedOut" }] }
    },
    []
  ],
  [
    "one-answer",
    "a second answer came",
    () => {
      const evidence = sound()
      const second = { ...lineOf(evidence, 1, "approved"), what: "duplicateAnswer" as const, reason: "approved" }
      return { ...evidence, acquirer: [...evidence.acquirer, second] }
    },
    []
  ],
  [
    "right-answer",
    "an answer carried another RRN",
    () => {
      const evidence = sound()
      const wrong = { ...lineOf(evidence, 1, "approved"), what: "mismatch" as const, reason: "DE 37" }
      return { ...evidence, acquirer: [...evidence.acquirer, wrong] }
    },
    []
  ],
  [
    "right-answer",
    "an answer to nothing came",
    () => {
      const evidence = sound()
      const { at, epoch } = evidence.acquirer[0]!
      return {
        ...evidence,
        acquirer: [...evidence.acquirer, { at, epoch, op: "info", what: "unmatched", mti: "0210" }]
      }
    },
    []
  ],
  [
    "settled",
    "a reversal was never acknowledged",
    () => {
      const evidence = sound()
      return {
        ...evidence,
        acquirer: without(evidence.acquirer, (line) => line === lineOf(evidence, 103, "acknowledged"))
      }
    },
    []
  ],
  [
    "settled",
    "an advice was never acknowledged",
    () => {
      const evidence = sound()
      const acquirer = evidence.acquirer.map((line) =>
        line === lineOf(evidence, 6, "acknowledged") ? { ...line, what: "unacknowledged" as const } : line
      )
      return { ...evidence, acquirer }
    },
    ["progress"]
  ],
  [
    "unique-numbers",
    "two transactions share a key",
    () => {
      const evidence = sound()
      const acquirer = evidence.acquirer.map((line) => (line.rrn === "RRN2" ? { ...line, key: keyOf(1) } : line))
      return { ...evidence, acquirer }
    },
    ["journal-agrees", "approvals-heard"]
  ],
  [
    "unique-numbers",
    "two acquirers gave the same RRN, and one of them the same key as well",
    () => {
      const evidence = sound()
      const again = evidence.acquirer.filter(({ rrn }) => rrn === "RRN1")
      return { ...evidence, acquirer: [...evidence.acquirer, ...again] }
    },
    []
  ],
  [
    "keys-apart",
    "two issuers have one MAC key",
    () => ({
      ...sound(),
      keysInUse: ["a", "b"].map((partner) => ({ partner, side: "issuer", purpose: "mac", checkValue: "8B2F11" }))
    }),
    []
  ],
  [
    "nothing-lost",
    "an approval never reached the issuer, and the ledger was helped along",
    () => {
      const evidence = sound()
      return { ...evidence, issuer: without(evidence.issuer, ({ rrn }) => rrn === "RRN1") }
    },
    []
  ],
  [
    "nothing-lost",
    "an acknowledged reversal never reached the issuer",
    () => {
      const evidence = sound()
      const gone = (line: { rrn?: string; mti?: string }): boolean => line.rrn === "RRN3" && line.mti === "0420"
      return { ...evidence, issuer: without(evidence.issuer, gone) }
    },
    []
  ],
  [
    "nothing-unexpected",
    "the issuer got something that nobody sent",
    () => {
      const run = soundRun().processed(9, "purchase", 100, "51")
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    []
  ],
  [
    "no-blind-resend",
    "the issuer counted a doubled message",
    () => {
      const evidence = sound()
      return { ...evidence, issuer: [...evidence.issuer, { ...evidence.issuer[0]!, op: "info", what: "doubled" }] }
    },
    []
  ],
  [
    "no-blind-resend",
    "a request arrived twice",
    () => {
      const evidence = sound()
      return { ...evidence, issuer: [...evidence.issuer, evidence.issuer[0]!] }
    },
    []
  ],
  [
    "money",
    "a timed-out request is still in the ledger",
    () => {
      const evidence = sound()
      const postings = without(evidence.postings, ({ rrn, rule }) => rrn === "RRN3" && rule === "undo")
      return { ...evidence, postings, ledger: undefined }
    },
    ["money-total"]
  ],
  [
    "money",
    "two errors cancel each other in the sum",
    () => {
      const evidence = sound()
      const postings = evidence.postings.map((posting) =>
        posting.rrn === "RRN1" && posting.rule === "debit"
          ? { ...posting, amount: -400 }
          : posting.rrn === "RRN8"
            ? { ...posting, amount: -350 }
            : posting
      )
      return { ...evidence, postings }
    },
    []
  ],
  [
    "money-total",
    "money moved under an RRN that nobody used",
    () => {
      const run = soundRun().post(9, "debit", -100)
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    ["nothing-unexpected"]
  ],
  [
    "one-day",
    "the acquirer was told another day than the issuer counts in",
    () => {
      const evidence = sound()
      const acquirer = evidence.acquirer.map((line) =>
        line === lineOf(evidence, 1, "approved") ? { ...line, day: "1123" } : line
      )
      return { ...evidence, acquirer }
    },
    []
  ],
  [
    "one-day",
    "the issuer counts a repeat of an advice in the next day",
    () => {
      const evidence = sound()
      const first = evidence.issuer.find(({ rrn }) => rrn === "RRN6")!
      return { ...evidence, issuer: [...evidence.issuer, { ...first, mti: "0221", attempt: 2, day: "1123" }] }
    },
    []
  ],
  [
    "ledger-sound",
    "a transaction was undone twice",
    () => {
      const run = soundRun().post(3, "undo", 300).post(3, "undo", -300)
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    []
  ],
  [
    "ledger-sound",
    "more was undone than there was",
    () => {
      const run = soundRun().post(8, "undoPart", 251)
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    ["money", "money-total"]
  ],
  ["balances", "the balances do not add up", () => ({ ...sound(), ledger: { ...sound().ledger!, available: 1 } }), []],
  [
    "in-time",
    "a request took longer than the time that was given",
    () => {
      const evidence = sound()
      const end = lineOf(evidence, 1, "approved")
      const acquirer = evidence.acquirer.map((line) => (line === end ? { ...line, at: line.at + 60_001 } : line))
      return { ...evidence, acquirer }
    },
    []
  ],
  ["cards-covered", "a log holds a card number", () => ({ ...sound(), cardData: ["switch.log:3: a card number"] }), []],
  ["faults-came", "no fault came", () => ({ ...sound(), faults: [{ at: 1, did: "connected", connection: 1 }] }), []],
  ...journalBreaches
]

describe("the checker", () => {
  it("finds nothing wrong with a sound run", () => {
    const verdict = check(sound())

    expect(verdict.findings).toEqual([])
    expect(verdict.isPassed).toBe(true)
    expect(verdict.rules.every(({ result }) => result === "kept")).toBe(true)
    expect(verdict.totals).toEqual({
      asked: 8,
      sent: 7,
      answered: 6,
      approved: 4,
      declined: 1,
      failed: 1,
      rejected: 0,
      notSent: 0,
      timedOut: 1,
      linkLost: 0,
      reversed: 1,
      undone: 2,
      advices: 1,
      acknowledged: 1,
      inDoubt: 0,
      lost: 0,
      doubled: 0,
      late: 0,
      money: { acquirer: -50, ledger: -50, inDoubt: 0 }
    })
  })

  for (const [rule, how, evidence, also] of breaches) {
    it(`breaks "${rule}" when ${how}`, () => {
      expect(new Set(brokenRules(evidence()))).toEqual(new Set([rule, ...also]))
    })
  }

  it("takes an exchange without a settlement date on one side for nothing to compare", () => {
    const evidence = sound()
    const acquirer = evidence.acquirer.map(({ day: _, ...line }) => line)
    const skipped = check({ ...evidence, acquirer }).rules
    expect(skipped.filter(({ result }) => result === "skipped").map(({ rule }) => rule)).toEqual(["one-day"])
  })

  it("has a breach for every rule in this test", () => {
    expect(new Set(breaches.map(([rule]) => rule))).toEqual(new Set(rules.map(({ name }) => name)))
  })

  it("does not complain of money in doubt, as long as the ledger shows all of it or none", () => {
    const open = (postings: (list: ReadonlyArray<Posting>) => ReadonlyArray<Posting>): Evidence => {
      const evidence = sound()
      const acquirer = without(evidence.acquirer, (line) => line === lineOf(evidence, 103, "acknowledged"))
      return { ...evidence, acquirer, postings: postings(evidence.postings), ledger: undefined }
    }
    const undo = ({ rrn, rule }: Posting): boolean => rrn === "RRN3" && rule === "undo"

    expect(brokenRules(open((list) => list))).toEqual(["settled"])
    expect(brokenRules(open((list) => without(list, undo)))).toEqual(["settled"])

    const half = open((list) => list.map((posting) => (undo(posting) ? { ...posting, amount: 100 } : posting)))
    expect(brokenRules(half)).toContain("money")
  })

  it("skips the rules about the journal when none is given, and says so", () => {
    const verdict = check({ ...sound(), journal: undefined })

    expect(verdict.isPassed).toBe(true)
    expect(verdict.rules.filter(({ result }) => result === "skipped").map(({ rule }) => rule)).toEqual([
      "journal-ends",
      "durable-first",
      "journal-agrees",
      "approvals-heard",
      "counters-agree"
    ])
  })

  it("takes a refusal that no journal has for a breach unless the store was away, and a refused advice that was taken later for two exchanges", () => {
    const journal = sound().journal!
    const refused = { ...journal[0]!, mti: "0220", end: "Rejected", code: "96", reversed: false } as const
    const taken = { ...refused, end: "Acknowledged", code: "00" } as const
    const ends = (more: typeof journal) =>
      check({ ...sound(), journal: [...journal, ...more], counters: undefined }).findings.filter(
        ({ rule }) => rule === "journal-ends"
      ).length
    const twice = { ...refused, key: keyOf(77) }
    expect(ends([twice, { ...taken, key: keyOf(77) }])).toBe(0)
    expect(ends([twice, { ...twice, mti: "0221" }, { ...taken, key: keyOf(77), mti: "0221" }])).toBe(0)
    expect(ends([{ ...taken, key: keyOf(77) }, twice])).toBe(1)

    const first = ({ key }: { readonly key?: string }) => key === keyOf(1)
    const lost = (what: "failed" | "declined", reached: boolean, wasAway = true): number => {
      const run = withJournal((entry) => (first(entry) ? undefined : entry))
      const acquirer = run.acquirer.map((line) => (first(line) && line.op !== "invoke" ? { ...line, what } : line))
      const issuer = run.issuer.filter((line) => reached || !first(line))
      return check({ ...run, acquirer, issuer, wasAway }).findings.filter(({ rule }) => rule === "durable-first").length
    }
    expect([lost("failed", false), lost("failed", true), lost("declined", false)]).toEqual([0, 1, 1])
    expect(lost("failed", false, false)).toBe(1)
  })

  it("does not take a first sending that its repeat has overtaken for a repeat without the mark", () => {
    const evidence = sound()
    const first = evidence.issuer.find(({ mti, what }) => mti === "0420" && what === "received")!
    const rest = without(evidence.issuer, ({ key, mti }) => mti === "0420" && key === first.key)
    const repeat = { ...first, mti: "0421", epoch: first.epoch + 1 }
    // An issuer says so of each that comes again without the mark, and then that it has received it.
    const arrived = (...lines: Array<typeof first>) => {
      const told = lines.flatMap((line, n) =>
        n > 0 && line.mti === "0420" ? [{ ...line, op: "info", what: "doubled" } as const, line] : [line]
      )
      return check({ ...evidence, issuer: [...rest, ...told] }).findings.map(({ rule }) => rule)
    }

    expect(arrived(repeat, first)).toEqual([])
    // The first connection had its repeat behind it (found by the world, --partner, seed 900034).
    expect(arrived(repeat, first, { ...repeat, epoch: first.epoch })).toEqual([])
    expect(arrived({ ...repeat, epoch: first.epoch }, first)).toEqual(["no-blind-resend"])
    expect(arrived(repeat, first, first)).toContain("no-blind-resend")
  })

  it("does not take the balances for checked when a ledger was cut before its last line", () => {
    const verdict = check({ ...sound(), ledger: undefined })
    expect(verdict.rules.filter(({ result }) => result === "skipped").map(({ rule }) => rule)).toEqual(["balances"])
    expect(verdict.isPassed).toBe(true)
  })

  it("says for every rule what it checks and what it does not", () => {
    for (const { checks, doesNotCheck } of rules) {
      expect(checks.length).toBeGreaterThan(20)
      expect(doesNotCheck.length).toBeGreaterThan(10)
    }
  })

  it("names the transaction of a finding by RRN and STAN", () => {
    const [finding] = check(
      withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, code: "05" } : entry))
    ).findings

    expect(finding).toMatchObject({ rrn: "RRN2", stan: "000002", says: "0200: journal says 05, the acquirer got 51" })
  })
})

describe("the report", () => {
  it("shows totals, every rule and the findings", () => {
    const text = verdictTable(
      check(withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, code: "05" } : entry)))
    )

    expect(text).toContain("money, ledger")
    for (const { name } of rules) expect(text).toContain(name)
    expect(text).toContain("1 BROKEN")
    expect(text).toContain("journal-agrees: 0200: journal says 05, the acquirer got 51 (RRN RRN2, STAN 000002)")
    expect(text).not.toContain("\u001b")
  })

  it("is one line of JSON for programs", () => {
    const line = verdictLine(check(sound()))

    expect(line).not.toContain("\n")
    expect(JSON.parse(line)).toMatchObject({ event: "verdict", passed: true, sent: 7, rules: { money: "kept" } })
  })

  it("writes minor units as money", () => {
    expect(moneyText(-123_456)).toBe("-1,234.56")
    expect(moneyText(5)).toBe("0.05")
  })
})
