/** Waiting times of rules, drawn from their distribution. Pure. */
import type { Chance } from "../chance/Chance.ts"
import type { Delay } from "./PartnerPlan.ts"

/** The 99th percentile of the standard normal distribution. */
const NORMAL_P99 = 2.326_348

/** A draw of the standard normal distribution (Box and Muller). */
const normal = (chance: Chance): number =>
  Math.sqrt(-2 * Math.log(1 - chance.next())) * Math.cos(2 * Math.PI * chance.next())

/** Milliseconds of one wait. */
export const drawnDelay = (delay: Delay, chance: Chance): number => {
  switch (delay._tag) {
    case "fixed":
      return delay.ms
    case "uniform":
      return delay.fromMs + chance.next() * (delay.toMs - delay.fromMs)
    case "exponential":
      return -Math.log(1 - chance.next()) * delay.meanMs
    case "logNormal":
      return delay.medianMs * Math.exp((normal(chance) * Math.log(delay.p99Ms / delay.medianMs)) / NORMAL_P99)
  }
}
