/** Key check values: a few bytes by which two sides see that they hold the same key without showing it. */
import { type Cipher, makeBlockCipher } from "./BlockCipher.ts"
import { computeMac } from "./Mac.ts"
import { isSecurityError, type SecurityError, securityError } from "./SecurityError.ts"

/**
 * `zeros`: the first bytes of E(key, one block of zeros). `cmac`: the first bytes of CMAC(key, one block of zeros), for AES
 * since ANSI X9.24-1:2017 and TR-31:2018. `length`: 1 to 8 bytes.
 */
export interface KeyCheckMethod {
  readonly method: "zeros" | "cmac"
  readonly length: number
}

/** The usual methods: `legacy` 3 bytes, `unionPay` 4 bytes (POS DE 62, CUPS DE 48), `cmac` 5 bytes. */
export const keyCheckMethods = {
  legacy: { method: "zeros", length: 3 },
  unionPay: { method: "zeros", length: 4 },
  cmac: { method: "cmac", length: 5 }
} as const satisfies Record<string, KeyCheckMethod>

/** The key's check value. It tells nothing useful about the key as long as it is not longer than the method says. */
export const keyCheckValue = (cipher: Cipher, key: Uint8Array, method: KeyCheckMethod): Buffer | SecurityError => {
  if (!Number.isInteger(method.length) || method.length < 1 || method.length > 8) {
    return securityError("InputInvalid", "keyCheckValue", "a check value has 1 to 8 bytes")
  }
  const engine = makeBlockCipher(cipher, key, "keyCheckValue")
  if (isSecurityError(engine)) return engine
  const zeros = Buffer.alloc(engine.blockLength)
  const whole = method.method === "cmac" ? computeMac({ method: "cmac", cipher }, key, zeros) : engine.encrypt(zeros)
  return isSecurityError(whole) ? whole : Buffer.from(whole.subarray(0, method.length))
}
