/** What is measured as of one moment: the switch and both clocks, and the process where somebody wants to know of it. */
import { Clock, Effect, type Scope } from "effect"
import type * as Switch from "../../Switch.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import { watchProcess } from "../../transport/NodeProcess.ts"
import type { KeptRates } from "../alarm/SuccessRatesFile.ts"
import type { EndingCertificate } from "../Certificates.ts"
import type { Seen, SwitchSeen } from "./Measures.ts"
import type { RefusedCalls } from "./RefusedCalls.ts"

/** Gives a look at the switch at each call. `startedAt` in milliseconds since 1970. */
export const makeLook = (
  running: Switch.Running,
  startedAt: number,
  ending: (wallMs: number) => ReadonlyArray<EndingCertificate>,
  { pauses, rates }: Pick<KeptRates, "pauses" | "rates">,
  refusedCalls: RefusedCalls
): Effect.Effect<() => SwitchSeen> =>
  Effect.map(Clock.Clock, (clock) => () => {
    const wallMs = clock.currentTimeMillisUnsafe()
    const success = (link: string) => rates.status(link)
    const pause = (link: string) => pauses.status(link)
    return {
      ...{ status: running.status(), now: monotonicMs(clock), wallMs, startedAt },
      ...{ certificates: ending(wallMs), success, pause, refusedCalls }
    }
  })

/** The same with the process, which is watched until the scope ends. */
export const withProcess = (look: () => SwitchSeen): Effect.Effect<() => Seen, never, Scope.Scope> =>
  Effect.map(watchProcess, (process) => () => ({ ...look(), process: process() }))
