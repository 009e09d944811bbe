import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  decodeTlv,
  emvTags,
  encodeTlv,
  explainTlvInvalid,
  findTlv,
  isTlvInvalid,
  TLV_DEPTH_MAX,
  type TlvInvalid,
  type TlvItem,
  tlvConstructed,
  tlvPrimitive
} from "../../../packages/codec/src/tlv/index.ts"

const { fields } = JSON.parse(readFileSync(new URL("../../fixtures/security-tlv.json", import.meta.url), "utf8")) as {
  readonly fields: ReadonlyArray<{ readonly name: string; readonly hex: string }>
}

const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")
const hexOf = (value: Uint8Array): string => Buffer.from(value).toString("hex").toUpperCase()
const ok = <T>(result: T | TlvInvalid): T => {
  if (isTlvInvalid(result)) throw new Error(explainTlvInvalid(result))
  return result
}
const ruleOf = (result: unknown): string => (isTlvInvalid(result) ? `${result.rule} at ${result.offset}` : "no error")

describe("BER-TLV of sample messages", () => {
  for (const field of fields) {
    it(`is read and built to the same bytes: ${field.name}`, () => {
      expect(hexOf(ok(encodeTlv(ok(decodeTlv(bytes(field.hex))))))).toBe(field.hex)
    })
  }

  it("gives the elements in their order, with tags of one and two bytes", () => {
    const items = ok(decodeTlv(bytes("9F36023788910AE9D1DC942D1F3D673030")))

    expect(items.map((item) => (item._tag === "Primitive" ? [item.tag, hexOf(item.value)] : item))).toEqual([
      ["9F36", "3788"],
      ["91", "E9D1DC942D1F3D673030"]
    ])
  })
})

describe("BER-TLV", () => {
  it("looks into constructed values and finds tags at any level", () => {
    const items = ok(decodeTlv(bytes("9A03221122720F9F18041122334486068424000008AA")))

    expect(items[1]).toMatchObject({ _tag: "Constructed", tag: "72" })
    expect(findTlv(items, "9F18")).toMatchObject({ tag: "9F18", value: bytes("11223344") })
    expect(findTlv(items, "5A")).toBeUndefined()
  })

  it("keeps lengths that are longer than necessary, padding, empty values and repeated tags", () => {
    for (const hex of [
      "9F02820006000000000100",
      "0000950400000000",
      "5A00000000",
      "8A0230308A023035",
      "5A81020102",
      "E0840000000150"
    ]) {
      expect(hexOf(ok(encodeTlv(ok(decodeTlv(bytes(hex))))))).toBe(hex)
    }
  })

  it("reads tags up to four bytes and lengths up to four bytes", () => {
    expect(ok(decodeTlv(bytes("DF81810A0101")))).toMatchObject([{ tag: "DF81810A" }])
    expect(ok(decodeTlv(bytes("5A840000000101")))).toMatchObject([{ tag: "5A", lengthBytes: 5 }])
  })

  it("skips FF in front of a known tag, also where both read as a private tag: a zero TVR, an amount, a purchase", () => {
    const shown = (hex: string) =>
      ok(decodeTlv(bytes(hex))).map((item) =>
        item._tag === "Padding"
          ? "padding"
          : item._tag === "Primitive"
            ? `${item.tag} ${Buffer.from(item.value).toString("hex")}`
            : item.tag
      )

    expect(shown("FF95050000000000")).toEqual(["padding", "95 0000000000"])
    expect(shown("FFFF9F0206000000001000")).toEqual(["padding", "9F02 000000001000"])
    expect(shown("FF9C0100")).toEqual(["padding", "9C 00"])
    expect(shown("FFC1020011")).toEqual(["padding", "C1 0011"])
    expect(shown("FFC102009C0100")).toEqual(["FFC102", "9C 00"])
    expect(shown("FF8106039C0100")).toEqual(["FF8106"])
  })

  it("keeps a constructed value that is not elements as bytes", () => {
    const items = ok(decodeTlv(bytes("FF0003BAD3C49C0100")))
    expect(items).toMatchObject([
      { _tag: "Primitive", tag: "FF00", value: bytes("BAD3C4") },
      { _tag: "Primitive", tag: "9C" }
    ])
  })

  it("names place and rule of a fault", () => {
    expect(ruleOf(decodeTlv(bytes("9C01009F")))).toBe("tag-truncated at 3")
    expect(ruleOf(decodeTlv(bytes("9C01009F26")))).toBe("length-truncated at 3")
    expect(ruleOf(decodeTlv(bytes("9C01005A82")))).toBe("length-truncated at 3")
    expect(ruleOf(decodeTlv(bytes("9C01005A0212")))).toBe("value-truncated at 3")
    expect(ruleOf(decodeTlv(bytes("5A80")))).toBe("length-indefinite at 0")
    expect(ruleOf(decodeTlv(bytes("5A850000000001")))).toBe("length-too-long at 0")
    expect(ruleOf(decodeTlv(bytes("5A84FFFFFFFF00")))).toBe("value-truncated at 0")
    expect(ruleOf(decodeTlv(bytes("DF8181810100")))).toBe("tag-too-long at 0")
    expect(ruleOf(decodeTlv(new Uint8Array(70_000)))).toBe("input-too-long at 0")
  })

  it("refuses to build what cannot be read again", () => {
    expect(ruleOf(encodeTlv([tlvPrimitive("9F", bytes("01"))]))).toBe("tag-invalid at 0")
    expect(ruleOf(encodeTlv([tlvPrimitive("9F8", bytes("01"))]))).toBe("tag-invalid at 0")
    expect(ruleOf(encodeTlv([tlvPrimitive("5A5A", bytes("01"))]))).toBe("tag-invalid at 0")
    expect(ruleOf(encodeTlv([tlvPrimitive("00", bytes("01"))]))).toBe("tag-invalid at 0")
    expect(ruleOf(encodeTlv([tlvConstructed("5A", [])]))).toBe("tag-invalid at 0")
    expect(ruleOf(encodeTlv([tlvPrimitive("5A", new Uint8Array(70_000))]))).toBe("input-too-long at 0")

    let deep: TlvItem = tlvPrimitive("5A", bytes("01"))
    for (let i = 0; i < TLV_DEPTH_MAX; i++) deep = tlvConstructed("E0", [deep])
    expect(ruleOf(encodeTlv([deep]))).toBe("too-deep at 0")
  })

  it("keeps levels below the limit as bytes, so that a nest of thousands costs no more", () => {
    let nest = Buffer.alloc(0)
    for (let i = 0; i < 3_000; i++)
      nest = Buffer.concat([bytes(nest.length < 128 ? "E0" : "E083"), lengthOf(nest.length), nest])
    const items = ok(decodeTlv(nest))

    expect(depthOf(items)).toBe(TLV_DEPTH_MAX)
    expect(ok(encodeTlv(items)).equals(nest)).toBe(true)
  })

  it("comes back from random trees", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), (items) => {
        const built = ok(encodeTlv(items))
        const again = ok(encodeTlv(ok(decodeTlv(built))))
        expect(hexOf(again)).toBe(hexOf(built))
      }),
      { numRuns: 300 }
    )
  })

  it("of random bytes never throws, and what is read is built to the same bytes", () => {
    const tagLike = fc.constantFrom(0x00, 0x5a, 0x9f, 0x26, 0xe0, 0xff, 0x81, 0x82, 0x01, 0x02, 0x03, 0x80)
    const mixed = fc.array(fc.oneof(tagLike, fc.integer({ min: 0, max: 255 })), { maxLength: 60 })
    fc.assert(
      fc.property(mixed, (list) => {
        const input = Buffer.from(list)
        const items = decodeTlv(input)
        if (isTlvInvalid(items)) expect(items.offset).toBeLessThanOrEqual(input.length)
        else expect(hexOf(ok(encodeTlv(items)))).toBe(hexOf(input))
      }),
      { numRuns: 3_000 }
    )
  })

  it("is read in time that grows with the length, whatever the bytes", () => {
    const hostile = [
      Buffer.alloc(65_000, 0xe0),
      Buffer.alloc(65_000, bytes("E000")),
      Buffer.alloc(65_000, bytes("5A00")),
      Buffer.alloc(65_000)
    ]
    const before = process.cpuUsage()
    for (const input of hostile) decodeTlv(input)

    const { user } = process.cpuUsage(before)

    expect(user).toBeLessThan(5_000_000)
  })
})

describe("EMV tags", () => {
  it("have names in both languages, one row each and lengths in order", () => {
    expect(emvTags.size).toBeGreaterThan(70)
    for (const [tag, row] of emvTags) {
      expect(tag).toMatch(/^[0-9A-F]{2,6}$/)
      expect(row.name).toMatch(/^[\x20-\x7e]+$/)
      expect(row.nameZh).toMatch(/\p{Script=Han}/u)
      expect(row.lengthMin).toBeLessThanOrEqual(row.lengthMax)
      expect(isTlvInvalid(encodeTlv([tlvPrimitive(tag, bytes(""))]))).toBe(false)
    }
  })

  it("mark tracks and PIN as never to be kept, PAN, name and expiry as never to be shown", () => {
    for (const tag of ["56", "57", "9F1F", "9F20", "9F6B", "99"]) expect(emvTags.get(tag)?.sensitivity).toBe("sad")
    for (const tag of ["5A", "5F20", "5F24", "9F0B"]) expect(emvTags.get(tag)?.sensitivity).toBe("pan")
  })

  it("cover every tag of the sample messages", () => {
    for (const field of fields.slice(0, -1)) {
      for (const entry of ok(decodeTlv(bytes(field.hex)))) {
        if (entry._tag !== "Padding") expect(emvTags.has(entry.tag), entry.tag).toBe(true)
      }
    }
  })
})

const lengthOf = (length: number): Buffer =>
  length < 128 ? Buffer.of(length) : Buffer.of((length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff)

const depthOf = (items: ReadonlyArray<TlvItem>): number =>
  Math.max(1, ...items.map((entry) => (entry._tag === "Constructed" ? 1 + depthOf(entry.children) : 1)))

const primitiveTag = fc.constantFrom("5A", "57", "9F26", "9C", "DF31", "DF8101")
const constructedTag = fc.constantFrom("E0", "72", "BF0C", "FF8102")

const { item } = fc.letrec<{ item: TlvItem }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      _tag: fc.constant("Primitive" as const),
      tag: primitiveTag,
      value: fc.uint8Array({ maxLength: 200 }),
      lengthBytes: fc.integer({ min: 1, max: 5 })
    }),
    fc.record({ _tag: fc.constant("Padding" as const), length: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      _tag: fc.constant("Constructed" as const),
      tag: constructedTag,
      children: fc.array(tie("item"), { maxLength: 4 }),
      lengthBytes: fc.integer({ min: 1, max: 5 })
    })
  )
}))
