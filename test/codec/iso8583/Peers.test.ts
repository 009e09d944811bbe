import {
  type Codec,
  compile,
  derive,
  Framer,
  interpret,
  isMessageError,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  messageToJson,
  tpdu5
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

/** A bank's terminals: a version behind the TPDU, and lengths of three digits in two packed bytes. */
const terminal = derive(iso8583v1987Bcd, {
  name: "terminal",
  header: {
    ...tpdu5,
    name: "tpduAndVersion",
    parts: [...tpdu5.parts, { name: "version", bytes: 2, form: "hex", value: "0100" }]
  },
  fields: {
    24: { format: "n3", align: "right" },
    46: { format: "b...999" },
    61: { format: "ans...999" }
  }
})

describe("A terminal's sign-on as a Chinese bank's developer published it", () => {
  const { hex, header, mti, fields } = fixture.terminal
  const bytes = Buffer.from(hex, "hex")

  it("is read and written alike by a dialect of a few lines", () => {
    const message = bytes.subarray(2)
    for (const codec of [interpret(terminal), compile(terminal)]) {
      for (let turn = 0; turn < 5; turn++) {
        const decoded = codec.decode(message)
        if (isMessageError(decoded)) throw new Error(JSON.stringify(decoded))
        expect(messageToJson(decoded, { reveal: true })).toEqual({ header, mti, fields })
        expect(codec.encode(decoded)).toEqual(message)
      }
    }
  })

  it("never comes out of a framer: the length in front of it is wrong, in every way to read it", () => {
    for (const encoding of ["binary", "bcd"] as const) {
      const framer = new Framer({ kind: "length", encoding, bytes: 2, lengthMax: 4096, idle: "zero-length" })
      const found: Array<number> = []
      const sink = { frame: (_: Buffer, start: number, end: number) => found.push(end - start), idle: () => {} }
      expect(framer.push(bytes, sink)).toBeUndefined()
      expect(framer.end(sink)).toMatchObject({ _tag: "FrameTruncated" })
      expect(found).toEqual([])
    }
  })
})
