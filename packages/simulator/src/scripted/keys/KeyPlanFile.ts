/**
 * `key exchange` of a partner file, and what `key` says of a key that is given:
 *
 *     key exchange: { giver: us, kek: 3889D6265E54CDD3F8139DC454203146, kinds: [mac], at sign-on: yes }
 *     schedule:
 *       - { send: key, purpose: mac, every: 60s, key: wrong mac }
 *
 * Owns its words, which docs/reference/partners.md lists. Which messages bring a key the dialect says.
 */
import { type Cipher, type Dialect, type KeyExchange, type KeyKind, keyKinds, pinFormats } from "@jinka/codec"
import { ciphers, type DialogueKeys, macNames, makeMac, makePin } from "../../dialogue/Keys.ts"
import { MapReader } from "../../file/MapReader.ts"
import { knownNames } from "../../file/Nearest.ts"
import { durationOf, eachOf, hexOf, invalidAt, oneOf, textOf, type Yaml, yesNoOf } from "../../file/YamlNodes.ts"
import { type KeyConduct, type KeyFault, type KeyPlan, keyFaults } from "./KeyPlan.ts"

/** The MAC that a key of each cipher makes where no file says another: ANSI X9.9 of a single DES key, X9.19 of a double one. */
export const usualMac: { readonly [C in Cipher]: (typeof macNames)[number] } = {
  des: "ansi-x9.9",
  tdes: "ansi-x9.19",
  aes: "aes-cmac",
  sm4: "sm4-cbc"
}

/** Keys of the file by which the working keys of the plan begin. */
export interface FirstKeys {
  readonly keys: DialogueKeys
  readonly macKey: string | undefined
  readonly pinKey: string | undefined
}

const exchangeOf = ({ keyExchange = [], name }: Dialect, map: MapReader): KeyExchange => {
  const named = map.get("exchange", textOf)
  const found = named === undefined ? keyExchange[0] : keyExchange.find((one) => one.name === named)
  if (found !== undefined) return found
  const known = keyExchange.map((one) => one.name)
  throw map.wrong(
    "exchange",
    known.length === 0
      ? `the dialect ${name} exchanges no keys (\`keyExchange\`)`
      : `the dialect ${name} has no exchange "${named}"; ${knownNames(named!, known)}`
  )
}

const makerOf = (map: MapReader, cipher: Cipher, { keys, macKey, pinKey }: FirstKeys): KeyPlan["make"] => {
  const mac = keys.get(macKey ?? "")
  const pin = keys.get(pinKey ?? "")
  const algorithm = map.get("mac", oneOf(macNames)) ?? (mac?._tag === "mac" ? mac.algorithm : usualMac[cipher])
  const format = map.get("pin", oneOf(pinFormats)) ?? (pin?._tag === "pin" ? pin.format : "iso0")
  return (kind, bytes) => {
    const made =
      kind === "mac" ? makeMac(algorithm, bytes) : kind === "pin" ? makePin(format, cipher, bytes) : undefined
    return typeof made === "string" ? undefined : made
  }
}

const kindsOf = ({ kind }: KeyExchange, map: MapReader, { macKey, pinKey }: FirstKeys): ReadonlyArray<KeyKind> => {
  const asked = map.get("kinds", eachOf(oneOf(keyKinds)))
  if (typeof kind === "string") {
    const other = asked?.find((one) => one !== kind)
    if (other !== undefined) throw map.wrong("kinds", `the dialect's exchange brings ${kind} keys alone`)
    return [kind]
  }
  if (asked !== undefined && asked.length > 0) return asked
  const named: ReadonlyArray<KeyKind> = [
    ...(macKey === undefined ? [] : ["mac" as const]),
    ...(pinKey === undefined ? [] : ["pin" as const])
  ]
  return named.length === 0 ? ["mac"] : named
}

/** Why keys of these kinds and this cipher cannot be exchanged; `undefined`: they can. */
const missing = ({ name, parts }: KeyExchange, kinds: ReadonlyArray<KeyKind>, cipher: Cipher): string | undefined => {
  const kind = kinds.find(
    (one) => !parts.some((part) => (part.kind ?? one) === one && (part.algorithm ?? cipher) === cipher)
  )
  // Where each part says its own cipher, as those of a terminal's sign-on do, the keys have that.
  const isFixed = parts.every(({ algorithm }) => algorithm !== undefined)
  return kind === undefined || (isFixed && parts.some((part) => part.kind === kind))
    ? undefined
    : `the exchange ${name} has no place for a ${cipher} key for ${kind}`
}

/** Reads `key exchange`. */
export const keyPlanOf =
  (dialect: Dialect, first: FirstKeys) =>
  (yaml: Yaml): KeyPlan => {
    const map = new MapReader(yaml, "key exchange")
    const exchange = exchangeOf(dialect, map)
    const cipher = map.get("cipher", oneOf(ciphers)) ?? "tdes"
    const kinds = kindsOf(exchange, map, first)
    const plan: KeyPlan = {
      exchange,
      isGiver: (map.get("giver", oneOf(["us", "far side"])) ?? "us") === "us",
      kek: map.need("kek", hexOf),
      kekCipher: map.get("kek cipher", oneOf(ciphers)) ?? (cipher === "des" ? "tdes" : cipher),
      kinds,
      cipher,
      make: makerOf(map, cipher, first),
      windowMs: map.get("window", durationOf) ?? 1000 * exchange.window,
      waitMs: map.get("wait", durationOf) ?? 1000 * exchange.wait,
      isAtSignOn: map.get("at sign-on", yesNoOf) ?? false
    }
    map.done()
    const lengths = plan.kekCipher === "sm4" ? [16] : plan.kekCipher === "aes" ? [16, 24, 32] : [16, 24]
    if (!lengths.includes(plan.kek.length)) {
      throw map.wrong("kek", `a ${plan.kekCipher} key of ${lengths.join(", ")} bytes is expected`)
    }
    const wrong = missing(exchange, kinds, cipher)
    if (wrong !== undefined) throw map.wrong("kinds", wrong)
    if (plan.isAtSignOn && !canBegin(plan)) throw map.wrong("at sign-on", cannotBegin(plan))
    return plan
  }

/** Whether the partner can begin an exchange by itself. */
export const canBegin = ({ exchange, isGiver }: KeyPlan): boolean =>
  (isGiver ? exchange.deliver : exchange.ask) !== undefined

/** Why it cannot. */
export const cannotBegin = ({ exchange, isGiver }: KeyPlan): string =>
  isGiver
    ? `in the exchange ${exchange.name} keys are given in the answer to the far side's question alone`
    : `the exchange ${exchange.name} has no message that asks for a key`

const faultOf = (yaml: Yaml): KeyFault | number => {
  const text = textOf(yaml)
  const after = /^after (.+)$/.exec(text)
  if (after !== null) return durationOf({ ...yaml, kind: "text", text: after[1]! })
  const found = keyFaults.find((one) => one === text)
  if (found !== undefined) return found
  throw invalidAt(
    yaml,
    `"${text}" is nothing that can be done to a key; ${knownNames(text, [...keyFaults, "after 20s"])}`
  )
}

/** Reads `key` of a rule or of a schedule: `wrong check value`, `[same, after 20s]`. */
export const keyConductOf =
  (plan: KeyPlan | undefined) =>
  (yaml: Yaml): KeyConduct => {
    const words = eachOf(faultOf)(yaml)
    const faults = words.filter((word) => typeof word !== "number")
    if (plan === undefined) throw invalidAt(yaml, "the partner exchanges no keys: `key exchange` is missing")
    if (!plan.isGiver) throw invalidAt(yaml, "the far side gives the keys: `key` is about keys that this partner gives")
    const hasCheck = plan.exchange.parts.some(({ check }) => check !== undefined)
    if (faults.includes("wrong check value") && !hasCheck) {
      throw invalidAt(yaml, `the exchange ${plan.exchange.name} carries no check value`)
    }
    if (faults.includes("wrong mac") && (plan.exchange.mac?.request ?? "none") === "none") {
      throw invalidAt(yaml, `in the exchange ${plan.exchange.name} the message that brings a key has no MAC`)
    }
    return { faults, afterMs: words.findLast((word) => typeof word === "number") ?? 0 }
  }

/** A key that is given well, at once. */
export const goodKey: KeyConduct = { faults: [], afterMs: 0 }
