/**
 * TCP keepalive beside the times of requests: the kernel ends a silent connection by itself, and with it what is under way.
 * Pure.
 */
import type { Draft } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"
import { seconds } from "../text/Units.ts"
import { sidesOf } from "./LegsRelations.ts"

/** All findings about `keepAlive`. */
export const keepAliveRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const requestTimeout = draft.part("requestTimeout").ms("10 seconds")
  const doors = [...draft.part("doors").entries, ...draft.part("http").entries]
  const places = [...links.flatMap(sidesOf), ...doors].flatMap((side) => [side.part("connect"), side.part("listen")])
  const all = places
    .map((place) => place.part("keepAlive"))
    .filter(({ raw }) => typeof raw === "object" && raw !== null)
  return all.flatMap((keepAlive) => {
    const wrong = [keepAlive.part("idle"), keepAlive.part("interval")].flatMap(uncounted)
    return wrong.length > 0 || requestTimeout === undefined ? wrong : early(keepAlive, requestTimeout)
  })
}

/** Longest time that Linux takes for either, in seconds (tcp(7)). */
const SECONDS_MAX = 32_767

/** A time that the kernel does not take: it would ask after two hours, and say nothing. */
const uncounted = (time: Draft): ReadonlyArray<Finding> => {
  const ms = time.ms("1 second")
  if (ms === undefined || (ms % 1000 === 0 && ms >= 1000 && ms <= SECONDS_MAX * 1000)) return []
  const rule = "the kernel counts whole seconds here, from 1 to 32767; with any other time it would ask after two hours"
  return [error(time.path, rule, `Write whole seconds, at most "9 hours".`)]
}

/** The connection may end although its answer would have come in time. */
const early = (keepAlive: Draft, requestTimeout: number): ReadonlyArray<Finding> => {
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
