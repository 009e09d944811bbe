/** Odd numbers in packed decimal: where their digits are and what fills the nibble that is left, for every field that ships. */
import {
  type Codec,
  compile,
  type Dialect,
  derive,
  dialects,
  interpret,
  iso8583v1987Bcd,
  MessageIndex
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-packed.json" with { type: "json" }
import { bytes, encoded, revealed } from "./plain.ts"

interface Rules {
  readonly source: string
  readonly fill: number
  readonly fields: { readonly [de: string]: string }
}

const rules: { readonly [dialect: string]: Rules } = fixture.dialects

const packedOdd = (codec: Codec): ReadonlyArray<string> =>
  codec.layout.defined
    .filter(
      ({ encoding, fixed, units, content }) => encoding === "bcd" && content !== "xn" && (fixed < 0 || units % 2 === 1)
    )
    .map(({ de }) => String(de))

/** Both readers, the generated one warm. */
const both = (dialect: Dialect): ReadonlyArray<Codec> => [interpret(dialect), compile(dialect)]

const readings = (codec: Codec, message: Buffer, de: number): ReadonlyArray<unknown> =>
  Array.from({ length: 5 }, () => {
    const index = new MessageIndex()
    expect(codec.index(message, 0, message.length, index)).toBeUndefined()
    const result = codec.decode(message)
    return "_tag" in result ? result : [revealed(result).fields[de], index.text(de)]
  })

describe("Every packed field of a shipped dialect", () => {
  for (const [name, dialect] of Object.entries(dialects)) {
    const codecs = both(dialect)
    const table = codecs[0]!
    const odd = packedOdd(table)
    if (odd.length === 0 && rules[name] === undefined) continue

    it(`${name}: has its digits and its filling where the source says`, () => {
      const { fields, fill, source } = rules[name]!

      expect(source.length).toBeGreaterThan(40)
      expect(Object.keys(fields)).toEqual(odd)
      for (const [de, align] of Object.entries(fields)) {
        const field = table.layout.fields[Number(de)]!
        const units = field.fixed < 0 ? Math.min(field.units - (1 - (field.units % 2)), 7) : field.units
        const digits = "1357924680135792468013579".slice(0, units)
        const nibbles = align === "left" ? `${digits}${fill}` : `${fill}${digits}`
        for (const codec of codecs) {
          const message = encoded(codec, { mti: "0200", fields: { [de]: digits } })
          expect(message.toString("hex").endsWith(nibbles)).toBe(true)
          for (const reading of readings(codec, message, Number(de))) expect(reading).toEqual([digits, digits])
        }
      }
    })

    it(`${name}: takes 0 and F as the filling, and no other nibble`, () => {
      for (const [de, align] of Object.entries(rules[name]!.fields)) {
        const field = table.layout.fields[Number(de)]!
        const units = field.fixed < 0 ? Math.min(field.units - (1 - (field.units % 2)), 7) : field.units
        const digits = "1357924680135792468013579".slice(0, units)
        const good = encoded(table, { mti: "0200", fields: { [de]: digits } })
        const at = align === "left" ? good.length - 1 : good.length - (units + 1) / 2
        for (let nibble = 0; nibble < 16; nibble++) {
          const message = Buffer.from(good)
          message[at] = align === "left" ? (good[at]! & 0xf0) | nibble : (nibble << 4) | (good[at]! & 15)
          const isTaken = nibble === 0 || nibble === 15
          for (const codec of codecs)
            for (const reading of readings(codec, message, Number(de)))
              expect(reading).toEqual(
                isTaken ? [digits, digits] : expect.objectContaining({ de: Number(de), rule: "fill" })
              )
        }
      }
    })
  }
})

describe("A filling nibble", () => {
  const fromJpos = bytes("0200000000010000000011060104000000")

  it("is behind the digits of an acquirer's code as jPOS writes it", () => {
    for (const codec of both(iso8583v1987Bcd))
      for (const reading of readings(codec, fromJpos, 32)) expect(reading).toEqual(["06010400000", "06010400000"])
  })

  it("of F closes a track 2", () => {
    const track = "6212345678901234d11110000000000000000f"
    const message = bytes(`02000000000020000000${"37"}${track}`)
    for (const codec of both(iso8583v1987Bcd))
      for (const reading of readings(codec, message, 35))
        expect(reading).toEqual(["6212345678901234=11110000000000000000", "6212345678901234=11110000000000000000"])
  })

  it("is refused where the dialect forbids all others", () => {
    const strict = derive(iso8583v1987Bcd, { name: "strict", encodings: { fills: [] } })
    const message = bytes("02000000000100000000110601040000 0f".replaceAll(" ", ""))

    for (const codec of both(strict)) {
      for (const reading of readings(codec, message, 32)) expect(reading).toMatchObject({ de: 32, rule: "fill" })
      for (const reading of readings(codec, fromJpos, 32)) expect(reading).toEqual(["06010400000", "06010400000"])
    }
    expect(() => interpret(derive(strict, { name: "wrong", encodings: { fills: [16] } }))).toThrow(/fills/)
  })
})
