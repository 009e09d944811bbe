/**
 * Requests that their partner has approved although they have to be taken back: nobody heard of the approval, or it came late.
 *
 * "No such request" is no end of the reversal of such a one: the partner itself has said that there is. Only its first attempt
 * can tell: behind one whose answer was lost it may mean that the reversal was done. Pure.
 */

/** Requests that are remembered; the oldest are forgotten. A switch with more of them has other worries. */
const KNOWN_MAX = 4096

/** See the module header. */
export class Approvals {
  /** By exchange; true once a first attempt was told that there is no such request. */
  private readonly known = new Map<number, boolean>()

  /** The request was approved. */
  add(exchange: number): void {
    if (this.known.has(exchange)) return
    this.known.set(exchange, false)
    if (this.known.size > KNOWN_MAX) this.known.delete(this.known.keys().next().value!)
  }

  /** Whether "no such request" contradicts the partner's own approval; `attempts`: made so far for its reversal. */
  contradicts(exchange: number, attempts: number): boolean {
    const isToldBefore = this.known.get(exchange)
    if (isToldBefore === undefined) return false
    if (attempts === 1) this.known.set(exchange, true)
    return isToldBefore || attempts === 1
  }

  /** The request has been taken back. */
  delete(exchange: number): void {
    this.known.delete(exchange)
  }
}
