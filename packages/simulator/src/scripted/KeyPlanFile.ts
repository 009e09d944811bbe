/**
 * `key exchange` of a partner file:
 *
 *     key exchange:
 *       under: { cipher: tdes, hex: 0123456789ABCDEFFEDCBA9876543210 }
 *       exchange: reset
 *       of: [mac]
 *
 * Owns its words, which docs/reference/partners.md lists, and whether the rest of the file fits it.
 */
import { type Cipher, type Dialect, type KeyExchange, keyCiphers } from "@jinka/codec"
import { chanceOf } from "../chance/Chance.ts"
import { keyBytesOf } from "../dialogue/Keys.ts"
import { type MapReader, mapOf } from "../file/MapReader.ts"
import { knownNames } from "../file/Nearest.ts"
import { eachOf, invalidAt, oneOf, textOf, type Yaml } from "../file/YamlNodes.ts"
import { wrapped } from "./KeyForm.ts"
import type { ExchangedKind, KeyPlan, PartnerPlan } from "./PartnerPlan.ts"

/** Purposes of keys that a file may name. */
export const exchangedKinds = ["mac", "pin"] as const

const underOf = mapOf("under", (map) => ({
  cipher: map.get("cipher", oneOf(keyCiphers)) ?? ("tdes" as Cipher),
  bytes: map.need("hex", keyBytesOf)
}))

const exchangeOf = (dialect: Dialect, yaml: Yaml | undefined, at: MapReader): KeyExchange => {
  const known = dialect.keyExchange ?? []
  if (known.length === 0) throw at.wrong("under", `the dialect ${dialect.name} exchanges no keys (\`keyExchange\`)`)
  if (yaml === undefined) return known[0]!
  const found = known.find(({ name }) => name === textOf(yaml))
  if (found !== undefined) return found
  const names = knownNames(
    textOf(yaml),
    known.map(({ name }) => name)
  )
  throw invalidAt(yaml, `the dialect ${dialect.name} has no exchange "${textOf(yaml)}"; ${names}`)
}

/** Reads it; `has` are the purposes for which the file names keys. */
export const keyPlanOf = (dialect: Dialect, has: ReadonlyArray<ExchangedKind>) =>
  mapOf("key exchange", (map): KeyPlan => {
    const under = map.need("under", underOf)
    const exchange = exchangeOf(
      dialect,
      map.get("exchange", (yaml) => yaml),
      map
    )
    const of = map.get("of", eachOf(oneOf(exchangedKinds))) ?? has
    const missing = of.find((kind) => !has.includes(kind))
    if (missing !== undefined || of.length === 0) {
      throw map.wrong(
        "of",
        `no key is named for ${missing ?? "MACs or PINs"}: \`keys\` and \`${missing ?? "mac"}\` are missing`
      )
    }
    return { under, exchange, of }
  })

/** What the key exchange and the schedule say that cannot be done; `undefined`: all can. */
export const keyPlanWrong = (plan: PartnerPlan): { readonly key: string; readonly rule: string } | undefined => {
  const { keyPlan, schedule } = plan
  const acts = schedule.filter(({ act }) => act === "key change" || act === "key request")
  if (keyPlan === undefined) {
    return acts.length === 0
      ? undefined
      : { key: "schedule", rule: "a key is given or asked for, and `key exchange` is missing" }
  }
  const { exchange, of } = keyPlan
  for (const { act, of: kind } of acts) {
    if (kind !== undefined && !of.includes(kind)) return { key: "schedule", rule: `no key for ${kind} is exchanged` }
    if (act === "key change" && exchange.deliver === undefined) {
      const rule = `in the exchange ${exchange.name} a key comes in the answer to who asks: nobody gives one unasked`
      return { key: "schedule", rule }
    }
    if (act === "key request" && exchange.ask === undefined) {
      return { key: "schedule", rule: `in the exchange ${exchange.name} nobody asks for a key` }
    }
  }
  for (const kind of of) {
    const key = plan.keys.get((kind === "mac" ? plan.macKey : plan.pinKey)!)
    const result = key === undefined ? "there is no such key" : wrapped(keyPlan, kind, key, chanceOf(1, "check"))
    if (typeof result === "string") return { key: "key exchange", rule: result }
  }
  return undefined
}
