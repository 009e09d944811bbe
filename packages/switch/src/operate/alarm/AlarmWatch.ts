/** Looks at the switch every few seconds, and tells of its alarms: in the log, and to another system where one is configured. */
import { Effect, type Scope } from "effect"
import type { SwitchSeen } from "../admin/Measures.ts"
import type { Alarms, Notice } from "./Alarms.ts"
import { type AlarmLimits, Conditions } from "./Conditions.ts"
import type { KeptRates } from "./SuccessRatesFile.ts"
import { telling, type Webhook } from "./Webhook.ts"

/** How often it looks. */
const every = "5 seconds"

/** The `alarms` section as settings. */
export interface AlarmSettings {
  readonly limits: AlarmLimits
  readonly remindMs: number
  /** How much of the usual success rate has to be missing, of a hundred; 0: never. */
  readonly successPercent: number
  readonly webhook: Webhook | undefined
}

const words = { raised: "ALARM", lasts: "ALARM lasts", over: "alarm over" } as const

const text = ({ event, kind, link, says }: Notice): string =>
  `${words[event]} ${kind}: ${link === "" ? says : `${link}: ${says}`}`

/** Watches until the scope ends; `alarms` knows which there are, `rates` what is usual. `name` is the switch's. */
export const watchAlarms = (
  name: string,
  { limits, webhook }: AlarmSettings,
  look: () => SwitchSeen,
  alarms: Alarms,
  rates: KeptRates
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const conditions = new Conditions(limits)
    const tell = webhook === undefined ? () => Effect.void : yield* telling(name, webhook)
    const once = Effect.gen(function* () {
      const seen = look()
      yield* rates.look(seen)
      for (const notice of alarms.look(conditions.look(seen), seen.wallMs, seen.now)) {
        yield* notice.event === "over" ? Effect.logInfo(text(notice)) : Effect.logWarning(text(notice))
        yield* tell(notice)
      }
    })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(every), once)))
  })
