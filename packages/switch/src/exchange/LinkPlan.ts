/** One link whole, as the exchanges are told of it. */
import type { GuardSettings } from "../guard/GuardSettings.ts"
import type { KeySettings } from "../guard/KeySettings.ts"
import type { LinkSettings } from "../link/Settings.ts"
import type { BusinessDaySettings } from "./day/BusinessDay.ts"
import type { Settings as DeliverySettings } from "./delivery/StoreAndForward.ts"

/** One link as a configuration has it: its connections, its deliveries, and what guards it. */
export type LinkPlan = LinkSettings & {
  readonly delivery: DeliverySettings
  readonly guard?: GuardSettings | undefined
  readonly keys?: KeySettings | undefined
  readonly businessDay?: BusinessDaySettings | undefined
}
