import { type Codec, compile, cups, type Dialect, isMessageError, MessageIndex } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { Iso8583 } from "../../../packages/switch/src/message/Iso8583.ts"
import { purchase } from "../core/Bench.ts"
import { usualLink } from "../LinkSettings.ts"

const MINUTE = 60_000

const timed: Dialect = { ...cups, name: "timed", clockError: 30 }
const codec: Codec = compile(timed)
const language = new Iso8583({ ...usualLink, codec, institution: "01030000", utcOffsetMs: 480 * MINUTE })

const requestOf = (time: string): MessageIndex => {
  const bytes = codec.encode(purchase({ 7: time }))
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  const index = new MessageIndex()
  expect(codec.index(bytes, 0, bytes.length, index)).toBeUndefined()
  return index
}

describe("the time that a request says it was sent at", () => {
  it("is of the year that is nearest, in the network's own time", () => {
    const now = Date.parse("2027-01-01T00:01:00+08:00")

    expect(language.age(requestOf("1231235900"), now)).toBe(2 * MINUTE - 30_000)
    expect(language.sinceSent(requestOf("1231235900"), now)).toBe(2 * MINUTE)
    expect(language.age(requestOf("0101000200"), now)).toBe(0)
    expect(language.sinceSent(requestOf("0101000200"), now)).toBe(-MINUTE)
  })

  it.each(["0000000000", "0001120000", "1332256199", "0230120000", "1128240000", "1128126000", "9999999999"])(
    "says nothing in any month of the year where it is no time: %s",
    (time) => {
      const request = requestOf(time)
      for (let month = 0; month < 12; month++) {
        const now = Date.UTC(2026, month, 28, 4, 0, 0)

        expect(language.age(request, now)).toBe(0)
        expect(language.sinceSent(request, now)).toBeUndefined()
      }
    }
  )
})
