import {
  binaryFrame,
  compile,
  cups,
  cupsFrame,
  type Diagnosis,
  derive,
  examine,
  type FrameFormat,
  frameCandidates,
  interpret,
  isMessageError,
  dialects as shipped,
  wholeFrame
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import frames from "../../fixtures/codec-frames.json" with { type: "json" }
import fixture from "../../fixtures/codec-messages.json" with { type: "json" }
import peers from "../../fixtures/codec-peers.json" with { type: "json" }
import { runs } from "../../Runs.ts"
import { bytes } from "../iso8583/plain.ts"

const named = (name: string): Buffer => bytes(fixture.messages.find((one) => one.name === name)!.hex!)

const framed = (format: FrameFormat, ...messages: ReadonlyArray<Buffer>): Buffer =>
  Buffer.concat(messages.map((message) => wholeFrame(format, message)))

const first = (capture: Buffer): Diagnosis => {
  const [best] = examine(capture)
  if (best === undefined) throw new Error("nothing was found")
  return best
}

/** The format of a shape that the doctor knows by this name. */
const formatOf = (name: string): FrameFormat => frameCandidates.find((one) => one.name === name)!.format!

const shape = ({ frame, dialect }: Diagnosis) => [frame.name, dialect?.name, dialect?.header]

const cupsWhole = named("cups frame built from the previous item")
const cupsBare = named("cups payload test10")
const terminal = named("pos sale 0200 with 2-byte length, chip card, PIN")

describe("The doctor", () => {
  it("knows a CUPS capture with idle frames between the messages", () => {
    const idle = Buffer.from("0000")
    const best = first(Buffer.concat([cupsWhole, idle, cupsWhole, idle, named("cups reject message (constructed)")]))

    expect(shape(best)).toEqual(["ascii4", "cups", "cups46"])
    expect(best).toMatchObject({ frames: 3, idleFrames: 2, openBytes: 0, decoded: 3, stopsAt: undefined })
    expect(best.score).toBeGreaterThan(90)
  })

  it("knows a terminal's message with its 2-byte length, TPDU and header", () => {
    expect(shape(first(terminal))).toEqual(["binary2", "unionPayPos", "tpdu6"])
    expect(first(terminal).score).toBeGreaterThan(70)
  })

  it("names each public message's own dialect among the best, whatever frame it is in", () => {
    const shapes: ReadonlyArray<readonly [string, FrameFormat]> = [
      ["ascii4", cupsFrame],
      ["binary2", binaryFrame],
      [
        "ascii4-inclusive",
        { kind: "length", encoding: "ascii", bytes: 4, counts: { itself: true }, lengthMax: 9999, idle: "none" }
      ],
      ["ascii6", { kind: "length", encoding: "ascii", bytes: 6, lengthMax: 9999, idle: "none" }],
      ["ascii4-etx", formatOf("ascii4-etx")],
      ["ascii10-etx", { kind: "length", encoding: "ascii", bytes: 10, trailer: "03", lengthMax: 9999, idle: "none" }],
      ["bcd2", { kind: "length", encoding: "bcd", bytes: 2, lengthMax: 9999, idle: "none" }],
      ["binary4", { kind: "length", encoding: "binary", bytes: 4, lengthMax: 9999, idle: "none" }],
      ["hex4", { kind: "length", encoding: "hex", bytes: 4, lengthMax: 9999, idle: "none" }],
      ["binary2-le", { kind: "length", encoding: "binary-le", bytes: 2, lengthMax: 9999, idle: "none" }],
      [
        "stx-bcd2-etx-lrc",
        { kind: "length", encoding: "bcd", bytes: 2, before: "02", trailer: "etx-lrc", lengthMax: 9999, idle: "none" }
      ]
    ]
    for (const message of fixture.messages) {
      if (message.hex === undefined || message.decode === undefined || message.name.includes("header test")) continue
      const isCups = message.interface === "CUPS centre, no length and no header"
      if (!isCups && !message.interface.includes("no 2-byte length")) continue
      const expected = isCups ? "cups" : "unionPayPos"
      for (const [name, format] of shapes) {
        const body = bytes(message.hex)
        const best = first(framed(format, body, body))
        expect(shape(best).slice(0, 2), `${message.name} in ${name}`).toEqual([name, expected])
      }
    }
  })

  it("finds the shape of every framing vector that holds a message", () => {
    const ours: Record<string, string> = {
      "ascii4-exclusive": "ascii4",
      "ascii4-inclusive": "ascii4-inclusive",
      "ascii6-exclusive": "ascii6",
      "ascii8-exclusive": "ascii8",
      "ascii10-exclusive+ETX": "ascii10-etx",
      "bcd2-exclusive": "bcd2",
      "bin2be-exclusive": "binary2",
      "bin2be-inclusive": "binary2-inclusive",
      "bin2le-exclusive": "binary2-le",
      "bin4be-exclusive": "binary4",
      "bin4be-inclusive": "binary4-inclusive",
      "bin2be+2zero": "binary2-after2",
      "bin2be+etx-inclusive-trailer": "binary2-etx",
      "hex4-exclusive": "hex4",
      "stx+bcd2+etx+lrc": "stx-bcd2-etx-lrc"
    }
    // The vectors' own 10 bytes are no message: their frames are found around a CUPS message instead.
    for (const { name, frameHex, payloadHex } of frames.framing) {
      const expected = ours[name]
      if (expected === undefined || frameHex === undefined || payloadHex === undefined) continue
      const format = formatOf(expected)
      expect(framed(format, bytes(payloadHex)).toString("hex").toUpperCase(), name).toBe(frameHex)
      expect(first(framed(format, cupsBare, cupsBare)).frame.name).toBe(expected)
    }
  })

  it("knows the messages of other libraries, in ASCII with hex or binary bitmaps", () => {
    for (const { hex, spec } of peers.messages) {
      if (spec.includes("32 ASCII hex")) continue
      const best = first(framed(binaryFrame, bytes(hex)))
      expect([best.frame.name, best.dialect?.name?.startsWith("iso8583v1987")]).toEqual(["binary2", true])
    }
  })

  it("says where a partner's own table differs from the nearest one", () => {
    const partner = interpret(derive(cups, { name: "partner", header: null, fields: { 44: { format: "ans...099" } } }))
    const message = partner.encode({
      mti: "0210",
      fields: { 3: "000000", 7: "1123120000", 11: "000001", 39: "00", 44: "HELLO" }
    })
    if (isMessageError(message)) throw new Error("not encoded")

    const best = first(framed(cupsFrame, message))

    expect(best.frame.name).toBe("ascii4")
    expect(best.decoded).toBe(0)
    expect(best.score).toBeLessThanOrEqual(40)
    expect(best.stopsAt?.says).toMatch(/44|after the last field/)
  })

  it("tells TLS, HTTP, XML, JSON and idle links from messages", () => {
    expect(first(bytes("16030100C8010000C40303")).looks).toBe("tls")
    expect(first(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")).looks).toBe("http")
    expect(first(framed(cupsFrame, Buffer.from("<Document><a/></Document>"))).looks).toBe("xml")
    expect(first(framed({ ...cupsFrame, bytes: 8 } as FrameFormat, Buffer.from('{"a":1}'))).looks).toBe("json")
    expect(first(Buffer.from("0000".repeat(5))).looks).toBe("idle")
  })

  it("puts one whole message without a length header above any frame that would be cut off", () => {
    for (const dialect of Object.values(shipped)) {
      const codec = compile(dialect)
      const version = String(dialect.version)
      for (const fields of [
        { 3: "000000", 11: "000001" },
        { 3: "000000", 4: "1", 11: "000002", 41: "T" }
      ]) {
        const filled = Object.fromEntries(
          Object.entries(fields).map(([de, value]) => {
            const { units, content } = codec.layout.fields[Number(de)]!
            return [de, content === "n" ? value.padStart(units, "0") : value.padEnd(units)]
          })
        )
        const bytes = codec.encode({ mti: `${version}200`, fields: filled })
        if (isMessageError(bytes)) throw new Error(`${dialect.name}: ${bytes._tag}`)
        const [best] = examine(bytes)

        expect([dialect.name, best?.decoded, best?.messages, best?.openBytes]).toEqual([dialect.name, 1, 1, 0])
      }
    }
  })

  it("takes a capture whose last frame is cut off", () => {
    const best = first(Buffer.concat([cupsWhole, cupsWhole.subarray(0, 100)]))
    expect(best).toMatchObject({ frames: 1, openBytes: 100, decoded: 1 })
  })

  it("says nothing about nothing and survives any bytes", () => {
    expect(examine(Buffer.alloc(0))).toEqual([])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (any) => examine(any).every(({ score }) => score <= 100)),
      runs(100)
    )
  })

  it("says no value of a message", () => {
    const said = JSON.stringify(examine(cupsWhole)) + JSON.stringify(examine(terminal))
    for (const capture of [cupsWhole, terminal])
      for (const digits of capture.toString("latin1").match(/\d{9,}/g) ?? []) expect(said).not.toContain(digits)
    expect(said).not.toContain("6224242900000113")
  })

  it("takes the last packed digits of a message for no trailer", () => {
    // A broken message without frame: its first two bytes, read as a length, end before its last four bytes, which are digits.
    const cut = bytes("250080200000203e0000004000000000000000000116343531323137393532323638353537359524158448")
    expect(JSON.stringify(examine(cut))).not.toContain("24158448")
    expect(JSON.stringify(examine(Buffer.concat([cut, cut])))).not.toContain("24158448")
  })

  it("tries the dialects that it is given", () => {
    const mine = derive(cups, { name: "mine", header: null })
    expect(examine(framed(cupsFrame, cupsBare), { dialects: { mine } })[0]?.dialect?.name).toBe("mine")
    expect(Object.keys(shipped)).not.toContain("mine")
  })
})
