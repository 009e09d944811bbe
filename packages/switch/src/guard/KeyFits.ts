/** Which keys are of use for a link's MACs and PIN blocks. Pure. */
import type { Cipher, MacAlgorithm, PinBlockFormat } from "@jinka/codec"
import type { GuardSettings } from "./GuardSettings.ts"
import { blockOf } from "./KeyForms.ts"
import type { KeyPurpose } from "./KeyHandle.ts"

/** Which cipher a MAC algorithm asks of its key: two DES keys in one are called TDES. */
export const macCipherOf = (algorithm: MacAlgorithm): Cipher =>
  (algorithm.method === "retail" || algorithm.method === "emac") && algorithm.cipher === "des"
    ? "tdes"
    : algorithm.cipher

/** Whether a PIN block of a format is made under keys of this cipher: the block is as long as the cipher's. */
export const isPinCipher = (format: PinBlockFormat, cipher: Cipher): boolean =>
  blockOf(cipher) === (format === "iso4" ? 16 : 8)

/** Why a key of this cipher is of no use to a link, as the end of a sentence; `undefined`: it may be used. */
export const mismatch = (
  { mac, pin }: Pick<GuardSettings, "mac" | "pin">,
  purpose: KeyPurpose,
  cipher: Cipher
): string | undefined => {
  if (purpose === "mac" && mac !== undefined && macCipherOf(mac.algorithm) !== cipher)
    return `the link's MACs are made with ${macCipherOf(mac.algorithm)} keys`
  if (purpose === "pin" && pin !== undefined && !isPinCipher(pin.format, cipher))
    return `the link's PIN blocks (${pin.format}) are not made under such keys`
  return undefined
}
