/**
 * Store-and-forward of one link: advices and reversals that are sent until they are acknowledged. Our own reversals go first,
 * and then the partners take turns, each one's own in the order in which they were accepted (`Due`).
 *
 * Every attempt is journalled before it is written, so a restart knows which messages may have left: these, and every later
 * attempt, go out with the repeat MTI and unchanged keys (guarantee G5). Messages about the same transaction never overtake each
 * other; others may be under way together, up to the window. When the attempts are used up the message is abandoned, and a final
 * code that settles nothing means that it is declined: then what it is about is in doubt until a person ends it (`Doubts`).
 */

import { Shares } from "../turns/Shares.ts"
import { Due } from "./Due.ts"
import { OldestFirst } from "./OldestFirst.ts"
import type { Stored } from "./Stored.ts"

/** Limits, in milliseconds and counts. */
export interface Settings {
  /** How long an answer is waited for. */
  readonly timeoutMs: number
  /** Wait after an attempt that was not answered or not answered finally. */
  readonly retryMs: number
  readonly attemptsMax: number
  /** Messages under way at once. */
  readonly window: number
}

/** How a delivery ends. Only with the first is nothing left to be done. */
export type DeliveryEnd = "acknowledged" | "abandoned" | "declined"

/** The state of a message that has not ended: not sent yet, sent and not answered, between two attempts, held by a person. */
export type DeliveryState = "waiting" | "under way" | "resting" | "held"

/** What the queue does outside of itself. */
export interface Effects {
  /**
   * Number of the link that the message can leave on now: its own, or another of its group. `undefined` when there is none, or
   * while a message with the same key is under way for the group.
   */
  readonly carrier: (stored: Stored) => number | undefined
  /**
   * Journals an attempt on the link `carrier`, and calls `then` when it is on disk, with the time and the number of the
   * connection that the message is to leave on; 0 when there is none, and then nothing was journalled.
   */
  readonly recordAttempt: (stored: Stored, carrier: number, then: (nowMs: number, epoch: number) => void) => void
  /** Journals the end. `code` is the response code, or the reason for giving up. */
  readonly recordEnd: (stored: Stored, end: DeliveryEnd, code: string) => void
  /** Writes the message, as a repeat when it may have been sent before. False when the connection cannot be used now. */
  readonly write: (stored: Stored, isRepeat: boolean, carrier: number, epoch: number) => boolean
  /** Whether a response code ends the delivery; other codes say "try again later". */
  readonly isFinal: (code: string) => boolean
  /** Whether a final code says that nothing is left to be done; any other leaves what the message is about in doubt. */
  readonly isAcknowledged: (stored: Stored, code: string) => boolean
  /** Whether the code is one of success: the partner has done what the message says. */
  readonly isSuccess: (code: string) => boolean
  /** Whether the request that the message is about has not ended here yet. */
  readonly isEarly: (stored: Stored) => boolean
  /** The number of the queue's own link. */
  readonly own: number
}

/** What an operator sees of a queue. */
export interface StoredStatus {
  /** Messages that have not ended, and those of them that wait for an answer or for their next attempt. */
  readonly size: number
  readonly underWay: number
  readonly resting: number
  /** Monotonic milliseconds of the first attempt that rests; 0: none does. */
  readonly nextAttempt: number
  /** `at` in milliseconds since the epoch. */
  readonly oldest: { readonly at: number; readonly exchange: number; readonly attempts: number } | undefined
  readonly attemptsMax: number
}

/** When a message's wait is over, and whether the wait is for an answer or for its next attempt. */
interface Waiting {
  readonly stored: Stored
  readonly until: number
  /** Connection that it was written to; 0 before. */
  readonly epoch: number
}

/** A message on its way: the link that carries it. */
interface UnderWay extends Waiting {
  readonly carrier: number
}

/** The queue of one link. Times are monotonic milliseconds. */
export class StoreAndForward {
  private settings: Settings
  private readonly effects: Effects
  /** To be sent as soon as there is room. */
  private readonly due = new Due<Stored>()
  /** Between two attempts; the wait is always the same, so the first is due first. */
  private resting: Array<Omit<Waiting, "epoch">> = []
  /** Journalled as sent or being so, and waiting for an answer; by match key, oldest first. */
  private readonly underWay = new Map<string, UnderWay>()
  /** The oldest unfinished message of each transaction, and those that have to wait for it. */
  private readonly transactions = new Map<string, Array<Stored>>()
  private readonly byAge = new OldestFirst<Stored>()
  /** Messages that have not ended, and those of them that are under way, by the partner that they came from. */
  private readonly held = new Shares()
  private readonly moving = new Shares()
  /** Exchanges that a person holds back. */
  private readonly heldBack = new Set<number>()

  constructor(settings: Settings, effects: Effects) {
    this.settings = settings
    this.effects = effects
  }

  /** New limits, for attempts from here on. */
  change(settings: Settings): void {
    this.settings = settings
  }

  /** How long an answer is waited for, in milliseconds. */
  get timeoutMs(): number {
    return this.settings.timeoutMs
  }

  /** Messages that have not ended. */
  get size(): number {
    return this.held.size
  }

  /** Whether the partner may have one more stored here, of `capacity` messages. */
  hasRoomFor(partner: number, capacity: number): boolean {
    return this.held.may(partner, capacity, true)
  }

  /** The oldest message that has not ended. */
  get oldest(): Stored | undefined {
    return this.byAge.first
  }

  /** The state of the queue, however long it is. */
  status(): StoredStatus {
    const { oldest } = this
    return {
      size: this.size,
      underWay: this.underWay.size,
      resting: this.resting.length,
      nextAttempt: this.resting[0]?.until ?? 0,
      oldest:
        oldest === undefined ? undefined : { at: oldest.at, exchange: oldest.exchange, attempts: oldest.attempts },
      attemptsMax: this.settings.attemptsMax
    }
  }

  /** The same with the state of each. */
  *undelivered(): Iterable<{ readonly stored: Stored; readonly state: DeliveryState }> {
    const resting = new Set(this.resting.map(({ stored }) => stored))
    for (const stored of this.unfinished()) {
      const isUnderWay = this.underWay.get(stored.key)?.stored === stored
      const isHeld = this.heldBack.has(stored.exchange)
      yield { stored, state: isUnderWay ? "under way" : isHeld ? "held" : resting.has(stored) ? "resting" : "waiting" }
    }
  }

  /** Messages that have not ended, oldest first in each transaction. */
  *unfinished(): Iterable<Stored> {
    for (const chain of this.transactions.values()) yield* chain
  }

  /** A person holds the message back: no attempt is made until it is released. What is under way goes on. */
  hold(exchange: number): void {
    this.heldBack.add(exchange)
  }

  /** A person lets it go again. */
  release(exchange: number): void {
    this.heldBack.delete(exchange)
    this.due.again((stored) => this.mustWait(stored))
    this.pump()
  }

  /** A message that rests goes as soon as its link is ready. False when it does not rest. */
  retry(exchange: number): boolean {
    const at = this.resting.findIndex(({ stored }) => stored.exchange === exchange)
    if (at < 0) return false
    this.putBack(this.resting.splice(at, 1).map(({ stored }) => stored))
    this.pump()
    return true
  }

  /** One more attempt for a message that was given up. False while another about the same transaction waits. */
  tryOnceMore(stored: Stored): boolean {
    if (this.holds(stored.transaction)) return false
    // It may have arrived before, so it goes as a repeat (G5), and is given up again when nothing comes.
    stored.attempts = Math.max(1, this.settings.attemptsMax - 1)
    this.add(stored)
    return true
  }

  private mustWait(stored: Stored): boolean {
    return this.heldBack.has(stored.exchange) || this.effects.isEarly(stored)
  }

  /** Takes a message whose `queued` entry is on disk. */
  add(stored: Stored): void {
    this.held.take(stored.origin)
    this.byAge.add(stored)
    const chain = this.transactions.get(stored.transaction)
    if (chain !== undefined) {
      chain.push(stored)
      return
    }
    this.transactions.set(stored.transaction, [stored])
    this.due.add(stored)
    this.pump()
  }

  /** The message that waits for an answer with the match key `key`. */
  waiting(key: string): Stored | undefined {
    return this.underWay.get(key)?.stored
  }

  /** An answer with the match key `key` came. False when no message here waits for it. */
  answered(key: string, code: string, nowMs: number): boolean {
    const waiting = this.underWay.get(key)
    if (waiting === undefined) return false
    this.settle(waiting.stored)
    if (this.isEnd(waiting, code)) {
      this.finish(waiting.stored, this.effects.isAcknowledged(waiting.stored, code) ? "acknowledged" : "declined", code)
    } else this.again(waiting.stored, code, nowMs)
    this.pump()
    return true
  }

  /**
   * Whether an answer ends the message. "No original" over another link than the original's own says only that it has not come
   * yet: what that link's host had not read when its connection ended may be read still. So it is asked again, to the last
   * attempt.
   */
  private isEnd({ stored, carrier }: UnderWay, code: string): boolean {
    if (!this.effects.isFinal(code)) return false
    const isSure = carrier === this.effects.own || this.effects.isSuccess(code)
    return isSure || stored.attempts >= this.settings.attemptsMax
  }

  /** Whether a message of this transaction has not ended: the next one about it has to wait here. */
  holds(transaction: string): boolean {
    return this.transactions.has(transaction)
  }

  /** The link may be used: what waits goes out, what was under way on the old connection first. */
  linkReady(): void {
    this.pump()
  }

  /**
   * The connection of the link `carrier` has ended: nothing is under way on it any more, and all of that may have arrived. With
   * `one`, only this one of several has: the next one is there for the asking, so that its messages rest before they ask.
   */
  linkLost(carrier: number, one?: { readonly epoch: number; readonly nowMs: number }): void {
    const lost: Array<Stored> = []
    for (const { stored, carrier: by, epoch } of this.underWay.values()) {
      if (by !== carrier || (one !== undefined && epoch !== one.epoch)) continue
      this.settle(stored)
      if (one === undefined) lost.push(stored)
      else this.rest(stored, one.nowMs)
    }
    this.putBack(lost)
  }

  /** Moves on what has waited long enough. Called at every tick of the deadline fiber. */
  tick(nowMs: number): void {
    for (const { stored, until } of this.underWay.values()) {
      if (until > nowMs) continue
      this.settle(stored)
      this.again(stored, "no answer", nowMs)
    }
    let rested = 0
    while (rested < this.resting.length && this.resting[rested]!.until <= nowMs) rested++
    if (rested > 0) this.putBack(this.resting.splice(0, rested).map(({ stored }) => stored))
    this.due.again((stored) => this.mustWait(stored))
    this.pump()
  }

  /** The oldest of them is the next of its origin. */
  private putBack(messages: ReadonlyArray<Stored>): void {
    for (const message of messages.toReversed()) this.due.putBack(message)
  }

  /** The message is not under way any more. */
  private settle({ key, origin }: Stored): void {
    this.underWay.delete(key)
    this.moving.leave(origin)
    this.due.freed(key)
  }

  private pump(): void {
    const { window } = this.settings
    while (this.underWay.size < window) {
      const stored = this.due.next({
        // Two with one key are never under way together (guarantee G6).
        isUnderWay: (key) => this.underWay.has(key),
        isEarly: (message) => this.mustWait(message),
        mayHave: (origin) => this.moving.may(origin, window, true)
      })
      if (stored === undefined) return
      const carrier = this.effects.carrier(stored)
      if (carrier === undefined) return this.due.putBack(stored)
      // It counts as under way while its attempt is being journalled; its time runs from the writing, however slow the disk is.
      this.underWay.set(stored.key, { stored, until: Number.POSITIVE_INFINITY, carrier, epoch: 0 })
      this.moving.take(stored.origin)
      const attempt = ++stored.attempts
      this.effects.recordAttempt(stored, carrier, (writtenMs, epoch) =>
        this.attempt(stored, attempt, writtenMs, carrier, epoch)
      )
    }
  }

  /** The journal has this attempt. If the link fell in between, a later attempt is on its way there, or none. */
  private attempt(stored: Stored, attempt: number, nowMs: number, carrier: number, epoch: number): void {
    if (this.underWay.get(stored.key)?.stored !== stored || stored.attempts !== attempt) return
    if (epoch > 0 && this.effects.write(stored, stored.attempts > 1, carrier, epoch)) {
      this.underWay.set(stored.key, { stored, until: nowMs + this.settings.timeoutMs, carrier, epoch })
      return
    }
    // No byte has left: the attempt was none.
    stored.attempts--
    this.settle(stored)
    // A link that can still be used has lost the one connection only, and would be dialled again at once.
    if (epoch > 0 && this.effects.carrier(stored) === carrier) this.rest(stored, nowMs)
    else this.due.putBack(stored)
  }

  private again(stored: Stored, code: string, nowMs: number): void {
    if (stored.attempts >= this.settings.attemptsMax) this.finish(stored, "abandoned", code)
    else this.rest(stored, nowMs)
  }

  private rest(stored: Stored, nowMs: number): void {
    this.resting.push({ stored, until: nowMs + this.settings.retryMs })
  }

  private finish(stored: Stored, end: DeliveryEnd, code: string): void {
    this.effects.recordEnd(stored, end, code)
    this.heldBack.delete(stored.exchange)
    const chain = this.transactions.get(stored.transaction)!
    chain.shift()
    this.byAge.end(stored)
    this.held.leave(stored.origin)
    if (chain.length === 0) this.transactions.delete(stored.transaction)
    else this.due.add(chain[0]!)
  }
}
