/**
 * How much of the way to disk one partner may fill, over all of its connections. Pure.
 *
 * Every message that is taken waits for the disk behind all that were taken before it. Without a share, the flood of one
 * partner would make every other partner wait for megabytes of it; with it, only the partner that floods is read no further
 * until its own have gone.
 */

/** Messages of one partner that may be on their way to disk. */
const UNWRITTEN_MAX = 256

/** The share of one partner. */
export class FairShare {
  private count = 0
  private mark = 0

  /** One more message of the partner was taken. */
  taken(): void {
    this.count++
  }

  /**
   * At the end of a turn: the sequence number up to which all has to be on disk and done before the link is read again; 0: read
   * on. `last` was written last; `isDone` says how far that is.
   */
  waitsFor(last: number, isDone: (seq: number) => boolean): number {
    if (this.count <= UNWRITTEN_MAX) return 0
    if (!isDone(this.mark)) return this.mark
    this.mark = last
    this.count = 0
    return 0
  }
}
