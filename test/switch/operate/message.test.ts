import { binaryFrame, cupsFrame, wholeFrame } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Input, type InputForm, MessageInput } from "../../../packages/switch/src/operate/message/MessageInput.ts"

/** Feeds a text or bytes in the given pieces. */
const read = (form: InputForm, frame: typeof cupsFrame | undefined, ...pieces: ReadonlyArray<string | Buffer>) => {
  const input = new MessageInput(form, frame)
  const found: Array<Input> = []
  for (const piece of pieces) found.push(...input.push(Buffer.from(piece)))
  return [...found, ...input.end()]
}

const hexOf = (found: ReadonlyArray<Input>) =>
  found.map((one) => (one._tag === "message" ? one.bytes.toString("hex") : `${one.at}: ${one.why}`))

describe("Input in hex", () => {
  it("is a message a line, blanks and empty lines aside", () => {
    expect(hexOf(read("auto", undefined, "01 02\n\n0A0b\n"))).toEqual(["0102", "0a0b"])
  })

  it("needs no line end after the last message", () => {
    expect(hexOf(read("hex", undefined, "0102"))).toEqual(["0102"])
  })

  it("names the line that is no hex and goes on with the next", () => {
    expect(hexOf(read("hex", undefined, "01\nxy\n012\n02\n"))).toEqual([
      "01",
      expect.stringMatching(/^2: these are not pairs of hex digits, .*leave only the digits/),
      expect.stringMatching(/^3: these are not pairs of hex digits: 3 digits are an odd number/),
      "02"
    ])
  })

  it("loses its length header when a frame is given", () => {
    const line = wholeFrame(cupsFrame, Buffer.from("abc")).toString("hex")

    expect(hexOf(read("hex", cupsFrame, `${line}\n`))).toEqual([Buffer.from("abc").toString("hex")])
  })

  it.each([
    ["30303030", ["1: an idle frame, which holds no message"]],
    ["30303031613030303162", ["61", "62"]],
    [
      "3030303161303030316200",
      [
        "61",
        "62",
        "1: frame at byte 10 of the connection: the connection ended inside a frame; the frame begins with 00"
      ]
    ]
  ])("holds as many messages as its frames, and what is none is said: %s", (line, found) => {
    expect(hexOf(read("hex", cupsFrame, line))).toEqual(found)
  })
})

describe("Binary input", () => {
  it("without a frame is one message", () => {
    expect(hexOf(read("auto", undefined, Buffer.from([0x00, 0xff]), Buffer.from([0x01])))).toEqual(["00ff01"])
  })

  it("with a frame is as many messages as it holds, however the chunks fall", () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map((one) => wholeFrame(binaryFrame, Buffer.from(one))))
          const at = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
          const pieces = at.slice(1).map((to, index) => bytes.subarray(at[index], to))
          expect(hexOf(read("binary", binaryFrame, ...pieces))).toEqual(
            messages.map((one) => Buffer.from(one).toString("hex"))
          )
        }
      )
    )
  })

  it("that ends inside a frame is said to be so", () => {
    expect(hexOf(read("binary", binaryFrame, Buffer.from([0, 5, 1])))[0]).toContain(
      "the connection ended inside a frame"
    )
  })
})
