/**
 * How long partners pause between their requests: the present pause, and the longest at this hour on the seven days before.
 * Pure; `SuccessRatesFile` keeps it over a restart.
 *
 * A fixed limit cries wolf at night, or is blind by day. A pause counts in every hour that it lasts through, with its whole
 * length so far, so a night without requests is usual at its second hour as at its last. What is usual is the longer of the
 * same hour a week ago, which may be a Sunday, and the middle of the seven days. Before that week is known, nothing is said.
 */
import type { LinkWork } from "../../SwitchStatus.ts"
import { lasting } from "../Counted.ts"
import { ByLink, byDays, DAYS, HOUR_MS, HOURS, hourOf, usualAt } from "./Usual.ts"

/** A pause is told of from this long on, and from so many times the usual one. */
const PAUSE_MIN_MS = 300_000
const TIMES_USUAL = 3

/** One hour of one link: the hour since 1970, and the longest pause that was seen in it, in seconds. */
export type HourPause = readonly [hour: number, seconds: number]

/** The pause of one link's partner. */
export interface PauseStatus {
  /** Since its last request, or since the link is ready; milliseconds. */
  readonly ms: number
  /** The longest that is usual at this hour, in milliseconds. */
  readonly usualMs: number
  readonly days: number
}

/** One link: its hours in a ring, as in `SuccessRates`. */
class LinkPauses {
  private readonly hours = new Int32Array(HOURS).fill(-1)
  private readonly seconds = new Uint32Array(HOURS)
  /** Requests at the last look, and when the last of them was seen, monotonic milliseconds. */
  private requests = -1
  private lastAt = 0
  private ms = 0

  look({ ready, since, traffic }: LinkWork, now: number, hour: number): void {
    if (this.requests < 0) this.lastAt = now
    // With its whole length, also where a request has ended it by now.
    this.add([hour, Math.floor((now - this.lastAt) / 1000)])
    if (traffic.requestsIn !== this.requests) this.lastAt = now
    this.requests = traffic.requestsIn
    // While the link is down the partner cannot send any: what it was like belongs to the hour, and is no pause of now.
    this.ms = ready ? now - Math.max(this.lastAt, since) : 0
  }

  add([hour, seconds]: HourPause): void {
    const at = hour % HOURS
    this.seconds[at] = this.hours[at] === hour ? Math.max(this.seconds[at]!, seconds) : seconds
    this.hours[at] = hour
  }

  status(hour: number): PauseStatus | undefined {
    const now = this.usual(hour)
    // A pause that has come over from the hour before may have been usual there.
    const before = this.ms >= HOUR_MS ? now : this.usual(hour - 1)
    if (now === undefined || before === undefined) return undefined
    return { ms: this.ms, usualMs: 1000 * Math.max(now.seconds, before.seconds), days: now.days }
  }

  private usual(hour: number): { readonly seconds: number; readonly days: number } | undefined {
    const weekAgo = this.at(hour - 24 * DAYS)
    const { days, middle = 0 } = usualAt(hour, (earlier) => this.at(earlier))
    return weekAgo === undefined ? undefined : { seconds: Math.max(weekAgo, middle), days }
  }

  private at(hour: number): number | undefined {
    return hour >= 0 && this.hours[hour % HOURS] === hour ? this.seconds[hour % HOURS] : undefined
  }

  get all(): ReadonlyArray<HourPause> {
    return Array.from(this.hours, (hour, at): HourPause => [hour, this.seconds[at]!]).filter(([hour]) => hour >= 0)
  }
}

/** The pauses of all links. */
export class Pauses {
  private readonly links = new ByLink(() => new LinkPauses())
  private hour = 0

  /** Looks at the links: every few seconds. Those that are gone are forgotten. `now` in monotonic milliseconds. */
  look(links: ReadonlyArray<LinkWork>, now: number, wallMs: number): void {
    this.hour = hourOf(wallMs)
    for (const link of links) this.links.of(link.name).look(link, now, this.hour)
    this.links.keepOnly(links)
  }

  /** See {@link PauseStatus}; `undefined`: there is no such link, or what is usual is not known. */
  status(name: string): PauseStatus | undefined {
    return this.links.get(name)?.status(this.hour)
  }

  /** The links that it knows. */
  get names(): Iterable<string> {
    return this.links.names
  }

  /** What is to be kept of a link. */
  kept(name: string): ReadonlyArray<HourPause> {
    return this.links.get(name)?.all ?? []
  }

  /** Takes what was kept of an hour before the first look. */
  learn(link: string, hour: HourPause): void {
    this.links.of(link).add(hour)
  }
}

/** Whether somebody should look. */
export const isUnusual = ({ ms, usualMs }: PauseStatus): boolean => ms >= Math.max(PAUSE_MIN_MS, TIMES_USUAL * usualMs)

/** `no request for 22 minutes; at this hour 40 seconds are the longest that is usual, by 7 earlier days`. */
export const pauseWords = ({ days, ms, usualMs }: PauseStatus): string =>
  `no request for ${lasting(ms)}; at this hour ${lasting(usualMs)} are the longest that is usual, ${byDays(days)}`
