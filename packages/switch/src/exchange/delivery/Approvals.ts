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

/** See the module header. */
export class Approvals {
  /** By exchange; true once a first attempt was told that there is no such request. */
  private readonly known = new Map<number, boolean>()
  /** Exchanges whose reversals ended because the partner knew no such request, and those whose reversals were done. */
  private readonly unseen = new Set<number>()
  private readonly undone = new Set<number>()

  /** The request was approved. */
  add(exchange: number): void {
    if (this.known.has(exchange)) return
    this.known.set(exchange, false)
    if (this.known.size > KNOWN_MAX) this.known.delete(this.known.keys().next().value!)
  }

  /** Whether it is known that the request was approved. */
  has(exchange: number): boolean {
    return this.known.has(exchange)
  }

  /** Whether "no such request" contradicts the partner's own approval; `attempts`: made so far for its reversal. */
  contradicts(exchange: number, attempts: number): boolean {
    // Of a second reversal it says that the first one was done.
    if (this.undone.has(exchange)) return false
    const isToldBefore = this.known.get(exchange)
    if (isToldBefore === undefined) return false
    if (attempts === 1) this.known.set(exchange, true)
    return isToldBefore || attempts === 1
  }

  /** The reversal of the request has ended; `isUnseen`: the partner knew no such request. */
  ended(exchange: number, isUnseen: boolean): void {
    this.known.delete(exchange)
    if (!isUnseen) this.unseen.delete(exchange)
    const ended = isUnseen ? this.unseen : this.undone
    ended.add(exchange)
    if (ended.size > KNOWN_MAX) ended.delete(ended.keys().next().value!)
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
