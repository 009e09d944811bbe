/**
 * TCP keepalive beside the times of requests: the kernel ends a silent connection by itself, and with it what is under way.
 * Pure.
 */
import type { Draft } from "../text/Draft.ts"
import { type Finding, warning } from "../text/Problem.ts"
import { seconds } from "../text/Units.ts"
import { sidesOf } from "./LegsRelations.ts"

/** All findings about `keepAlive`. */
export const keepAliveRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const requestTimeout = draft.part("requestTimeout").ms("10 seconds")
  const doors = [...draft.part("doors").entries, ...draft.part("http").entries]
  const places = [...links.flatMap(sidesOf), ...doors].flatMap((side) => [side.part("connect"), side.part("listen")])
  return requestTimeout === undefined ? [] : places.flatMap((place) => early(place.part("keepAlive"), requestTimeout))
}

/** The connection may end although its answer would have come in time. */
const early = (keepAlive: Draft, requestTimeout: number): ReadonlyArray<Finding> => {
  if (typeof keepAlive.raw !== "object" || keepAlive.raw === null) return []
  const idle = keepAlive.part("idle").ms("60 seconds")
  const interval = keepAlive.part("interval").ms("10 seconds")
  const count = keepAlive.has("count") ? keepAlive.part("count").number : 3
  if (idle === undefined || interval === undefined || count === undefined) return []
  const ends = idle + count * interval
  if (ends >= requestTimeout) return []
  const rule = `the kernel ends the link after ${seconds(ends)} without a sign of the partner's kernel, sooner than a request may wait (\`requestTimeout\` of ${seconds(requestTimeout)}): a cable that is out for a moment ends what could have been answered`
  const fix = "Make `idle` + `count` × `interval` longer than `requestTimeout`; the watchdog sees silence anyway."
  return [warning(keepAlive.path, rule, fix)]
}
