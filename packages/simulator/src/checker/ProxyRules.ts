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
  find: ({ faults }) => {
    if (faults === undefined) return undefined
    const quiet = new Set(["connected", "disconnected", "set", "cleared"])
    return faults.some(({ did }) => !quiet.has(did))
      ? []
      : [{ rule: "faults-came", says: "no fault came in the whole run" }]
  }
}

/** Faults that make an answer come twice, or another than was given. */
const makers: Readonly<Record<string, ReadonlySet<string>>> = {
  "one-answer": new Set(["duplicate"]),
  "right-answer": new Set(["change", "remove", "corrupt"])
}

const isAnswer = ({ mti }: FaultLine): boolean => mti !== undefined && isResponse(Number(mti))

/**
 * Whether a proxy made what a finding complains of, on the way to the acquirer: then it is no breach of whoever stands behind the
 * proxy. Only said of answers that the proxy's own history names.
 */
export const madeBy = ({ faults = [] }: Evidence, { rrn, rule, stan }: Finding): FaultLine | undefined => {
  const kinds = makers[rule]
  if (kinds === undefined) return undefined
  return faults.find(
    (line) =>
      kinds.has(line.did) &&
      line.direction === "fromTarget" &&
      isAnswer(line) &&
      (line.rrn !== undefined && rrn !== undefined ? line.rrn === rrn : line.stan !== undefined && line.stan === stan)
  )
}

/** All rules on proxies. */
export const proxyRules: ReadonlyArray<Rule> = [faultsCame]
