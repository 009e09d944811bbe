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
export interface DueMessage {
  /** Match key of its answer. */
  readonly key: string
  /** Number of the partner that it came from, or {@link OURS}. */
  readonly origin: number
}

/** Why a message cannot leave. */
export interface Obstacles<A> {
  /** A message with this key is under way. */
  readonly isUnderWay: (key: string) => boolean
  /** What the message is about has not ended yet. */
  readonly isEarly: (message: A) => boolean
  /** The origin may have one more under way. */
  readonly mayHave: (origin: number) => boolean
}

/** See the module header. */
export class Due<A extends DueMessage> {
  private readonly ours = new ByTurns<A>()
  private readonly theirs = new ByTurns<A>()
  private readonly behindKey = new Map<string, Array<A>>()
  private early: Array<A> = []

  /** The message waits behind its origin's others. */
  add(message: A): void {
    this.queueOf(message).push(message.origin, message)
  }

  /** The message is the next of its origin. */
  putBack(message: A): void {
    this.queueOf(message).pushFront(message.origin, message)
  }

  /** The next that may leave; `undefined`: none may. */
  next({ isUnderWay, isEarly, mayHave }: Obstacles<A>): A | undefined {
    for (;;) {
      const message = this.ours.next() ?? this.theirs.next(mayHave)
      if (message === undefined) return undefined
      if (isUnderWay(message.key)) this.stepAside(message)
      else if (isEarly(message)) this.early.push(message)
      else return message
    }
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
    const behind = this.behindKey.get(message.key)
    if (behind === undefined) this.behindKey.set(message.key, [message])
    else behind.push(message)
  }

  private queueOf({ origin }: A): ByTurns<A> {
    return origin === OURS ? this.ours : this.theirs
  }
}
