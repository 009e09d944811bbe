import {
  compile,
  cups,
  derive,
  explain,
  interpret,
  isMessageError,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  type Message,
  MessageIndex,
  messageToJson,
  PatchInvalid,
  PatchList
} from "@jinka/codec"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { runs } from "../../Runs.ts"
import { anyMessage } from "./arbitrary.ts"

const cupsCodec = compile(cups)

const encoded = (codec: ReturnType<typeof compile>, message: Message): Buffer => {
  const result = codec.encode(message)
  if (isMessageError(result)) throw new Error(explain(result))
  return result
}

/** The message with the changes applied, by way of a bigger buffer. */
const patched = (codec: ReturnType<typeof compile>, message: Buffer, change: (patches: PatchList) => void): Buffer => {
  const index = new MessageIndex()
  expect(codec.index(message, 0, message.length, index)).toBeUndefined()
  const patches = new PatchList()
  change(patches)
  const room = codec.patchedLength(index, patches)
  const out = Buffer.alloc(room + 10, 0x55)
  const length = codec.patch(index, patches, out, 5)
  expect(length).toBeLessThanOrEqual(room)
  expect(out.subarray(0, 5).every((byte) => byte === 0x55)).toBe(true)
  expect(out.subarray(5 + length).every((byte) => byte === 0x55)).toBe(true)
  return out.subarray(5, 5 + length)
}

const request: Message = {
  mti: "0200",
  header: { source: "03050001   ", destination: "00010000   ", reserved: "414139", batch: "07", user: "31" },
  fields: {
    2: "6225881234567890",
    3: "000000",
    7: "0725171710",
    11: "001225",
    32: "03050001",
    33: "03050001",
    128: "25CBE4C6"
  }
}

describe("A patched copy", () => {
  const original = encoded(cupsCodec, request)

  it("is identical where nothing is changed", () => {
    expect(patched(cupsCodec, original, () => {})).toEqual(original)
  })

  it("differs in exactly the STAN's bytes when the STAN is set", () => {
    const copy = patched(cupsCodec, original, (patches) => patches.set(11, "654321"))
    const differing = [...copy].flatMap((byte, at) => (byte === original[at] ? [] : [at]))
    expect(copy.length).toBe(original.length)
    expect(copy.toString("latin1", differing[0], differing.at(-1)! + 1)).toBe("654321")
  })

  it("keeps bitmap, length prefixes and the header's total length right when fields come, go and grow", () => {
    const copy = patched(cupsCodec, original, (patches) => {
      patches.mti(210)
      patches.set(39, "00")
      patches.set(32, "0102")
      patches.remove(128)
      patches.remove(64)
    })
    const message = cupsCodec.decode(copy) as Message
    const { 128: _, ...rest } = request.fields

    expect(messageToJson(message, { reveal: true }).fields).toEqual({ ...rest, 39: "00", 32: "0102" })
    expect(message.mti).toBe("0210")
    expect(message.header?.["totalLength"]).toBe(String(copy.length).padStart(4, "0"))
  })

  it("swaps the ids for an answer and echoes the opaque parts", () => {
    const copy = patched(cupsCodec, original, (patches) => {
      patches.answer()
      patches.header("transaction", "10000000")
    })
    expect((cupsCodec.decode(copy) as Message).header).toMatchObject({
      destination: "03050001   ",
      source: "00010000   ",
      reserved: "414139",
      batch: "07",
      user: "31",
      transaction: "10000000"
    })
  })

  it("of a reject is a copy of the original message inside", () => {
    const reject = encoded(cupsCodec, { ...request, rejected: { rejectCode: "00025" } })
    expect(patched(cupsCodec, reject, () => {})).toEqual(original)
  })

  it("drops a second bitmap with its last field and makes one for the first", () => {
    const codec = compile(iso8583v1987AsciiRaw)
    const small = encoded(codec, { mti: "0800", fields: { 11: "000001" } })
    const big = encoded(codec, { mti: "0800", fields: { 11: "000001", 70: "301" } })

    expect(patched(codec, small, (patches) => patches.set(70, "301"))).toEqual(big)
    expect(patched(codec, big, (patches) => patches.remove(70))).toEqual(small)
  })

  it("keeps an empty second bitmap that the partner sent", () => {
    const codec = compile(iso8583v1987AsciiRaw)
    const odd = Buffer.concat([
      Buffer.from("0800"),
      Buffer.from("80200000000000000000000000000000", "hex"),
      Buffer.from("000001")
    ])

    expect(patched(codec, odd, (patches) => patches.set(12, "101112")).toString("hex", 4, 20)).toBe(
      "80300000000000000000000000000000"
    )
  })

  it("refuses a value that breaks the dialect, before or while it is made", () => {
    const wrong: ReadonlyArray<readonly [number, string | Uint8Array]> = [
      [11, "12345"],
      [11, "12345A"],
      [32, "123456789012"],
      [52, "12345678"],
      [8, "00000000"],
      [41, "T\n234567"]
    ]
    for (const [de, value] of wrong) {
      const patches = new PatchList()
      patches.set(de, value)
      expect(cupsCodec.checkPatches(patches)).toBeDefined()
      expect(() => patched(cupsCodec, original, (list) => list.set(de, value))).toThrow(PatchInvalid)
    }

    expect(() => patched(cupsCodec, original, (patches) => patches.header("nowhere", "1"))).toThrow(PatchInvalid)
    expect(() => patched(cupsCodec, original, (patches) => patches.mti(12345))).toThrow(PatchInvalid)
  })

  it("can be made again and again with one list", () => {
    const index = new MessageIndex()
    const patches = new PatchList()
    const out = Buffer.alloc(4096)
    for (let stan = 0; stan < 50; stan++) {
      cupsCodec.index(original, 0, original.length, index)
      patches.clear()
      patches.set(33, "1".repeat(stan % 12))
      patches.set(11, String(stan).padStart(6, "0"))
      patches.set(11, String(stan + 1).padStart(6, "0"))
      const length = cupsCodec.patch(index, patches, out, 0)
      expect(cupsCodec.index(out, 0, length, index)).toBeUndefined()
      expect(index.number(11)).toBe(stan + 1)
      expect(index.length(33)).toBe(stan % 12)
    }
  })
})

describe("Patching any message", () => {
  for (const dialect of [cups, derive(cups, { name: "bare", header: null }), iso8583v1987Ascii, iso8583v1987AsciiRaw]) {
    it(`${dialect.name}: gives the bytes that decoding, changing and encoding would give`, () => {
      const codec = interpret(dialect)
      fc.assert(
        fc.property(
          anyMessage(dialect),
          anyMessage(dialect, 6),
          fc.array(fc.integer({ min: 2, max: 128 })),
          (message, changes, gone) => {
            const expected: Message = { mti: changes.mti, fields: { ...message.fields, ...changes.fields } }
            const removable = gone.filter(
              (de) => codec.layout.fields[de] !== undefined && changes.fields[de] === undefined
            )
            for (const de of removable) delete expected.fields[de]
            const copy = patched(codec, encoded(codec, message), (patches) => {
              patches.mti(Number(changes.mti))
              for (const [de, value] of Object.entries(changes.fields)) patches.set(Number(de), value as string)
              for (const de of removable) patches.remove(de)
            })
            expect(copy).toEqual(encoded(codec, expected))
          }
        ),
        runs(75)
      )
    })
  }
})

describe("The match key", () => {
  const des = [7, 11, 32, 33]
  const keyOf = (codec: ReturnType<typeof compile>, message: Message, fields = des): string => {
    const index = new MessageIndex()
    const whole = encoded(codec, message)
    expect(codec.index(whole, 0, whole.length, index)).toBeUndefined()
    const out = Buffer.alloc(500)
    return out.toString("latin1", 2, 2 + codec.matchKey(index, fields, out, 2))
  }

  it("is the fields' text in order, with bars between and nothing for what is absent", () => {
    expect(keyOf(cupsCodec, request)).toBe("0725171710|001225|03050001|03050001")
    expect(keyOf(cupsCodec, { mti: "0200", fields: { 11: "001225" } })).toBe("|001225||")
    expect(keyOf(cupsCodec, request, [])).toBe("")
  })

  it("is the same in every dialect for the same values", () => {
    const packed = derive(iso8583v1987AsciiRaw, {
      name: "packed",
      encodings: { digits: "bcd", text: "ebcdic", prefix: "bcd" }
    })
    const fields = {
      7: "0725171710",
      11: "001225",
      32: "0305000",
      41: "TERM-001",
      52: Buffer.from("0123456789ABCDEF", "hex")
    }
    const keys = [iso8583v1987Ascii, iso8583v1987AsciiRaw, packed, derive(cups, { name: "bare", header: null })].map(
      (dialect) => keyOf(compile(dialect), { mti: "0200", fields }, [7, 11, 32, 41, 52])
    )

    expect(new Set(keys)).toEqual(new Set(["0725171710|001225|0305000|TERM-001|0123456789ABCDEF"]))
  })
})
