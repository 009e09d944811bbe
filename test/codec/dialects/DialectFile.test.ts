import { checkDialect, compile, type Dialect, dialects, interpret, isMessageError, readDialect } from "@jinka/codec"
import { describe, expect, it } from "vitest"

const made = (source: string | object): Dialect => {
  const dialect = readDialect(source)
  if ("_tag" in dialect) throw new Error(`${dialect.path}: ${dialect.rule}`)
  return dialect
}

describe("A dialect file", () => {
  it("puts PIN blocks into a field that can hold one", () => {
    const said = (field: number, fields = {}) =>
      checkDialect({ name: "odd", extends: "iso8583v1987Ascii", security: { pin: { field } }, fields }).errors
    for (const [field, fields] of [[4], [55, { 55: "ans...255" }], [52, { 52: "b4" }]] as const)
      expect(said(field, fields)).toMatchObject([
        { path: "security.pin.field", rule: expect.stringContaining("PIN block") }
      ])

    for (const [field, fields] of [[52], [52, { 52: "b16" }], [62, { 62: "b...100" }]] as const)
      expect(said(field, fields)).toEqual([])
  })

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

    const places: ReadonlyArray<readonly [string, object]> = [
      ["fields.60", { 60: "n30x" }],
      ["fields.8.format", { 8: { encoding: "ascii" } }],
      ["fields.70-60", { "70-60": null }],
      ["fields.3-400", { "3-400": null }],
      ["fields", { 1: { format: "b8", name: "x" } }],
      ["fields", { 129: { format: "n1", name: "x" } }],
      ["fields.52", { 52: { encoding: "gbk" } }]
    ]
    for (const [place, fields] of places) expect(error({ name: "x", extends: "cups", fields })).toBe(place)
  })
})

describe("All mistakes of a dialect file", () => {
  const paths = (source: string | object) => checkDialect(source).errors.map(({ path }) => path)

  it("are told at once, each with its place", () => {
    const file = `
extends: cups
heder: none
bitmap: { secondary: maybe }
network: { mti: "0800", codes: { signOn: 1, wakeUp: "5" } }
match: { transaction: eleven }
responseCodes: { Z9: { class: Q, name: odd } }
processingCodes: { 77: { nam: x } }
accountTypes: seven
refusal: { formatError: 30 }
fields:
  60: { lenght: 5, sensitivity: secret }
  62: { structure: { style: tagged } }
  63: { structure: { style: usage-value, tagLength: 2, tags: { AB: { nam: x } } } }
  48: { subfields: [{ name: one, length: two }] }
`

    expect(paths(file)).toEqual([
      "heder",
      "bitmap.secondary",
      "network.mti",
      "match.transaction",
      "refusal.formatError",
      "network.codes.signOn",
      "network.codes.wakeUp",
      "responseCodes.Z9.class",
      "processingCodes.77.nam",
      "processingCodes.77.name",
      "accountTypes",
      "fields.48.subfields.1.length",
      "fields.60.lenght",
      "fields.60.sensitivity",
      "fields.62.structure.style",
      "fields.63.structure.tags.AB.nam",
      "fields.63.structure.tags.AB.name",
      "name"
    ])
    expect(checkDialect(file).dialect).toBeUndefined()
  })

  it("are also what would be taken in silence, or taken for something else", () => {
    const own = "name: x\nmatch: { transaction: [11] }\n"
    const said = (source: string) => checkDialect(source).errors.map(({ path, rule }) => `${path}: ${rule}`)
    const slips: ReadonlyArray<readonly [string, string]> = [
      ["name: x\nextends: cups\n---\nfields: { 60: n6 }\n", ": the file holds more than one YAML document"],
      [`${own}fields: { 11: n6, 3: n6, "3": n4 }`, ": a key is given twice in one mapping"],
      ["name: x\n\textends: cups\n", ": a tab indents this line"],
      [`${own}fields: { 11: n6, 3: n6, "03": n4 }`, "fields.03: field 3 is also said by 3"],
      [`${own}fields: { 11: n6, 3-6: n6, 5-8: n4 }`, "fields.5-8: field 5 is also said by 3-6"],
      [`${own}fields: { 11: n6, 7: n..100 }`, "fields.7: its length prefix says 99 at most"],
      [
        `${own}fields: { 11: n6, 7: { format: ans..256, prefix: binary } }`,
        "fields.7: its length prefix says 255 at most"
      ],
      [`${own}fields: { 11: n6, 7: n0 }`, "fields.7: a length of at least 1 is expected"],
      [`${own}fields: { 11: n6, 7: ans..0 }`, "fields.7: a length of at least 1 is expected"],
      [`${own}fields: { 11: n6, 7: x+n0 }`, "fields.7: a length of at least 1 is expected"],
      [
        `${own}fields: { 11: n6, 7: { format: n6, subfields: [{ name: a, length: 2 }, { name: b, length: 5 }] } }`,
        "fields.7: its parts have 7 places, and the field 6"
      ],
      [`${own}fields: { 11: n6, 7: 6 }`, "fields.7: a format like n6 is expected"],
      [`${own}fields: !!set { 11 }`, "fields: field numbers and their definitions are expected"],
      [`name: x\nextends: cups\nresponseCodes: { 00: declined }`, "responseCodes.00: { class: D, name:"],
      [`name: x\nextends: cups\nprocessingCodes: { 77: refund }`, "processingCodes.77: { name:"],
      [`${own}version: 1993\nfields: { 11: n6 }`, "version: 0 (edition 1987), 1 (1993) or 2 (2003)"],
      ['name: "a\\e[2Jb"\nextends: cups', "name: a name is expected, of at most 64 characters"]
    ]

    for (const [source, start] of slips) expect(said(source), source).toEqual([expect.stringContaining(start)])
  })

  it("are none where a field says its own filling, a range has a field of its own, and codes are without quotes", () => {
    const { dialect, errors } = checkDialect(
      [
        "name: x\nextends: iso8583v1987Bcd\nresponseCodes: { 05: { class: D, name: No } }",
        'fields: { 60: ans...100, "60-63": ans...200, 35: { fills: [15] }, 46: { format: ans..255, prefix: binary } }'
      ].join("\n")
    )

    expect(errors).toEqual([])
    expect([dialect?.fields[60]?.format, dialect?.fields[61]?.format]).toEqual(["ans...100", "ans...200"])
    expect([dialect?.fields[35]?.fills, dialect?.responseCodes["05"]?.name]).toEqual([[15], "No"])
  })

  it("are also what YAML would only warn of, and nothing is printed", async () => {
    const printed: Array<unknown> = []
    const listen = (warning: unknown) => printed.push(warning)
    process.on("warning", listen)
    for (const doubtful of [
      "name: !odd x\nextends: cups\n",
      "name: x\nextends: cups\nfields: { &a: 1 }\n",
      "%odd\n---\nname: x\n"
    ])
      expect(paths(doubtful)).toEqual([""])
    await new Promise((resolve) => process.nextTick(resolve))
    process.off("warning", listen)

    expect(printed).toEqual([])
  })

  it("are found in what the file makes of its base, too", () => {
    expect(paths({ name: "x", extends: "cups", fields: { 11: null, 60: "q5", 48: { encoding: "bcd" } } })).toEqual([
      "fields.48",
      "fields.60",
      "match.transaction"
    ])
    expect(paths({ name: "x", extends: "cups", match: { transaction: [] } })).toEqual(["match.transaction"])
    expect(paths({ name: "x", extends: "cups", fields: { 8: "n8", 124: {} } })).toEqual(["fields.124.format"])
  })

  it("are found in a reversal that could not be told from another one, or would not find its original", () => {
    const base = { name: "x", extends: "cups" }

    expect(paths({ ...base, reversal: { renews: [7, 11, 12, 33] } })).toEqual(["reversal.renews"])
    expect(paths({ ...base, reversal: { renews: [7, 33] } })).toEqual(["reversal.renews"])
    expect(paths({ name: "x", extends: "iso8583v1993Ascii", match: { transaction: [7, 11, 32] } })).toEqual([
      "reversal.originalData.parts"
    ])
    expect(paths({ ...base, reversal: { partial: { remains: 95, original: 30 } } })).toEqual(["reversal.partial"])
    expect(paths({ ...base, reversal: { partial: { remains: 124 } } })).toEqual(["reversal.partial.remains"])
    expect(paths({ ...base, reversal: { partial: { original: 30, function: { field: 24 }, part: 1 } } })).toEqual([
      "reversal.partial.part"
    ])
    expect(paths({ ...base, reversal: { partial: null } })).toEqual([])
  })

  it("are found in a value of every reversal that does not fit its field, or hides whose reversal it is", () => {
    const base = { name: "x", extends: "cups" }
    const said = (sets: Readonly<Record<number, unknown>>) => paths({ ...base, reversal: { sets } })

    expect(said({ 25: "17" })).toEqual([])
    expect(said({ 25: 17 })).toEqual(["reversal.sets.25"])
    expect(said({ 25: "170" })).toEqual(["reversal.sets.25"])
    expect(said({ 25: "1x" })).toEqual(["reversal.sets.25"])
    expect(said({ 25: { noAnswer: "17", late: "18", undelivered: "19" } })).toEqual([])
    for (const odd of [{ noAnswer: "17", late: "18" }, { noAnswer: "17", late: "18", lost: "19" }, null, ["17"]])
      expect([odd, said({ 25: odd })]).toEqual([odd, ["reversal.sets.25"]])
    expect(said({ 25: { noAnswer: "17", late: 18, undelivered: "19" } })).toEqual(["reversal.sets.25"])
    expect(said({ 25: { noAnswer: "17", late: "18", undelivered: "190" } })).toEqual(["reversal.sets.25"])
    expect(said({ 11: "000001" })).toEqual(["reversal.sets.11"])
    expect(said({ 90: "0".repeat(42) })).toEqual(["reversal.sets.90"])
    expect(said({ 124: "1" })).toEqual(["reversal.sets"])
    expect(paths({ ...base, fields: { 95: null } })).toEqual([])
    expect(paths({ ...base, roles: { stan: 124, pan: "2" }, answers: { approved: 0, keeps: "2" } })).toEqual([
      "roles.pan",
      "answers.approved",
      "answers.keeps"
    ])
    expect(paths({ ...base, roles: { pan: 127 } })).toEqual(["roles"])
  })

  it("are none for a file that says a few members of a part: the rest stays the base's", () => {
    const { dialect, errors } = checkDialect({
      name: "x",
      extends: "cups",
      match: { transaction: [11, 41] },
      network: { codes: { echo: "300" } },
      responseCodes: { Z9: { class: "R", name: "come again" } },
      processingCodes: { "77": { name: "parking", nameZh: "停车" } },
      fields: { 62: { structure: { style: "tag-length-value", tagLength: 2, lengthDigits: 3 } } }
    })

    expect(errors).toEqual([])
    expect(dialect?.match).toEqual({ transaction: [11, 41], networkManagement: [7, 11, 70] })
    expect(dialect?.network?.codes).toMatchObject({ signOn: "001", echo: "300" })
    expect(dialect?.responseCodes).toMatchObject({ "00": { class: "S" }, Z9: { class: "R" } })
    expect(dialect?.processingCodes).toMatchObject({ "01": { name: "cash withdrawal" }, "77": { name: "parking" } })
    expect(dialect?.fields[62]?.structure).toMatchObject({ style: "tag-length-value" })
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
    message[message.length - 1]! |= 0x05

    expect(packed.decode(message)).toMatchObject({ _tag: "FieldInvalid", de: 2, rule: "fill" })

    const lenient = compile(made({ name: "lenient", extends: "unionPayPos", lenient: true }))
    expect(lenient.decode(message)).toMatchObject({ mti: "0200" })
  })
})
