import {
  binaryFrame,
  cupsFrame,
  explainFrame,
  type FrameFormat,
  Framer,
  idleFrame,
  type LengthHeader,
  wholeFrame,
  writeFrame
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-frames.json" with { type: "json" }
import { bytes, framed, header, read } from "./reading.ts"

/** Formats of the vectors by their names. */
const formats: Record<string, LengthHeader> = {
  "ascii4-exclusive": header({}),
  "ascii4-inclusive": header({ counts: { itself: true } }),
  "ascii6-exclusive": header({ bytes: 6 }),
  "ascii8-exclusive": header({ bytes: 8 }),
  "ascii10-exclusive+ETX": header({ bytes: 10, trailer: "03" }),
  "bcd2-exclusive": header({ encoding: "bcd", bytes: 2 }),
  "bin2be-exclusive": header({ encoding: "binary", bytes: 2 }),
  "bin2be-inclusive": header({ encoding: "binary", bytes: 2, counts: { itself: true } }),
  "bin2le-exclusive": header({ encoding: "binary-le", bytes: 2 }),
  "bin4be-exclusive": header({ encoding: "binary", bytes: 4 }),
  "bin4be-inclusive": header({ encoding: "binary", bytes: 4, counts: { itself: true } }),
  "bin2be+2zero": header({ encoding: "binary", bytes: 2, after: "0000" }),
  "bin2be+etx-inclusive-trailer": header({ encoding: "binary", bytes: 2, trailer: "03", counts: { trailer: true } }),
  "hex4-exclusive": header({ encoding: "hex" }),
  "stx+bcd2+etx+lrc": header({ encoding: "bcd", bytes: 2, before: "02", trailer: "etx-lrc" })
}

describe("Length headers of public sources", () => {
  for (const vector of fixture.framing) {
    const format = formats[vector.name]
    if (format === undefined || vector.payloadHex === undefined || vector.frameHex === undefined) continue
    const { payloadHex, frameHex } = vector

    it(`reads and writes ${vector.name}: ${vector.rule}`, () => {
      expect(read(format, [bytes(frameHex)], true)).toEqual({
        frames: [payloadHex.toLowerCase()],
        idle: [],
        error: undefined,
        open: 0
      })
      expect(framed(format, bytes(payloadHex)).toString("hex")).toBe(frameHex.toLowerCase())
    })
  }

  it("leaves the TPDU to the message: the length counts it", () => {
    const vector = fixture.framing.find(({ name }) => name === "bin2be+tpdu")!
    const message = `${vector.tpduHex}${vector.payloadHex}`.toLowerCase()
    expect(read(binaryFrame, [bytes(vector.frameHex!)]).frames).toEqual([message])
  })

  it("reads a length that does not count the TPDU in front of the message", () => {
    const format = header({ encoding: "binary", bytes: 2, uncounted: 5 })
    expect(read(format, [bytes("0003 6000030000 414243".replaceAll(" ", ""))]).frames).toEqual(["6000030000414243"])
    expect(framed(format, bytes("6000030000414243")).toString("hex")).toBe("00036000030000414243")
  })

  it("reads a length that counts hex digits of bytes", () => {
    const format = header({ times: 2 })
    expect(read(format, [Buffer.from("0006ABC")]).frames).toEqual(["414243"])
    expect(read(format, [Buffer.from("0005ABC")]).error).toMatchObject({ _tag: "LengthInvalid", rule: "length-small" })
  })

  it("takes GICC's two zero bytes in front of the length and VAP's format byte behind it", () => {
    expect(read(header({ encoding: "binary", bytes: 2, before: "0000" }), [bytes("00000002aabb")]).frames).toEqual([
      "aabb"
    ])
    const vap = header({ encoding: "binary", bytes: 2, after: "0000" })
    expect(read(vap, [bytes("00020020aabb")]).frames).toEqual(["aabb"])
  })

  for (const vector of fixture.framing) {
    if (vector.lengthHex === undefined) continue
    const { lengthHex, lengthValue } = vector
    it(`reads the length of ${vector.name}`, () => {
      const encoding = vector.name.includes("ascii") ? "ascii" : vector.name.includes("bcd") ? "bcd" : "binary"
      const after = vector.name.includes("vml") ? "0000" : ""
      const format = header({ encoding, bytes: encoding === "ascii" ? 4 : 2, after })
      const message = Buffer.alloc(lengthValue, 0x41)

      expect(read(format, [bytes(lengthHex), message]).frames).toEqual([message.toString("hex")])
    })
  }
})

describe("Frames of the CUPS centre", () => {
  const vector = fixture.framing.find(({ name }) => name === "cups-stream-splits")!
  const stream = bytes(vector.streamHex!)
  const expected = vector.messagesHex!.map((message) => message.toLowerCase())

  it("gives the same frames for every way to cut a short stream", () => {
    const short = Buffer.concat([
      framed(cupsFrame, Buffer.from("AB")),
      bytes("30303030"),
      framed(cupsFrame, Buffer.from("C"))
    ])

    expect(short.length).toBe(15)
    for (let cuts = 0; cuts < 2 ** (short.length - 1); cuts++) {
      const chunks: Array<Buffer> = []
      let from = 0
      for (let at = 1; at <= short.length; at++) {
        if (at < short.length && ((cuts >> (at - 1)) & 1) === 0) continue
        chunks.push(short.subarray(from, at))
        from = at
      }
      const { frames, idle, error, open } = read(cupsFrame, chunks)
      if (frames.join() !== "4142,43" || idle.length !== 1 || error !== undefined || open !== 0)
        throw new Error(`cuts ${cuts.toString(2)} give ${frames.join()}`)
    }
  })

  it("gives the same frames for every single and double cut and byte by byte", () => {
    const chunkings: Array<Array<Buffer>> = [[...stream].map((byte) => Buffer.of(byte))]
    for (let first = 0; first <= stream.length; first++)
      for (let second = first; second <= stream.length; second++)
        chunkings.push([stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)])
    for (const chunks of chunkings) {
      const { frames, idle } = read(cupsFrame, chunks)
      expect(frames).toEqual(expected)
      expect(idle).toEqual(["30303030"])
    }
  })

  it("swallows idle frames and makes them", () => {
    expect(read(cupsFrame, [Buffer.from("0000")])).toMatchObject({ frames: [], idle: ["30303030"] })
    expect(idleFrame(cupsFrame)?.toString()).toBe("0000")
  })

  it("refuses a length that is no number, and stays finished", () => {
    const framer = new Framer(cupsFrame)
    const sink = { frame: () => expect.unreachable(), idle: () => expect.unreachable() }
    const error = framer.push(bytes(fixture.framing.find(({ name }) => name === "bad-length-digits")!.streamHex!), sink)

    expect(error).toEqual({ _tag: "LengthInvalid", offset: 0, rule: "length-digits", first: "30304135" })
    expect(framer.push(Buffer.from("0001A"), sink)).toBe(error)
  })

  it("refuses a length above the limit before any byte of the body is kept", () => {
    const { error, open } = read(cupsFrame, [Buffer.from("9999")])

    expect(error).toEqual({ _tag: "FrameTooLong", offset: 0, rule: "length-max", first: "39393939" })
    expect(open).toBe(0)
    expect(read(cupsFrame, [Buffer.from("18"), Buffer.from("93")]).error?._tag).toBe("FrameTooLong")
    expect(read(cupsFrame, [Buffer.from("1892")]).error).toBeUndefined()
  })

  it("says where in the connection the broken frame begins and what its partner may speak", () => {
    const { error } = read(cupsFrame, [framed(cupsFrame, Buffer.from("AB")), bytes("16030100AABBCC")])
    expect(error).toMatchObject({ _tag: "LengthInvalid", offset: 6, first: "16030100" })
    expect(explainFrame(error!)).toContain("TLS")
    expect(explainFrame(read(cupsFrame, [Buffer.from("GET / HTTP")]).error!)).toContain("HTTP")
  })

  it("holds no byte of a message in an error", () => {
    const { error } = read(cupsFrame, [Buffer.from("00196225881234567890")], true)
    expect(error).toEqual({ _tag: "FrameTruncated", offset: 0, rule: "end", first: "30303139" })
  })

  it("counts the bytes of the open frame", () => {
    expect(read(cupsFrame, [Buffer.from("00")]).open).toBe(2)
    expect(read(cupsFrame, [Buffer.from("0005AB")]).open).toBe(6)
    expect(read(cupsFrame, [Buffer.from("0002AB")]).open).toBe(0)
  })

  it("keeps the bytes of a frame as they were when later chunks come", () => {
    const framer = new Framer(cupsFrame)
    const kept: Array<Buffer> = []
    const sink = {
      frame: (buffer: Buffer, from: number, to: number) => void kept.push(buffer.subarray(from, to)),
      idle: () => {}
    }
    for (const text of ["0003A", "BC0003D", "EF0001", "G"]) framer.push(Buffer.from(text), sink)

    expect(kept.map(String)).toEqual(["ABC", "DEF", "G"])
  })
})

describe("Idle frames and errors of other length headers", () => {
  it("knows an agreed idle text, and a zero length beside it", () => {
    const format = header({ idle: { text: "41414141" } })

    expect(idleFrame(format)?.toString()).toBe("0004AAAA")
    expect(read(format, [Buffer.from("0004AAAA00000004AAAB")])).toMatchObject({
      frames: ["41414142"],
      idle: ["3030303441414141", "30303030"]
    })
  })

  it("takes a zero length as an error where no idle frames are agreed", () => {
    expect(read(header({}), [Buffer.from("0000")]).error).toMatchObject({ rule: "length-small" })
    expect(idleFrame(header({}))).toBeUndefined()
  })

  it("takes a length smaller than what it counts as an error", () => {
    expect(read(header({ counts: { itself: true } }), [Buffer.from("0003")]).error).toMatchObject({
      rule: "length-small"
    })
  })

  it("checks fixed bytes, trailer and LRC", () => {
    const serial = formats["stx+bcd2+etx+lrc"]!

    expect(read(serial, [bytes("03001041")]).error).toMatchObject({ rule: "before" })
    expect(read(serial, [bytes("020001410353")]).error).toMatchObject({ rule: "trailer" })
    expect(read(serial, [bytes("020001410343")]).frames).toEqual(["41"])
    expect(read(header({ trailer: "03" }), [Buffer.from("0001A\u0004")]).error).toMatchObject({ rule: "trailer" })
  })

  it("refuses to write a length that the header cannot hold", () => {
    const out = Buffer.alloc(300)
    expect(() => writeFrame(header({ encoding: "binary", bytes: 1 }), out, 0, 256)).toThrow(RangeError)
    expect(() => writeFrame(header({ bytes: 2 }), out, 0, 100)).toThrow(RangeError)
    expect(() => wholeFrame(header({ bytes: 2 }), Buffer.alloc(100))).toThrow(RangeError)
  })

  it("refuses to write a message without the part that the length does not count", () => {
    for (const encoding of ["ascii", "bcd", "binary", "binary-le", "hex"] as const) {
      const format = header({ encoding, bytes: 2, uncounted: 5 })
      expect(() => wholeFrame(format, Buffer.alloc(3))).toThrow(RangeError)
      expect(read(format, [wholeFrame(format, Buffer.alloc(5, 1))]).error?.rule ?? "read").toMatch(/read|length-small/)
    }
  })

  it("refuses sizes with which it would never come to an end", () => {
    const none = Number.NaN
    for (const bytes of [0, -1, 1.5, none]) {
      expect(() => new Framer({ kind: "fixed", bytes })).toThrow(TypeError)
      expect(() => new Framer({ kind: "until-close", lengthMax: bytes })).toThrow(TypeError)
      expect(() => new Framer(header({ bytes }))).toThrow(TypeError)
      expect(() => new Framer(header({ times: bytes }))).toThrow(TypeError)
    }
  })

  it("refuses a header description that makes no sense", () => {
    expect(() => new Framer(header({ bytes: 11 }))).toThrow(/bytes/)
    expect(() => new Framer(header({ encoding: "binary", bytes: 5 }))).toThrow(/bytes/)
    expect(() => new Framer(header({ before: "0" }))).toThrow(/hex/)
  })
})

describe("Any length header", () => {
  const anyHeader = fc
    .record({
      encoding: fc.constantFrom("ascii", "bcd", "binary", "binary-le", "hex") as fc.Arbitrary<LengthHeader["encoding"]>,
      bytes: fc.integer({ min: 2, max: 4 }),
      counts: fc.record({ itself: fc.boolean(), before: fc.boolean(), after: fc.boolean(), trailer: fc.boolean() }),
      before: fc.constantFrom("", "02", "0000"),
      after: fc.constantFrom("", "0000"),
      trailer: fc.constantFrom("none", "03", "0d0a", "etx-lrc"),
      idle: fc.constantFrom("none", "zero-length")
    })
    .map((drawn) => header({ ...drawn, lengthMax: 60, idle: drawn.idle as "none" | "zero-length" }))

  it("reads back what it writes, for any cut of the stream", () => {
    fc.assert(
      fc.property(
        anyHeader,
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (format, messages, sizes) => {
          const stream = Buffer.concat(messages.map((message) => framed(format, message)))
          const chunks: Array<Buffer> = []
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const size = sizes[turn % sizes.length]!
            chunks.push(stream.subarray(at, at + size))
            at += size
          }
          const { frames, error, open } = read(format, chunks, true)
          expect(error).toBeUndefined()
          expect(open).toBe(0)
          expect(frames).toEqual(messages.map((message) => Buffer.from(message).toString("hex")))
        }
      ),
      { numRuns: 300 }
    )
  })

  it("reads its own idle frame as idle", () => {
    fc.assert(
      fc.property(anyHeader, (format) => {
        const frame = idleFrame(format)
        fc.pre(frame !== undefined)
        expect(read(format, [frame!], true)).toMatchObject({
          frames: [],
          idle: [frame!.toString("hex")],
          error: undefined
        })
      })
    )
  })

  it("never fails on garbage, and an error is the end", () => {
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 200 }), (format, garbage) => {
        const whole = read(format, [garbage])
        const single = read(
          format,
          [...garbage].map((byte) => Uint8Array.of(byte))
        )
        expect(single.frames).toEqual(whole.frames)
        expect(single.error).toEqual(whole.error)
        expect(whole.open).toBeLessThanOrEqual(60 + 14)
      }),
      { numRuns: 300 }
    )
  })
})

describe("Frames without a length header", () => {
  it("cuts messages of one size", () => {
    const format: FrameFormat = { kind: "fixed", bytes: 3 }
    for (const size of [1, 2, 3, 4, 7]) {
      const chunks: Array<Buffer> = []
      for (let at = 0; at < 9; at += size) chunks.push(Buffer.from("ABCDEFGHI").subarray(at, at + size))
      expect(read(format, chunks, true)).toMatchObject({ frames: ["414243", "444546", "474849"], error: undefined })
    }

    expect(read(format, [Buffer.from("ABCD")], true).error).toMatchObject({ _tag: "FrameTruncated", offset: 3 })
    expect(() => writeFrame(format, Buffer.alloc(4), 0, 4)).toThrow(RangeError)
    expect(() => wholeFrame(format, Buffer.alloc(4))).toThrow(RangeError)
    expect(wholeFrame(format, Buffer.from("ABC")).toString()).toBe("ABC")
  })

  it("cuts at a delimiter of several bytes wherever the chunks end", () => {
    const format: FrameFormat = { kind: "delimiter", delimiter: "0d0a", lengthMax: 4, idle: "zero-length" }
    const stream = Buffer.from("AB\r\n\r\nC\r\rD\r\n")
    for (let size = 1; size <= stream.length; size++) {
      const chunks: Array<Buffer> = []
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
      const { frames, idle, error } = read(format, chunks, true)
      expect(frames).toEqual(["4142", "430d0d44"])
      expect(idle).toEqual(["0d0a"])
      expect(error).toBeUndefined()
    }

    expect(read(format, [Buffer.from("ABCDE\r\n")]).error?._tag).toBe("FrameTooLong")
    expect(read(format, [Buffer.from("ABCDEF")]).error?._tag).toBe("FrameTooLong")
    expect(read(format, [Buffer.from("AB")], true).error?._tag).toBe("FrameTruncated")
    expect(framed(format, Buffer.from("AB")).toString()).toBe("AB\r\n")
  })

  it("takes everything until the connection closes as one message", () => {
    const format: FrameFormat = { kind: "until-close", lengthMax: 6 }

    expect(read(format, [Buffer.from("AB"), Buffer.from("CD")]).frames).toEqual([])
    expect(read(format, [Buffer.from("AB"), Buffer.from("CD")], true).frames).toEqual(["41424344"])
    expect(read(format, [], true)).toMatchObject({ frames: [], error: undefined })
    expect(read(format, [Buffer.from("ABCD"), Buffer.from("EFG")]).error?._tag).toBe("FrameTooLong")
  })

  it("takes each read as one message where the partner has no framing", () => {
    const format: FrameFormat = { kind: "single-read", lengthMax: 3 }
    expect(read(format, [Buffer.from("AB"), Buffer.from("C")], true).frames).toEqual(["4142", "43"])
    expect(read(format, [Buffer.from("ABCD")]).error?._tag).toBe("FrameTooLong")
  })
})
