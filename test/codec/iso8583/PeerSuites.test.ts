import { compile, explain, interpret, isMessageError, messageToJson } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import fixture from "../../fixtures/codec-peer-suites.json" with { type: "json" }
import { type PeerMessage, peerDialect } from "./peerSuites.ts"

const messages = fixture.messages as unknown as ReadonlyArray<PeerMessage>

const title = ({ source }: PeerMessage): string => source.replace(/^github:/, "").slice(0, 150)

/** moov gives values without their filling zeros and spaces. */
const unfilled = (text: string): string => text.replace(/^[0 ]+/, "")

const run = (message: PeerMessage): void => {
  const dialect = peerDialect(message)
  if (typeof dialect === "string") return
  const bytes = Buffer.from(message.hex, "hex")
  for (const codec of [interpret(dialect), compile(dialect)]) {
    for (let turn = 0; turn < 5; turn++) {
      const decoded = codec.decode(bytes)
      if (isMessageError(decoded)) throw new Error(explain(decoded))
      const { mti, fields } = messageToJson(decoded, { reveal: true })
      expect(mti).toBe(message.fields[message.library === "moov" ? "0" : "t"])
      let compared = 0
      for (const [de, value] of Object.entries(message.fields)) {
        const isData = /^\d+$/.test(de) && de !== "0" && de !== "1" && typeof value === "string"
        if (!isData || fields[de] === undefined) continue
        compared++
        const isNumber = message.spec[de]?.type === "Numeric"
        const isRaw = message.library === "moov" && codec.layout.fields[Number(de)]?.bytes === true
        const given = isRaw ? Buffer.from(value, "latin1") : undefined
        const bytesOf = value.startsWith("hex:") ? Buffer.from(value.slice(4), "hex") : given
        const isBytes = codec.layout.fields[Number(de)]?.bytes === true
        const expected = bytesOf === undefined ? value : isBytes ? bytesOf.toString("hex") : bytesOf.toString("latin1")
        if (message.library === "moov" && fields[de] !== expected) expect(unfilled(fields[de])).toBe(unfilled(expected))
        else if (isNumber) expect(Number(fields[de])).toBe(Number(expected))
        else expect(isBytes ? fields[de].toLowerCase() : fields[de]).toBe(isBytes ? expected.toLowerCase() : expected)
      }
      if (message.library === "pyiso8583") expect(compared).toBe(Object.keys(decoded.fields).length)
      // Hex digits of a bitmap are read in either case and written in capitals.
      const again = codec.encode(decoded) as Buffer
      if (!again.equals(bytes))
        expect(again.toString("latin1").toUpperCase()).toBe(bytes.toString("latin1").toUpperCase())
    }
  }
}

describe("The suites of two other libraries", () => {
  for (const message of messages)
    if (typeof peerDialect(message) !== "string")
      it(`are read and written alike: ${title(message)}`, () => run(message))

  it("hold these messages that our dialects cannot express, and why", () => {
    const reasons: Record<string, number> = {}
    for (const message of messages) {
      const dialect = peerDialect(message)
      if (typeof dialect === "string") reasons[dialect] = (reasons[dialect] ?? 0) + 1
    }

    expect(reasons).toEqual({
      "a header of variable length": 2,
      "a prefix that counts the half bytes of a text": 3,
      "two bitmaps in two encodings": 4
    })
  })
})
