/** Whatever a dialect says, generated code and the table do the same, and what is written is read back. */
import {
  type Codec,
  compile,
  type Dialect,
  derive,
  interpret,
  isMessageError,
  iso8583v1987AsciiRaw,
  type Message,
  MessageIndex,
  PatchList,
  reveal
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { anyDialect } from "./anyDialect.ts"
import { anyMessage, anyText } from "./arbitrary.ts"
import { decoded, encoded, revealed } from "./plain.ts"

/** A dialect and some messages of it. */
const dialectAndMessages = (messages: number): fc.Arbitrary<readonly [Dialect, ReadonlyArray<Message>]> =>
  anyDialect.chain((dialect) =>
    fc.tuple(fc.constant(dialect), fc.array(anyMessage(dialect, 12), { minLength: 1, maxLength: messages }))
  )

const compareDecoders = (table: Codec, generated: Codec, message: Buffer, start: number, end: number): void => {
  const one = table.decode(message, start, end)
  const other = generated.decode(message, start, end)
  if (isMessageError(one) || isMessageError(other)) expect(other).toEqual(one)
  else expect(revealed(other)).toEqual(revealed(one))
}

describe("Any dialect", () => {
  it("reads what it writes, byte for byte, by generated code as by the table", () => {
    fc.assert(
      fc.property(dialectAndMessages(3), ([dialect, messages]) => {
        const table = interpret(dialect)
        const generated = compile(dialect)
        for (const message of messages) {
          const once = encoded(table, message)
          for (let turn = 0; turn < 5; turn++) {
            expect(encoded(generated, message)).toEqual(once)
            const again = decoded(generated, once)
            expect(revealed(again)).toEqual(revealed(decoded(table, once)))
            expect(encoded(generated, again)).toEqual(once)
            expect(encoded(table, again)).toEqual(once)
          }
        }
      }),
      runs(75)
    )
  })

  it("takes damaged and cut messages alike by both, and reads nothing behind their end", () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(dialectAndMessages(1), fc.array(damage, { maxLength: 20 }), ([dialect, [message]], damages) => {
        const table = interpret(dialect)
        const generated = compile(dialect)
        const good = encoded(table, message!)
        for (let turn = 0; turn < 4; turn++) generated.decode(good)
        for (const changes of damages) {
          const bad = Buffer.from(good)
          for (const [at, byte] of changes) bad[at % bad.length] = byte
          compareDecoders(table, generated, bad, 0, bad.length)
          const result = table.decode(bad)
          if (isMessageError(result) || dialect.lenient === true) continue
          const again = table.encode(result)
          expect(isMessageError(again)).toBe(false)
        }
        for (let length = 0; length < good.length; length++) {
          compareDecoders(table, generated, good, 0, length)
          // What follows the end makes no difference.
          const alone = Buffer.concat([good.subarray(0, length), Buffer.alloc(40, 0x43)])
          expect(table.decode(alone, 0, length)).toEqual(table.decode(good, 0, length))
        }
      }),
      runs(50)
    )
  })

  it("takes values that break a rule alike by both", () => {
    const wild = fc.dictionary(
      fc.integer({ min: 1, max: 192 }).map(String),
      fc.oneof(
        fc.string({ maxLength: 20 }),
        anyText(12),
        fc.stringMatching(/^[0-9]{0,99}$/),
        fc.uint8Array({ maxLength: 80 })
      ),
      { maxKeys: 4 }
    )
    fc.assert(
      fc.property(dialectAndMessages(1), wild, ([dialect, [message]], changes) => {
        const table = interpret(dialect)
        const generated = compile(dialect)
        const wrong = { mti: message!.mti, fields: { ...message!.fields, ...changes } }
        for (let turn = 0; turn < 5; turn++) expect(generated.encode(wrong)).toEqual(table.encode(wrong))
        const defined: Message["fields"] = { ...message!.fields }
        for (const { de } of table.layout.defined) {
          const value = Object.values(changes)[de % 4]
          if (value !== undefined) defined[de] = value
        }
        const other = { mti: message!.mti, fields: defined }
        for (let turn = 0; turn < 5; turn++) expect(generated.encode(other)).toEqual(table.encode(other))
      }),
      runs(75)
    )
  })

  it("is patched to the bytes that decoding, changing and encoding gives", () => {
    fc.assert(
      fc.property(dialectAndMessages(2), fc.integer(), ([dialect, [one, two]], pick) => {
        const codec = compile(dialect)
        const message = encoded(codec, one!)
        const index = new MessageIndex()
        expect(codec.index(message, 0, message.length, index)).toBeUndefined()
        const patches = new PatchList()
        const fields: Message["fields"] = { ...one!.fields }
        for (const { de } of codec.layout.defined) {
          const value = two?.fields[de]
          const turn = (pick + de) & 3
          if (turn === 0) {
            patches.remove(de)
            delete fields[de]
          } else if (turn === 1 && value !== undefined) {
            patches.set(de, value as string)
            fields[de] = value
          }
        }
        expect(codec.checkPatches(patches)).toBeUndefined()
        const out = Buffer.alloc(codec.patchedLength(index, patches) + 8, 0xaa)
        const length = codec.patch(index, patches, out, 4)
        expect(out.subarray(4, 4 + length)).toEqual(encoded(codec, { mti: one!.mti, fields }))
        expect(length + 8).toBeLessThanOrEqual(out.length)
        expect(codec.patched(index, patches)).toEqual(encoded(codec, { mti: one!.mti, fields }))
        expect(out.fill(0xaa, 4, 4 + length)).toEqual(Buffer.alloc(out.length, 0xaa))
      }),
      runs(75)
    )
  })

  it("is covered in the same length, readable, and without a digit of what was covered", () => {
    fc.assert(
      fc.property(dialectAndMessages(1), ([dialect, [message]]) => {
        const codec = compile(dialect)
        const bytes = encoded(codec, message!)
        const index = new MessageIndex()
        expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
        const out = Buffer.alloc(bytes.length)
        expect(codec.redact(index, out, 0)).toBe(bytes.length)
        const covered = new MessageIndex()
        expect(codec.index(out, 0, out.length, covered)).toBeUndefined()
        const key = Buffer.alloc(2 * bytes.length + 200)
        codec.matchKey(
          index,
          codec.layout.defined.map(({ de }) => de),
          key,
          0
        )
        for (const { de, sensitivity, content } of codec.layout.sensitive) {
          if (!index.has(de) || sensitivity === "pan" || content === "b") continue
          expect(covered.text(de)).toMatch(/^[CDE0*]*$/)
        }
        expect(codec.withoutSad(index).length).toBeLessThanOrEqual(bytes.length)
      }),
      runs(75)
    )
  })
})

describe("A length prefix", () => {
  const both = (format: string, more: object): ReadonlyArray<Codec> => {
    const dialect = derive(iso8583v1987AsciiRaw, { name: "p", fields: { 2: { format, ...more } } })
    return [interpret(dialect), compile(dialect)]
  }
  const repeated = (codec: Codec, value: string | Uint8Array): unknown => {
    for (let turn = 0; turn < 5; turn++) codec.encode({ mti: "0200", fields: { 2: value } })
    return codec.encode({ mti: "0200", fields: { 2: value } })
  }
  const tooLong = { _tag: "FieldInvalid", de: 2, offset: -1, rule: "length" }

  it("that counts bytes of packed digits never makes a card number longer", () => {
    for (const codec of both("n..19", { encoding: "bcd", counts: "bytes" })) {
      expect(repeated(codec, "371449635398431")).toEqual(tooLong)
      expect(Buffer.isBuffer(repeated(codec, "6224240000000005"))).toBe(true)
    }
    for (const codec of both("n..19", { encoding: "bcd", counts: "bytes", fill: 15 })) {
      const message = repeated(codec, "371449635398431") as Buffer
      expect(message.toString("hex", 12)).toBe("3038371449635398431f")
      for (let turn = 0; turn < 5; turn++) expect(reveal(decoded(codec, message).fields[2]!)).toBe("371449635398431")
    }
  })

  it("never says less than what follows it", () => {
    for (const codec of both("b..60", { encoding: "hex", counts: "bytes" }))
      expect(repeated(codec, Buffer.alloc(60))).toEqual(tooLong)
  })

  it("of zero in front of a signed packed amount leaves the next byte to the next field", () => {
    for (const codec of both("x+n..8", { encoding: "bcd", counts: "bytes" })) {
      const message = Buffer.concat([Buffer.from("0200"), Buffer.from("4000000000000000", "hex"), Buffer.from("00C")])
      const sign = { _tag: "FieldInvalid", de: 2, offset: 12, rule: "sign" }
      for (let turn = 0; turn < 5; turn++) expect(codec.decode(message, 0, message.length - 1)).toEqual(sign)
    }
  })
})
