/**
 * Store-and-forward of one link: advices and reversals that are sent until they are acknowledged. Our own reversals go first,
 * and then the partners take turns, each one's own in the order in which they were accepted (`Due`). However many wait, memory
 * holds a row of each (`Backlog`) and only those whole that are next (`Ahead`): the others are in the journal.
 *
 * Every attempt is journalled before it is written, so a restart knows which messages may have left: these, and every later
 * attempt, go out with the repeat MTI and unchanged keys (guarantee G5). Messages about the same transaction never overtake each
 * other; others may be under way together, up to the window. When the attempts are used up the message is abandoned, and a final
 * code that settles nothing means that it is declined: then what it is about is in doubt until a person ends it (`Doubts`).
 */
import { Shares } from "../turns/Shares.ts"
import { Ahead, type Load } from "./Ahead.ts"
import { Backlog, NONE } from "./Backlog.ts"
import { Due, type Obstacles } from "./Due.ts"
import type { DeliveryEnd, DeliveryState, Kept, Stored } from "./Stored.ts"

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
  /** How an answer with this code ends the message; `undefined`: it is sent again later. `isLast`: that was its last attempt. */
  readonly endOf: (stored: Stored, code: string, carrier: number, isLast: boolean) => DeliveryEnd | undefined
  /** Whether the request that a message is about has not ended here yet. */
  readonly isEarly: (original: NonNullable<Stored["original"]>) => boolean
  /** Reads messages out of the journal. */
  readonly load: Load
  /** The key of a transaction as a number that nobody can choose: other keys have other numbers. */
  readonly number: (transaction: string) => number
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

/** A message on its way. */
interface UnderWay {
  readonly row: number
  readonly stored: Stored
  /** When its answer is not waited for any longer. */
  readonly until: number
  /** The link that carries it, and the connection that it was written to; 0 before. */
  readonly carrier: number
  readonly epoch: number
}

/** The queue of one link. Times are monotonic milliseconds. */
export class StoreAndForward {
  private settings: Settings
  private readonly effects: Effects
  private readonly backlog = new Backlog()
  private readonly ahead: Ahead
  /** To be sent as soon as there is room. */
  private readonly due: Due<number>
  /** Between two attempts; the wait is always the same, so the first is due first. */
  private readonly resting: Array<number> = []
  /** Journalled as sent or being so, and waiting for an answer; by match key, oldest first. */
  private readonly underWay = new Map<string, UnderWay>()
  /** Messages that have not ended, and those of them that are under way, by the partner that they came from. */
  private readonly held = new Shares()
  private readonly moving = new Shares()
  /** Exchanges that a person holds back, and messages about requests that had not ended when they came. */
  private readonly heldBack = new Set<number>()
  private readonly originals = new Map<number, NonNullable<Stored["original"]>>()
  private readonly obstacles: Obstacles<number> = {
    // Two with one key are never under way together (guarantee G6).
    isUnderWay: (key) => this.underWay.has(key),
    isEarly: (row) => this.mustWait(row),
    mayHave: (origin) => this.moving.may(origin, this.settings.window, true),
    isHere: (row) => this.ahead.has(row)
  }

  /** `whole`: messages that memory holds whole; left out: `WHOLE_MAX`. */
  constructor(settings: Settings, effects: Effects, whole?: number) {
    this.settings = settings
    this.effects = effects
    this.ahead = new Ahead(this.backlog, effects.load, whole)
    this.due = new Due({ origin: (row) => this.backlog.origin(row), key: (row) => this.ahead.get(row)!.key })
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

  /** The exchange of the oldest message that has not ended; infinite when there is none. */
  get oldest(): number {
    const { oldest } = this.backlog
    return oldest === NONE ? Number.POSITIVE_INFINITY : this.backlog.exchange(oldest)
  }

  /** The oldest exchange that one of the messages is about, or is itself; infinite when there is none. */
  get oldestNeeded(): number {
    let oldest = this.oldest
    for (let row = this.backlog.oldest; row !== NONE; row = this.backlog.newer(row)) {
      const about = this.backlog.about(row)
      if (about !== 0 && about < oldest) oldest = about
    }
    return oldest
  }

  /** The state of the queue, however long it is. */
  status(): StoredStatus {
    const { backlog, resting } = this
    const oldest = backlog.oldest === NONE ? undefined : backlog.kept(backlog.oldest)
    return {
      size: this.size,
      underWay: this.underWay.size,
      resting: resting.length,
      nextAttempt: resting.length === 0 ? 0 : backlog.until(resting[0]!),
      oldest: oldest && { at: oldest.at, exchange: oldest.exchange, attempts: oldest.attempts },
      attemptsMax: this.settings.attemptsMax
    }
  }

  /** Messages that have not ended, or those of them in a state, oldest first. */
  *undelivered(wanted?: DeliveryState): Iterable<{ readonly kept: Kept; readonly state: DeliveryState }> {
    const moving = new Set([...this.underWay.values()].map(({ row }) => row))
    for (let row = this.backlog.oldest; row !== NONE; row = this.backlog.newer(row)) {
      const state = this.stateOf(row, moving.has(row))
      if (wanted === undefined || state === wanted) yield { kept: this.backlog.kept(row), state }
    }
  }

  /** Whether the message of this exchange has not ended. */
  has(exchange: number): boolean {
    return this.backlog.find(exchange) !== NONE
  }

  /** One of them; `undefined`: it has ended, or is not here. */
  find(exchange: number): { readonly kept: Kept; readonly state: DeliveryState } | undefined {
    const row = this.backlog.find(exchange)
    if (row === NONE) return undefined
    const stored = this.ahead.get(row)
    const isUnderWay = stored !== undefined && this.underWay.get(stored.key)?.row === row
    return { kept: this.backlog.kept(row), state: this.stateOf(row, isUnderWay) }
  }

  private stateOf(row: number, isUnderWay: boolean): DeliveryState {
    if (isUnderWay) return "under way"
    if (this.heldBack.has(this.backlog.exchange(row))) return "held"
    return this.backlog.until(row) > 0 ? "resting" : "waiting"
  }

  /** A person holds the message back: no attempt is made until it is released. What is under way goes on. */
  hold(exchange: number): void {
    if (this.has(exchange)) this.heldBack.add(exchange)
  }

  /** A person lets it go again. */
  release(exchange: number): void {
    this.heldBack.delete(exchange)
    this.due.again(this.obstacles.isEarly)
    this.pump()
  }

  /** A message that rests goes as soon as its link is ready. False when it does not rest. */
  retry(exchange: number): boolean {
    const row = this.backlog.find(exchange)
    const at = row === NONE || this.backlog.until(row) === 0 ? -1 : this.resting.indexOf(row)
    if (at < 0) return false
    this.putBack(this.resting.splice(at, 1))
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

  private mustWait(row: number): boolean {
    const { backlog, heldBack, originals } = this
    if (heldBack.size > 0 && heldBack.has(backlog.exchange(row))) return true
    const original = originals.size === 0 ? undefined : originals.get(row)
    if (original === undefined) return false
    if (this.effects.isEarly(original)) return true
    originals.delete(row)
    return false
  }

  /** Takes a message whose `queued` entry is on disk. */
  add(stored: Stored): void {
    const row = this.keep(stored)
    if (!this.backlog.isFirst(row)) return
    this.due.add(row)
    this.pump()
  }

  private keep(stored: Stored): number {
    const [named, own] = [stored.transaction, stored.own].map((one) => this.effects.number(one))
    const row = this.backlog.add(stored, named!, own!)
    this.held.take(stored.origin)
    this.ahead.put(row, stored)
    if (stored.original !== undefined) this.originals.set(row, stored.original)
    return row
  }

  /** At the start: a message of the last run. None leaves before {@link begin}. */
  learn(stored: Stored): void {
    this.keep(stored)
  }

  /** At the start: so many attempts were made for it. */
  learnAttempts(exchange: number, attempts: number): void {
    const row = this.backlog.find(exchange)
    if (row !== NONE) this.count(row, attempts)
  }

  /** At the start: the journal has lost entries behind these. A first attempt may be among them: each goes out as a repeat. */
  learnLost(): ReadonlyArray<number> {
    const unsent: Array<number> = []
    for (let row = this.backlog.oldest; row !== NONE; row = this.backlog.newer(row)) {
      if (this.backlog.kept(row).attempts > 0) continue
      this.count(row, 1)
      unsent.push(this.backlog.exchange(row))
    }
    return unsent
  }

  /** At the start: it had ended. What was known of it; `undefined`: nothing was. */
  learnEnd(exchange: number): Kept | undefined {
    const row = this.backlog.find(exchange)
    if (row === NONE) return undefined
    const kept = this.backlog.kept(row)
    this.end(row)
    return kept
  }

  /** At the start, when all is learned: a step for each message, and the first ones leave at the end. */
  *begin(): Generator<void> {
    for (let row = this.backlog.oldest; row !== NONE; row = this.backlog.newer(row)) {
      if (this.backlog.isFirst(row)) this.due.add(row)
      yield
    }
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
    this.settle(waiting)
    const { carrier, stored } = waiting
    const end = this.effects.endOf(stored, code, carrier, stored.attempts >= this.settings.attemptsMax)
    if (end === undefined) this.again(waiting, code, nowMs)
    else this.finish(waiting, end, code)
    this.pump()
    return true
  }

  /** Whether a message of this transaction has not ended: the next one about it has to wait here. */
  holds(transaction: string): boolean {
    return this.backlog.holds(this.effects.number(transaction))
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
    const lost: Array<number> = []
    for (const waiting of this.underWay.values()) {
      if (waiting.carrier !== carrier || (one !== undefined && waiting.epoch !== one.epoch)) continue
      this.settle(waiting)
      if (one === undefined) lost.push(waiting.row)
      else this.rest(waiting.row, one.nowMs)
    }
    this.putBack(lost)
  }

  /** Moves on what has waited long enough. Called at every tick of the deadline fiber. */
  tick(nowMs: number): void {
    const { backlog, resting } = this
    if (backlog.size === 0) return
    for (const waiting of this.underWay.values()) {
      if (waiting.until > nowMs) continue
      this.settle(waiting)
      this.again(waiting, "no answer", nowMs)
    }
    let rested = 0
    while (rested < resting.length && backlog.until(resting[rested]!) <= nowMs) rested++
    if (rested > 0) this.putBack(resting.splice(0, rested))
    this.due.again(this.obstacles.isEarly)
    this.pump()
  }

  /** The oldest of them is the next of its origin. */
  private putBack(rows: ReadonlyArray<number>): void {
    for (const row of rows.toReversed()) {
      this.backlog.rest(row, 0)
      this.due.putBack(row)
    }
  }

  /** The message is not under way any more. */
  private settle({ stored: { key, origin } }: UnderWay): void {
    this.underWay.delete(key)
    this.moving.leave(origin)
    this.due.freed(key)
  }

  private pump(): void {
    while (this.underWay.size < this.settings.window) {
      const row = this.due.next(this.obstacles)
      if (row === undefined) break
      const stored = this.ahead.get(row)!
      const carrier = this.effects.carrier(stored)
      if (carrier === undefined) {
        this.due.putBack(row)
        break
      }
      this.leave(row, stored, carrier)
    }
    this.ahead.look(
      (most) => this.due.first(most, this.obstacles.mayHave),
      ({ key }) => this.underWay.has(key),
      () => this.pump()
    )
  }

  private leave(row: number, stored: Stored, carrier: number): void {
    // It counts as under way while its attempt is being journalled; its time runs from the writing, however slow the disk is.
    this.underWay.set(stored.key, { row, stored, until: Number.POSITIVE_INFINITY, carrier, epoch: 0 })
    this.moving.take(stored.origin)
    this.ahead.left()
    const attempt = stored.attempts + 1
    this.count(row, attempt)
    this.effects.recordAttempt(stored, carrier, (writtenMs, epoch) =>
      this.attempt(row, stored, attempt, writtenMs, carrier, epoch)
    )
  }

  /** The journal has this attempt. If the link fell in between, a later attempt is on its way there, or none. */
  private attempt(row: number, stored: Stored, attempt: number, nowMs: number, carrier: number, epoch: number): void {
    const waiting = this.underWay.get(stored.key)
    if (waiting?.stored !== stored || stored.attempts !== attempt) return
    if (epoch > 0 && this.effects.write(stored, stored.attempts > 1, carrier, epoch)) {
      this.underWay.set(stored.key, { row, stored, until: nowMs + this.settings.timeoutMs, carrier, epoch })
      return
    }
    // No byte has left: the attempt was none.
    this.count(row, attempt - 1)
    this.settle(waiting)
    // A link that can still be used has lost the one connection only, and would be dialled again at once.
    if (epoch > 0 && this.effects.carrier(stored) === carrier) this.rest(row, nowMs)
    else this.due.putBack(row)
  }

  private again({ row, stored }: UnderWay, code: string, nowMs: number): void {
    if (stored.attempts >= this.settings.attemptsMax) this.finish({ row, stored }, "abandoned", code)
    else this.rest(row, nowMs)
  }

  private count(row: number, attempts: number): void {
    this.backlog.attempted(row, attempts)
    const stored = this.ahead.get(row)
    if (stored !== undefined) stored.attempts = attempts
  }

  private rest(row: number, nowMs: number): void {
    this.backlog.rest(row, nowMs + this.settings.retryMs)
    this.resting.push(row)
    this.ahead.rest(row)
  }

  private finish({ row, stored }: Pick<UnderWay, "row" | "stored">, end: DeliveryEnd, code: string): void {
    this.effects.recordEnd(stored, end, code)
    const next = this.end(row)
    if (next !== NONE) this.due.add(next)
  }

  /** The message has ended. The row that may go now because of that. */
  private end(row: number): number {
    this.heldBack.delete(this.backlog.exchange(row))
    this.held.leave(this.backlog.origin(row))
    this.originals.delete(row)
    this.ahead.forget(row)
    return this.backlog.remove(row)
  }
}
