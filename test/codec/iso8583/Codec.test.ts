import {
  type Codec,
  compile,
  cups,
  type Dialect,
  derive,
  explain,
  interpret,
  isMessageError,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  MessageIndex,
  dialects as shipped
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-messages.json" with { type: "json" }
import { runs } from "../../Runs.ts"
import { anyMessage, anyText } from "./arbitrary.ts"
import { bytes, decoded, encoded, revealed } from "./plain.ts"

/** Forms that no shipped dialect has: prefixes in hex and binary, byte counts, three bitmaps, a fixed second bitmap. */
const odd: ReadonlyArray<Dialect> = [
  derive(iso8583v1987AsciiRaw, {
    name: "hexPrefixes",
    bitmap: { encoding: "hex-ebcdic", secondary: "optional", tertiary: true },
    encodings: { digits: "ebcdic1047", prefix: "hex", bytes: "hex", fill: 15 },
    fields: {
      65: null,
      130: { format: "n..19", name: "third", encoding: "bcd", counts: "bytes", prefix: "binary" },
      150: { format: "b......400", name: "third", counts: "bytes", prefix: "ascii" },
      151: { format: "z..37", name: "third", encoding: "bcd", align: "right", prefix: "bcd" },
      192: { format: "x+n9", name: "third", encoding: "bcd" }
    }
  }),
  derive(iso8583v1987AsciiRaw, {
    name: "fixedBitmaps",
    bitmap: { encoding: "hex", secondary: "fixed" },
    encodings: { prefix: "binary", text: "gbk" }
  })
]

const dialects: ReadonlyArray<Dialect> = [...Object.values(shipped), ...odd]
const cupsBare = derive(cups, { name: "cupsBare", header: null })

describe("The CUPS header", () => {
  const codec = compile(cups)
  const frame = bytes(fixture.messages.find(({ name }) => name.startsWith("cups frame built"))!.hex!)
  const reject = bytes(fixture.messages.find(({ name }) => name.startsWith("cups reject"))!.hex!)

  it("is read part by part and written back byte for byte", () => {
    const message = decoded(codec, frame.subarray(4))

    expect(message.header).toEqual({
      headerLength: "2E",
      version: "01",
      totalLength: "0482",
      destination: "01020000   ",
      source: "00010000   ",
      reserved: "303030",
      batch: "30",
      transaction: "00000000",
      user: "30",
      rejectCode: "00000"
    })
    expect(encoded(codec, message)).toEqual(frame.subarray(4))
  })

  it("is refused when its length byte or its total length is wrong", () => {
    const broken = Buffer.from(frame.subarray(4))
    broken[0] = 0x2d

    expect(codec.decode(broken)).toEqual({ _tag: "HeaderInvalid", part: "headerLength", offset: 0, rule: "value" })

    broken[0] = 0x2e
    broken[5] = 0x33
    expect(codec.decode(broken)).toEqual({
      _tag: "HeaderInvalid",
      part: "totalLength",
      offset: 2,
      rule: "total-length"
    })
    expect(codec.decode(frame.subarray(4, 40))).toEqual({ _tag: "TooShort", offset: 36 })
  })

  it("shows a reject as the original message, with the code beside it", () => {
    const index = new MessageIndex()
    const message = reject.subarray(4)

    expect(codec.index(message, 0, message.length, index)).toBeUndefined()
    expect(index.rejectCode).toBe(25)
    expect(index.start).toBe(46)
    expect(index.body).toBe(92)
    expect(index.text(11)).toBe("001225")
    expect(index.mti).toBe(200)

    const whole = decoded(codec, message)
    expect(whole.rejected?.["rejectCode"]).toBe("00025")
    expect(whole.header?.["rejectCode"]).toBe("00000")
    expect(encoded(codec, whole)).toEqual(message)
  })

  it("writes a reject back byte for byte also when its reason is the original's own header", () => {
    for (const [at, text] of [
      [46 + 2, "9999"],
      [46 + 2, "12 4"],
      [46, "A"],
      [46 + 41, "00099"]
    ] as const) {
      const message = Buffer.from(reject.subarray(4))
      message.write(text, at, "latin1")
      for (const by of [codec, interpret(cups)])
        for (let turn = 0; turn < 5; turn++) expect(encoded(by, decoded(by, message))).toEqual(message)
    }
  })

  it("says that a message is a reject even when the original inside cannot be read", () => {
    const index = new MessageIndex()
    const message = Buffer.from(reject.subarray(4))
    message[92] = 0x41

    expect(codec.index(message, 0, message.length, index)?._tag).toBe("MtiInvalid")
    expect(index.rejectCode).toBe(25)

    const short = Buffer.from(reject.subarray(4, 4 + 60))
    short.write("0060", 2, "latin1")
    expect(codec.index(short, 0, short.length, index)?._tag).toBe("TooShort")
    expect(index.rejectCode).toBe(25)
  })

  it("takes a reject code that is no number for a reject", () => {
    const index = new MessageIndex()
    const message = Buffer.from(reject.subarray(4))
    message.write("A0025", 41, "latin1")

    expect(codec.index(message, 0, message.length, index)).toBeUndefined()
    expect(index.rejectCode).toBe(-1)
  })
})

describe("Every shipped dialect", () => {
  const wild = fc.dictionary(
    fc.integer({ min: 1, max: 128 }).map(String),
    fc.oneof(
      fc.string({ maxLength: 20 }),
      anyText(12),
      fc.stringMatching(/^[0-9]{1,19}$/),
      fc.uint8Array({ maxLength: 12 })
    ),
    { maxKeys: 4 }
  )

  for (const dialect of dialects) {
    const table = interpret(dialect)
    const generated = compile(dialect)

    it(`${dialect.name}: what is encoded decodes to the same values and encodes to the same bytes`, () => {
      expect(generated.generated).toBe(true)
      fc.assert(
        fc.property(anyMessage(dialect), (message) => {
          const once = encoded(table, message)
          // The fifth time a set of fields comes it is done by generated code.
          for (let turn = 0; turn < 5; turn++) {
            expect(encoded(generated, message)).toEqual(once)
            const again = decoded(generated, once)
            expect(revealed(again).fields).toEqual(revealed({ ...message, header: {} }).fields)
            expect(revealed(again)).toEqual(revealed(decoded(table, once)))
            expect(encoded(generated, again)).toEqual(once)
            expect(encoded(table, again)).toEqual(once)
          }
        }),
        runs(12)
      )
    })

    it(`${dialect.name}: generated code and table agree on every damaged message`, () => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 })
      fc.assert(
        fc.property(anyMessage(dialect, 12), fc.array(damage, { maxLength: 40 }), (message, damages) => {
          const good = encoded(table, message)
          for (let turn = 0; turn < 4; turn++) generated.decode(good)
          for (const changes of damages) {
            const bad = Buffer.from(good)
            for (const [at, byte] of changes) bad[at % bad.length] = byte
            compareDecoders(table, generated, bad)
          }
        }),
        runs(12)
      )
    })

    it(`${dialect.name}: a message cut anywhere is an error of both, never a crash`, () => {
      fc.assert(
        fc.property(anyMessage(dialect, 15), (message) => {
          const good = encoded(table, message)
          for (let turn = 0; turn < 4; turn++) generated.decode(good)
          for (let length = 0; length < good.length; length++) {
            const cut = Buffer.from(good.subarray(0, length))
            expect(isMessageError(generated.decode(cut))).toBe(true)
            compareDecoders(table, generated, cut)
            // The same bytes with the rest still behind them in memory must not be read either.
            expect(generated.decode(good, 0, length)).toEqual(table.decode(good, 0, length))
          }
          compareDecoders(table, generated, Buffer.concat([good, Buffer.from([0x30])]))
        }),
        runs(4)
      )
    })

    it(`${dialect.name}: both encoders agree on values that break a rule`, () => {
      fc.assert(
        fc.property(anyMessage(dialect, 8), wild, ({ mti, fields }, changes) => {
          const message = { mti, fields: { ...fields, ...changes } }
          for (let turn = 0; turn < 5; turn++) expect(generated.encode(message)).toEqual(table.encode(message))
        }),
        runs(20)
      )
    })
  }
})

const compareDecoders = (table: Codec, generated: Codec, message: Buffer): void => {
  const one = table.decode(message)
  const other = generated.decode(message)
  if (isMessageError(one) || isMessageError(other)) expect(other).toEqual(one)
  else expect(revealed(other)).toEqual(revealed(one))
}

describe("Errors of a message", () => {
  const codec = compile(iso8583v1987AsciiRaw)
  const good = encoded(codec, {
    mti: "0200",
    fields: { 2: "6225881234567890", 3: "000000", 11: "123456", 41: "TERM0001" }
  })
  const changed = (at: number, text: string): Buffer => {
    const message = Buffer.from(good)
    message.write(text, at, "latin1")
    return message
  }

  it("name the field, the offset and the rule, and hold no value", () => {
    expect(codec.decode(changed(0, "02A0"))).toEqual({ _tag: "MtiInvalid", offset: 0, rule: "digits" })
    expect(codec.decode(changed(12, "1A"))).toEqual({ _tag: "FieldInvalid", de: 2, offset: 12, rule: "length-digits" })
    expect(codec.decode(changed(12, "20"))).toEqual({ _tag: "FieldInvalid", de: 2, offset: 12, rule: "length" })
    expect(codec.decode(changed(16, "X"))).toEqual({ _tag: "FieldInvalid", de: 2, offset: 12, rule: "digits" })
    expect(codec.decode(changed(30, "X"))).toEqual({ _tag: "FieldInvalid", de: 3, offset: 30, rule: "digits" })
    expect(codec.decode(changed(44, "\u0001"))).toEqual({ _tag: "FieldInvalid", de: 41, offset: 42, rule: "text" })
    expect(codec.decode(good.subarray(0, 45))).toEqual({ _tag: "FieldInvalid", de: 41, offset: 42, rule: "short" })
    expect(codec.decode(Buffer.concat([good, Buffer.from("1")]))).toEqual({
      _tag: "TrailingBytes",
      offset: 50,
      bytes: 1
    })
    expect(codec.decode(good.subarray(0, 11))).toEqual({ _tag: "TooShort", offset: 11 })

    const error = codec.decode(changed(16, "X"))
    expect(JSON.stringify(error)).not.toContain("62258")
    expect(explain(error as never)).toBe("field 2 at byte 12: only the digits 0-9 are allowed")
  })

  it("count offsets from the message's own start, header included", () => {
    const stream = Buffer.concat([Buffer.alloc(7), changed(16, "X")])
    expect(codec.decode(stream, 7, stream.length)).toMatchObject({ de: 2, offset: 12 })

    const centre = compile(cups)
    const message = encoded(centre, { mti: "0200", fields: { 3: "000000" } })
    message[46 + 20] = 0x41

    expect(centre.decode(message)).toEqual({ _tag: "FieldInvalid", de: 3, offset: 66, rule: "digits" })
  })

  it("name a field that the dialect does not define", () => {
    const small = derive(iso8583v1987AsciiRaw, { name: "small", fields: { 3: null } })

    expect(compile(small).decode(good)).toEqual({ _tag: "FieldUnknown", de: 3, offset: 30 })
    expect(compile(small).encode({ mti: "0200", fields: { 3: "000000" } })).toEqual({
      _tag: "FieldUnknown",
      de: 3,
      offset: -1
    })
  })

  it("refuse bits that announce a bitmap the dialect has not", () => {
    const single = derive(iso8583v1987AsciiRaw, {
      name: "single",
      bitmap: { encoding: "binary", secondary: "never" },
      fields: Object.fromEntries(Array.from({ length: 64 }, (_, index) => [index + 65, null]))
    })
    const message = Buffer.from(good)
    message[4]! |= 0x80

    expect(compile(single).decode(message)).toEqual({ _tag: "BitmapInvalid", offset: 4, rule: "value" })

    const centre = encoded(compile(cupsBare), { mti: "0200", fields: { 3: "000000" } })
    centre[4]! &= 0x7f
    expect(compile(cupsBare).decode(centre)).toEqual({ _tag: "BitmapInvalid", offset: 4, rule: "value" })
    expect(compile(iso8583v1987Ascii).decode(Buffer.from("0200G000000000000000"))).toEqual({
      _tag: "BitmapInvalid",
      offset: 4,
      rule: "hex"
    })
  })
})

describe("A partner who sends random bitmaps", () => {
  it("costs no compilation once the limit is reached, and is still read right", () => {
    const codec = compile(iso8583v1987AsciiRaw)
    const table = interpret(iso8583v1987AsciiRaw)
    fc.assert(
      fc.property(anyMessage(iso8583v1987AsciiRaw, 6), (message) => {
        const once = encoded(table, message)
        for (let turn = 0; turn < 6; turn++)
          expect(revealed(decoded(codec, once))).toEqual(revealed(decoded(table, once)))
      }),
      { numRuns: 400 }
    )
  })
})
