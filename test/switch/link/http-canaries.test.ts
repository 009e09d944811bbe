/** What an HTTP door answers to a body that is no message: place and rule, and nothing of what was sent. */
import { compile, cups, dialects } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { messageOf } from "../../../packages/switch/src/link/door/HttpBody.ts"
import { cardNumbers, discretionary, showsNumber, track1Of, track2Of, valuesOf } from "../../codec/cover/Canaries.ts"

const LENGTH_MAX = 1892
const types = ["application/octet-stream", "text/hex", "application/json"] as const

/** Bodies that hold the canary at every place of a JSON message, and as bytes and hex digits in every form. */
const bodiesOf = (canary: string): ReadonlyArray<string> => {
  const text = JSON.stringify(canary)
  const number = /^\d+$/.test(canary) ? [canary] : []
  return [
    canary,
    text,
    `{ ${text}: 1 }`,
    `[${text}]`,
    `{ "mti": ${text} }`,
    `{ "mti": "0200", "fields": ${text} }`,
    `{ "mti": "0200", "header": ${text}, "fields": {} }`,
    `{ "mti": "0200", "header": { "source": ${text} }, "fields": { "11": "000001" } }`,
    `{ "mti": "0200", "header": { ${text}: "1" }, "fields": { "11": "000001" } }`,
    `{ "mti": "0200", "fields": { ${text}: "1" } }`,
    `{ "mti": "0200", "fields": { "11": "000001" }, ${text}: 2 }`,
    `{ "mti": ${text}`,
    `{ "mti": "0200", "fields": { "55": { ${text}: ${text} } } }`,
    ...number.map((one) => `{ "mti": "0200", "fields": { "4": ${one} } }`),
    ...[2, 4, 11, 35, 37, 42, 43, 48, 52, 55, 60, 90, 128].map(
      (de) => `{ "mti": "0200", "fields": { "11": "000001", "${de}": ${text} } }`
    ),
    Buffer.from(canary).toString("hex"),
    `${Buffer.from(canary).toString("hex")}x`
  ]
}

describe("An HTTP door", () => {
  it("repeats nothing of a body that is no message, of no form and in no dialect", () => {
    let refused = 0
    for (const pan of cardNumbers) {
      for (const canary of [pan, track2Of(pan), track1Of(pan)]) {
        for (const dialect of [cups, dialects["iso8583v1987Bcd"]!, dialects["iso8583v2003"]!]) {
          const codec = compile(dialect)
          const cut = codec.layout.defined.flatMap((field) => {
            const [value] = valuesOf(field, canary)
            const bytes = value === undefined ? undefined : codec.encode({ mti: "0200", fields: { [field.de]: value } })
            return Buffer.isBuffer(bytes) ? [bytes.subarray(0, bytes.length - 1)] : []
          })
          const bodies = [...bodiesOf(canary).map((body) => Buffer.from(body)), ...cut]
          for (const type of [...types, `text/${canary}`]) {
            for (const body of bodies) {
              const answer = messageOf(type, body, codec, LENGTH_MAX)
              if (Buffer.isBuffer(answer)) continue
              refused++
              const shown = [pan, discretionary].filter((one) => showsNumber(answer.body, one) !== undefined)
              expect([type, body.toString("latin1"), shown]).toEqual([type, body.toString("latin1"), []])
            }
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(3000)
  })
})
