/** What a partner says by itself, and when: after a while, again and again, or at a minute of its day. */
import type { Timepiece } from "../partner/Session.ts"
import type { OwnWish, PartnerPlan, Scheduled } from "./PartnerPlan.ts"
import { minuteOf } from "./Rules.ts"

/** The schedule of one partner at work. */
export class Timetable {
  private readonly entries: ReadonlyArray<{ readonly scheduled: Scheduled; next: number }>
  private lastMinute: number

  constructor({ schedule, utcOffsetMs }: PartnerPlan, time: Timepiece) {
    const now = time.monotonic()
    this.lastMinute = minuteOf(time.wall() + utcOffsetMs)
    this.entries = schedule.map((scheduled) => ({
      scheduled,
      next:
        scheduled.atMinute === undefined
          ? now + (scheduled.afterMs ?? scheduled.everyMs ?? 0)
          : Number.POSITIVE_INFINITY
    }))
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
