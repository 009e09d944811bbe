import {
  amountText,
  compile,
  cups,
  dateText,
  dateTimeText,
  describe as describeMessage,
  diff,
  iso8583v1987AsciiRaw,
  iso8583v2003,
  MessageIndex,
  originalData,
  readAdditionalAmounts,
  readAmount,
  readAmount2003,
  readOriginalData,
  resolveDateTime,
  writeAdditionalAmounts,
  writeAmount,
  writeAmount2003,
  writeOriginalData,
  writeSignedAmount
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { encoded } from "../iso8583/plain.ts"

describe("Amounts", () => {
  it("are minor units of the message's currency", () => {
    expect(readAmount("000000001250", "156")).toEqual({ minor: 1250n, currency: "156" })
    expect(amountText({ minor: 1250n, currency: "156" })).toBe("12.50 CNY")
    expect(amountText({ minor: -5n, currency: "840" })).toBe("-0.05 USD")
    expect(amountText({ minor: 1250n, currency: "392" })).toBe("1250 JPY")
    expect(amountText({ minor: 1250n, currency: "KWD" })).toBe("1.250 KWD")
    expect(amountText({ minor: 12_345n, currency: "990" })).toBe("1.2345 CLF")
  })

  it("keep every digit", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 999_999_999_999n }), (minor) => {
        const text = String(minor).padStart(12, "0")
        expect(writeAmount(readAmount(text, "156")!)).toBe(text)
      })
    )

    expect(writeSignedAmount(readAmount("D00000150", "156")!)).toBe("D00000150")
    expect(writeSignedAmount(readAmount("C00000150", "156")!)).toBe("C00000150")
    expect(writeSignedAmount(readAmount("D00000000", "156")!)).toBe("D00000000")
    expect(writeSignedAmount(readAmount("C00000000", "156")!)).toBe("C00000000")
  })

  it("of the 2003 edition say their currency and exponent themselves", () => {
    const text = "1563000000001250"
    const amount = readAmount2003(text)!

    expect(amount).toEqual({ minor: 1250n, currency: "156", exponent: 3 })
    expect(amountText(amount)).toBe("1.250 CNY")
    expect(writeAmount2003(amount)).toBe(text)
    expect(writeAmount2003({ minor: 1250n, currency: "156" })).toBe("1562000000001250")
    expect(readAmount2003("000000001250")).toBeUndefined()
    expect(writeAmount2003({ minor: 1250n, currency: "CNY" })).toBeUndefined()

    const codec = compile(iso8583v2003)
    const bytes = encoded(codec, { mti: "2200", fields: { 4: text } })
    expect(bytes.subarray(-8).toString("hex")).toBe(text)
    expect(describeMessage(codec, bytes).rows.map(({ id, value }) => `${id} ${value}`)).toContain("4.2 3")
  })

  it("are refused when they are no amount or do not fit", () => {
    expect(readAmount("12.50", "156")).toBeUndefined()
    expect(readAmount("", "156")).toBeUndefined()
    expect(writeAmount({ minor: -1n, currency: "156" })).toBeUndefined()
    expect(writeAmount({ minor: 10n ** 12n, currency: "156" })).toBeUndefined()
  })
})

describe("A date without a year", () => {
  const china = 480
  const at = (text: string) => Date.parse(text)

  it("is of last year on New Year's morning when it says December, and of next year the other way round", () => {
    expect(resolveDateTime("1231235959", at("2027-01-01T00:00:05+08:00"), china)).toBe(at("2026-12-31T23:59:59+08:00"))
    expect(resolveDateTime("0101000001", at("2026-12-31T23:59:58+08:00"), china)).toBe(at("2027-01-01T00:00:01+08:00"))
    expect(resolveDateTime("1231", at("2027-01-01T12:00:00+08:00"), china)).toBe(at("2026-12-31T00:00:00+08:00"))
  })

  it("is the day of the message's own clock, not of UTC", () => {
    expect(resolveDateTime("0615003000", at("2026-06-14T16:30:00Z"), china)).toBe(at("2026-06-14T16:30:00Z"))
  })

  it("is never a day that does not exist", () => {
    expect(resolveDateTime("0229120000", at("2028-02-29T00:00:00Z"), 0)).toBe(at("2028-02-29T12:00:00Z"))
    expect(resolveDateTime("0229120000", at("2026-03-01T00:00:00Z"), 0)).toBeUndefined()
    for (const wrong of ["1301000000", "0100000000", "0101240000", "0101006000", "abcd", "", "010100000"])
      expect(resolveDateTime(wrong, at("2026-06-01T00:00:00Z"), 0)).toBeUndefined()
  })

  it("comes back to the same digits, whatever the clock says within half a year", () => {
    const instants = fc.integer({ min: at("2020-01-01T00:00:00Z") / 1000, max: at("2040-01-01T00:00:00Z") / 1000 })
    fc.assert(
      fc.property(
        instants,
        fc.integer({ min: -180, max: 180 }),
        fc.constantFrom(-720, 0, 330, 480),
        (seconds, days, offset) => {
          const instant = seconds * 1000
          const text = dateTimeText(instant, offset)
          expect(resolveDateTime(text, instant + days * 86_400_000, offset)).toBe(instant)
          expect(dateText(instant, offset)).toBe(text.slice(0, 4))
        }
      )
    )
  })
})

describe("F54", () => {
  it("is a list of balances and gives the same text again", () => {
    const text = "3001156C0000017971003002156D000004810938"
    const amounts = readAdditionalAmounts(text)!

    expect(amounts[0]).toEqual({
      accountType: "30",
      amountType: "01",
      currency: "156",
      isDebit: false,
      minor: 1797100n
    })
    expect(amounts[1]?.minor).toBe(-4810938n)
    expect(writeAdditionalAmounts(amounts)).toBe(text)

    const zero = "3002156D000000000000"
    expect(writeAdditionalAmounts(readAdditionalAmounts(zero)!)).toBe(zero)
  })

  it("is refused when it is cut", () => {
    expect(readAdditionalAmounts("3001156C00000179710")).toBeUndefined()
    expect(readAdditionalAmounts("")).toBeUndefined()
    expect(readAdditionalAmounts("3001156X000001797100")).toBeUndefined()
    expect(
      writeAdditionalAmounts([{ accountType: "3", amountType: "01", currency: "156", isDebit: false, minor: 1n }])
    ).toBeUndefined()
  })
})

describe("F90", () => {
  it("is cut into the original's fields by the dialect's recipe", () => {
    const codec = compile(cups)
    const request = encoded(codec, {
      mti: "0200",
      fields: { 7: "1123120000", 11: "000123", 32: "00010000", 33: "48020000" }
    })
    const index = new MessageIndex()

    expect(codec.index(request, 0, request.length, index)).toBeUndefined()

    const text = originalData(cups, index)!
    const fields = readOriginalData(cups, text)!
    expect(fields).toEqual({ 0: "0200", 7: "1123120000", 11: "000123", 32: "00000010000", 33: "00048020000" })
    expect(writeOriginalData(cups, fields)).toBe(text)
    expect(writeOriginalData(cups, { 0: "0200", 7: "1123120000", 11: "123", 32: "00010000", 33: "48020000" })).toBe(
      text
    )
    expect(readOriginalData(cups, "0200")).toBeUndefined()
    expect(writeOriginalData(cups, { 11: "1234567" })).toBeUndefined()
  })
})

describe("The difference of two messages", () => {
  const codec = compile(cups)
  const fields = { 2: "6224240000000009", 3: "000000", 7: "1123120000", 11: "000001", 48: "ASON0041234", 60: "0000" }
  const one = encoded(codec, { mti: "0200", fields })

  it("is nothing for the same bytes", () => {
    expect(diff({ codec, buffer: one }, { codec, buffer: one }).rows).toEqual([])
  })

  it("names fields and parts that changed, came and went", () => {
    const { 60: _, ...rest } = fields
    const other = encoded(codec, { mti: "0210", fields: { ...rest, 11: "000002", 39: "00", 48: "ASON0041235" } })
    const { rows } = diff({ codec, buffer: one }, { codec, buffer: other })

    expect(rows.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      "header.totalLength changed",
      "mti changed",
      "11 changed",
      "39 added",
      "48 changed",
      "48.AS changed",
      "48.AS.ON changed",
      "60 removed",
      "60.1 removed"
    ])
  })

  it("sees two card numbers behind one mask and shows neither", () => {
    const other = encoded(codec, { mti: "0200", fields: { ...fields, 2: "6224241000000009" } })
    const { rows } = diff({ codec, buffer: one }, { codec, buffer: other })
    expect(rows).toEqual([
      { id: "2", name: expect.any(String), kind: "changed", left: "622424******0009", right: "622424******0009" }
    ])
  })

  it("compares messages of two dialects by field", () => {
    const raw = compile(iso8583v1987AsciiRaw)
    const other = encoded(raw, { mti: "0200", fields: { ...fields, 48: "ASON0041234", 60: "0000" } })
    const ids = diff({ codec, buffer: one }, { codec: raw, buffer: other }).rows.map(({ id }) => id)

    expect(ids).not.toContain("2")
    expect(ids).toContain("header.source")
  })

  it("goes as far as a broken message can be read", () => {
    const { rows, right } = diff({ codec, buffer: one }, { codec, buffer: one.subarray(0, 60) })
    expect(right).toMatchObject({ _tag: "HeaderInvalid" })
    expect(rows.length).toBeGreaterThan(0)
  })
})
