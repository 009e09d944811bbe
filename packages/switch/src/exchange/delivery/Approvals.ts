/**
 * Requests that their partner has approved and that have to be taken back: their own partner reverses them, nobody heard of the
 * approval, or it came late.
 *
 * "No such request" is no end of the reversal of such a one: the partner itself has said that there is. Only its first attempt
 * can tell: behind one whose answer was lost it may mean that the reversal was done. Pure.
 */
import type { Language } from "../../message/Language.ts"

/** Requests that are remembered, of each kind; the oldest are forgotten. A switch with more of them has other worries. */
const KNOWN_MAX = 16_384

/** Whether a code that acknowledges a reversal says that there was nothing to reverse. */
export const saysUnseen = (language: Language, code: string): boolean =>
  !language.isSuccess(code) && code !== language.refusal.duplicate

/** Adds to what is kept of one kind; the oldest is forgotten. */
const keep = (kept: Set<number>, exchange: number): void => {
  kept.add(exchange)
  if (kept.size > KNOWN_MAX) kept.delete(kept.keys().next().value!)
}

/** See the module header. Numbers of exchanges. */
export class Approvals {
  /** Requests that were approved. */
  private readonly known = new Set<number>()
  /** Reversals whose first attempt was told that there is no such request, or of which a restart does not know it. */
  private readonly toldFirst = new Set<number>()
  /** Requests whose reversals ended because the partner knew no such request, and those whose reversals were done. */
  private readonly unseen = new Set<number>()
  private readonly undone = new Set<number>()

  /** The request was approved. */
  add(exchange: number): void {
    if (!this.known.has(exchange)) keep(this.known, exchange)
  }

  /** Whether it is known that the request was approved. */
  has(exchange: number): boolean {
    return this.known.has(exchange)
  }

  /** At the start: the last run has made attempts for this reversal, and nobody knows what they were told. */
  begun(reversal: number): void {
    keep(this.toldFirst, reversal)
  }

  /**
   * An attempt for a reversal was told that there is no such request: whether that contradicts the partner's own approval of it.
   * `attempts`: made so far.
   */
  contradicts(request: number, reversal: number, attempts: number): boolean {
    if (attempts === 1) keep(this.toldFirst, reversal)
    // Of a second reversal it says that the first one was done.
    if (this.undone.has(request) || !this.known.has(request)) return false
    return this.toldFirst.has(reversal)
  }

  /** The reversal of the request has ended; `isUnseen`: the partner knew no such request. */
  ended(exchange: number, isUnseen: boolean): void {
    this.known.delete(exchange)
    if (!isUnseen) this.unseen.delete(exchange)
    keep(isUnseen ? this.unseen : this.undone, exchange)
  }

  /** Nothing more is said of this reversal. */
  over(reversal: number): void {
    this.toldFirst.delete(reversal)
  }

  /** Whether the partner knew no such request when its reversal ended. */
  isUnseen(exchange: number): boolean {
    return this.unseen.has(exchange)
  }

  /** The same, and now somebody does something about it: told once. */
  takeUnseen(exchange: number): boolean {
    return this.unseen.delete(exchange)
  }
}
