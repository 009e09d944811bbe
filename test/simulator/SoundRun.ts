/** A run that is sound, made by hand, and small changes to it: what the checker's rules are held against. */
import { check } from "../../packages/simulator/src/checker/Checker.ts"
import type { Evidence, JournalTransaction } from "../../packages/simulator/src/checker/Evidence.ts"
import type { HistoryLine, What } from "../../packages/simulator/src/history/History.ts"
import type { Posting } from "../../packages/simulator/src/issuer/Ledger.ts"
import { type Kind, kinds, transactionKey } from "../../packages/simulator/src/message/Transaction.ts"

export const keyOf = (stan: number): string =>
  transactionKey({
    stan: String(stan).padStart(6, "0"),
    transmitted: "1122210000",
    acquirer: "48020000",
    forwarder: "48020000"
  })

/** A run written down by hand, in parts that a test may break. */
export class Run {
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
    const day = end === "approved" ? { day: "1122" } : {}
    this.acquirer.push({ ...line, op: "info", what: end, ...(code === undefined ? {} : { code }), ...day })
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
      day: "1122",
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
      counters: { answered: 4, timedOut: 2, reversed: 2, acknowledged: 2 },
      faults: [{ at: 1, did: "latency", connection: 1 }],
      withinMs: 60_000,
      cardData: [],
      keysInUse: ["a", "b"].map((partner, at) => ({
        ...{ partner, side: "acquirer" as const, purpose: "mac" },
        checkValue: `8B2F1${at}`
      }))
    }
  }
}

/** Everything that can go right, once. */
export const soundRun = (): Run =>
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

export const brokenRules = (evidence: Evidence): ReadonlyArray<string> => [
  ...new Set(check(evidence).findings.map(({ rule }) => rule))
]

export const sound = (): Evidence => {
  const run = soundRun()
  run.entry(8, "0100", "Answered", "00")
  return { ...run.evidence(), counters: { answered: 5, timedOut: 2, reversed: 2, acknowledged: 2, abandoned: 0 } }
}

export const lineOf = (evidence: Evidence, stan: number, what: What): HistoryLine =>
  evidence.acquirer.find((line) => line.key === keyOf(stan) && line.what === what)!

export const without = <A>(list: ReadonlyArray<A>, gone: (one: A) => boolean): ReadonlyArray<A> =>
  list.filter((one) => !gone(one))

export const withJournal = (change: (entry: JournalTransaction) => JournalTransaction | undefined): Evidence => {
  const evidence = sound()
  const journal = evidence.journal!.map(change).filter((entry) => entry !== undefined)
  return { ...evidence, journal, counters: undefined }
}

/** Each rule with runs that break it; what else breaks is named, too. */
