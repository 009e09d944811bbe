/**
 * The canaries in every field, part and tag of every shipped dialect, sought in everything that the codec gives out: the covered
 * copy, descriptions, JSON, differences, what may be kept, and the errors and rows of messages that do not read to their end.
 */
import {
  type Codec,
  compile,
  derive,
  describe as describeMessage,
  dialects,
  diff,
  emvTags,
  type FieldLayout,
  isMessageError,
  iso8583v1987Ascii,
  type Message,
  MessageIndex,
  messageToJson
} from "@jinka/codec"
import { describe, expect, it } from "vitest"
import { isLong } from "../../Runs.ts"
import { cardNumbers, discretionary, packed, showsNumber, track1Of, track2Of, valuesOf } from "./Canaries.ts"

/** The shipped dialects without their headers. */
const codecs: ReadonlyArray<Codec> = Object.values(dialects).map((dialect) =>
  compile(derive(dialect, { name: dialect.name, header: null }))
)

interface Placed {
  readonly codec: Codec
  readonly field: FieldLayout
  readonly bytes: Buffer
  readonly message: Message
}

/** Every message that holds the canary in one of these fields. */
const placed = (canary: string, isWanted: (field: FieldLayout) => boolean = () => true): ReadonlyArray<Placed> =>
  codecs.flatMap((codec) =>
    codec.layout.defined.filter(isWanted).flatMap((field) =>
      valuesOf(field, canary).flatMap((value) => {
        const message: Message = {
          mti: `${codec.dialect.version}200`,
          fields: { 11: "1".padStart(codec.layout.fields[11]!.units, "0"), [field.de]: value }
        }
        const bytes = codec.encode(message)
        return isMessageError(bytes) ? [] : [{ codec, field, bytes, message }]
      })
    )
  )

const index = new MessageIndex()

/** Everything that is shown or stored in the open. */
const outputs = ({ codec, bytes }: Placed): ReadonlyArray<string | Uint8Array> => {
  const wrong = codec.index(bytes, 0, bytes.length, index)
  if (wrong !== undefined) throw new Error(`${codec.dialect.name}: not indexed: ${wrong._tag}`)
  const copy = Buffer.alloc(bytes.length)
  codec.redact(index, copy, 0)
  const decoded = codec.decode(bytes)
  if (isMessageError(decoded)) return [copy, JSON.stringify(describeMessage(codec, bytes))]
  return [
    copy,
    JSON.stringify(describeMessage(codec, bytes, { language: "both" })),
    JSON.stringify(describeMessage(codec, copy)),
    JSON.stringify(messageToJson(decoded)),
    JSON.stringify(messageToJson(decoded, { parts: codec })),
    JSON.stringify(diff({ codec, buffer: bytes }, { codec, buffer: copy }))
  ]
}

/** Each field meets the shortest number, which fits into most, and one of three others; JINKA_LAB=long: all of them. */
const isMet = ({ codec, field }: Placed, turn: number): boolean =>
  isLong || turn === 0 || (codecs.indexOf(codec) + field.de + turn) % 3 === 0

describe("A card number in any field of any dialect", () => {
  it("is shown nowhere and is in no copy", () => {
    const leaks: Array<unknown> = []
    for (const [turn, pan] of cardNumbers.entries()) {
      const all = placed(pan)
      expect(all.length).toBeGreaterThan(400)
      for (const one of all.filter((one) => isMet(one, turn)))
        for (const [at, seen] of outputs(one).entries()) {
          const found = showsNumber(seen, pan)
          if (found !== undefined) leaks.push([one.codec.dialect.name, one.field.de, at, found])
        }
    }
    expect(leaks).toEqual([])
  })
})

describe("Hex digits in a text that say a card number or a track", () => {
  const ebcdicOf = (text: string): Buffer =>
    Buffer.from([...text].map((one) => (/\d/.test(one) ? 0xf0 + Number(one) : 0x7e)))
  /** One of 15 digits, of 16 and of 19; JINKA_LAB=long: the others of 16, too. */
  const cardsOfSizes = isLong ? cardNumbers.slice(2) : [cardNumbers[2]!, cardNumbers[3]!, cardNumbers.at(-1)!]
  /** Each field meets one of so many forms; JINKA_LAB=long: all of them. */
  const FORMS = 6
  const saying = (canary: string): ReadonlyArray<string> => {
    const [inAscii, inEbcdic] = [Buffer.from(canary).toString("hex"), ebcdicOf(canary).toString("hex")]
    return [inAscii, inAscii.toUpperCase(), inEbcdic, inEbcdic.toUpperCase(), `A${inAscii}B`, `12 ${inEbcdic}`]
  }

  it("are shown nowhere, and no track is kept", () => {
    const leaks: Array<unknown> = []
    for (const pan of cardsOfSizes)
      for (const canary of [pan, track2Of(pan)]) {
        const all = saying(canary)
          .flatMap((text, form) => placed(text, ({ de }) => isLong || (de + form) % FORMS === 0))
          .filter(({ field }) => !field.bytes)
        expect(all.length).toBeGreaterThan(100)
        for (const one of all) {
          const shown = outputs(one)
          one.codec.index(one.bytes, 0, one.bytes.length, index)
          const kept = canary === pan ? [] : [one.codec.withoutSad(index)]
          for (const [at, seen] of [...shown, ...kept].entries()) {
            const found = (at < shown.length ? showsNumber(seen, pan) : undefined) ?? showsNumber(seen, discretionary)
            if (found !== undefined) leaks.push([one.codec.dialect.name, one.field.de, at, found])
          }
        }
      }

    expect(leaks).toEqual([])
  })
})

describe("A track in any field of any dialect", () => {
  for (const [name, trackOf] of [
    ["track 2", track2Of],
    ["track 1", track1Of]
  ] as const)
    it(`${name} is shown nowhere, and is not in what may be kept`, () => {
      const leaks: Array<unknown> = []
      for (const pan of isLong ? cardNumbers.slice(3) : [cardNumbers[3]!, cardNumbers.at(-1)!]) {
        const all = placed(trackOf(pan))
        expect(all.length).toBeGreaterThan(100)
        for (const one of all) {
          const shown = outputs(one)
          one.codec.index(one.bytes, 0, one.bytes.length, index)
          for (const [at, seen] of [...shown, one.codec.withoutSad(index)].entries()) {
            const found = showsNumber(seen, discretionary)
            if (found !== undefined) leaks.push([one.codec.dialect.name, one.field.de, at, found])
          }
        }
      }
      expect(leaks).toEqual([])
    })
})

describe("Private, reserved and free content", () => {
  it("is covered in every dialect, unless the dialect gives a reason", () => {
    const secret = "QZCVV987"
    for (const codec of codecs)
      for (const field of codec.layout.defined) {
        const { de, content } = field
        const isFree = (de >= 104 && de <= 127) || [46, 47, 48, 56, 57, 58, 59, 60, 61, 62, 63].includes(de)
        if (!isFree || field.sensitivity === "none" || field.units < 8 || content === "n") continue
        const value = field.bytes ? Buffer.from(secret) : secret
        const bytes = codec.encode({ mti: `${codec.dialect.version}200`, fields: { [de]: value } })
        if (isMessageError(bytes)) continue
        for (const seen of outputs({ codec, field, bytes, message: { mti: "0200", fields: {} } })) {
          const text = typeof seen === "string" ? seen : Buffer.from(seen).toString("latin1")
          expect([codec.dialect.name, de, text.includes("CVV987")]).toEqual([codec.dialect.name, de, false])
        }
      }
    const released = codecs.flatMap(({ dialect, layout }) =>
      layout.defined.flatMap(({ de, sensitivity }) => {
        const { reason } = dialect.fields[de]!
        return sensitivity === "none" && reason !== undefined ? [`${dialect.name} ${de}`] : []
      })
    )

    expect(released).toEqual(["cups 60", "unionPayPos 60"])
  })

  it("is not kept for an advice unless the dialect needs it", () => {
    const needs = compile(derive(iso8583v1987Ascii, { name: "needs", adviceNeeds: [14, 120] }))
    for (const [codec, expected] of [
      [compile(iso8583v1987Ascii), [11, 14]],
      [needs, [11, 14, 120]]
    ] as const) {
      const fields = { 11: "000001", 14: "3012", 48: "PRIVATE", 62: "PRIVATE", 120: "PRIVATE" }
      const bytes = codec.encode({ mti: "0220", fields }) as Buffer
      codec.index(bytes, 0, bytes.length, index)
      const kept = codec.withoutSad(index)
      const message = codec.decode(kept) as Message
      expect(Object.keys(message.fields).map(Number)).toEqual(expected)
    }
  })
})

describe("A tag of chip data", () => {
  const chipCodecs = codecs.filter(
    ({ layout }) => layout.fields[55]?.sensitivity === "emv" && layout.fields[55].encoding === "binary"
  )
  const tlv = (tag: string, value: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(tag, "hex"), Buffer.of(value.length), value])
  const unknown = ["DF01", "C5", "DF8129", "5F7F", "9F7F"]
  const tags = [...emvTags.keys(), ...unknown].filter((tag) => (Number.parseInt(tag.slice(0, 2), 16) & 0x20) === 0)
  const nests: ReadonlyArray<(one: Buffer) => Buffer> = [
    (one) => tlv("70", one),
    (one) => tlv("E1", tlv("A5", one)),
    (one) => Buffer.concat([Buffer.of(0xff, 0xff, 0xff), one, Buffer.of(0, 0xff)]),
    (one) => Buffer.concat([Buffer.of(0xff), one]),
    (one) => Buffer.concat([tlv("9F36", Buffer.of(0, 1)), Buffer.of(0, 0xff, 0), one])
  ]

  /** By itself, and nested: another way each time, so that each tag, each value and each dialect meets each of them. */
  const ways: typeof nests = [(one) => one, ...nests]
  const waysOf = (turn: number): typeof nests => (isLong ? ways : [ways[turn % ways.length]!])

  it("shows no card number and keeps no track, known or unknown, nested or behind filling", () => {
    const pan = "4111111111111111"
    const leaks: Array<string> = []
    const noted = (tag: string, found: string | undefined): void => {
      if (found !== undefined) leaks.push(`${tag}: ${found}`)
    }
    const values = [packed(pan), Buffer.from(pan), packed(track2Of(pan)), Buffer.from(track2Of(pan))]
    for (const [first, codec] of chipCodecs.entries())
      for (const [second, tag] of tags.entries())
        for (const [third, value] of values.entries())
          for (const nest of waysOf(first + second + third)) {
            const bytes = codec.encode({ mti: "0200", fields: { 55: nest(tlv(tag, value)) } })
            if (isMessageError(bytes)) throw new Error("not encoded")
            const one = { codec, field: codec.layout.fields[55]!, bytes, message: { mti: "0200", fields: {} } }
            for (const seen of outputs(one)) noted(tag, showsNumber(seen, pan) ?? showsNumber(seen, discretionary))
            codec.index(bytes, 0, bytes.length, index)
            noted(tag, showsNumber(codec.withoutSad(index), discretionary))
          }

    expect(leaks).toEqual([])
  })

  it("that nobody knows is covered and not kept; a dialect releases it with a reason", () => {
    const secret = Buffer.from("C0FFEE0BAD", "hex")
    const release = (part: object) =>
      compile(
        derive(dialects["cups"]!, {
          name: "released",
          header: null,
          fields: { 55: { structure: { style: "ber-tlv", tags: { DF01: { name: "loyalty", ...part } } } } }
        })
      )
    const plain = compile(derive(dialects["cups"]!, { name: "plain", header: null }))
    for (const [codec, isShown, isKept] of [
      [plain, false, false],
      [release({}), false, true],
      [release({ sensitivity: "sad" }), false, false],
      [release({ sensitivity: "none", reason: "points of a shop" }), true, true]
    ] as const) {
      const bytes = codec.encode({ mti: "0200", fields: { 55: tlv("70", tlv("DF01", secret)) } }) as Buffer
      const one = { codec, field: codec.layout.fields[55]!, bytes, message: { mti: "0200", fields: {} } }
      const [copy, rows] = outputs(one)
      expect([Buffer.from(copy!).includes(secret), String(rows).includes("C0FFEE0BAD")]).toEqual([isShown, isShown])
      codec.index(bytes, 0, bytes.length, index)
      expect(codec.withoutSad(index).includes(secret)).toBe(isKept)
    }

    expect(() => release({ sensitivity: "none" })).toThrow("say why")
  })
})

describe("A message that does not read to its end", () => {
  it("shows no run of 8 digits of it, cut anywhere, in its own table or in another one", () => {
    const pan = "4111111111111111"
    const starts = [0, 1, 5]
    const longRun = /\d{8}|(?:f\d){8}/i
    const shown: Array<string> = []
    for (const codec of codecs) {
      const stan = "1".padStart(codec.layout.fields[11]!.units, "0")
      const whole = codec.encode({
        mti: `${codec.dialect.version}200`,
        fields: { 2: pan, 11: stan, 35: track2Of(pan) }
      })
      if (isMessageError(whole)) throw new Error(codec.dialect.name)
      for (const other of codecs)
        for (let to = 0; to <= whole.length; to++)
          for (const from of isLong ? starts : [starts[to % starts.length]!]) {
            const part = whole.subarray(Math.min(from, to), to)
            const { rows, error } = describeMessage(other, part)
            if (error === undefined) continue
            for (const { id, value } of rows) if (longRun.test(value)) shown.push(`${other.dialect.name} ${id}`)
          }
    }

    expect(shown).toEqual([])
  })

  it("shows no digit of a track that is spread over fields too short for it", () => {
    const pan = "4111111111111111"
    const shown: Array<string> = []
    let spread = 0
    for (const codec of codecs) {
      const stan = "1".padStart(codec.layout.fields[11]!.units, "0")
      const whole = codec.encode({ mti: `${codec.dialect.version}200`, fields: { 11: stan, 35: track2Of(pan) } })
      if (isMessageError(whole)) throw new Error(codec.dialect.name)
      codec.index(whole, 0, whole.length, index)
      const [from, to] = [index.from(35), index.to(35)]
      for (const other of codecs)
        for (let ahead = 0; ahead < 60; ahead++) {
          // What is in front moves the track over the fields of the other table.
          const head = other.encode({ mti: `${other.dialect.version}200`, fields: {} }) as Buffer
          const bits = Buffer.from(head)
          const bitmap = head.length - other.layout.bitmapBytes
          if (other.dialect.bitmap.encoding === "binary") bits.fill(0xff, bitmap + 1, bitmap + 8)
          const moved = Buffer.concat([bits, Buffer.alloc(ahead, "0"), whole.subarray(from, to)])
          const at = bits.length + ahead
          const { rows, error } = describeMessage(other, moved)
          if (error === undefined) continue
          const over = rows.filter(({ offset, bytes }) => offset < moved.length && at < offset + bytes)
          spread += over.length > 1 ? 1 : 0
          for (const { id, value } of over) if (/\d/.test(value)) shown.push(`${other.dialect.name} ${id} ${value}`)
        }
    }

    expect(shown).toEqual([])
    expect(spread).toBeGreaterThan(0)
  })

  it("shows no digit between the first 6 and the last 4 of a card number that is spread over fields too short for it", () => {
    const pan = "6226010562885479"
    const forms = {
      text: { bytes: Buffer.from(pan), digits: 1 },
      ebcdic: { bytes: Buffer.from([...pan].map((digit) => 0xf0 + Number(digit))), digits: 1 },
      packed: { bytes: Buffer.from(pan, "hex"), digits: 2 }
    }
    const shown: Array<string> = []
    let spread = 0
    for (const codec of codecs)
      for (const { bytes, digits } of Object.values(forms))
        for (let ahead = 0; ahead < 40; ahead++) {
          const { dialect, layout } = codec
          const head = Buffer.from(codec.encode({ mti: `${dialect.version}200`, fields: {} }) as Buffer)
          const bitmap = head.length - layout.bitmapBytes
          if (dialect.bitmap.encoding !== "binary") continue
          head.fill(0xff, bitmap + 1, bitmap + 8)
          const moved = Buffer.concat([head, Buffer.alloc(ahead, digits === 2 ? 0 : "0"), bytes])
          const [from, to] = [6, 12].map((digit) => head.length + ahead + digit / digits) as [number, number]
          const { rows, error } = describeMessage(codec, moved)
          if (error === undefined) continue
          const over = rows.filter(({ offset, bytes }) => offset < to && from < offset + bytes)
          spread += over.length > 1 ? 1 : 0
          for (const { id, value } of over)
            if (/[0-9]/.test(value)) shown.push(`${dialect.name} ${ahead} ${id} ${value}`)
        }

    expect(shown).toEqual([])
    expect(spread).toBeGreaterThan(0)
  })
})
