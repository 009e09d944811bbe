/**
 * The switch's own view of itself as a report: monotonic times become times of day, kinds get their names. Pure.
 */
import { EntryKind } from "../../journal/EntryKind.ts"
import { advice } from "../../link/Ended.ts"
import type { SwitchStatus } from "../../Switch.ts"
import type { LinkReport, StatusReport } from "./Report.ts"

/** Both clocks, read together. */
export interface Clocks {
  /** Milliseconds since 1970. */
  readonly wallMs: number
  readonly monotonicMs: number
}

/** What does not change while the switch runs. */
export interface Identity {
  readonly name: string
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** The report of a status. */
export const reportOf = (identity: Identity, status: SwitchStatus, now: Clocks): StatusReport => ({
  name: identity.name,
  pid: identity.pid,
  startedAt: iso(identity.startedAt),
  at: iso(now.wallMs),
  links: status.links.map((link) => linkReport(link, now)),
  entries: entriesByKind(status.entries),
  answers: status.answers,
  unwritten: status.unwritten
})

/** Entries by the name of their kind. */
export const entriesByKind = (counts: ReadonlyArray<number>): { readonly [kind: string]: number } =>
  Object.fromEntries(Object.entries(EntryKind).map(([name, kind]) => [name, counts[kind] ?? 0]))

const linkReport = (link: SwitchStatus["links"][number], now: Clocks): LinkReport => {
  const when = (monotonicMs: number) => (monotonicMs === 0 ? null : iso(now.wallMs - now.monotonicMs + monotonicMs))
  const { lastEnd } = link
  return {
    name: link.name,
    institution: link.institution,
    state: link.state,
    ready: link.ready,
    epoch: link.epoch,
    local: link.local,
    remote: link.remote,
    since: when(link.since),
    lastReceived: when(link.lastReceived),
    lastSent: when(link.lastSent),
    attempts: link.attempts,
    nextAttempt: when(link.nextAttempt),
    unsent: link.unsent,
    outstanding: link.outstanding,
    stored: link.stored,
    lastEnd:
      lastEnd === undefined
        ? null
        : { at: when(lastEnd.at), reason: lastEnd.reason, why: lastEnd.why, advice: advice[lastEnd.reason] }
  }
}
