import {
  compile,
  cups,
  type Dialect,
  derive,
  describe as describeMessage,
  isMessageError,
  iso8583v1987AsciiRaw,
  type MessageJson,
  messageFromJson,
  messageToJson,
  type Structure,
  unionPayPos
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-messages.json" with { type: "json" }
import { bytes, decoded, encoded } from "./plain.ts"

const cupsBare = derive(cups, { name: "cupsBare", header: null })

const rowsOf = (dialect: Dialect, fields: { [de: number]: string | Uint8Array }, reveal = false) => {
  const codec = compile(dialect)
  const { rows, error } = describeMessage(codec, encoded(codec, { mti: "0200", fields }), { reveal })
  expect(error).toBeUndefined()
  return Object.fromEntries(rows.map(({ id, value }) => [id, value]))
}

const withStructure = (structure: Structure, format = "ansb...999"): Dialect =>
  derive(iso8583v1987AsciiRaw, { name: "structured", fields: { 60: { format, structure } } })

/** Lets a part be seen. */
const open = { sensitivity: "none", reason: "a test" } as const

/** The value of a field of the structure, written from parts that were read from it. */
const again = (dialect: Dialect, value: string | Uint8Array, de = 60) => {
  const codec = compile(dialect)
  const message = decoded(codec, encoded(codec, { mti: "0200", fields: { [de]: value } }))
  const json = messageToJson(message, { reveal: true, parts: codec })
  const read = messageFromJson(codec, JSON.parse(JSON.stringify(json)))
  if (isMessageError(read)) throw new Error(JSON.stringify(read))
  expect(encoded(codec, read)).toEqual(encoded(codec, { mti: "0200", fields: { [de]: value } }))
  return json.fields[String(de)]
}

describe("The parts of CUPS fields", () => {
  it("F48 names the usage of a list and covers what may be a cardholder's", () => {
    const rows = rowsOf(cups, { 48: "ASON0041234AA005HELLO" })
    expect(rows["48"]).toBe("*".repeat(21))
    expect(rows["48.AS.ON"]).toBe("1234")
    expect(rows["48.AS.AA"]).toBe("*****")

    const unknown = rowsOf(cups, { 48: "6224240000000005" })
    expect(Object.keys(unknown).filter((id) => id.startsWith("48"))).toEqual(["48", "48.**"])
    expect(rowsOf(cups, { 48: "BC00192348123456789012" })["48.BC.2"]).toBe("9")
  })

  it("F48 never shows a new key", () => {
    const rows = rowsOf(cups, { 48: "NK0123456789ABCDEF" })
    expect(rows["48.NK"]).toBe("*".repeat(16))
  })

  it("F60 has its parts down to the MAC algorithm flag in 60.11", () => {
    const rows = rowsOf(cups, { 60: "000005000100000000004021002000" })
    expect(rows["60.6"]).toBe("01")
    expect(rows["60.11.1"]).toBe("00")
    expect(rows["60.11.3"]).toBe("004")
  })

  it("F61 and F63 stay wholly covered and show parts only when revealed", () => {
    const value = fixture.messages.find(({ name }) => name.endsWith("test08"))?.decode as unknown as Record<
      string,
      { hex: string }
    >
    const codec = compile(cups)
    const message = encoded(codec, {
      mti: "0200",
      fields: { 61: Buffer.from(value["61"]!.hex, "hex").toString("latin1") }
    })

    expect(describeMessage(codec, message).rows.filter(({ id }) => id.startsWith("61"))).toHaveLength(1)

    const revealed = describeMessage(codec, message, { reveal: true }).rows
    expect(revealed.find(({ id }) => id === "61.5")?.value).toBe("CUP")
    expect(revealed.find(({ id }) => id === "61.10.AM.1")?.value).toBe("0010000110000000")
  })

  it("F62 lists what it repeats of the original, F59 and F57 their usages", () => {
    const rows = rowsOf(cups, {
      57: `AB${"I".repeat(20)}${"C".repeat(20)}`,
      59: "QD001202601012026013 ",
      62: "IOT00200T11000123"
    })

    expect(rows["62.IO.T00"]).toBe("200")
    expect(rows["62.IO.T11"]).toBe("000123")
    expect(rows["57.AB.2"]).toBe("*".repeat(20))
    expect(rows["59.QD.2"]).toBe("20260101")
  })

  it("F56, F104 and F122 are read by usage and by place", () => {
    const rows = rowsOf(cups, { 56: "PR00401AB", 104: "TK003abc", 122: "000100ACQUIRER" })
    expect(rows["56.PR"]).toBe("****")
    expect(rows["104.**"]).toBe("***")
    expect([rows["122.1"], rows["122.2"]]).toEqual(["000100", "********"])
  })

  it("a field that does not follow its structure is covered whole and refuses no message", () => {
    const rows = rowsOf(cups, { 62: "IOX99123" })
    expect(rows["62"]).toBe("********")
    expect(rowsOf(cups, { 62: "IOX99123" }, true)["62"]).toBe("IOX99123")
    expect(Object.keys(rows).filter((id) => id.startsWith("62.IO."))).toEqual([])
  })

  it("all public messages say the same in parts as they said in bytes", () => {
    for (const { interface: kind, hex } of fixture.messages) {
      const bare = kind === "CUPS centre, no length and no header"
      if (!(bare || kind.includes("no 2-byte length")) || hex === undefined) continue
      const codec = compile(bare ? cupsBare : unionPayPos)
      const message = codec.decode(bytes(hex))
      if (isMessageError(message)) continue
      const json = JSON.parse(JSON.stringify(messageToJson(message, { reveal: true, parts: codec }))) as MessageJson
      if (bare) expect(Array.isArray(json.fields["60"])).toBe(true)
      const read = messageFromJson(codec, json)
      if (isMessageError(read)) throw new Error(JSON.stringify(read))
      expect(encoded(codec, read).toString("hex").toUpperCase()).toBe(hex)
    }
  })
})

describe("Chip data", () => {
  const chip = bytes(`9F2608112233445566778882021C009F3602000A710A860884240000DEADBEEF5713${"62".repeat(19)}`)

  it("is shown tag by tag, track 2 covered", () => {
    const rows = rowsOf(iso8583v1987AsciiRaw, { 55: chip })

    expect(rows["55.9F26"]).toBe("1122334455667788")
    expect(rows["55.57"]).toBe("[19 bytes]")
    expect(rows["55.71.86"]).toBe("[8 bytes]")
    expect(rows["55.71"]).toBe("[10 bytes]")
    expect(rowsOf(iso8583v1987AsciiRaw, { 55: chip }, true)["55.57"]).toBe("62".repeat(19))
  })

  it("becomes a list of tags in JSON that gives the same bytes, in the same order", () => {
    expect(again(iso8583v1987AsciiRaw, chip, 55)).toMatchObject([
      { part: "9F26", hex: "1122334455667788" },
      { part: "82" },
      { part: "9F36" },
      { part: "71", parts: [{ part: "86", hex: "84240000DEADBEEF" }] },
      { part: "57" }
    ])
  })

  it("stays hex where tags alone would lose bytes: filling, a length in two bytes, a tag cut short", () => {
    for (const odd of ["8202" + "1C00" + "0000", "82" + "8102" + "1C00", "8202", "9F"])
      expect(again(iso8583v1987AsciiRaw, bytes(odd), 55)).toBe(odd)
  })

  it("hides card data of its tags in masked JSON", () => {
    const codec = compile(iso8583v1987AsciiRaw)
    const message = decoded(codec, encoded(codec, { mti: "0200", fields: { 55: chip } }))
    const text = JSON.stringify(messageToJson(message, { parts: codec }))

    expect(text).not.toContain("6262")
    expect(text).not.toContain("DEADBEEF")
    expect(text).toContain("1122334455667788")
  })
})

describe("Structures of a dialect", () => {
  it("hold private bitmaps whose parts are written like fields", () => {
    const structure: Structure = {
      style: "bitmap",
      bytes: 3,
      encoding: "binary",
      parts: {
        1: { name: "network", format: "n4", ...open },
        3: { name: "text", format: "ans..20", ...open },
        24: { name: "raw", format: "b2", ...open }
      }
    }
    const dialect = withStructure(structure, "b...999")
    const value = bytes(`A00001${Buffer.from("000205HELLO").toString("hex")}CAFE`)

    expect(rowsOf(dialect, { 60: value })).toMatchObject({ "60.1": "0002", "60.3": "HELLO", "60.24": "CAFE" })
    expect(again(dialect, value)).toMatchObject([
      { part: "1", name: "network", value: "0002" },
      { part: "3", value: "HELLO" },
      { part: "24", hex: "CAFE" }
    ])
    for (const bad of ["A0", "400000", "A00001", "A0000130303032"]) expect(again(dialect, bytes(bad))).toBe(bad)
  })

  it("hold a hex bitmap in a text field", () => {
    const dialect = withStructure({
      style: "bitmap",
      bytes: 1,
      encoding: "hex",
      parts: { 2: { name: "two", format: "n2" } }
    })
    expect(again(dialect, "4007")).toEqual([{ part: "2", name: "two", value: "07" }])
  })

  it("are inside each other and keep every byte", () => {
    const structure: Structure = {
      style: "tag-length-value",
      tagLength: 2,
      lengthDigits: 3,
      tags: {
        AB: { name: "pair", structure: { style: "positional", parts: [{ name: "one", length: 2 }, { name: "two" }] } }
      }
    }
    expect(again(withStructure(structure), "AB005HELLOZZ002\u0001\u00ff")).toEqual([
      {
        part: "AB",
        name: "pair",
        parts: [
          { part: "1", name: "one", value: "HE" },
          { part: "2", name: "two", value: "LLO" }
        ]
      },
      { part: "ZZ", hex: "01FF" }
    ])
  })

  it("are read from packed decimal and GBK fields too", () => {
    const structure: Structure = {
      style: "positional",
      parts: [
        { name: "one", length: 2, ...open },
        { name: "two", ...open }
      ]
    }
    const packed = derive(unionPayPos, { name: "p", header: null, fields: { 60: { structure }, 56: { structure } } })
    const rows = rowsOf(packed, { 56: "成功", 60: "12345" })

    expect(rows).toMatchObject({ "56.1": "成", "56.2": "功", "60.1": "12", "60.2": "345" })

    again(packed, "12345")
    again(packed, "成功", 56)
  })

  it("fill a short text in front of another with spaces and refuse one that is too long", () => {
    const codec = compile(withStructure({ style: "positional", parts: [{ name: "one", length: 4 }, { name: "two" }] }))
    const fields = (value: string) => ({
      mti: "0200",
      fields: {
        60: [
          { part: "1", value },
          { part: "2", value: "Z" }
        ]
      }
    })

    expect(messageFromJson(codec, fields("AB"))).toMatchObject({ fields: { 60: "AB  Z" } })
    expect(messageFromJson(codec, fields("ABCDE"))).toEqual({ _tag: "FieldInvalid", de: 60, offset: -1, rule: "parts" })
  })

  it("are refused with the field and part when they make no sense", () => {
    const bad: ReadonlyArray<Structure> = [
      { style: "tag-fixed", tagLength: 2, tags: { AB: { name: "no length" } } },
      { style: "usage-value", tagLength: 0 },
      { style: "tag-length-value", tagLength: 2, lengthDigits: 9 },
      { style: "bitmap", bytes: 1, encoding: "hex", parts: { 9: { name: "outside", format: "n2" } } },
      { style: "bitmap", bytes: 1, encoding: "hex", parts: { 2: { name: "no format" } } },
      { style: "positional", parts: [{ name: "open" }, { name: "behind" }] },
      { style: "usage-value", tagLength: 2, tags: { ABC: { name: "long tag" } } }
    ]
    for (const structure of bad) expect(() => compile(withStructure(structure))).toThrow(/^field 60: /)
  })
})
