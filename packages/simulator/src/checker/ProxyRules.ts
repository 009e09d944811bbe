/** What proxies say of a run: their own faults at work, and what they have done themselves. */
import { isResponse } from "@jinka/codec"
import type { FaultLine } from "../proxy/FaultHistory.ts"
import type { Evidence } from "./Evidence.ts"
import type { Finding, Rule } from "./Rule.ts"

/** A test of faults in which none came is no test. */
const faultsCame: Rule = {
  name: "faults-came",
  guarantees: [],
  checks: "the proxies that were given did something to a message or a connection",
  doesNotCheck: "whether every rule did",
  find: ({ faults, issuerFaults }) => {
    if (faults === undefined && issuerFaults === undefined) return undefined
    const quiet = new Set(["connected", "disconnected", "refused", "shadowDown", "set", "cleared", "ended"])
    return [...(faults ?? []), ...(issuerFaults ?? [])].some(({ did }) => !quiet.has(did))
      ? []
      : [{ rule: "faults-came", says: "no fault came in the whole run" }]
  }
}

/** A fault that makes a finding: what was done, to what, on which way. */
interface Maker {
  readonly did: ReadonlySet<string>
  readonly of: "answer" | "request"
}

const changedAnswer: Maker = { did: new Set(["change", "remove", "corrupt"]), of: "answer" }
const changedRequest: Maker = { ...changedAnswer, of: "request" }
const doubled = new Set(["duplicate"])

/** What a proxy in front of the switch makes, by rule: the acquirer gets, or gives, something else than the switch does. */
const nearMakers: Readonly<Record<string, ReadonlyArray<Maker>>> = {
  "one-answer": [{ did: doubled, of: "answer" }],
  "right-answer": [changedAnswer, changedRequest],
  "journal-agrees": [changedAnswer],
  "one-day": [changedAnswer],
  money: [changedAnswer, changedRequest]
}

/** What one behind it makes: a second answer is the switch's to stop, and an answer of another message its to notice. */
const farMakers: Readonly<Record<string, ReadonlyArray<Maker>>> = {
  "no-blind-resend": [{ did: doubled, of: "request" }],
  "one-day": [changedAnswer],
  money: [changedAnswer, changedRequest]
}

/** Answers come from the target of a proxy, what they answer goes to it. */
const isMadeBy = ({ did, direction, mti }: FaultLine, makers: ReadonlyArray<Maker>): boolean => {
  if (mti === undefined) return false
  const of = isResponse(Number(mti)) ? "answer" : "request"
  return makers.some((maker) => maker.of === of && maker.did.has(did)) && isOnItsWay(of, direction)
}

const isOnItsWay = (of: Maker["of"], direction: FaultLine["direction"]): boolean =>
  direction === (of === "answer" ? "fromTarget" : "toTarget")

/**
 * What a proxy did that a finding complains of: then it is no breach of the system behind the proxy. Only said of messages
 * that the proxy's own history names.
 */
export const madeBy = (
  { faults = [], issuerFaults = [] }: Evidence,
  { rrn, rule, stan }: Finding
): FaultLine | undefined => {
  const isAbout = (line: FaultLine): boolean =>
    line.rrn !== undefined && rrn !== undefined ? line.rrn === rrn : line.stan !== undefined && line.stan === stan
  const madeIn = (lines: ReadonlyArray<FaultLine>, makers: ReadonlyArray<Maker> = []) =>
    lines.find((line) => isMadeBy(line, makers) && isAbout(line))
  return madeIn(faults, nearMakers[rule]) ?? madeIn(issuerFaults, farMakers[rule])
}

/** All rules on proxies. */
export const proxyRules: ReadonlyArray<Rule> = [faultsCame]
