/**
 * Everything that is known of one transaction, by time: both partners, the ledger, the journal's account, the faults of the
 * proxies and the bytes that they saw.
 *
 * Owns the join by RRN, key and STAN, and the words of each line. Judges nothing. Card data was covered by whoever wrote it.
 * Clocks of several machines are not one: lines of different files may be in the wrong order by their difference.
 */
import { stanOf } from "../message/Transaction.ts"
import type { Evidence } from "./Evidence.ts"
import type { Finding } from "./Rule.ts"

/** One line of a timeline. `at` is undefined where its source keeps no times: it comes last. */
export interface TimelineLine {
  readonly at: number | undefined
  readonly who: string
  readonly says: string
  /** Hex of the message, where somebody kept it. */
  readonly bytes?: string
}

/** Lines of one transaction at most: a flood of repeats says nothing more. */
const LINES_MAX = 40

/** What names the transaction: its RRN, and every STAN that any of its messages had. */
interface Names {
  readonly rrn: string
  readonly stans: ReadonlySet<string>
}

const namesOf = ({ acquirer }: Evidence, { rrn = "", stan = "" }: Finding): Names => {
  const stans = new Set(stan === "" ? [] : [stan])
  for (const line of acquirer) if (rrn !== "" && line.rrn === rrn && line.key !== undefined) stans.add(stanOf(line.key))
  return { rrn, stans }
}

interface Named {
  readonly rrn?: string
  readonly stan?: string
}

/** A message is of the transaction by its RRN; by its STAN alone only where it has no RRN. */
const isOf = ({ rrn, stans }: Names, one: Named): boolean =>
  rrn !== "" && one.rrn !== undefined ? one.rrn === rrn : one.stan !== undefined && stans.has(one.stan)

const partnerLines = (evidence: Evidence, names: Names): ReadonlyArray<TimelineLine> =>
  (["acquirer", "issuer"] as const).flatMap((who) =>
    evidence[who]
      .filter((line) => line.rrn !== undefined && line.rrn === names.rrn)
      .map(({ amount, answer, approved, at, attempt, code, mti, reason, rule, what }) => {
        const facts = [
          mti ?? "",
          what,
          code === undefined ? "" : `code ${code}`,
          amount === undefined ? "" : `amount ${amount}`,
          approved === undefined ? "" : `approved ${approved}`,
          attempt === undefined ? "" : `attempt ${attempt}`,
          rule === undefined ? "" : `rule ${rule}`,
          answer === undefined ? "" : `answer ${answer}`,
          reason ?? ""
        ]
        return { at, who, says: facts.filter((fact) => fact !== "").join(", ") }
      })
  )

const proxyLines = (
  { faults = [], issuerFaults = [], traffic = [] }: Evidence,
  names: Names
): ReadonlyArray<TimelineLine> => [
  ...[...faults, ...issuerFaults]
    .filter((line) => isOf(names, line))
    .map(({ after, at, before, did, direction, mti, rule, says }) => ({
      at,
      who: `proxy, ${direction ?? "both ways"}`,
      says: [`${mti ?? "a message"}: ${did}`, rule === undefined ? "" : `by "${rule}"`, says ?? ""]
        .filter(Boolean)
        .join(", "),
      ...((after ?? before) === undefined ? {} : { bytes: after ?? before! })
    })),
  ...traffic
    .filter((line) => isOf(names, line))
    .map(({ at, bytes, connection, direction, mti }) => ({
      at,
      who: `wire ${connection}, ${direction}`,
      says: mti ?? "a message",
      bytes
    }))
]

const bookLines = ({ journal = [], postings }: Evidence, names: Names): ReadonlyArray<TimelineLine> => [
  ...postings
    .filter(({ rrn }) => rrn === names.rrn)
    .map(({ amount, rule }) => ({ at: undefined, who: "ledger", says: `${rule} ${amount}` })),
  ...journal
    .filter(({ rrn, key }) => rrn === names.rrn || (rrn === "" && names.stans.has(stanOf(key))))
    .map(({ code, end, mti, reversalEnd, reversed }) => ({
      at: undefined,
      who: "journal",
      says: `${mti}: ${end}${code === "" ? "" : ` with ${code}`}${reversed ? `, reversed (${reversalEnd ?? "acknowledged"})` : ""}`
    }))
]

/** The timeline of a finding; empty when it is about no single transaction. */
export const timelineOf = (evidence: Evidence, finding: Finding): ReadonlyArray<TimelineLine> => {
  if (finding.rrn === undefined && finding.stan === undefined) return []
  const names = namesOf(evidence, finding)
  const lines = [...partnerLines(evidence, names), ...proxyLines(evidence, names)]
  const byTime = lines.sort((one, other) => (one.at ?? 0) - (other.at ?? 0)).slice(0, LINES_MAX)
  return [...byTime, ...bookLines(evidence, names)]
}

/** Bytes of hex on one line. */
const BYTES_PER_LINE = 32

/** The timeline as text: times in seconds from its first line, bytes as hex and text below. */
export const timelineText = (lines: ReadonlyArray<TimelineLine>): ReadonlyArray<string> => {
  const first = lines.find(({ at }) => at !== undefined)?.at ?? 0
  const width = Math.max(0, ...lines.map(({ who }) => who.length))
  return lines.flatMap(({ at, bytes, says, who }) => {
    const time = at === undefined ? "" : ((at - first) / 1000).toFixed(3)
    return [`${time.padStart(10)}  ${who.padEnd(width)}  ${says}`, ...(bytes === undefined ? [] : dump(bytes))]
  })
}

const dump = (hex: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(hex, "hex")
  const lines: Array<string> = []
  for (let from = 0; from < bytes.length; from += BYTES_PER_LINE) {
    const part = bytes.subarray(from, from + BYTES_PER_LINE)
    const text = [...part].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")
    lines.push(`${" ".repeat(12)}${part.toString("hex").padEnd(2 * BYTES_PER_LINE)}  ${text}`)
  }
  return lines
}
