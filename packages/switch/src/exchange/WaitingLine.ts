/**
 * The requests that wait for a place in one link's window: first come, first out, and none longer than it may.
 *
 * They are accepted and on disk already; their deadline runs. Store-and-forward and network management do not wait here. Pure:
 * all times are monotonic milliseconds.
 */

interface Place {
  readonly id: number
  readonly until: number
}

/** The line of one link. */
export class WaitingLine {
  private readonly window: number
  private readonly waitMs: number
  private waiting: Array<Place> = []
  private head = 0
  private used = 0

  /** `window`: requests under way at once. `waitMs`: the longest wait. */
  constructor(window: number, waitMs: number) {
    this.window = window
    this.waitMs = waitMs
  }

  /** Requests that wait. */
  get length(): number {
    return this.waiting.length - this.head
  }

  /** Takes a place for a request that has just come. False when there is none, or when others came before it. */
  enter(): boolean {
    if (this.used >= this.window || this.length > 0) return false
    this.used++
    return true
  }

  /** Slot `id` waits; at most until its own deadline. */
  wait(id: number, now: number, deadline: number): void {
    this.waiting.push({ id, until: Math.min(now + this.waitMs, deadline) })
  }

  /** A request has left its place. */
  leave(): void {
    this.used--
  }

  /** The slot whose turn it is, in its place; `undefined` when nobody waits or there is no place. */
  next(): number | undefined {
    if (this.used >= this.window || this.length === 0) return undefined
    this.used++
    return this.shift()
  }

  /** A slot whose wait is over; `undefined` when there is none. Each is told once. */
  overdue(now: number): number | undefined {
    return this.length > 0 && this.waiting[this.head]!.until <= now ? this.shift() : undefined
  }

  private shift(): number {
    const { id } = this.waiting[this.head++]!
    if (this.head > 64 && this.head * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.head)
      this.head = 0
    }
    return id
  }
}
