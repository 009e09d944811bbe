import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  cupsF62List,
  isTlvInvalid,
  readTagged,
  splitFixed,
  type TaggedValue,
  type Tagging,
  usageLengthValue,
  usageValue,
  writeTagged
} from "../../../packages/codec/src/tlv/index.ts"

interface TaggedVector {
  readonly name: string
  readonly style: "usageLengthValue" | "usageValue" | "cupsF62List"
  readonly hex: string
  readonly values: ReadonlyArray<readonly [string, string]>
}

const { tagged } = JSON.parse(readFileSync(new URL("../../fixtures/security-tlv.json", import.meta.url), "utf8")) as {
  readonly tagged: ReadonlyArray<TaggedVector>
}

const styles = { usageLengthValue, usageValue, cupsF62List } as const
const text = (value: string): Buffer => Buffer.from(value, "latin1")
const ruleOf = (result: unknown): string => (isTlvInvalid(result) ? `${result.rule} at ${result.offset}` : "no error")
const hexOf = (result: unknown): string =>
  Buffer.isBuffer(result) ? result.toString("hex").toUpperCase() : ruleOf(result)

describe("tagging styles inside a network", () => {
  for (const vector of tagged) {
    it(`${vector.name}: is read and built to the same bytes`, () => {
      const values = readTagged(styles[vector.style], Buffer.from(vector.hex, "hex"))
      if (isTlvInvalid(values)) throw new Error(values.rule)

      expect(values.map(({ tag, value }) => [tag, Buffer.from(value).toString("hex").toUpperCase()])).toEqual(
        vector.values.map(([tag, value]) => [tag, value.toUpperCase()])
      )
      expect(hexOf(writeTagged(styles[vector.style], values))).toBe(vector.hex)
    })
  }

  it("reads a list behind a usage by two styles, one after the other", () => {
    const field = readTagged(usageValue, text("IOT00200T39A0"))
    const list = isTlvInvalid(field) ? field : readTagged(cupsF62List, field[0]!.value)

    expect(isTlvInvalid(list) ? list.rule : list.map(({ tag }) => tag)).toEqual(["T00", "T39"])
  })

  it("names place and rule of a fault", () => {
    expect(ruleOf(readTagged(usageLengthValue, text("S")))).toBe("tag-truncated at 0")
    expect(ruleOf(readTagged(usageLengthValue, text("AA002xxSM01")))).toBe("length-truncated at 9")
    expect(ruleOf(readTagged(usageLengthValue, text("SM0x6")))).toBe("length-not-digits at 2")
    expect(ruleOf(readTagged(usageLengthValue, text("AA002xxSM016abc")))).toBe("value-truncated at 7")
    expect(ruleOf(readTagged(cupsF62List, text("T99x")))).toBe("tag-unknown at 0")
    expect(ruleOf(readTagged({ ...cupsF62List, tagLength: 11 }, text("constructor")))).toBe("tag-unknown at 0")
    expect(ruleOf(readTagged({ style: "tag-fixed", tagLength: 0, lengths: { "": 0 } }, text("x")))).toBe(
      "tag-invalid at 0"
    )
    expect(ruleOf(readTagged(usageValue, new Uint8Array(10_000)))).toBe("input-too-long at 0")
  })

  it("refuses to build what does not fit the style", () => {
    expect(ruleOf(writeTagged(usageLengthValue, [{ tag: "SMX", value: text("") }]))).toBe("tag-invalid at 0")
    expect(ruleOf(writeTagged(usageLengthValue, [{ tag: "\u94f6\u884c", value: text("") }]))).toBe("tag-invalid at 0")
    expect(ruleOf(writeTagged(usageLengthValue, [{ tag: "SM", value: new Uint8Array(1_000) }]))).toBe(
      "value-invalid at 0"
    )
    expect(ruleOf(writeTagged(cupsF62List, [{ tag: "T39", value: text("0") }]))).toBe("value-invalid at 0")
    expect(ruleOf(writeTagged(cupsF62List, [{ tag: "T40", value: text("0") }]))).toBe("tag-unknown at 0")

    const two = [
      { tag: "AO", value: text("1") },
      { tag: "AO", value: text("1") }
    ]
    expect(ruleOf(writeTagged(usageValue, two))).toBe("value-invalid at 0")
  })

  it("comes back from random values in every style", () => {
    fc.assert(
      fc.property(styleAndValues, ({ tagging, values }) => {
        const built = writeTagged(tagging, values)
        if (isTlvInvalid(built)) throw new Error(built.rule)
        const read = readTagged(tagging, built)

        expect(isTlvInvalid(read) ? read.rule : read.map(plain)).toEqual(values.map(plain))
      })
    )
  })

  it("of random bytes never throws, and what is read is built to the same bytes", () => {
    const near = fc.stringMatching(/^(?:SM00[0-4]|AO00[0-9]|T00|T39|T41|[ -~]){0,12}$/).map(text)
    fc.assert(
      fc.property(
        fc.constantFrom<Tagging>(usageLengthValue, usageValue, cupsF62List),
        fc.oneof(near, fc.uint8Array({ maxLength: 40 })),
        (tagging, bytes) => {
          const read = readTagged(tagging, bytes)
          if (!isTlvInvalid(read))
            expect(hexOf(writeTagged(tagging, read))).toBe(Buffer.from(bytes).toString("hex").toUpperCase())
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it("cuts values into parts of known lengths that make up the value again", () => {
    expect(splitFixed(text("0010020260711"), [3, 8, 8]).map(String)).toEqual(["001", "00202607", "11"])
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 5 }),
        (value, lengths) => {
          expect(Buffer.concat(splitFixed(value, lengths)).equals(Buffer.from(value))).toBe(true)
        }
      )
    )
  })
})

const plain = ({ tag, value }: TaggedValue): string => `${tag}:${Buffer.from(value).toString("hex")}`

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

const styleAndValues: fc.Arbitrary<{ readonly tagging: Tagging; readonly values: ReadonlyArray<TaggedValue> }> =
  fc.oneof(
    fc.record({
      tagging: fc.constant(usageLengthValue),
      values: fc.array(
        fc.record({ tag: fc.constantFrom("SM", "AO", "ON", "99"), value: fc.uint8Array({ maxLength: 300 }) }),
        { maxLength: 5 }
      )
    }),
    fc.record({
      tagging: fc.constant(usageValue),
      values: fc.array(fc.record({ tag: fc.constantFrom("SM", "AO"), value: fc.uint8Array({ maxLength: 300 }) }), {
        maxLength: 1
      })
    }),
    fc.record({
      tagging: fc.constant(cupsF62List),
      values: fc.array(
        fc
          .constantFrom(...Object.entries(cupsF62List.lengths))
          .chain(([tag, length]) => bytesOf(length).map((value) => ({ tag, value }))),
        { maxLength: 6 }
      )
    })
  )
