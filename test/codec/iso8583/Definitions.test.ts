/** Definitions that make no sense are refused when the codec is made, and wild values from programs and JSON are plain errors. */
import {
  checkDialect,
  compile,
  cups,
  type Dialect,
  derive,
  explain,
  type HeaderPart,
  headerErrors,
  interpret,
  isMessageError,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  type Message,
  MessageIndex,
  messageFromJson,
  PatchList,
  type Structure,
  unionPayPos
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { decoded, encoded } from "./plain.ts"

const codec = compile(cups)

describe("A dialect that makes no sense", () => {
  const made = (base: Dialect, changes: object) => () => compile(derive(base, { name: "x", ...changes }))

  it("is refused for a filling that is no nibble and a third bitmap without a second", () => {
    expect(made(iso8583v1987Bcd, { fields: { 2: { fill: 99 } } })).toThrow(new TypeError("field 2: fill must be 0..15"))
    for (const secondary of ["fixed", "never"])
      expect(made(iso8583v1987AsciiRaw, { bitmap: { encoding: "binary", secondary, tertiary: true } })).toThrow(
        TypeError
      )
  })

  it("is refused for a header whose parts make no sense, in words that name the part", () => {
    const text = { name: "a", bytes: 2, form: "text" } as const
    const wrong: ReadonlyArray<readonly [ReadonlyArray<HeaderPart>, string]> = [
      [[], "a header has at least one part"],
      [[{ ...text, name: "" }], "a part has no name"],
      [[{ ...text, bytes: 0 }], "part a: 1 to 255 bytes are expected"],
      [[{ ...text, bytes: 5, form: "binary" }], "part a: an integer has at most 4 bytes"],
      [[{ ...text, value: "ABC" }], "part a: its value has no room in 2 bytes"],
      [[{ ...text, value: "\u91d1" }], "part a: its value has a character that takes more than one byte"],
      [[{ ...text, form: "digits", value: "1A" }], "part a: its value has something else than the digits 0-9"],
      [[{ ...text, form: "binary", bytes: 1, value: "256" }], "part a: its value has no room in 1 byte"],
      [[{ ...text, form: "binary", bytes: 4, value: "99999999999" }], "part a: its value has no room in 4 bytes"],
      [
        [{ ...text, value: "AB", fixed: true, reject: true }],
        "part a: a reject has another value there, so it is not `fixed`"
      ],
      [[{ ...text, form: "hex", value: "112" }], "part a: its value is 4 hex digits, for 2 bytes"],
      [[{ ...text, fixed: true }], "part a needs a value"],
      [[{ ...text, reject: true }], "part a needs a value"],
      [[text, text], "there are two parts a"],
      [[{ ...text, length: "all" }], "part a: a length is digits, bcd or binary"],
      [[{ ...text, form: "digits", length: "all", value: "01" }], "part a: a length has no value of its own"],
      [[{ ...text, answer: "b" }], "part a: there is no part b to answer with"],
      [
        [
          { ...text, answer: "b" },
          { ...text, name: "b", bytes: 3 }
        ],
        "part a cannot answer with b: their sizes or forms differ"
      ],
      [[{ ...text, form: "hex", address: "source" }], "part a: an address is text, digits or bcd"],
      [
        [
          { ...text, address: "source" },
          { ...text, name: "b", address: "source" }
        ],
        "parts a and b are both the source"
      ]
    ]

    expect(made(cups, { header: { name: "h", parts: [text] } })).not.toThrow()
    for (const [parts, says] of wrong) {
      expect(headerErrors({ name: "h", parts })).toContain(says)
      expect(made(cups, { header: { name: "h", parts } })).toThrow(TypeError)
    }
  })

  it("is refused in words that say what a structure lacks, however deep it is", () => {
    const rules = (structure: string) =>
      checkDialect(`name: x\nextends: cups\nfields: { 60: { structure: ${structure} } }\n`).errors.map(
        ({ rule }) => rule
      )
    expect(rules("{ style: positional }")).toEqual(["the style positional needs parts"])
    expect(rules("{ style: bitmap, bytes: 8, encoding: hex }")).toEqual(["the style bitmap needs parts"])
    expect(rules("{ style: tag-fixed, tagLength: 2 }")).toEqual(["the style tag-fixed needs tags"])
    expect(rules("{ style: bitmap, bytes: 8, encoding: hex, parts: { 1: { name: x, format: q9 } } }")).toEqual([
      "private bitmap, field 1: format expected, like n6, n..19, ans...999, b8 or x+n8"
    ])

    let deep: Structure = { style: "positional", parts: [{ name: "x" }] }
    for (let level = 0; level < 20_000; level++) deep = { style: "positional", parts: [{ name: "x", structure: deep }] }
    expect(checkDialect({ name: "x", extends: "cups", fields: { 60: { structure: deep } } }).errors).toEqual([
      { _tag: "DialectInvalid", path: "fields.60", rule: "structures are inside each other more than 16 deep" }
    ])
  })
})

describe("A field of no length", () => {
  it("is read by generated code too", () => {
    for (const base of [iso8583v1987AsciiRaw, iso8583v1987Bcd]) {
      const fields = { 3: { format: "n0" }, 41: { format: "ans0" } }
      const both = [interpret, compile].map((make) => make(derive(base, { name: "x", fields })))
      for (const by of both)
        for (let turn = 0; turn < 6; turn++)
          expect(decoded(by, encoded(by, { mti: "0200", fields: { 3: "", 11: "1", 41: "" } })).fields[11]).toBe(
            "000001"
          )
    }
  })
})

describe("A value that no type would allow", () => {
  it("is an error of its field", () => {
    const type = (de: number) => ({ _tag: "FieldInvalid", de, offset: -1, rule: "type" })
    for (const by of [codec, interpret(cups)]) {
      for (const value of [null, 5, [1, 2, 3, 4, 5, 6, 7, 8], { length: 8 }]) {
        for (const de of [11, 52]) {
          const message = { mti: "0200", fields: { [de]: value } } as unknown as Message
          expect(by.encode(message)).toEqual(type(de))
        }
      }
    }
  })

  it("is an error of its header part where Latin-1 has no such character", () => {
    const patches = new PatchList()
    patches.header("source", "\u4e2d\u6587")
    expect(codec.checkPatches(patches)).toEqual({ _tag: "HeaderInvalid", part: "source", offset: 17, rule: "length" })
  })
})

describe("JSON of a message", () => {
  it("names a field by its number and in no other way", () => {
    for (const key of ["1e1", "0x0b", " 3", "03", "3.0", "abc", ""]) {
      const wrong = messageFromJson(codec, { mti: "0200", fields: { [key]: "000000" } })
      expect(wrong).toEqual({ _tag: "FieldUnknown", de: 0, offset: -1 })
      expect(isMessageError(wrong) && explain(wrong)).toBe("field 0 is not defined in this dialect")
    }
    expect(messageFromJson(codec, { mti: "0200", header: { constructor: "1" } })).toMatchObject({ part: "constructor" })
  })

  it("with parts inside each other without end is refused, not a full stack", () => {
    let part: object = { part: "AA", value: "1" }
    for (let level = 0; level < 100_000; level++) part = { part: "AA", parts: [part] }
    const wrong = messageFromJson(codec, { mti: "0200", fields: { 48: [part] } })
    expect(wrong).toEqual({ _tag: "FieldInvalid", de: 48, offset: -1, rule: "parts" })
  })

  it("takes the hex of an odd number of packed digits", () => {
    const fields = { 22: { hex: "0710" }, 23: { hex: "0001" } }
    expect(messageFromJson(compile(unionPayPos), { mti: "0200", fields })).toMatchObject({
      fields: { 22: "071", 23: "001" }
    })

    const signed = compile(derive(iso8583v1987Bcd, { name: "x", fields: { 28: { format: "x+n..8" } } }))
    expect(messageFromJson(signed, { mti: "0200", fields: { 28: { hex: "441234" } } })).toMatchObject({
      fields: { 28: "D1234" }
    })
  })
})

describe("A patch", () => {
  it("that takes away the third bitmap's announcement takes nothing away", () => {
    const fields = { 130: { format: "n6", name: "far" }, 65: null }
    const bitmap = { encoding: "binary", secondary: "optional", tertiary: true } as const
    const by = compile(derive(iso8583v1987AsciiRaw, { name: "x", bitmap, fields }))
    const message = encoded(by, { mti: "0200", fields: { 11: "000001", 70: "001", 130: "123456" } })
    const index = new MessageIndex()
    by.index(message, 0, message.length, index)
    const patches = new PatchList()
    for (const de of [1, 65, 193]) patches.remove(de)

    const out = Buffer.alloc(by.patchedLength(index, patches))

    expect(out.subarray(0, by.patch(index, patches, out, 0))).toEqual(message)
  })
})
