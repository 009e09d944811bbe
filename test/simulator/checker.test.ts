import { describe, expect, it } from "vitest"
import { cardsOf } from "../../packages/simulator/src/chance/Cards.ts"
import { canariesOf, findCardData } from "../../packages/simulator/src/checker/CardLeaks.ts"
import { check, rules } from "../../packages/simulator/src/checker/Checker.ts"
import type { Evidence, JournalTransaction } from "../../packages/simulator/src/checker/Evidence.ts"
import type { HistoryLine, What } from "../../packages/simulator/src/history/History.ts"
import type { Posting } from "../../packages/simulator/src/issuer/Ledger.ts"
import { type Kind, kinds, transactionKey } from "../../packages/simulator/src/message/Transaction.ts"
import { moneyText, verdictLine, verdictTable } from "../../packages/simulator/src/report/Report.ts"

const keyOf = (stan: number): string =>
  transactionKey({
    stan: String(stan).padStart(6, "0"),
    transmitted: "1122210000",
    acquirer: "48020000",
    forwarder: "48020000"
  })

/** A run written down by hand, in parts that a test may break. */
class Run {
  acquirer: Array<HistoryLine> = []
  issuer: Array<HistoryLine> = []
  postings: Array<Posting> = []
  journal: Array<JournalTransaction> | undefined = []

  private line(stan: number, kind: Kind, amount: number): Omit<HistoryLine, "op" | "what"> {
    return { at: stan, epoch: 1, kind, mti: kinds[kind].mti, key: keyOf(stan), rrn: `RRN${stan}`, amount }
  }

  /** The acquirer sends and takes its end. */
  asked(stan: number, kind: Kind, amount: number, end: What, code?: string): this {
    const line = this.line(stan, kind, amount)
    this.acquirer.push({ ...line, op: "invoke", what: kind === "refund" ? "advice" : "sent" })
    this.acquirer.push({ ...line, op: "info", what: end, ...(code === undefined ? {} : { code }) })
    return this
  }

  /** The acquirer's own reversal (key 100 higher) and its acknowledgement. */
  reversed(stan: number, kind: Kind, amount: number, code: string): this {
    const line = { ...this.line(stan, kind, amount), mti: "0420", key: keyOf(stan + 100), original: keyOf(stan) }
    this.acquirer.push({ ...line, op: "invoke", what: "reversal", attempt: 1 })
    this.acquirer.push({ ...line, op: "ok", what: "acknowledged", code })
    return this
  }

  /** The issuer processes it, with or without an effect. */
  processed(stan: number, kind: Kind, amount: number, code: string): this {
    this.issuer.push({
      ...this.line(stan, kind, amount),
      op: "ok",
      what: "received",
      code,
      answer: "sent",
      rule: "posted"
    })
    const effect = kinds[kind].sign * amount
    if (code === "00" && effect !== 0) this.post(stan, effect < 0 ? "debit" : "credit", effect)
    return this
  }

  /** The issuer undoes it. */
  undone(stan: number, kind: Kind, amount: number): this {
    const line = { ...this.line(stan, kind, amount), mti: "0420", original: keyOf(stan) }
    this.issuer.push({ ...line, op: "ok", what: "received", code: "00", answer: "sent", rule: "undone" })
    this.post(stan, "undo", -kinds[kind].sign * amount)
    return this
  }

  post(stan: number, rule: Posting["rule"], amount: number): this {
    const account = "621999*********0123"
    this.postings.push({ rrn: `RRN${stan}`, key: keyOf(stan), account, rule, amount, available: 0 })
    return this
  }

  entry(stan: number, mti: string, end: JournalTransaction["end"], code: string, reversed = false): this {
    this.journal?.push({ mti, key: keyOf(stan), rrn: `RRN${stan % 100}`, end, code, reversed })
    return this
  }

  evidence(): Evidence {
    const moved = this.postings.reduce((sum, { amount }) => sum + amount, 0)
    return {
      acquirer: this.acquirer,
      issuer: this.issuer,
      postings: this.postings,
      ledger: {
        accounts: 1,
        opening: 1_000_000,
        available: 1_000_000 + moved,
        postings: this.postings.length,
        standing: 0,
        undone: 0,
        tombstones: 0
      },
      journal: this.journal,
      counters: { answered: 4, timedOut: 2, reversed: 2, acknowledged: 2 }
    }
  }
}

/** Everything that can go right, once. */
const soundRun = (): Run =>
  new Run()
    .asked(1, "purchase", 500, "approved", "00")
    .processed(1, "purchase", 500, "00")
    .entry(1, "0200", "Answered", "00")
    .asked(2, "purchase", 700, "declined", "51")
    .processed(2, "purchase", 700, "51")
    .entry(2, "0200", "Answered", "51")
    // The acquirer's time was up; the switch had timed out and reversed, too.
    .asked(3, "preAuthorisation", 300, "timedOut")
    .processed(3, "preAuthorisation", 300, "00")
    .reversed(3, "preAuthorisation", 300, "00")
    .undone(3, "preAuthorisation", 300)
    .entry(3, "0100", "TimedOut", "98", true)
    .entry(103, "0420", "Acknowledged", "00")
    // The switch gave up and said so.
    .asked(4, "purchase", 900, "failed", "98")
    .processed(4, "purchase", 900, "00")
    .undone(4, "purchase", 900)
    .entry(4, "0200", "TimedOut", "98", true)
    .asked(5, "void", 500, "approved", "00")
    .processed(5, "void", 500, "00")
    .entry(5, "0200", "Answered", "00")
    .asked(6, "refund", 200, "acknowledged", "00")
    .processed(6, "refund", 200, "00")
    .entry(6, "0220", "Acknowledged", "00")
    .asked(7, "balanceInquiry", 0, "approved", "00")
    .processed(7, "balanceInquiry", 0, "00")
    .entry(7, "0200", "Answered", "00")
    .asked(8, "preAuthorisation", 250, "approved", "00")
    .processed(8, "preAuthorisation", 250, "00")

const brokenRules = (evidence: Evidence): ReadonlyArray<string> => [
  ...new Set(check(evidence).findings.map(({ rule }) => rule))
]

const sound = (): Evidence => {
  const run = soundRun()
  run.entry(8, "0100", "Answered", "00")
  return { ...run.evidence(), counters: { answered: 5, timedOut: 2, reversed: 2, acknowledged: 2, abandoned: 0 } }
}

const lineOf = (evidence: Evidence, stan: number, what: What): HistoryLine =>
  evidence.acquirer.find((line) => line.key === keyOf(stan) && line.what === what)!

const without = <A>(list: ReadonlyArray<A>, gone: (one: A) => boolean): ReadonlyArray<A> =>
  list.filter((one) => !gone(one))

const withJournal = (change: (entry: JournalTransaction) => JournalTransaction | undefined): Evidence => {
  const evidence = sound()
  const journal = evidence.journal!.map(change).filter((entry) => entry !== undefined)
  return { ...evidence, journal, counters: undefined }
}

/** Each rule with runs that break it; what else breaks is named, too. */
const breaches: ReadonlyArray<
  readonly [rule: string, how: string, evidence: () => Evidence, also: ReadonlyArray<string>]
> = [
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
    ["settled", "progress"]
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
      const wrong = { ...lineOf(evidence, 1, "approved"), what: "mismatch" as const, reason: "F37" }
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
    ["journal-agrees"]
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
    "a timed-out request still stands in the ledger",
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
    "the balances do not add up",
    () => ({ ...sound(), ledger: { ...sound().ledger!, available: 1 } }),
    []
  ],
  [
    "journal-ends",
    "a transaction is still open",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Open" } : entry)),
    []
  ],
  [
    "journal-ends",
    "a reversal was abandoned",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Abandoned" } : entry)),
    []
  ],
  [
    "journal-ends",
    "a transaction has two entries",
    () => ({ ...sound(), journal: [...sound().journal!, sound().journal![1]!], counters: undefined }),
    []
  ],
  [
    "durable-first",
    "an answered request is not in the journal",
    () => withJournal((entry) => (entry.key === keyOf(1) ? undefined : entry)),
    []
  ],
  [
    "durable-first",
    "an acknowledged reversal is not in the journal",
    () => withJournal((entry) => (entry.key === keyOf(103) ? undefined : entry)),
    []
  ],
  [
    "journal-agrees",
    "the codes differ",
    () => withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, code: "05" } : entry)),
    []
  ],
  [
    "journal-agrees",
    "an approved request was reversed by the switch",
    () => withJournal((entry) => (entry.key === keyOf(1) ? { ...entry, reversed: true } : entry)),
    []
  ],
  [
    "journal-agrees",
    "an approved request is timed out in the journal",
    () => withJournal((entry) => (entry.key === keyOf(1) ? { ...entry, end: "TimedOut", reversed: true } : entry)),
    []
  ],
  [
    "journal-agrees",
    "a timed-out money request has no reversal",
    () => withJournal((entry) => (entry.key === keyOf(4) ? { ...entry, reversed: false } : entry)),
    []
  ],
  [
    "journal-agrees",
    "the journal has a request that nobody sent",
    () => withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, key: keyOf(77) } : entry)),
    ["durable-first"]
  ],
  ["counters-agree", "a counter differs from the journal", () => ({ ...sound(), counters: { timedOut: 3 } }), []]
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
      "counters-agree"
    ])
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

describe("the search for card data", () => {
  const cards = cardsOf({ seed: 3, bins: ["621999"], count: 5 })
  const canaries = canariesOf(cards)
  const { pan, track2, pinBlock } = cards[2]!

  const forms: ReadonlyArray<readonly [string, Buffer]> = [
    ["the card number as text", Buffer.from(`{"pan":"${pan}"}`)],
    ["the card number in hexadecimal", Buffer.from(`xx${Buffer.from(pan).toString("hex")}`)],
    ["the card number in BCD", Buffer.concat([Buffer.from([1]), Buffer.from(pan.slice(0, pan.length & ~1), "hex")])],
    ["the card number in base64", Buffer.from(Buffer.from(pan).toString("base64"))],
    ["the card number inside longer base64", Buffer.from(Buffer.from(`ab${pan}cd`).toString("base64"))],
    ["the card number inside other base64", Buffer.from(Buffer.from(`a${pan}cd`).toString("base64"))],
    ["the end of a track", Buffer.from(`..${track2.slice(pan.length)}..`)],
    ["the bytes of a PIN block", Buffer.concat([Buffer.from("x"), pinBlock])],
    ["a PIN block in HEXADECIMAL", Buffer.from(pinBlock.toString("hex").toUpperCase())]
  ]
  for (const [name, bytes] of forms) {
    it(`finds ${name}`, () => {
      expect(findCardData(bytes, canaries)).not.toEqual([])
    })
  }

  it("finds nothing in masked text", () => {
    expect(findCardData(Buffer.from("621999*********0123 and 5f2a02"), canaries)).toEqual([])
  })
})
