/**
 * What a key must be before it is taken: its length, its parity, and that it is none which others know. Pure.
 */
import { type Cipher, isSecurityError, type KeyCheckMethod, keyCheckMethods, keyCheckValue } from "@jinka/codec"
import { type ModuleError, moduleError } from "./ModuleError.ts"

/** Lengths in bytes. SM4 with 32: two keys in one, for the MACs that take two. */
const lengths: Record<Cipher, ReadonlyArray<number>> = { des: [8], tdes: [16, 24], aes: [16, 24, 32], sm4: [16, 32] }

/** The rule of a key's length, as a sentence. */
const lengthRules: Record<Cipher, string> = {
  des: "a DES key has 8 bytes",
  tdes: "a TDES key has 16 or 24 bytes",
  aes: "an AES key has 16, 24 or 32 bytes",
  sm4: "an SM4 key has 16 bytes, or 32 for the MACs that take two keys"
}

/** FIPS 74 and NIST SP 800-67: the weak and semi-weak keys of DES, which undo themselves or each other. */
const weakDes: ReadonlySet<string> = new Set([
  "0101010101010101",
  "FEFEFEFEFEFEFEFE",
  "E0E0E0E0F1F1F1F1",
  "1F1F1F1F0E0E0E0E",
  "011F011F010E010E",
  "1F011F010E010E01",
  "01E001E001F101F1",
  "E001E001F101F101",
  "01FE01FE01FE01FE",
  "FE01FE01FE01FE01",
  "1FE01FE00EF10EF1",
  "E01FE01FF10EF10E",
  "1FFE1FFE0EFE0EFE",
  "FE1FFE1FFE0EFE0E",
  "E0FEE0FEF1FEF1FE",
  "FEE0FEE0FEF1FEF1"
])

/**
 * Parts of keys that are in public documents: counting digits, the test LMK of HSM makers and simulators (the halves that are
 * not one byte eight times), RFC 4493 and FIPS 197, GB/T 32907.
 */
const published: ReadonlySet<string> = new Set([
  "0123456789ABCDEF",
  "FEDCBA9876543210",
  "1122334455667788",
  "8877665544332211",
  "7902CD1FD36EF8BA",
  "C1C1010101010101",
  "D0D0010101010101",
  "E0E0010101010101",
  "F1F1010101010101",
  "1C587F1C13924FEF",
  "0001020304050607",
  "08090A0B0C0D0E0F",
  "2B7E151628AED2A6",
  "ABF7158809CF4F3C"
])

const withOddParity = (byte: number): number => {
  let ones = byte & 0xfe
  ones ^= ones >>> 4
  ones ^= ones >>> 2
  ones ^= ones >>> 1
  return (byte & 0xfe) | (~ones & 1)
}

/** DES and TDES: the key with each byte made odd; other ciphers: as it is. Changes its argument and returns it. */
export const makeParityOdd = (algorithm: Cipher, key: Uint8Array): Uint8Array => {
  if (algorithm === "des" || algorithm === "tdes") for (let i = 0; i < key.length; i++) key[i] = withOddParity(key[i]!)
  return key
}

/** DES and TDES: whether each byte has an odd number of ones. Other ciphers have no parity. */
export const hasOddParity = (algorithm: Cipher, key: Uint8Array): boolean =>
  (algorithm !== "des" && algorithm !== "tdes") || key.every((byte) => byte === withOddParity(byte))

/** `KeyRefused` when the key's length does not fit. */
export const checkKeyLength = (algorithm: Cipher, length: number, place: string): ModuleError | undefined =>
  lengths[algorithm].includes(length) ? undefined : moduleError("KeyRefused", place, lengthRules[algorithm])

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").toUpperCase()

/**
 * `KeyRefused` for a key that protects nothing: all bytes of an 8-byte part equal, a weak or semi-weak DES key, a TDES key whose
 * parts are equal, or a part of a published test key.
 */
export const checkKeyStrength = (algorithm: Cipher, key: Uint8Array, place: string): ModuleError | undefined => {
  const isDes = algorithm === "des" || algorithm === "tdes"
  const parts: Array<string> = []
  for (let at = 0; at < key.length; at += 8) {
    const part = Uint8Array.from(key.subarray(at, at + 8))
    if (part.every((byte) => byte === part[0])) {
      return moduleError("KeyRefused", place, "the key has eight equal bytes in a row, as test keys have")
    }
    const text = hexOf(part)
    const odd = isDes ? hexOf(makeParityOdd("des", part)) : text
    if (isDes && weakDes.has(odd)) return moduleError("KeyRefused", place, "a part of the key is a weak DES key")
    if (published.has(text) || published.has(odd)) {
      return moduleError("KeyRefused", place, "the key is a published test key; allowTestKeys lets it pass in tests")
    }
    if (isDes && parts.includes(odd) && !(key.length === 24 && at === 16 && odd === parts[0])) {
      return moduleError("KeyRefused", place, "parts of the TDES key are equal, which makes it a single DES key")
    }
    parts.push(odd)
  }
  return undefined
}

/** The check value that a handle shows: 3 bytes of E(key, 0), for AES 5 bytes of CMAC(key, 0). */
export const shownCheckMethod = (algorithm: Cipher): KeyCheckMethod =>
  algorithm === "aes" ? keyCheckMethods.cmac : keyCheckMethods.legacy

/** A key's check value; of two SM4 keys in one, the first one's. */
export const checkValueOf = (
  algorithm: Cipher,
  key: Uint8Array,
  method: KeyCheckMethod,
  place: string
): Buffer | ModuleError => {
  const one = algorithm === "sm4" ? key.subarray(0, 16) : key
  const value = keyCheckValue(algorithm, one, method)
  return isSecurityError(value) ? moduleError("RequestWrong", place, value.rule) : value
}
