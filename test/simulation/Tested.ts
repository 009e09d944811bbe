/** What the simulation tests, and under which wishes: the one place to change when something else is plugged in. */
import { jinkaSwitch } from "./JinkaSwitch.ts"
import type { Wishes } from "./Options.ts"
import type { Subject } from "./Subject.ts"

/** The system under test. */
export const subject: Subject = jinkaSwitch

/** Whatever is not wished is drawn from the seed. */
export const wishes: Wishes = {
  simplex: 0.3,
  groups: 0.3,
  short: 0.2,
  doors: 0.25,
  calls: 0.25,
  days: 0.4,
  acquirer: { lies: 0.15 }
}

/** The same with callers over HTTP alone, many of whom are gone before their answer comes. */
export const callers: Wishes = { ...wishes, calls: 1, short: 0, acquirer: { lies: 0.15, leaves: 0.3 } }

/**
 * The same with keys: most partners have a zone of their own, every second time in devices behind the switch's own pool. Nobody
 * repeats a request by itself, because a wrong MAC of the one and a right one of the other would be two answers.
 */
export const guarded: Wishes = { ...wishes, zones: 0.8, devices: 0.5, acquirer: { lies: 0.15, repeats: 0 } }

/**
 * Two nodes over one PostgreSQL: killed, frozen, cut off, handed over, while PostgreSQL crashes, fails over, and loses
 * connections in the middle of commits. Less is traded, so that there is time for takeovers.
 */
export const fleet: Wishes = {
  ...{ nodes: 2, simplex: 0.15, groups: 0.2, short: 0.15, doors: 0.2, calls: 0.2, days: 0.3 },
  acquirer: { lies: 0.05, pause: [50, 1500] }
}

/**
 * The same at the slowest pace and with the shortest trouble that is drawn, which has as many faults a minute. A run costs what
 * its purchases cost, here a third.
 */
export const unhurried = (wished: Wishes): Wishes => ({
  ...wished,
  chaos: 40_000,
  acquirer: { ...wished.acquirer, pause: [10, 5000] }
})

/** What `jinka-sim world --mode` takes. */
export const modes = { switch: wishes, keys: guarded, fleet } as const
