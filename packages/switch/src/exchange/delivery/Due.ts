/**
 * The stored messages of one queue that may leave now, in their order: our own reversals first, then the partners in turn, each
 * one's own as they were accepted. Pure.
 *
 * A partner that has tens of thousands waiting keeps no other one's message waiting longer than one turn, and never ours: our
 * own reversals take back money that nobody else will take back. A message whose key is under way, or whose original has not
 * ended here, steps aside and is back in front when it may go; nobody else waits for it.
 */
import { ByTurns } from "../turns/ByTurns.ts"

/** Origin of the messages that the switch makes itself. */
export const OURS = -1

/** What has to be known of a message. */
export interface KnownOf<A> {
  /** Number of the partner that it came from, or {@link OURS}. */
  readonly origin: (message: A) => number
  /** Match key of its answer; asked only of messages that are here. */
  readonly key: (message: A) => string
}

/** Why a message cannot leave. */
export interface Obstacles<A> {
  /** A message with this key is under way. */
  readonly isUnderWay: (key: string) => boolean
  /** What the message is about has not ended yet, or a person holds it back. */
  readonly isEarly: (message: A) => boolean
  /** The origin may have one more under way. */
  readonly mayHave: (origin: number) => boolean
  /** The message itself is in memory. */
  readonly isHere: (message: A) => boolean
}

/** See the module header. */
export class Due<A> {
  private readonly of: KnownOf<A>
  private readonly ours = new ByTurns<A>()
  private readonly theirs = new ByTurns<A>()
  private readonly behindKey = new Map<string, Array<A>>()
  private early: Array<A> = []

  constructor(of: KnownOf<A>) {
    this.of = of
  }

  /** The message waits behind its origin's others. */
  add(message: A): void {
    this.queueOf(message).push(this.of.origin(message), message)
  }

  /** The message is the next of its origin. */
  putBack(message: A): void {
    this.queueOf(message).pushFront(this.of.origin(message), message)
  }

  /** The next that may leave; `undefined`: none may, or the one whose turn it is is not here. */
  next({ isUnderWay, isEarly, mayHave, isHere }: Obstacles<A>): A | undefined {
    const isKnown = (message: A) => isEarly(message) || isHere(message)
    for (;;) {
      // While one of ours is not here, theirs do not take its place.
      const message =
        this.ours.length > 0
          ? this.ours.next((_, first) => isKnown(first))
          : this.theirs.next((origin, first) => mayHave(origin) && isKnown(first))
      if (message === undefined) return undefined
      if (isEarly(message)) this.early.push(message)
      else if (isUnderWay(this.of.key(message))) this.stepAside(message)
      else return message
    }
  }

  /** The first `most` in the order in which they may leave, as far as that can be said now. */
  first(most: number, mayHave: (origin: number) => boolean): ReadonlyArray<A> {
    const ours = this.ours.first(most)
    return [...ours, ...this.theirs.first(most - ours.length, mayHave)]
  }

  /** No message with this key is under way any more: the first that waited for that is due again. */
  freed(key: string): void {
    const behind = this.behindKey.get(key)
    if (behind === undefined) return
    this.putBack(behind.shift()!)
    if (behind.length === 0) this.behindKey.delete(key)
  }

  /** Looks again at messages that came before what they are about had ended. */
  again(isEarly: (message: A) => boolean): void {
    if (this.early.length === 0) return
    const waiting = this.early
    this.early = []
    for (let n = waiting.length - 1; n >= 0; n--) {
      const message = waiting[n]!
      if (isEarly(message)) this.early.unshift(message)
      else this.putBack(message)
    }
  }

  private stepAside(message: A): void {
    const key = this.of.key(message)
    const behind = this.behindKey.get(key)
    if (behind === undefined) this.behindKey.set(key, [message])
    else behind.push(message)
  }

  private queueOf(message: A): ByTurns<A> {
    return this.of.origin(message) === OURS ? this.ours : this.theirs
  }
}
