/** What the doctor finds can be pasted: names, JSON and lines that the check takes; trailers are found by looking. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import {
  compile,
  type Diagnosis,
  type Dialect,
  derive,
  dialects,
  examine,
  type FrameFormat,
  Framer,
  headers,
  idleFrame,
  isMessageError,
  type LengthHeader,
  namedFrames,
  wholeFrame
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { pathsOf, saidOf, sound } from "../../switch/operate/checked.ts"
import { testFolder } from "../../TestFolder.ts"

const messages = (dialect: Dialect): ReadonlyArray<Buffer> =>
  [
    { 2: "6224240000001007", 3: "000000", 4: "000000005000", 7: "1125083005", 11: "000001", 41: "TERM0001", 49: "156" },
    { 2: "6224240000002005", 3: "000000", 4: "000000007000", 7: "1125083105", 11: "000002", 41: "TERM0002", 49: "156" },
    { 3: "300000", 7: "1125083205", 11: "000003", 41: "TERM0003", 42: "MERCHANT0000001", 49: "156" }
  ].map((fields) => {
    const message = compile(dialect).encode({ mti: dialect.version === 1 ? "1200" : "0200", fields })
    if (isMessageError(message)) throw new Error(message._tag)
    return message
  })

const ascii = dialects["iso8583v1987AsciiRaw"]!

const framed = (format: FrameFormat, all: ReadonlyArray<Buffer>): Buffer =>
  Buffer.concat(all.map((message) => wholeFrame(format, message)))

const first = (capture: Buffer): Diagnosis => {
  const [best] = examine(capture)
  if (best === undefined) throw new Error("nothing was found")
  return best
}

const length = (changes: Partial<LengthHeader>): LengthHeader => ({
  ...{ kind: "length", encoding: "ascii", bytes: 4, lengthMax: 9000, idle: "zero-length" },
  ...changes
})

/** A configuration whose acquirer has this frame and dialect. */
const configured = (frame: unknown, dialect = "iso8583v1987AsciiRaw"): string =>
  sound.replace(
    "dialect: cups",
    `dialect: ${dialect}\n    frame: ${typeof frame === "string" ? frame : JSON.stringify(frame)}`
  )

describe("Frames that no named one is", () => {
  const dialectsTried = ["iso8583v1987Ascii", "iso8583v1987Bcd", "cups", "nac"]
  const formats: ReadonlyArray<readonly [string, FrameFormat]> = [
    ["a length of one byte", length({ encoding: "binary", bytes: 1, lengthMax: 255 })],
    [
      "a length of one byte that counts itself",
      length({ encoding: "binary", bytes: 1, lengthMax: 254, counts: { itself: true } })
    ],
    ["CR LF behind each message", { kind: "delimiter", delimiter: "0D0A", lengthMax: 9000, idle: "none" }],
    [
      "two control characters behind each message",
      { kind: "delimiter", delimiter: "1A1C", lengthMax: 9000, idle: "none" }
    ]
  ]
  it.each(formats)("are found, and what is found can be pasted: %s", async (_, format) => {
    for (const name of dialectsTried) {
      const all = messages(dialects[name]!)
      for (const count of [1, 3]) {
        const { decoded, link } = first(framed(format, all.slice(0, count)))
        expect([name, decoded, link?.dialect]).toEqual([name, count, name])
        // Packed fields may hold any bytes: the check warns of that, and takes the frame.
        const said = await saidOf(configured(link?.frame, name))
        expect(said.filter((line) => !/warning \S+: a message of \S+ may hold the delimiter/.test(line))).toEqual([])
      }
    }
  })

  it("are found where all messages have one size", async () => {
    const [one, two] = messages(ascii)
    const { decoded, link } = first(Buffer.concat([one!, two!]))

    expect([decoded, link?.frame]).toEqual([2, { kind: "fixed", bytes: one!.length }])
    expect(await saidOf(configured(link?.frame))).toEqual([])
  })

  it("are no guess of any length with any header in front, as of a message between STX and ETX", () => {
    for (const name of dialectsTried)
      for (const message of messages(dialects[name]!)) {
        const [best] = examine(Buffer.concat([Buffer.of(2), message, Buffer.of(3, 0x55)]))
        if ((best?.score ?? 0) >= 50) expect(best?.dialect?.header, name).not.toMatch(/^text/)
      }
  })

  it("are doubted where a check value behind one message looks like an end that is always the same", () => {
    const [message] = messages(ascii)
    const lone = first(framed(length({ trailer: "a7" }), [message!]))
    expect(lone.evidence.map(({ says }) => says).join()).toContain("capture a second one")
    const two = first(framed(length({ trailer: "a7" }), messages(ascii)))
    expect(two.evidence.map(({ says }) => says).join()).not.toContain("capture a second one")
  })
})

describe("Trailers", () => {
  const trailers: ReadonlyArray<readonly [string, Partial<LengthHeader>]> = [
    ["ETX", { trailer: "03" }],
    ["ETX that the length counts", { trailer: "03", counts: { trailer: true } }],
    ["ETX and a check byte", { trailer: "etx-lrc" }],
    ["ETX and a check byte that the length counts", { trailer: "etx-lrc", counts: { trailer: true } }],
    ["CR LF", { trailer: "0d0a" }],
    ["two letters", { trailer: "4b4f" }],
    ["four zero bytes, counted", { trailer: "00000000", counts: { trailer: true } }],
    ["three bytes behind a length that counts itself", { trailer: "ff00ff", counts: { itself: true } }]
  ]
  const bases: ReadonlyArray<readonly [string, Partial<LengthHeader>]> = [
    ["4 ASCII digits", { encoding: "ascii", bytes: 4 }],
    ["2 bytes big-endian", { encoding: "binary", bytes: 2 }],
    ["2 bytes packed decimal", { encoding: "bcd", bytes: 2 }],
    ["4 hex digits", { encoding: "hex", bytes: 4 }]
  ]
  for (const [what, trailer] of trailers)
    it(`are found behind every kind of length: ${what}`, () => {
      for (const [base, shape] of bases) {
        if (base === "4 hex digits" && trailer.counts?.itself === true) continue
        const format = length({ ...shape, ...trailer })
        const capture = framed(format, messages(ascii))
        const best = first(capture)
        expect([base, best.decoded, best.dialect?.name], JSON.stringify(best.evidence)).toEqual([base, 3, ascii.name])
        const found: Array<string> = []
        new Framer(best.frame.format!).push(capture, {
          frame: (bytes, from, to) => void found.push(bytes.toString("hex", from, to)),
          idle: () => undefined
        })
        expect(found).toEqual(messages(ascii).map((message) => message.toString("hex")))
      }
    })

  const shapes: ReadonlyArray<readonly [string, Partial<LengthHeader>]> = [
    [
      "STX and ETX around it, counted by the length",
      { before: "02", trailer: "03", counts: { before: true, itself: true, trailer: true } }
    ],
    ["STX, and ETX with a check byte", { before: "02", trailer: "etx-lrc" }],
    ["STX alone", { before: "02" }],
    ["bytes between length and message, and ETX", { after: "0000", trailer: "03" }],
    ["bytes between length and message that the length counts", { after: "00", counts: { after: true } }],
    ["five bytes behind it", { trailer: "0d0a0d0a0d" }],
    ["the same byte again and again", { trailer: "2323232323" }],
    ["a TPDU that the length does not count", { uncounted: 5 }]
  ]
  const lengths: ReadonlyArray<Partial<LengthHeader>> = [
    ...bases.map(([, shape]) => shape),
    { encoding: "ascii", bytes: 5 },
    { encoding: "bcd", bytes: 3 },
    { encoding: "binary", bytes: 4 }
  ]
  for (const [what, shape] of shapes)
    it(`and other parts of a frame are found behind every kind of length, with idle frames anywhere: ${what}`, () => {
      for (const one of lengths) {
        const format = length({ ...one, ...shape })
        const zero = idleFrame(format)!
        const all = messages(ascii)
        for (const before of [0, 1]) {
          const frames = all.flatMap((message) => [zero, wholeFrame(format, message)])
          const capture = Buffer.concat(frames.slice(1 - before))
          const best = first(capture)
          const found: Array<string> = []
          new Framer(best.frame.format!).push(capture, {
            frame: (bytes, from, to) => void found.push(bytes.toString("hex", from, to)),
            idle: () => undefined
          })

          expect([one, best.dialect?.name, found]).toEqual([
            one,
            ascii.name,
            all.map((message) => message.toString("hex"))
          ])
        }
      }
    })

  it("that change are no cut frame: a first message that is read is no explanation of the rest", () => {
    for (const [, shape] of bases)
      for (const bytes of [1, 2, 4]) {
        const changing = messages(ascii).flatMap((message, at) => [
          wholeFrame(length(shape), message),
          Buffer.from([0x11, 0xa7, 0x3c, 0x99].map((byte) => (byte * (at + 3) * 7) & 255)).subarray(0, bytes)
        ])

        expect([shape, bytes, first(Buffer.concat(changing)).score < 50]).toEqual([shape, bytes, true])
      }
  })

  it("are found behind a single message", () => {
    const best = first(framed(length({ trailer: "03" }), messages(ascii).slice(0, 1)))
    expect([best.decoded, (best.frame.format as LengthHeader).trailer]).toEqual([1, "03"])
  })
})

describe("A single message", () => {
  it("is not read without the frame that is around it, as if its first bytes were a TPDU", () => {
    const bcd = dialects["iso8583v1987Bcd"]!
    const [message] = messages(bcd)
    for (const shape of [{ before: "02" }, { after: "00" }, { encoding: "ascii", bytes: 5 }] as const) {
      const { dialect, frame } = first(framed(length(shape), [message!]))

      expect([dialect?.name, dialect?.header, (frame.format as LengthHeader).bytes]).toEqual([
        bcd.name,
        "none",
        length(shape).bytes
      ])
    }
  })
})

describe("What the doctor prints", () => {
  it("is a frame that the check takes, by name and as JSON, for every named frame", async () => {
    for (const { name, format } of namedFrames) {
      expect([name, await pathsOf(configured(name), "error")]).toEqual([name, []])
      expect([name, await pathsOf(configured(format), "error")]).toEqual([name, []])
      const [best] = examine(framed(format, messages(ascii)))
      expect(best?.link?.dialect).toBe(ascii.name)
      expect([name, await pathsOf(configured(best!.link!.frame), "error")]).toEqual([name, []])
    }
  })

  it("is a frame that the check takes where it has a trailer and no name", async () => {
    for (const trailer of ["0d0a", "etx-lrc", "ff00ff"]) {
      const { link, frame } = first(framed(length({ trailer }), messages(ascii)))
      expect(frame.name).toBeUndefined()
      expect(await pathsOf(configured(link!.frame), "error")).toEqual([])
    }
  })

  it("is a dialect file where the header is another, and that too the check takes", async () => {
    const behind = derive(ascii, { name: "behind", header: headers["base24"]! })
    const best = first(framed(length({ encoding: "binary", bytes: 2 }), messages(behind)))

    expect(best.link).toEqual({
      frame: "binary2",
      dialect: "./iso8583v1987AsciiRaw-base24.yaml",
      file: { name: "iso8583v1987AsciiRaw-base24", extends: "iso8583v1987AsciiRaw", header: "base24" }
    })

    const folder = mkdtempSync(join(testFolder(), "jinka-doctor-"))
    writeFileSync(join(folder, "partner.yaml"), JSON.stringify(best.link!.file))
    const said = await saidOf(configured(best.link!.frame, join(folder, "partner.yaml")))
    rmSync(folder, { recursive: true })

    expect(said.filter((one) => one.includes(" error "))).toEqual([])
  })

  it("finds every header that ships in front of a message", () => {
    for (const [name, header] of Object.entries(headers)) {
      const behind = derive(ascii, { name: "behind", header })
      const all = messages(behind)
      const best = first(framed(length({ encoding: "binary", bytes: 2 }), all))
      expect([name, best.decoded, best.dialect?.header]).toEqual([name, 3, name])
    }
  })
})

describe("A capture that is cut", () => {
  it("inside its only frame still names its length header and dialect", () => {
    for (const name of ["ascii4", "binary2", "bcd2", "hex4", "ascii6", "binary4", "binary2-inclusive"]) {
      const { format } = namedFrames.find((one) => one.name === name)!
      const whole = framed(format, messages(ascii).slice(0, 1))
      for (const cut of [8, 20, 30]) {
        const found = examine(whole.subarray(0, whole.length - cut), { max: 50 })
        const best = found[0]!
        // Two bytes of one cut frame may be packed decimal as well as an integer: both are named first.
        const equals = found
          .filter(({ score }) => score === best.score)
          .map((one) => [one.frame.name, one.dialect?.name])
        expect(equals, `${name}, cut by ${cut}`).toContainEqual([name, ascii.name])
        expect(best.score).toBeGreaterThanOrEqual(50)
      }
    }
  })
})

describe("Idle frames and nothing else", () => {
  it("is never above an exact match, and the first where there is none", () => {
    const zero = idleFrame(length({}))!

    expect(first(Buffer.concat([zero, zero, zero])).looks).toBe("idle")
    for (const { format } of namedFrames)
      for (const all of [messages(ascii), messages(ascii).slice(0, 1)]) {
        const found = examine(framed(format, all), { max: 50 })
        const exact = found.findIndex(({ decoded, messages: count }) => decoded === count && decoded > 0)
        const idle = found.findIndex(({ looks }) => looks === "idle")
        if (idle >= 0) expect(exact).toBeLessThan(idle)
      }
  })
})
