import { RecordCodec, type RecordFormat } from "@jinka/codec"
import { describe, expect, it } from "vitest"

const format: RecordFormat = {
  name: "core",
  bytes: 40,
  kind: {
    offset: 0,
    bytes: 4,
    kinds: [
      { text: "TRRQ", class: "request" },
      { text: "TRRS", class: "response" }
    ]
  },
  key: [
    { offset: 4, bytes: 8 },
    { offset: 12, bytes: 6 }
  ],
  responseCode: { offset: -2, bytes: 2 },
  repeat: { offset: 18, bytes: 1, text: "R" },
  covered: [{ offset: 19, bytes: 19 }]
}
const request = Buffer.from("TRRQ20261122000123 622588123456789012300")

describe("A fixed-length record", () => {
  const codec = new RecordCodec(format)

  it("gives its kind, key and response code from byte ranges alone", () => {
    const stream = Buffer.concat([Buffer.from("xx"), request])
    expect(codec.check(stream, 2, 42)).toBeUndefined()
    expect(codec.kind(stream, 2, 42)?.class).toBe("request")
    expect(codec.responseCode(stream, 2, 42)).toBe("00")

    const out = Buffer.alloc(20)
    expect(out.toString("latin1", 1, 1 + codec.matchKey(stream, 2, 42, out, 1))).toBe("20261122|000123")
  })

  it("is repeated with the agreed flag and otherwise unchanged", () => {
    const out = Buffer.alloc(41)

    expect(codec.copy(request, 0, 40, true, out, 1)).toBe(40)
    expect(out.toString("latin1", 1)).toBe(request.toString("latin1").replace("000123 ", "000123R"))

    codec.copy(request, 0, 40, false, out, 1)

    expect(out.subarray(1)).toEqual(request)
  })

  it("is covered where it holds card data", () => {
    const out = Buffer.alloc(40)
    codec.redact(request, 0, 40, out, 0)
    expect(out.toString("latin1")).toBe(`TRRQ20261122000123 ${"*".repeat(19)}00`)
  })

  it("is refused when its size or its kind is another", () => {
    expect(codec.check(request, 0, 39)).toEqual({ _tag: "RecordInvalid", rule: "size", offset: -1 })
    const other = Buffer.from(request)
    other.write("XXXX")
    expect(codec.check(other, 0, 40)).toEqual({ _tag: "RecordInvalid", rule: "kind", offset: 0 })
  })
})

describe("An opaque message", () => {
  it("of any size needs only to hold its ranges", () => {
    const codec = new RecordCodec({ name: "xml", key: [{ offset: -10, bytes: 6 }] })
    const message = Buffer.from("<m><id>000123</m>")

    expect(codec.check(message, 0, message.length)).toBeUndefined()

    const out = Buffer.alloc(6)
    codec.matchKey(message, 0, message.length, out, 0)
    expect(out.toString()).toBe("000123")
    expect(codec.check(message, 0, 9)).toEqual({ _tag: "RecordInvalid", rule: "range", offset: -10 })
    expect(codec.kind(message, 0, message.length)).toBeUndefined()
  })

  it("is not described by ranges that cannot be in it", () => {
    for (const key of [
      { offset: 38, bytes: 3 },
      { offset: -2, bytes: 3 },
      { offset: 0, bytes: 0 },
      { offset: 0.5, bytes: 1 }
    ])
      expect(() => new RecordCodec({ name: "bad", bytes: 40, key: [key] })).toThrow(/range/)
    expect(() => new RecordCodec({ name: "bad", key: [], repeat: { offset: 0, bytes: 1, text: "RR" } })).toThrow(/flag/)
  })
})
