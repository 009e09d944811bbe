/**
 * Message authentication codes over whole byte strings: CBC-MAC, EMAC, retail MAC, CMAC and the fold of UnionPay POS.
 *
 * An algorithm is data (`MacAlgorithm`), so that a link's configuration can name or spell out what the partner uses.
 * Which fields of a message are covered is not decided here (see `CupsMac.ts`).
 */
import { timingSafeEqual } from "node:crypto"
import { type BlockCipher, type Cipher, makeBlockCipher, xor, xorInto } from "./BlockCipher.ts"
import { type MacPadding, padForMac } from "./Padding.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/**
 * How a MAC is computed.
 *
 * - `cbc`: ISO/IEC 9797-1 algorithm 1, GB/T 15852.1 algorithm 1. With `des`: ANSI X9.9. With `tdes`: TDES over every
 *   block, which is not the retail MAC.
 * - `emac`: algorithm 2; the key is K1 then K2, each of the cipher's length.
 * - `retail`: algorithm 3, with `des` ANSI X9.19; the key is K1 then K2, each of the cipher's length.
 * - `cmac`: NIST SP 800-38B, RFC 4493 for AES; has its own padding.
 * - `fold`: UnionPay POS "ECB": all blocks XORed, the result as hexadecimal characters encrypted in two steps; zeros pad.
 */
export type MacAlgorithm =
  | { readonly method: "cbc" | "emac" | "retail"; readonly cipher: Cipher; readonly padding: MacPadding }
  | { readonly method: "cmac" | "fold"; readonly cipher: Cipher }

/** The algorithms by the names that configurations use. */
export const macAlgorithms = {
  "ansi-x9.9": { method: "cbc", cipher: "des", padding: 1 },
  "ansi-x9.19": { method: "retail", cipher: "des", padding: 1 },
  "tdes-cbc": { method: "cbc", cipher: "tdes", padding: 1 },
  "tdes-cmac": { method: "cmac", cipher: "tdes" },
  "aes-cmac": { method: "cmac", cipher: "aes" },
  "sm4-cbc": { method: "cbc", cipher: "sm4", padding: 2 },
  "sm4-emac": { method: "emac", cipher: "sm4", padding: 2 },
  "sm4-retail": { method: "retail", cipher: "sm4", padding: 2 },
  "unionpay-pos": { method: "fold", cipher: "des" },
  "unionpay-pos-tdes": { method: "fold", cipher: "tdes" },
  "unionpay-pos-sm4": { method: "fold", cipher: "sm4" }
} as const satisfies Record<string, MacAlgorithm>

/** A MAC algorithm with its key set up, for one link and direction. Synchronous; not for use by two threads. */
export interface MacKey {
  /** Bytes of the result: 8 or 16. */
  readonly length: 8 | 16
  /** The whole MAC of a message of any length; the message is not changed. Networks send the left part of it. */
  readonly compute: (message: Uint8Array) => Buffer
}

/** SP 800-38B, 6.1: the subkeys are multiples of E(0) in GF(2^64) or GF(2^128). */
const double = (block: Uint8Array): Buffer => {
  const result = Buffer.alloc(block.length)
  for (let i = 0; i < block.length; i++) result[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >>> 7)
  // The constant is added without a branch: the bit shifted out is a secret.
  result[block.length - 1]! ^= -(block[0]! >>> 7) & (block.length === 8 ? 0x1b : 0x87)
  return result
}

const cmacKey = (engine: BlockCipher): MacKey => {
  const { blockLength } = engine
  const wholeMask = double(engine.encrypt(Buffer.alloc(blockLength)))
  const paddedMask = double(wholeMask)
  return {
    length: blockLength,
    compute: (message) => {
      const isWhole = message.length > 0 && message.length % blockLength === 0
      const padded = padForMac(message, isWhole ? 1 : 2, blockLength)
      xorInto(padded.subarray(padded.length - blockLength), isWhole ? wholeMask : paddedMask)
      return engine.chain(padded)
    }
  }
}

/** UnionPay POS terminal rule (domain facts 1.11); the 16-byte fold of SM4 rests on one source. */
const foldKey = (engine: BlockCipher): MacKey => {
  const { blockLength } = engine
  return {
    length: blockLength,
    compute: (message) => {
      const folded = Buffer.alloc(blockLength)
      for (let i = 0; i < message.length; i++) folded[i % blockLength]! ^= message[i]!
      const characters = Buffer.from(folded.toString("hex").toUpperCase(), "latin1")
      const first = engine.encrypt(characters.subarray(0, blockLength))
      return engine.encrypt(xor(first, characters.subarray(blockLength)))
    }
  }
}

const chainedKey = (engine: BlockCipher, padding: MacPadding, finish: (chained: Buffer) => Buffer): MacKey => ({
  length: engine.blockLength,
  compute: (message) => finish(engine.chain(padForMac(message, padding, engine.blockLength)))
})

const twoKeys = (
  cipher: Cipher,
  key: Uint8Array,
  place: string
): readonly [BlockCipher, BlockCipher] | SecurityError => {
  if (key.length % 2 !== 0)
    return securityError("KeyInvalid", place, "the key is two keys of one length, one after the other")
  const left = makeBlockCipher(cipher, key.subarray(0, key.length / 2), place)
  if (isSecurityError(left)) return left
  const right = makeBlockCipher(cipher, key.subarray(key.length / 2), place)
  return isSecurityError(right) ? right : [left, right]
}

/**
 * Sets up a MAC key once, for many messages. `KeyInvalid` when the key's length does not fit: `emac` and `retail` take two
 * keys in one (X9.19: 16 bytes), the others one.
 */
export const makeMacKey = (algorithm: MacAlgorithm, key: Uint8Array): MacKey | SecurityError => {
  if (algorithm.method === "emac" || algorithm.method === "retail") {
    const engines = twoKeys(algorithm.cipher, key, "makeMacKey")
    if (isSecurityError(engines)) return engines
    const [left, right] = engines
    return algorithm.method === "emac"
      ? chainedKey(left, algorithm.padding, right.encrypt)
      : chainedKey(left, algorithm.padding, (chained) => left.encrypt(right.decrypt(chained)))
  }
  const engine = makeBlockCipher(algorithm.cipher, key, "makeMacKey")
  if (isSecurityError(engine)) return engine
  switch (algorithm.method) {
    case "cbc":
      return chainedKey(engine, algorithm.padding, (chained) => chained)
    case "cmac":
      return cmacKey(engine)
    case "fold":
      return foldKey(engine)
  }
}

/**
 * The whole MAC of one message (8 bytes for DES and TDES, 16 for AES and SM4). For a link use `makeMacKey` once: setting
 * up the key costs more than a short message.
 */
export const computeMac = (algorithm: MacAlgorithm, key: Uint8Array, message: Uint8Array): Buffer | SecurityError => {
  const made = makeMacKey(algorithm, key)
  return isSecurityError(made) ? made : made.compute(message)
}

/** The MAC as UnionPay sends it in DE 128 (centre) and DE 64 (POS): the first 4 bytes as 8 upper-case hexadecimal characters. */
export const unionPayMacText = (mac: Uint8Array): string =>
  Buffer.from(mac.buffer, mac.byteOffset, Math.min(4, mac.length)).toString("hex").toUpperCase()

/**
 * True when two MACs are equal, in a time that depends only on their lengths. An empty MAC equals nothing, so that a
 * missing field can never pass.
 */
export const equalMac = (expected: Uint8Array, received: Uint8Array): boolean =>
  expected.length > 0 && expected.length === received.length && timingSafeEqual(expected, received)
