/** The acquirer's counters and its view of the money. */
import type { LatencyTotals } from "./Latency.ts"

/** Counters since the start; every request is in exactly one of approved .. notSent once it has ended. */
export interface AcquirerCount {
  sent: number
  approved: number
  declined: number
  /** Answered 68, 96 or 98: the switch could not bring it to an end. */
  failed: number
  /** Refused by the centre with a reject code. */
  rejected: number
  timedOut: number
  linkLost: number
  /** Due while there was no link signed on: nothing left this process. */
  notSent: number
  reversals: number
  reversalsAcknowledged: number
  advices: number
  advicesAcknowledged: number
  advicesRefused: number
  /** Sendings with the repeat mark. */
  repeats: number
  /** First answer after the request had been given up. */
  late: number
  /** A second answer to one request. */
  duplicateAnswers: number
  unmatched: number
  /** An answer with the right key and the wrong content. */
  mismatches: number
  signOns: number
  links: number
}

/** All zero. */
export const noCount = (): AcquirerCount => ({
  sent: 0,
  approved: 0,
  declined: 0,
  failed: 0,
  rejected: 0,
  timedOut: 0,
  linkLost: 0,
  notSent: 0,
  reversals: 0,
  reversalsAcknowledged: 0,
  advices: 0,
  advicesAcknowledged: 0,
  advicesRefused: 0,
  repeats: 0,
  late: 0,
  duplicateAnswers: 0,
  unmatched: 0,
  mismatches: 0,
  signOns: 0,
  links: 0
})

/** The state of an acquirer, for `status` and the summary. */
export interface AcquirerTotals extends Readonly<AcquirerCount> {
  readonly isSignedOn: boolean
  readonly isLoading: boolean
  /** Requests that wait for an answer now. */
  readonly outstanding: number
  /** Reversals that nobody has acknowledged yet: their originals are in doubt. */
  readonly inDoubt: number
  /** Advices that nobody has acknowledged yet. */
  readonly advicesOpen: number
  /** Approvals that stand, as the cardholders feel them: purchases negative, voids and refunds positive. Minor units. */
  readonly money: number
  readonly latency: LatencyTotals
}
