/** `jinka encode` with something that is no message: each slip is named, with what to write. */
import { compile, cups, derive, iso8583v1987Ascii, messageToJson } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { encodeJson } from "../../../packages/switch/src/operate/message/MessageText.ts"
import { purchase } from "./Line.ts"
import { cleanUp, jinka } from "./program.ts"

const ascii = compile(iso8583v1987Ascii)
const centre = compile(cups)

describe("JSON that is no message is named with what to write", () => {
  const slips: ReadonlyArray<readonly [string, unknown, string]> = [
    [
      "an unknown member",
      { mti: "0800", feilds: { 11: "000001" } },
      '"feilds" is no member of a message: did you mean "fields"?'
    ],
    ["a list", [], 'a message is an object such as {"mti": "0800", "fields": {"11": "000001"}}, and not a list.'],
    ["a number", 800, "and not a number."],
    ["no type", { fields: {} }, '"mti" is missing: add the message type, as "mti": "0200".'],
    ["a type that is a number", { mti: 800 }, '"mti" is a number: put it in quotes, with four digits: "0800".'],
    ["a short type", { mti: "800" }, '"mti" has four digits, as "0200".'],
    [
      "field 0",
      { mti: "0800", fields: { 0: "0800" } },
      '"0" is no field: the message type is in "mti", and fields begin at 2.'
    ],
    [
      "field 1",
      { mti: "0800", fields: { 1: "00" } },
      '"1" is the second bitmap, which is written by itself: remove it.'
    ],
    ["DE11", { mti: "0800", fields: { DE11: "000001" } }, '"DE11" is no field: write its number alone, "11".'],
    ["F011", { mti: "0800", fields: { F011: "000001" } }, '"F011" is no field: write its number alone, "11".'],
    ["011", { mti: "0800", fields: { "011": "000001" } }, '"011" is no field: write its number alone, "11".'],
    [
      "a name",
      { mti: "0800", fields: { stan: "000001" } },
      '"stan" is no field: fields are named by their numbers, as "11".'
    ],
    ["a type among the fields", { mti: "0800", fields: { MTI: "0800" } }, '"mti" is beside "fields", and not in it.'],
    ["a card number as a name", { mti: "0800", fields: { "4111111111111111": "" } }, "one of its names is no field"],
    ["a field that is none", { mti: "0800", fields: { 200: "x" } }, "has no field 200"],
    [
      "a number as a value",
      { mti: "0200", fields: { 4: 1000 } },
      "field 4 is a number: write its text in quotes, with the zeros in front, all 12 characters of it."
    ],
    [
      "null as a value",
      { mti: "0200", fields: { 4: null } },
      "field 4 is null: write its text in quotes, or leave it out."
    ],
    [
      "an unknown member of a value",
      { mti: "0200", fields: { 52: { hexx: "00" } } },
      'field 52: "hexx" is no member of a value: did you mean "hex"?'
    ],
    [
      "a negative number",
      { mti: "0800", fields: { "-1": "x" } },
      '"-1" is no field: fields are named by their numbers'
    ],
    [
      "a list for a field without parts",
      { mti: "0800", fields: { 11: ["000001"] } },
      "field 11 has no parts in the dialect iso8583v1987Ascii: write its text in quotes."
    ],
    ["too few bytes", { mti: "0200", fields: { 52: "1122" } }, "write 8 bytes, 16 hex digits"],
    ["too many characters", { mti: "0200", fields: { 48: "x".repeat(1000) } }, "write at most 999 characters"],
    ["an amount with a point", { mti: "0200", fields: { 4: "100.00" } }, "without a point, blanks or a sign"],
    ["characters that there are none of", { mti: "0200", fields: { 48: "中文" } }, "write characters of ASCII"],
    ["hex that is none", { mti: "0200", fields: { 52: "112233445566778Z" } }, "write two for each byte"],
    ["a header where there is none", { mti: "0800", header: { source: "1" } }, "have no header: remove"]
  ]
  for (const [name, json, says] of slips) {
    it(name, () => {
      const built = encodeJson(ascii, json, undefined)

      expect(built).toContain(says)
      expect(built).not.toMatch(/\d{13,}/)
    })
  }

  it("a header's part that is none", () => {
    expect(encodeJson(centre, { mti: "0800", header: { sauce: "1" } }, undefined)).toBe(
      '"header": "sauce" is no part of the header: did you mean "source"?'
    )
  })

  it("a message that is longer than its header can say", () => {
    const header = { name: "short", parts: [{ name: "l", bytes: 2, form: "digits", length: "all" }] } as const
    const short = compile(derive(iso8583v1987Ascii, { name: "short", header }))

    expect(encodeJson(short, { mti: "0200", fields: { 48: "A".repeat(200) } }, undefined)).toMatch(
      /^header part l.*: the message is longer than it can say$/
    )
  })

  it("a header's part that is too long", () => {
    expect(encodeJson(centre, { mti: "0800", header: { source: "123456789012" } }, undefined)).toMatch(
      /^header part source.*: its length is not one that the dialect allows: write at most \d+ (characters|digits)$/
    )
  })

  it("a part that is none, however deep, and parts that the dialect does not have", () => {
    const slips: ReadonlyArray<readonly [unknown, string]> = [
      [["AA"], 'field 48, part 1 of its list is a text: write an object such as {"part": "1", "value": "..."}'],
      [[{ tag: "AA", value: "x" }], '"tag" is no member of a part'],
      [[{ part: 1, value: "x" }], '"part" is its position, tag or bit number, in quotes'],
      [[{ part: "AA" }], 'give one of "value", "hex" and "parts"'],
      [[{ part: "AA", value: "x", hex: "00" }], 'give one of "value", "hex" and "parts"'],
      [[{ part: "AA", value: 1 }], '"value" is a number: write it in quotes'],
      [[{ part: "BC", parts: {} }], '"parts" is an object: write a list of parts'],
      [[{ part: "BC", parts: [{ part: "1", value: null }] }], "field 48, part 1 of its list, part 1 of its list"],
      [[{ part: "not a tag", value: "x" }], "write them as `jinka decode --unmask --json` prints them"]
    ]
    for (const [parts, says] of slips) {
      const built = encodeJson(centre, { mti: "0200", fields: { 48: parts } }, undefined)

      expect([parts, built]).toEqual([parts, expect.stringContaining(says)])
    }
  })

  it("and what decode prints unmasked is a message", () => {
    expect(encodeJson(centre, messageToJson(purchase(1), { reveal: true }), undefined)).toBeInstanceOf(Buffer)
  })

  it("whatever else is there ends in bytes or in a sentence", () => {
    const name = fc.oneof(
      fc.constantFrom("mti", "fields", "header", "11", "2", "__proto__", "constructor"),
      fc.string()
    )
    const json = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.constantFrom("0800", "000001"), fc.dictionary(name, tie("any")))
    })).any
    fc.assert(
      fc.property(json, (one) => {
        const built = encodeJson(centre, one, undefined)
        if (typeof built === "string") expect(built).toMatch(/[.?]$/)
      }),
      { numRuns: 2000 }
    )
  })
})

describe("jinka encode", () => {
  it("ends with 1 for a message that it does not build, and names the place of text that is no JSON", async () => {
    const unknown = await jinka(["encode"], { input: '{"mti":"0800","feilds":{"11":"000001"}}' })
    const broken = await jinka(["encode"], { input: '{\n  "mti": "0800",\n  "fields": { "2": 4111111111111111 }}}\n' })
    cleanUp()

    expect([unknown.code, unknown.out]).toEqual([1, ""])
    expect(unknown.err).toContain('message 1: "feilds" is no member of a message: did you mean "fields"?')
    expect(broken.code).toBe(1)
    expect(broken.err).toContain("message 1: this is not JSON: look at line 3, column 39.")
    expect(broken.err).not.toContain("4111")
  })

  it("says where a text stops being JSON, of YAML its first letter; and that a list holds no message", async () => {
    const wrong: ReadonlyArray<readonly [string, string]> = [
      ['mti: "0800"\nfields:\n  7: "1127200000"\n', "this is not JSON: look at line 1, column 1."],
      ['{"mti": "0800", "fields": {"11": 000001}}', "this is not JSON: look at line 1, column 35."],
      ['{"mti": "0800",\n "fields": {"11": x}}', "this is not JSON: look at line 2, column 19."],
      ['{"mti": "0800", "fields": {"11":', "this is not JSON: it ends too early."],
      ['{"mti": "0800", "fields": {"11": 000001}}', "What has zeros in front is written in quotes."],
      ["{'mti': '0800'}", 'JSON has double quotes, ".'],
      ['{mti: "0800"}', 'Names and texts are written in double quotes, ".'],
      ['{"mti": "0800",}', "Remove the comma in front of it."],
      ['{"mti": "0800"}{"mti": "0800"}', "A comma is missing, or a line break between messages."],
      ['{"mti": "0800"},{"mti": "0800"}', "Several messages are a list, [...], or each on its line."],
      ['{"mti": "0800" "fields": {}}', "A comma is missing"],
      ['{"mti": "08\n00"}', "A text ends on its line"],
      ['{\0"\0m\0', "Save the text as UTF-8."],
      ["[]", "The list on the input holds no message."]
    ]
    for (const [input, says] of wrong) {
      const { code, err } = await jinka(["encode", "--dialect", "iso8583v1987Ascii"], { input })
      expect([input, code, err]).toEqual([input, 1, expect.stringContaining(says)])
    }
  })

  it("takes no member that comes twice, wherever it is and however it is written: which one counts would be a guess", async () => {
    const twice: ReadonlyArray<readonly [string, string]> = [
      ['{"mti":"0800","mti":"0810"}', "line 1, column 15"],
      ['{"mti":"0800","fields":{"11":"000001","70":"301","11":"000002"}}', "line 1, column 50"],
      ['{\n "mti": "0200",\n "fields":\n{"4": "000000000100", "\\u0034": "000000999900"}\n}', "line 4, column 23"],
      ['[{"mti":"0800"},{"mti":"0800","fields":{"63":[{"n":"a","n":"b"}]}}]', "line 1, column 56"],
      ['{"mti":"0800"}\n\n{"mti":"0800","fields":{"11":"000001"},"fields":{}}', "line 3, column 40"]
    ]
    for (const [input, place] of twice) {
      const { code, err } = await jinka(["encode", "--dialect", "iso8583v1987Ascii"], { input })
      expect([input, code, err]).toEqual([input, 1, expect.stringContaining(`the member at ${place} has the name of`)])
    }

    const apart = '[{"mti":"0800","fields":{"11":"000001"}},{"mti":"0800","fields":{"11":"{\\"11\\":"}}]'
    const { err } = await jinka(["encode", "--dialect", "iso8583v1987Ascii"], { input: apart })
    expect(err).not.toContain("the name of")
  })

  it("builds tags that are cut off, as a test may want, and says so; decode says it too", async () => {
    const of = (tags: string) => JSON.stringify({ mti: "0200", fields: { 11: "000001", 55: tags } })
    for (const tags of ["9F2608AABB", "9F26", "5F", "950500000000009F"]) {
      const { code, err, out } = await jinka(["encode"], { input: of(tags) })
      expect([tags, code, err]).toEqual([tags, 0, expect.stringContaining("message 1: field 55 holds no whole tags")])
      expect((await jinka(["decode", out.trim(), "--output", "table"])).out).toContain("no whole tags (BER-TLV)")
    }
    const { err, out } = await jinka(["encode"], { input: of("9F2608AABBCCDDEEFF0011950500000000009F36020001") })
    expect(err).toBe("")
    expect((await jinka(["decode", out.trim(), "--output", "table"])).out).not.toContain("no whole tags")
  })
})
