import { describe, expect, it } from "vitest"
import {
  computeMac,
  explainSecurityError,
  isSecurityError,
  macAlgorithms,
  openPinBlock
} from "../../../packages/codec/src/security/index.ts"

describe("security error", () => {
  it("says what, where, which rule and what to do", () => {
    const error = computeMac(macAlgorithms["ansi-x9.19"], new Uint8Array(8), new Uint8Array(8))

    expect(isSecurityError(error) && explainSecurityError(error)).toBe(
      "KeyInvalid in makeMacKey: a DES key has 8 bytes. Check the key and the cipher in the configuration."
    )
  })

  it("sends the operator to the check values when a PIN block does not open", () => {
    const error = openPinBlock("iso2", new Uint8Array(8))

    expect(isSecurityError(error) && explainSecurityError(error)).toContain("Compare the check values of the PIN keys")
  })

  it("is told from results and from the errors of other parts", () => {
    expect(isSecurityError(Buffer.alloc(8))).toBe(false)
    expect(isSecurityError({ _tag: "TlvInvalid" })).toBe(false)
    expect(isSecurityError(undefined)).toBe(false)
  })
})
