/**
 * The security module in software: synchronous, for tests, certification and simulation. Its keys are in this process's memory
 * once they are used; PINs are in clear here while they are translated, which PCI PIN forbids in production.
 *
 * A key's text is a key block (ANSI X9.143 version D) under the module's storage key. A key is unwrapped and set up at its first
 * use, once for each handle.
 */
import {
  type Cipher,
  decryptBlocks,
  decryptCbc,
  encryptBlocks,
  encryptCbc,
  equalMac,
  isSecurityError,
  type KeyBlockHeader,
  type KeyCheckMethod,
  type MacAlgorithm,
  type MacKey,
  makeMacKey,
  makePinKey,
  type PinBlockFormat,
  type PinKey,
  type PinZone,
  type RandomBytes,
  type SecurityError,
  translateOpaque,
  translatePin,
  unwrapKeyBlock,
  wrapKeyBlock
} from "@jinka/codec"
import { Effect } from "effect"
import { macCipherOf } from "./KeyFits.ts"
import { algorithmLetters, blockOf, combined, headerOf, unblocked, usageOf } from "./KeyForms.ts"
import type { KeyHandle, KeyPurpose } from "./KeyHandle.ts"
import {
  checkKeyLength,
  checkKeyStrength,
  checkValueOf,
  hasOddParity,
  makeParityOdd,
  shownCheckMethod
} from "./KeyRules.ts"
import type { ModuleCall, PinSide } from "./ModuleCall.ts"
import { isModuleError, type ModuleError, moduleError } from "./ModuleError.ts"
import type {
  GeneratedKey,
  GenerateRequest,
  ImportRequest,
  ModuleStatus,
  SecurityModule,
  StoredUnder,
  WrappedKey
} from "./SecurityModule.ts"

/** Settings of a software module. */
export interface SoftwareModuleSettings {
  /** 16, 24 or 32 bytes: the AES key under which keys are stored. The module keeps a copy. */
  readonly storageKey: Uint8Array
  /** Previous ones: a key that is stored under one of them can still be used. */
  readonly previousStorageKeys?: ReadonlyArray<Uint8Array>
  /** Source of keys, padding and PIN block fill. */
  readonly random: RandomBytes
  /** Takes weak and published keys, too. */
  readonly allowTestKeys: boolean
}

/** A key in use. */
interface SetUp {
  readonly mac: Map<MacAlgorithm, MacKey | ModuleError>
  pin: PinKey | ModuleError | undefined
}

const macFailed = moduleError("MacFailed", "verifyMac", "the MAC is that of no key of this direction")
const lengthWrong = moduleError("FormatRefused", "verifyMac", "a MAC has at least 4 bytes and at most a cipher block")
const incomplete = moduleError("RequestWrong", "submit", "the call is filled in by its methods")

const opaqueMixed = moduleError(
  "FormatRefused",
  "translatePin",
  "an opaque PIN block goes to an opaque one under a key of the same cipher only"
)

/** A codec error in the words of the module's seam. */
const translated = (error: SecurityError, place: string): ModuleError => {
  switch (error._tag) {
    case "KeyInvalid":
    case "KeyBlockInvalid":
    case "KeyBlockMacWrong":
      return moduleError("KeyUnusable", place, error.rule)
    case "PinInvalid":
    case "PanInvalid":
    case "PinBlockInvalid":
    case "InputInvalid":
      return moduleError("FormatRefused", place, error.rule)
    default:
      return moduleError("RequestWrong", place, error.rule)
  }
}

const lift = <A>(make: () => A | ModuleError): Effect.Effect<A, ModuleError> =>
  Effect.suspend(() => {
    const made = make()
    return isModuleError(made) ? Effect.fail(made) : Effect.succeed(made)
  })

/** The security module in this process: keys and PINs are in clear in its memory while in use. For tests and certification. */
export class SoftwareModule implements SecurityModule {
  readonly isSynchronous = true
  readonly isUp = true
  readonly #settings: SoftwareModuleSettings
  readonly #storageKey: Buffer
  readonly #previousStorageKeys: ReadonlyArray<Buffer>
  readonly #ready = new WeakMap<KeyHandle, SetUp>()

  constructor(settings: SoftwareModuleSettings) {
    this.#settings = settings
    this.#storageKey = Buffer.from(settings.storageKey)
    this.#previousStorageKeys = (settings.previousStorageKeys ?? []).map((key) => Buffer.from(key))
  }

  submit(call: ModuleCall): boolean {
    switch (call.operation) {
      case "verifyMac":
        call.error = this.verify(call)
        break
      case "makeMac":
        call.error = this.make(call)
        break
      case "translatePin":
        call.error = this.translate(call)
    }
    return true
  }

  drain(): void {}

  onDone(): void {}

  status(): ModuleStatus {
    return { module: "software", state: "up", devices: [] }
  }

  importKey(request: ImportRequest): Effect.Effect<KeyHandle, ModuleError> {
    return lift(() => this.take(request))
  }

  generateKey(request: GenerateRequest): Effect.Effect<GeneratedKey, ModuleError> {
    return lift(() => {
      const { algorithm, name, purpose, kek, form } = request
      const place = `generateKey ${name}`
      const length = request.length ?? (algorithm === "des" ? 8 : 16)
      const wrong = checkKeyLength(algorithm, length, place)
      if (wrong !== undefined) return wrong
      const bytes = Buffer.from(makeParityOdd(algorithm, Uint8Array.from(this.#settings.random(length))))
      const key = this.handle(name, purpose, algorithm, bytes, place)
      const wrapped = isModuleError(key) ? key : this.wrap(kek, key, bytes, form, place)
      bytes.fill(0)
      return isModuleError(key) ? key : isModuleError(wrapped) ? wrapped : { key, wrapped }
    })
  }

  exportKey(key: KeyHandle, kek: KeyHandle, form: GenerateRequest["form"]): Effect.Effect<Buffer, ModuleError> {
    return lift(() =>
      this.withBytes(key, key.purpose, (bytes) => this.wrap(kek, key, bytes, form, `exportKey ${key.name}`))
    )
  }

  checkValue(key: KeyHandle, method: KeyCheckMethod): Effect.Effect<Buffer, ModuleError> {
    return lift(() =>
      this.withBytes(key, key.purpose, (bytes) => checkValueOf(key.algorithm, bytes, method, `checkValue ${key.name}`))
    )
  }

  storedUnder(text: string): StoredUnder {
    const keys = [this.#storageKey, ...this.#previousStorageKeys]
    const found = keys.findIndex((key) => {
      const read = unwrapKeyBlock(key, text)
      if (isSecurityError(read)) return false
      read.key.fill(0)
      return true
    })
    // What a device wrote is no key block of version D.
    if (found < 0) return text.startsWith("D") ? "another" : "elsewhere"
    return found === 0 ? "now" : "before"
  }

  /** A stored key, under the present storage key or a previous one. */
  private unwrapped(text: string) {
    const read = unwrapKeyBlock(this.#storageKey, text)
    for (const before of this.#previousStorageKeys) {
      const found = isSecurityError(read) ? unwrapKeyBlock(before, text) : read
      if (!isSecurityError(found)) return found
    }
    return read
  }

  private verify(call: ModuleCall): ModuleError | undefined {
    const { algorithm, key, otherKey } = call
    if (algorithm === undefined || key === undefined) return incomplete
    const first = this.fits(call, key, algorithm)
    if (first === true) {
      call.fitted = key
      return undefined
    }
    if (otherKey === undefined) return first === false ? macFailed : first
    const second = this.fits(call, otherKey, algorithm)
    if (second === true) {
      call.fitted = otherKey
      return undefined
    }
    return first !== false ? first : second === false ? macFailed : second
  }

  private fits(call: ModuleCall, key: KeyHandle, algorithm: MacAlgorithm): boolean | ModuleError {
    const mac = this.macOf(call, key, algorithm)
    if (isModuleError(mac)) return mac
    const { inputLength } = call
    if (inputLength < 4 || inputLength > mac.length) return lengthWrong
    return equalMac(mac.subarray(0, inputLength), call.input.subarray(0, inputLength))
  }

  private make(call: ModuleCall): ModuleError | undefined {
    const { algorithm, key, outputLength } = call
    if (algorithm === undefined || key === undefined) return incomplete
    const mac = this.macOf(call, key, algorithm)
    if (isModuleError(mac)) return mac
    if (outputLength < 4 || outputLength > mac.length) return lengthWrong
    mac.copy(call.output, 0, 0, outputLength)
    return undefined
  }

  private macOf(call: ModuleCall, key: KeyHandle, algorithm: MacAlgorithm): Buffer | ModuleError {
    const ready = this.setUp(key)
    let mac = ready.mac.get(algorithm)
    if (mac === undefined) {
      mac = this.makeMac(key, algorithm)
      ready.mac.set(algorithm, mac)
    }
    return isModuleError(mac) ? mac : mac.compute(call.text.subarray(call.from, call.to))
  }

  private makeMac(key: KeyHandle, algorithm: MacAlgorithm): MacKey | ModuleError {
    const place = `MAC key ${key.name}`
    if (key.algorithm !== macCipherOf(algorithm)) {
      return moduleError("KeyUnusable", place, "the key is of another cipher or length than the MAC's algorithm takes")
    }
    return this.withBytes(key, "mac", (bytes) => {
      const made = makeMacKey(algorithm, bytes)
      return isSecurityError(made) ? translated(made, place) : made
    })
  }

  private translate(call: ModuleCall): ModuleError | undefined {
    const { source, target, inputLength } = call
    if (source === undefined || target === undefined) return incomplete
    const place = `translatePin ${source.key.name} to ${target.key.name}`
    if (inputLength > call.input.length) return moduleError("FormatRefused", place, "a PIN block has 8 or 16 bytes")
    const input = call.input.subarray(0, inputLength)
    const block = this.translateBlock(input, source, target, call)
    if (isModuleError(block)) return block
    if (isSecurityError(block)) return translated(block, place)
    block.copy(call.output)
    call.outputLength = block.length
    return undefined
  }

  private translateBlock(input: Uint8Array, source: PinSide, target: PinSide, call: ModuleCall) {
    const from = this.pinKey(source.key)
    if (isModuleError(from)) return from
    const to = this.pinKey(target.key)
    if (isModuleError(to)) return to
    const { random } = this.#settings
    const { pan } = call
    if (source.format !== "opaque" && target.format !== "opaque") {
      return translatePin(input, zone(from, source.format, pan, random), zone(to, target.format, pan, random), call)
    }
    return source.format === target.format && from.cipher === to.cipher
      ? translateOpaque(input, from.cipher, from, to)
      : opaqueMixed
  }

  private pinKey(key: KeyHandle): PinKey | ModuleError {
    const ready = this.setUp(key)
    ready.pin ??= this.withBytes(key, "pin", (bytes) => {
      const made = makePinKey(key.algorithm, bytes)
      return isSecurityError(made) ? translated(made, `PIN key ${key.name}`) : made
    })
    return ready.pin
  }

  private setUp(key: KeyHandle): SetUp {
    let ready = this.#ready.get(key)
    if (ready === undefined) {
      ready = { mac: new Map(), pin: undefined }
      this.#ready.set(key, ready)
    }
    return ready
  }

  /** Uses the bytes of a key that is for `purpose`, and overwrites them. */
  private withBytes<A>(key: KeyHandle, purpose: KeyPurpose, use: (bytes: Buffer) => A | ModuleError): A | ModuleError {
    const place = `key ${key.name}`
    if (key.purpose !== purpose) {
      return moduleError("KeyUnusable", place, `the key is for ${key.purpose}, and used for ${purpose}`)
    }
    const read = this.unwrapped(key.text)
    if (isSecurityError(read)) return translated(read, place)
    const { header, key: bytes } = read
    const isItsOwn =
      header.usage === usageOf(purpose, key.algorithm) && header.algorithm === algorithmLetters[key.algorithm]
    const used = isItsOwn
      ? use(bytes)
      : moduleError("KeyUnusable", place, "the key block is of another purpose or cipher than its name says")
    bytes.fill(0)
    return used
  }

  private take(request: ImportRequest): KeyHandle | ModuleError {
    const { name, purpose, algorithm, key } = request
    const place = `importKey ${name}`
    const bytes = this.clear(key, purpose, algorithm, place)
    if (isModuleError(bytes)) return bytes
    const wrong = this.check(request, bytes, place)
    if (wrong !== undefined) {
      bytes.fill(0)
      return wrong
    }
    makeParityOdd(algorithm, bytes)
    const handle = this.handle(name, purpose, algorithm, bytes, place)
    bytes.fill(0)
    return handle
  }

  /** The key out of the form in which it came. */
  private clear(key: WrappedKey, purpose: KeyPurpose, algorithm: Cipher, place: string): Buffer | ModuleError {
    switch (key.form) {
      case "components":
        return combined(key.components, place)
      case "own": {
        const handle: KeyHandle = { name: place, purpose, algorithm, text: key.text, checkValue: "" }
        return this.withBytes(handle, purpose, (bytes) => Buffer.from(bytes))
      }
      case "tr31":
        return this.withBytes(key.kek, "kek", (kek) => unblocked(kek, key.bytes, purpose, algorithm, place))
      case "ecb":
      case "cbc":
        return this.withBytes(key.kek, "kek", (kek) => {
          const { algorithm: cipher } = key.kek
          const iv = key.form === "cbc" ? (key.iv ?? Buffer.alloc(blockOf(cipher))) : undefined
          const clear =
            iv === undefined ? decryptBlocks(cipher, kek, key.bytes) : decryptCbc(cipher, kek, iv, key.bytes)
          return isSecurityError(clear) ? moduleError("KeyRefused", place, clear.rule) : clear
        })
    }
  }

  private check(request: ImportRequest, bytes: Buffer, place: string): ModuleError | undefined {
    const { algorithm, key, expected } = request
    const wrong = checkKeyLength(algorithm, bytes.length, place)
    if (wrong !== undefined) return wrong
    if (expected !== undefined) {
      const value = checkValueOf(algorithm, bytes, { method: expected.method, length: expected.value.length }, place)
      if (isModuleError(value)) return value
      if (!equalMac(value, expected.value)) {
        return moduleError("KeyRefused", place, "the check value is not the one that came with the key")
      }
    } else if ((key.form === "ecb" || key.form === "cbc") && !hasOddParity(algorithm, bytes)) {
      return moduleError("KeyRefused", place, "the key has no odd parity, and no check value shows that it is right")
    }
    return this.#settings.allowTestKeys ? undefined : checkKeyStrength(algorithm, bytes, place)
  }

  private handle(
    name: string,
    purpose: KeyPurpose,
    algorithm: Cipher,
    bytes: Buffer,
    place: string
  ): KeyHandle | ModuleError {
    const checkValue = checkValueOf(algorithm, bytes, shownCheckMethod(algorithm), place)
    if (isModuleError(checkValue)) return checkValue
    const text = wrapKeyBlock(this.#storageKey, headerOf(purpose, algorithm, "N"), bytes, this.#settings.random)
    if (isSecurityError(text)) return translated(text, place)
    return { name, purpose, algorithm, text, checkValue: checkValue.toString("hex").toUpperCase() }
  }

  /** A key for a partner, under a key-encryption key that both have. */
  private wrap(
    kek: KeyHandle,
    { purpose, algorithm }: KeyHandle,
    bytes: Buffer,
    form: GenerateRequest["form"],
    place: string
  ): Buffer | ModuleError {
    return this.withBytes(kek, "kek", (kekBytes) => {
      if (form === "tr31") {
        const version = kek.algorithm === "aes" ? "D" : "B"
        const header: KeyBlockHeader = { ...headerOf(purpose, algorithm, "E"), version }
        const block = wrapKeyBlock(kekBytes, header, bytes, this.#settings.random)
        return isSecurityError(block) ? translated(block, place) : Buffer.from(block, "latin1")
      }
      const wrapped =
        form === "ecb"
          ? encryptBlocks(kek.algorithm, kekBytes, bytes)
          : encryptCbc(kek.algorithm, kekBytes, Buffer.alloc(blockOf(kek.algorithm)), bytes)
      return isSecurityError(wrapped) ? translated(wrapped, place) : wrapped
    })
  }
}

const zone = (key: PinKey, format: PinBlockFormat, pan: string | undefined, random: RandomBytes): PinZone => {
  const { cipher } = key
  return pan === undefined ? { cipher, key, format, random } : { cipher, key, format, random, pan }
}
