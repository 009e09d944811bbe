/**
 * What the console is told every second: the switch in numbers, small enough for hundreds of links. Pure. The page makes rates of
 * two beats; what is asked for seldom (ends, clocks, kernel) it asks for by `/api/links/NAME`.
 */
import type { LinkWork } from "../../SwitchStatus.ts"
import type { AlarmsReport } from "../alarm/Alarms.ts"
import type { SuccessStatus } from "../alarm/SuccessRates.ts"
import type { Seen } from "./Measures.ts"

/** Counts that only grow are sums since the start. Times in milliseconds. */
const linkBeat = (link: LinkWork, now: number, success: SuccessStatus | undefined) => {
  const { inDoubt, lastReceived, stored, traffic } = link
  return {
    name: link.name,
    institution: link.institution,
    state: link.state,
    ready: link.ready,
    blocked: link.blocked,
    draining: link.draining,
    up: link.local !== "",
    sinceMs: ageMs(link.since, now),
    heardMs: lastReceived === 0 ? null : ageMs(lastReceived, now),
    end: link.ends[0] === undefined ? null : { by: link.ends[0].by, how: link.ends[0].how, why: link.ends[0].why },
    in: traffic.requestsIn,
    out: traffic.requestsOut,
    refused: traffic.refused,
    timeouts: traffic.timeouts + traffic.lost,
    late: traffic.late,
    answersIn: traffic.answersIn,
    approved: traffic.approved,
    success:
      success === undefined || success.ended === 0
        ? null
        : { share: success.approved / success.ended, usual: success.usual ?? null, isLow: success.isLow },
    answersOut: traffic.answersOut,
    partner: traffic.partnerTime,
    ours: traffic.ourTime,
    outstanding: link.outstanding,
    waiting: link.waiting,
    window: link.window,
    stored: stored.size,
    doubt: inDoubt.abandoned + inDoubt.declined + inDoubt.unreversed
  }
}

const ageMs = (at: number, now: number): number => Math.max(0, Math.round(now - at))

/** The beat of a look and the alarms of then. `who`: the name and role of whom it is told. */
export const beatOf = (
  { process, startedAt, status, success, now, wallMs }: Seen,
  { alarms }: AlarmsReport,
  who: { name: string; role: string }
) => ({
  at: wallMs,
  startedAt,
  who,
  links: status.links.map((link) => linkBeat(link, now, success(link.name))),
  groups: status.groups.map(({ members, name, use }) => ({
    name,
    use,
    members: members.map(({ link, state }) => ({ link, state }))
  })),
  alarms: alarms.filter(({ silenced }) => !silenced).length,
  inDoubt: status.inDoubt,
  defects: status.defects,
  fullBy: status.fullBy ?? null,
  diskTrouble: status.diskTrouble,
  unwritten: { ...status.unwritten, lagMs: status.lag.ms },
  loopMs: process.loop.p99 * 1000,
  memory: process.memory.rss
})
