/** Headers as data: any list of parts is read, checked, written back and turned around, by generated code as by the table. */
import {
  answerHeader,
  type Codec,
  compile,
  type Dialect,
  derive,
  type HeaderFormat,
  type HeaderValues,
  headerLayout,
  headers,
  interpret,
  isMessageError,
  iso8583v1987AsciiRaw,
  MessageIndex,
  PatchList,
  readDialect,
  readHeader
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { anyOrShipped, anyValues } from "./anyHeader.ts"
import { bytes, decoded, encoded, revealed } from "./plain.ts"

const behind = (header: HeaderFormat): Dialect => derive(iso8583v1987AsciiRaw, { name: "behind", header })

const fields = { 3: "000000", 11: "123456", 41: "TERM0001" }

const headerAndValues = anyOrShipped.chain((header) => fc.tuple(fc.constant(header), anyValues(header)))

/** The values that a message will have: the length is its own, and without a reject its code is the normal one. */
const kept = (header: HeaderFormat, values: HeaderValues, length: string | undefined): HeaderValues => {
  const { total, reject } = headerLayout(header)
  return {
    ...values,
    ...(total === undefined ? {} : { [total.name]: length! }),
    ...(reject === undefined ? {} : { [reject.name]: reject.value.padEnd(reject.form === "text" ? reject.bytes : 0) })
  }
}

const both = (header: HeaderFormat): ReadonlyArray<Codec> => [interpret(behind(header)), compile(behind(header))]

describe("Any header", () => {
  it("comes back part by part and byte by byte, with its length right", () => {
    fc.assert(
      fc.property(headerAndValues, ([header, values]) => {
        const { total, bytes: size } = headerLayout(header)
        for (const codec of both(header)) {
          const given = kept(header, values, "0")
          for (let turn = 0; turn < 5; turn++) {
            const message = encoded(codec, { mti: "0200", header: given, fields })
            const said = total?.length === "message" ? message.length - size : message.length
            const length =
              total?.form === "binary"
                ? String(said)
                : String(said).padStart(total?.form === "bcd" ? 2 * total.bytes : 4, "0")
            const index = new MessageIndex()
            expect(codec.index(message, 0, message.length, index)).toBeUndefined()
            const read = decoded(codec, message)
            expect(read.header).toEqual(kept(header, values, length))
            expect(readHeader(header, message, 0)).toEqual(read.header)
            expect(encoded(codec, read)).toEqual(message)
          }
        }
      }),
      runs(100)
    )
  })

  it("makes an answer's header by patching as by its values", () => {
    fc.assert(
      fc.property(headerAndValues, ([header, values]) => {
        for (const codec of both(header)) {
          const message = encoded(codec, { mti: "0200", header: kept(header, values, "0"), fields })
          const index = new MessageIndex()
          expect(codec.index(message, 0, message.length, index)).toBeUndefined()
          const patches = new PatchList()
          patches.mti(210)
          patches.answer()
          patches.set(39, "00")
          const out = Buffer.alloc(codec.patchedLength(index, patches))
          const answer = out.subarray(0, codec.patch(index, patches, out, 0))
          const built = encoded(codec, {
            mti: "0210",
            header: answerHeader(header, readHeader(header, message, 0)),
            fields: { ...fields, 39: "00" }
          })
          expect(answer).toEqual(built)
        }
      }),
      runs(75)
    )
  })

  it("says that a message is a reject, and writes it back whatever the original's header holds", () => {
    const damaged = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
    fc.assert(
      fc.property(headerAndValues, damaged, ([header, values], changes) => {
        const { reject, bytes: size } = headerLayout(header)
        // The code of the values may happen to be the normal one.
        fc.pre(reject !== undefined && values[reject.name] !== kept(header, values, "0")[reject.name])
        const rejected = { ...values }
        for (const codec of both(header)) {
          const message = codec.encode({ mti: "0200", header: kept(header, values, "0"), rejected, fields })
          expect(Buffer.isBuffer(message)).toBe(true)
          const whole = message as Buffer
          for (const [at, byte] of changes) whole[size + (at % size)] = byte
          const index = new MessageIndex()
          expect(codec.index(whole, 0, whole.length, index)).toBeUndefined()
          expect(index.rejectCode).not.toBe(0)
          expect(index.start).toBe(size)
          for (let turn = 0; turn < 5; turn++) expect(encoded(codec, decoded(codec, whole))).toEqual(whole)
        }
      }),
      runs(75)
    )
  })

  it("is refused by all readers alike where a part is not as the list says", () => {
    fc.assert(
      fc.property(
        headerAndValues,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1 }),
        ([header, values], changes) => {
          const [table, generated] = both(header) as [Codec, Codec]
          const { bytes: size } = headerLayout(header)
          const good = encoded(table, { mti: "0200", header: kept(header, values, "0"), fields })
          for (const [at, byte] of changes) {
            const bad = Buffer.from(good)
            bad[at % size] = byte
            const [one, other] = [new MessageIndex(), new MessageIndex()]
            const wrong = table.index(bad, 0, bad.length, one)
            expect(generated.index(bad, 0, bad.length, other)).toEqual(wrong)
            expect(other.rejectCode).toBe(one.rejectCode)
            for (const codec of [table, generated]) {
              const read = codec.decode(bad)
              expect(isMessageError(read) ? read : undefined).toEqual(wrong)
            }
            if (wrong === undefined) expect(revealed(decoded(generated, bad))).toEqual(revealed(decoded(table, bad)))
          }
        }
      ),
      runs(75)
    )
  })
})

describe("The headers that ship", () => {
  const first = (name: string, header: HeaderValues = {}): string => {
    const format = headers[name]!
    const message = encoded(compile(behind(format)), { mti: "0800", header, fields: { 11: "000001" } })
    return message.toString("hex", 0, headerLayout(format).bytes)
  }

  it("are as long as their names say and as their sources have them", () => {
    const sizes = Object.fromEntries(
      Object.entries(headers).map(([name, format]) => [name, headerLayout(format).bytes])
    )

    expect(sizes).toEqual({
      cups46: 46,
      cupd41: 41,
      tpdu5: 5,
      tpdu6: 11,
      base24: 12,
      visa22: 22,
      text8: 8,
      text10: 10,
      text12: 12
    })
    // The body is 4 + 8 + 6 bytes.
    expect(first("visa22", { destination: "400001", source: "200002" })).toBe(
      "160102002840000120000200000000000000000000" + "00"
    )
    expect(Buffer.from(first("base24"), "hex").toString()).toBe("ISO026000010")
    expect(first("cupd41")).toMatch(/^290130303539/)
    expect(Buffer.from(first("text10", { text: "0123456789" }), "hex").toString()).toBe("0123456789")
  })

  it("of CUPD is read as its public sample", () => {
    const sample = "2901303530383030303030303030303030303030303030303030303030303030303030303030303030303030"
    expect(readHeader(headers["cupd41"]!, bytes(sample.slice(0, 82)), 0)).toMatchObject({
      headerLength: "29",
      totalLength: "0508",
      destination: "00000000000",
      source: "00000000000"
    })
  })

  it("of Visa is refused when its inner length is not that of the message", () => {
    const codec = compile(behind(headers["visa22"]!))
    const message = encoded(codec, { mti: "0800", fields: { 11: "000001" } })
    message[4]! += 1

    expect(codec.decode(message)).toEqual({
      _tag: "HeaderInvalid",
      part: "totalLength",
      offset: 3,
      rule: "total-length"
    })
  })
})

describe("A header in a dialect file", () => {
  it("is a list of parts, and behaves like a shipped one", () => {
    const dialect = readDialect(`
name: harbour
extends: iso8583v1987AsciiRaw
header:
  - { name: start, bytes: 3, form: text, value: HBR, fixed: true }
  - { name: length, bytes: 2, form: binary, length: message }
  - { name: destination, bytes: 4, form: bcd, address: destination, answer: source }
  - { name: source, bytes: 4, form: bcd, address: source, answer: destination }
  - { name: sequence, bytes: 4, form: digits, answer: echo }
  - { name: answered, bytes: 1, form: digits, value: "0", answer: own }
`) as Dialect
    const codec = compile(dialect)
    const header = { destination: "48020000", source: "1030000", sequence: "7", answered: "1" }

    const message = encoded(codec, { mti: "0800", header, fields: { 11: "000001" } })

    expect(message.toString("hex", 0, 18)).toBe(`484252${"0012"}${"48020000"}${"01030000"}${"30303037"}${"31"}`)
    expect(answerHeader(dialect.header!, decoded(codec, message).header!)).toMatchObject({
      destination: "01030000",
      source: "48020000",
      sequence: "0007",
      answered: "0"
    })
  })

  it("names what is wrong with it, and where", () => {
    const wrong = (header: string): string => {
      const result = readDialect(`name: x\nextends: cups\nheader: ${header}\n`)
      return "rule" in result ? `${result.path}: ${result.rule}` : "good"
    }

    expect(wrong("cups64")).toContain("header: one of none, cups46, cupd41")
    expect(wrong("[]")).toBe("header: a header has at least one part")
    expect(wrong("[{ name: a, bytes: 2 }]")).toBe("header.1.form: is missing")
    expect(wrong("[{ name: a, bytes: 2, form: ebcdic }]")).toBe(
      "header.1.form: one of text, digits, bcd, binary, hex is expected"
    )
    expect(wrong("[{ name: a, bytes: 2, form: text, lenght: all }]")).toContain(
      "header.1.lenght: there is no such setting"
    )
    expect(wrong("[{ name: a, bytes: 2, form: text, answer: b }]")).toBe(
      "header: part a: there is no part b to answer with"
    )
    expect(wrong("[{ name: a, bytes: 2, form: text, value: 12 }]")).toContain("header.1.value: a value in quotes")
    expect(wrong("{ name: h, parts: [{ name: a, bytes: 2, form: text }] }")).toBe("good")
    expect(wrong("null")).toBe("good")
    expect(wrong("7")).toBe("header: names and values are expected")
  })
})
