/** What has passed over a link, as text: who asked whom how much, what was answered, and how long it took. Pure. */
import { byCount, counted } from "../Counted.ts"
import type { LinkReport } from "./Report.ts"

type Traffic = LinkReport["traffic"]

/** `00: 218, 25: 4`, by code. */
export const byCode = (answers: { readonly [code: string]: number }): string => {
  const shown = Object.entries(answers).sort(([one], [other]) => (one < other ? -1 : 1))
  return shown.length === 0 ? "none" : shown.map(([code, count]) => `${code}: ${count}`).join(", ")
}

const counts = (all: ReadonlyArray<readonly [count: number, one: string, many?: string]>): string =>
  all
    .filter(([count]) => count > 0)
    .map(([count, one, many = one]) => `, ${counted(count, one, many)}`)
    .join("")

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

const times = (who: string, { count, p50, p99 }: Traffic["ourTime"]): string =>
  count === 0 ? "" : `; ${who} p50 ${ms(p50)}, p99 ${ms(p99)}`

/** `40 requests in, 2 refused (noRoute 2); answered 00: 38, 92: 2; we took p50 0.4 ms, p99 2 ms`; empty when nothing came. */
const requestsInText = ({
  requestsIn,
  othersIn,
  refusals,
  refused,
  undelivered,
  answersOut,
  ourTime
}: Traffic): ReadonlyArray<string> => {
  if (requestsIn + othersIn + refused === 0) return []
  const some = counts([
    [othersIn, "other message", "other messages"],
    [refused, `refused (${byCount(refusals)})`],
    [undelivered, "answer not delivered", "answers not delivered"]
  ])
  return [
    `${counted(requestsIn, "request", "requests")} in${some}; answered ${byCode(answersOut)}${times("we took", ourTime)}`
  ]
}

const requestsOutText = (traffic: Traffic): ReadonlyArray<string> => {
  const { requestsOut, timeouts, lost, late, duplicates, unmatched, answersIn, partnerTime } = traffic
  if (requestsOut + late + duplicates + unmatched === 0) return []
  const some = counts([
    [timeouts, "without an answer in time"],
    [lost, "lost with its connection", "lost with their connections"],
    [late, "late answer", "late answers"],
    [duplicates, "second answer", "second answers"],
    [unmatched, "unmatched answer", "unmatched answers"]
  ])
  return [
    `${counted(requestsOut, "request", "requests")} out${some}; answered ${byCode(answersIn)}${times("the partner took", partnerTime)}`
  ]
}

/** One line for each direction that has been used. */
export const trafficText = ({ traffic }: LinkReport): ReadonlyArray<string> => [
  ...requestsInText(traffic),
  ...requestsOutText(traffic)
]
