/**
 * How much of the way to disk one link may fill. Pure.
 *
 * Every message that is taken waits for the disk behind all that were taken before it. Without a share, the flood of one
 * partner would make every other partner wait for megabytes of it; with it, only the link that floods is read no further
 * until its own have gone.
 */

/** Messages of one link that may be on their way; with those of the next turns, at most some 3,000. */
const UNWRITTEN_MAX = 1024

/** The share of one link. */
export class FairShare {
  private count = 0
  private mark = 0

  /** One more message of the link was taken. */
  taken(): void {
    this.count++
  }

  /**
   * At the end of a turn: the sequence number that has to be on disk before the link is read again; 0: read on. `last` was
   * written last, `committed` is on disk.
   */
  waitsFor(last: number, committed: number): number {
    if (this.count <= UNWRITTEN_MAX) return 0
    if (committed < this.mark) return this.mark
    this.mark = last
    this.count = 0
    return 0
  }
}
