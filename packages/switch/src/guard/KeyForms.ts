/** The forms in which keys travel and rest: components, and key blocks (ANSI X9.143) with what they say about a key. Pure. */
import { type Cipher, isSecurityError, type KeyBlockHeader, unwrapKeyBlock } from "@jinka/codec"
import type { KeyPurpose } from "./KeyHandle.ts"
import { type ModuleError, moduleError } from "./ModuleError.ts"

/** X9.143:2021, 6.3.2: what each purpose is called in a key block. */
export const usageOf = (purpose: KeyPurpose, algorithm: Cipher): string => {
  switch (purpose) {
    case "mac":
      return algorithm === "des" || algorithm === "tdes" ? "M3" : "M6"
    case "pin":
      return "P0"
    case "kek":
      return "K0"
    case "data":
      return "D0"
  }
}

/** X9.143:2021, 6.3.3; SM4 has no letter there: a digit, which the standard leaves to whoever agrees on it. */
export const algorithmLetters: Record<Cipher, string> = { des: "D", tdes: "T", aes: "A", sm4: "4" }

/** The beginnings of usages that a purpose accepts from outside: `M` is any MAC. */
const usagesTaken: Record<KeyPurpose, ReadonlyArray<string>> = {
  mac: ["M"],
  pin: ["P0"],
  kek: ["K0", "K1", "51", "52"],
  data: ["D0"]
}

/** X9.143:2021, 6.3.4: modes of use that let a key do all that its purpose needs here; `N` sets no limit. */
const modesTaken: Record<KeyPurpose, ReadonlyArray<string>> = {
  mac: ["C", "N"],
  pin: ["B", "N"],
  kek: ["B", "N"],
  data: ["B", "N"]
}

/** The header of a key block of version D. */
export const headerOf = (purpose: KeyPurpose, algorithm: Cipher, exportability: "E" | "N"): KeyBlockHeader => ({
  version: "D",
  usage: usageOf(purpose, algorithm),
  algorithm: algorithmLetters[algorithm],
  mode: purpose === "mac" ? "C" : "B",
  keyVersion: "00",
  exportability,
  optionalBlocks: []
})

/** Bytes of a cipher block. */
export const blockOf = (cipher: Cipher): 8 | 16 => (cipher === "des" || cipher === "tdes" ? 8 : 16)

/** Components of one length, XORed. */
export const combined = (components: ReadonlyArray<Uint8Array>, place: string): Buffer | ModuleError => {
  const [first] = components
  if (first === undefined || components.some(({ length }) => length !== first.length)) {
    return moduleError("KeyRefused", place, "a key is made of one or more components of one length")
  }
  const key = Buffer.alloc(first.length)
  for (const component of components) for (let i = 0; i < key.length; i++) key[i]! ^= component[i]!
  return key
}

/** The key of a partner's key block, when the block says that it is for this purpose and cipher. */
export const unblocked = (
  kek: Uint8Array,
  block: Uint8Array,
  purpose: KeyPurpose,
  algorithm: Cipher,
  place: string
): Buffer | ModuleError => {
  const read = unwrapKeyBlock(kek, Buffer.from(block).toString("latin1"))
  if (isSecurityError(read)) return moduleError("KeyRefused", place, read.rule)
  const { usage, algorithm: letter, mode } = read.header
  if (!usagesTaken[purpose].some((taken) => usage.startsWith(taken))) {
    read.key.fill(0)
    return moduleError("KeyRefused", place, `the key block is for another usage than ${purpose}`)
  }
  if (!modesTaken[purpose].includes(mode)) {
    read.key.fill(0)
    return moduleError(
      "KeyRefused",
      place,
      "the key block lets the key be used one way only, and it is needed both ways"
    )
  }
  // A DES key for X9.9 may be called TDES, and the other way round: its length tells.
  const isDes = (letter === "T" || letter === "D") && (algorithm === "des" || algorithm === "tdes")
  if (!isDes && letter !== algorithmLetters[algorithm]) {
    read.key.fill(0)
    return moduleError("KeyRefused", place, `the key block is for another cipher than ${algorithm}`)
  }
  return read.key
}
