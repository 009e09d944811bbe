/** Numbers that a partner gives: STAN (DE 11) and the dates and times of a message (DE 7, 12, 13). */
import { Clock, Effect } from "effect"

/** System trace audit numbers of one institution: 000001 to 999999, then from the start again. */
export class Stans {
  private last = 0

  next(): string {
    this.last = (this.last % 999_999) + 1
    return String(this.last).padStart(6, "0")
  }
}

/** DE 7 `MMDDhhmmss`, DE 12 `hhmmss` and DE 13 `MMDD` of now, in UTC. */
export const transmissionTime = Effect.map(Clock.currentTimeMillis, (ms) => {
  const text = new Date(ms).toISOString().replace(/\D/g, "")
  return { transmission: text.slice(4, 14), time: text.slice(8, 14), date: text.slice(4, 8) }
})
