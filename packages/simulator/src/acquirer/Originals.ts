/**
 * Approved purchases that may still be voided or refunded.
 *
 * Owns that each is taken once at most. Bounded: when full, a new one takes the place of the oldest slot in turn.
 */
import type { Original } from "./Requests.ts"

/** How many are kept. */
const ORIGINALS_MAX = 4096

/** A bag of originals, drawn from by a number in [0, 1). */
export class Originals<Kept = Original> {
  private readonly kept: Array<Kept> = []
  private next = 0

  add(original: Kept): void {
    if (this.kept.length < ORIGINALS_MAX) {
      this.kept.push(original)
      return
    }
    this.kept[this.next] = original
    this.next = (this.next + 1) % ORIGINALS_MAX
  }

  /** Removes the one at `choice` of the bag; undefined when it is empty. */
  take(choice: number): Kept | undefined {
    const last = this.kept.pop()
    if (last === undefined) return undefined
    const at = Math.floor(choice * (this.kept.length + 1))
    if (at === this.kept.length) return last
    const taken = this.kept[at]!
    this.kept[at] = last
    return taken
  }
}
