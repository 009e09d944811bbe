/**
 * The published test LMK of HSM makers and simulators, and keys under it: variant (`U`, `T`), ECB (`X`, `Y`) and single length.
 *
 * Everybody knows this LMK, so nothing under it is a secret: it is for tests only. Source of the pairs and of the variants:
 * nickntg/thalessimulatorlibrary, whose published values test/simulator/hsm.test.ts computes again.
 */
import { decryptBlocks, encryptBlocks, isSecurityError, keyCheckValue } from "@jinka/codec"

/** Pairs by the key type whose keys they hold: 000 ZMK, 001 ZPK, 002 TMK and TPK, 003 TAK, 008 ZAK, 00A ZEK. */
const pairs: Readonly<Record<string, string>> = {
  "000": "40404040404040405151515151515151",
  "001": "61616161616161617070707070707070",
  "002": "E0E0010101010101F1F1010101010101",
  "003": "1C587F1C13924FEF0101010101010101",
  "008": "16161616161616161919191919191919",
  "00A": "23232323232323232525252525252525"
}

/** What the first byte of a pair's right half is changed by, for each part of a key of two or three parts. */
const variants: Readonly<Record<number, ReadonlyArray<number>>> = { 2: [0xa6, 0x5a], 3: [0x6a, 0xde, 0x2b] }

/** Check value of this LMK set as devices tell it, and a firmware number. */
export const testLmk = { checkValue: "0000000000000000", firmware: "1500-0023" } as const

const oddParity = (byte: number): number => {
  let ones = byte & 0xfe
  ones ^= ones >>> 4
  ones ^= ones >>> 2
  ones ^= ones >>> 1
  return (byte & 0xfe) | (~ones & 1)
}

/** The key with odd parity. */
export const withParity = (key: Uint8Array): Buffer => Buffer.from(key.map(oddParity))

/** Whether every byte has odd parity. */
export const hasParity = (key: Uint8Array): boolean => key.every((byte) => byte === oddParity(byte))

/** The whole of a codec result; the arguments here are of right lengths. */
const certain = <A>(result: A): Exclude<A, { readonly _tag: string }> => {
  if (isSecurityError(result)) throw new Error(`test LMK: ${result.rule}`)
  return result as Exclude<A, { readonly _tag: string }>
}

/** TDES or, with 8 bytes, DES over whole blocks. */
export const crypt = (how: "encrypt" | "decrypt", key: Uint8Array, blocks: Uint8Array): Buffer => {
  const cipher = key.length === 8 ? "des" : "tdes"
  return certain(how === "encrypt" ? encryptBlocks(cipher, key, blocks) : decryptBlocks(cipher, key, blocks))
}

/** A key text in parts: its scheme letter (`""`: none) and its bytes. */
export interface KeyText {
  readonly scheme: string
  readonly bytes: Buffer
  /** Characters that it takes. */
  readonly length: number
}

/** The key text that `text` begins with; `undefined`: there is none. */
export const keyTextAt = (text: string): KeyText | undefined => {
  const scheme = /^[UXTY]/.exec(text)?.[0] ?? ""
  const digits = scheme === "" ? 16 : scheme === "U" || scheme === "X" ? 32 : 48
  const hexadecimal = text.slice(scheme.length, scheme.length + digits)
  if (!/^[0-9A-F]+$/.test(hexadecimal) || hexadecimal.length < digits) return undefined
  return { scheme, bytes: Buffer.from(hexadecimal, "hex"), length: scheme.length + digits }
}

/** Each part of a key by the pair's variant for it, or the pair itself. */
const under = (how: "encrypt" | "decrypt", pair: Buffer, scheme: string, key: Uint8Array): Buffer => {
  const isVariant = scheme === "U" || scheme === "T"
  const count = key.length / 8
  const parts: Array<Buffer> = []
  for (let part = 0; part < count; part++) {
    const used = Buffer.from(pair)
    if (isVariant) used[8]! ^= variants[count]![part]!
    parts.push(crypt(how, used, key.subarray(8 * part, 8 * part + 8)))
  }
  return Buffer.concat(parts)
}

/** Keys that were opened, by type and text: opening one sets up several ciphers, and a device opens each key for each command. */
const opened = new Map<string, Buffer>()

/** Keys kept open at most, before all of them are opened again. */
const OPENED_MAX = 1000

/** The clear key of a text under the LMK; `undefined` when the type is none of this device's. */
export const clearKey = (type: string, { scheme, bytes }: KeyText): Buffer | undefined => {
  const pair = pairs[type]
  if (pair === undefined) return undefined
  const name = `${type} ${scheme} ${bytes.toString("latin1")}`
  const known = opened.get(name)
  if (known !== undefined) return known
  const clear = under("decrypt", Buffer.from(pair, "hex"), scheme, bytes)
  if (opened.size >= OPENED_MAX) opened.clear()
  opened.set(name, clear)
  return clear
}

/** The text of a clear key under the LMK. `scheme`: `U`, `X`, `T`, `Y`; `Z` or `""`: no letter. */
export const keyText = (type: string, scheme: string, key: Uint8Array): string => {
  const letter = scheme === "Z" ? "" : scheme
  return letter + under("encrypt", Buffer.from(pairs[type]!, "hex"), letter, key).toString("hex").toUpperCase()
}

/** Whether there are keys of this type. */
export const isKeyType = (type: string): boolean => type in pairs

/** Left part of E(key, 0), as hexadecimal digits. */
export const checkDigits = (key: Uint8Array, digits: 6 | 16): string =>
  certain(keyCheckValue(key.length === 8 ? "des" : "tdes", key, { method: "zeros", length: 8 }))
    .toString("hex")
    .toUpperCase()
    .slice(0, digits)
