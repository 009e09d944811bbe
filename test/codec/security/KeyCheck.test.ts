import { describe, expect, it } from "vitest"
import { type Cipher, keyCheckMethods, keyCheckValue } from "../../../packages/codec/src/security/index.ts"
import { bytes, hex, ok, tagOf, vectors } from "./vectors.ts"

interface CheckVector {
  readonly algorithm: string
  readonly key?: string
  readonly kcv6?: string
  readonly kcv8?: string
  readonly kcv10?: string
}

const { values } = vectors<{ readonly values: ReadonlyArray<CheckVector> }>("security-kcv")

// The fifth entry describes the layout of POS sign-on F62 and has no key: there is nothing to compute.
describe("key check value", () => {
  for (const vector of values.filter((each) => each.key !== undefined)) {
    it(`of ${vector.algorithm}`, () => {
      const cipher = vector.algorithm.slice(0, 4).replace("-", "").toLowerCase().replace("aesc", "aes") as Cipher
      const key = bytes(vector.key!)

      if (vector.kcv6 !== undefined)
        expect(hex(ok(keyCheckValue(cipher, key, keyCheckMethods.legacy)))).toBe(vector.kcv6)
      if (vector.kcv8 !== undefined) {
        expect(hex(ok(keyCheckValue(cipher, key, keyCheckMethods.unionPay)))).toBe(vector.kcv8)
      }
      if (vector.kcv10 !== undefined)
        expect(hex(ok(keyCheckValue(cipher, key, keyCheckMethods.cmac)))).toBe(vector.kcv10)
    })
  }

  it("has 1 to 8 bytes and needs a key of the cipher's length", () => {
    expect(tagOf(keyCheckValue("tdes", new Uint8Array(16), { method: "zeros", length: 9 }))).toBe("InputInvalid")
    expect(tagOf(keyCheckValue("tdes", new Uint8Array(16), { method: "zeros", length: 0 }))).toBe("InputInvalid")
    expect(tagOf(keyCheckValue("tdes", new Uint8Array(8), keyCheckMethods.legacy))).toBe("KeyInvalid")
  })
})
