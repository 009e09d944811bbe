import { createCipheriv } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hasOpenSslSm4, makeBlockCipherUnsafe, ownSm4Cipher } from "../../../packages/codec/src/security/BlockCipher.ts"
import { sm4Block, sm4RoundKeys } from "../../../packages/codec/src/security/Sm4.ts"
import { bytes, hex, vectors } from "./vectors.ts"

const { sm4Block: examples } = vectors<{
  readonly sm4Block: ReadonlyArray<{ readonly key: string; readonly plaintext: string; readonly ciphertext: string }>
}>("security-mac")

const blocks = fc.integer({ min: 1, max: 6 }).chain((n) => fc.uint8Array({ minLength: 16 * n, maxLength: 16 * n }))
const key = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe("SM4", () => {
  it("encrypts and decrypts GB/T 32907 example 1 with both implementations", () => {
    const [example] = examples
    for (const engine of [ownSm4Cipher(bytes(example!.key)), makeBlockCipherUnsafe("sm4", bytes(example!.key))]) {
      expect(hex(engine.encrypt(bytes(example!.plaintext)))).toBe(example!.ciphertext)
      expect(hex(engine.decrypt(bytes(example!.ciphertext)))).toBe(example!.plaintext)
    }
  })

  it("encrypts GB/T 32907 example 2: one block a million times", () => {
    const example = examples[1]!
    const roundKeys = sm4RoundKeys(bytes(example.key))
    const block = bytes(example.plaintext)
    for (let i = 0; i < 1_000_000; i++) sm4Block(roundKeys, block, 0, block, 0)

    expect(hex(block)).toBe(example.ciphertext)
  })

  it.skipIf(!hasOpenSslSm4)("gives what OpenSSL gives, for single blocks and for chains", () => {
    fc.assert(
      fc.property(key, blocks, (material, text) => {
        const own = ownSm4Cipher(material)
        const openSsl = createCipheriv("sm4-ecb", material, null).setAutoPadding(false).update(text)
        const chained = createCipheriv("sm4-cbc", material, Buffer.alloc(16)).setAutoPadding(false).update(text)

        expect(hex(own.encrypt(text))).toBe(hex(openSsl))
        expect(hex(own.decrypt(openSsl))).toBe(hex(text))
        expect(hex(own.chain(Buffer.from(text)))).toBe(hex(chained.subarray(chained.length - 16)))
        expect(hex(makeBlockCipherUnsafe("sm4", material).chain(Buffer.from(text)))).toBe(
          hex(own.chain(Buffer.from(text)))
        )
      })
    )
  })
})
