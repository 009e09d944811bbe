/**
 * How partners share a number of places. Pure.
 *
 * A partner may have three times as many places as are free. Alone it has three quarters of all, and the last quarter is there
 * for whoever comes next; two that want everything have three sevenths each, and so on: some are always free, and nobody has to
 * be told who will come. (A. K. Choudhury and E. L. Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
 * 1998, with the factor 3.) Where only one partner can come, all places are its own.
 */

/** Places that a partner may have for each free one. */
const FACTOR = 3

/** The places of one thing that is shared, and who has them. */
export class Shares {
  /** Places by the partner's number and one: the least is that of the switch itself, -1. */
  private readonly held: Array<number> = []
  private used = 0

  /** Places taken. */
  get size(): number {
    return this.used
  }

  /** Places that the partner has. */
  of(partner: number): number {
    return this.held[partner + 1] ?? 0
  }

  /** Whether the partner may take one more of `capacity` places. `isShared`: others may want some. */
  may(partner: number, capacity: number, isShared: boolean): boolean {
    const free = capacity - this.used
    if (free <= 0) return false
    return !isShared || this.of(partner) < FACTOR * free
  }

  /** The partner takes a place, whether it may or not. */
  take(partner: number): void {
    this.used++
    while (this.held.length <= partner + 1) this.held.push(0)
    this.held[partner + 1]!++
  }

  /** The partner gives a place back. */
  leave(partner: number): void {
    this.used--
    this.held[partner + 1]!--
  }
}
