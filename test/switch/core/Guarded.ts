/**
 * Guarded links for the core tests: keys of the published vectors, what a partner does with them, and a security module that
 * answers when the test says so.
 */
import {
  type Cipher,
  computeMac,
  cups,
  cupsMacFields,
  cupsMacText,
  decryptPin,
  encryptPin,
  isSecurityError,
  type MacAlgorithm,
  type Message,
  macAlgorithms,
  type PinZone,
  reveal,
  unionPayMacText
} from "@jinka/codec"
import { Effect } from "effect"
import type { GuardSettings, MacSettings, PinSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import type { KeyHandle, KeyPurpose } from "../../../packages/switch/src/guard/KeyHandle.ts"
import type { ModuleCall } from "../../../packages/switch/src/guard/ModuleCall.ts"
import { moduleError } from "../../../packages/switch/src/guard/ModuleError.ts"
import type { SecurityModule, StoredUnder } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { SoftwareModule } from "../../../packages/switch/src/guard/SoftwareModule.ts"
import type { Running } from "../../../packages/switch/src/Switch.ts"
import { seeded, vectors } from "../../codec/security/vectors.ts"

interface Vectors {
  readonly keys: { readonly [name: string]: { readonly hex: string; readonly cipher: Cipher } }
}

/** Keys of the vectors, by name. */
export const { keys: testKeys } = vectors<Vectors>("keys")

/** The bytes of a key of the vectors; of another one as they are. */
export const keyOf = (key: string | Buffer): Buffer =>
  typeof key === "string" ? Buffer.from(testKeys[key]!.hex, "hex") : Buffer.from(key)

/** X9.19 over the CUPS text, in F128, both ways. */
export const cupsMac: MacSettings = {
  ...cups.security!.mac!,
  receive: "required",
  send: "always",
  algorithm: macAlgorithms["ansi-x9.19"],
  isZeroed: false,
  isHexText: false
}

/** CUPS PIN blocks with the card number. */
export const cupsPin: PinSettings = { ...cups.security!.pin!, format: "iso0", keys: "zone", mayDropPan: false }

/** A guard that says what is wrong, and does no more. */
export const guardOf = (
  mac: Partial<MacSettings> | undefined,
  pin?: PinSettings,
  failures: GuardSettings["failures"] = { after: 3, act: "alarm" }
): GuardSettings => ({ mac: mac === undefined ? undefined : { ...cupsMac, ...mac }, pin, failures })

/** A software module. */
export const softwareModule = (allowTestKeys = true): SoftwareModule =>
  new SoftwareModule({ storageKey: Buffer.alloc(32, 7), random: seeded(1), allowTestKeys })

/** A key of the vectors in a module. */
export const handleOf = (module: SecurityModule, name: string, purpose: KeyPurpose): KeyHandle =>
  Effect.runSync(
    module.importKey({
      name: `test/${purpose}/${name}`,
      purpose,
      algorithm: testKeys[name]!.cipher,
      key: { form: "components", components: [keyOf(name)] }
    })
  )

/** Gives a link a key for both directions, with the one before until its window ends. */
export const giveKey = (
  { keys }: Running,
  module: SecurityModule,
  link: number,
  purpose: KeyPurpose,
  name: string,
  previous?: { readonly name: string; readonly until: number }
): void => {
  const slot = keys.slot(link, purpose, "both")
  const before = previous === undefined ? undefined : handleOf(module, previous.name, purpose)
  keys.take(slot, handleOf(module, name, purpose), slot.version + 1, 0, before, previous?.until)
}

const lengthDigits: { readonly [de: number]: number } = { 2: 2, 32: 2, 33: 2, 102: 2, 103: 2 }

/** The text that CUPS covers, from the message's values. */
export const cupsTextOf = ({ fields, mti }: Message): string =>
  cupsMacText(
    cupsMacFields.flatMap((de) => {
      if (de === 0) return [mti]
      const value = fields[de]
      if (value === undefined) return []
      const whole = typeof value === "string" ? value : String(reveal(value))
      const text = de === 90 ? whole.slice(0, 20) : whole
      const digits = lengthDigits[de] ?? 0
      return [digits === 0 ? text : String(text.length).padStart(digits, "0") + text]
    })
  )

/** The MAC that a CUPS partner with this key gives the message. */
export const cupsMacOf = (message: Message, key: string | Buffer): string => {
  const mac = computeMac(macAlgorithms["ansi-x9.19"], keyOf(key), Buffer.from(cupsTextOf(message), "latin1"))
  if (isSecurityError(mac)) throw new Error(mac.rule)
  return unionPayMacText(mac)
}

/** The message with the partner's MAC. */
export const sealed = (message: Message, key: string | Buffer): Message => ({
  ...message,
  fields: { ...message.fields, 128: cupsMacOf(message, key) }
})

const zoneOf = (key: string, format: PinZone["format"], pan: string): PinZone => ({
  cipher: testKeys[key]!.cipher,
  key: keyOf(key),
  format,
  pan,
  random: seeded(3)
})

/** A PIN block in a partner's zone. */
export const pinBlock = (pin: string, key: string, format: PinZone["format"], pan: string): Buffer => {
  const block = encryptPin(zoneOf(key, format, pan), Buffer.from(pin, "latin1"))
  if (isSecurityError(block)) throw new Error(block.rule)
  return block
}

/** The bytes of a field that hides them. */
export const bytesOf = (value: unknown): Buffer => Buffer.from(reveal(value as Message["fields"][number]) as Uint8Array)

/** The PIN in a block. */
export const pinIn = (block: unknown, key: string, format: PinZone["format"], pan: string): string => {
  const pin = decryptPin(zoneOf(key, format, pan), bytesOf(block))
  return isSecurityError(pin) ? pin._tag : pin.toString("latin1")
}

/** A module as a device in the network is: calls are done when the test says so, or never while it is away. */
export class HeldModule implements SecurityModule {
  readonly isSynchronous = false
  isUp = true
  /** Calls that are not done yet. */
  readonly waiting: Array<ModuleCall> = []
  private readonly ended: Array<ModuleCall> = []
  private readonly inner = softwareModule()
  private wake: () => void = () => {}

  readonly importKey = this.inner.importKey.bind(this.inner)
  readonly generateKey = this.inner.generateKey.bind(this.inner)
  readonly exportKey = this.inner.exportKey.bind(this.inner)
  readonly checkValue = this.inner.checkValue.bind(this.inner)

  submit(call: ModuleCall): boolean {
    if (!this.isUp) {
      call.error = moduleError("ModuleAway", "submit", "a device takes calls")
      return true
    }
    // What the call points to is read now.
    call.text = Buffer.from(call.text.subarray(call.from, call.to))
    call.to -= call.from
    call.from = 0
    this.waiting.push(call)
    return false
  }

  /** The first `count` calls are done, all of them when it is left out. */
  answer(count = this.waiting.length): void {
    for (const call of this.waiting.splice(0, count)) {
      this.inner.submit(call)
      this.ended.push(call)
    }
    this.wake()
  }

  /** The call at this position is done before those in front of it. */
  answerAt(position: number): void {
    this.waiting.unshift(...this.waiting.splice(position, 1))
    this.answer(1)
  }

  /** It takes no calls any more, and what it had comes to nothing. */
  goAway(): void {
    this.isUp = false
    for (const call of this.waiting.splice(0)) {
      call.error = moduleError("ModuleAway", "submit", "a device takes calls")
      this.ended.push(call)
    }
    this.wake()
  }

  drain(each: (call: ModuleCall) => void): void {
    for (const call of this.ended.splice(0)) each(call)
  }

  onDone(wake: () => void): void {
    this.wake = wake
  }

  storedUnder(): StoredUnder {
    return "now"
  }

  status() {
    return { module: "hsm" as const, state: this.isUp ? ("up" as const) : ("away" as const), devices: [] }
  }
}

/** The left `length` bytes of the MAC over these bytes. */
export const wholeMac = (covered: Buffer, algorithm: MacAlgorithm, key: string, length = 8): Buffer => {
  const mac = computeMac(algorithm, keyOf(key), covered)
  if (isSecurityError(mac)) throw new Error(mac.rule)
  return mac.subarray(0, length)
}
