/**
 * AES DUKPT, the receiving side (ANSI X9.24-3:2017): one key for each transaction, derived from a base key and the key
 * serial number (KSN) that the terminal sends.
 *
 * A KSN has 12 bytes: 8 of initial key id, 4 of transaction counter. Terminals skip counters with more than sixteen one
 * bits.
 */
import { checkKey, makeBlockCipherUnsafe } from "./BlockCipher.ts"
import { oneBitsOf } from "./DukptTdes.ts"
import { type SecurityError, securityError } from "./SecurityError.ts"

/** X9.24-3:2017, 6.2: what a derived key is used for. The vectors cover pin, macGenerate, dataEncrypt and the last two. */
const usages = {
  keyEncryption: 0x0002,
  pin: 0x1000,
  macGenerate: 0x2000,
  macVerify: 0x2001,
  macBoth: 0x2002,
  dataEncrypt: 0x3000,
  dataDecrypt: 0x3001,
  dataBoth: 0x3002,
  derivation: 0x8000,
  initial: 0x8001
} as const

/** What a working key is used for. */
export type AesDukptUsage = Exclude<keyof typeof usages, "derivation" | "initial">

/** X9.24-3:2017, 6.2.1 and 6.2.2: kinds of derived keys: number in the derivation text and length in bytes. */
const keyTypes = {
  tdes2: { code: 0x0000, length: 16 },
  tdes3: { code: 0x0001, length: 24 },
  aes128: { code: 0x0002, length: 16 },
  aes192: { code: 0x0003, length: 24 },
  aes256: { code: 0x0004, length: 32 }
} as const

/** The kind of key to derive: two- and three-key TDES or AES. HMAC keys are not derived here. */
export type AesDukptKeyType = keyof typeof keyTypes

const ONE_BITS_MAX = 16

const aesTypeOf = (key: Uint8Array): AesDukptKeyType =>
  key.length === 16 ? "aes128" : key.length === 24 ? "aes192" : "aes256"

/** X9.24-3:2017, 6.2: the derivation text, encrypted once for each 16 bytes of key. `tail`: 8 bytes. */
const derive = (key: Uint8Array, usage: number, type: AesDukptKeyType, tail: Uint8Array): Buffer => {
  const { code, length } = keyTypes[type]
  const text = Buffer.alloc(16)
  text[0] = 1
  text.writeUInt16BE(usage, 2)
  text.writeUInt16BE(code, 4)
  text.writeUInt16BE(length * 8, 6)
  text.set(tail, 8)
  const engine = makeBlockCipherUnsafe("aes", key)
  const blocks: Array<Buffer> = []
  for (let made = 0; made < length; made += 16) {
    text[1] = made / 16 + 1
    blocks.push(engine.encrypt(text))
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/**
 * The initial key of a terminal from the base derivation key (16, 24 or 32 bytes) and the initial key id (8 bytes, the first
 * 8 of any KSN of the terminal). As long as the base key. Secret.
 */
export const aesDukptInitialKey = (baseKey: Uint8Array, initialKeyId: Uint8Array): Buffer | SecurityError => {
  const wrong = checkKey("aes", baseKey, "aesDukptInitialKey")
  if (wrong !== undefined) return wrong
  if (initialKeyId.length !== 8) {
    return securityError("KsnInvalid", "aesDukptInitialKey", "an initial key id has 8 bytes")
  }
  return derive(baseKey, usages.initial, aesTypeOf(baseKey), initialKeyId)
}

/** The last four bytes of the initial key id and a counter: the tail of the derivation text. */
const tailOf = (ksn: Uint8Array, counter: number): Buffer => {
  const tail = Buffer.alloc(8)
  tail.set(ksn.subarray(4, 8))
  tail.writeUInt32BE(counter, 4)
  return tail
}

const checkKsn = (ksn: Uint8Array, place: string): number | SecurityError => {
  if (ksn.length !== 12) return securityError("KsnInvalid", place, "a KSN of AES DUKPT has 12 bytes")
  const counter = new DataView(ksn.buffer, ksn.byteOffset).getUint32(8)
  const oneBits = oneBitsOf(counter)
  return oneBits >= 1 && oneBits <= ONE_BITS_MAX
    ? counter
    : securityError("KsnInvalid", place, "the transaction counter has one to sixteen one bits")
}

/**
 * The transaction (derivation) key of a KSN from the terminal's initial key. Only for deriving working keys. `KsnInvalid`
 * when the counter is zero or has more than sixteen one bits. Secret.
 */
export const aesDukptTransactionKey = (initialKey: Uint8Array, ksn: Uint8Array): Buffer | SecurityError => {
  const place = "aesDukptTransactionKey"
  const wrong = checkKey("aes", initialKey, place)
  if (wrong !== undefined) return wrong
  const counter = checkKsn(ksn, place)
  if (typeof counter !== "number") return counter
  const type = aesTypeOf(initialKey)
  let key = Buffer.from(initialKey)
  let reached = 0
  for (let bit = 31; bit >= 0; bit--) {
    const mask = (1 << bit) >>> 0
    if ((counter & mask) === 0) continue
    reached = (reached | mask) >>> 0
    key = Buffer.from(derive(key, usages.derivation, type, tailOf(ksn, reached)))
  }
  return key
}

/**
 * The working key for one use from the transaction key of the same KSN. `type`: by default AES of the transaction key's
 * length. `InputInvalid` when the kind asked for is stronger than the transaction key. Secret.
 */
export const aesDukptWorkingKey = (
  transactionKey: Uint8Array,
  ksn: Uint8Array,
  usage: AesDukptUsage,
  type: AesDukptKeyType = aesTypeOf(transactionKey)
): Buffer | SecurityError => {
  const place = "aesDukptWorkingKey"
  const wrong = checkKey("aes", transactionKey, place)
  if (wrong !== undefined) return wrong
  const counter = checkKsn(ksn, place)
  if (typeof counter !== "number") return counter
  // Three-key TDES is longer than AES-128 but has only 112 bits of strength (NIST SP 800-57 part 1, table 2).
  if (keyTypes[type].length > transactionKey.length && type !== "tdes3") {
    return securityError("InputInvalid", place, "a working key is not stronger than the key that it comes from")
  }
  return derive(transactionKey, usages[usage], type, tailOf(ksn, counter))
}
