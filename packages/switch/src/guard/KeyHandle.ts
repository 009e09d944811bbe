/** A key as everybody but the security module knows it: by its name and check value, never by its bytes. */
import type { Cipher } from "@jinka/codec"

/** What a key is for; a key has one purpose only (PCI PIN requirement 19). `kek` wraps other keys. */
export type KeyPurpose = "mac" | "pin" | "kek" | "data"

/**
 * A key as everybody but the module knows it. Make one for a key and keep it: the module sets the key up once for each object.
 */
export interface KeyHandle {
  /** `link/purpose/direction/version`; is in logs and errors. */
  readonly name: string
  readonly purpose: KeyPurpose
  /** `des` 8 bytes, `tdes` 16 or 24, `aes` 16, 24 or 32, `sm4` 16. A key of X9.19 is `tdes`, one of X9.9 `des`. */
  readonly algorithm: Cipher
  /** What the module understands, and nobody else: a key block under the module's own storage key, or a device's key text. */
  readonly text: string
  /** Upper-case hexadecimal: 3 bytes of E(key, 0); AES 5 bytes of CMAC(key, 0). Safe to show. */
  readonly checkValue: string
}
