/**
 * Whether the process runs: a beat ten times a second. After one that came late, what is read may have come long before.
 *
 * A process that was stopped, swapped out or busy for seconds reads what has gathered meanwhile before anything else, or right
 * behind the late beat; in both cases every socket has been read once when the next turn of the event loop begins.
 */
import { Clock, Effect, type Scope } from "effect"
import { monotonicMs } from "./Monotonic.ts"
import { FRESH_MS } from "./Waited.ts"

const BEAT_MS = 100

/** The pulse of this process. Times are monotonic milliseconds. */
export class Pulse {
  private readonly clock: Clock.Clock
  private last: number
  private lateSince = 0
  private beats = 0

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.last = this.now()
  }

  /** Now. */
  now(): number {
    return monotonicMs(this.clock)
  }

  /** The earliest moment at which bytes that are read now can have come. */
  since(now: number): number {
    if (this.lateSince > 0) return this.lateSince
    return now - this.last > FRESH_MS ? this.last : now
  }

  /**
   * The same for the bytes of a connection that has come now, asked whenever they are read. It may have waited to be accepted
   * with its first bytes behind it: those are read a turn of the event loop later, when all seems well again.
   */
  opened(): (now: number) => number {
    const opened = this.now()
    const since = this.since(opened)
    if (since === opened) return (now) => this.since(now)
    const { beats } = this
    return (now) => (this.beats === beats ? since : this.since(now))
  }

  /** Beats until interrupted. */
  readonly beat: Effect.Effect<never> = Effect.sleep(BEAT_MS).pipe(
    Effect.flatMap(() => {
      const before = this.last
      this.last = this.now()
      this.beats++
      if (this.last - before <= FRESH_MS) return Effect.void
      this.lateSince = before
      // Behind the reads of this turn.
      return Effect.andThen(
        Effect.yieldNow,
        Effect.sync(() => {
          this.lateSince = 0
        })
      )
    }),
    Effect.forever
  )
}

/** A pulse that beats until the scope ends. */
export const makePulse: Effect.Effect<Pulse, never, Scope.Scope> = Effect.gen(function* () {
  const pulse = new Pulse(yield* Clock.Clock)
  yield* Effect.forkScoped(pulse.beat)
  return pulse
})
