/**
 * Results for people: tables in the terminal, and the same in one line of JSON for programs.
 *
 * Owns layout and wording. Prints nothing itself.
 */
import Table from "cli-table3"
import type { AcquirerTotals } from "../acquirer/AcquirerTotals.ts"
import { notSeen, type Verdict } from "../checker/Checker.ts"
import { timelineText } from "../checker/Timeline.ts"
import type { Totals } from "../checker/Totals.ts"
import type { IssuerTotals } from "../issuer/IssuerTotals.ts"

/** Minor units as money with two decimals: -123456 is "-1,234.56". */
export const moneyText = (minor: number): string => {
  const whole = Math.trunc(Math.abs(minor) / 100).toLocaleString("en-US")
  return `${minor < 0 ? "-" : ""}${whole}.${String(Math.abs(minor) % 100).padStart(2, "0")}`
}

const countText = (count: number): string => count.toLocaleString("en-US")

/** Most columns of a line, so that a terminal does not break it anywhere. */
const LINE_MAX = 120

/** The columns of a table: two borders, two margins and a line between each of them. */
const BORDERS = 3

/** Columns for the last one: what the others leave of a line. */
const lastWidth = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): number => {
  const widths = head.slice(0, -1).map((name, at) => Math.max(...[name, ...rows.map((row) => row[at] ?? "")].map(len)))
  return LINE_MAX - 1 - widths.reduce((sum, width) => sum + width + BORDERS, 0) - BORDERS
}

const len = (text: string): number => text.length

/** Lines of a text that fit a width; what has no space to break at is broken anywhere. */
const broken = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width)
    const indent = rest.search(/\S/)
    const at = space > indent ? space : width
    lines.push(rest.slice(0, at))
    rest = rest.slice(space > indent ? at + 1 : at)
  }
  return [...lines, rest]
}

/** A line of text, and what of it does not fit below it, a little further in. */
const fitted = (line: string): ReadonlyArray<string> => {
  if (line.length <= LINE_MAX) return [line]
  const [first = ""] = broken(line, LINE_MAX)
  const inner = " ".repeat(line.search(/\S|$/) + 4)
  const rest = line.slice(first.length).trimStart()
  return [first, ...broken(rest, LINE_MAX - inner.length).map((part) => inner + part)]
}

/** No line between the rows; colour only where a terminal shows it. */
const tableOf = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  isColoured: boolean
): string => {
  const style = { compact: true, head: isColoured ? ["bold"] : [], border: isColoured ? ["grey"] : [] }
  const table = new Table({ head: [...head], colAligns: ["left", "right"], style })
  const width = lastWidth(head, rows)
  for (const row of rows) table.push([...row.slice(0, -1), broken(row.at(-1) ?? "", width).join("\n")])
  return table.toString()
}

const totalsRows = (totals: Totals): ReadonlyArray<readonly [string, string, string]> => [
  ["asked for", countText(totals.asked), "requests and advices of the workload"],
  ["sent", countText(totals.sent), "requests that left the acquirer"],
  ["answered", countText(totals.answered), "approved, declined or failed"],
  ["  approved", countText(totals.approved), ""],
  ["  declined", countText(totals.declined), ""],
  ["  failed", countText(totals.failed), "answered 68, 96 or 98: the switch gave up and reversed"],
  ["rejected", countText(totals.rejected), "refused with a reject code"],
  ["not sent", countText(totals.notSent), "no link signed on"],
  ["timed out", countText(totals.timedOut), "the acquirer gave up waiting"],
  ["link lost", countText(totals.linkLost), "the acquirer's link fell while waiting"],
  ["reversed", countText(totals.reversed), "in doubt at the acquirer, then acknowledged"],
  ["undone", countText(totals.undone), "effects that the issuer took back"],
  ["advices", countText(totals.advices), ""],
  ["acknowledged", countText(totals.acknowledged), "advices"],
  ["late", countText(totals.late), "answers after the request was given up"],
  ["in doubt", countText(totals.inDoubt), "nobody knows"],
  ["lost", countText(totals.lost), "approved, never processed"],
  ["doubled", countText(totals.doubled), "processed or sent twice"],
  ["money, acquirer", moneyText(totals.money.acquirer), "approvals that stand"],
  ["money, ledger", moneyText(totals.money.ledger), "sum of the issuer's postings"],
  ["money, in doubt", moneyText(totals.money.inDoubt), ""]
]

/** How many findings of one rule are listed. */
const FINDINGS_SHOWN = 10

/** The reconciliation and the rules, for a terminal. */
export const verdictTable = (verdict: Verdict, isColoured = false): string => {
  const totals = tableOf(["", "count", "meaning"], totalsRows(verdict.totals), isColoured)
  const rules = tableOf(
    ["rule", "findings", "what must hold"],
    verdict.rules.map(({ rule, result, findings, checks }) => [
      rule,
      result === "kept" ? "kept" : result === "skipped" ? "not given" : `${countText(findings.length)} BROKEN`,
      checks
    ]),
    isColoured
  )
  const findings = verdict.rules.flatMap(({ rule, findings: found }) => {
    const shown = found.slice(0, FINDINGS_SHOWN).map(({ says, rrn, stan }) => {
      const which = rrn === undefined ? "" : ` (RRN ${rrn}${stan === undefined ? "" : `, STAN ${stan}`})`
      return `  ${rule}: ${says}${which}`
    })
    const more = found.length - shown.length
    return more > 0 ? [...shown, `  ${rule}: and ${countText(more)} more`] : shown
  })
  const word = verdict.isPassed ? "Every rule was kept." : `${countText(verdict.findings.length)} findings:`
  const made = verdict.made.map(({ says, rule }) => `  ${rule}: ${says}`)
  const proxies =
    made.length === 0
      ? []
      : [`${countText(made.length)} made by a proxy itself, and no findings:`, ...made.slice(0, 10)]
  const timelines = verdict.timelines
    .slice(0, TIMELINES_SHOWN)
    .flatMap(({ finding, lines }) => [
      "",
      `${finding.rule}: ${finding.says} (RRN ${finding.rrn ?? "unknown"})`,
      ...timelineText(lines)
    ])
  const below = [word, ...findings, ...proxies, ...timelines, "", ...notCheckedText(verdict)]
  return [totals, rules, ...below.flatMap(fitted)].join("\n")
}

/** Timelines that a terminal shows. */
const TIMELINES_SHOWN = 3

const allGuarantees = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G9", "G10"]

/** By guarantee: what is not known after this check, and why. */
const notCheckedText = ({ rules }: Verdict): ReadonlyArray<string> => [
  "Not checked:",
  ...allGuarantees.flatMap((guarantee) => {
    const about = rules.filter(({ guarantees }) => guarantees.includes(guarantee))
    if (about.length === 0) return [`  ${guarantee}  ${notSeen[guarantee] ?? "no rule looks at it"}`]
    const skipped = about
      .filter(({ result }) => result === "skipped")
      .map(({ rule }) => `${rule} (its evidence was not given)`)
    const blind = about.filter(({ result }) => result !== "skipped").map(({ doesNotCheck }) => doesNotCheck)
    return [`  ${guarantee}  ${[...skipped, ...blind].join("; ")}`]
  })
]

/** The verdict as one JSON object: totals, the result of each rule, the first findings. */
export const verdictLine = (verdict: Verdict): string =>
  JSON.stringify({
    event: "verdict",
    passed: verdict.isPassed,
    ...verdict.totals,
    rules: Object.fromEntries(
      verdict.rules.map(({ rule, result, findings }) => [rule, result === "broken" ? findings.length : result])
    ),
    findings: verdict.findings.slice(0, 100),
    made: verdict.made.slice(0, 100),
    timelines: verdict.timelines
  })

/** An acquirer's totals for a terminal. */
export const acquirerTable = (totals: AcquirerTotals, isColoured = false): string => {
  const { latency, money, isSignedOn: _on, isLoading: _loading, ...counts } = totals
  const rows = Object.entries(counts).map(([name, count]) => [name, countText(count), ""])
  const milliseconds = (value: number): string => `${value.toFixed(2)} ms`
  return tableOf(
    ["acquirer", "", "meaning"],
    [
      ...rows,
      ["money", moneyText(money), "approvals that stand"],
      ["response p50", milliseconds(latency.response.p50), "from the intended start"],
      ["response p99", milliseconds(latency.response.p99), ""],
      ["response p99.9", milliseconds(latency.response.p999), ""],
      ["service p99", milliseconds(latency.service.p99), "from the actual sending"],
      ["generator lag p99", milliseconds(latency.lag.p99), "how late requests were sent"]
    ],
    isColoured
  )
}

/** An issuer's totals for a terminal. */
export const issuerTable = (totals: IssuerTotals, isColoured = false): string => {
  const { ledger, ...counts } = totals
  const rows = Object.entries(counts).map(([name, count]) => [name, countText(count), ""])
  return tableOf(
    ["issuer", "", "meaning"],
    [
      ...rows,
      ["accounts", countText(ledger.accounts), ""],
      ["postings", countText(ledger.postings), ""],
      ["standing", countText(ledger.standing), "effects that were not undone"],
      ["undone", countText(ledger.undone), ""],
      ["tombstones", countText(ledger.tombstones), "reversals of what never came before them"],
      ["balances moved", moneyText(ledger.available - ledger.opening), ""]
    ],
    isColoured
  )
}
