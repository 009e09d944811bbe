/**
 * What everybody saw during a run, as plain facts: the material of the checkers. It judges nothing itself.
 *
 * A purchase is known by its RRN (DE 37), which no station may change; every other key may be another one on each link.
 * Times are milliseconds of the world's wall clock, amounts minor units.
 */
import type { CupsMessage } from "../partner/Cups.ts"

/** One answer to a purchase as its acquirer got it. */
export interface Answer {
  readonly at: number
  readonly code: string
  readonly rrn: string
  readonly amount: number
  /** It came after the acquirer had given up or was answered already. */
  readonly isLate: boolean
}

/** An acquirer's own reversal of a purchase. */
export interface OwnReversal {
  readonly key: string
  attempts: number
  /** DE 39 of the answer that ended it. */
  code: string | undefined
}

/** One purchase as its acquirer sees it. */
export interface Purchase {
  readonly acquirer: string
  readonly issuer: string
  readonly key: string
  readonly rrn: string
  readonly amount: number
  readonly startedAt: number
  /** Times that the request was sent: more than one only where the acquirer repeats on purpose. */
  sends: number
  readonly answers: Array<Answer>
  /** `left`: it went away before its answer, for good, and takes nothing back. */
  outcome: "open" | "approved" | "declined" | "unknown" | "left"
  reversal: OwnReversal | undefined
}

/** One money message as an issuer received it. */
export interface Receipt {
  readonly at: number
  readonly issuer: string
  readonly mti: string
  readonly key: string
  readonly originalKey: string | undefined
  readonly rrn: string
  readonly amount: number
}

/** One money message as the switch handed it to a connection, whether it arrived or not. */
export interface Written extends Omit<Receipt, "issuer"> {
  readonly to: string
  /** Tells connections apart. */
  readonly connection: string
  readonly code: string | undefined
  /** Journal entries that were on disk at that moment; undefined while there is no journal. */
  readonly durable: number | undefined
  /**
   * The disk was below its reserve, or the store away, at some time since the request was first sent: a refusal may have been
   * made then and leave much later, behind other answers or to a slow partner.
   */
  readonly isLow: boolean
}

/** A cut-over that the switch answered with 00 to a connection, whether that arrived or not. */
export interface DayAnswered {
  readonly link: string
  /** MMDD. */
  readonly date: string
  /** It was the beginning. */
  readonly isBegun: boolean
  /** Journal entries that were on disk at that moment. */
  readonly durable: number | undefined
}

export class History {
  readonly purchases = new Map<string, Purchase>()
  /** When each RRN was first sent, in a purchase or a lie. */
  readonly begun = new Map<string, number>()
  readonly receipts: Array<Receipt> = []
  readonly written: Array<Written> = []
  readonly daysAnswered: Array<DayAnswered> = []
  /** Card numbers in use, 16 digits each. */
  readonly cards = new Set<string>()
  /** PIN blocks of all zones, how many reached an issuer, and messages that acquirers sent with a wrong MAC on purpose. */
  readonly pinBlocks = new Set<string>()
  pins = 0
  spoilt = 0
  /** Keys that partners delivered and the switch has taken. */
  keyChanges = 0
  /** The last purchase of each acquirer, as it sent it. */
  readonly said = new Map<string, CupsMessage>()
  /** Messages that an acquirer sent in the name of another. */
  lies = 0
  /** RRNs of calls over HTTP whose answer the caller's connection took whole; and of those it did not take, with the time. */
  readonly heard = new Set<string>()
  readonly unheard = new Map<string, number>()
  /** When a process of the switch ended. */
  readonly deaths: Array<number> = []
  /** Broken rules noticed on the spot. */
  readonly findings: Array<string> = []
  /** Lines that the switch logged. */
  readonly log: Array<string> = []
}
