/**
 * The seam to whatever holds the keys: software, or a hardware security module (HSM) in the network.
 *
 * Two kinds of operations. The ones on a message's way (`verifyMac`, `makeMac`, `translatePin`) go by `ModuleCall`, a slot that
 * its owner makes once and uses again: `submit` either is done when it returns, or gives the slot back later through `drain`.
 * The ones of a key's life are effects. No operation throws: errors are `ModuleError` values, and none of them holds a key, a
 * PIN, a PAN or a block. What a MAC covers, which key is the current one and what is told to a partner is not decided here.
 */
import type { Cipher, KeyCheckMethod } from "@jinka/codec"
import type { Effect } from "effect"
import type { KeyHandle, KeyPurpose } from "./KeyHandle.ts"
import type { ModuleCall } from "./ModuleCall.ts"
import type { ModuleError } from "./ModuleError.ts"

/** A key that came from outside. `bytes` of `tr31` are the block's ASCII characters. */
export type WrappedKey =
  | { readonly form: "ecb" | "tr31"; readonly kek: KeyHandle; readonly bytes: Uint8Array }
  | { readonly form: "cbc"; readonly kek: KeyHandle; readonly bytes: Uint8Array; readonly iv?: Uint8Array }
  /** Clear components, XORed by the module; the caller wipes them. A device takes its components at its own console only. */
  | { readonly form: "components"; readonly components: ReadonlyArray<Uint8Array> }
  /** A key text that the module itself wrote, for instance at a ceremony at the device. */
  | { readonly form: "own"; readonly text: string }

/** What to import, and how it came. */
export interface ImportRequest {
  readonly name: string
  readonly purpose: KeyPurpose
  readonly algorithm: Cipher
  readonly key: WrappedKey
  /** It is the PIN key of terminals, which devices keep apart from those of zones. */
  readonly isTerminal?: boolean
  /** The check value that came with the key: another one is `KeyRefused`. */
  readonly expected?: { readonly method: KeyCheckMethod["method"]; readonly value: Uint8Array }
}

/** What a new key has to be. `length` in bytes; left out: 16 for TDES, AES and SM4, 8 for DES. */
export interface GenerateRequest {
  readonly name: string
  readonly purpose: KeyPurpose
  readonly algorithm: Cipher
  readonly length?: number
  readonly kek: KeyHandle
  readonly form: "ecb" | "cbc" | "tr31"
}

/** A key that the module drew, and the same under the key-encryption key, for the partner. */
export interface GeneratedKey {
  readonly key: KeyHandle
  readonly wrapped: Buffer
}

/** State of one device of a security module. */
export interface DeviceStatus {
  /** Its name in the configuration, and `host:port`. */
  readonly name: string
  readonly address: string
  /**
   * `up`: takes calls. `suspect`: late, and gets none until its heartbeat is answered. `away`: not connected. `out`: it answers
   * that it cannot work (LMK, state, licence).
   */
  readonly state: "up" | "suspect" | "away" | "out"
  readonly connections: number
  readonly connected: number
  /** Calls that it has not answered yet. */
  readonly outstanding: number
  /** Milliseconds of a call, as a moving average; `undefined` before the first. */
  readonly answerMs: number | undefined
  /** The check value of its LMK and its firmware, as its heartbeat tells. */
  readonly lmkCheckValue: string | undefined
  readonly firmware: string | undefined
  /** Why it is not `up`. */
  readonly why: string | undefined
}

/** State of a security module. `degraded`: takes calls, but not every device does. `away`: takes none. */
export interface ModuleStatus {
  readonly module: "software" | "hsm"
  readonly state: "up" | "degraded" | "away"
  readonly devices: ReadonlyArray<DeviceStatus>
}

/**
 * The present storage key, a previous one, or none that the module has. `elsewhere`: the text is none of this kind of module's,
 * which cannot do anything with it.
 */
export type StoredUnder = "now" | "before" | "another" | "elsewhere"

/** A security module: it holds the keys of partners, and computes with them. */
export interface SecurityModule {
  /** True: every `submit` is done when it returns. */
  readonly isSynchronous: boolean
  /** False while no device takes calls: links with keys then take no new requests. A field to ask at each message. */
  readonly isUp: boolean
  /**
   * Takes a call. True: it is done, its outcome is in it. False: it belongs to the module until `drain` gives it back, which
   * it does exactly once, at the latest when its `withinMs` have passed. All that the call points to is read before `submit`
   * returns: buffers behind it may be used again at once.
   */
  submit(call: ModuleCall): boolean
  /** Gives back every call that is done, in the order of their ends. */
  drain(each: (call: ModuleCall) => void): void
  /** Names whom to wake when calls are done: once for each batch, outside of `submit`. One owner; the last one named. */
  onDone(wake: () => void): void
  /** Takes a key in. `KeyRefused`: length, parity, check value, weak or published; `KeyUnusable`: the key-encryption key. */
  importKey(request: ImportRequest): Effect.Effect<KeyHandle, ModuleError>
  /** Draws a key. */
  generateKey(request: GenerateRequest): Effect.Effect<GeneratedKey, ModuleError>
  /** The key under a key-encryption key, for a partner that asks for it again. */
  exportKey(key: KeyHandle, kek: KeyHandle, form: GenerateRequest["form"]): Effect.Effect<Buffer, ModuleError>
  /** The key's check value as the module computes it now: shows that the module can use the key. */
  checkValue(key: KeyHandle, method: KeyCheckMethod): Effect.Effect<Buffer, ModuleError>
  /** Under what a key text is stored. One under a previous storage key is under the present one once imported as `own`. */
  storedUnder(text: string): StoredUnder
  status(): ModuleStatus
}
