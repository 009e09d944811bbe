/**
 * What a device computes: MACs and PIN blocks, with each key set up once. The rules of formats and of parity are the device's
 * own; a failure is its error code.
 */
import {
  decryptPin,
  encryptPin,
  isSecurityError,
  type MacAlgorithm,
  type MacKey,
  makeMacKey,
  makePinKey,
  type PinBlockFormat,
  type PinKey,
  type RandomBytes
} from "@jinka/codec"

/** Keys in use at most, before all of them are set up again. */
const KEYS_MAX = 1000

const algorithms = new Map<string, MacAlgorithm>()

/** One object for each algorithm and padding. `cipher` by the key's length. */
const macAlgorithm = (method: "cbc" | "retail", cipher: "des" | "sm4", padding: 1 | 2): MacAlgorithm => {
  const name = `${method} ${cipher} ${padding}`
  const known = algorithms.get(name) ?? { method, cipher, padding }
  algorithms.set(name, known)
  return known
}

/** PIN block formats by their numbers (jPOS, ut-codec-payshield). 03 has the PIN's digits and F behind them. */
const formats: Readonly<Record<string, PinBlockFormat | "diebold">> = {
  "01": "iso0",
  "03": "diebold",
  "05": "iso1",
  "47": "iso3"
}

/** A device's arithmetic. */
export class DeviceCrypt {
  private readonly random: RandomBytes
  private readonly macKeys = new Map<string, MacKey>()
  private readonly pinKeys = new Map<string, PinKey>()

  constructor(random: RandomBytes) {
    this.random = random
  }

  /** The MAC of a message; `undefined` when the key's length does not go with the algorithm. */
  mac(
    method: "cbc" | "retail",
    cipher: "des" | "sm4",
    padding: 1 | 2,
    key: Buffer,
    message: Uint8Array
  ): Buffer | undefined {
    const name = `${method} ${cipher} ${padding} ${key.toString("hex")}`
    let made = this.macKeys.get(name)
    if (made === undefined) {
      const setUp = makeMacKey(macAlgorithm(method, cipher, padding), key)
      if (isSecurityError(setUp)) return undefined
      if (this.macKeys.size > KEYS_MAX) this.macKeys.clear()
      made = setUp
      this.macKeys.set(name, made)
    }
    return made.compute(message)
  }

  /** Translates a PIN block; gives the PIN's length and the block, or an error code. */
  translate(
    source: Buffer,
    target: Buffer,
    block: Buffer,
    from: string,
    to: string,
    account: string
  ): { readonly pinLength: number; readonly block: Buffer } | string {
    const [fromFormat, toFormat] = [formats[from], formats[to]]
    if (fromFormat === undefined || toFormat === undefined) return "23"
    const [sourceKey, targetKey] = [this.pinKey(source), this.pinKey(target)]
    // The check digit is in no block: any will do.
    const pan = `${account}0`
    const pin =
      fromFormat === "diebold"
        ? dieboldPin(sourceKey.engine.decrypt(block))
        : decryptPin({ cipher: sourceKey.cipher, key: sourceKey, format: fromFormat, pan }, block)
    if (pin === undefined || isSecurityError(pin)) return "20"
    const made =
      toFormat === "diebold"
        ? targetKey.engine.encrypt(dieboldBlock(pin))
        : encryptPin({ cipher: targetKey.cipher, key: targetKey, format: toFormat, pan, random: this.random }, pin)
    return isSecurityError(made) ? "24" : { pinLength: pin.length, block: made }
  }

  private pinKey(key: Buffer): PinKey {
    const name = key.toString("hex")
    let made = this.pinKeys.get(name)
    if (made === undefined) {
      const setUp = makePinKey(key.length === 8 ? "des" : "tdes", key)
      if (isSecurityError(setUp)) throw new Error(`PIN key: ${setUp.rule}`)
      if (this.pinKeys.size > KEYS_MAX) this.pinKeys.clear()
      made = setUp
      this.pinKeys.set(name, made)
    }
    return made
  }
}

const dieboldPin = (clear: Buffer): Buffer | undefined => {
  const digits = /^(\d{4,12})F+$/.exec(clear.toString("hex").toUpperCase())?.[1]
  return digits === undefined ? undefined : Buffer.from(digits, "latin1")
}

const dieboldBlock = (pin: Uint8Array): Buffer =>
  Buffer.from(Buffer.from(pin).toString("latin1").padEnd(16, "F"), "hex")
