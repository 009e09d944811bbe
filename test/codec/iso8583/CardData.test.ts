import { inspect } from "node:util"
import {
  compile,
  cups,
  type Dialect,
  derive,
  describe as describeMessage,
  emvTags,
  explain,
  isMessageError,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  type Message,
  MessageIndex,
  maskPan,
  messageFromJson,
  messageToJson,
  reveal,
  type Sensitive,
  unionPayPos
} from "@jinka/codec"
import { describe, expect, it } from "vitest"

const pan = "6225881234567890123"
const track2 = "6225881234567890123=30122010000000000"
// 9F26 08 .. | 5A 0A PAN | 57 11 track 2 | 70 { 5F20 name } | 9F27 01 80
const chip = Buffer.from(
  "9F26081122334455667788 5A0A6225881234567890123F 57116225881234567890123D3012201000000F 70055F20024142 9F270180".replaceAll(
    " ",
    ""
  ),
  "hex"
)
const message: Message = {
  mti: "0200",
  fields: {
    2: pan,
    11: "123456",
    14: "3012",
    35: track2,
    41: "TERM0001",
    52: Buffer.from("1122334455667788", "hex"),
    55: chip
  }
}
const codec = compile(cups)

const encoded = (values: Message, by = codec): Buffer => {
  const result = by.encode(values)
  if (isMessageError(result)) throw new Error(explain(result))
  return result
}
const indexed = (whole: Buffer, by = codec): MessageIndex => {
  const index = new MessageIndex()
  expect(by.index(whole, 0, whole.length, index)).toBeUndefined()
  return index
}

/** Whether a text or buffer shows any of the card data: PAN middle, track, PIN block, in text, hex or packed digits. */
const leaks = (shown: string): boolean =>
  /588123456789|58812345678|3012201|11223344556677 ?88|1122334455667788/.test(shown)

describe("A decoded message cannot print card data by accident", () => {
  const decoded = codec.decode(encoded(message)) as Message

  it("in text, JSON, inspection, template or concatenation", () => {
    const pin = decoded.fields[52]
    for (const shown of [
      JSON.stringify(decoded),
      inspect(decoded, { depth: 9, showHidden: true }),
      `${decoded.fields[2]} ${decoded.fields[35]} ${pin}`,
      String(decoded.fields[2]).concat("", String(pin)),
      Object.values(decoded.fields).join(" "),
      JSON.stringify(messageToJson(decoded))
    ])
      expect(leaks(shown.replaceAll("1122334455667788", (match) => (shown.includes("9F26") ? "" : match)))).toBe(false)

    expect(String(decoded.fields[2])).toBe("622588*********0123")
    expect(String(decoded.fields[35])).toBe("*".repeat(37))
    expect(String(pin)).toBe("[8 bytes]")
    expect(inspect(decoded.fields[14])).toBe("Sensitive(****)")
  })

  it("and gives it only to the one who asks", () => {
    expect((decoded.fields[2] as Sensitive).reveal()).toBe(pan)
    expect(reveal(decoded.fields[55]!)).toEqual(chip)
    expect(messageToJson(decoded, { reveal: true }).fields["35"]).toBe(track2)
    expect(decoded.fields[11]).toBe("123456")
  })

  it("and does not travel in a structured clone", () => {
    expect(leaks(inspect(structuredClone(decoded.fields[2]), { showHidden: true }))).toBe(false)
  })
})

describe("A masked card number", () => {
  it("shows the first six and last four digits, and less of what is short", () => {
    expect(maskPan("6225881234567890123")).toBe("622588*********0123")
    expect(maskPan("4242424242424242")).toBe("424242******4242")
    expect(maskPan("4222222222222")).toBe("422222***2222")
    expect(maskPan("422222222222")).toBe("********2222")
    expect(maskPan("1234567")).toBe("*******")
    expect(maskPan("")).toBe("")
  })
})

describe("A redacted copy", () => {
  it("has the same length, the same fields, and no card data", () => {
    const whole = encoded(message)
    const out = Buffer.alloc(whole.length)

    expect(codec.redact(indexed(whole), out, 0)).toBe(whole.length)

    const copy = indexed(out)
    expect(copy.text(2)).toBe("622588*********0123")
    expect(copy.text(14)).toBe("****")
    expect(copy.text(35)).toBe("*".repeat(37))
    expect(copy.bytes(52)).toEqual(Buffer.alloc(8))
    expect(copy.text(11)).toBe("123456")
    expect(copy.bytes(55).toString("hex").toUpperCase()).toBe(
      "9F26081122334455667788 5A0A00000000000000000000 571100000000000000000000000000000000 00 70055F20022A2A 9F270180".replaceAll(
        " ",
        ""
      )
    )
    expect(leaks(out.toString("latin1"))).toBe(false)
  })

  it("covers every tag that the table of EMV tags calls card data, in the copy as in a description", () => {
    for (const { tag, sensitivity } of emvTags.values()) {
      const value = "A1B2C3D4"
      const bytes = Buffer.from(`${tag}04${value}`, "hex")
      if ((bytes[0]! & 0x20) !== 0) continue
      const whole = encoded({ mti: "0200", fields: { 55: bytes } })
      const out = Buffer.alloc(whole.length)
      codec.redact(indexed(whole), out, 0)
      const shown = JSON.stringify(describeMessage(codec, whole).rows)
      const isShown = sensitivity === "none"
      expect([tag, indexed(out).bytes(55).includes(Buffer.from(value, "hex"))]).toEqual([tag, isShown])
      expect([tag, shown.includes(value)]).toEqual([tag, isShown])
      const kept = indexed(codec.withoutSad(indexed(whole))).bytes(55)
      expect([tag, kept.includes(Buffer.from(value, "hex"))]).toEqual([tag, sensitivity !== "sad"])
    }
  })

  it("covers chip data whole when its tags cannot be read", () => {
    const broken = encoded({ mti: "0200", fields: { 55: Buffer.concat([chip, Buffer.from("5A20", "hex")]) } })
    const out = Buffer.alloc(broken.length)
    codec.redact(indexed(broken), out, 0)

    expect(
      indexed(out)
        .bytes(55)
        .every((byte) => byte === 0)
    ).toBe(true)

    const deep = Buffer.alloc(240)
    for (let level = 0; level < 120; level++) deep.set([0x70, 238 - 2 * level], 2 * level)
    const nested = encoded({ mti: "0200", fields: { 55: deep.subarray(0, 254) } })
    const covered = Buffer.alloc(nested.length)
    codec.redact(indexed(nested), covered, 0)

    expect(
      indexed(covered)
        .bytes(55)
        .every((byte) => byte === 0)
    ).toBe(true)
  })

  it("covers the card numbers in the details of a terminal's batch, and private fields where networks put such data", () => {
    const copyOf = (by: typeof codec, de: number, value: string): string => {
      const whole = encoded({ mti: "0320", fields: { 11: "000001", [de]: value } }, by)
      const out = Buffer.alloc(whole.length)
      by.redact(indexed(whole, by), out, 0)
      return indexed(out, by).text(de)
    }
    const detail = `01000001${pan.padStart(20, "0")}000000012500`

    expect(copyOf(compile(unionPayPos), 48, `02${detail}${detail}`)).toBe("E".repeat(82))
    for (const de of [48, 61, 62, 63]) expect(copyOf(compile(iso8583v1987AsciiRaw), de, pan)).toBe("*".repeat(19))
  })

  it("covers packed digits, hex and EBCDIC in their own encoding", () => {
    for (const encodings of [
      { digits: "bcd", track: "bcd", bytes: "hex", prefix: "bcd" },
      { digits: "ebcdic", track: "ebcdic", text: "ebcdic", prefix: "ebcdic" }
    ] as const) {
      const other = compile(derive(iso8583v1987AsciiRaw, { name: "other", encodings, fields: { 55: null } }))
      const { 55: _, ...fields } = message.fields
      const whole = encoded({ mti: "0200", fields }, other)
      const out = Buffer.alloc(whole.length)
      other.redact(indexed(whole, other), out, 0)
      const copy = indexed(out, other)
      expect(copy.text(2)).toBe(encodings.digits === "bcd" ? "622588EEEEEEEEE0123" : "622588*********0123")
      expect(leaks(copy.text(35) + copy.text(52) + out.toString("latin1") + out.toString("hex"))).toBe(false)
      expect(copy.text(11)).toBe("123456")
    }
  })
})

describe("A field of which only a part is card data", () => {
  const subfields = [
    { name: "kind", length: 2 },
    { name: "card", length: 16, sensitivity: "pan" },
    { name: "code", length: 3, sensitivity: "sad" }
  ] as const
  const partner = (field: object, parts: object) =>
    compile(derive(cups, { name: "partner", fields: { 60: { format: "ans...100", ...field, ...parts } } }))

  it("is covered itself: in the copy, the description and the decoded message", () => {
    const own = partner({}, { subfields })
    const nested = partner(
      {},
      {
        structure: {
          style: "usage-value",
          tagLength: 2,
          tags: { AA: { name: "a", structure: { style: "positional", parts: [...subfields] } } }
        }
      }
    )
    for (const by of [own, nested]) {
      const whole = encoded({ mti: "0200", fields: { 11: "000001", 60: "AA6225881234567890123" } }, by)
      const out = Buffer.alloc(whole.length)
      by.redact(indexed(whole, by), out, 0)
      const shown = JSON.stringify([describeMessage(by, whole).rows, by.decode(whole)]) + out.toString("latin1")
      expect(shown).not.toMatch(/58812345678|123"/)
    }
  })

  it("cannot be called open", () => {
    expect(() => partner({ sensitivity: "none" }, { subfields })).toThrow(
      new TypeError("field 60: a part is card data, so the field cannot be shown; give it sad")
    )
  })

  it("is not kept when that part may not be, and is when the message has another part there", () => {
    const kept = (text: string): boolean =>
      indexed(codec.withoutSad(indexed(encoded({ mti: "0800", fields: { 11: "000001", 48: text } })))).has(48)

    expect(kept("NK0123456789ABCDEF")).toBe(false)
    expect(kept("ASON003123NK0080123ABCD")).toBe(false)
    expect(kept("ASON003123")).toBe(true)
    expect(kept("?")).toBe(false)
  })
})

describe("A copy without sensitive authentication data", () => {
  it("has neither track, PIN block nor the chip's track, but all the rest", () => {
    const copy = codec.withoutSad(indexed(encoded(message)))
    const index = indexed(copy)

    expect(index.has(35) || index.has(52)).toBe(false)
    expect(index.text(2)).toBe(pan)
    expect(index.text(14)).toBe("3012")
    expect(index.bytes(55).toString("hex")).toContain("5a0a6225881234567890123f7005")
    expect(copy.toString("latin1")).not.toContain("=3012")
  })

  it("loses chip data whose tags cannot be read", () => {
    const broken = encoded({ mti: "0200", fields: { 11: "000001", 55: Buffer.from("5A20", "hex") } })
    expect(indexed(codec.withoutSad(indexed(broken))).has(55)).toBe(false)
  })
})

describe("A described message", () => {
  it("names every part in English and Chinese, masked, with offsets", () => {
    const { rows, error } = describeMessage(codec, encoded(message), { language: "both" })
    expect(error).toBeUndefined()
    expect(rows.find(({ id }) => id === "2")).toEqual({
      id: "2",
      offset: 66,
      bytes: 21,
      name: "Primary account number (PAN) 主账号",
      format: "n..19",
      value: "622588*********0123",
      meaning: ""
    })
    expect(rows.find(({ id }) => id === "header.rejectCode")?.value).toBe("00000")
    expect(leaks(JSON.stringify(rows).replaceAll(/(9F2608)?1122334455667788/g, ""))).toBe(false)
    expect(describeMessage(codec, encoded(message), { reveal: true }).rows.find(({ id }) => id === "2")?.value).toBe(
      pan
    )

    const answer = describeMessage(codec, encoded({ mti: "0210", fields: { 39: "51" } }), { language: "zh" })
    expect(answer.rows.at(-1)).toMatchObject({ name: "应答码", value: "51", meaning: "资金不足" })
  })

  it("says in words what a processing code asks for, as far as the dialect knows it", () => {
    const meaning = (dialect: Dialect, code: string, language?: "zh" | "both"): string | undefined => {
      const own = compile(dialect)
      const rows = describeMessage(
        own,
        encoded({ mti: "0200", fields: { 3: code } }, own),
        language && { language }
      ).rows
      return rows.find(({ id }) => id === "3")?.meaning
    }
    expect(meaning(cups, "010000")).toBe("cash withdrawal")
    expect(meaning(cups, "200000", "both")).toBe("void or refund 撤销、退货")
    expect(meaning(cups, "770000")).toBe("")
    expect(meaning(iso8583v1987Bcd, "011000")).toBe("cash withdrawal, from savings account")
    expect(meaning(iso8583v1987Bcd, "401020", "zh")).toBe("转账, 转出 储蓄账户, 转入 支票账户")

    const own = derive(cups, { name: "own", processingCodes: { "77": { name: "parking" }, "01": null } })
    const told = ["770000", "010000", "200000"].map((code) => meaning(own, code))
    expect(told).toEqual(["parking", "", "void or refund"])
  })

  it("shows the fields of a message whose type is 0000 too", () => {
    const { rows } = describeMessage(codec, encoded({ mti: "0000", fields: { 11: "000001" } }))
    expect(rows.slice(-3).map(({ id }) => id)).toEqual(["mti", "bitmap", "11"])
  })

  it("shows a broken message as far as it can be read", () => {
    const whole = encoded(message)
    const { rows, error } = describeMessage(codec, whole.subarray(0, whole.length - 1))

    expect(error?._tag).toBe("HeaderInvalid")
    expect(rows.length).toBeGreaterThan(0)

    const bare = compile(derive(cups, { name: "bare", header: null }))
    const cut = encoded(message, bare).subarray(0, 60)
    const described = describeMessage(bare, cut)

    expect(described.error).toMatchObject({ _tag: "FieldInvalid", de: 35, rule: "short" })
    expect(described.rows.map(({ id }) => id)).toEqual(["mti", "bitmap", "2", "11", "14"])

    for (let length = 0; length < whole.length; length++) describeMessage(codec, whole.subarray(0, length))
  })

  it("never moves a terminal's cursor", () => {
    const sneaky = encoded({ mti: "0200", fields: { 62: "a\u001b[2Jb" } })
    const { rows } = describeMessage(codec, sneaky, { reveal: true })

    expect(rows.find(({ id }) => id === "62")?.value).toBe("a.[2Jb")
    // What is where the dialect has a tag becomes the name of a row.
    expect(rows.at(-1)).toMatchObject({ id: "62.a.", value: "[2Jb" })
    expect(JSON.stringify(rows)).not.toContain("\\u001b")
  })
})

describe("The JSON form", () => {
  it("revealed gives the same message back", () => {
    const whole = encoded(message)
    const json = JSON.parse(JSON.stringify(messageToJson(codec.decode(whole) as Message, { reveal: true })))
    const read = messageFromJson(codec, json)

    expect(isMessageError(read)).toBe(false)
    expect(codec.encode(read as Message)).toEqual(whole)
  })

  it("takes hex for any field and text for bytes", () => {
    const read = messageFromJson(codec, {
      mti: "0200",
      fields: { "11": { hex: "303030303031" }, "52": { text: "ABCDEFGH" }, "96": "01 02 03 04 05 06 07 08" }
    }) as Message
    expect(read.fields).toEqual({
      11: "000001",
      52: Buffer.from("ABCDEFGH"),
      96: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    })

    const packed = compile(derive(iso8583v1987AsciiRaw, { name: "packed", encodings: { digits: "bcd" } }))
    expect((messageFromJson(packed, { mti: "0200", fields: { 11: { hex: "000001" } } }) as Message).fields).toEqual({
      11: "000001"
    })
  })

  it("names what is wrong in it", () => {
    const error = (json: unknown) => messageFromJson(codec, json)

    expect(error(null)).toMatchObject({ _tag: "MtiInvalid" })
    expect(error({ fields: {} })).toMatchObject({ _tag: "MtiInvalid" })
    expect(error({ mti: "0200", fields: { "8": "00000000" } })).toMatchObject({ _tag: "FieldUnknown", de: 8 })
    expect(error({ mti: "0200", fields: { "11": 5 } })).toMatchObject({ _tag: "FieldInvalid", de: 11, rule: "type" })
    expect(error({ mti: "0200", fields: { "52": "[8 bytes]" } })).toMatchObject({ de: 52, rule: "hex" })
    expect(error({ mti: "0200", header: { nowhere: "1" } })).toMatchObject({ _tag: "HeaderInvalid", part: "nowhere" })
    expect(error({ mti: "0200", header: { version: 1 } })).toMatchObject({ _tag: "HeaderInvalid", rule: "type" })
  })
})
