/** A proxy by its file: rules, history and control put together. Everything ends with the scope. */
import { Clock, Effect, type Scope } from "effect"
import { type LineFile, makeLineFile, noLineFile } from "../history/LineFile.ts"
import { type FaultProxy, makeFaultProxy } from "../link/FaultProxy.ts"
import type { Endpoint } from "../link/Listener.ts"
import type { FileFailed, ListenFailed } from "../SimulatorError.ts"
import { FaultRules } from "./FaultRules.ts"
import type { ProxySettings } from "./ProxyFile.ts"
import { serveRules } from "./RuleControl.ts"

/** A running proxy with its rules. */
export interface RunningProxy {
  readonly proxy: FaultProxy
  readonly rules: FaultRules
  /** Where its rules are changed; `undefined` when they are not. */
  readonly control: Endpoint | undefined
}

/** Between two writes of the history. */
const flushEvery = "100 millis"

/** Starts a proxy. */
export const startProxy = (
  settings: ProxySettings
): Effect.Effect<RunningProxy, FileFailed | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const { control, form, history, listen, mac, seed, target } = settings
    const file: LineFile = history === undefined ? noLineFile : yield* makeLineFile(history)
    yield* Effect.sync(() => file.flush()).pipe(Effect.delay(flushEvery), Effect.forever, Effect.forkScoped)
    const note: FaultRules["note"] = (line) => file.append({ at: clock.currentTimeMillisUnsafe(), ...line })
    const rules = new FaultRules({ seed, form, mac, note }, settings.rules)
    const proxy = yield* makeFaultProxy(listen, target, { seed, plan: rules })
    return { proxy, rules, control: control === undefined ? undefined : yield* serveRules(rules, control) }
  })
