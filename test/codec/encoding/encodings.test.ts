import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bcdLength, fromBcd, writeBcd } from "../../../packages/codec/src/encoding/Bcd.ts"
import { cp037, cp1047, fromEbcdic, writeEbcdic } from "../../../packages/codec/src/encoding/Ebcdic.ts"
import { fromGbk, gbkLength, shownGbk, writeGbk } from "../../../packages/codec/src/encoding/Gbk.ts"
import { fromHex, toHex } from "../../../packages/codec/src/encoding/Hex.ts"

describe("GBK text", () => {
  it("loses no byte, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = fromGbk(bytes, 0, bytes.length)
        expect(gbkLength(text)).toBe(bytes.length)
        const out = new Uint8Array(bytes.length)
        expect(writeGbk(text, out, 0)).toBe(bytes.length)
        expect(out).toEqual(bytes)
      }),
      { numRuns: 1000 }
    )
  })

  it("reads and writes Chinese as everybody does", () => {
    const text = "中国银联 ABC"
    const bytes = Buffer.from("D6D0B9FAD2F8C1AA20414243", "hex")
    expect(fromGbk(bytes, 0, bytes.length)).toBe(text)
    expect(gbkLength(text)).toBe(bytes.length)
  })

  it("keeps half a character that a fixed length cut off, and shows it as unreadable", () => {
    const bytes = Buffer.from("D6D0B9", "hex")
    const text = fromGbk(bytes, 0, 3)

    expect(shownGbk(text)).toBe("中\ufffd")

    const out = Buffer.alloc(3)
    writeGbk(text, out, 0)
    expect(out).toEqual(bytes)
  })

  it("says that a character has no GBK bytes", () => {
    expect(gbkLength("a\u{1F600}")).toBe(-1)
  })
})

describe("EBCDIC text", () => {
  it("is one to one with Latin-1 on both code pages", () => {
    const all = Uint8Array.from({ length: 256 }, (_, code) => code)
    for (const page of [cp037, cp1047]) {
      const text = fromEbcdic(all, 0, 256, page)
      expect(new Set(text).size).toBe(256)
      const out = new Uint8Array(256)
      expect(writeEbcdic(text, out, 0, page)).toBe(true)
      expect(out).toEqual(all)
    }
  })

  it("has the codes that hosts use", () => {
    const codes = (text: string, page = cp037) => {
      const out = new Uint8Array(text.length)
      writeEbcdic(text, out, 0, page)
      return toHex(out)
    }

    expect(codes("0800 AZaz=")).toBe("F0F8F0F040C1E981A97E")
    expect(codes("[]^", cp037)).toBe("BABBB0")
    expect(codes("[]^", cp1047)).toBe("ADBD5F")
    expect(writeEbcdic("中", new Uint8Array(1), 0, cp037)).toBe(false)
  })
})

describe("Packed digits", () => {
  it("are left or right when their number is odd", () => {
    const packed = (text: string, align: "left" | "right", fill = 0) => {
      const out = new Uint8Array(bcdLength(text.length))
      expect(writeBcd(text, out, 0, align, fill)).toBe(true)
      return toHex(out)
    }

    // F22 and F23 of UnionPay terminals.
    expect(packed("071", "left")).toBe("0710")
    expect(packed("001", "right")).toBe("0001")
    expect(packed("123", "left", 15)).toBe("123F")
    expect(packed("6225=3012", "left")).toBe("6225D30120")
    expect(fromBcd(Uint8Array.of(0x07, 0x10), 0, 3, "left")).toBe("071")
    expect(fromBcd(Uint8Array.of(0x00, 0x01), 0, 3, "right")).toBe("001")
    expect(fromBcd(Uint8Array.of(0x62, 0xd3), 0, 4, "left")).toBe("62=3")
  })

  it("refuse what has no nibble", () => {
    expect(writeBcd("12G", new Uint8Array(2), 0, "left", 0)).toBe(false)
    expect(writeBcd("1\u0130", new Uint8Array(2), 0, "left", 0)).toBe(false)
  })
})

describe("Hex text", () => {
  it("reads either case and refuses odd lengths and other characters", () => {
    expect(fromHex("00fFaB")).toEqual(Uint8Array.of(0, 255, 171))
    expect(fromHex("0")).toBeUndefined()
    expect(fromHex("0g")).toBeUndefined()
    expect(fromHex("0\u0130")).toBeUndefined()
  })
})
