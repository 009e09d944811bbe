/** Rules about what reached the issuer and what its ledger shows: nothing lost, nothing doubled, the money. */
import type { HistoryLine } from "../history/History.ts"
import type { Posting } from "../issuer/Ledger.ts"
import { isApproved, stanOf } from "../message/Transaction.ts"
import { approvedEffect, type Case, expectedEffect, possibleEffects, remainingEffect } from "./Cases.ts"
import type { Evidence } from "./Evidence.ts"
import { type Finding, findingOf, type Rule } from "./Rule.ts"

const isProcessed = (line: HistoryLine): boolean => line.answer !== "ignored"

/** Jepsen's total-queue: what was acknowledged came out at the other side. */
const nothingLost: Rule = {
  name: "nothing-lost",
  guarantees: ["G1"],
  checks: "what the acquirer holds for approved, acknowledged or reversed was processed by the issuer",
  doesNotCheck: "declines: the switch may give the same codes by itself",
  find: (_, { all }) => {
    const findings: Array<Finding> = []
    for (const one of all) {
      if (one.outcome === "approved" && !one.arrivals.some(isProcessed)) {
        findings.push(findingOf("nothing-lost", one, "approved, but the issuer never processed it"))
      }
      // 25 may be the switch's own word on an original that it never had: then there is nothing to bring to the issuer.
      const isTaken = one.outcome === "reversed" && isApproved(one.reversalEnd?.code ?? "")
      if (isTaken && !one.undoings.some(isProcessed)) {
        findings.push(findingOf("nothing-lost", one, "reversal acknowledged, but the issuer never processed one"))
      }
    }
    return findings
  }
}

const nothingUnexpected: Rule = {
  name: "nothing-unexpected",
  guarantees: ["G6"],
  checks: "the issuer got no transaction that no acquirer opened",
  doesNotCheck: "reversals of transactions that the acquirer opened: the switch may write its own",
  find: (_, { strangers }) =>
    strangers.map((stranger) => ({
      rule: "nothing-unexpected",
      says: "reached the issuer, but no acquirer sent it",
      rrn: stranger.rrn ?? "",
      stan: stanOf(stranger.key ?? "")
    }))
}

/** Class 2, advices, in every edition. */
const isAdvice = (mti: string): boolean => mti.slice(1, 3) === "22"

/** G4 and G5. */
const noBlindResend: Rule = {
  name: "no-blind-resend",
  guarantees: ["G4", "G5"],
  checks: "no request reached the issuer twice, and no advice or reversal twice without the repeat mark",
  doesNotCheck:
    "messages that were lost before the issuer read them; a first sending that its repeat on a later connection has overtaken",
  find: ({ issuer }, { all }) => [
    ...issuer
      .filter((line) => line.what === "doubled" && !isOvertaken(line, issuer))
      .map((line) => ({
        rule: "no-blind-resend",
        says: `${line.kind ?? "reversal"}: ${line.mti} came again without the repeat mark`,
        rrn: line.rrn ?? "",
        stan: stanOf(line.key ?? "")
      })),
    ...all
      .filter((one) => !isAdvice(one.mti) && one.arrivals.length > 1)
      .map((one) => findingOf("no-blind-resend", one, `request reached the issuer ${one.arrivals.length} times`))
  ]
}

/** The network was slow: all that came before it was marked, and on a connection that was made later. */
const isOvertaken = (doubled: HistoryLine, issuer: ReadonlyArray<HistoryLine>): boolean => {
  const { epoch, key, mti } = doubled
  const isSame = (line: HistoryLine): boolean => line.key === key && line.mti?.slice(0, 3) === mti?.slice(0, 3)
  const before = issuer.slice(0, issuer.indexOf(doubled)).filter((line) => line.what === "received" && isSame(line))
  return before.length > 0 && before.every((line) => Number(line.mti?.slice(-1)) % 2 === 1 && line.epoch > epoch)
}

/** Jepsen's bank, per transaction: no error can hide another one. */
const money: Rule = {
  name: "money",
  guarantees: ["G4"],
  checks:
    "each transaction's effect in the ledger is what the acquirer believes: approvals stand, what was reversed in part stands with the rest, all else has none",
  doesNotCheck: "transactions in doubt (settled reports them); fees and settlement",
  find: (_, { all }) =>
    all.flatMap((one) => {
      const expected = expectedEffect(one)
      if (expected === undefined) return isPossible(one) ? [] : [effectFinding(one, "0 or the whole amount")]
      return expected === one.effect ? [] : [effectFinding(one, String(expected))]
    })
}

const isPossible = (one: Case): boolean => [0, ...possibleEffects(one), remainingEffect(one)].includes(one.effect)

const effectFinding = (one: Case, expected: string): Finding =>
  findingOf("money", one, `acquirer holds it for ${one.outcome} (${expected}), the ledger shows ${one.effect}`)

/** Jepsen's counter: the sum lies between what is certain and what is possible; equal when nothing is in doubt. */
const moneyTotal: Rule = {
  name: "money-total",
  guarantees: ["G4"],
  checks: "the sum of approvals that stand equals the sum of the ledger's postings, within what is in doubt",
  doesNotCheck: "which transaction is wrong (money)",
  find: ({ postings }, { all }) => {
    const ledger = postings.reduce((sum, posting) => sum + posting.amount, 0)
    let low = 0
    let high = 0
    for (const one of all) {
      const expected = expectedEffect(one)
      low += expected ?? Math.min(0, approvedEffect(one))
      high += expected ?? Math.max(0, approvedEffect(one))
    }
    if (ledger >= low && ledger <= high) return []
    const range = low === high ? String(low) : `between ${low} and ${high}`
    return [{ rule: "money-total", says: `the ledger adds up to ${ledger}, the acquirer expects ${range}` }]
  }
}

const ledgerSound: Rule = {
  name: "ledger-sound",
  guarantees: [],
  checks:
    "no transaction has two effects, and none is undone twice or by another amount; a hold may come back once it was undone",
  doesNotCheck: "the order of postings; the balances (balances)",
  find: ({ postings }) => [...groupsOf(postings).values()].flatMap(unsound)
}

/** What is counted twice, or by nobody, when the days of both sides are not the same. */
const oneDay: Rule = {
  name: "one-day",
  guarantees: [],
  checks:
    "every approved exchange is counted in exactly one business day, the same at the acquirer and at the issuer, so that the sums of a day are even",
  doesNotCheck:
    "answers and histories without a settlement date; in which day a reversal counts; what the totals messages (class 5) say",
  find: ({ acquirer, issuer }, { all }) => {
    if (!acquirer.some(({ day }) => day !== undefined) || !issuer.some(({ day }) => day !== undefined)) return undefined
    return all.flatMap((one) => {
      if (one.outcome !== "approved") return []
      const told = daysOf(one.ends)
      const counted = daysOf(one.arrivals)
      if (counted.length > 1) return [findingOf("one-day", one, `the issuer counts it in ${counted.join(" and ")}`)]
      if (told.length === 0 || counted.length === 0 || told[0] === counted[0]) return []
      return [findingOf("one-day", one, `the acquirer counts it in ${told[0]}, the issuer in ${counted[0]}`)]
    })
  }
}

const daysOf = (lines: ReadonlyArray<HistoryLine>): ReadonlyArray<string> => [
  ...new Set(lines.flatMap(({ day }) => (day === undefined ? [] : [day])))
]

/** A ledger file without its last line was cut, or its issuer was killed: then nobody knows its balances. */
const balances: Rule = {
  name: "balances",
  guarantees: [],
  checks: "the balances are the sum of the postings",
  doesNotCheck: "each account by itself",
  find: ({ postings, ledger }) => {
    if (ledger === undefined) return undefined
    const sum = postings.reduce((total, posting) => total + posting.amount, 0)
    if (ledger.available - ledger.opening === sum) return []
    const says = `balances moved by ${ledger.available - ledger.opening}, the postings add up to ${sum}`
    return [{ rule: "balances", says }]
  }
}

const groupsOf = (postings: Evidence["postings"]): Map<string, Array<Posting>> => {
  const groups = new Map<string, Array<Posting>>()
  for (const posting of postings) {
    const group = groups.get(posting.key)
    if (group === undefined) groups.set(posting.key, [posting])
    else group.push(posting)
  }
  return groups
}

/** `left` is what stands without the undoing of all of it. */
const isUndoneWrongly = (effects: ReadonlyArray<Posting>, undone: ReadonlyArray<Posting>, left: number): boolean => {
  const first = effects[0]!.amount
  if (effects.length === 1) return left * first < 0 || (undone.length === 1 && undone[0]!.amount !== -left)
  const stands = undone.reduce((sum, { amount }) => sum + amount, left)
  return undone.length === effects.length ? stands !== 0 : stands * first < 0 || Math.abs(stands) > Math.abs(first)
}

const unsound = (group: ReadonlyArray<Posting>): ReadonlyArray<Finding> => {
  const effects = group.filter(({ rule }) => rule !== "undo" && rule !== "undoPart")
  const undone = group.filter((posting) => posting.rule === "undo")
  const parts = group.filter((posting) => posting.rule === "undoPart")
  const left = [...effects, ...parts].reduce((sum, { amount }) => sum + amount, 0)
  const { rrn, key } = group[0]!
  // A hold comes back when the purchase that completed it is reversed.
  const isHold = effects.length > 0 && effects.every(({ rule }) => rule === "hold")
  const most = isHold ? undone.length + 1 : 1
  const wrong =
    effects.length === 0 || effects.length > most
      ? `${effects.length} effects`
      : undone.length > effects.length
        ? `undone ${undone.length} times`
        : isUndoneWrongly(effects, undone, left)
          ? "undone by another amount"
          : undefined
  return wrong === undefined ? [] : [{ rule: "ledger-sound", says: wrong, rrn, stan: stanOf(key) }]
}

/** All rules on the issuer's side. */
export const issuerRules: ReadonlyArray<Rule> = [
  nothingLost,
  nothingUnexpected,
  noBlindResend,
  money,
  moneyTotal,
  ledgerSound,
  oneDay,
  balances
]
