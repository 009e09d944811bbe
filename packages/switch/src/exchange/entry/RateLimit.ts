/**
 * How many requests a second a partner may send: a bucket that holds the requests of one second and is filled evenly. Pure.
 */

/** The bucket of one link. Times are monotonic milliseconds. */
export class RateLimit {
  private readonly perSecond: number
  private left: number
  private filledAt = 0

  /** `perSecond`: at least 1. */
  constructor(perSecond: number) {
    this.perSecond = perSecond
    this.left = perSecond
  }

  /** One more has come: whether it is within the limit. One that is not costs nothing. */
  take(now: number): boolean {
    this.left = Math.min(this.perSecond, this.left + ((now - this.filledAt) * this.perSecond) / 1000)
    this.filledAt = now
    if (this.left < 1) return false
    this.left--
    return true
  }
}
