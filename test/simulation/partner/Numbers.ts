/** Numbers that a partner gives: STAN (DE 11) and the dates and times of a message (DE 7, 12, 13). */

/** System trace audit numbers of one institution: 000001 to 999999, then from the start again. */
export class Stans {
  private last = 0

  next(): string {
    this.last = (this.last % 999_999) + 1
    return String(this.last).padStart(6, "0")
  }
}

/** DE 7 `MMDDhhmmss`, DE 12 `hhmmss` and DE 13 `MMDD`. */
export interface Times {
  readonly transmission: string
  readonly time: string
  readonly date: string
}

let second = -1
let times: Times = { transmission: "", time: "", date: "" }

/** The times of a message at `ms` since 1970, in UTC. */
export const timesAt = (ms: number): Times => {
  const now = Math.floor(ms / 1000)
  if (now === second) return times
  second = now
  const text = new Date(ms).toISOString()
  const date = text.slice(5, 7) + text.slice(8, 10)
  const time = text.slice(11, 13) + text.slice(14, 16) + text.slice(17, 19)
  times = { transmission: date + time, time, date }
  return times
}
