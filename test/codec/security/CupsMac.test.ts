import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  CupsMacBlock,
  cleanCupsMacField,
  computeMac,
  cupsMacText,
  macAlgorithms,
  unionPayMacText
} from "../../../packages/codec/src/security/index.ts"
import { bytes, hex, ok, vectors } from "./vectors.ts"

const fixture = vectors<{
  readonly cups: ReadonlyArray<{
    readonly mab: string
    readonly keySingle: string
    readonly x99mac64: string
    readonly f128AsciiSingle: string
    readonly keyDouble: string
    readonly x919mac64: string
    readonly f128AsciiDouble: string
  }>
  readonly cupsPreprocess: ReadonlyArray<{ readonly rule: string; readonly input: string; readonly output: string }>
}>("security-mac")

describe("text under a CUPS MAC", () => {
  for (const vector of fixture.cupsPreprocess) {
    it(`${vector.rule}: "${vector.input}"`, () => {
      expect(cleanCupsMacField(vector.input)).toBe(vector.output)
    })
  }

  it("joins the fields with one space and leaves out those that become empty", () => {
    expect(cupsMacText(["0200", "###", " ab  c ", "", "12"])).toBe("0200 AB C 12")
    expect(cupsMacText(["##", "0200"])).toBe("0200")
  })

  it("deletes characters outside ASCII and does not turn them into others", () => {
    expect(cleanCupsMacField("A\u0141\u94f6B")).toBe("AB")
  })

  it("gives X9.9 and X9.19 values of F128 for a purchase", () => {
    const [vector] = fixture.cups
    const fields = ["0200", "199558990000000000001", "010000", "000000010000", "0711154841", "001171", "6011", "02"]
    const text = cupsMacText([...fields, "0899992900", "0899990000", "12345678", "123456789012345"])

    expect(text).toBe(vector!.mab)

    const single = ok(computeMac(macAlgorithms["ansi-x9.9"], bytes(vector!.keySingle), Buffer.from(text, "latin1")))
    expect(hex(single)).toBe(vector!.x99mac64)
    expect(unionPayMacText(single)).toBe(vector!.f128AsciiSingle)

    const double = ok(computeMac(macAlgorithms["ansi-x9.19"], bytes(vector!.keyDouble), Buffer.from(text, "latin1")))
    expect(hex(double)).toBe(vector!.x919mac64)
    expect(unionPayMacText(double)).toBe(vector!.f128AsciiDouble)
  })

  it("is the same from a reused block that reads the message's bytes and grows when it must", () => {
    const block = new CupsMacBlock(4)
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme-ascii", maxLength: 30 }), { maxLength: 8 }), (fields) => {
        block.clear()
        const message = Buffer.from(fields.join(""), "latin1")
        let from = 0
        for (const field of fields) {
          block.add(message, from, from + field.length)
          from += field.length
        }

        expect(block.bytes().toString("latin1")).toBe(cupsMacText(fields))
        expect(cupsMacText(fields)).toBe(reference(fields))
      })
    )
  })
})

/** The rule written the obvious way: each step on its own. */
const reference = (fields: ReadonlyArray<string>): string =>
  fields
    .map((field) =>
      field
        .toUpperCase()
        .replace(/[^A-Z0-9 ,.]/g, "")
        .replace(/ +/g, " ")
        .replace(/^ | $/g, "")
    )
    .filter((field) => field !== "")
    .join(" ")
