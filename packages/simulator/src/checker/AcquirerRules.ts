/** Rules about what the acquirer saw: progress, one end, one answer, the right answer, nothing left open. */
import type { HistoryLine } from "../history/History.ts"
import { kindNames, stanOf } from "../message/Transaction.ts"
import { type Finding, findingOf, type Rule } from "./Rule.ts"

/** A run in which nothing succeeds passes every other rule. */
const progress: Rule = {
  name: "progress",
  guarantees: [],
  checks: "every kind of transaction that was asked for was approved at least once",
  doesNotCheck: "how many, or how fast",
  find: (_, { all }) => {
    if (all.length === 0) return [{ rule: "progress", says: "nothing was asked for" }]
    return kindNames
      .filter((kind) => all.some((one) => one.kind === kind))
      .filter((kind) => !all.some((one) => one.kind === kind && one.outcome === "approved"))
      .map((kind) => ({ rule: "progress", says: `no ${kind} was ever approved` }))
  }
}

const oneEnd: Rule = {
  name: "one-end",
  guarantees: ["G2"],
  checks: "the acquirer's history ends every request and advice exactly once",
  doesNotCheck: "whether the end was the right one",
  find: (_, { all }) =>
    all
      // Where several have its RRN, whose end it was nobody can say: unique-numbers tells of it.
      .filter((one) => one.ends.length !== 1 && !one.isShared)
      .map((one) => findingOf("one-end", one, one.ends.length === 0 ? "never ended" : `ended ${one.ends.length} times`))
}

const lineFinding = (rule: string, line: HistoryLine, says: string): Finding => ({
  rule,
  says,
  ...(line.rrn === undefined ? {} : { rrn: line.rrn }),
  ...(line.key === undefined ? {} : { stan: stanOf(line.key) })
})

/** G3. A first answer after the request was given up is not a breach: the two clocks are not one. */
const oneAnswer: Rule = {
  name: "one-answer",
  guarantees: ["G3"],
  checks: "no request got a second answer",
  doesNotCheck: "answers that came once but late: they are counted, and covered by the reversal",
  find: ({ acquirer }) =>
    acquirer
      .filter((line) => line.what === "duplicateAnswer")
      .map((line) => lineFinding("one-answer", line, `answered again (${line.code}) after ${line.reason}`))
}

const rightAnswer: Rule = {
  name: "right-answer",
  guarantees: ["G6"],
  checks:
    "every answer fits its request in PAN, amount, RRN, terminal and merchant, and none is for a request never sent",
  doesNotCheck: "fields that the answer leaves out",
  find: ({ acquirer }) =>
    acquirer
      .filter((line) => line.what === "mismatch" || line.what === "unmatched")
      .map((line) =>
        lineFinding(
          "right-answer",
          line,
          line.what === "mismatch" ? `answer differs in ${line.reason}` : `answer ${line.mti} to nothing that was sent`
        )
      )
}

const settled: Rule = {
  name: "settled",
  guarantees: ["G2", "G4"],
  checks: "nothing is in doubt: every in-doubt request has an acknowledged reversal, every advice is acknowledged",
  doesNotCheck: "whether the issuer did what it acknowledged (money)",
  find: (_, { all }) =>
    all
      .filter((one) => one.outcome === "inDoubt" || one.outcome === "open" || one.ends[0]?.what === "unacknowledged")
      .map((one) =>
        findingOf(
          "settled",
          one,
          one.outcome === "inDoubt" ? `in doubt, reversal sent ${one.reversals.length} times` : "not acknowledged"
        )
      )
}

const uniqueNumbers: Rule = {
  name: "unique-numbers",
  guarantees: [],
  checks: "no two transactions of the workload share a key (DE 7, 11, 32, 33) or an RRN, whoever sent them",
  doesNotCheck: "numbers that the switch gives",
  find: (_, { all, byKey }) => [
    ...all
      .filter((one) => byKey.get(one.key) !== one)
      .map((one) => findingOf("unique-numbers", one, "shares its key with another transaction")),
    ...all
      .filter((one) => one.isShared)
      .map((one) =>
        findingOf("unique-numbers", one, "another transaction has the same RRN: their lines cannot be told apart")
      )
  ]
}

/** G7, as far as one side can see it. */
const inTime: Rule = {
  name: "in-time",
  guarantees: ["G7"],
  checks: "no request took longer at its acquirer, from its sending to its end, than the time that was given",
  doesNotCheck: "when a dead partner was noticed, and deadlines inside the switch",
  find: ({ acquirer, withinMs }) => {
    if (withinMs === undefined) return undefined
    const sent = new Map<string, number>()
    return acquirer.flatMap((line): ReadonlyArray<Finding> => {
      if (line.key === undefined) return []
      if (line.what === "sent") sent.set(line.key, line.at)
      const began = sent.get(line.key)
      if (began === undefined || !requestEnds.has(line.what)) return []
      sent.delete(line.key)
      const took = line.at - began
      return took <= withinMs
        ? []
        : [lineFinding("in-time", line, `took ${took} ms, at most ${withinMs} ms were given`)]
    })
  }
}

const requestEnds: ReadonlySet<string> = new Set(["approved", "declined", "failed", "rejected", "timedOut", "linkLost"])

/** G10. The files themselves are read elsewhere; this only says what was found. */
const cardsCovered: Rule = {
  name: "cards-covered",
  guarantees: ["G10"],
  checks: "no history, ledger or log that was given holds a card number in clear, and no log a track",
  doesNotCheck: "files that were not given, memory, and numbers that no longer look like one (BCD, base64)",
  find: ({ cardData }) => cardData?.map((place) => ({ rule: "cards-covered", says: place }))
}

/** Both ends of a link have its keys. Two partners on the same side of the switch have links of their own. */
const keysApart: Rule = {
  name: "keys-apart",
  guarantees: [],
  checks: "no two acquirers and no two issuers have had the same working key, by its purpose and check value",
  doesNotCheck:
    "keys that never were exchanged, and an acquirer's against an issuer's: they may be the ends of one link",
  find: ({ keysInUse }) => {
    if (keysInUse === undefined || keysInUse.length === 0) return undefined
    const owners = new Map<string, Set<string>>()
    for (const { checkValue, partner, purpose, side } of keysInUse) {
      const key = `${side} ${purpose} key, check value ${checkValue}`
      owners.set(key, (owners.get(key) ?? new Set()).add(partner))
    }
    return [...owners].flatMap(([key, partners]) =>
      partners.size < 2 ? [] : [{ rule: "keys-apart", says: `${key}: in use by ${[...partners].join(" and ")}` }]
    )
  }
}

/** All rules on the acquirer's side. */
export const acquirerRules: ReadonlyArray<Rule> = [
  progress,
  oneEnd,
  oneAnswer,
  rightAnswer,
  settled,
  uniqueNumbers,
  inTime,
  keysApart,
  cardsCovered
]
