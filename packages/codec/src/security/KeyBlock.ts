/**
 * Key blocks (ANSI X9.143:2021, before ASC X9 TR-31; version E: ISO 20038:2017): a key wrapped together with what it is for,
 * so that neither can be changed or swapped on the way.
 *
 * Wraps and unwraps with a key block protection key (KBPK) that the caller holds. It does not judge whether a usage or mode
 * is allowed: that is the caller's rule. In production this is an HSM's work.
 */
import { createCipheriv, createSecretKey } from "node:crypto"
import { type Cipher, checkKey, decryptCbcUnsafe, encryptCbcUnsafe } from "./BlockCipher.ts"
import { type KeyBlockHeader, type KeyBlockVersion, readKeyBlockHeader, writeKeyBlockHeader } from "./KeyBlockHeader.ts"
import { computeMac, equalMac, type MacAlgorithm } from "./Mac.ts"
import { drawRandom, type RandomBytes } from "./Random.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/** A key out of a key block. `key` is secret: overwrite it after use. */
export interface UnwrappedKey {
  readonly header: KeyBlockHeader
  readonly key: Buffer
}

/** What differs from version to version. */
interface Scheme {
  readonly cipher: Cipher
  readonly blockLength: 8 | 16
  readonly macLength: 4 | 8 | 16
  /** `variant`: keys are the KBPK XOR a letter, the MAC covers the wrapped key. `derived`: CMAC, the MAC covers the key. */
  readonly binding: "variant" | "derived"
  readonly mode: "cbc" | "ctr"
}

const schemes: Record<KeyBlockVersion, Scheme> = {
  A: { cipher: "tdes", blockLength: 8, macLength: 4, binding: "variant", mode: "cbc" },
  B: { cipher: "tdes", blockLength: 8, macLength: 8, binding: "derived", mode: "cbc" },
  C: { cipher: "tdes", blockLength: 8, macLength: 4, binding: "variant", mode: "cbc" },
  D: { cipher: "aes", blockLength: 16, macLength: 16, binding: "derived", mode: "cbc" },
  E: { cipher: "aes", blockLength: 16, macLength: 16, binding: "derived", mode: "ctr" }
}

interface BlockKeys {
  readonly encryption: Buffer
  readonly authentication: Buffer
}

/** X9.143:2021, 7.2.1.1 and 7.2.2.1: what a derived key is for. */
const purposes = { cbc: 0, mac: 1, ctr: 2 } as const

/** X9.143:2021, 7.2: CMAC of a counter, a purpose, the algorithm and the length in bits, until there are bytes enough. */
const derive = (cipher: Cipher, kbpk: Uint8Array, purpose: number): Buffer => {
  const algorithm: MacAlgorithm = { method: "cmac", cipher }
  const text = Buffer.alloc(8)
  text.writeUInt16BE(purpose, 1)
  text.writeUInt16BE(cipher === "tdes" ? (kbpk.length === 16 ? 0 : 1) : kbpk.length / 8, 4)
  text.writeUInt16BE(kbpk.length * 8, 6)
  const parts: Array<Uint8Array> = []
  for (let made = 0; made < kbpk.length; made += parts[0]!.length) {
    text[0] = parts.length + 1
    parts.push(computeMac(algorithm, kbpk, text) as Buffer)
  }
  return Buffer.concat(parts).subarray(0, kbpk.length)
}

const xorEach = (key: Uint8Array, byte: number): Buffer => Buffer.from(key.map((part) => part ^ byte))

/** The two keys that protect a block, from the KBPK, whose length must have been checked. Secret. */
export const keyBlockKeys = (version: KeyBlockVersion, kbpk: Uint8Array): BlockKeys => {
  const { cipher, binding, mode } = schemes[version]
  return binding === "variant"
    ? { encryption: xorEach(kbpk, 0x45), authentication: xorEach(kbpk, 0x4d) }
    : { encryption: derive(cipher, kbpk, purposes[mode]), authentication: derive(cipher, kbpk, purposes.mac) }
}

/** The left part of the MAC over header and key (wrapped or clear). The key's length must have been checked. */
const macOf = (scheme: Scheme, keys: BlockKeys, header: string, rest: Uint8Array): Buffer => {
  const algorithm: MacAlgorithm =
    scheme.binding === "variant"
      ? { method: "cbc", cipher: scheme.cipher, padding: 1 }
      : { method: "cmac", cipher: scheme.cipher }
  const message = Buffer.concat([Buffer.from(header, "latin1"), rest])
  return (computeMac(algorithm, keys.authentication, message) as Buffer).subarray(0, scheme.macLength)
}

/** Counter mode is its own inverse: it serves both directions. */
const applyCounterMode = (key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Buffer =>
  createCipheriv(`aes-${key.length * 8}-ctr`, createSecretKey(key), iv).update(bytes)

const place = "unwrapKeyBlock"

/** The key out of its clear form: length in bits, key, padding. */
const takeKey = (clear: Buffer): Buffer | SecurityError => {
  const bits = clear.readUInt16BE(0)
  const length = bits / 8
  if (bits === 0 || bits % 8 !== 0 || 2 + length > clear.length) {
    return securityError("KeyBlockInvalid", place, "the key's length does not fit the block")
  }
  return Buffer.from(clear.subarray(2, 2 + length))
}

const hexBytes = (text: string): Buffer | undefined =>
  /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, "hex") : undefined

const macWrong = securityError(
  "KeyBlockMacWrong",
  place,
  "the key block does not authenticate under this protection key"
)

/** Variant binding authenticates before it decrypts; derived binding must decrypt first, because the MAC is the IV. */
const decryptAndCheck = (
  scheme: Scheme,
  keys: BlockKeys,
  header: string,
  wrapped: Buffer,
  mac: Buffer
): Buffer | SecurityError => {
  if (scheme.binding === "variant") {
    if (!equalMac(macOf(scheme, keys, header, wrapped), mac)) return macWrong
    return decryptCbcUnsafe(scheme.cipher, keys.encryption, Buffer.from(header.slice(0, 8), "latin1"), wrapped)
  }
  const clear =
    scheme.mode === "ctr"
      ? applyCounterMode(keys.encryption, mac, wrapped)
      : decryptCbcUnsafe(scheme.cipher, keys.encryption, mac, wrapped)
  if (equalMac(macOf(scheme, keys, header, clear), mac)) return clear
  clear.fill(0)
  return macWrong
}

/**
 * Unwraps a key block of version A to E.
 *
 * `kbpk`: 16 or 24 bytes for A, B and C, 16, 24 or 32 for D and E. Errors: `KeyInvalid`, `KeyBlockInvalid` (layout),
 * `KeyBlockMacWrong` (other KBPK, or changed). At most 9999 characters.
 */
export const unwrapKeyBlock = (kbpk: Uint8Array, text: string): UnwrappedKey | SecurityError => {
  const read = readKeyBlockHeader(text)
  if (isSecurityError(read)) return read
  const { header, headerLength } = read
  const scheme = schemes[header.version]
  const wrongKey = checkKey(scheme.cipher, kbpk, place)
  if (wrongKey !== undefined) return wrongKey
  const rest = hexBytes(text.slice(headerLength))
  if (rest === undefined) return securityError("KeyBlockInvalid", place, "the wrapped key is hexadecimal")
  const wrapped = rest.subarray(0, Math.max(0, rest.length - scheme.macLength))
  const lengthMin = scheme.mode === "ctr" ? 3 : scheme.blockLength
  if (wrapped.length < lengthMin || (scheme.mode === "cbc" && wrapped.length % scheme.blockLength !== 0)) {
    return securityError("KeyBlockInvalid", place, "the wrapped key is not of whole cipher blocks and a MAC")
  }
  const keys = keyBlockKeys(header.version, kbpk)
  const clear = decryptAndCheck(
    scheme,
    keys,
    text.slice(0, headerLength),
    wrapped,
    rest.subarray(rest.length - scheme.macLength)
  )
  keys.encryption.fill(0)
  keys.authentication.fill(0)
  if (isSecurityError(clear)) return clear
  const key = takeKey(clear)
  clear.fill(0)
  return isSecurityError(key) ? key : { header, key }
}

/** Options of wrapping. */
export interface WrapOptions {
  /**
   * Bytes that the key seems to have in the block, so that its length shows nothing: padding is drawn as for a key of this
   * length. By default 24 for TDES and DES keys and 32 for AES keys; at least the key's own length.
   */
  readonly lengthShown?: number
}

const defaultLengthShown = (algorithm: string): number =>
  algorithm === "T" || algorithm === "D" ? 24 : algorithm === "A" ? 32 : 0

/** Length in bits, key, random padding. */
const clearForm = (
  scheme: Scheme,
  key: Uint8Array,
  lengthShown: number,
  random: RandomBytes
): Buffer | SecurityError => {
  const shown = 2 + Math.max(key.length, lengthShown)
  const length = scheme.mode === "ctr" ? 2 + key.length : Math.ceil(shown / scheme.blockLength) * scheme.blockLength
  const padding = drawRandom(random, length - 2 - key.length, "wrapKeyBlock")
  if (isSecurityError(padding)) return padding
  const clear = Buffer.alloc(length)
  clear.writeUInt16BE(key.length * 8, 0)
  clear.set(key, 2)
  clear.set(padding, 2 + key.length)
  return clear
}

const checkWrap = (
  kbpk: Uint8Array,
  cipher: Cipher,
  key: Uint8Array,
  lengthShown: number
): SecurityError | undefined => {
  const wrongKbpk = checkKey(cipher, kbpk, "wrapKeyBlock")
  if (wrongKbpk !== undefined) return wrongKbpk
  if (key.length < 1 || key.length > 1024) {
    return securityError("InputInvalid", "wrapKeyBlock", "the wrapped key has 1 to 1024 bytes")
  }
  if (!Number.isInteger(lengthShown) || lengthShown < 0 || lengthShown > 1024) {
    return securityError("InputInvalid", "wrapKeyBlock", "the length shown is 0 to 1024 bytes")
  }
  return undefined
}

/**
 * Wraps a key with its header into a key block.
 *
 * `kbpk`: as for `unwrapKeyBlock`. `key`: 1 to 1024 bytes. `random`: for the padding behind the key and in the header.
 * Version E has no padding: its length shows the key's.
 */
export const wrapKeyBlock = (
  kbpk: Uint8Array,
  header: KeyBlockHeader,
  key: Uint8Array,
  random: RandomBytes,
  options: WrapOptions = {}
): string | SecurityError => {
  const scheme = schemes[header.version]
  const lengthShown = options.lengthShown ?? defaultLengthShown(header.algorithm)
  const wrong = checkWrap(kbpk, scheme.cipher, key, lengthShown)
  if (wrong !== undefined) return wrong
  const clear = clearForm(scheme, key, lengthShown, random)
  if (isSecurityError(clear)) return clear
  const written = writeKeyBlockHeader(header, 2 * (clear.length + scheme.macLength), random)
  if (isSecurityError(written)) return written
  const keys = keyBlockKeys(header.version, kbpk)
  const block = protect(scheme, keys, written, clear)
  clear.fill(0)
  keys.encryption.fill(0)
  keys.authentication.fill(0)
  return block
}

const protect = (scheme: Scheme, keys: BlockKeys, header: string, clear: Buffer): string => {
  const { cipher } = scheme
  if (scheme.binding === "variant") {
    const wrapped = encryptCbcUnsafe(cipher, keys.encryption, Buffer.from(header.slice(0, 8), "latin1"), clear)
    const mac = macOf(scheme, keys, header, wrapped)
    return `${header}${Buffer.concat([wrapped, mac]).toString("hex").toUpperCase()}`
  }
  const mac = macOf(scheme, keys, header, clear)
  const wrapped =
    scheme.mode === "ctr"
      ? applyCounterMode(keys.encryption, mac, clear)
      : encryptCbcUnsafe(cipher, keys.encryption, mac, clear)
  return `${header}${Buffer.concat([wrapped, mac]).toString("hex").toUpperCase()}`
}
