/**
 * The evidence sorted by transaction: everything that both sides know about one RRN.
 *
 * Owns the join and the reading of an outcome from the acquirer's side. Judges nothing (rules).
 */
import type { HistoryLine } from "../history/History.ts"
import type { Posting } from "../issuer/Ledger.ts"
import { type Kind, kinds } from "../message/Transaction.ts"
import type { Evidence } from "./Evidence.ts"

/**
 * What a transaction is to the acquirer. `reversed`: its outcome was in doubt and its reversal was acknowledged.
 * `inDoubt`: the reversal was not. `unanswered`: an inquiry without an answer, which moves no money. `open`: never ended.
 */
export type Outcome =
  | "approved"
  | "declined"
  | "failed"
  | "rejected"
  | "notSent"
  | "unanswered"
  | "reversed"
  | "inDoubt"
  | "open"

/** One transaction of the workload. */
export interface Case {
  readonly rrn: string
  readonly kind: Kind
  readonly mti: string
  readonly key: string
  /** Minor units. */
  readonly amount: number
  readonly outcome: Outcome
  /** What of it was approved, in minor units: less than the amount in a partial approval. */
  readonly approved: number
  /** DE 39 that the acquirer took; "" when none. */
  readonly code: string
  /** Several transactions have this RRN: their lines cannot be told apart. */
  readonly isShared: boolean
  /** Lines that end the request or advice itself: exactly one in a sound history. */
  readonly ends: ReadonlyArray<HistoryLine>
  /** Attempts of the acquirer's own reversal. */
  readonly reversals: ReadonlyArray<HistoryLine>
  readonly reversalEnd: HistoryLine | undefined
  /** What its reversals leave of the amount, in minor units; 0: they take all back. */
  readonly remains: number
  /** Arrivals of the request or advice at the issuer. */
  readonly arrivals: ReadonlyArray<HistoryLine>
  /** Arrivals of its reversals at the issuer, by whomever. */
  readonly undoings: ReadonlyArray<HistoryLine>
  readonly postings: ReadonlyArray<Posting>
  /** Sum of the postings: what the cardholder feels now. */
  readonly effect: number
}

const endings: ReadonlySet<string> = new Set([
  "approved",
  "declined",
  "failed",
  "rejected",
  "notSent",
  "timedOut",
  "linkLost"
])

interface Gathered {
  opening: HistoryLine | undefined
  /** How often it was opened by a request, and the keys of the openings. */
  requests: number
  readonly keys: Set<string>
  readonly ends: Array<HistoryLine>
  readonly reversals: Array<HistoryLine>
  reversalEnd: HistoryLine | undefined
  readonly arrivals: Array<HistoryLine>
  readonly undoings: Array<HistoryLine>
  readonly postings: Array<Posting>
}

/** All cases, in the order in which the acquirer opened them, and what belongs to no case. */
export interface Cases {
  readonly all: ReadonlyArray<Case>
  readonly byKey: ReadonlyMap<string, Case>
  /** Arrivals and postings under an RRN that no acquirer used. */
  readonly strangers: ReadonlyArray<HistoryLine | Posting>
}

/** Class 4, in every edition: 0420, 1421. */
const isReversal = (mti = ""): boolean => mti[1] === "4"

/** Sorts the evidence. */
export const casesOf = (evidence: Evidence): Cases => {
  const gathered = new Map<string, Gathered>()
  const at = (rrn: string): Gathered => {
    const known = gathered.get(rrn)
    if (known !== undefined) return known
    const fresh: Gathered = {
      opening: undefined,
      requests: 0,
      keys: new Set(),
      ends: [],
      reversals: [],
      reversalEnd: undefined,
      arrivals: [],
      undoings: [],
      postings: []
    }
    gathered.set(rrn, fresh)
    return fresh
  }
  for (const line of evidence.acquirer) if (line.rrn !== undefined) takeAcquirerLine(at(line.rrn), line)
  for (const line of evidence.issuer) {
    if (line.what !== "received" || line.rrn === undefined) continue
    const { arrivals, undoings } = at(line.rrn)
    if (isReversal(line.mti)) undoings.push(line)
    else arrivals.push(line)
  }
  for (const posting of evidence.postings) at(posting.rrn).postings.push(posting)
  const all: Array<Case> = []
  const strangers: Array<HistoryLine | Posting> = []
  for (const [rrn, one] of gathered) {
    if (one.opening === undefined) strangers.push(...one.arrivals, ...one.postings)
    else all.push(caseOf(rrn, one, one.opening))
  }
  return { all, strangers, byKey: new Map(all.map((one) => [one.key, one])) }
}

const takeAcquirerLine = (into: Gathered, line: HistoryLine): void => {
  switch (line.what) {
    case "sent":
      into.opening = line
      into.requests++
      into.keys.add(line.key ?? "")
      return
    case "advice":
      into.opening ??= line
      into.keys.add(line.key ?? "")
      return
    case "reversal":
      into.reversals.push(line)
      return
    case "acknowledged":
    case "refused":
    case "unacknowledged":
      if (isReversal(line.mti)) into.reversalEnd = line
      else {
        // An advice that never left has no attempt line.
        into.opening ??= line
        into.ends.push(line)
      }
      return
    default:
      if (!endings.has(line.what)) return
      into.opening ??= line
      into.ends.push(line)
  }
}

const caseOf = (rrn: string, one: Gathered, opening: HistoryLine): Case => ({
  rrn,
  kind: opening.kind as Kind,
  mti: opening.mti?.replace(/1$/, "0") ?? "",
  key: opening.key ?? "",
  isShared: one.requests > 1 || one.keys.size > 1,
  amount: opening.amount ?? 0,
  approved: one.ends[0]?.approved ?? opening.amount ?? 0,
  outcome: outcomeOf(one, opening.kind as Kind),
  code: one.ends[0]?.code ?? "",
  ends: one.ends,
  reversals: one.reversals,
  reversalEnd: one.reversalEnd,
  remains: one.reversals.length === 0 ? 0 : Math.min(...one.reversals.map(({ remains }) => remains ?? 0)),
  arrivals: one.arrivals,
  undoings: one.undoings,
  postings: one.postings,
  effect: one.postings.reduce((sum, posting) => sum + posting.amount, 0)
})

const outcomeOf = (one: Gathered, kind: Kind): Outcome => {
  const what = one.ends[0]?.what
  if (one.reversalEnd?.what === "acknowledged") return "reversed"
  if (one.reversals.length > 0 || one.reversalEnd !== undefined) return "inDoubt"
  switch (what) {
    case "acknowledged":
      return "approved"
    case "refused":
      return "declined"
    case "timedOut":
    case "linkLost":
      return kinds[kind].isReversible ? "inDoubt" : "unanswered"
    case "approved":
    case "declined":
    case "failed":
    case "rejected":
    case "notSent":
      return what
    default:
      return "open"
  }
}

/** What an approval of the case does to the cardholder's balance. */
export const approvedEffect = (one: Case): number => kinds[one.kind].sign * one.approved

/** What may have been approved of it while the acquirer knows nothing: all of it, or the part that the issuer says. */
export const possibleEffects = (one: Case): ReadonlyArray<number> =>
  [one.approved, ...one.arrivals.flatMap(({ approved }) => approved ?? [])].map((part) => kinds[one.kind].sign * part)

/** What is left of that behind its reversals. */
export const remainingEffect = (one: Case): number => kinds[one.kind].sign * one.remains

/** What the ledger must show; undefined when the acquirer does not know. */
export const expectedEffect = (one: Case): number | undefined => {
  if (one.outcome === "approved") return approvedEffect(one)
  if (one.outcome === "reversed") return one.remains === 0 ? 0 : remainingEffect(one)
  return one.outcome === "inDoubt" || one.outcome === "open" ? undefined : 0
}
