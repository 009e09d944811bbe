/** Rules about the switch's own account: everything in the journal, everything ended, journal and partners agree. */
import { isApproved, kinds, stanOf } from "../message/Transaction.ts"
import type { Case, Cases } from "./Cases.ts"
import type { Evidence, JournalTransaction, SwitchCounters } from "./Evidence.ts"
import { type Finding, findingOf, type Rule } from "./Rule.ts"

const journalFinding = (rule: string, { rrn, key, mti }: JournalTransaction, says: string): Finding => ({
  rule,
  says: `${mti}: ${says}`,
  rrn,
  stan: stanOf(key)
})

/** G2. */
const journalEnds: Rule = {
  name: "journal-ends",
  guarantees: ["G2"],
  checks:
    "every transaction is in the journal once (an advice that was refused and taken on its repeat: once each), none is open, none was abandoned or declined and waits for a person",
  doesNotCheck: "whether it ended in time",
  find: ({ journal }) => {
    if (journal === undefined) return undefined
    const met = new Set<string>()
    return journal.flatMap((one) => {
      const says = met.has(one.key) ? "is in the journal twice" : unended(one)
      if (!isRefusedAdvice(one)) met.add(one.key)
      return says === undefined ? [] : [journalFinding("journal-ends", one, says)]
    })
  }
}

/** It stays its partner's, who sends it again: that is another exchange. */
const isRefusedAdvice = ({ mti, end }: JournalTransaction): boolean => end === "Rejected" && /^0[24]2[01]$/.test(mti)

const unended = ({ end }: JournalTransaction): string | undefined =>
  end === "Open" ? "still open" : end === "Abandoned" || end === "Declined" ? end.toLowerCase() : undefined

/** G1. */
const durableFirst: Rule = {
  name: "durable-first",
  guarantees: ["G1"],
  checks:
    "everything that the acquirer got an answer or acknowledgement for is in the journal, and what was acknowledged is there as taken and not as refused",
  doesNotCheck:
    "whether it was on disk before the answer left (crash tests show that); when the journal's store was away (--away): refusals of what never came to an issuer",
  find: ({ journal, acquirer, wasAway = false }, { all }) => {
    if (journal === undefined) return undefined
    const known = new Set(journal.map(({ key }) => key))
    const answered = new Set(["approved", "declined", "failed", "acknowledged", "refused"])
    const taken = new Set(journal.filter(({ end }) => end !== "Rejected").map(({ key }) => key))
    const missing = all
      .filter((one) => answered.has(one.ends[0]?.what ?? "") && !known.has(one.key) && !(wasAway && isRefusal(one)))
      .map((one) => findingOf("durable-first", one, "answered, but the journal does not have it"))
    const reversals = acquirer
      .filter(({ what, mti, key }) => what === "acknowledged" && mti?.slice(1) === "420" && !known.has(key ?? ""))
      .map(({ rrn, key }) => ({
        rule: "durable-first",
        says: "reversal acknowledged, but the journal does not have it",
        rrn: rrn ?? "",
        stan: stanOf(key ?? "")
      }))
    const refused = acquirer
      .filter(
        ({ what, code, key = "" }) =>
          what === "acknowledged" && isApproved(code ?? "") && known.has(key) && !taken.has(key)
      )
      .map((line) => ({
        rule: "durable-first",
        says: `${line.mti} acknowledged with ${line.code}, but the journal has it refused`,
        rrn: line.rrn ?? "",
        stan: stanOf(line.key ?? "")
      }))
    return [...missing, ...reversals, ...refused]
  }
}

/** A switch whose journal's store is away refuses at once; when it dies before it has written that, nothing is lost. */
const isRefusal = ({ ends, arrivals, undoings }: Case): boolean =>
  (ends[0]?.what === "failed" || ends[0]?.what === "refused") && arrivals.length + undoings.length === 0

/** One end each, and the same on both sides. */
const journalAgrees: Rule = {
  name: "journal-agrees",
  guarantees: ["G2", "G4"],
  checks: "the journal's end and code of a request are what the acquirer saw; a timed-out money request was reversed",
  doesNotCheck: "requests whose answer was lost with the acquirer's link: the acquirer reverses them",
  find: ({ journal }, cases) =>
    journal?.flatMap((entry) => {
      const says = disagreement(entry, cases)
      return says === undefined ? [] : [journalFinding("journal-agrees", entry, says)]
    })
}

const disagreement = (entry: JournalTransaction, { byKey }: Cases): string | undefined => {
  if (entry.mti[1] === "4") return undefined
  const one = byKey.get(entry.key)
  if (one === undefined) return "no acquirer sent it"
  if (entry.mti.slice(1) === "220") return undefined
  if (one.ends.length !== 1) return undefined
  const { what } = one.ends[0]!
  if (what === "notSent") return "the acquirer never sent it"
  const isAnswered = what === "approved" || what === "declined" || what === "failed"
  if (isAnswered && one.code !== entry.code) return `journal says ${entry.code}, the acquirer got ${one.code}`
  if (isAnswered && entry.end === "Open") return "the acquirer got an answer, the journal has no end"
  if (what === "approved" && entry.end !== "Answered") return `approved at the acquirer, ${entry.end} in the journal`
  if (what === "approved" && entry.reversed) return "approved at the acquirer and reversed by the switch"
  return unreversed(entry, one)
}

const unreversed = (entry: JournalTransaction, one: Case): string | undefined => {
  if (entry.end === "TimedOut" && kinds[one.kind].isReversible && !entry.reversed) return "timed out without a reversal"
  const { reversalEnd = "Acknowledged" } = entry
  if (entry.reversed && (reversalEnd === "Abandoned" || reversalEnd === "Declined"))
    return `its reversal was ${reversalEnd.toLowerCase()}: its money is in doubt`
  if (entry.end === "TimedOut" && isApproved(entry.code)) return "timed out with the code of an approval"
  return undefined
}

/** What was approved and not heard is in the issuer's books alone. */
const approvalsHeard: Rule = {
  name: "approvals-heard",
  guarantees: ["G4"],
  checks:
    "every approval in the journal that moves money was heard by its acquirer, or reversed by the switch or the acquirer",
  doesNotCheck: "requests that no acquirer's history has",
  find: ({ journal }, { byKey }) =>
    journal?.flatMap((entry) => {
      const one = byKey.get(entry.key)
      return one === undefined || !isUnheard(entry, one)
        ? []
        : [
            journalFinding(
              "approvals-heard",
              entry,
              "approved in the journal, never heard by the acquirer, not reversed"
            )
          ]
    })
}

const isUnheard = (entry: JournalTransaction, one: Case): boolean =>
  entry.end === "Answered" &&
  isApproved(entry.code) &&
  kinds[one.kind].isReversible &&
  !entry.reversed &&
  one.outcome !== "reversed" &&
  !one.ends.some(({ what }) => what === "approved" || what === "acknowledged")

const countersAgree: Rule = {
  name: "counters-agree",
  guarantees: [],
  checks: "the counters that the switch shows are the numbers in its journal",
  doesNotCheck: "counters that were not given",
  find: ({ journal, counters }) => {
    if (journal === undefined || counters === undefined) return undefined
    const counted = countersOf(journal)
    return (Object.keys(counted) as ReadonlyArray<keyof SwitchCounters>)
      .filter((name) => counters[name] !== undefined && counters[name] !== counted[name])
      .map((name) => ({
        rule: "counters-agree",
        says: `counter ${name} shows ${counters[name]}, the journal has ${counted[name]}`
      }))
  }
}

const countersOf = (journal: NonNullable<Evidence["journal"]>): Required<SwitchCounters> => {
  const ended = (end: JournalTransaction["end"]): number => journal.filter((entry) => entry.end === end).length
  return {
    answered: ended("Answered"),
    rejected: ended("Rejected"),
    timedOut: ended("TimedOut"),
    acknowledged: ended("Acknowledged"),
    abandoned: ended("Abandoned"),
    declined: ended("Declined"),
    reversed: journal.filter(({ reversed }) => reversed).length
  }
}

/** All rules on the switch's account. */
export const journalRules: ReadonlyArray<Rule> = [
  journalEnds,
  durableFirst,
  journalAgrees,
  approvalsHeard,
  countersAgree
]
