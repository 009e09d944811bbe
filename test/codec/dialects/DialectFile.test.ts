import { compile, type Dialect, dialects, interpret, isMessageError, readDialect } from "@jinka/codec"
import { describe, expect, it } from "vitest"

const made = (source: string | object): Dialect => {
  const dialect = readDialect(source)
  if ("_tag" in dialect) throw new Error(`${dialect.path}: ${dialect.rule}`)
  return dialect
}

describe("A dialect file", () => {
  it("changes a shipped dialect in a few lines", () => {
    const dialect = made(`
name: our-partner
extends: cups
header: none
bitmap: { secondary: optional }
fields:
  60: ans...030
  5: null
  44: { format: ans..25, encoding: gbk, nameZh: 附加 }
  127: { format: b...999, name: Private data, sensitivity: hidden }
match: { transaction: [11, 41], networkManagement: [11] }
lenient: true
`)
    expect(dialect).toMatchObject({ name: "our-partner", lenient: true, match: { transaction: [11, 41] } })
    expect(dialect.header).toBeUndefined()
    expect(dialect.bitmap).toEqual({ encoding: "binary", secondary: "optional" })
    expect(dialect.fields[5]).toBeUndefined()
    expect(dialect.fields[60]).toMatchObject({ format: "ans...030", nameZh: "自定义域(交易附加)" })
    const codec = compile(dialect)
    const message = codec.encode({ mti: "0200", fields: { 44: "中文", 127: Buffer.from("AB") } })
    expect(isMessageError(message as object)).toBe(false)
    expect(codec.decode(message as Buffer)).toMatchObject({ fields: { 44: "中文" } })
    expect(codec.encode({ mti: "0200", fields: { 60: "1".repeat(31) } })).toMatchObject({ de: 60, rule: "length" })
  })

  it("may extend another file's dialect", () => {
    const first = made({ name: "first", extends: "iso8583v1987Ascii", fields: { 60: "ans...10" } })
    const second = readDialect({ name: "second", extends: "first", fields: { 61: "ans...10" } }, { first })
    expect(second).toMatchObject({ fields: { 60: { format: "ans...10" }, 61: { format: "ans...10" } } })
  })

  it("names the place of every mistake", () => {
    const error = (source: string | object) => {
      const result = readDialect(source)
      return "_tag" in result ? result.path : "no error"
    }
    expect(error("name: [")).toBe("")
    expect(error("just text")).toBe("")
    expect(error({ extends: "cups" })).toBe("name")
    expect(error({ name: "x" })).toBe("extends")
    expect(error({ name: "x", extends: "visa" })).toBe("extends")
    expect(error({ name: "x", extends: "cups", header: "cups47" })).toBe("header")
    expect(error({ name: "x", extends: "cups", heder: "none" })).toBe("heder")
    expect(error({ name: "x", extends: "cups", mti: "octal" })).toBe("mti")
    expect(error({ name: "x", extends: "cups", bitmap: { secondary: "maybe" } })).toBe("bitmap.secondary")
    expect(error({ name: "x", extends: "cups", encodings: { fill: 16 } })).toBe("encodings.fill")
    expect(error({ name: "x", extends: "cups", fields: { abc: "n6" } })).toBe("fields.abc")
    expect(error({ name: "x", extends: "cups", fields: { 60: { lenght: 5 } } })).toBe("fields.60.lenght")
    expect(error({ name: "x", extends: "cups", fields: { 60: { encoding: "utf8" } } })).toBe("fields.60.encoding")
    for (const fields of [
      { 60: "n30x" },
      { 8: "n8" },
      { 1: { format: "b8", name: "x" } },
      { 129: { format: "n1", name: "x" } },
      { 52: { encoding: "gbk" } }
    ])
      expect(error({ name: "x", extends: "cups", fields })).toBe("fields")
  })
})

describe("The lenient flag", () => {
  it("reads contents that break the partner's own table, but never a broken structure", () => {
    const strict = dialects["iso8583v1987AsciiRaw"]!
    for (const make of [compile, interpret]) {
      const codec = make(strict)
      const lenient = make(made({ name: "lenient", extends: "iso8583v1987AsciiRaw", lenient: true }))
      const message = codec.encode({ mti: "0200", fields: { 11: "123456", 12: "101010" } }) as Buffer
      message.write("12 45X", 12, "latin1")
      for (let turn = 0; turn < 5; turn++) {
        expect(codec.decode(message)).toMatchObject({ _tag: "FieldInvalid", de: 11, rule: "digits" })
        expect(lenient.decode(message)).toMatchObject({ fields: { 11: "12 45X", 12: "101010" } })
        expect(lenient.decode(message.subarray(0, 20))).toMatchObject({ _tag: "FieldInvalid", de: 12, rule: "short" })
      }
    }
  })

  it("reads a filling nibble that is not the dialect's", () => {
    const packed = compile(dialects["unionPayPos"]!)
    const message = packed.encode({ mti: "0200", fields: { 2: "622588123" } }) as Buffer
    message[message.length - 1]! |= 0x0f
    expect(packed.decode(message)).toMatchObject({ _tag: "FieldInvalid", de: 2, rule: "fill" })
    const lenient = compile(made({ name: "lenient", extends: "unionPayPos", lenient: true }))
    expect(lenient.decode(message)).toMatchObject({ mti: "0200" })
  })
})
