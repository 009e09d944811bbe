import { createCipheriv } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Cipher,
  decryptBlocks,
  decryptCbc,
  encryptBlocks,
  encryptCbc,
  isSecurityError
} from "../../../packages/codec/src/security/index.ts"
import { bytes, hex, ok, tagOf, vectors } from "./vectors.ts"

const fixture = vectors<{
  readonly fold: ReadonlyArray<{ readonly tmk?: string; readonly encryptedTak?: string; readonly tak: string }>
}>("security-mac")

const cipherAndKey = fc
  .constantFrom<readonly [Cipher, number]>(
    ["des", 8],
    ["tdes", 16],
    ["tdes", 24],
    ["aes", 16],
    ["aes", 24],
    ["aes", 32],
    ["sm4", 16]
  )
  .chain(([cipher, length]) =>
    fc.record({ cipher: fc.constant(cipher), key: fc.uint8Array({ minLength: length, maxLength: length }) })
  )

describe("encryption of whole blocks", () => {
  it("opens a working key that came under a double-length terminal master key", () => {
    const vector = fixture.fold.find((entry) => entry.tmk !== undefined)!
    expect(hex(ok(decryptBlocks("tdes", bytes(vector.tmk!), bytes(vector.encryptedTak!))))).toBe(vector.tak)
  })

  it("gives back what was encrypted, in both modes and for every cipher", () => {
    fc.assert(
      fc.property(
        cipherAndKey,
        fc.integer({ min: 1, max: 4 }),
        fc.uint8Array({ minLength: 80, maxLength: 80 }),
        ({ cipher, key }, count, drawn) => {
          const length = cipher === "aes" || cipher === "sm4" ? 16 : 8
          const iv = drawn.subarray(64, 64 + length)
          const text = drawn.subarray(0, count * length)

          expect(hex(ok(decryptBlocks(cipher, key, ok(encryptBlocks(cipher, key, text)))))).toBe(hex(text))
          expect(hex(ok(decryptCbc(cipher, key, iv, ok(encryptCbc(cipher, key, iv, text)))))).toBe(hex(text))
        }
      )
    )
  })

  it("chains as OpenSSL does", () => {
    const key = bytes("0123456789ABCDEFFEDCBA9876543210A5A5A5A5A5A5A5A5")
    const iv = bytes("0011223344556677")
    const text = Buffer.from("sixteen bytes ++and eight", "latin1").subarray(0, 24)

    const expected = createCipheriv("des-ede3-cbc", key, iv).setAutoPadding(false).update(text)

    expect(hex(ok(encryptCbc("tdes", key, iv, text)))).toBe(hex(expected))
  })

  it("refuses parts of blocks, wrong keys and wrong initial values as errors and never throws", () => {
    expect(tagOf(encryptBlocks("des", new Uint8Array(8), new Uint8Array(7)))).toBe("InputInvalid")
    expect(tagOf(encryptBlocks("des", new Uint8Array(8), new Uint8Array(0)))).toBe("InputInvalid")
    expect(tagOf(encryptBlocks("tdes", new Uint8Array(8), new Uint8Array(8)))).toBe("KeyInvalid")
    expect(tagOf(encryptCbc("aes", new Uint8Array(16), new Uint8Array(8), new Uint8Array(16)))).toBe("InputInvalid")

    fc.assert(
      fc.property(
        fc.constantFrom<Cipher>("des", "tdes", "aes", "sm4"),
        fc.uint8Array({ maxLength: 33 }),
        fc.uint8Array({ maxLength: 17 }),
        fc.uint8Array({ maxLength: 64 }),
        (cipher, key, iv, text) => {
          for (const result of [decryptBlocks(cipher, key, text), decryptCbc(cipher, key, iv, text)]) {
            if (!isSecurityError(result)) expect(result.length).toBe(text.length)
          }
        }
      )
    )
  })
})
