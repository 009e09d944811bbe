/**
 * The requests that wait for a place in one link's window: partners take turns, each one's own come first in, first out, and none
 * waits longer than it may.
 *
 * They are accepted and on disk already; their deadline runs. Store-and-forward and network management do not wait here. Pure:
 * all times are monotonic milliseconds.
 */
import { ByTurns } from "../turns/ByTurns.ts"

interface Place {
  readonly id: number
  readonly until: number
}

/** The line of one link. */
export class WaitingLine {
  private readonly window: number
  private readonly waitMs: number
  private readonly waiting = new ByTurns<Place>()
  private used = 0

  /** `window`: requests under way at once. `waitMs`: the longest wait. */
  constructor(window: number, waitMs: number) {
    this.window = window
    this.waitMs = waitMs
  }

  /** Requests that wait. */
  get length(): number {
    return this.waiting.length
  }

  /** Takes a place for a request that has just come. False when there is none, or when others came before it. */
  enter(): boolean {
    if (this.used >= this.window || this.length > 0) return false
    this.used++
    return true
  }

  /** Slot `id` of the partner waits; at most until its own deadline. */
  wait(id: number, partner: number, now: number, deadline: number): void {
    this.waiting.push(partner, { id, until: Math.min(now + this.waitMs, deadline) })
  }

  /** A request has left its place. */
  leave(): void {
    this.used--
  }

  /** The slot whose turn it is, in its place; `undefined` when nobody waits or there is no place. */
  next(): number | undefined {
    if (this.used >= this.window || this.length === 0) return undefined
    this.used++
    return this.waiting.next()?.id
  }

  /** A slot whose wait is over; `undefined` when there is none. Each is told once. */
  overdue(now: number): number | undefined {
    return this.waiting.takeFirst(({ until }) => until <= now)?.id
  }
}
