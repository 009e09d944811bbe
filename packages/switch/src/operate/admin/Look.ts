/** What is measured as of one moment: the switch, its process and both clocks, read together. */
import { Clock, Effect, type Scope } from "effect"
import type * as Switch from "../../Switch.ts"
import { monotonicMs } from "../../transport/Monotonic.ts"
import { watchProcess } from "../../transport/NodeProcess.ts"
import type { Seen } from "./Measures.ts"

/** Gives a look at each call, until the scope ends. `startedAt` in milliseconds since 1970. */
export const makeLook = (running: Switch.Running, startedAt: number): Effect.Effect<() => Seen, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const process = yield* watchProcess
    return () => ({
      status: running.status(),
      process: process(),
      now: monotonicMs(clock),
      wallMs: clock.currentTimeMillisUnsafe(),
      startedAt
    })
  })
