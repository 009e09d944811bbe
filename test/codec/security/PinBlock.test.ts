import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  buildPinBlock,
  type Cipher,
  decryptPin,
  encryptPin,
  makePinKey,
  openPinBlock,
  type PinBlockFormat,
  type PinZone,
  translateOpaque,
  translatePin
} from "../../../packages/codec/src/security/index.ts"
import { panFieldIso4 } from "../../../packages/codec/src/security/PinBlock.ts"
import { bytes, hex, ok, scripted, seeded, tagOf, vectors } from "./vectors.ts"

interface PinVector {
  readonly format: number | string
  readonly pin?: string
  readonly pan?: string
  readonly nonce?: string
  readonly key?: string
  readonly clear?: string
  readonly clearPrefix?: string
  readonly pinField?: string
  readonly pinFieldPrefix?: string
  readonly panField?: string
  readonly cipher?: string
}

const { blocks } = vectors<{ readonly blocks: ReadonlyArray<PinVector> }>("security-pin-block")
const formatOf = (vector: PinVector): PinBlockFormat =>
  typeof vector.format === "number" ? (`iso${vector.format}` as PinBlockFormat) : "unionPayWithoutPan"
const digits = (pin: string): Buffer => Buffer.from(pin, "latin1")

describe("PIN blocks of published vectors", () => {
  for (const vector of blocks.filter((each) => each.clear !== undefined && each.format !== 1)) {
    it(`format ${vector.format}: a PIN of ${vector.pin!.length} digits is built and opened`, () => {
      const block = ok(buildPinBlock(formatOf(vector), digits(vector.pin!), vector.pan))

      expect(hex(block)).toBe(vector.clear)
      expect(ok(openPinBlock(formatOf(vector), block, vector.pan)).toString()).toBe(vector.pin)
    })
  }

  it("format 1: the fill is what was drawn (the vector's nonce is used from its last byte backwards)", () => {
    const vector = blocks.find((each) => each.format === 1)!
    const drawn = bytes(vector.nonce!).reverse()
    const block = ok(buildPinBlock("iso1", digits(vector.pin!), undefined, scripted(drawn)))

    expect(hex(block)).toBe(vector.clear)
    expect(ok(openPinBlock("iso1", block)).toString()).toBe(vector.pin)
  })

  it("format 3: the part before the fill is that of the vector and the fill is A to F", () => {
    const vector = blocks.find((each) => each.format === 3)!
    const block = ok(buildPinBlock("iso3", digits(vector.pin!), vector.pan, seeded(7)))

    expect(hex(block).startsWith(vector.clearPrefix!)).toBe(true)
    expect(ok(openPinBlock("iso3", block, vector.pan)).toString()).toBe(vector.pin)
  })

  for (const vector of blocks.filter((each) => each.format === 4)) {
    it(`format 4: PAN field of ${vector.pan!.length} digits${vector.pin === undefined ? "" : ", PIN field"}`, () => {
      expect(hex(ok(panFieldIso4(vector.pan)))).toBe(vector.panField)

      if (vector.pin === undefined) return
      const tail = bytes(vector.pinField?.slice(16) ?? "0011223344556677")
      const field = ok(buildPinBlock("iso4", digits(vector.pin), undefined, scripted(tail)))

      if (vector.pinField !== undefined) expect(hex(field)).toBe(vector.pinField)
      if (vector.pinFieldPrefix !== undefined) expect(hex(field).startsWith(vector.pinFieldPrefix)).toBe(true)
      expect(ok(openPinBlock("iso4", field)).toString()).toBe(vector.pin)
    })
  }

  it("format 4: the encrypted block binds PIN and PAN", () => {
    const vector = blocks.find((each) => each.cipher !== undefined)!
    const random = scripted(bytes(vector.pinField!.slice(16)))
    const zone: PinZone = { cipher: "aes", key: bytes(vector.key!), format: "iso4", pan: vector.pan!, random }

    const block = ok(encryptPin(zone, digits(vector.pin!)))

    expect(hex(block)).toBe(vector.cipher)
    expect(ok(decryptPin(zone, block)).toString()).toBe(vector.pin)
    expect(tagOf(decryptPin({ ...zone, pan: "1234567890123456788" }, block))).toBe("PinBlockInvalid")
  })
})

const pinOf = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 12 }).map((each) => each.join(""))
const panOf = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 19 }).map((each) => each.join(""))
const formats: ReadonlyArray<PinBlockFormat> = ["iso0", "iso1", "iso2", "iso3", "iso4", "unionPayWithoutPan"]
const formatDrawn = fc.constantFrom(...formats)

const zoneOf = (format: PinBlockFormat, material: Uint8Array, pan: string, seed: number): PinZone => {
  const cipher: Cipher = format === "iso4" ? "aes" : "tdes"
  return { cipher, key: material.subarray(0, 16), format, pan, random: seeded(seed) }
}

const key32 = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe("PIN translation", () => {
  it("keeps the PIN from any zone and format to any other", () => {
    fc.assert(
      fc.property(
        pinOf,
        panOf,
        formatDrawn,
        formatDrawn,
        key32,
        key32,
        fc.nat(),
        (pin, pan, from, to, k1, k2, seed) => {
          const source = zoneOf(from, k1, pan, seed)
          const target = zoneOf(to, k2, pan, seed + 1)

          const block = ok(encryptPin(source, digits(pin)))
          const translated = ok(translatePin(block, source, target, { mayDropPan: true }))

          expect(translated.length).toBe(to === "iso4" ? 16 : 8)
          expect(ok(decryptPin(target, translated)).toString()).toBe(pin)
        }
      ),
      { numRuns: 200 }
    )
  })

  it("refuses another PAN, and refuses to drop the PAN unless the caller says so", () => {
    const source = zoneOf("iso0", new Uint8Array(16).fill(1), "6226010562885479", 1)
    const block = ok(encryptPin(source, digits("123456")))
    const without = zoneOf("unionPayWithoutPan", new Uint8Array(16).fill(2), "6226010562885479", 1)

    expect(tagOf(translatePin(block, source, { ...source, pan: "6226010562885470" }))).toBe("InputInvalid")
    expect(tagOf(translatePin(block, source, without))).toBe("InputInvalid")
    expect(ok(translatePin(block, source, without, { mayDropPan: true })).length).toBe(8)
  })

  it("is the same with keys set up once, which go with their own cipher only", () => {
    const source = zoneOf("iso0", new Uint8Array(16).fill(1), "6226010562885479", 1)
    const target = zoneOf("iso0", new Uint8Array(16).fill(2), "6226010562885479", 1)
    const kept = ok(makePinKey("tdes", target.key as Uint8Array))
    const block = ok(encryptPin(source, digits("123456")))

    const expected = hex(ok(translatePin(block, source, target)))

    for (let i = 0; i < 3; i++) expect(hex(ok(translatePin(block, source, { ...target, key: kept })))).toBe(expected)
    expect(tagOf(translatePin(block, source, { ...target, cipher: "des", key: kept }))).toBe("KeyInvalid")
    expect(tagOf(makePinKey("tdes", new Uint8Array(8)))).toBe("KeyInvalid")
  })

  it("moves an opaque SM4 block between keys and back", () => {
    const [k1, k2] = [new Uint8Array(16).fill(3), new Uint8Array(16).fill(4)]
    const block = bytes("E069374A9BC6AB9A659912BE707F8243")
    const moved = ok(translateOpaque(block, "sm4", k1, k2))

    expect(hex(moved)).not.toBe(hex(block))
    expect(hex(ok(translateOpaque(moved, "sm4", k2, k1)))).toBe(hex(block))
    expect(tagOf(translateOpaque(block.subarray(1), "sm4", k1, k2))).toBe("InputInvalid")
  })

  it("answers a wrong key or PAN always with the same error", () => {
    const zone = zoneOf("iso0", new Uint8Array(16).fill(1), "6226010562885479", 1)
    const block = ok(encryptPin(zone, digits("1234")))
    const errors = [
      decryptPin({ ...zone, key: new Uint8Array(16).fill(9) }, block),
      decryptPin({ ...zone, pan: "6226010599985479" }, block),
      decryptPin({ ...zone, format: "iso2" }, block)
    ]

    for (const error of errors) expect(error).toEqual(errors[0])
    expect(tagOf(errors[0])).toBe("PinBlockInvalid")
  })
})

describe("PIN block errors", () => {
  it("refuse blocks whose control, length, digits or fill are not the format's", () => {
    const right = bytes("241234FFFFFFFFFF")
    expect(ok(openPinBlock("iso2", right)).toString()).toBe("1234")

    for (const wrong of [
      "141234FFFFFFFFFF",
      "23123FFFFFFFFFFF",
      "2D1234567890123F",
      "2412A4FFFFFFFFFF",
      "241234FFFFFFFFF0"
    ]) {
      expect(tagOf(openPinBlock("iso2", bytes(wrong)))).toBe("PinBlockInvalid")
    }
    expect(tagOf(openPinBlock("iso3", bytes("341234ABCDEFABC9"), "0000000000000"))).toBe("PinBlockInvalid")
    expect(tagOf(openPinBlock("iso3", bytes("341234ABCDEFABCA"), "0000000000000"))).toBe("no error")
    expect(tagOf(openPinBlock("iso4", bytes("441234AAAAAAAAAB0000000000000000")))).toBe("PinBlockInvalid")
  })

  it("name the rule for wrong PINs, PANs, missing random bytes and ciphers that do not fit", () => {
    const short = { cipher: "aes", key: new Uint8Array(16), format: "iso0", pan: "6226010562885479" } as const

    expect(tagOf(buildPinBlock("iso2", digits("123")))).toBe("PinInvalid")
    expect(tagOf(buildPinBlock("iso2", digits("1234567890123")))).toBe("PinInvalid")
    expect(tagOf(buildPinBlock("iso2", digits("12a4")))).toBe("PinInvalid")
    expect(tagOf(buildPinBlock("iso0", digits("1234")))).toBe("PanInvalid")
    expect(tagOf(buildPinBlock("iso0", digits("1234"), "12345678901234567890"))).toBe("PanInvalid")
    expect(tagOf(buildPinBlock("iso1", digits("1234")))).toBe("RandomInvalid")
    expect(tagOf(buildPinBlock("iso3", digits("1234"), "6226010562885479", () => new Uint8Array(1)))).toBe(
      "RandomInvalid"
    )
    expect(tagOf(encryptPin(short, digits("1234")))).toBe("InputInvalid")
    expect(tagOf(openPinBlock("iso0", new Uint8Array(7), "6226010562885479"))).toBe("InputInvalid")
  })

  it("never hold the PIN, the PAN or the key, and nothing is ever thrown", () => {
    fc.assert(
      fc.property(
        formatDrawn,
        fc.uint8Array({ minLength: 5, maxLength: 17 }),
        fc.string({ minLength: 5, maxLength: 20 }),
        fc.uint8Array({ minLength: 5, maxLength: 17 }),
        (format, block, pan, key) => {
          const zone: PinZone = { cipher: format === "iso4" ? "aes" : "des", key, format, pan, random: seeded(1) }
          for (const result of [decryptPin(zone, block), encryptPin(zone, block), openPinBlock(format, block, pan)]) {
            if (Buffer.isBuffer(result)) continue
            const text = JSON.stringify(result)
            expect(text).not.toContain(JSON.stringify(pan).slice(1, -1))
            expect(text.toUpperCase()).not.toContain(hex(key))
            expect(text.toUpperCase()).not.toContain(hex(block))
          }
        }
      ),
      { numRuns: 500 }
    )
  })
})
