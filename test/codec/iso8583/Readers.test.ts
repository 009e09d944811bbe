/**
 * Four readers of one message: `index` and `decode`, each by generated code and by the table. Whatever the bytes and the dialect,
 * they agree whether the message is valid, on the error, and on each field's place. `index` checks the structure, `decode` the
 * contents too: only a content rule may part them.
 */
import {
  type Codec,
  compile,
  type Dialect,
  explain,
  interpret,
  isMessageError,
  MessageIndex,
  dialects as shipped
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { anyDialect } from "./anyDialect.ts"
import { anyMessage } from "./arbitrary.ts"
import { bytes, encoded, revealed } from "./plain.ts"

/** Rules of contents, which `index` does not look at. */
const contentRules = ["digits", "letters", "letters-digits", "text", "track", "sign", "fill", "hex"]

interface Place {
  readonly de: number
  readonly from: number
  readonly to: number
}

const places = (index: MessageIndex): ReadonlyArray<Place> =>
  Array.from({ length: 193 }, (_, de) => de)
    .filter((de) => index.has(de))
    .map((de) => ({ de, from: index.from(de), to: index.to(de) }))

/** Indexes that have held other messages before, as on a link. */
const used = { table: new MessageIndex(), generated: new MessageIndex() }

const agree = (table: Codec, generated: Codec, message: Buffer): void => {
  const wrong = table.index(message, 0, message.length, used.table)
  expect(generated.index(message, 0, message.length, used.generated)).toEqual(wrong)
  expect(places(used.generated)).toEqual(places(used.table))
  expect(used.generated.mti).toBe(used.table.mti)
  expect(used.generated.rejectCode).toBe(used.table.rejectCode)
  const fresh = new MessageIndex()
  table.index(message, 0, message.length, fresh)
  expect(places(used.table)).toEqual(places(fresh))

  const decoded = table.decode(message)
  const again = generated.decode(message)
  if (isMessageError(decoded) || isMessageError(again)) expect(again).toEqual(decoded)
  else expect(revealed(again)).toEqual(revealed(decoded))
  if (wrong !== undefined) expect(decoded).toEqual(wrong)
  else if (isMessageError(decoded)) {
    if (decoded._tag !== "FieldInvalid") throw new Error(`the index takes it, decode does not: ${explain(decoded)}`)
    expect(contentRules).toContain(decoded.rule)
    const { de, offset } = decoded
    const { prefixBytes } = table.layout.fields[de]!
    expect(used.table.from(de) - prefixBytes - used.table.start).toBe(offset)
  } else expect(Object.keys(decoded.fields).map(Number)).toEqual(places(used.table).map(({ de }) => de))
}

/** Bytes that a message of the dialect may become on a bad day: other bits, other bytes, cut, longer, or anything at all. */
const anyBytes = (dialect: Dialect, table: Codec): fc.Arbitrary<ReadonlyArray<Buffer>> => {
  const { headerBytes, mtiBytes, bitmapBytes } = table.layout
  const bitmap = headerBytes + mtiBytes
  const change = fc.oneof(
    fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }),
    // Often in the bitmaps, where one bit changes all that follows.
    fc.record({
      at: fc.integer({ min: bitmap, max: bitmap + 3 * bitmapBytes }),
      byte: fc.integer({ min: 0, max: 255 })
    })
  )
  return fc
    .tuple(
      anyMessage(dialect, 10),
      fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 4 }),
      fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 2 })
    )
    .map(([message, changes, cuts, wild]) => {
      const good = encoded(table, message)
      const damaged = changes.map((some) => {
        const bad = Buffer.from(good)
        for (const { at, byte } of some) bad[at % bad.length] = byte
        return bad
      })
      return [
        // Code is generated for a set of fields that has come four times.
        ...Array.from({ length: 5 }, () => good),
        ...damaged.flatMap((bad) => [bad, bad, bad, bad, bad]),
        ...cuts.map((at) => good.subarray(0, at % good.length)),
        Buffer.concat([good, Buffer.from("0")]),
        ...wild.map((some) => Buffer.concat([good.subarray(0, bitmap), some])),
        ...wild.map((some) => Buffer.from(some)),
        good
      ]
    })
}

describe("Index and decode, by generated code and by the table", () => {
  for (const dialect of Object.values(shipped)) {
    it(`agree on any bytes in ${dialect.name}`, () => {
      const table = interpret(dialect)
      const generated = compile(dialect)
      fc.assert(
        fc.property(anyBytes(dialect, table), (messages) => {
          for (const message of messages) agree(table, generated, message)
        }),
        runs(10)
      )
    })
  }

  it("agree on any bytes in any dialect", () => {
    const dialectAndBytes = anyDialect.chain((dialect) =>
      fc.tuple(fc.constant(dialect), anyBytes(dialect, interpret(dialect)))
    )
    fc.assert(
      fc.property(dialectAndBytes, ([dialect, messages]) => {
        const table = interpret(dialect)
        const generated = compile(dialect)
        for (const message of messages) agree(table, generated, message)
      }),
      runs(40)
    )
  })

  it("all refuse a second bitmap where the dialect has none", () => {
    const { header: _, ...bare } = shipped["unionPayPos"]!
    const message = bytes("0800 8020000000000000 0000000000000000 000001".replaceAll(" ", ""))
    const wrong = { _tag: "BitmapInvalid", offset: 2, rule: "value" }
    for (const codec of [compile(bare), interpret(bare)])
      for (let turn = 0; turn < 5; turn++) {
        expect(codec.index(message, 0, message.length, new MessageIndex())).toEqual(wrong)
        expect(codec.decode(message)).toEqual(wrong)
      }
  })
})

describe("An index that failed in front of the fields", () => {
  it("is empty, whatever it held before", () => {
    for (const dialect of Object.values(shipped)) {
      for (const codec of [compile(dialect), interpret(dialect)]) {
        const index = new MessageIndex()
        const good = encoded(codec, { mti: "0200", fields: { 3: "000000", 4: "000000000001", 11: "000011" } })
        const bitmap = codec.layout.headerBytes + codec.layout.mtiBytes
        const wrongBit = Buffer.from(good)
        if (dialect.bitmap.encoding === "binary") wrongBit[bitmap]! ^= 0x80
        else wrongBit[bitmap] = 0x58
        for (const bad of [wrongBit, good.subarray(0, bitmap + 4), good.subarray(0, 1), Buffer.alloc(0)]) {
          expect(codec.index(good, 0, good.length, index)).toBeUndefined()
          const error = codec.index(bad, 0, bad.length, index)
          if (error === undefined || !["BitmapInvalid", "TooShort", "HeaderInvalid"].includes(error._tag)) continue
          expect(places(index)).toEqual([])
          expect(index.text(11)).toBe("")
          expect(index.fieldsFrom).toBeLessThanOrEqual(bitmap)
        }
      }
    }
  })
})
