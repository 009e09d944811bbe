/**
 * What is wrong with a switch at one moment, by the rules of its configuration. Pure: `Alarms` says since when, and whom to tell.
 *
 * What does not move by itself (a full disk, something in doubt, a defect) has no threshold: somebody always has to look.
 */
import type { DeviceStatus } from "../../guard/SecurityModule.ts"
import { type RetentionStatus, roomText } from "../../Retention.ts"
import type { LinkWork } from "../../SwitchStatus.ts"
import type { SwitchSeen } from "../admin/Measures.ts"
import { endingWords } from "../Certificates.ts"
import { clockWords } from "../ClockWords.ts"
import { byCount, counted, lasting } from "../Counted.ts"
import { fullSentences } from "../FullWords.ts"
import { isUnusual, pauseWords } from "./Pauses.ts"
import { successWords } from "./SuccessRates.ts"

/** Thresholds; milliseconds, infinite for never. Counts of 0: never. */
export interface AlarmLimits {
  readonly linkDownMs: number
  readonly noTrafficMs: number
  /** No traffic goes by what is usual at the hour. */
  readonly isTrafficUsual: boolean
  readonly timeoutsPercent: number
  readonly refusalsPercent: number
  readonly queueAgeMs: number
  readonly macFailures: number
  readonly clockMs: number
}

/** The names of alarms; stable: docs/operate/symptoms.md. */
export const alarmKinds = [
  "linkDown",
  "halfLink",
  "signOff",
  "noTraffic",
  "timeouts",
  "refusals",
  "successRate",
  "queueAge",
  "macFailures",
  "inDoubt",
  "imposture",
  "full",
  "disk",
  "retention",
  "lag",
  "keys",
  "device",
  "clock",
  "certificate",
  "refusedCalls",
  "defect"
] as const

/** One of {@link alarmKinds}. */
export type AlarmKind = (typeof alarmKinds)[number]

/** Something that is wrong now. */
export interface Condition {
  readonly kind: AlarmKind
  /** The link that it is about; "": the whole switch. */
  readonly link: string
  /** One sentence, without a field of a message. */
  readonly says: string
}

/** Time over which shares and counts are taken, in milliseconds, and requests below which a share says nothing. */
const SHARE_MS = 300_000
const REQUESTS_MIN = 10

/** Bytes on their way to disk that say that the disk is too slow, and how long it may be slow for whatever it is given. */
const LAG_BYTES = 8 * 1024 * 1024
const LAG_MS = 10_000

/** Refused attempts at the operators' listener in that time that are more than a slip. */
const ATTEMPTS_MIN = 10

interface Counts {
  readonly at: number
  /** Requests that had ended: were answered, or not in time. */
  readonly ended: number
  readonly in: number
  /** What the partner had asked for: `in`, and its advices, reversals and notices. */
  readonly asked: number
  readonly timeouts: number
  readonly macs: number
  readonly lies: number
  readonly refusals: Refused
}

/** Refused requests by why. */
type Refused = { readonly [why: string]: number }

/** Refusals that another alarm tells of, at the link that is the cause: a whole town of acquirers need not say so, too. */
const toldElsewhere = new Set(["issuerDown", "noAnswer", "macFailed", "identity"])

/** Refused requests below which a share says nothing. */
const REFUSED_MIN = 20

/** What was refused since, as far as no other alarm says so. */
const refusedSince = (now: Refused, past: Refused): Refused =>
  Object.fromEntries(
    Object.entries(now)
      .map(([why, count]) => [why, count - (past[why] ?? 0)] as const)
      .filter(([why, count]) => count > 0 && !toldElsewhere.has(why))
  )

/** Links whose messages in doubt are counted by name in an alarm. */
const NAMED_MAX = 5

/** ` (issuer 4, branch 1)`: the links with the most of it. */
const ofLinks = (links: ReadonlyArray<LinkWork>): string => {
  const counts = links
    .map(({ inDoubt: { abandoned, declined, unreversed }, name }) => [name, abandoned + declined + unreversed] as const)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one)
  const more = counts.length > NAMED_MAX ? ", ..." : ""
  const shown = counts.slice(0, NAMED_MAX).map(([name, count]) => `${name} ${count}`)
  return counts.length === 0 ? "" : ` (${shown.join(", ")}${more})`
}

/** What the partner has asked for and we may have refused. */
const askedOf = ({ traffic }: LinkWork): number => traffic.requestsIn + traffic.othersIn

/** Requests to the link's partner that have ended. Those under way may end either way, and are no part of a share yet. */
const endedOf = ({ traffic: { answersIn, lost, timeouts } }: LinkWork): number =>
  Object.values(answersIn).reduce((sum, count) => sum + count, timeouts + lost)

/** One sentence about each device that takes no calls. */
const devicesSay = (devices: ReadonlyArray<DeviceStatus>): string =>
  devices
    .filter(({ state }) => state !== "up")
    .map(({ name, state, why }) => `${name} ${state}${why === undefined ? "" : `, ${why}`}`)
    .join("; ")

/** What keeps days in the journal that are older than they may be. */
const stuckBy = (retention: RetentionStatus | undefined): string => retention?.trouble || (retention?.heldBy ?? "")

const isStuck = (retention: RetentionStatus | undefined): boolean =>
  retention?.keepMs !== undefined && stuckBy(retention) !== ""

const lagWords = (bytes: number, { ms, slowMs }: SwitchSeen["status"]["lag"]): string => {
  const lasts = slowMs < LAG_MS ? "" : ` and has been slow for ${lasting(slowMs)}`
  const waits = `${counted(bytes, "byte is", "bytes are")} not on disk yet`
  return `the journal is too slow: it takes ${(ms / 1000).toFixed(1)} s for an entry${lasts}, and ${waits}; requests end without an answer for it`
}

/** Why a link is down; nothing of one that has a connection. */
const lastEnd = ({ ends: [last], local }: LinkWork): string =>
  last === undefined || local !== "" ? "" : `; last end: ${last.reason}, ${last.why}`

/** How long one leg may wait for the other, in milliseconds: at each reconnection one is there first. */
const LEG_ALONE_MS = 10_000

/** One of two connections is up, and the other does not come. */
const isHalf = ({ legs }: LinkWork, now: number): boolean =>
  legs.some(({ simplex }) => simplex?.state === "waiting for the other leg" && now - simplex.since >= LEG_ALONE_MS)

const halfWords = ({ ends: [last], legs }: LinkWork): string => {
  const alone = legs.find(({ simplex }) => simplex?.state === "waiting for the other leg")
  const missing = legs.find(({ leg }) => leg !== alone?.leg)
  const { lastEnd, state } = missing?.simplex ?? {}
  const end = lastEnd?.why ?? last?.why
  const why = end === undefined ? "" : `; its last end: ${end}`
  return `half a link: the ${alone?.leg} leg is up alone, the ${missing?.leg} leg is ${state}${why}`
}

const wrongMacs = ({ guard }: LinkWork): number => (guard === undefined ? 0 : guard.wrong + guard.missing)

/** Remembers the counts of the last minutes, and tells what is wrong. */
export class Conditions {
  private readonly limits: AlarmLimits
  private readonly links = new Map<string, Array<Counts>>()
  private readonly lastRequest = new Map<string, number>()
  private defects = 0
  /** At each look; the first: what counts from. */
  private readonly attempts: Array<readonly [at: number, count: number]> = [[Number.NEGATIVE_INFINITY, 0]]

  constructor(limits: AlarmLimits) {
    this.limits = limits
  }

  /** All that is wrong in this look; called every few seconds. */
  look({ certificates, now, pause, refusedCalls, status, success, wallMs }: SwitchSeen): ReadonlyArray<Condition> {
    const { defects, diskTrouble, fullBy, inDoubt, lag, module, retention, unwritten } = status
    const room = fullBy === "disk" && retention !== undefined ? `; ${roomText(retention)}` : ""
    const { devices = [], state = "up" } = module ?? {}
    const more = defects - this.defects
    this.defects = defects
    const attempts = this.attemptsOf(now, refusedCalls.attempts)
    const whole = (kind: AlarmKind, is: boolean, says: string): ReadonlyArray<Condition> =>
      is ? [{ kind, link: "", says }] : []
    return [
      ...(fullBy === undefined
        ? []
        : whole("full", true, `new requests are refused on every link: ${fullSentences[fullBy]}${room}`)),
      ...whole("disk", diskTrouble !== "", diskTrouble),
      ...whole("retention", isStuck(retention), `old days stay in the journal: ${stuckBy(retention)}`),
      ...whole("lag", unwritten.bytes > LAG_BYTES || lag.slowMs >= LAG_MS, lagWords(unwritten.bytes, lag)),
      ...whole("keys", state === "away", `links with keys take no new requests: ${devicesSay(devices)}`),
      ...whole(
        "device",
        state === "degraded",
        `a device of the security module takes no calls: ${devicesSay(devices)}`
      ),
      ...whole("certificate", certificates.length > 0, certificates.map(endingWords).join("; ")),
      ...whole(
        "inDoubt",
        inDoubt > 0,
        `${counted(inDoubt, "message waits", "messages wait")} for a person${ofLinks(status.links)}: jinka pending list`
      ),
      ...whole(
        "refusedCalls",
        attempts >= ATTEMPTS_MIN,
        `${attempts} calls of the last five minutes at the operators' listener were refused, with a token of nobody or beyond their role: jinka audit says from where`
      ),
      ...whole(
        "defect",
        more > 0,
        `${counted(more, "message was", "messages were")} given up because of a defect of the switch: see the log`
      ),
      ...status.links.flatMap((link) => this.ofLink(link, now, wallMs, fullBy !== undefined)),
      ...status.links.flatMap(({ name: link }): ReadonlyArray<Condition> => {
        const rate = success(link)
        return rate?.isLow === true ? [{ kind: "successRate", link, says: successWords(rate) }] : []
      }),
      ...status.links.flatMap(({ name: link }): ReadonlyArray<Condition> => {
        const now = this.limits.isTrafficUsual ? pause(link) : undefined
        return now !== undefined && isUnusual(now) ? [{ kind: "noTraffic", link, says: pauseWords(now) }] : []
      })
    ]
  }

  private ofLink(link: LinkWork, now: number, wallMs: number, isFull: boolean): ReadonlyArray<Condition> {
    const { clockMs, linkDownMs, macFailures, noTrafficMs, queueAgeMs, refusalsPercent, timeoutsPercent } = this.limits
    const { name, stored } = link
    if (isFull) this.forgive(link)
    const past = this.past(link, now)
    const ended = endedOf(link) - past.ended
    const timeouts = link.traffic.timeouts + link.traffic.lost - past.timeouts
    const share = ended < REQUESTS_MIN ? 0 : (100 * timeouts) / ended
    const macs = wrongMacs(link) - past.macs
    const lies = (link.lies?.count ?? 0) - past.lies
    const asked = askedOf(link) - past.asked
    const refused = refusedSince(link.traffic.refusals, past.refusals)
    const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0)
    const silent = now - (this.lastRequest.get(name) ?? now)
    const waits = stored.oldest === undefined ? 0 : wallMs - stored.oldest.at
    const isOurs = link.ready || link.blocked || link.draining
    const when = (kind: AlarmKind, is: boolean, says: string): ReadonlyArray<Condition> =>
      is ? [{ kind, link: name, says }] : []
    return [
      ...when(
        "linkDown",
        !isOurs && now - link.since >= linkDownMs,
        `it takes no requests: ${link.state}${lastEnd(link)}`
      ),
      ...when("halfLink", isHalf(link, now), halfWords(link)),
      ...when(
        "signOff",
        !isOurs && link.partners === "off",
        "the partner has signed off, and has not signed on again: requests from it and for it are refused"
      ),
      ...when(
        "noTraffic",
        link.ready && silent >= noTrafficMs,
        `no request for ${lasting(silent)}; before, it has sent some`
      ),
      ...when(
        "timeouts",
        timeoutsPercent > 0 && share >= timeoutsPercent,
        `${timeouts} of ${ended} requests of the last five minutes had no answer in time`
      ),
      ...when(
        "refusals",
        refusalsPercent > 0 && refusals >= REFUSED_MIN && 100 * refusals >= refusalsPercent * asked,
        `${refusals} of ${asked} messages of the last five minutes were refused by us: ${byCount(refused)}`
      ),
      ...when(
        "queueAge",
        waits >= queueAgeMs,
        `${counted(stored.size, "message waits", "messages wait")}, the oldest for ${lasting(waits)}`
      ),
      ...when(
        "macFailures",
        macFailures > 0 && macs >= macFailures,
        `${counted(macs, "wrong or missing MAC", "wrong or missing MACs")} in five minutes`
      ),
      ...when("clock", Math.abs(link.clockAheadMs ?? 0) >= clockMs, clockWords((link.clockAheadMs ?? 0) / 1000)),
      ...when("imposture", lies > 0, `${counted(lies, "message", "messages")} spoke for another partner`)
    ]
  }

  /** How many of the attempts at the operators' listener are of the last five minutes. */
  private attemptsOf(now: number, count: number): number {
    const { attempts } = this
    attempts.push([now, count])
    while (attempts.length > 1 && attempts[1]![0] <= now - SHARE_MS) attempts.shift()
    return count - attempts[0]![1]
  }

  /** What a full switch refuses has an alarm of its own, and counts neither now nor in the five minutes behind it. */
  private forgive({ name, traffic }: LinkWork): void {
    const { malfunction = 0 } = traffic.refusals
    const known = this.links.get(name) ?? []
    this.links.set(
      name,
      known.map((one) => ({ ...one, refusals: { ...one.refusals, malfunction } }))
    )
  }

  /** The counts of five minutes ago, or of the first look. */
  private past(link: LinkWork, now: number): Counts {
    const { name, traffic } = link
    const known = this.links.get(name) ?? []
    this.links.set(name, known)
    const last = known.at(-1)
    if (last === undefined || traffic.requestsIn < last.in) known.length = 0
    else if (traffic.requestsIn > last.in) this.lastRequest.set(name, now)
    known.push({
      at: now,
      ended: endedOf(link),
      in: traffic.requestsIn,
      asked: askedOf(link),
      timeouts: traffic.timeouts + traffic.lost,
      macs: wrongMacs(link),
      lies: link.lies?.count ?? 0,
      refusals: traffic.refusals
    })
    while (known.length > 1 && known[1]!.at <= now - SHARE_MS) known.shift()
    return known[0]!
  }
}
