/** Encoding: what is filled, what is refused, where it is written; the same by generated code and by the table. */
import {
  compile,
  cups,
  derive,
  interpret,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  type Message,
  MessageIndex,
  PatchList
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { anyMessage, anyText } from "./arbitrary.ts"
import { decoded, encoded, revealed } from "./plain.ts"

describe("Encoding", () => {
  const codec = compile(iso8583v1987AsciiRaw)

  it("fills short texts of fixed fields: digits from the left, text from the right", () => {
    for (let turn = 0; turn < 5; turn++) {
      const message = decoded(codec, encoded(codec, { mti: "0200", fields: { 11: "7", 41: "T1" } }))
      expect(message.fields).toEqual({ 11: "000007", 41: "T1      " })
    }
  })

  it("takes a wrong type, a value that is too long and a wrong message type as errors", () => {
    const at = (fields: Message["fields"], mti = "0200") => codec.encode({ mti, fields })

    expect(at({ 11: "1234567" })).toEqual({ _tag: "FieldInvalid", de: 11, offset: -1, rule: "length" })
    expect(at({ 52: "12345678" })).toEqual({ _tag: "FieldInvalid", de: 52, offset: -1, rule: "type" })
    expect(at({ 52: Buffer.alloc(7) })).toEqual({ _tag: "FieldInvalid", de: 52, offset: -1, rule: "length" })
    expect(at({ 11: Buffer.alloc(6) })).toEqual({ _tag: "FieldInvalid", de: 11, offset: -1, rule: "type" })
    expect(at({ 43: "\u4e2d".padEnd(40) })).toEqual({ _tag: "FieldInvalid", de: 43, offset: -1, rule: "text" })
    expect(at({}, "20")).toEqual({ _tag: "MtiInvalid", offset: -1, rule: "digits" })
  })

  it("announces a second bitmap only when a field needs it, and always for CUPS", () => {
    expect(encoded(codec, { mti: "0800", fields: { 11: "000001" } }).length).toBe(4 + 8 + 6)
    expect(encoded(codec, { mti: "0800", fields: { 70: "001" } }).length).toBe(4 + 16 + 3)
    const bare = compile(derive(cups, { name: "cupsBare", header: null }))
    expect(encoded(bare, { mti: "0820", fields: { 11: "000001" } }).length).toBe(4 + 16 + 6)
  })

  it("gives the same bytes while its code is made anew, whatever objects hold the fields", () => {
    const table = interpret(iso8583v1987AsciiRaw)
    const shapes: ReadonlyArray<(stan: string) => Message["fields"]> = [
      (stan) => ({ 3: "000000", 11: stan }),
      (stan) => Object.assign({}, { 11: stan }, { 3: "000000" }),
      (stan) => Object.assign(Object.create(null), { 3: "000000", 11: stan }),
      (stan) => Object.fromEntries([["11", stan] as const, ["3", "000000"] as const]),
      (stan) => ({ ...{ 3: "000000", 11: stan, 64: undefined as never } }),
      (stan) => Object.assign(["", ""], { 3: "000000", 11: stan, 0: undefined, 1: undefined }) as never
    ]
    // More than the encoders live at first; seen in generated/Generate.ts.
    for (let turn = 0; turn < 40_000; turn++) {
      const message = { mti: "0200", fields: shapes[turn % shapes.length]!(String(turn).padStart(6, "0")) }
      const bytes = encoded(codec, message)
      if (turn % 97 === 0 || turn % 16_384 < 100) expect(bytes).toEqual(encoded(table, message))
    }
  })

  it("writes into the caller's buffer the same bytes, there and nowhere else", () => {
    fc.assert(
      fc.property(anyMessage(cups, 10), fc.nat({ max: 50 }), fc.nat({ max: 50 }), (message, at, behind) => {
        const { length } = encoded(interpret(cups), message)
        for (const one of [interpret(cups), compile(cups)]) {
          for (let turn = 0; turn < 6; turn++) {
            const out = Buffer.alloc(at + length + behind, 0xaa)
            expect(one.encodeInto(message, out, at)).toBe(length)
            expect(out.subarray(at, at + length)).toEqual(encoded(interpret(cups), message))
            expect(out.fill(0xaa, at, at + length)).toEqual(Buffer.alloc(out.length, 0xaa))
          }
        }
      }),
      runs(20)
    )
  })

  it("says how much room a message needs, and writes nothing without it", () => {
    const message = { mti: "0200", fields: { 3: "000000", 11: "000001" } }
    for (const one of [interpret(iso8583v1987AsciiRaw), compile(iso8583v1987AsciiRaw)]) {
      for (let turn = 0; turn < 6; turn++) {
        const out = Buffer.alloc(30, 0xaa)
        expect(one.encodeInto(message, out, 7)).toBe(24)
        expect(out).toEqual(Buffer.alloc(30, 0xaa))
        expect(one.encodeInto(message, out, 6)).toBe(24)
        expect(one.encodeInto({ ...message, fields: { 3: "00000X" } }, out)).toMatchObject({ de: 3, rule: "digits" })
      }
    }
  })

  it("takes the parts of a header that a message gives, and refuses those that do not fit, in code as by the table", () => {
    const { header } = cups
    const wild = fc.dictionary(
      fc.constantFrom(...header!.parts.map(({ name }) => name)),
      fc.oneof(
        fc.string({ maxLength: 12 }),
        fc.stringMatching(/^[0-9]{1,11}$/),
        fc.stringMatching(/^[0-9A-Fa-f]{2}$/),
        fc.stringMatching(/^[0-9A-F]{6}$/),
        anyText(8)
      ),
      { maxKeys: 3 }
    )
    const one = compile(cups)
    const fields = { 3: "000000", 11: "000001" }
    fc.assert(
      fc.property(wild, (header) => {
        const message = { mti: "0200", fields, header }
        const once = interpret(cups).encode(message)
        for (let turn = 0; turn < 6; turn++) expect(one.encode(message)).toEqual(once)
      }),
      runs(200)
    )
  })

  it("writes a long text as it is, and refuses what it must not hold wherever that is", () => {
    const long = (text: string): Message => ({ mti: "0200", fields: { 3: "000000", 48: text } })
    const good = "0123456789 ABCDEF~".repeat(30)
    const one = compile(iso8583v1987AsciiRaw)

    for (let turn = 0; turn < 70; turn++) expect(revealed(decoded(one, encoded(one, long(good))))).toEqual(long(good))
    for (const wrong of ["\u0000", "\u007f", "\u00e9", "\u0130", "\u4e2d", "\ud83d"]) {
      for (const at of [0, 1, 47, good.length - 1, good.length]) {
        const message = long(good.slice(0, at) + wrong + good.slice(at + 1))
        expect(one.encode(message)).toEqual(interpret(iso8583v1987AsciiRaw).encode(message))
      }
    }
  })

  it("writes the usual form of what has two, where a patch keeps the bytes", () => {
    const empty = Buffer.from("30383030 8020000000000000 0000000000000000 303030303031".replaceAll(" ", ""), "hex")
    const hex = (digits: string): Buffer => Buffer.from(`08000000000000001000${digits}`)
    const cases = [
      [iso8583v1987AsciiRaw, empty, Buffer.from("3038303000200000000000003030303030 31".replace(" ", ""), "hex")],
      [iso8583v1987Ascii, hex("aabbccddeeff0011"), hex("AABBCCDDEEFF0011")]
    ] as const
    for (const [dialect, came, usual] of cases) {
      const one = compile(dialect)
      for (let turn = 0; turn < 5; turn++) expect(encoded(one, decoded(one, came))).toEqual(usual)
      const index = new MessageIndex()
      one.index(came, 0, came.length, index)
      const patches = new PatchList()
      patches.mti(810)
      const out = Buffer.alloc(one.patchedLength(index, patches))
      one.patch(index, patches, out, 0)
      expect(out.subarray(4)).toEqual(came.subarray(4))
    }
  })

  it("gives buffers that later messages do not touch", () => {
    const kept = Array.from({ length: 400 }, (_, stan) => encoded(codec, { mti: "0200", fields: { 11: String(stan) } }))
    for (const [stan, message] of kept.entries())
      expect(message.toString("latin1", 12)).toBe(String(stan).padStart(6, "0"))
  })
})
