/** Runs whose journal breaks a rule: each names the rule, says how, and what else breaks. */
import type { Evidence } from "../../packages/simulator/src/checker/Evidence.ts"
import { keyOf, lineOf, sound, soundRun, withJournal } from "./SoundRun.ts"

/** A sound run with one breach. */
export type Breach = readonly [rule: string, how: string, evidence: () => Evidence, also: ReadonlyArray<string>]

/** See above. */
export const journalBreaches: ReadonlyArray<Breach> = [
  [
    "journal-ends",
    "a transaction is still open",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Open" } : entry)),
    []
  ],
  [
    "journal-ends",
    "a reversal was abandoned",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Abandoned" } : entry)),
    []
  ],
  [
    "journal-ends",
    "a reversal was declined",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Declined", code: "57" } : entry)),
    []
  ],
  [
    "journal-ends",
    "a transaction has two entries",
    () => ({ ...sound(), journal: [...sound().journal!, sound().journal![1]!], counters: undefined }),
    []
  ],
  [
    "durable-first",
    "an answered request is not in the journal",
    () => withJournal((entry) => (entry.key === keyOf(1) ? undefined : entry)),
    []
  ],
  [
    "durable-first",
    "an acknowledged reversal is not in the journal",
    () => withJournal((entry) => (entry.key === keyOf(103) ? undefined : entry)),
    []
  ],
  [
    "durable-first",
    "a refusal that was never written, and nothing was away",
    () => {
      const run = soundRun().asked(9, "purchase", 100, "failed", "96")
      run.entry(8, "0100", "Answered", "00")
      return { ...run.evidence(), counters: undefined }
    },
    []
  ],
  [
    "durable-first",
    "an acknowledged advice is refused in the journal",
    () => withJournal((entry) => (entry.key === keyOf(6) ? { ...entry, end: "Rejected", code: "96" } : entry)),
    []
  ],
  [
    "durable-first",
    "an acknowledged reversal is refused in the journal",
    () => withJournal((entry) => (entry.key === keyOf(103) ? { ...entry, end: "Rejected", code: "96" } : entry)),
    []
  ],
  [
    "journal-agrees",
    "the codes differ",
    () => withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, code: "05" } : entry)),
    []
  ],
  [
    "journal-agrees",
    "an approved request was reversed by the switch",
    () => withJournal((entry) => (entry.key === keyOf(1) ? { ...entry, reversed: true } : entry)),
    []
  ],
  [
    "journal-agrees",
    "an approved request is timed out in the journal",
    () => withJournal((entry) => (entry.key === keyOf(1) ? { ...entry, end: "TimedOut", reversed: true } : entry)),
    []
  ],
  [
    "journal-agrees",
    "a timed-out money request has no reversal",
    () => withJournal((entry) => (entry.key === keyOf(4) ? { ...entry, reversed: false } : entry)),
    []
  ],
  [
    "journal-agrees",
    "the reversal of a timed-out money request was abandoned or declined",
    () =>
      withJournal((entry) =>
        entry.key === keyOf(4)
          ? { ...entry, reversalEnd: "Declined" }
          : entry.key === keyOf(3)
            ? { ...entry, reversalEnd: "Abandoned" }
            : entry
      ),
    []
  ],
  [
    "journal-agrees",
    "the journal has a request that nobody sent",
    () => withJournal((entry) => (entry.key === keyOf(2) ? { ...entry, key: keyOf(77) } : entry)),
    ["durable-first"]
  ],
  [
    "approvals-heard",
    "an approval was not heard and not reversed",
    () => {
      const evidence = sound()
      const approved = lineOf(evidence, 1, "approved")
      const { code: _, ...unheard } = { ...approved, what: "linkLost" as const }
      return { ...evidence, acquirer: evidence.acquirer.map((line) => (line === approved ? unheard : line)) }
    },
    ["settled", "progress"]
  ],
  ["counters-agree", "a counter differs from the journal", () => ({ ...sound(), counters: { timedOut: 3 } }), []]
]
