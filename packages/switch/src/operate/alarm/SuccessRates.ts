/**
 * What share of the requests to each partner is approved: in the last 15 minutes, and at this hour on the seven days before.
 * Pure; `SuccessRatesFile` keeps it over a restart.
 *
 * The usual share is the middle of the days that say enough: neither one bad day nor a weekend makes it. Where little is known,
 * nothing is said.
 */
import type { LinkWork } from "../../SwitchStatus.ts"
import { ByLink, byDays, HOURS, hourOf, usualAt } from "./Usual.ts"

const MINUTE_MS = 60_000

/** Present time over which the share is taken. */
const PRESENT_MS = 15 * MINUTE_MS

/** Ended requests below which a share says nothing, of the present and of an hour on another day. */
export const ENDED_MIN = 30

/** A shortfall is told from this many standard deviations on: what is less may be chance. */
const DEVIATIONS = 4

/** Codes that are named beside a low share. */
const CODES_NAMED = 3

/** The share of one link's requests that the partner approved. */
export interface SuccessStatus {
  /** Requests that ended in the last minutes, with an answer or without one, and those of them that were approved. */
  readonly ended: number
  readonly approved: number
  /** The usual share at this hour, 0 to 1; `undefined`: too little is known. */
  readonly usual: number | undefined
  /** Earlier days that it is the middle of. */
  readonly days: number
  /** It is so far below the usual one that somebody should look. */
  readonly isLow: boolean
  /** What came in place of approvals, the most frequent first: a response code, or "" for no answer. */
  readonly instead: ReadonlyArray<readonly [code: string, count: number]>
}

/** One hour of one link: the hour since 1970, requests that ended in it, and those of them that were approved. */
export type HourCounts = readonly [hour: number, ended: number, approved: number]

interface Counts {
  readonly ended: number
  readonly approved: number
}

/** Answers by code since the start, with what had no answer under "". */
type Codes = Readonly<Record<string, number>>

/** What was counted of a link at a moment. */
interface Sample extends Counts {
  readonly at: number
  readonly codes: Codes
}

/** The counts of one link by hour. */
class Hours {
  private readonly hours = new Int32Array(HOURS).fill(-1)
  private readonly ended = new Uint32Array(HOURS)
  private readonly approved = new Uint32Array(HOURS)

  add(hour: number, { approved, ended }: Counts): void {
    const at = hour % HOURS
    if (this.hours[at] !== hour) {
      this.hours[at] = hour
      this.ended[at] = 0
      this.approved[at] = 0
    }
    this.ended[at]! += ended
    this.approved[at]! += approved
  }

  /** The share of the hour; `undefined`: it says too little. */
  share(hour: number): number | undefined {
    const at = hour % HOURS
    if (this.hours[at] !== hour || this.ended[at]! < ENDED_MIN) return undefined
    return this.approved[at]! / this.ended[at]!
  }

  get all(): ReadonlyArray<HourCounts> {
    return Array.from(this.hours, (hour, at): HourCounts => [hour, this.ended[at]!, this.approved[at]!]).filter(
      ([hour, ended]) => hour >= 0 && ended > 0
    )
  }
}

/** One link. */
class LinkRates {
  readonly hours = new Hours()
  /** One a minute, the oldest first: the first is the last one that is as old as the present reaches back. */
  private readonly samples: Array<Sample> = []
  private last: Sample | undefined
  private approving: ReadonlyArray<string> = []

  look({ traffic }: LinkWork, at: number, hour: number): void {
    const unanswered = traffic.timeouts + traffic.lost
    const ended = Object.values(traffic.answersIn).reduce((sum, count) => sum + count, unanswered)
    const { approved, answersIn, approving } = traffic
    const { last, samples } = this
    const seen = { at, ended, approved, codes: { ...answersIn, "": unanswered } }
    this.last = seen
    this.approving = approving
    // Counts begin again where another link has taken the name.
    if (last === undefined || ended < last.ended) {
      samples.splice(0, samples.length, seen)
      return
    }
    if (ended > last.ended) this.hours.add(hour, { ended: ended - last.ended, approved: approved - last.approved })
    if (at - samples.at(-1)!.at >= MINUTE_MS) samples.push(seen)
    while (samples.length > 1 && samples[1]!.at <= at - PRESENT_MS) samples.shift()
  }

  get present(): Counts {
    const { approved = 0, ended = 0 } = this.last ?? {}
    const from = this.samples[0] ?? { ended, approved }
    return { ended: ended - from.ended, approved: approved - from.approved }
  }

  /** What came in the present in place of approvals. */
  get instead(): SuccessStatus["instead"] {
    const before = this.samples[0]?.codes ?? {}
    return Object.entries(this.last?.codes ?? {})
      .map(([code, count]) => [code, count - (before[code] ?? 0)] as const)
      .filter(([code, count]) => count > 0 && !this.approving.includes(code))
      .sort(([, one], [, other]) => other - one)
      .slice(0, CODES_NAMED)
  }

  /** The usual share at this hour, and of how many days. */
  usual(hour: number): { readonly usual: number | undefined; readonly days: number } {
    const { days, middle } = usualAt(hour, (earlier) => this.hours.share(earlier))
    return { usual: middle, days }
  }
}

/** The shares of all links. */
export class SuccessRates {
  private readonly links = new ByLink(() => new LinkRates())
  private readonly percent: number
  private wallMs = 0

  /** `percent`: how much of the usual share has to be missing for an alarm; 0: never. */
  constructor(percent: number) {
    this.percent = percent
  }

  /** Looks at the links: every few seconds. Those that are gone are forgotten. `now` in monotonic milliseconds. */
  look(links: ReadonlyArray<LinkWork>, now: number, wallMs: number): void {
    this.wallMs = wallMs
    for (const link of links) this.links.of(link.name).look(link, now, this.hour)
    this.links.keepOnly(links)
  }

  /** The hour of the last look, since 1970. */
  get hour(): number {
    return hourOf(this.wallMs)
  }

  /** See {@link SuccessStatus}; `undefined`: there is no such link. */
  status(name: string): SuccessStatus | undefined {
    const rates = this.links.get(name)
    if (rates === undefined) return undefined
    const present = rates.present
    const usual = this.usualOf(rates)
    const isLow = this.isLow(present, usual.usual)
    return { ...present, ...usual, isLow, instead: isLow ? rates.instead : [] }
  }

  /** While the present reaches back into the hour before, the lower of both is the usual share: their trade may differ. */
  private usualOf(rates: LinkRates): Pick<SuccessStatus, "usual" | "days"> {
    const usual = rates.usual(this.hour)
    const before = rates.usual(hourOf(this.wallMs - PRESENT_MS))
    if (usual.usual === undefined || before.usual === undefined) return usual
    return before.usual < usual.usual ? before : usual
  }

  private isLow({ approved, ended }: Counts, usual: number | undefined): boolean {
    if (this.percent === 0 || usual === undefined || ended < ENDED_MIN) return false
    const missing = usual * ended - approved
    const chance = Math.sqrt(ended * usual * (1 - usual))
    return missing >= (usual * ended * this.percent) / 100 && missing >= DEVIATIONS * chance && missing > 0
  }

  /** What is to be kept, by link. */
  *kept(): Generator<readonly [link: string, hours: ReadonlyArray<HourCounts>]> {
    for (const [name, { hours }] of this.links) if (hours.all.length > 0) yield [name, hours.all]
  }

  /** Takes what was kept of an hour before the first look. */
  learn(link: string, [hour, ended, approved]: HourCounts): void {
    this.links.of(link).hours.add(hour, { ended, approved })
  }
}

const of100 = (share: number): string => `${Math.round(100 * share)} of 100`

const codeWords = ([code, count]: readonly [string, number]): string =>
  `${code === "" ? "no answer" : code} (${count === 1 ? "once" : `${count} times`})`

/** `41 of 120 requests of the last 15 minutes were approved (34 of 100); at this hour 93 of 100 are, by 5 earlier days`. */
export const successWords = ({ approved, days, ended, instead, usual }: SuccessStatus): string => {
  const present = `${approved} of ${ended} requests of the last 15 minutes were approved`
  const share = ended === 0 ? "" : ` (${of100(approved / ended)})`
  const before =
    usual === undefined
      ? "; what is usual at this hour is not known yet"
      : `; at this hour ${of100(usual)} are, ${byDays(days)}`
  const others = instead.length === 0 ? "" : `. Most often instead: ${instead.map(codeWords).join(", ")}`
  return `${present}${share}${before}${others}`
}
