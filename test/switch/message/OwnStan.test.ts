import { compile, cups, isMessageError, MessageIndex } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Iso8583 } from "../../../packages/switch/src/message/Iso8583.ts"
import { stanOf } from "../../../packages/switch/src/message/Stamp.ts"
import { purchase } from "../core/Bench.ts"
import { usualLink } from "../LinkSettings.ts"

const codec = compile(cups)

const bytesOf = (stan: string): Buffer => {
  const bytes = codec.encode(purchase({ 11: stan }))
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

describe("a STAN of our own", () => {
  it("comes and goes without another byte changed, whatever the caller's was", () => {
    const language = new Iso8583({ ...usualLink, institution: "01030000" })
    const index = new MessageIndex()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 1, max: 2 ** 40 }), (caller, exchange) => {
        const stan = String(caller).padStart(6, "0")
        const bytes = bytesOf(stan)
        codec.index(bytes, 0, bytes.length, index)

        const sent = language.withStan(index, stanOf(exchange))!
        const ours = sent.text(11)
        const sentBytes = Buffer.from(sent.buffer.subarray(sent.start, sent.end))
        codec.index(sentBytes, 0, sentBytes.length, index)
        const restored = language.withStan(index, stan)!

        expect(ours).toBe(stanOf(exchange))
        expect(ours).toMatch(/^\d{6}$/)
        expect(restored.buffer.subarray(restored.start, restored.end)).toEqual(bytes)
      })
    )
  })

  it("is the same for the same exchange at every time, and never the same for two of 999,999 in a row", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 999_998 }), (exchange, apart) => {
        expect(stanOf(exchange)).toBe(stanOf(exchange))
        expect(stanOf(exchange)).not.toBe(stanOf(exchange + apart))
      })
    )
  })
})
