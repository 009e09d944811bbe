/** What the simulation tests, and under which wishes: the one place to change when something else is plugged in. */
import type { Wishes } from "./Options.ts"
import { relay } from "./Relay.ts"
import type { Subject } from "./Subject.ts"

/** The system under test. */
export const subject: Subject = relay

/** Whatever is not wished is drawn from the seed. */
export const wishes: Wishes = {
  acquirers: 1,
  issuers: 1,
  // A relay has no watchdog: a swallowed connection stays swallowed.
  weights: { diskFails: 0, swallow: 0 },
  acquirer: { repeats: 0 },
  issuer: { answersTwice: 0 }
}
