/** The form of a checker's rule and of what it finds. */
import { stanOf } from "../message/Transaction.ts"
import type { Case, Cases } from "./Cases.ts"
import type { Evidence } from "./Evidence.ts"

/** One breach. Names the transaction, never the card. */
export interface Finding {
  readonly rule: string
  readonly says: string
  /** DE 37, when it is about one transaction. */
  readonly rrn?: string
  /** DE 11 as the acquirer numbered it. */
  readonly stan?: string
}

/** A rule that a run must keep. Pure. */
export interface Rule {
  readonly name: string
  /** The guarantees that it looks at (docs/concepts/guarantees.md): "G3". */
  readonly guarantees: ReadonlyArray<string>
  /** What must hold. */
  readonly checks: string
  /** What may be wrong without this rule seeing it. */
  readonly doesNotCheck: string
  /** Undefined when the evidence for this rule was not given. */
  readonly find: (evidence: Evidence, cases: Cases) => ReadonlyArray<Finding> | undefined
}

/** A finding about a case. */
export const findingOf = (rule: string, one: Case, says: string): Finding => ({
  rule,
  says: `${one.kind}: ${says}`,
  rrn: one.rrn,
  stan: stanOf(one.key)
})
