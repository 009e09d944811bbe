import {
  type Codec,
  compile,
  derive,
  interpret,
  isMessageError,
  iso8583v1987AsciiRaw,
  messageToJson
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-peers.json" with { type: "json" }

/** The peer's host always sends 32 hex digits of bitmap and leaves bit 1 out. */
const fixedBitmaps = derive(iso8583v1987AsciiRaw, {
  name: "fixedBitmaps",
  bitmap: { encoding: "hex", secondary: "fixed" }
})

const codecsOf = (spec: string): ReadonlyArray<Codec> => {
  const dialect = spec.includes("32 ASCII hex") ? fixedBitmaps : iso8583v1987AsciiRaw
  return [interpret(dialect), compile(dialect)]
}

describe("Messages of other libraries", () => {
  for (const { source, spec, hex, fields } of fixture.messages) {
    it(`are read and written alike: ${source}`, () => {
      const message = Buffer.from(hex, "hex")
      for (const codec of codecsOf(spec)) {
        for (let turn = 0; turn < 5; turn++) {
          const decoded = codec.decode(message)
          if (isMessageError(decoded)) throw new Error(JSON.stringify(decoded))
          const shown = messageToJson(decoded, { reveal: true })
          for (const [name, value] of Object.entries(fields)) {
            // Dotted names are tags inside F55.
            if (name.includes(".") || name === "55" || typeof value !== "string") continue
            expect(name === "0" ? shown.mti : shown.fields[name], `field ${name}`).toBe(value)
          }
          expect(codec.encode(decoded)).toEqual(message)
        }
      }
    })
  }
})
