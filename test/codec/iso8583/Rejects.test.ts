/** A reject whose header is longer than that of other messages, as data: VAP's 26 bytes in front of the original with its 22. */
import {
  type Codec,
  compile,
  derive,
  describe as describeMessage,
  type HeaderPart,
  headerErrors,
  interpret,
  iso8583v1987Bcd,
  MessageIndex,
  messageFromJson,
  messageToJson,
  visa22
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { decoded, encoded } from "./plain.ts"

const dialect = derive(iso8583v1987Bcd, { name: "vap", header: visa22 })
const body = "0800 8220000000000000 0400000000000000 1127040000 000001 0301".replaceAll(" ", "")
const original =
  `160102${(22 + body.length / 2).toString(16).padStart(4, "0")}123456 654321${"00".repeat(11)}${body}`.replaceAll(
    " ",
    ""
  )
/** After jPOS, BASE1Header: field 13 (bytes 22 and 23) has its first bit, field 14 (24 and 25) is the code. */
const reject = (code: string): Buffer => {
  const total = 26 + original.length / 2
  const header = `1a0102${total.toString(16).padStart(4, "0")}654321123456${"00".repeat(11)}8000${code}`
  return Buffer.from(header + original, "hex")
}

const codecs: ReadonlyArray<readonly [string, Codec]> = [
  ["the table", interpret(dialect)],
  ["the generated code", compile(dialect)]
]

describe("A reject with a header of its own", () => {
  it.each(codecs)("is told by its length and read by %s: the code outside, the original inside", (_, codec) => {
    const bytes = reject("0092")
    const index = new MessageIndex()

    expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
    expect([index.rejectCode, index.start, index.mti]).toEqual([92, 26, 800])

    const message = decoded(codec, bytes)
    expect(message.rejected).toMatchObject({ headerLength: "1A", rejectBitmap: "8000", rejectCode: "0092" })
    expect(message.header).toMatchObject({ headerLength: "16", destination: "123456" })
    expect(message.header).not.toHaveProperty("rejectCode")
    expect(encoded(codec, message)).toEqual(bytes)

    const again = messageFromJson(codec, messageToJson(message, { reveal: true }))
    expect(again).toEqual(message)
  })

  it.each(codecs)("without a code is a reject all the same, and one that is cut is too short, by %s", (_, codec) => {
    const index = new MessageIndex()
    const none = reject("0000")

    expect(codec.index(none, 0, none.length, index)).toBeUndefined()
    expect(index.rejectCode).toBe(-1)

    const cut = reject("0092").subarray(0, 40)
    cut.writeUInt16BE(40, 3)
    expect(codec.index(cut, 0, cut.length, index)).toMatchObject({ _tag: "TooShort" })
  })

  it("shows both headers, and every other message as before", () => {
    const codec = compile(dialect)
    const rows = describeMessage(codec, reject("0092")).rows.map(({ id, offset }) => `${id} ${offset}`)
    const plain = Buffer.from(original, "hex")

    expect(rows).toContain("rejected.rejectCode 24")
    expect(rows).toContain("header.headerLength 26")
    expect(encoded(codec, decoded(codec, plain))).toEqual(plain)
    expect(decoded(codec, plain).rejected).toBeUndefined()
  })

  it("is refused as a list of parts where nothing tells it", () => {
    const wrong = (...parts: ReadonlyArray<HeaderPart>) => headerErrors({ name: "", parts })
    const start: HeaderPart = { name: "start", bytes: 1, form: "hex", value: "16", fixed: true }
    const code: HeaderPart = { name: "code", bytes: 1, form: "hex", value: "00", only: "reject", reject: true }

    expect(wrong(start, code)).toEqual([expect.stringContaining("part code is in a reject only")])
    expect(wrong({ ...start, rejected: "16" }, code)).toEqual([expect.stringContaining("another value than 16")])
    expect(wrong({ ...start, fixed: false, rejected: "1A" }, code)).toEqual([expect.stringContaining("fixed part")])
    expect(wrong({ ...start, rejected: "1A" }, code, { name: "last", bytes: 1, form: "hex" })).toEqual([
      expect.stringContaining("behind all others")
    ])
    expect(wrong({ ...start, rejected: "1A" }, code)).toEqual([])
  })
})
