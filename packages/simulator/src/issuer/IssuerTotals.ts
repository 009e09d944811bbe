/** The issuer's counters: what it received, decided and did. Owns the types and their start; counts nothing itself. */
import type { LedgerTotals } from "./Ledger.ts"

/** Counters since the start. */
export interface IssuerCount {
  /** Requests, advices and reversals, repeats included. */
  received: number
  approved: number
  declined: number
  answered: number
  delayed: number
  dropped: number
  ignored: number
  /** Delayed answers whose connection had fallen. */
  answersLost: number
  repeats: number
  /** The same transaction twice without the repeat mark. */
  doubled: number
  reversals: number
  unmatched: number
  signOns: number
  links: number
}

/** All zero. */
export const noCount = (): IssuerCount => ({
  received: 0,
  approved: 0,
  declined: 0,
  answered: 0,
  delayed: 0,
  dropped: 0,
  ignored: 0,
  answersLost: 0,
  repeats: 0,
  doubled: 0,
  reversals: 0,
  unmatched: 0,
  signOns: 0,
  links: 0
})

/** The state of an issuer, for `status` and the summary. */
export interface IssuerTotals extends Readonly<IssuerCount> {
  readonly ledger: LedgerTotals
}
