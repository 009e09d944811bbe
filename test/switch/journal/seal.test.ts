import { createHmac } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  BlockCmac,
  Keyring,
  PAN_BLOCK_LENGTH,
  packPan,
  Seal,
  Xaes256Gcm
} from "../../../packages/switch/src/journal/Seal.ts"
import { Hmac, TagKey } from "../../../packages/switch/src/journal/Tag.ts"
import { testPan } from "./Journals.ts"

describe("sealing", () => {
  // C2SP XAES-256-GCM, the two test vectors of the specification (c2sp.org/XAES-256-GCM, "Test vectors").
  const vectors = [
    { key: 1, additional: "", sealed: "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271" },
    { key: 3, additional: "c2sp.org/XAES-256-GCM", sealed: "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d" }
  ]
  const nonce = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWX")

  it("encrypts and decrypts the vectors of XAES-256-GCM", () => {
    for (const { key, additional, sealed } of vectors) {
      const cipher = new Xaes256Gcm(Buffer.alloc(32, key))
      const out = Buffer.alloc(28)

      expect(cipher.encrypt(nonce, Buffer.from(additional), Buffer.from("XAES-256-GCM"), out, 0)).toBe(28)

      expect(out.toString("hex")).toBe(sealed)
      expect(cipher.decrypt(nonce, Buffer.from(additional), out)?.toString()).toBe("XAES-256-GCM")
    }
  })

  it("does not open what was changed in any byte, or sealed for another place", () => {
    const seal = new Seal(Buffer.alloc(32, 9))
    const place = Buffer.from("journal 1, entries 1 to 3")
    const out = Buffer.alloc(24 + 4 + 16)
    seal.nonce(out, 0)
    seal.seal(place, out.subarray(0, 24), Buffer.from("abcd"), out, 24)
    const open = (bytes: Buffer, at = place) => seal.open(at, bytes.subarray(0, 24), bytes.subarray(24))

    expect(open(out)?.toString()).toBe("abcd")

    for (let at = 0; at < out.length; at++) {
      const changed = Buffer.from(out)
      changed[at] = changed[at]! ^ 1
      expect(open(changed)).toBeUndefined()
    }
    expect(open(out, Buffer.from("journal 1, entries 4 to 6"))).toBeUndefined()
    expect(open(out.subarray(0, 30))).toBeUndefined()
  })

  it("never uses a nonce twice", () => {
    const seal = new Seal(Buffer.alloc(32, 9))
    const nonces = new Set<string>()
    const out = Buffer.alloc(24 + 16)
    for (let n = 0; n < 1000; n++) {
      seal.nonce(out, 0)
      nonces.add(out.toString("hex", 0, 24))
    }

    expect(nonces.size).toBe(1000)
  })

  it("computes the CMAC of one block as SP 800-38B does", () => {
    // NIST SP 800-38B, example for AES-256 with Mlen = 128.
    const key = Buffer.from("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "hex")
    const message = "6bc1bee22e409f96e93d7e117393172a"

    const macs = new BlockCmac(key).macs(Buffer.from(message + message, "hex"))

    expect(macs.toString("hex")).toBe("28a7023f452e8f82bd4bf28d8c37c35c".repeat(2))
  })

  it("tags with HMAC-SHA-256 behind the id of the key, and takes no changed tag", () => {
    const key = Buffer.from("4a656665", "hex")
    const text = Buffer.from("what do ya want for nothing?")
    // RFC 4231, test case 2.
    const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    const tagKey = new TagKey("01020304", key)

    const tag = tagKey.tag(text)

    expect(tag.toString("hex")).toBe(`01020304${expected}`)
    expect(tagKey.fits(text, tag)).toBe(true)

    for (const at of [0, 4, 35]) {
      const changed = Buffer.from(tag)
      changed[at] = changed[at]! ^ 1
      expect(tagKey.fits(text, changed)).toBe(false)
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.uint8Array({ maxLength: 500 }), (any, long) => {
        const out = Buffer.alloc(32)
        new Hmac(any).into(long, out, 0)
        expect(out).toEqual(createHmac("sha256", any).update(long).digest())
      })
    )
  })

  it("packs every PAN into a block of its own", () => {
    const pan = fc.stringMatching(/^\d{1,19}$/)
    const blockOf = (digits: string) => {
      const block = Buffer.alloc(PAN_BLOCK_LENGTH)
      packPan(Buffer.from(digits), 0, digits.length, block, 0)
      return block.toString("hex")
    }

    expect(blockOf("12345")).toBe("0512345fffffffffffffffffffffffff")
    fc.assert(
      fc.property(pan, pan, (one, other) => {
        expect(blockOf(one) === blockOf(other)).toBe(one === other)
      })
    )
  })

  it("gives other search keys, and another key id, under another key", () => {
    const [one, other] = [new Seal(Buffer.alloc(32, 1)), new Seal(Buffer.alloc(32, 2))]

    expect(one.panKey(testPan)).toBe(new Seal(Buffer.alloc(32, 1)).panKey(testPan))
    expect(one.panKey(testPan)).not.toBe(other.panKey(testPan))
    expect(one.keyId).toMatch(/^[0-9a-f]{8}$/)
    expect(one.keyId).not.toBe(other.keyId)
    expect(new Keyring([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]).byId(other.keyId)?.keyId).toBe(other.keyId)
    expect(() => new Seal(Buffer.alloc(16))).toThrow(/32 bytes/)
  })
})
