/**
 * The switch's own view of itself as a report: monotonic times become times of day, kinds get their names. Pure.
 */
import type { GroupStatus } from "../../exchange/Groups.ts"
import type { Stall, StallStatus } from "../../exchange/watch/Stalls.ts"
import type { ModuleStatus } from "../../guard/SecurityModule.ts"
import { EntryKind } from "../../journal/EntryKind.ts"
import type { End } from "../../link/EndHistory.ts"
import { advice } from "../../link/LinkEnded.ts"
import type { LegStatus, SessionClocks, SimplexLegStatus } from "../../link/LinkStatus.ts"
import { type RetentionStatus, roomText } from "../../Retention.ts"
import type { LinkWork, SwitchStatus } from "../../SwitchStatus.ts"
import type { AlarmReport } from "../alarm/Alarms.ts"
import { type SuccessStatus, successWords } from "../alarm/SuccessRates.ts"
import { tlsAdvice } from "../TlsWords.ts"
import { disagreements, type Earlier } from "./Disagreement.ts"
import { type KernelView, keyOf } from "./KernelSockets.ts"
import type { EndReport, GroupReport, LegReport, LinkReport, StatusReport } from "./Report.ts"

/** Both clocks, read together. */
export interface Clocks {
  /** Milliseconds since 1970. */
  readonly wallMs: number
  readonly monotonicMs: number
}

/** How much further apart the two clocks may be at another look before one of them was set: they are not read at one instant. */
const APART_MS = 10

/** Gives the clocks of one look after the other: while none was set, what lies behind us keeps its instant in all reports. */
export const steady = (): ((now: Clocks) => Clocks) => {
  let ahead: number | undefined
  return (now) => {
    const began = beganAt(now)
    if (ahead === undefined || Math.abs(began - ahead) > APART_MS) ahead = began
    return { ...now, wallMs: ahead + now.monotonicMs }
  }
}

/** Milliseconds since 1970 when the monotonic clock began. */
const beganAt = ({ monotonicMs, wallMs }: Clocks): number => Math.round(wallMs - monotonicMs)

/** What does not change while the switch runs. */
export interface Identity {
  readonly name: string
  readonly pid: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Which node this is, and since when it has the switch (milliseconds since 1970); left out: the journal is on this machine. */
  readonly owned?: { readonly node: string; readonly epoch: number; readonly since: number }
}

const iso = (ms: number): string => new Date(ms).toISOString()

/** What the kernel says now, and what was in its send queues at an earlier status, by connection. */
export interface Kernel {
  readonly view: KernelView
  readonly earlier: ReadonlyMap<string, Earlier>
}

/** The connections that the kernel is asked for. */
export const connectionsOf = ({ links }: SwitchStatus): ReadonlySet<string> =>
  new Set(
    links.flatMap(({ legs }) =>
      legs.filter(({ local }) => local !== "").map(({ local, remote }) => keyOf(local, remote))
    )
  )

/** What the alarms know. */
export interface Told {
  readonly alarms: ReadonlyArray<typeof AlarmReport.Type>
  readonly success: (link: string) => SuccessStatus | undefined
}

/** The report of a status. */
export const reportOf = (
  identity: Identity,
  status: SwitchStatus,
  now: Clocks,
  kernel: Kernel,
  { alarms, success }: Told
): StatusReport => ({
  name: identity.name,
  pid: identity.pid,
  startedAt: iso(identity.startedAt),
  at: iso(now.wallMs),
  alarms: alarms.filter(({ link }) => link === ""),
  owner: ownerReport(identity.owned),
  links: status.links.map((link) => ({
    ...linkReport(link, now, kernel, success(link.name)),
    alarms: alarms.filter((alarm) => alarm.link === link.name)
  })),
  groups: status.groups.map((group) => groupReport(group, now)),
  doors: status.doors.map(({ at, ...door }) => ({ ...door, at: `${at.host}:${at.port}` })),
  inDoubt: status.inDoubt,
  kernelAbsent: kernel.view._tag === "absent" ? kernel.view.why : "",
  entries: entriesByKind(status.entries),
  defects: status.defects,
  answers: status.answers,
  unwritten: { ...status.unwritten, lagMs: Math.round(status.lag.ms) },
  stalls: stallsReport(status.stalls, now),
  fullBy: status.fullBy ?? null,
  module: moduleReport(status.module),
  diskTrouble: status.diskTrouble,
  retention: retentionReport(status.retention)
})

const ownerReport = (owned: Identity["owned"]): StatusReport["owner"] =>
  owned === undefined ? null : { ...owned, role: "owner", owner: owned.node, since: iso(owned.since), blind: "" }
const DAY_MS = 86_400_000

const retentionReport = (retention: RetentionStatus | undefined): StatusReport["retention"] => {
  if (retention === undefined) return null
  const { droppable, free, heldBy, keepMs, perDay, since, size, trouble } = retention
  const keepDays = keepMs === undefined ? null : keepMs / DAY_MS
  const at = since === 0 ? null : iso(since)
  return { since: at, size, free, perDay, droppable, keepDays, heldBy, trouble, says: roomText(retention) }
}

const moduleReport = (module: ModuleStatus | undefined): StatusReport["module"] => {
  if (module === undefined) return null
  const devices = module.devices.map((device) => ({
    ...device,
    answerMs: device.answerMs ?? null,
    lmkCheckValue: device.lmkCheckValue ?? "",
    firmware: device.firmware ?? "",
    why: device.why ?? ""
  }))
  return { ...module, devices }
}

const stallsReport = (stalls: StallStatus | undefined, now: Clocks): StatusReport["stalls"] => {
  if (stalls === undefined) return null
  const told = ({ what, from, ms }: Stall) => ({
    what,
    at: iso(beganAt(now) + from),
    ms: Math.round(ms)
  })
  return { count: stalls.count, last: told(stalls.last), longest: told(stalls.longest) }
}

/** Entries by the name of their kind. */
export const entriesByKind = (counts: ReadonlyArray<number>): { readonly [kind: string]: number } =>
  Object.fromEntries(Object.entries(EntryKind).map(([name, kind]) => [name, counts[kind] ?? 0]))

type When = (monotonicMs: number) => string | null

const legReport = (leg: LegStatus, { monotonicMs }: Clocks, { view, earlier }: Kernel, when: When): LegReport => {
  const { local, remote } = leg
  const key = keyOf(local, remote)
  const socket = view._tag === "seen" ? view.sockets.get(key) : undefined
  const found = view._tag === "seen" && local !== "" ? disagreements(socket, earlier.get(key), monotonicMs) : []
  const simplex = leg.simplex === undefined ? null : simplexReport(leg.simplex, when)
  return { leg: leg.leg, local, remote, kernel: socket ?? null, disagreements: found, simplex }
}

const simplexReport = ({ lastEnd, ...leg }: SimplexLegStatus, when: When): LegReport["simplex"] => ({
  state: leg.state,
  since: when(leg.since),
  lastByte: when(leg.lastByte),
  attempts: leg.attempts,
  nextAttempt: when(leg.nextAttempt),
  lastEnd: lastEnd === undefined ? null : { at: when(lastEnd.at), why: lastEnd.why }
})

const endReport = (end: End, when: When): EndReport => ({
  ...end,
  at: when(end.at),
  firstAt: when(end.firstAt),
  advice: (end.reason === "ConnectFailed" ? tlsAdvice(end.why) : undefined) ?? advice[end.reason]
})

const clocksReport = (clocks: SessionClocks, when: When): LinkReport["clocks"] => ({
  watchdog: clocks.watchdog,
  probing: clocks.isProbing,
  proofsMissing: clocks.proofsMissing,
  watchdogDue: when(clocks.watchdogDue),
  unheardSince: when(clocks.unheardSince),
  writingSince: when(clocks.writingSince),
  frameSince: when(clocks.frameSince),
  held: clocks.isHeld
})

const groupReport = ({ members, fellAt, ...group }: GroupStatus, now: Clocks): GroupReport => {
  const when: When = (monotonicMs) => iso(beganAt(now) + monotonicMs)
  return {
    ...group,
    members: members.map(({ since, failbackDue, ...member }) => ({
      ...member,
      since: when(since),
      failbackDue: failbackDue === undefined ? null : when(failbackDue)
    })),
    fellAt: fellAt === undefined ? null : when(fellAt)
  }
}

const successReport = (success: SuccessStatus | undefined): LinkReport["success"] => {
  if (success === undefined || success.ended === 0) return null
  const { approved, ended, isLow, usual } = success
  return { ended, approved, usual: usual ?? null, isLow, says: successWords(success) }
}

const linkReport = (
  link: LinkWork,
  now: Clocks,
  kernel: Kernel,
  success: SuccessStatus | undefined
): Omit<LinkReport, "alarms"> => {
  const when: When = (monotonicMs) => (monotonicMs === 0 ? null : iso(beganAt(now) + monotonicMs))
  const { clocks, stored } = link
  const ends = link.ends.map((end) => endReport(end, when))
  return {
    name: link.name,
    institution: link.institution,
    state: link.state,
    ready: link.ready,
    blocked: link.blocked,
    draining: link.draining,
    signOn: { ours: link.ours, partners: link.partners, attempts: link.signOnAttempts },
    epoch: link.epoch,
    local: link.local,
    remote: link.remote,
    legs: link.legs.map((leg) => legReport(leg, now, kernel, when)),
    since: when(link.since),
    listens: link.listens === undefined ? "" : `${link.listens.host}:${link.listens.port}`,
    turnedAway: link.turnedAway === undefined ? null : { ...link.turnedAway, at: when(link.turnedAway.at) },
    lies: link.lies === undefined ? null : { ...link.lies, at: when(link.lies.at) },
    guard: link.guard ?? null,
    businessDay: link.businessDay ?? null,
    lastReceived: when(link.lastReceived),
    lastSent: when(link.lastSent),
    bytesReceived: link.bytesReceived,
    bytesSent: link.bytesSent,
    unanswered: { ...link.unanswered, askedAt: when(link.unanswered.askedAt) },
    short: link.short ?? null,
    clocks: clocks === undefined ? null : clocksReport(clocks, when),
    attempts: link.attempts,
    nextAttempt: when(link.nextAttempt),
    unsent: link.unsent,
    outstanding: link.outstanding,
    waiting: link.waiting,
    window: link.window,
    oldestOutstanding: when(link.oldestOutstanding),
    clockAhead: link.clockAheadMs === undefined ? null : link.clockAheadMs / 1000,
    overRate: link.overRate,
    perhapsRepeats: link.perhapsRepeats,
    stored: stored.size,
    storeAndForward: {
      underWay: stored.underWay,
      resting: stored.resting,
      nextAttempt: when(stored.nextAttempt),
      oldest: stored.oldest === undefined ? null : { ...stored.oldest, at: iso(stored.oldest.at) },
      attemptsMax: stored.attemptsMax
    },
    inDoubt: link.inDoubt,
    traffic: link.traffic,
    success: successReport(success),
    lastEnd: ends[0] ?? null,
    ends
  }
}
