import { compile, cups, isMessageError, reveal } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import {
  answerTo,
  FrameReader,
  frameOf,
  keyOf,
  NotCups,
  newMessage,
  originalDataOf,
  originalKeyOf,
  readMessage
} from "./partner/Cups.ts"

const ends = { source: "48010001", destination: "00010000" }
const purchase = newMessage("0200", ends, {
  ...{ 2: "6225810000000001", 3: "000000", 4: "000000012345", 7: "0302013000", 11: "000001", 12: "013000", 13: "0302" },
  ...{ 18: "5411", 22: "012", 25: "00", 32: "48010001", 33: "48010001", 37: "000100000001", 41: "TERM0001" },
  ...{ 42: "MERCHANT0000001", 43: "TEST SHOP".padEnd(40), 49: "156" }
})
const codec = compile(cups)

describe("the partners' own CUPS", () => {
  it("reads the sample header of the alatka project as published", () => {
    // Source: alatka (MIT), "cups header test09": destination 03050001, source 00010000, reserved AA9, batch 1.
    const header = Buffer.from(
      "2E023034303730333035303030312020203030303130303030202020414139013030303030303030003030303030",
      "hex"
    )
    const rest = Buffer.concat([Buffer.from("0820"), Buffer.from("80000000000000000000000000000000", "hex")])
    const whole = Buffer.concat([header, rest])
    whole.write(String(whole.length).padStart(4, "0"), 2, "latin1")

    expect(readMessage(whole)).toMatchObject({
      ...{ mti: "0820", destination: "03050001", source: "00010000", rejectCode: "00000", fields: {} },
      carried: "AA9\x0100000000\0"
    })
  })

  it("writes what the switch's codec reads, field by field", () => {
    for (const message of [
      purchase,
      { ...purchase, mti: "0421", fields: { ...purchase.fields, 90: originalDataOf(purchase) } }
    ]) {
      const decoded = codec.decode(frameOf(message).subarray(4))
      if (isMessageError(decoded)) throw new Error(JSON.stringify(decoded))
      const fields = Object.fromEntries(
        Object.entries(decoded.fields).map(([de, value]) => [de, String(reveal(value))])
      )
      expect(decoded.mti).toBe(message.mti)
      expect(fields).toEqual(message.fields)
    }
  })

  it("reads what the switch's codec writes", () => {
    const decoded = codec.decode(frameOf(purchase).subarray(4))
    if (isMessageError(decoded)) throw new Error(JSON.stringify(decoded))
    const encoded = codec.encode(decoded)
    if (isMessageError(encoded)) throw new Error(JSON.stringify(encoded))

    expect(readMessage(encoded)).toEqual(purchase)
  })

  it("splits a stream into the same frames however it is cut", () => {
    const stream = Buffer.concat([frameOf(purchase), Buffer.from("0000"), frameOf(purchase)])
    for (let cut = 0; cut <= stream.length; cut++) {
      const reader = new FrameReader()
      const frames = [...reader.read(stream.subarray(0, cut)), ...reader.read(stream.subarray(cut))]
      expect(frames.map((frame) => frame.length)).toEqual([stream.length / 2 - 6, 0, stream.length / 2 - 6])
    }
  })

  it("answers with swapped ends and the response type, and finds the original of a reversal by its key", () => {
    const answer = answerTo(purchase, [7, 11, 37], { 39: "00" })
    expect(answer).toMatchObject({ mti: "0210", source: "00010000", destination: "48010001" })
    expect(answer.fields).toEqual({ 7: "0302013000", 11: "000001", 37: "000100000001", 39: "00" })

    const reversal = { ...purchase, mti: "0421", fields: { 90: originalDataOf(purchase) } }
    expect(originalKeyOf(reversal)).toBe(keyOf(purchase))
    expect(answerTo(reversal, [], {}).mti).toBe("0430")
  })

  it("refuses what it cannot read", () => {
    const frame = frameOf(purchase)
    expect(() => new FrameReader().read(Buffer.from("12a4"))).toThrow(NotCups)
    expect(() => readMessage(frame.subarray(4, frame.length - 1))).toThrow(/total length/)
    expect(() => readMessage(Buffer.concat([frame.subarray(4), Buffer.from("x")]))).toThrow(NotCups)
  })
})
