/**
 * What a partner says by itself, as its file or a command has it: `{ send: key, purpose: mac, every: 60s, key: wrong mac }`. Owns
 * its words.
 */
import { type Dialect, keyKinds } from "@jinka/codec"
import { MapReader } from "../file/MapReader.ts"
import { durationOf, oneOf, type Yaml } from "../file/YamlNodes.ts"
import type { KeyPlan } from "./keys/KeyPlan.ts"
import { canBegin, cannotBegin, goodKey, keyConductOf } from "./keys/KeyPlanFile.ts"
import { canSay } from "./OwnMessages.ts"
import type { OwnWish, Scheduled } from "./PartnerPlan.ts"
import { minuteOfDay } from "./RuleFile.ts"

/** What a partner can say by itself. */
export const acts = ["sign-on", "sign-off", "echo", "cut-over", "cut-over end", "totals", "key"] as const

/** Why a partner cannot give or ask for keys by itself; `undefined`: it can. */
const keyUnsaid = (plan: KeyPlan | undefined): string | undefined => {
  if (plan === undefined) return "the partner exchanges no keys: `key exchange` is missing"
  return canBegin(plan) ? undefined : cannotBegin(plan)
}

const readWish = (map: MapReader, dialect: Dialect, keyPlan: KeyPlan | undefined): OwnWish => {
  const act = map.need("send", oneOf(acts))
  const kind = map.get("purpose", oneOf(keyPlan?.kinds ?? keyKinds))
  const key = { kind, ...(map.get("key", keyConductOf(keyPlan)) ?? goodKey) }
  if (!canSay(dialect, act)) throw map.wrong("send", `the dialect ${dialect.name} has no ${act}`)
  const idle = act === "key" ? undefined : ["purpose", "key"].find((one) => map.has(one))
  if (idle !== undefined) throw map.wrong(idle, "is for `send: key`")
  const wrongKey = act === "key" ? keyUnsaid(keyPlan) : undefined
  if (wrongKey !== undefined) throw map.wrong("send", wrongKey)
  return { act, key }
}

/** Reads what is to be said now. Throws `FileInvalid`. */
export const wishOf =
  (dialect: Dialect, keyPlan: KeyPlan | undefined) =>
  (yaml: Yaml): OwnWish => {
    const map = new MapReader(yaml, "a command")
    const wish = readWish(map, dialect, keyPlan)
    map.done()
    return wish
  }

/** Reads one item of the schedule. Throws `FileInvalid`. */
export const scheduledOf =
  (dialect: Dialect, keyPlan: KeyPlan | undefined) =>
  (yaml: Yaml): Scheduled => {
    const map = new MapReader(yaml, "schedule")
    const scheduled: Scheduled = {
      ...readWish(map, dialect, keyPlan),
      afterMs: map.get("after", durationOf),
      everyMs: map.get("every", durationOf),
      atMinute: map.get("at", minuteOfDay)
    }
    map.done()
    const { afterMs, atMinute, everyMs } = scheduled
    if ((atMinute ?? afterMs ?? everyMs) === undefined) throw map.wrong("send", "when is missing: after, every or at")
    if (everyMs !== undefined && everyMs < 1) throw map.wrong("every", "more than nothing is expected")
    return scheduled
  }
