/** What a partner says by itself, and when: after a while, again and again, or at a minute of its day. */
import type { Timepiece } from "../partner/Session.ts"
import type { OwnWish, PartnerPlan, Scheduled } from "./PartnerPlan.ts"
import { carriedBy, minuteOf } from "./Rules.ts"

interface Entry {
  readonly scheduled: Scheduled
  next: number
}

const firstAfter = ({ afterMs, atMinute, everyMs }: Scheduled): number =>
  atMinute === undefined ? (afterMs ?? everyMs ?? 0) : Number.POSITIVE_INFINITY

/** The schedule of one partner at work. */
export class Timetable {
  private entries: ReadonlyArray<Entry> = []
  private lastMinute: number

  constructor(plan: PartnerPlan, time: Timepiece) {
    this.lastMinute = minuteOf(time.wall() + plan.utcOffsetMs)
    this.replan(plan, time.monotonic())
  }

  /** Another plan: what it has as before goes on, all else begins now. */
  replan({ schedule }: PartnerPlan, now: number): void {
    const before = carriedBy(this.entries, ({ scheduled }) => JSON.stringify(scheduled))
    this.entries = schedule.map(
      (scheduled) => before(JSON.stringify(scheduled)) ?? { scheduled, next: now + firstAfter(scheduled) }
    )
  }

  /** When something has to be said that has no minute of its day; Infinity: nothing has. */
  get nextDue(): number {
    return Math.min(...this.entries.map(({ next }) => next))
  }

  /** What has to be said now. */
  due(now: number, localMs: number): ReadonlyArray<OwnWish> {
    if (this.entries.length === 0) return []
    const minute = minuteOf(localMs)
    const isNewMinute = minute !== this.lastMinute
    this.lastMinute = minute
    const wishes: Array<OwnWish> = []
    for (const entry of this.entries) {
      const { atMinute, everyMs } = entry.scheduled
      if (isNewMinute && atMinute === minute) wishes.push(entry.scheduled)
      if (now < entry.next) continue
      wishes.push(entry.scheduled)
      entry.next = everyMs === undefined ? Number.POSITIVE_INFINITY : now + everyMs
    }
    return wishes
  }
}
