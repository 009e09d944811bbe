/**
 * Encrypted PIN blocks: encryption, decryption and translation between the keys and formats of two zones.
 *
 * A switch between two zones never needs the PIN itself, only the block under the other zone's key. This module does in
 * software what an HSM does in production; it serves tests, simulators and certification environments.
 */
import { type BlockCipher, blockLengthOf, type Cipher, makeBlockCipher, xorInto } from "./BlockCipher.ts"
import { buildPinBlock, hasPan, openPinBlock, type PinBlockFormat, panFieldIso4, pinBlockLengthOf } from "./PinBlock.ts"
import type { RandomBytes } from "./Random.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/** A PIN key set up once, for many PIN blocks: setting up costs more than the translation itself. */
export interface PinKey {
  readonly _tag: "PinKey"
  readonly cipher: Cipher
  readonly engine: BlockCipher
}

/** Sets up a PIN key, or `KeyInvalid`. */
export const makePinKey = (cipher: Cipher, key: Uint8Array): PinKey | SecurityError => {
  const engine = makeBlockCipher(cipher, key, "makePinKey")
  return isSecurityError(engine) ? engine : { _tag: "PinKey", cipher, engine }
}

/**
 * One side of a PIN's way: the key (ZPK, PIK) and the form of its blocks.
 *
 * The 8-byte formats go with `des` and `tdes`, `iso4` with `aes` (ISO 9564-1) or, by agreement, `sm4`. `pan` is needed by
 * `iso0`, `iso3` and `iso4`; `random` for building `iso1`, `iso3` and `iso4`. On a link set the
 * key up once with `makePinKey`, of the same cipher.
 */
export interface PinZone {
  readonly cipher: Cipher
  readonly key: Uint8Array | PinKey
  readonly format: PinBlockFormat
  readonly pan?: string
  readonly random?: RandomBytes
}

/** A key's cipher, set up now or before. */
const engineFor = (cipher: Cipher, key: Uint8Array | PinKey, place: string): BlockCipher | SecurityError => {
  if (!("_tag" in key)) return makeBlockCipher(cipher, key, place)
  return key.cipher === cipher
    ? key.engine
    : securityError("KeyInvalid", place, "the key was set up for another cipher")
}

/** The zone's cipher, set up, when it goes with the format. */
const engineOf = (zone: PinZone, place: string): BlockCipher | SecurityError => {
  if (blockLengthOf(zone.cipher) !== pinBlockLengthOf(zone.format)) {
    return securityError("InputInvalid", place, "8-byte PIN blocks go with DES or TDES, format 4 with AES or SM4")
  }
  return engineFor(zone.cipher, zone.key, place)
}

/** ISO 9564-1:2017, 9.4.2.3: format 4 is encrypted twice, with the PAN field added in between. */
const encryptClear = (engine: BlockCipher, zone: PinZone, clear: Buffer): Buffer | SecurityError => {
  if (zone.format !== "iso4") return engine.encrypt(clear)
  const panField = panFieldIso4(zone.pan)
  if (isSecurityError(panField)) return panField
  const inner = engine.encrypt(clear)
  xorInto(inner, panField)
  return engine.encrypt(inner)
}

const decryptToClear = (engine: BlockCipher, zone: PinZone, block: Uint8Array): Buffer | SecurityError => {
  if (zone.format !== "iso4") return engine.decrypt(block)
  const panField = panFieldIso4(zone.pan)
  if (isSecurityError(panField)) return panField
  const inner = engine.decrypt(block)
  xorInto(inner, panField)
  return engine.decrypt(inner)
}

/** Builds the PIN block of a PIN (4 to 12 ASCII digits) and encrypts it for the zone: 8 bytes, `iso4` 16. */
export const encryptPin = (zone: PinZone, pin: Uint8Array): Buffer | SecurityError => {
  const engine = engineOf(zone, "encryptPin")
  if (isSecurityError(engine)) return engine
  const clear = buildPinBlock(zone.format, pin, zone.pan, zone.random)
  if (isSecurityError(clear)) return clear
  const encrypted = encryptClear(engine, zone, clear)
  clear.fill(0)
  return encrypted
}

/** Decrypts and opens a zone's PIN block. The result (ASCII digits) is secret: overwrite it after use. */
export const decryptPin = (zone: PinZone, block: Uint8Array): Buffer | SecurityError => {
  const engine = engineOf(zone, "decryptPin")
  if (isSecurityError(engine)) return engine
  if (block.length !== engine.blockLength) {
    return securityError("InputInvalid", "decryptPin", `a PIN block of this format has ${engine.blockLength} bytes`)
  }
  const clear = decryptToClear(engine, zone, block)
  if (isSecurityError(clear)) return clear
  const pin = openPinBlock(zone.format, clear, zone.pan)
  clear.fill(0)
  return pin
}

/**
 * Re-encrypts a PIN block from one zone to another; the PIN is in clear in between and overwritten.
 *
 * Two things are refused with `InputInvalid`, as ISO 9564-1 asks of an HSM: another PAN, and a target format that drops the
 * PAN which the source format holds. Some networks want the latter (UnionPay DE 53.1 = 1): say `mayDropPan`.
 */
export const translatePin = (
  block: Uint8Array,
  source: PinZone,
  target: PinZone,
  options: { readonly mayDropPan?: boolean } = {}
): Buffer | SecurityError => {
  if (hasPan(source.format) && hasPan(target.format) && source.pan !== target.pan) {
    return securityError("InputInvalid", "translatePin", "source and target must have the same PAN")
  }
  if (hasPan(source.format) && !hasPan(target.format) && options.mayDropPan !== true) {
    return securityError(
      "InputInvalid",
      "translatePin",
      "the target format must hold the PAN as the source format does"
    )
  }
  const pin = decryptPin(source, block)
  if (isSecurityError(pin)) return pin
  const translated = encryptPin(target, pin)
  pin.fill(0)
  return translated
}

/**
 * Re-encrypts a block whose clear layout is not known, from one key to another of the same cipher: whole blocks, ECB. For
 * CUPS DE 63 "SM" (16 bytes under SM4), whose layout is not public. Nothing in the block is checked.
 */
export const translateOpaque = (
  block: Uint8Array,
  cipher: Cipher,
  sourceKey: Uint8Array | PinKey,
  targetKey: Uint8Array | PinKey
): Buffer | SecurityError => {
  const source = engineFor(cipher, sourceKey, "translateOpaque")
  if (isSecurityError(source)) return source
  const target = engineFor(cipher, targetKey, "translateOpaque")
  if (isSecurityError(target)) return target
  if (block.length === 0 || block.length > 64 || block.length % source.blockLength !== 0) {
    return securityError("InputInvalid", "translateOpaque", "whole blocks are expected, at most 64 bytes")
  }
  const clear = source.decrypt(block)
  const translated = target.encrypt(clear)
  clear.fill(0)
  return translated
}
