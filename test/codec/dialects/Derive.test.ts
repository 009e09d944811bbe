/** Changes to a dialect, in a file or in a program: one rule, ranges, dialects from nothing, the standard's own names. */
import {
  checkDialect,
  compile,
  cups,
  type Dialect,
  type DialectChanges,
  derive,
  dialects,
  interpret,
  isMessageError,
  iso8583v1987Ascii,
  iso8583v1993Ascii,
  isSuccess,
  readDialect
} from "@jinka/codec"
import { describe, expect, it } from "vitest"

const made = (source: string | object): Dialect => {
  const { dialect, errors } = checkDialect(source)
  if (dialect === undefined) throw new Error(errors.map(({ path, rule }) => `${path}: ${rule}`).join("; "))
  return dialect
}

const errors = (source: string | object): ReadonlyArray<string> =>
  checkDialect(source).errors.map(({ path, rule }) => `${path}: ${rule}`)

describe("A change to a dialect", () => {
  it("means the same in a file and in a program", () => {
    const changes: ReadonlyArray<Omit<DialectChanges, "name">> = [
      { bitmap: { secondary: "optional" } },
      { match: { transaction: [11, 41] } },
      { network: { codes: { echo: "300", signOff: null } } },
      { fields: { 61: { format: "n6", structure: null }, 60: { format: "ans...010", subfields: null } } },
      { network: null },
      { reversal: null },
      { reversal: { copies: [2, 3, 4] } },
      { responseCodes: { Z9: { class: "R", name: "come again" }, "00": null } },
      { processingCodes: { "77": { name: "parking" } }, accountTypes: { "30": null } },
      { refusal: { noAnswer: "68" } },
      { encodings: { fills: [] } },
      { fields: { "65-128": null, 60: "ans...030", 8: "n8" }, network: null, reversal: null },
      { only: true, match: { transaction: [11] }, fields: { 3: {}, 11: {}, 39: "an2" }, network: null, reversal: null },
      { header: null },
      { version: 0, lenient: true, title: "another", echo: [11] }
    ]
    for (const change of changes) {
      const file = made({ name: "x", extends: "cups", ...change })
      expect(file).toEqual(derive(cups, { name: "x", ...change }))
    }
  })

  it("keeps what it does not say, takes out what it says is null, and lets the base's lists follow", () => {
    const half = made(`
name: half
extends: iso8583v1987Ascii
fields:
  65-128: null
  90: n42
reversal: null
network: null
`)
    expect(
      Object.keys(half.fields)
        .map(Number)
        .filter((de) => de > 64)
    ).toEqual([90])
    expect([half.reversal, half.network]).toEqual([undefined, undefined])
    expect(half.match).toEqual({ transaction: [7, 11, 32], networkManagement: [7, 11] })
    expect(Object.keys(half)).not.toContain("network")

    const codes = derive(cups, { name: "codes", network: { codes: { echo: null } } })
    expect(codes.network).toEqual({ ...cups.network, codes: { ...cups.network!.codes, echo: undefined } })
    expect(codes.responseCodes).toEqual(cups.responseCodes)
  })

  it("says what to write where a whole part hangs on a field that is gone", () => {
    expect(errors({ name: "x", extends: "iso8583v1987Ascii", fields: { "65-128": null } })).toEqual([
      "network.field: field 70 is named but not defined; write `network: null` when the partner has no network management",
      "reversal.originalData.field: field 90 is named but not defined; write `reversal: null` when nothing is reversed"
    ])
    expect(errors({ name: "x", extends: "cups", fields: { 32: null } })).toEqual([
      "match.transaction: field 32 is named but not defined"
    ])
  })

  it("takes the parts out that the base knows of a field, which otherwise are those of a shorter one too", () => {
    expect(errors("name: x\nextends: cups\nfields: { 61: n6 }")).toEqual([
      expect.stringContaining("write its own, or `structure: null` for none")
    ])
    const [base, own] = [
      cups.fields[61]!,
      made("name: x\nextends: cups\nfields: { 61: { format: n6, structure: null } }").fields[61]!
    ]
    expect([own.structure, own.subfields, own.format, own.sensitivity]).toEqual([
      undefined,
      undefined,
      "n6",
      base.sensitivity
    ])
    // What was shown for its parts alone is not shown without them.
    for (const [de, field] of Object.entries(cups.fields)) {
      if (field.reason === undefined || (field.structure ?? field.subfields) === undefined) continue
      const bare = made(`name: x\nextends: cups\nfields: { ${de}: { structure: null, subfields: null } }`).fields[
        Number(de)
      ]!
      expect([de, bare.sensitivity]).toEqual([de, undefined])
    }
    expect(errors("name: x\nextends: cups\nfields: { 200: null }")).toEqual([
      "fields.200: no dialect has this field: there is nothing to take out"
    ])
  })

  it("to one field goes before a range that has it, in whatever order they are", () => {
    for (const fields of [
      { "60-63": null, 61: "b...99" },
      { 61: "b...99", "60-63": null }
    ])
      expect(Object.keys(derive(cups, { name: "x", fields }).fields).filter((de) => /^6[0-3]$/.test(de))).toEqual([
        "61"
      ])
  })
})

describe("A dialect from nothing", () => {
  const table = `
name: harbour
title: Harbour Bank
match: { transaction: [11, 41] }
fields:
  2: n..19
  3: n6
  4: n12
  11: n6
  35: z..37
  39: an2
  41: ans8
  52: b8
  55: b...255
  60-62: ans...999
  127: { format: ans...50, name: Ferry }
`

  it("has the fields of its table and no others, with the standard's names and cover", () => {
    const harbour = made(table)
    expect(Object.keys(harbour.fields).map(Number)).toEqual([2, 3, 4, 11, 35, 39, 41, 52, 55, 60, 61, 62, 127])
    expect(harbour.fields[2]).toEqual({ format: "n..19", name: "Primary account number (PAN)", nameZh: "主账号" })

    const { fields } = interpret(harbour).layout
    expect([2, 3, 35, 52, 55, 62, 127].map((de) => fields[de]?.sensitivity)).toEqual([
      ...["pan", "none", "sad", "sad", "emv", "hidden", "hidden"]
    ])
    expect(harbour.fields[127]).toEqual({ format: "ans...50", name: "Ferry" })
    expect([harbour.header, harbour.network, harbour.reversal]).toEqual([undefined, undefined, undefined])
    expect([isSuccess(harbour, "00"), isSuccess(harbour, "05")]).toEqual([true, false])

    const codec = compile(harbour)
    const message = codec.encode({ mti: "0200", fields: { 2: "6224240000000005", 11: "000001", 41: "T1" } })
    expect(isMessageError(message as object)).toBe(false)
    expect(codec.decode(message as Buffer)).toMatchObject({ fields: { 11: "000001", 41: "T1      " } })
    expect(codec.encode({ mti: "0200", fields: { 12: "000000" } })).toMatchObject({ _tag: "FieldUnknown", de: 12 })
  })

  it("has the names and codes of its edition", () => {
    const later = made(`{ name: later, version: 1, match: { transaction: [11] }, fields: { 11: n6, 24: n3, 39: n3 } }`)
    expect(later.fields[24]?.name).toBe("Function code")
    expect(later.responseCodes).toEqual(iso8583v1993Ascii.responseCodes)
    expect(later.refusal.noAnswer).toBe("911")
  })

  it("needs fields and a key, and says so", () => {
    expect(errors("name: x")[0]).toMatch(/^extends: a dialect to begin from is expected .*, or `fields` of its own$/)
    expect(errors("name: x\nfields: { 11: n6 }")).toEqual([
      "match.transaction: at least one field is needed to find the request of an answer"
    ])
    expect(errors("name: x\nmatch: { transaction: [11] }\nnetwork: { mti: 800 }\nfields: { 11: n6 }")).toEqual([
      "network.field: is missing, and there is no base to take it from"
    ])
  })

  it("may also be `only` some fields of another", () => {
    const few = made(
      "name: few\nextends: iso8583v1987Ascii\nonly: true\nnetwork: null\nreversal: null\nfields: { 7: {}, 11: {}, 32: {}, 39: {} }"
    )
    expect(few.fields).toEqual(Object.fromEntries([7, 11, 32, 39].map((de) => [de, iso8583v1987Ascii.fields[de]])))
    expect(few.echo).toEqual([7, 11, 32])
  })

  it("never shows card data for want of a word: a new standard element is covered as the standard's", () => {
    for (const [name, base] of Object.entries(dialects)) {
      const bare = derive(base, {
        name: "bare",
        only: true,
        fields: {},
        network: null,
        reversal: null,
        match: { transaction: [] }
      })
      const again = readDialect(
        {
          name: "again",
          extends: "bare",
          match: { transaction: [11] },
          fields: { 2: "n..19", 11: "n6", 14: "n4", 35: "z..37", 36: "z...104", 45: "ans..76", 52: "b8", 55: "b...255" }
        },
        { bare }
      ) as Dialect
      const { fields } = interpret(again).layout
      const covers = [2, 14, 35, 36, 45, 52, 55].map((de) => fields[de]?.sensitivity)
      expect([name, ...covers]).toEqual([name, "pan", "hidden", "sad", "sad", "sad", "sad", "emv"])
    }
  })
})

describe("ISO 8583:1993 in ASCII with raw bytes", () => {
  it("ships: the same fields, bitmaps and b fields as they are", () => {
    const codec = compile(dialects["iso8583v1993AsciiRaw"]!)
    const message = codec.encode({
      mti: "1804",
      fields: { 11: "000001", 24: "831", 52: Buffer.alloc(8, 0xab) }
    }) as Buffer

    expect(message.toString("latin1", 0, 4)).toBe("1804")
    expect(message.toString("hex", 4, 12)).toBe("0020010000001000")
    expect(message.toString("hex", message.length - 8)).toBe("ab".repeat(8))
  })
})
