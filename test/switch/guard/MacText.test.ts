import { compile, cups, cupsManagementMacFields, iso8583v1987AsciiRaw, MessageIndex, unionPayPos } from "@jinka/codec"
import { describe, expect, it } from "vitest"
import type { MacSettings } from "../../../packages/switch/src/guard/GuardSettings.ts"
import { carriesMac, fieldOfMac, readMac } from "../../../packages/switch/src/guard/MacField.ts"
import { MacText } from "../../../packages/switch/src/guard/MacText.ts"
import { vectors } from "../../codec/security/vectors.ts"

interface Vectors {
  readonly cupsMac: ReadonlyArray<{
    readonly name: string
    readonly fields: ReadonlyArray<{ readonly de: number; readonly raw: string }>
    readonly text: string
    readonly f128X919: string
  }>
  readonly wholeMessageMac: { readonly covered: string }
  readonly keyExchange: ReadonlyArray<{
    readonly name: string
    readonly request?: { readonly frame: string; readonly macText?: string; readonly de128?: string }
    readonly answer?: { readonly frame: string; readonly macText?: string; readonly de128?: string }
  }>
}

const known = vectors<Vectors>("keys")
const text = new MacText()
const index = new MessageIndex()

const coveredOf = (codec: ReturnType<typeof compile>, bytes: Buffer, changes: Partial<MacSettings>): string => {
  const wrong = codec.index(bytes, 0, bytes.length, index)
  if (wrong !== undefined) throw new Error(wrong._tag)
  text.take(codec.layout, { ...codec.dialect.security!.mac!, isZeroed: false, isHexText: false, ...changes }, index)
  return text.buffer.toString("latin1", text.from, text.to)
}

/** Variable fields of the vectors have their length digits in front. */
const withoutPrefix = (de: number, raw: string): string =>
  [2, 32, 33, 100, 102, 103].includes(de) ? raw.slice(2) : raw

describe("The text that a CUPS MAC covers", () => {
  const codec = compile(cups)

  for (const { fields, name, text: expected } of known.cupsMac.filter(({ fields }) => fields[0]?.raw.startsWith("0")))
    it(`is that of the published rule: ${name}`, () => {
      const isManagement = fields[0]!.raw.startsWith("08")
      const message = {
        mti: fields[0]!.raw,
        fields: Object.fromEntries(
          fields.slice(1).map(({ de, raw }) => [de, de === 90 ? raw.padEnd(42, "0") : withoutPrefix(de, raw)])
        )
      }
      const bytes = codec.encode({ ...message, fields: { ...message.fields, 128: "00000000" } })
      if (!Buffer.isBuffer(bytes)) throw new Error(JSON.stringify(bytes))

      const changes = isManagement ? { fields: cupsManagementMacFields } : {}

      expect(coveredOf(codec, bytes, changes)).toBe(expected)
    })

  for (const { answer, name, request } of known.keyExchange)
    for (const one of [request, answer]) {
      if (one?.macText === undefined || !/^0[0-9]{3} /.test(one.macText)) continue
      it(`is found in the bytes of a key exchange: ${name}, ${one.macText.slice(0, 4)}`, () => {
        const bytes = Buffer.from(one.frame, "hex").subarray(4)
        expect(coveredOf(codec, bytes, { fields: cupsManagementMacFields })).toBe(one.macText)
        const mac = readMac(codec.layout, codec.dialect.security!.mac!, index)
        expect(mac?.toString("hex").toUpperCase()).toBe(one.de128)
      })
    }
})

describe("The text that the MAC of a whole message covers", () => {
  const codec = compile(iso8583v1987AsciiRaw)
  const covered = Buffer.from(known.wholeMessageMac.covered, "hex")
  const message = Buffer.concat([covered, Buffer.from("A1B2C3D4E5F60718", "hex")])

  it("goes from the message type to the MAC field, with the bit of the MAC set", () => {
    expect(coveredOf(codec, message, {})).toBe(covered.toString("latin1"))
  })

  it("may have the MAC itself as zeros inside", () => {
    const zeros = Buffer.concat([covered, Buffer.alloc(8)])
    expect(coveredOf(codec, message, { isZeroed: true })).toBe(zeros.toString("latin1"))
  })

  it("may be a list of fields as they stand, and hexadecimal characters of it", () => {
    expect(coveredOf(codec, message, { text: "fields", fields: [0, 11, 2, 7] })).toBe("0200" + "000126" + "1126093015")
    expect(coveredOf(codec, message, { text: "fields", fields: [0], isHexText: true })).toBe("30323030")
  })

  it("begins behind the TPDU and the header of a terminal message", () => {
    const pos = compile(unionPayPos)
    const bytes = pos.encode({
      mti: "0200",
      fields: {
        3: "000000",
        4: "000000000100",
        11: "000001",
        41: "T0000001",
        42: "MERCHANT0000001",
        64: Buffer.alloc(8)
      }
    })
    if (!Buffer.isBuffer(bytes)) throw new Error(JSON.stringify(bytes))

    const body = bytes.subarray(pos.layout.headerBytes, bytes.length - 8)

    expect(coveredOf(pos, bytes, {})).toBe(body.toString("latin1"))
    expect(body.toString("hex", 0, 2)).toBe("0200")
  })
})

describe("The field of the MAC", () => {
  const codec = compile(iso8583v1987AsciiRaw)
  const fieldOf = (fields: { readonly [de: number]: string }): number => {
    const bytes = codec.encode({ mti: "0200", fields })
    if (!Buffer.isBuffer(bytes)) throw new Error(JSON.stringify(bytes))
    codec.index(bytes, 0, bytes.length, index)
    return fieldOfMac(codec.layout, "last", index)
  }

  it("is the last one of the last bitmap that the message has", () => {
    expect(fieldOf({ 11: "000001" })).toBe(64)
    expect(fieldOf({ 11: "000001", 100: "99990001" })).toBe(128)
  })

  it("belongs to requests, their repeats and their answers, and to no others", () => {
    const { mac } = cups.security!
    const carrying = [200, 201, 210, 220, 221, 230, 420, 421, 430, 100, 110]
    expect(carrying.map((mti) => carriesMac(mac!, mti))).toEqual(carrying.map(() => true))
    expect([620, 630, 800, 810, 820, 830, 500].map((mti) => carriesMac(mac!, mti))).toEqual(Array(7).fill(false))
  })
})
