/**
 * The judge over a run: applies every rule to the evidence and sums up.
 *
 * Owns the list of rules and the verdict. Pure: no files, no clock. What it as a whole does not check: response times
 * (the acquirer's own histograms), card data in files (CardLeaks), and whether the partners' histories are true.
 */
import { acquirerRules } from "./AcquirerRules.ts"
import { casesOf } from "./Cases.ts"
import type { Evidence } from "./Evidence.ts"
import { issuerRules } from "./IssuerRules.ts"
import { journalRules } from "./JournalRules.ts"
import type { Finding, Rule } from "./Rule.ts"
import { type Totals, totalsOf } from "./Totals.ts"

/** Every rule, in the order of the report. */
export const rules: ReadonlyArray<Rule> = [...acquirerRules, ...issuerRules, ...journalRules]

/** What one rule came to. */
export interface RuleResult {
  readonly rule: string
  readonly checks: string
  readonly doesNotCheck: string
  /** `skipped`: the evidence for it was not given. */
  readonly result: "kept" | "broken" | "skipped"
  readonly findings: ReadonlyArray<Finding>
}

/** The verdict on a run. */
export interface Verdict {
  readonly isPassed: boolean
  readonly totals: Totals
  readonly rules: ReadonlyArray<RuleResult>
  readonly findings: ReadonlyArray<Finding>
}

/** Judges a run. */
export const check = (evidence: Evidence): Verdict => {
  const cases = casesOf(evidence)
  const results = rules.map(({ name, checks, doesNotCheck, find }): RuleResult => {
    const findings = find(evidence, cases)
    const result = findings === undefined ? "skipped" : findings.length === 0 ? "kept" : "broken"
    return { rule: name, checks, doesNotCheck, result, findings: findings ?? [] }
  })
  const findings = results.flatMap((result) => result.findings)
  return { isPassed: findings.length === 0, totals: totalsOf(evidence, cases), rules: results, findings }
}
