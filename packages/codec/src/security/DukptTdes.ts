/**
 * TDES DUKPT, the receiving side (ANSI X9.24-1:2009, annex A): one key for each transaction, derived from a base key and the
 * key serial number (KSN) that the terminal sends.
 *
 * A KSN has 10 bytes; its last 21 bits count transactions. Terminals skip counters with more than ten one bits.
 */
import { makeBlockCipherUnsafe, xor } from "./BlockCipher.ts"
import { type SecurityError, securityError } from "./SecurityError.ts"

/** What the transaction key is used for; each use has its own variant of it. */
export type TdesDukptUsage = "pin" | "macRequest" | "macResponse" | "encryptRequest" | "encryptResponse"

const bytesOfHex = (hex: string): Buffer => Buffer.from(hex, "hex")

const twice = (half: string): Buffer => bytesOfHex(half + half)

/** X9.24-1:2009, A.4.1: the masks of the variants. */
const variants: Record<TdesDukptUsage, Buffer> = {
  pin: twice("00000000000000ff"),
  macRequest: twice("000000000000ff00"),
  macResponse: twice("00000000ff000000"),
  encryptRequest: twice("0000000000ff0000"),
  encryptResponse: twice("000000ff00000000")
}

/** X9.24-1:2009, A.2: the mask of the right half's derivation. */
const rightHalfMask = twice("c0c0c0c000000000")

const COUNTER_BITS = 21
const ONE_BITS_MAX = 10

const checkDoubleKey = (key: Uint8Array, place: string): SecurityError | undefined =>
  key.length === 16 ? undefined : securityError("KeyInvalid", place, "TDES DUKPT keys have 16 bytes")

const checkKsnLength = (ksn: Uint8Array, place: string): SecurityError | undefined =>
  ksn.length === 10 ? undefined : securityError("KsnInvalid", place, "a KSN of TDES DUKPT has 10 bytes")

/** The KSN's 21-bit transaction counter. The KSN must have 10 bytes. */
const counterOf = (ksn: Uint8Array): number => ((ksn[7]! & 0x1f) << 16) | (ksn[8]! << 8) | ksn[9]!

/** Number of one bits of an unsigned 32-bit number. */
export const oneBitsOf = (value: number): number => {
  let count = 0
  for (let rest = value >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}

/**
 * The initial key (IPEK) of a terminal from the base derivation key (16 bytes) and any KSN of the terminal (10 bytes; the
 * counter is not looked at). Secret.
 */
export const tdesDukptInitialKey = (baseKey: Uint8Array, ksn: Uint8Array): Buffer | SecurityError => {
  const wrong = checkDoubleKey(baseKey, "tdesDukptInitialKey") ?? checkKsnLength(ksn, "tdesDukptInitialKey")
  if (wrong !== undefined) return wrong
  const serial = Buffer.from(ksn.subarray(0, 8))
  serial[7]! &= 0xe0
  return Buffer.concat([
    makeBlockCipherUnsafe("tdes", baseKey).encrypt(serial),
    makeBlockCipherUnsafe("tdes", xor(baseKey, rightHalfMask)).encrypt(serial)
  ])
}

/** X9.24-1:2009, A.2: one half of the non-reversible key generation. */
const deriveHalf = (key: Buffer, register: Buffer): Buffer => {
  const right = key.subarray(8)
  return xor(makeBlockCipherUnsafe("des", key.subarray(0, 8)).encrypt(xor(register, right)), right)
}

/**
 * The transaction key of a KSN from the terminal's initial key (16 bytes). It is never used itself, only its variants.
 * `KsnInvalid` when the counter is zero or has more than ten one bits. Secret.
 */
export const tdesDukptTransactionKey = (initialKey: Uint8Array, ksn: Uint8Array): Buffer | SecurityError => {
  const place = "tdesDukptTransactionKey"
  const wrong = checkDoubleKey(initialKey, place) ?? checkKsnLength(ksn, place)
  if (wrong !== undefined) return wrong
  const counter = counterOf(ksn)
  const oneBits = oneBitsOf(counter)
  if (oneBits === 0 || oneBits > ONE_BITS_MAX) {
    return securityError("KsnInvalid", place, "the transaction counter has one to ten one bits")
  }
  const register = Buffer.from(ksn.subarray(2))
  register[5]! &= 0xe0
  register[6] = 0
  register[7] = 0
  let key = Buffer.from(initialKey)
  for (let bit = COUNTER_BITS - 1; bit >= 0; bit--) {
    if ((counter & (1 << bit)) === 0) continue
    register[7 - (bit >> 3)]! |= 1 << (bit & 7)
    key = Buffer.concat([deriveHalf(xor(key, rightHalfMask), register), deriveHalf(key, register)])
  }
  return key
}

/**
 * The key for one use, 16 bytes, from the transaction key. PIN and MAC keys are variants of it; the keys for encryption are
 * in addition encrypted under themselves (X9.24-1:2009, A.4.1). Secret.
 */
export const tdesDukptWorkingKey = (transactionKey: Uint8Array, usage: TdesDukptUsage): Buffer | SecurityError => {
  const wrong = checkDoubleKey(transactionKey, "tdesDukptWorkingKey")
  if (wrong !== undefined) return wrong
  const variant = xor(transactionKey, variants[usage])
  return usage === "encryptRequest" || usage === "encryptResponse"
    ? makeBlockCipherUnsafe("tdes", variant).encrypt(variant)
    : variant
}
