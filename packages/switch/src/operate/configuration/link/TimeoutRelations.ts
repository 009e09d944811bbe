/**
 * How the switch's times compare with the partners'. Pure.
 *
 * Who asks waits longer than whom it asks: otherwise an answer "timed out" comes when nobody waits for it any more. And of two
 * idle timeouts the smaller wins, because that side closes.
 */
import { idleFrame } from "@jinka/codec"
import { timerMs } from "../../../link/Watchdog.ts"
import { type Draft, frameOf, isProbed } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"
import { seconds } from "../text/Units.ts"
import { frameFinding } from "./FrameRelations.ts"

/** All findings about times. */
export const timeoutRelations = (draft: Draft, links: ReadonlyArray<Draft>): ReadonlyArray<Finding> => {
  const requestTimeout = draft.part("requestTimeout").ms("10 seconds")
  return [
    ...links.flatMap((link) => hops(link, requestTimeout)),
    ...links.flatMap(silence),
    ...shortDrain(draft, requestTimeout)
  ]
}

const hops = (link: Draft, requestTimeout: number | undefined): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  if (requestTimeout === undefined) return findings
  const theirs = link.part("partnerTimeout")
  const ms = theirs.ms()
  if (ms !== undefined && ms >= requestTimeout) {
    const rule = `the partner gives its "no answer" after ${seconds(ms)}, and we have given up after ${seconds(requestTimeout)} (\`requestTimeout\`)`
    const fix = `Make \`requestTimeout\` longer than ${seconds(ms)}, or agree on a shorter timeout with the partner.`
    findings.push(error(theirs.path, rule, fix, ""))
  }
  const storeTimeout = link.part("storeAndForward", "timeout").ms("10 seconds")
  if (ms !== undefined && storeTimeout !== undefined && ms >= storeTimeout) {
    const rule = "the partner may still be at work on an advice when it is sent again"
    findings.push(warning(theirs.path, rule, "Make `storeAndForward.timeout` longer than `partnerTimeout`."))
  }
  const answerWithin = link.part("answerWithin")
  const within = answerWithin.ms()
  if (within !== undefined && within <= requestTimeout) {
    const rule = `the partner waits ${seconds(within)} for our answer, and our "no answer" comes after ${seconds(requestTimeout)} (\`requestTimeout\`)`
    const fix = `Make \`requestTimeout\` shorter than ${seconds(within)}, or agree with the partner that it waits longer.`
    findings.push(error(answerWithin.path, rule, fix, ""))
  }
  return findings
}

/** Default of `idle` on a link whose frame has idle frames. */
export const idleDefault = "30 seconds"

/** Longest silence of ours in milliseconds; infinite when nothing bounds it. */
const ourSilence = (link: Draft): number | undefined => {
  const frame = frameOf(link)
  if (frame === undefined || frameFinding(link).length > 0) return undefined
  const hasIdle = idleFrame(frame) !== undefined
  const idle = link.part("idle")
  if (idle.text === "never" || (!link.has("idle") && !hasIdle)) return Number.POSITIVE_INFINITY
  return idle.ms(idleDefault)
}

const silence = (link: Draft): ReadonlyArray<Finding> => {
  const theirs = link.part("partnerIdleTimeout")
  const ms = theirs.ms()
  const ours = ourSilence(link)
  if (ms === undefined || ours === undefined || ours < ms) return []
  const said = ours === Number.POSITIVE_INFINITY ? "we send no idle frames" : `we may be silent for ${seconds(ours)}`
  return [
    warning(
      theirs.path,
      `${said}, and the partner closes after ${seconds(ms)}: the smaller of both sides' idle timeouts wins${echoed(link, ms)}`,
      `Make \`idle\` at most half of \`partnerIdleTimeout\`.`
    )
  ]
}

/** What the watchdog's echo does about our silence; its timer may run longer than its interval by the jitter. */
const echoed = (link: Draft, partnerMs: number): string => {
  const interval = link.part("watchdog", "interval").ms("30 seconds")
  if (isProbed(link) !== true || interval === undefined) return ""
  const longest = Math.ceil(timerMs(interval, 1))
  return longest < partnerMs
    ? "; the watchdog's echo comes earlier only while the partner is silent too"
    : `; the watchdog's echo comes after up to ${seconds(longest)} of silence, which is too late as well`
}

const shortDrain = (draft: Draft, requestTimeout: number | undefined): ReadonlyArray<Finding> => {
  const drain = draft.part("drainTimeout").ms("10 seconds")
  if (drain === undefined || requestTimeout === undefined || drain >= requestTimeout) return []
  const rule =
    "a stop does not wait until every request has been answered or timed out, and what is open then is reversed at the next start"
  return [
    warning(draft.has("drainTimeout") ? ["drainTimeout"] : [], rule, "Make `drainTimeout` as long as `requestTimeout`.")
  ]
}
