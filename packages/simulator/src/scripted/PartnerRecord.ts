/**
 * A scripted partner's lines in its history, in the form that the checker reads, and its counters. Owns what is written for each
 * event, and that no card number but a masked one is. Decides nothing.
 */
import { maskPan } from "../chance/Cards.ts"
import type { History, HistoryLine, What } from "../history/History.ts"
import type { LedgerTotals } from "../issuer/Ledger.ts"
import type { Timepiece } from "../partner/Session.ts"

/** Counters since the start. */
export interface PartnerCount {
  /** Requests, advices, reversals, notices and management messages, repeats included. */
  received: number
  approved: number
  declined: number
  answered: number
  /** Answers that a rule corrupted, doubled or sent late. */
  faulted: number
  delayed: number
  dropped: number
  ignored: number
  answersLost: number
  repeats: number
  doubled: number
  reversals: number
  unmatched: number
  signOns: number
  cutOvers: number
  /** Own messages without an answer. */
  unanswered: number
  /** Transactions of its own, and their ends; `sentUnknown`: given up, or nobody knows. */
  sent: number
  sentApproved: number
  sentDeclined: number
  sentUnknown: number
  sentReversals: number
  notSent: number
  /** Keys that came into use, and exchanges that came to nothing. */
  keys: number
  keyTroubles: number
  links: number
}

/** All zero. */
export const noPartnerCount = (): PartnerCount => ({
  received: 0,
  approved: 0,
  declined: 0,
  answered: 0,
  faulted: 0,
  delayed: 0,
  dropped: 0,
  ignored: 0,
  answersLost: 0,
  repeats: 0,
  doubled: 0,
  reversals: 0,
  unmatched: 0,
  signOns: 0,
  cutOvers: 0,
  unanswered: 0,
  sent: 0,
  sentApproved: 0,
  sentDeclined: 0,
  sentUnknown: 0,
  sentReversals: 0,
  notSent: 0,
  keys: 0,
  keyTroubles: 0,
  links: 0
})

/** The state of a partner, for its screen and the summary. */
export interface PartnerTotals extends Readonly<PartnerCount> {
  readonly connections: number
  /** Answers that wait for their time. */
  readonly waiting: number
  /** Check values of the keys in use, by purpose. */
  readonly checkValues: ReadonlyArray<string>
  readonly ledger: LedgerTotals
}

/** What a line says of a message. */
export interface About {
  readonly mti: string
  readonly key: string
  readonly rrn: string
  readonly amount: number
  readonly card: string
  readonly kind: string | undefined
  readonly original: string | undefined
  /** See `remainsOf`. */
  readonly remains: number
}

/** What became of it. */
export interface Became {
  readonly rule: string
  readonly code?: string
  readonly rrn?: string | undefined
  readonly arrival: number
  readonly answer: NonNullable<HistoryLine["answer"]>
  /** Where the rule of the file is. */
  readonly place: string | undefined
  readonly isApproved?: boolean
  /** See `HistoryLine`. */
  readonly approved?: number
  /** The settlement date of the answer; "" when it has none. */
  readonly day?: string
}

const facts = ({ amount, card, key, kind, mti, original, remains, rrn }: About): Partial<HistoryLine> => ({
  mti,
  key,
  rrn,
  amount,
  pan: maskPan(card),
  ...(kind === undefined ? {} : { kind }),
  ...(original === undefined ? {} : { original }),
  ...(remains === 0 ? {} : { remains })
})

/** Writes lines for a partner. */
export class PartnerRecord {
  private readonly history: History
  private readonly time: Timepiece

  constructor(history: History, time: Timepiece) {
    this.history = history
    this.time = time
  }

  link(what: What, epoch: number, reason?: string): void {
    this.note({ op: "info", what, epoch, ...(reason === undefined ? {} : { reason }) })
  }

  doubled(epoch: number, about: About): void {
    this.note({ op: "info", what: "doubled", epoch, ...facts(about) })
  }

  unmatched(epoch: number, mti: string, reason: string): void {
    this.note({ op: "info", what: "unmatched", epoch, mti, reason })
  }

  received(epoch: number, about: About, became: Became): void {
    const { answer, approved, arrival, code, day = "", isApproved, place, rrn, rule } = became
    const said = facts(about)
    this.note({
      op: rule === "posted" || rule === "undone" ? "ok" : code === undefined || isApproved === true ? "info" : "fail",
      what: "received",
      epoch,
      ...said,
      ...(about.rrn === "" && rrn !== undefined ? { rrn } : {}),
      attempt: arrival,
      rule,
      answer,
      ...(code === undefined ? {} : { code }),
      ...(day === "" ? {} : { day }),
      ...(approved === undefined ? {} : { approved }),
      ...(place === undefined ? {} : { reason: place })
    })
  }

  /** An answer left later than its request, or could not leave. */
  delivered(epoch: number, what: "answered" | "answerLost", mti: string, key: string, reason?: string): void {
    this.note({ op: "info", what, epoch, mti, key, ...(reason === undefined ? {} : { reason }) })
  }

  private note(line: Omit<HistoryLine, "at">): void {
    this.history.append({ at: this.time.wall(), ...line })
  }
}
