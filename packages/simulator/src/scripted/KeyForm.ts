/**
 * How a working key of a partner travels: under its key-encryption key, with its check value, as the exchange of the dialect
 * says; and the cipher that it is for. Pure but for the chance that draws new ones. Test keys only.
 */
import {
  type Cipher,
  decryptBlocks,
  decryptCbc,
  encryptBlocks,
  encryptCbc,
  type GivenKey,
  isSecurityError,
  keyCheckValue,
  type MacKey,
  macAlgorithms,
  makeMacKey,
  unwrapKeyBlock,
  wrapKeyBlock
} from "@jinka/codec"
import type { Chance } from "../chance/Chance.ts"
import type { DialogueKey } from "../dialogue/Keys.ts"
import { withParity } from "../hsm/TestLmk.ts"
import type { ExchangedKind, KeyPlan } from "./PartnerPlan.ts"

const isDes = (cipher: Cipher): boolean => cipher === "des" || cipher === "tdes"

const cipherNamed = (key: DialogueKey): Cipher =>
  key._tag === "mac" ? macAlgorithms[key.algorithm].cipher : key.cipher

/** The cipher of a key; DES of single length is `des`, of more `tdes`, whatever its algorithm is called. */
export const cipherOf = (key: DialogueKey): Cipher => {
  const named = cipherNamed(key)
  if (!isDes(named)) return named
  return key.bytes.length === 8 ? "des" : "tdes"
}

/** A new key for the same purpose, as long as this one. */
export const drawnLike = (key: DialogueKey, chance: Chance): Buffer => {
  const bytes = Buffer.from(Uint8Array.from(key.bytes, () => chance.below(256)))
  return isDes(cipherOf(key)) ? withParity(bytes) : bytes
}

/** What a key makes MACs of key messages with: ANSI X9.9 and X9.19 for DES of single and of double length. */
export const keyMessageMac = (key: DialogueKey): MacKey | undefined => {
  const algorithms = { des: "ansi-x9.9", tdes: "ansi-x9.19", aes: "aes-cmac", sm4: "sm4-cbc" } as const
  const made = makeMacKey(macAlgorithms[algorithms[cipherOf(key)]], key.bytes)
  return isSecurityError(made) ? undefined : made
}

const zeros = (cipher: Cipher): Buffer => Buffer.alloc(isDes(cipher) ? 8 : 16)

/** ANSI X9.143:2021, tables 6 to 8: the header of a key block of version D. */
const headerOf = (kind: ExchangedKind, cipher: Cipher) =>
  ({
    version: "D",
    usage: kind === "pin" ? "P0" : isDes(cipher) ? "M3" : "M6",
    algorithm: { des: "D", tdes: "T", aes: "A", sm4: "4" }[cipher],
    mode: kind === "mac" ? "C" : "B",
    keyVersion: "00",
    exportability: "E",
    optionalBlocks: []
  }) as const

/** A key under the key-encryption key; a text says why it cannot be. */
export const wrapped = (
  { exchange, under }: KeyPlan,
  kind: ExchangedKind,
  key: DialogueKey,
  chance: Chance
): Buffer | string => {
  const { bytes, cipher } = under
  const random = (length: number) => Uint8Array.from({ length }, () => chance.below(256))
  const result =
    exchange.wrap === "ecb"
      ? encryptBlocks(cipher, bytes, key.bytes)
      : exchange.wrap === "cbc"
        ? encryptCbc(cipher, bytes, zeros(cipher), key.bytes)
        : wrapKeyBlock(bytes, headerOf(kind, cipherOf(key)), key.bytes, random)
  if (isSecurityError(result)) return result.rule
  return typeof result === "string" ? Buffer.from(result, "latin1") : result
}

/** A key out of a message; a text says why it is none. */
export const unwrapped = ({ exchange, under }: KeyPlan, carried: Uint8Array): Buffer | string => {
  const { bytes, cipher } = under
  if (exchange.wrap === "tr31") {
    const block = unwrapKeyBlock(bytes, Buffer.from(carried).toString("latin1"))
    return isSecurityError(block) ? block.rule : block.key
  }
  const result =
    exchange.wrap === "ecb" ? decryptBlocks(cipher, bytes, carried) : decryptCbc(cipher, bytes, zeros(cipher), carried)
  return isSecurityError(result) ? result.rule : result
}

/** The check value of a key, so many bytes of it. */
export const checkValueOf = (key: DialogueKey, method: "zeros" | "cmac", length: number): Buffer => {
  const value = keyCheckValue(cipherOf(key), key.bytes, { method, length })
  return isSecurityError(value) ? Buffer.alloc(length) : value
}

/** A key as it is laid into a message; `isWrong`: with another check value than its own. */
export const asGiven = (kind: ExchangedKind, key: DialogueKey, bytes: Buffer, isWrong: boolean): GivenKey => ({
  kind,
  algorithm: cipherOf(key),
  bytes,
  check: (method, length) => {
    const value = checkValueOf(key, method, length)
    if (isWrong) value[0]! ^= 0xff
    return value
  }
})

/** What people compare: three bytes, as `jinka key list` shows them. */
export const shownCheck = (key: DialogueKey): string => checkValueOf(key, "zeros", 3).toString("hex").toUpperCase()
