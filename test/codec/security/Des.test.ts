import { createCipheriv, createDecipheriv } from "node:crypto"
import { describe, expect, it } from "vitest"
import { makeBlockCipherUnsafe } from "../../../packages/codec/src/security/BlockCipher.ts"
import { bytes, hex, seeded } from "./vectors.ts"

/** OpenSSL's TDES with one key three times is DES. */
const openSsl = (key: Buffer, blocks: Buffer): Buffer =>
  createCipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null)
    .setAutoPadding(false)
    .update(blocks)

const openSslBack = (key: Buffer, blocks: Buffer): Buffer =>
  createDecipheriv("des-ede3-ecb", Buffer.concat([key, key, key]), null)
    .setAutoPadding(false)
    .update(blocks)

describe("DES", () => {
  it("gives FIPS 81's first example", () => {
    const cipher = makeBlockCipherUnsafe("des", bytes("0123456789ABCDEF"))

    expect(hex(cipher.encrypt(bytes("4E6F772069732074")))).toBe("3FA40E8A984D4815")
  })

  it("agrees with OpenSSL over two thousand keys and blocks", () => {
    const draw = seeded(20261127)
    for (let n = 0; n < 2000; n++) {
      const key = Buffer.from(draw(8))
      const blocks = Buffer.from(draw(24))
      const cipher = makeBlockCipherUnsafe("des", key)

      const encrypted = cipher.encrypt(blocks)

      expect(hex(encrypted)).toBe(hex(openSsl(key, blocks)))
      expect(hex(cipher.decrypt(blocks))).toBe(hex(openSslBack(key, blocks)))
      expect(hex(cipher.decrypt(encrypted))).toBe(hex(blocks))
    }
  })

  it("chains blocks as CBC from zeros, again and again", () => {
    const draw = seeded(7)
    const key = Buffer.from(draw(8))
    const cipher = makeBlockCipherUnsafe("des", key)
    for (const length of [8, 16, 120]) {
      const blocks = Buffer.from(draw(length))
      const whole = createCipheriv("des-ede3-cbc", Buffer.concat([key, key, key]), Buffer.alloc(8))
        .setAutoPadding(false)
        .update(blocks)

      expect(hex(cipher.chain(Buffer.from(blocks)))).toBe(hex(whole.subarray(length - 8)))
    }
  })
})
