import { compile, cups, isMessageError, MessageIndex } from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { OwnStan, stanOf } from "../../../packages/switch/src/exchange/OwnStan.ts"
import { purchase } from "../core/Bench.ts"

const codec = compile(cups)

const bytesOf = (stan: string): Buffer => {
  const bytes = codec.encode(purchase({ 11: stan }))
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return bytes
}

describe("a STAN of our own", () => {
  it("comes and goes without another byte changed, whatever the caller's was", () => {
    const ours = new OwnStan()
    const back = new OwnStan()
    const index = new MessageIndex()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), fc.integer({ min: 1, max: 2 ** 40 }), (caller, exchange) => {
        const stan = String(caller).padStart(6, "0")
        const bytes = bytesOf(stan)
        codec.index(bytes, 0, bytes.length, index)

        const sent = ours.with(codec, index, stanOf(exchange))
        const restored = back.with(codec, sent, stan)

        expect(sent.text(11)).toBe(stanOf(exchange))
        expect(sent.text(11)).toMatch(/^\d{6}$/)
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
