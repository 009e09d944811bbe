/**
 * Which lines about a link go into journal and log, of a kind that its partner can cause as often as it likes. Pure.
 *
 * A few together are all noted, a flood is not: it would fill the disk and hide what matters. Nothing is counted here but lines.
 */

/** Lines that may follow each other at once. */
const BURST = 10
/** One more for each time that this has passed, in milliseconds. */
const REFILL_MS = 1000

/** The lines of one kind on one link. */
export class Notices {
  private left = BURST
  private refilledAt = 0
  private count = 0

  /** `text` as it shall be noted now, in monotonic milliseconds, with how many there were so far; `undefined`: not at all. */
  take(now: number, text: string): string | undefined {
    const refilled = Math.floor((now - this.refilledAt) / REFILL_MS)
    if (refilled > 0) {
      this.left = Math.min(BURST, this.left + refilled)
      this.refilledAt = now
    }
    this.count++
    if (this.left === 0) return undefined
    this.left--
    return this.count <= BURST ? text : `${text}, ${this.count} so far`
  }
}
