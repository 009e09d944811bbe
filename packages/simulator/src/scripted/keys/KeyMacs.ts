/** Messages of an exchange of keys: the key as it is in one, and the MACs of these messages. Pure. */
import type { FieldValue, GivenKey, KeyKind } from "@jinka/codec"
import { type DialogueKey, macFieldOf, macWrong, makeMac, withMac, withWrongMac } from "../../dialogue/Keys.ts"
import type { Observed } from "../../dialogue/Observed.ts"
import type { PartnerPlan } from "../PartnerPlan.ts"
import type { KeyFault, KeyPlan } from "./KeyPlan.ts"
import { usualMac } from "./KeyPlanFile.ts"
import { checkOfKey, corruptKey, wrapped } from "./Wrapping.ts"
import type { ZoneKey } from "./Zone.ts"

/** A partner whose keys are exchanged. */
export type Exchanging = PartnerPlan & { readonly keyPlan: KeyPlan }

/** Whether a partner's keys are exchanged. */
export const exchangesKeys = (plan: PartnerPlan): plan is Exchanging => plan.keyPlan !== undefined

/** What is answered to a message of an exchange. */
export interface KeyReply {
  readonly code: string
  readonly own: Readonly<Record<number, FieldValue>>
  /** Fields that the answer keeps of the message. */
  readonly keeps: ReadonlyArray<number>
  /** Its MAC, where it has one. */
  readonly seal: (answer: Buffer, isWrong: boolean) => Buffer
}

const keyName = "key"

/** An answer that has no MAC. */
export const unsealed = (answer: Buffer): Buffer => answer

/** A key as it is in a message, wrong where a rule says so; a text where it cannot be wrapped. */
export const givenKey = (
  plan: KeyPlan,
  kind: KeyKind,
  { bytes }: ZoneKey,
  faults: ReadonlyArray<KeyFault>
): GivenKey | string => {
  const inside = faults.includes("no key") ? corruptKey(plan, kind, bytes) : wrapped(plan, kind, bytes)
  if (typeof inside === "string") return inside
  const check: GivenKey["check"] = (method, length) => {
    const value = checkOfKey(plan.cipher, bytes, { method, length })
    if (faults.includes("wrong check value")) value[0]! ^= 0xff
    return value
  }
  return { kind, algorithm: plan.cipher, bytes: inside, check }
}

const hasRules = ({ form, keyPlan }: Exchanging): boolean =>
  form.codec.dialect.security?.mac !== undefined && keyPlan.exchange.mac !== undefined

/** The key as one that makes MACs of key messages, where they have some. A PIN key makes that of its own answer. */
export const macKeyOf = (plan: Exchanging, kind: KeyKind, { bytes, key }: ZoneKey): DialogueKey | undefined => {
  if (!hasRules(plan)) return undefined
  if (kind === "mac" && key?._tag === "mac") return key
  const made = makeMac(usualMac[plan.keyPlan.cipher], bytes)
  return typeof made === "string" ? undefined : made
}

/** The message with the MAC of this key over what key messages cover. */
export const sealed = ({ form, keyPlan }: Exchanging, bytes: Buffer, key: DialogueKey, isWrong: boolean): Buffer =>
  (isWrong ? withWrongMac : withMac)(form, new Map([[keyName, key]]), keyName, bytes, keyPlan.exchange.mac?.fields)

/** What gives an answer its MAC by this key. */
export const sealer = (plan: Exchanging, key: DialogueKey | undefined): KeyReply["seal"] =>
  key === undefined || !hasRules(plan) ? unsealed : (answer, isWrong) => sealed(plan, answer, key, isWrong)

/** Whether a message has a MAC. */
export const hasMac = ({ form }: Exchanging, { index }: Observed): boolean =>
  form.codec.dialect.security?.mac !== undefined && index.has(macFieldOf(form, index))

/** Whether the MAC of a key message is that of none of these keys. */
export const isMacWrong = ({ keyPlan }: Exchanging, message: Observed, keys: ReadonlyArray<DialogueKey>): boolean =>
  !keys.some((key) => macWrong(new Map([[keyName, key]]), keyName, message, keyPlan.exchange.mac?.fields) === undefined)
