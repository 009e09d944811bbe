/**
 * Working keys under a key-encryption key: drawn, wrapped and unwrapped as an exchange of the dialect has it. Test keys: they
 * are drawn from the seed. Written here independently; nothing is shared with the switch's security module.
 */
import {
  type CarriedKey,
  type Cipher,
  decryptBlocks,
  decryptCbc,
  encryptBlocks,
  encryptCbc,
  isSecurityError,
  type KeyCheckMethod,
  type KeyKind,
  keyCheckMethods,
  keyCheckValue,
  unwrapKeyBlock,
  wrapKeyBlock
} from "@jinka/codec"
import { chanceOf } from "../../chance/Chance.ts"
import type { KeyPlan } from "./KeyPlan.ts"

const isDes = (cipher: Cipher): boolean => cipher === "des" || cipher === "tdes"

/** The byte with an odd number of ones, as those of a DES key have. */
const odd = (byte: number): number => {
  let ones = 0
  for (let rest = byte >> 1; rest > 0; rest >>= 1) ones += rest & 1
  return (byte & 0xfe) | (1 - (ones & 1))
}

const hasOddParity = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === odd(byte))

const lengthOf = (cipher: Cipher): number => (cipher === "des" ? 8 : 16)

/** The key of a name, always the same one of a seed. */
export const drawnKey = (seed: number, cipher: Cipher, ...name: ReadonlyArray<string | number>): Buffer => {
  const chance = chanceOf(seed, "key", ...name)
  const bytes = Buffer.from(Array.from({ length: lengthOf(cipher) }, () => chance.below(256)))
  return isDes(cipher) ? (bytes.map(odd) as Buffer) : bytes
}

/** Some bytes of a key's check value. */
export const checkOfKey = (cipher: Cipher, key: Uint8Array, method: KeyCheckMethod): Buffer => {
  const value = keyCheckValue(cipher, key, method)
  return isSecurityError(value) ? Buffer.alloc(method.length) : value
}

/** A key as people tell it from others: three bytes of E(key, 0), or five of a CMAC. */
export const shownCheck = (cipher: Cipher, key: Uint8Array): string =>
  checkOfKey(cipher, key, cipher === "aes" ? keyCheckMethods.cmac : keyCheckMethods.legacy)
    .toString("hex")
    .toUpperCase()

const blockLength = (cipher: Cipher): number => (isDes(cipher) ? 8 : 16)

/** Usages and algorithms of key blocks (ANSI X9.143:2021, tables 6 and 7). */
const usages = { pin: "P0", data: "D0" } as const
const letters: { readonly [C in Cipher]: string } = { des: "D", tdes: "T", aes: "A", sm4: "4" }

const blockOf = ({ cipher, kek, kekCipher }: KeyPlan, kind: KeyKind, key: Buffer): Buffer | string => {
  const header = {
    version: isDes(kekCipher) ? ("B" as const) : ("D" as const),
    usage: kind === "mac" ? (isDes(cipher) ? "M3" : "M6") : usages[kind],
    algorithm: letters[cipher],
    mode: kind === "mac" ? "C" : "B",
    keyVersion: "00",
    exportability: "E",
    optionalBlocks: []
  }
  const block = wrapKeyBlock(kek, header, key, (length) => new Uint8Array(length).fill(0x5a))
  return typeof block === "string" ? Buffer.from(block, "latin1") : block.rule
}

/** The key under the key-encryption key, or why it cannot be wrapped. */
export const wrapped = (plan: KeyPlan, kind: KeyKind, key: Buffer): Buffer | string => {
  const { exchange, kek, kekCipher } = plan
  if (exchange.wrap === "tr31") return blockOf(plan, kind, key)
  const bytes =
    exchange.wrap === "ecb"
      ? encryptBlocks(kekCipher, kek, key)
      : encryptCbc(kekCipher, kek, Buffer.alloc(blockLength(kekCipher)), key)
  return isSecurityError(bytes) ? bytes.rule : bytes
}

/** What no side can take for a wrapped key: half of its parity is wrong, or its key block is not that of its MAC. */
export const corruptKey = (plan: KeyPlan, kind: KeyKind, key: Buffer): Buffer | string => {
  if (plan.exchange.wrap === "tr31") {
    const block = wrapped(plan, kind, key)
    if (typeof block === "string") return block
    const last = block.length - 1
    block[last] = block[last] === 0x30 ? 0x31 : 0x30
    return block
  }
  if (isDes(plan.cipher)) return wrapped(plan, kind, key.map((byte, at) => (at % 2 === 0 ? byte ^ 1 : byte)) as Buffer)
  const bytes = wrapped(plan, kind, key)
  return typeof bytes === "string" ? bytes : bytes.subarray(0, bytes.length / 2)
}

/** The key that a message carries, out of its wrapping; a sentence without values where it is none. */
export const unwrapped = ({ exchange, kek, kekCipher }: KeyPlan, carried: CarriedKey): Buffer | string => {
  const { bytes } = carried
  const cipher = carried.algorithm!
  const read =
    exchange.wrap === "tr31"
      ? unwrapKeyBlock(kek, bytes.toString("latin1"))
      : exchange.wrap === "ecb"
        ? decryptBlocks(kekCipher, kek, bytes)
        : decryptCbc(kekCipher, kek, Buffer.alloc(blockLength(kekCipher)), bytes)
  if (isSecurityError(read)) return `it cannot be unwrapped: ${read.rule}`
  const key = Buffer.isBuffer(read) ? read : read.key
  const right = cipher === "tdes" || cipher === "aes" ? [16, 24, 32] : [lengthOf(cipher)]
  if (!right.includes(key.length)) return `a ${cipher} key does not have ${key.length} bytes`
  if (carried.check === undefined)
    return exchange.wrap !== "tr31" && isDes(cipher) && !hasOddParity(key) ? "it has no odd parity" : key
  const { method, value } = carried.check
  const isRight = checkOfKey(cipher, key, { method, length: value.length }).equals(value)
  return isRight ? key : "its check value is another key's"
}
