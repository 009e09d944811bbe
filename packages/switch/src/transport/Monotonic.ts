/** Monotonic time as the switch counts it: milliseconds, with what is below a millisecond behind the point. */
import type { Clock } from "effect"

/** Monotonic milliseconds of a clock. They say nothing of the time of day, and never go back. */
export const monotonicMs = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
