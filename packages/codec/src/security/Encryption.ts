/**
 * Encryption and decryption of whole blocks, as key exchange (working keys under a master key) and sensitive fields need
 * it. Pads nothing and authenticates nothing: for keys in transit prefer `KeyBlock.ts`.
 */
import {
  blockLengthOf,
  type Cipher,
  checkKey,
  decryptCbcUnsafe,
  encryptCbcUnsafe,
  makeBlockCipherUnsafe
} from "./BlockCipher.ts"
import { type SecurityError, securityError } from "./SecurityError.ts"

/** Most bytes that one call takes: 1 MiB. */
export const ENCRYPTION_LENGTH_MAX = 1_048_576

const check = (cipher: Cipher, key: Uint8Array, iv: Uint8Array | undefined, blocks: Uint8Array, place: string) => {
  const blockLength = blockLengthOf(cipher)
  if (blocks.length === 0 || blocks.length % blockLength !== 0) {
    return securityError("InputInvalid", place, `whole blocks of ${blockLength} bytes are expected, at least one`)
  }
  if (blocks.length > ENCRYPTION_LENGTH_MAX)
    return securityError("InputInvalid", place, "at most 1 MiB is taken at once")
  if (iv !== undefined && iv.length !== blockLength) {
    return securityError("InputInvalid", place, `the initial value has ${blockLength} bytes`)
  }
  return checkKey(cipher, key, place)
}

/** ECB encryption: each block by itself. Working keys under a master key are exchanged this way (DE 48 NK, DE 62, 96). */
export const encryptBlocks = (cipher: Cipher, key: Uint8Array, blocks: Uint8Array): Buffer | SecurityError =>
  check(cipher, key, undefined, blocks, "encryptBlocks") ?? makeBlockCipherUnsafe(cipher, key).encrypt(blocks)

/** ECB decryption: the inverse of `encryptBlocks`. */
export const decryptBlocks = (cipher: Cipher, key: Uint8Array, blocks: Uint8Array): Buffer | SecurityError =>
  check(cipher, key, undefined, blocks, "decryptBlocks") ?? makeBlockCipherUnsafe(cipher, key).decrypt(blocks)

/** CBC encryption from the initial value `iv` (one block). */
export const encryptCbc = (
  cipher: Cipher,
  key: Uint8Array,
  iv: Uint8Array,
  blocks: Uint8Array
): Buffer | SecurityError => check(cipher, key, iv, blocks, "encryptCbc") ?? encryptCbcUnsafe(cipher, key, iv, blocks)

/** CBC decryption from the initial value `iv` (one block). */
export const decryptCbc = (
  cipher: Cipher,
  key: Uint8Array,
  iv: Uint8Array,
  blocks: Uint8Array
): Buffer | SecurityError => check(cipher, key, iv, blocks, "decryptCbc") ?? decryptCbcUnsafe(cipher, key, iv, blocks)
