/**
 * How long to wait before the next attempt to connect: capped, doubling, full jitter. Pure.
 *
 * A link never gives up and never hammers: the attempt count is reset only after the link was up for
 * `STABLE_MS` (docs/concepts/links.md).
 */

/** A connection must hold this long, in milliseconds, before the next outage starts again from the shortest delay. */
export const STABLE_MS = 60_000

/** Limits of the delay, in milliseconds, `0 < minMs <= maxMs`. */
export interface Limits {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * Delay in milliseconds before attempt `attempt` (0 is the first retry). `chance` is uniform in [0, 1). Full jitter over
 * (0, min * 2^attempt], never below half of `minMs`, never above `maxMs`: partners of one centre must not return in step.
 */
export const delayMs = (limits: Limits, attempt: number, chance: number): number => {
  const ceiling = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(attempt, 30))
  return Math.max(limits.minMs / 2, chance * ceiling)
}

/** The attempt count after a connection that was up for `upMs`. */
export const attemptAfter = (attempt: number, upMs: number): number => (upMs >= STABLE_MS ? 0 : attempt + 1)
