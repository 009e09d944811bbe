import { compile, cups, derive, interpret, unionPayPos } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-messages.json" with { type: "json" }
import { bytes, decoded, encoded, revealed } from "./plain.ts"

const cupsBare = derive(cups, { name: "cupsBare", header: null })

describe("CUPS messages of public sources", () => {
  const codecs = [interpret(cupsBare), compile(cupsBare)]
  for (const vector of fixture.messages) {
    if (vector.interface !== "CUPS centre, no length and no header" || vector.decode === undefined) continue
    const { hex, decode } = vector

    it(`decodes ${vector.name} to the published values and encodes the same bytes`, () => {
      for (const codec of codecs) {
        for (let turn = 0; turn < 6; turn++) {
          const message = decoded(codec, bytes(hex!))
          const { mti, fields } = revealed(message)
          const published = Object.entries(decode as unknown as Record<string, string | { hex: string }>)
          for (const [name, value] of published) {
            if (name === "bitmap") continue
            const shown = name === "0" ? mti : fields[name]
            const field = codec.layout.fields[Number(name)]
            if (typeof value === "object") {
              const asHex =
                field?.bytes === true
                  ? shown
                  : Buffer.from(shown ?? "", "latin1")
                      .toString("hex")
                      .toUpperCase()
              if (field?.encoding !== "gbk") expect(asHex, `field ${name}`).toBe(value.hex.toUpperCase())
            } else expect(shown, `field ${name}`).toBe(value)
          }
          expect(Object.keys(fields).length).toBe(
            published.filter(([name]) => name !== "0" && name !== "bitmap").length
          )
          expect(encoded(codec, message).toString("hex").toUpperCase()).toBe(hex)
        }
      }
    })
  }

  it("reports the damaged public sample at the place where it breaks, without a value", () => {
    const damaged = fixture.messages.find(({ name }) => name.includes("DAMAGED"))!
    for (const codec of codecs) {
      const error = codec.decode(bytes(damaged.hex!))
      expect(error).toEqual({ _tag: "TrailingBytes", offset: damaged.bytesConsumed, bytes: 6 })
    }
  })
})

describe("UnionPay terminal messages of public sources", () => {
  for (const vector of fixture.messages) {
    if (!vector.interface.startsWith("UnionPay POS") || vector.hex === undefined) continue
    const dialect = vector.interface.includes("no length/TPDU")
      ? derive(unionPayPos, { name: "bare", header: null })
      : unionPayPos
    const message = bytes(vector.hex).subarray(vector.interface.startsWith("UnionPay POS: 2-byte") ? 2 : 0)

    it(`decodes ${vector.name} to the published values and encodes the same bytes`, () => {
      for (const codec of [interpret(dialect), compile(dialect)]) {
        for (let turn = 0; turn < 5; turn++) {
          const { mti, fields } = revealed(decoded(codec, message))
          for (const [name, value] of Object.entries(
            vector.decode as unknown as Record<string, string | { hex: string; gbk?: string }>
          )) {
            if (name === "bitmap" || name.includes("raw")) continue
            const shown = name === "0" ? mti : fields[name]
            const isText = typeof value === "string"
            const expected = isText ? value : codec.layout.fields[Number(name)]?.bytes === true ? value.hex : value.gbk
            if (expected !== undefined)
              expect(shown?.replace("=", "D"), `field ${name}`).toBe(expected.replace("=", "D"))
          }
          expect(encoded(codec, decoded(codec, message))).toEqual(message)
        }
      }
    })
  }
})
