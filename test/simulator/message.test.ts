import { idleFrame, isMessageError } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { mismatchOf, partApproved } from "../../packages/simulator/src/acquirer/Outstanding.ts"
import { cupsForm, framed } from "../../packages/simulator/src/message/CupsMessage.ts"
import {
  answerHeader,
  answerMti,
  type PartnerMessage,
  repeatMti,
  requestHeader
} from "../../packages/simulator/src/message/PartnerMessage.ts"
import { kindOf, originalData, originalKey, transactionKey } from "../../packages/simulator/src/message/Transaction.ts"
import { transmissionTime } from "../../packages/simulator/src/partner/Numbering.ts"

const form = cupsForm()

const echo: PartnerMessage = {
  header: requestHeader("48020000", "00010000"),
  mti: "0820",
  fields: { 7: "1122210000", 11: "000001", 33: "48020000", 70: "301" },
  reject: "00000"
}

/** 46-byte header of a member's message, built by hand from the layout of the header (fields 1 to 10). */
const header = (length: string, reject = "00000"): string =>
  `\x2e\x01${length}00010000   48020000   \0\0\0\0${"0".repeat(8)}\0${reject}`

/** Bits 1, 7, 11, 33 and 70. */
const bitmap = Buffer.from("82200000800000000400000000000000", "hex").toString("latin1")

const body = `0820${bitmap}1122210000000001084802000${"0"}301`

describe("a message on the wire", () => {
  it("has a frame of four digits, the 46-byte header with the same length, and a bitmap of 16 bytes", () => {
    expect(framed(form, echo).toString("latin1")).toBe(`0095${header("0095")}${body}`)
  })

  it("is read back as it was written", () => {
    const frame = framed(form, echo)

    expect(form.read(frame, 4, frame.length)).toEqual(echo)
  })

  it("is read as rejected when the header says so, with the original behind it", () => {
    const inner = `${header("0095")}${body}`
    const outer = header("0141", "00035").replace("00010000   48020000   ", "48020000   00010000   ")
    const bytes = Buffer.from(outer + inner, "latin1")

    const message = form.read(bytes, 0, bytes.length)

    expect(message).toMatchObject({ reject: "00035", mti: "0820", fields: { 11: "000001" } })
  })

  it("that is damaged is an error that names the place", () => {
    const frame = framed(form, echo)
    frame[50] = 0x41

    expect(isMessageError(form.read(frame, 4, frame.length))).toBe(true)
  })

  it("keeps binary fields as bytes", () => {
    const pinBlock = Buffer.from("00ff10abcdef0180", "hex")
    const frame = framed(form, {
      ...echo,
      mti: "0200",
      fields: { 2: "6219990000000000018", 11: "000001", 52: pinBlock }
    })
    const message = form.read(frame, 4, frame.length) as PartnerMessage

    expect(Buffer.from(message.fields[52] as Uint8Array)).toEqual(pinBlock)
    expect(message.fields[2]).toBe("6219990000000000018")
  })

  it("that would break the dialect is the simulator's own defect", () => {
    expect(() => framed(form, { ...echo, fields: { 11: "not digits" } })).toThrow(/breaks the dialect/)
  })

  it("has an idle frame of four zeros", () => {
    expect(idleFrame(form.frame)?.toString("latin1")).toBe("0000")
  })
})

describe("keys and message types", () => {
  const key = transactionKey({ stan: "000007", transmitted: "1122210000", acquirer: "48020000", forwarder: "1" })

  it("make a key that is F90 without its message type", () => {
    expect(key).toBe("00000711222100000004802000000000000001")
    expect(originalData("0200", key).length).toBe(42)
    expect(originalKey(originalData("0200", key))).toBe(key)
  })

  it("answer requests, advices, reversals and their repeats", () => {
    expect(["0100", "0200", "0220", "0221", "0420", "0421", "0820"].map(answerMti)).toEqual([
      "0110",
      "0210",
      "0230",
      "0230",
      "0430",
      "0430",
      "0830"
    ])
    expect(repeatMti("0420")).toBe("0421")
  })

  it("tell a void from a refund, though both have processing code 200000", () => {
    expect(kindOf("0200", "200000")).toBe("void")
    expect(kindOf("0220", "200000")).toBe("refund")
    expect(kindOf("0200", "990000")).toBeUndefined()
  })

  it("swap the addresses in an answer's header and echo the rest", () => {
    const { header: from } = echo

    expect(answerHeader({ ...from, reserved: "414139" })).toEqual({
      ...from,
      reserved: "414139",
      source: from.destination,
      destination: from.source
    })
  })

  it("write the transmission time in China Standard Time, over the turn of the year", () => {
    expect(transmissionTime(Date.UTC(2026, 11, 31, 15, 59, 59))).toBe("1231235959")
    expect(transmissionTime(Date.UTC(2026, 11, 31, 16, 0, 0))).toBe("0101000000")
  })
})

describe("the answer to a request", () => {
  const request = { header: {}, mti: "0200", fields: { 4: "000000000500", 37: "R" }, reject: "00000" } as never
  const answer = (fields: object) =>
    ({ header: {}, mti: "0210", fields: { 37: "R", ...fields }, reject: "00000" }) as never

  it("has another amount where a part was approved, and nowhere else", () => {
    expect(mismatchOf(request, answer({ 4: "000000000500", 39: "00" }))).toBeUndefined()
    expect(mismatchOf(request, answer({ 4: "000000000200", 39: "10" }))).toBeUndefined()
    expect(partApproved(request, answer({ 4: "000000000200", 39: "10" }))).toBe(200)
    expect(mismatchOf(request, answer({ 4: "000000000600", 39: "10" }))).toBe("DE 4")
    expect(mismatchOf(request, answer({ 4: "000000000200", 39: "00" }))).toBe("DE 4")
  })
})
