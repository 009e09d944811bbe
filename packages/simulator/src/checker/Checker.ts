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
import { madeBy, proxyRules } from "./ProxyRules.ts"
import type { Finding, Rule } from "./Rule.ts"
import { type TimelineLine, timelineOf } from "./Timeline.ts"
import { type Totals, totalsOf } from "./Totals.ts"

/** Every rule, in the order of the report. */
export const rules: ReadonlyArray<Rule> = [...acquirerRules, ...issuerRules, ...journalRules, ...proxyRules]

/** What one rule came to. */
export interface RuleResult {
  readonly rule: string
  readonly guarantees: ReadonlyArray<string>
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
  /** What would be a finding, had not a proxy made it itself. */
  readonly made: ReadonlyArray<Finding>
  /** All that is known of the first findings, in their order. */
  readonly timelines: ReadonlyArray<Timeline>
}

/** A finding with all that is known of its transaction. */
export interface Timeline {
  readonly finding: Finding
  readonly lines: ReadonlyArray<TimelineLine>
}

/** Findings whose timelines are told. */
const TIMELINES_MAX = 20

/** What no rule here can see, by guarantee: what shows it is in docs/concepts/guarantees.md. */
export const notSeen: Readonly<Record<string, string>> = {
  G8: "bounded memory: histories say nothing of it; look at the process under load",
  G9: "stopping in doubt: a run that went on shows nothing; tests of failing disks do"
}

/** Judges a run. */
export const check = (evidence: Evidence): Verdict => {
  const cases = casesOf(evidence)
  const made: Array<Finding> = []
  let isMoneyBroken = false
  const results = rules.map(({ name, guarantees, checks, doesNotCheck, find }): RuleResult => {
    const all = find(evidence, cases)
    const findings = (all ?? []).filter((finding) => {
      const maker = madeBy(evidence, finding)
      // The sum is of what the transactions are: where a proxy made all that is wrong with those, it made the sum.
      const isSum = name === "money-total" && made.some(({ rule }) => rule === "money") && !isMoneyBroken
      if (maker !== undefined || isSum) {
        const says =
          maker === undefined ? "the sum of what proxies made" : `the proxy's own "${maker.rule ?? maker.did}"`
        made.push({ ...finding, says: `${finding.says}: ${says}` })
      }
      return maker === undefined && !isSum
    })
    if (name === "money") isMoneyBroken = findings.length > 0
    const result = all === undefined ? "skipped" : findings.length === 0 ? "kept" : "broken"
    return { rule: name, guarantees, checks, doesNotCheck, result, findings }
  })
  const findings = results.flatMap((result) => result.findings)
  const timelines = findings
    .slice(0, TIMELINES_MAX)
    .map((finding) => ({ finding, lines: timelineOf(evidence, finding) }))
    .filter(({ lines }) => lines.length > 0)
  const totals = totalsOf(evidence, cases)
  return { isPassed: findings.length === 0, totals, rules: results, findings, made, timelines }
}
