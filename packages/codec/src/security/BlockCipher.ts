/**
 * Block ciphers with a key set up once: DES, TDES, AES and SM4 in the ECB and CBC modes that payments use.
 *
 * Setting up a cipher in Node costs several times as much as encrypting a short message, so a `BlockCipher` keeps the
 * OpenSSL objects and uses them again. OpenSSL 3 offers no single DES: that is this package's own (`Des.ts`). This module
 * pads nothing and authenticates nothing.
 */
import { createCipheriv, createDecipheriv, createSecretKey, getCiphers, type KeyObject } from "node:crypto"
import { desReversed, desRoundKeys, desWords } from "./Des.ts"
import { type SecurityError, securityError } from "./SecurityError.ts"
import { sm4Block, sm4RoundKeys } from "./Sm4.ts"

/** `des`: 8-byte key. `tdes`: 16 or 24 bytes (parity bits are not looked at). `aes`: 16, 24 or 32. `sm4`: 16. */
export type Cipher = "des" | "tdes" | "aes" | "sm4"

/** Bytes of a block: 8 for DES and TDES, 16 for AES and SM4. */
export const blockLengthOf = (cipher: Cipher): 8 | 16 => (cipher === "des" || cipher === "tdes" ? 8 : 16)

const keyLengths: Record<Cipher, ReadonlyArray<number>> = { des: [8], tdes: [16, 24], aes: [16, 24, 32], sm4: [16] }

const keyRules: Record<Cipher, string> = {
  des: "a DES key has 8 bytes",
  tdes: "a TDES key has 16 or 24 bytes",
  aes: "an AES key has 16, 24 or 32 bytes",
  sm4: "an SM4 key has 16 bytes"
}

/** `KeyInvalid` when the key's length does not fit the cipher. */
export const checkKey = (cipher: Cipher, key: Uint8Array, place: string): SecurityError | undefined =>
  keyLengths[cipher].includes(key.length) ? undefined : securityError("KeyInvalid", place, keyRules[cipher])

/**
 * A cipher with its key. Inputs are whole blocks: anything else is a mistake of the calling code and throws RangeError.
 * Results are new buffers.
 */
export interface BlockCipher {
  readonly blockLength: 8 | 16
  /** Each block by itself (ECB). */
  readonly encrypt: (blocks: Uint8Array) => Buffer
  /** Each block by itself (ECB). */
  readonly decrypt: (blocks: Uint8Array) => Buffer
  /** The last block of a CBC encryption that starts from zeros. Overwrites the first block of its argument. */
  readonly chain: (blocks: Uint8Array) => Buffer
}

const assertBlocks = (bytes: Uint8Array, blockLength: number): void => {
  if (bytes.length === 0 || bytes.length % blockLength !== 0) throw new RangeError("whole cipher blocks expected")
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!

/** `target[i] ^= mask[i]` over the length of `mask`. */
export const xorInto = (target: Uint8Array, mask: Uint8Array): void => {
  for (let i = 0; i < mask.length; i++) target[i] = target[i]! ^ mask[i]!
}

/** A new buffer with `left` XOR `right`, both of one length. */
export const xor = (left: Uint8Array, right: Uint8Array): Buffer => {
  const result = Buffer.from(left)
  xorInto(result, right)
  return result
}

/** A cipher's OpenSSL name, without its mode. */
const openSslName = (cipher: Exclude<Cipher, "des">, key: Uint8Array): string => {
  switch (cipher) {
    case "tdes":
      return "des-ede3"
    case "aes":
      return `aes-${key.length * 8}`
    case "sm4":
      return "sm4"
  }
}

/** The key in the form that OpenSSL takes. As an object: with bytes, Node throws and catches two errors for each cipher. */
const openSslKey = (cipher: Exclude<Cipher, "des">, key: Uint8Array): KeyObject =>
  createSecretKey(cipher === "tdes" && key.length === 16 ? Buffer.concat([key, key.subarray(0, 8)]) : key)

/**
 * A cipher by OpenSSL. The ECB objects hold no state between calls. The CBC object does: it goes on from the last block
 * it made, so `chain` first takes that block out of the next message's first block, which is a start from zeros.
 */
const openSslCipher = (cipher: Exclude<Cipher, "des">, key: Uint8Array): BlockCipher => {
  const blockLength = blockLengthOf(cipher)
  const name = openSslName(cipher, key)
  const secret = openSslKey(cipher, key)
  const encryptor = createCipheriv(`${name}-ecb`, secret, null).setAutoPadding(false)
  let decryptor: ReturnType<typeof createDecipheriv> | undefined
  let chainer: ReturnType<typeof createCipheriv> | undefined
  let carried: Uint8Array = Buffer.alloc(blockLength)
  return {
    blockLength,
    encrypt: (blocks) => {
      assertBlocks(blocks, blockLength)
      return encryptor.update(blocks)
    },
    decrypt: (blocks) => {
      assertBlocks(blocks, blockLength)
      decryptor ??= createDecipheriv(`${name}-ecb`, secret, null).setAutoPadding(false)
      return decryptor.update(blocks)
    },
    chain: (blocks) => {
      assertBlocks(blocks, blockLength)
      chainer ??= createCipheriv(`${name}-cbc`, secret, Buffer.alloc(blockLength)).setAutoPadding(false)
      xorInto(blocks, carried)
      const encrypted = chainer.update(blocks)
      carried = Buffer.from(encrypted.subarray(encrypted.length - blockLength))
      return Buffer.from(carried)
    }
  }
}

/** DES by this package's own block function. */
const ownDesCipher = (key: Uint8Array): BlockCipher => {
  const forward = desRoundKeys(key)
  const backward = desReversed(forward)
  const words = new Int32Array(2)
  const result = (): Buffer => {
    const block = Buffer.allocUnsafe(8)
    block.writeInt32BE(words[0]!, 0)
    block.writeInt32BE(words[1]!, 4)
    return block
  }
  const each = (roundKeys: Int32Array, blocks: Uint8Array): Buffer => {
    assertBlocks(blocks, 8)
    const made = Buffer.allocUnsafe(blocks.length)
    for (let at = 0; at < blocks.length; at += 8) {
      words[0] = wordAt(blocks, at)
      words[1] = wordAt(blocks, at + 4)
      desWords(roundKeys, words)
      made.writeInt32BE(words[0], at)
      made.writeInt32BE(words[1], at + 4)
    }
    return made
  }
  return {
    blockLength: 8,
    encrypt: (blocks) => each(forward, blocks),
    decrypt: (blocks) => each(backward, blocks),
    chain: (blocks) => {
      assertBlocks(blocks, 8)
      words.fill(0)
      for (let at = 0; at < blocks.length; at += 8) {
        words[0]! ^= wordAt(blocks, at)
        words[1]! ^= wordAt(blocks, at + 4)
        desWords(forward, words)
      }
      return result()
    }
  }
}

/** SM4 by this package's own block function, for Node builds without it and for the test that both agree. */
export const ownSm4Cipher = (key: Uint8Array): BlockCipher => {
  const forward = sm4RoundKeys(key)
  const backward = forward.slice().reverse()
  const each = (roundKeys: Int32Array, blocks: Uint8Array): Buffer => {
    assertBlocks(blocks, 16)
    const result = Buffer.alloc(blocks.length)
    for (let at = 0; at < blocks.length; at += 16) sm4Block(roundKeys, blocks, at, result, at)
    return result
  }
  return {
    blockLength: 16,
    encrypt: (blocks) => each(forward, blocks),
    decrypt: (blocks) => each(backward, blocks),
    chain: (blocks) => {
      assertBlocks(blocks, 16)
      const state = Buffer.alloc(16)
      for (let at = 0; at < blocks.length; at += 16) {
        xorInto(state, blocks.subarray(at, at + 16))
        sm4Block(forward, state, 0, state, 0)
      }
      return state
    }
  }
}

const available: ReadonlySet<string> = new Set(getCiphers())

/** True when this Node build's OpenSSL offers SM4 in both modes. */
export const hasOpenSslSm4: boolean = available.has("sm4-ecb") && available.has("sm4-cbc")

/** Sets up a cipher; the key's length must have been checked by `checkKey`. */
export const makeBlockCipherUnsafe = (cipher: Cipher, key: Uint8Array): BlockCipher => {
  if (cipher === "des") return ownDesCipher(key)
  return cipher === "sm4" && !hasOpenSslSm4 ? ownSm4Cipher(key) : openSslCipher(cipher, key)
}

/** Sets up a cipher, or `KeyInvalid`. */
export const makeBlockCipher = (cipher: Cipher, key: Uint8Array, place: string): BlockCipher | SecurityError =>
  checkKey(cipher, key, place) ?? makeBlockCipherUnsafe(cipher, key)

/** CBC encryption of whole blocks. `key` and lengths must have been checked. */
export const encryptCbcUnsafe = (cipher: Cipher, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer => {
  const engine = makeBlockCipherUnsafe(cipher, key)
  const result = Buffer.alloc(blocks.length)
  const state = Buffer.from(iv)
  for (let at = 0; at < blocks.length; at += engine.blockLength) {
    xorInto(state, blocks.subarray(at, at + engine.blockLength))
    engine.encrypt(state).copy(state)
    state.copy(result, at)
  }
  return result
}

/** CBC decryption of whole blocks. `key` and lengths must have been checked. */
export const decryptCbcUnsafe = (cipher: Cipher, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer => {
  const engine = makeBlockCipherUnsafe(cipher, key)
  const result = engine.decrypt(blocks)
  xorInto(result, iv)
  xorInto(result.subarray(engine.blockLength), blocks.subarray(0, blocks.length - engine.blockLength))
  return result
}
