/**
 * The working keys of a partner as time goes on: the one in use, the one before until its window ends, and one that was given and
 * is not answered for. Owns which of them makes a MAC, proves one, or opens a PIN block. Says no key, only check values.
 */
import type { Cipher, KeyKind } from "@jinka/codec"
import { type DialogueKey, macWrong, pinIn, withMac, withPin, withWrongMac } from "../../dialogue/Keys.ts"
import type { Observed } from "../../dialogue/Observed.ts"
import type { Timepiece } from "../../partner/Session.ts"
import type { PartnerPlan } from "../PartnerPlan.ts"
import { shownCheck } from "./Wrapping.ts"

/** One working key. */
export interface ZoneKey {
  /** What it is used with; `undefined`: nothing here uses it. */
  readonly key: DialogueKey | undefined
  readonly bytes: Buffer
  readonly checkValue: string
  readonly version: number
}

/** The keys of one purpose and direction. */
export interface KeySlot {
  readonly kind: KeyKind
  current: ZoneKey | undefined
  previous: { readonly key: ZoneKey; readonly until: number } | undefined
  offered: ZoneKey | undefined
  version: number
}

/** The name by which a single key is handed to the makers of MACs. */
const keyName = "key"

const named = (key: DialogueKey) => new Map([[keyName, key]])

/** Whether two plans begin with the same keys and exchange them alike: then what has come about since stays. */
export const isSameZone = (one: PartnerPlan, other: PartnerPlan): boolean => identity(one) === identity(other)

const identity = ({ form, keyPlan, keys, macKey, pinKey }: PartnerPlan): string =>
  JSON.stringify([
    [...keys].map(([name, { bytes }]) => [name, bytes.toString("hex")]),
    [macKey, pinKey, form.codec.dialect.name],
    keyPlan === undefined
      ? ""
      : [keyPlan.kek.toString("hex"), keyPlan.exchange.name, keyPlan.isGiver, keyPlan.kinds, keyPlan.cipher]
  ])

/** The zone of one partner. */
export class Zone {
  private plan: PartnerPlan
  private readonly time: Timepiece
  private readonly slots = new Map<string, KeySlot>()
  /** Called when a message shows that the far side uses a key that it was given. */
  onProved: (slot: KeySlot) => void = () => undefined

  constructor(plan: PartnerPlan, time: Timepiece) {
    this.plan = plan
    this.time = time
    for (const [kind, name] of [["mac", plan.macKey] as const, ["pin", plan.pinKey] as const]) {
      const key = name === undefined ? undefined : plan.keys.get(name)
      if (key === undefined) continue
      for (const side of ["sends", "receives"] as const) {
        this.slot(kind, side).current = {
          key,
          bytes: key.bytes,
          checkValue: shownCheck(cipherOf(key), key.bytes),
          version: 0
        }
      }
    }
  }

  /** The same keys under another plan. */
  replan(plan: PartnerPlan): void {
    this.plan = plan
  }

  /** The keys of a purpose for what this partner sends or receives; one set for both, where the exchange has one. */
  slot(kind: KeyKind, side: "sends" | "receives"): KeySlot {
    const isSplit = this.plan.keyPlan?.exchange.covers === "giver"
    const name = isSplit ? `${kind} ${side}` : kind
    const known = this.slots.get(name)
    if (known !== undefined) return known
    const made: KeySlot = { kind, current: undefined, previous: undefined, offered: undefined, version: 0 }
    this.slots.set(name, made)
    return made
  }

  /** The keys that the exchange changes. */
  exchanged(kind: KeyKind): KeySlot {
    return this.slot(kind, this.plan.keyPlan?.isGiver === true ? "sends" : "receives")
  }

  /** A key is in use from now on; the one before is good for its window. */
  use(slot: KeySlot, key: ZoneKey): void {
    const windowMs = this.plan.keyPlan?.windowMs ?? 0
    const before = slot.current
    slot.previous = before === undefined ? undefined : { key: before, until: this.time.monotonic() + windowMs }
    slot.current = key
    slot.offered = undefined
  }

  /** Check values of the keys in use, by purpose: `mac 8B2F11`. */
  shown(): ReadonlyArray<string> {
    return [...this.slots].flatMap(([name, { current }]) =>
      current === undefined ? [] : [`${name} ${current.checkValue}`]
    )
  }

  /** Whether the keys are there that the exchange brings for what this partner sends. */
  get isReady(): boolean {
    const kinds = this.plan.keyPlan?.kinds ?? []
    return kinds.every(
      (kind) => kind === "data" || this.slot(kind, "sends").current !== undefined || this.isOnlyReceived
    )
  }

  /** Whether the exchange brings keys for the other direction alone. */
  private get isOnlyReceived(): boolean {
    return this.plan.keyPlan?.exchange.covers === "giver" && !this.plan.keyPlan.isGiver
  }

  /** The message with the MAC that this partner makes, wrong in one place where that is asked for. */
  sealed(bytes: Buffer, isWrong: boolean): Buffer {
    const key = this.slot("mac", "sends").current?.key
    if (key === undefined) return bytes
    return (isWrong ? withWrongMac : withMac)(this.plan.form, named(key), keyName, bytes)
  }

  /** The message with the PIN block that this partner makes; as it is while there is no key for one. */
  withPin(bytes: Buffer, pin: string): Buffer {
    const key = this.slot("pin", "sends").current?.key
    return key === undefined ? bytes : withPin(this.plan.form, named(key), `${keyName} ${pin}`, bytes)
  }

  /** Whether a message that has to carry a MAC has none of a key that may be used now. */
  hasWrongMac(message: Observed): boolean {
    if (!this.hasMacs) return false
    const slot = this.slot("mac", "receives")
    const found = this.usable(slot).find(
      ({ key }) => key !== undefined && macWrong(named(key), keyName, message) === undefined
    )
    if (found !== undefined) this.proved(slot, found)
    return found === undefined
  }

  /** The PIN of a message's block, by the first key that opens it; `undefined`: it has none, or nobody looks. */
  pin(message: Observed, card: string): ReturnType<typeof pinIn> {
    const slot = this.slot("pin", "receives")
    const keys = this.usable(slot)
    if (keys.length === 0) return this.hasBlock(message) ? { isReadable: false } : undefined
    let last: ReturnType<typeof pinIn>
    for (const one of keys) {
      if (one.key === undefined) continue
      last = pinIn(named(one.key), keyName, message, card)
      if (last?.isReadable !== true) continue
      this.proved(slot, one)
      return last
    }
    return last
  }

  /** Whether a message has a block that a key of the exchange is for. */
  private hasBlock({ form, index }: Observed): boolean {
    const de = form.codec.dialect.security?.pin?.field
    return de !== undefined && this.plan.keyPlan?.kinds.includes("pin") === true && index.has(de)
  }

  private get hasMacs(): boolean {
    return this.plan.macKey !== undefined || this.plan.keyPlan?.kinds.includes("mac") === true
  }

  /** The keys that the far side may use now. */
  private usable({ current, offered, previous }: KeySlot): ReadonlyArray<ZoneKey> {
    const before = previous !== undefined && previous.until > this.time.monotonic() ? previous.key : undefined
    return [current, before, offered].filter((one) => one !== undefined)
  }

  private proved(slot: KeySlot, key: ZoneKey): void {
    if (key === slot.offered) this.onProved(slot)
  }
}

const cipherOf = (key: DialogueKey): Cipher => {
  if (key._tag === "pin") return key.cipher
  if (key.algorithm.includes("sm4")) return "sm4"
  return key.algorithm.startsWith("aes") ? "aes" : key.bytes.length === 8 ? "des" : "tdes"
}
