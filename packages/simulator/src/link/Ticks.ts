/**
 * When a session is ticked: when the next thing that it has to do is due, and now and then besides, for what may be late. One
 * that has nothing to do for a while takes next to no processor time, however exact it is when it has.
 */
import { Effect, Latch } from "effect"
import type { Timepiece } from "../partner/Session.ts"

/** The least time between two ticks, in milliseconds: what a timer can do. */
const LEAST_MS = 1

/** How a session is ticked. */
export interface TickSettings {
  /** The longest time between two ticks, in milliseconds. */
  readonly most: number
  /** When the next thing is due, monotonic milliseconds; Infinity: nothing is. */
  readonly nextAt: () => number
  readonly tick: () => void
  readonly time: Timepiece
}

/** The ticks of one session. */
export interface Ticks {
  /** Never ends, except with the defect of a session that broke in a tick. */
  readonly run: Effect.Effect<never>
  /** Something has happened: what is due may be due earlier than it was. `at`: when, of what has happened. */
  readonly look: (at?: number) => void
}

/** See the header. */
export const makeTicks = ({ most, nextAt, tick, time }: TickSettings): Ticks => {
  const woken = Latch.makeUnsafe(false)
  let until = 0
  const pause = Effect.suspend(() => {
    const now = time.monotonic()
    until = Math.min(now + most, nextAt())
    const ms = Math.max(LEAST_MS, Math.ceil(until - now))
    if (ms <= LEAST_MS) return Effect.sleep(ms)
    woken.closeUnsafe()
    return Effect.raceFirst(Effect.sleep(ms), woken.await)
  })
  return {
    run: Effect.sync(tick).pipe(Effect.andThen(pause), Effect.forever),
    look: (at = nextAt()) => {
      if (at < until) woken.openUnsafe()
    }
  }
}
