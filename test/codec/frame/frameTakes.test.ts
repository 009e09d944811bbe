/** What a frame can hold: a message goes in and comes out as one, or it is refused beforehand. */
import { type FrameFormat, Framer, frameTakes, wholeFrame } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

const formats: ReadonlyArray<FrameFormat> = [
  ...["0A", "0D0A", "0303", "030A03", "0A0A0A"].map(
    (delimiter): FrameFormat => ({ kind: "delimiter", delimiter, lengthMax: 6, idle: "none" })
  ),
  { kind: "fixed", bytes: 3 },
  { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 6, idle: "zero-length" },
  { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 6, idle: "none", uncounted: 2 },
  { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 6, idle: "zero-length", uncounted: 2 },
  { kind: "length", encoding: "binary", bytes: 2, lengthMax: 6, idle: "none", uncounted: 3, counts: { itself: true } },
  {
    ...{ kind: "length", encoding: "binary", bytes: 2, lengthMax: 6, idle: "zero-length", uncounted: 3 },
    counts: { itself: true }
  },
  { kind: "length", encoding: "bcd", bytes: 2, lengthMax: 6, idle: { text: "4141" } }
]

/** Whether two frames around the message are read as the same message twice. */
const isReadBack = (format: FrameFormat, message: Buffer): boolean => {
  try {
    const stream = Buffer.concat([wholeFrame(format, message), wholeFrame(format, message)])
    const found: Array<string> = []
    const framer = new Framer(format)
    const sink = { frame: (bytes: Buffer, from: number, to: number) => found.push(bytes.toString("hex", from, to)) }
    const error = framer.push(stream, { ...sink, idle: () => undefined } as never)
    const hex = message.toString("hex")
    return error === undefined && framer.open === 0 && found.join() === [hex, hex].join()
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

describe("A frame", () => {
  it("takes a message exactly when that comes out as one and as it was", () => {
    const bytes = fc
      .array(fc.constantFrom(0x03, 0x0a, 0x0d, 0x41), { minLength: 1, maxLength: 8 })
      .map((some) => Buffer.from(some))
    fc.assert(
      fc.property(fc.constantFrom(...formats), bytes, bytes, (format, one, around) => {
        const place = Buffer.concat([around, one, around])
        const isTaken = frameTakes(format, place, around.length, around.length + one.length)
        expect(isTaken).toBe(isReadBack(format, one))
      }),
      { numRuns: 2000 }
    )
  })
})
