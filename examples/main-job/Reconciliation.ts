/**
 * Four accounts of one run beside each other: the acquirer's history, the issuer's history and ledger, the switch's
 * journal, and the switch's counters. Whoever is right, they must agree.
 */
import { writeFileSync } from "node:fs"
import { check, type JournalTransaction, readEvidence, transactionKey, type Verdict } from "@jinka/simulator"
import { Effect } from "effect"
import { files } from "./Cast.ts"
import type { Said } from "./Child.ts"

/** A line of `jinka journal summary --json` about one exchange; only what is used here. */
export interface SummaryLine {
  readonly exchange: number
  readonly mti: string
  readonly stan: string
  readonly rrn: string
  readonly transmissionTime: string
  readonly acquirer: string
  readonly forwarder: string
  readonly end: JournalTransaction["end"]
  readonly code: string
  readonly reversal: number | null
  readonly reversalEnd: NonNullable<JournalTransaction["reversalEnd"]> | null
  readonly attempts: number
}

/** The same in the words of the checker. */
export const transaction = (line: SummaryLine): JournalTransaction => ({
  mti: line.mti,
  key: transactionKey({
    stan: line.stan,
    transmitted: line.transmissionTime,
    acquirer: line.acquirer,
    forwarder: line.forwarder
  }),
  rrn: line.rrn,
  end: line.end,
  code: line.code,
  reversed: line.reversal !== null,
  reversalEnd: line.reversalEnd
})

/** The switch's counters in the checker's words, from the last line that it said. */
const countersOf = (stopped: Said | undefined) => {
  const entries = stopped?.["entries"] as { readonly [kind: string]: number } | undefined
  if (entries === undefined) return undefined
  return {
    answered: entries["answered"] ?? 0,
    rejected: (entries["refused"] ?? 0) + (entries["notSent"] ?? 0),
    timedOut: entries["timedOut"] ?? 0,
    acknowledged: entries["acknowledged"] ?? 0,
    abandoned: entries["abandoned"] ?? 0,
    declined: entries["declined"] ?? 0
  }
}

/** Compares the four. `summary` is the journal's account, `stopped` the last line of the switch. */
export const reconcile = Effect.fnUntraced(function* (
  directory: string,
  summary: ReadonlyArray<SummaryLine>,
  stopped: Said | undefined
) {
  const at = files(directory)
  const journal = summary.map(transaction)
  writeFileSync(at.summary, journal.map((line) => `${JSON.stringify(line)}\n`).join(""))
  const evidence = yield* readEvidence({ acquirer: [at.acquirer], issuer: [at.issuer], ledger: [at.ledger] })
  const verdict: Verdict = check({ ...evidence, journal, counters: countersOf(stopped) })
  return verdict
})

/** A transaction worth looking at: money that timed out and whose reversal needed the most attempts. */
export const mostInteresting = (summary: ReadonlyArray<SummaryLine>): SummaryLine | undefined => {
  const byExchange = new Map(summary.map((line) => [line.exchange, line]))
  const attempts = ({ reversal }: SummaryLine) => byExchange.get(reversal ?? 0)?.attempts ?? 0
  return summary
    .filter(({ reversal, rrn }) => reversal !== null && rrn !== "")
    .sort((one, other) => attempts(other) - attempts(one))[0]
}
