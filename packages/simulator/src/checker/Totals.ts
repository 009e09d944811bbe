/**
 * The reconciliation: what was sent, how it ended, what it moved.
 *
 * Owns the sums over the cases. Amounts in minor units; negative takes from cardholders.
 */
import { type Case, type Cases, expectedEffect, type Outcome } from "./Cases.ts"
import type { Evidence } from "./Evidence.ts"

/** One row per number that both sides must agree on. */
export interface Totals {
  /** Requests and advices that left the acquirer or were due. */
  readonly asked: number
  readonly sent: number
  readonly answered: number
  readonly approved: number
  readonly declined: number
  readonly failed: number
  readonly rejected: number
  readonly notSent: number
  /** Given up by the acquirer: time. */
  readonly timedOut: number
  /** Given up by the acquirer: link. */
  readonly linkLost: number
  /** In doubt, then reversed and acknowledged. */
  readonly reversed: number
  /** Reversals that the issuer undid something for, the switch's own included. */
  readonly undone: number
  readonly advices: number
  readonly acknowledged: number
  readonly inDoubt: number
  /** Approved or acknowledged, but never processed at the issuer. */
  readonly lost: number
  readonly doubled: number
  readonly late: number
  readonly money: { readonly acquirer: number; readonly ledger: number; readonly inDoubt: number }
}

/** Sums up a run. */
export const totalsOf = (evidence: Evidence, { all }: Cases): Totals => {
  const outcome = (name: Outcome): number => all.filter((one) => one.outcome === name).length
  const ended = (what: string): number => all.filter((one) => one.ends[0]?.what === what).length
  const lines = (side: "acquirer" | "issuer", what: string): number =>
    evidence[side].filter((line) => line.what === what).length
  const advices = all.filter((one) => one.kind === "refund")
  const approved = ended("approved")
  const declined = ended("declined")
  const failed = ended("failed")
  const unsure = all.filter((one) => expectedEffect(one) === undefined)
  return {
    asked: all.length,
    sent: lines("acquirer", "sent"),
    answered: approved + declined + failed,
    approved,
    declined,
    failed,
    rejected: ended("rejected"),
    notSent: ended("notSent"),
    timedOut: ended("timedOut"),
    linkLost: ended("linkLost"),
    reversed: outcome("reversed"),
    undone: evidence.postings.filter((posting) => posting.rule === "undo").length,
    advices: advices.length,
    acknowledged: ended("acknowledged") + ended("refused"),
    inDoubt: unsure.length,
    lost: all.filter(isLost).length,
    doubled: lines("issuer", "doubled"),
    late: lines("acquirer", "late"),
    money: {
      acquirer: all.reduce((sum, one) => sum + (expectedEffect(one) ?? 0), 0),
      ledger: evidence.postings.reduce((sum, posting) => sum + posting.amount, 0),
      inDoubt: unsure.reduce((sum, one) => sum + one.amount, 0)
    }
  }
}

const isLost = (one: Case): boolean =>
  one.outcome === "approved" && !one.arrivals.some((line) => line.answer !== "ignored")
