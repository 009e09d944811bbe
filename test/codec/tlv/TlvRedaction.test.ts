import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  decodeTlv,
  encodeTlv,
  isTlvInvalid,
  redactTlv,
  TLV_DEPTH_MAX,
  tlvPrimitive,
  withoutSadTlv
} from "../../../packages/codec/src/tlv/index.ts"

const redacted = (hex: string): string => {
  const copy = Buffer.from(hex, "hex")
  redactTlv(copy, 0, copy.length)
  return copy.toString("hex").toUpperCase()
}

describe("covering sensitive EMV values", () => {
  it("shows the first six and last four digits of a PAN, odd or even", () => {
    expect(redacted("5A086226010562885479")).toBe("5A086226010000005479")
    expect(redacted("5A0A6226010562885479123F")).toBe("5A0A6226010000000009123F")
  })

  it("covers a PAN that is too short, too odd or not digits completely", () => {
    expect(redacted("5A066226010562FF")).toBe("5A06000000000000")
    expect(redacted("5A0862260105628854A9")).toBe("5A080000000000000000")
    expect(redacted("5A00")).toBe("5A00")
  })

  it("covers tracks, name and expiry and leaves the cryptogram", () => {
    expect(redacted("57086226010562885479")).toBe("57080000000000000000")
    expect(redacted("5F2005574F4E472F")).toBe("5F20052A2A2A2A2A")
    expect(redacted("5F2403311231")).toBe("5F2403000000")
    expect(redacted("9F1F0431323334")).toBe("9F1F042A2A2A2A")
    expect(redacted("9F6B0462260105")).toBe("9F6B0400000000")
    expect(redacted("9F2608C20428A3FF53F0AD")).toBe("9F2608C20428A3FF53F0AD")
  })

  it("covers inside constructed values and behind long lengths, and unknown tags unless told otherwise", () => {
    expect(redacted("770D57046226010595050000000480")).toBe("770D57040000000095050000000480")
    expect(redacted("5782000462260105")).toBe("5782000400000000")
    expect(redacted("DF0102AABB")).toBe("DF01020000")

    const shown = Buffer.from("DF0102AABB570162", "hex")
    expect(redactTlv(shown, 0, shown.length, { unknown: "show" })).toBe(true)
    expect(shown.toString("hex").toUpperCase()).toBe("DF0102AABB570100")
  })

  it("covers everything from a fault on and says so", () => {
    const copy = Buffer.from("9C01005A99622601056288547957086226", "hex")

    expect(redactTlv(copy, 0, copy.length)).toBe(false)
    expect(copy.toString("hex")).toBe("9c0100".padEnd(copy.length * 2, "0"))
  })

  it("covers a constructed value that is not elements, such as text behind FF00", () => {
    expect(redacted("FF0003BAD3C49C0100")).toBe("FF00030000009C0100")
  })

  it("covers whole what lies below the levels that are looked into", () => {
    let shown = "9c0141"
    for (let i = 1; i < TLV_DEPTH_MAX; i++) shown = wrap("E0", shown)
    let covered = "9c0141"
    for (let i = 0; i < TLV_DEPTH_MAX; i++) covered = wrap("E0", covered)

    expect(redacted(shown)).toBe(shown.toUpperCase())
    expect(redacted(covered)).toBe(covered.replace("9c0141", "000000").toUpperCase())
  })

  it("changes nothing outside its region", () => {
    const copy = Buffer.from("FFFF5A0862260105628854795A", "hex")
    redactTlv(copy, 2, 12)
    expect(copy.toString("hex").toUpperCase()).toBe("FFFF5A0862260100000054795A")
  })

  it("leaves no sensitive value anywhere in random nests, keeps the length and can be done twice", () => {
    const secret = "6226010562885479"
    const leaf = fc.constantFrom("57", "9F6B", "9F20", "5F24", "DF7F", "86").map((tag) => wrap(tag, secret))
    const open = fc.constantFrom("9C0100", "950500000000" + "80", "0000")
    const { nest } = fc.letrec<{ nest: string }>((tie) => ({
      nest: fc.oneof(
        { maxDepth: 12, depthSize: "max" },
        leaf,
        open,
        fc
          .tuple(fc.constantFrom("77", "70", "E1", "BF0C", "FF21"), fc.array(tie("nest"), { maxLength: 3 }))
          .map(([tag, parts]) => wrap(tag, parts.join("")))
      )
    }))
    fc.assert(
      fc.property(fc.array(nest, { maxLength: 5 }), fc.constantFrom("", "57", "5A99"), (parts, broken) => {
        const copy = Buffer.from(parts.join("") + broken, "hex")
        const length = copy.length
        redactTlv(copy, 0, length)

        expect(copy.toString("hex")).not.toContain(secret)
        expect(isTlvInvalid(decodeTlv(copy))).toBe(false)
        const once = copy.toString("hex")
        redactTlv(copy, 0, length)
        expect(copy.toString("hex")).toBe(once)
      }),
      { numRuns: 500 }
    )
  })

  it("never throws for random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const length = bytes.length
        redactTlv(bytes, 0, length)
        expect(bytes.length).toBe(length)
      }),
      { numRuns: 2_000 }
    )
  })
})

describe("a field to be kept", () => {
  it("loses tracks, PIN and unknown tags at every level, and nothing else changes", () => {
    const kept = withoutSadTlv(Buffer.from("9C810100570462260105770F5704622601059F3602000157026226DF0101AA", "hex"))
    expect(Buffer.isBuffer(kept) && kept.toString("hex").toUpperCase()).toBe("9C81010077059F36020001")
  })

  it("keeps the same of elements whether a template is behind them or not", () => {
    const keptOf = (hex: string): string => {
      const kept = withoutSadTlv(Buffer.from(hex, "hex"))
      return isTlvInvalid(kept) ? kept.rule : kept.toString("hex")
    }
    /**
     * FF in front of a tag may read as a longer tag (FFC101), whose length by chance takes in the template behind or cuts an
     * element: then no template is behind these elements.
     */
    const isBehind = (hex: string): boolean => {
      const items = decodeTlv(Buffer.from(hex, "hex"))
      const last = isTlvInvalid(items) ? undefined : items.at(-1)
      return last?._tag === "Constructed" && last.tag === "77"
    }
    const tag = fc.constantFrom("57", "5a", "5f20", "82", "95", "9c", "9f10", "9f26", "9f36", "9f1f", "df01", "c1")
    const track = fc.constant("6226010562885479d25122011234500000")
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("hex")),
      track
    )
    const element = fc.tuple(fc.constantFrom("", "", "00", "ff", "0000"), tag, value)
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), fc.constantFrom("", "00"), (elements, end) => {
        const flat = elements.map(([padding, one, content]) => padding + wrap(one, content)).join("") + end
        fc.pre(isBehind(`${flat}7700`))
        expect(`${keptOf(flat)}7700`).toBe(keptOf(`${flat}7700`))
      })
    )
  })

  it("is refused when it cannot be read", () => {
    expect(isTlvInvalid(withoutSadTlv(Buffer.from("5799", "hex")))).toBe(true)
  })
})

/** An element in hexadecimal, with the length as short as possible. */
const wrap = (tag: string, content: string): string => {
  const built = encodeTlv([tlvPrimitive(tag, Buffer.from(content, "hex"))])
  if (isTlvInvalid(built)) throw new Error(built.rule)
  return built.toString("hex")
}
