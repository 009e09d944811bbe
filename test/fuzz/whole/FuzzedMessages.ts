/**
 * Messages of any dialect for the whole switch: good ones of every class, and the same with lies in the places that rules read.
 * Everything is drawn from one seed.
 */
import {
  type Codec,
  type Dialect,
  type FieldLayout,
  interpret,
  isMessageError,
  type Message,
  MessageIndex
} from "@jinka/codec"
import { type Chance, mutate } from "../../codec/fuzz/Mutation.ts"
import { card } from "./Ledger.ts"

/** Second and third digits of message types that partners send, and of some that no edition knows. */
const types = [
  "10",
  "20",
  "20",
  "20",
  "12",
  "22",
  "40",
  "42",
  "42",
  "43",
  "60",
  "62",
  "80",
  "82",
  "21",
  "41",
  "11",
  "70",
  "2A"
]

const alphabet: Readonly<Record<string, string>> = { n: "0123456789", z: "0123456789=", xn: "0123456789" }

/** What is put over a field that a rule reads: blanks, letters, other digits, a field too short, every byte. */
const lies: ReadonlyArray<(bytes: Buffer, chance: Chance) => void> = [
  (bytes) => void bytes.fill(0x20),
  (bytes) => void bytes.fill(0x41),
  (bytes) => void bytes.fill(0xff),
  (bytes) => void bytes.fill(0),
  (bytes, chance) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = 0x30 + chance.below(10)
  },
  (bytes, chance) => {
    bytes[chance.below(bytes.length)] = chance.below(256)
  },
  (bytes, chance) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = chance.below(256)
  }
]

/** Makes the messages of one partner. */
export class FuzzedMessages {
  readonly codec: Codec
  private readonly dialect: Dialect
  private readonly chance: Chance
  private readonly fields: ReadonlyMap<number, FieldLayout>
  private readonly index = new MessageIndex()
  private readonly sent: Array<Buffer> = []
  private readonly kept: ReadonlyArray<Buffer>
  private stan = 0

  /** `kept`: messages that once led somewhere; some of the others are made of them. */
  constructor(dialect: Dialect, chance: Chance, kept: ReadonlyArray<Buffer> = []) {
    this.kept = kept
    this.dialect = dialect
    this.codec = interpret(dialect)
    this.chance = chance
    this.fields = new Map(interpret(dialect).layout.defined.map((field) => [field.de, field]))
  }

  /** The next message: two of five are good, the others lie in one way or another. `institution` is who sends it. */
  next(institution: string, stations: Message["header"]): Buffer {
    const { chance } = this
    const good = this.good(institution, stations)
    const how = chance.below(10)
    const made =
      how < 4
        ? good
        : how < 7
          ? this.lie(good)
          : how < 8
            ? this.again(good)
            : mutate([good, ...this.sent.slice(-4), ...this.oneKept()], chance)
    if (this.sent.length < 64) this.sent.push(made)
    else this.sent[chance.below(64)] = made
    return Buffer.from(made)
  }

  /** The answer of a partner that has heard `request`: good in half of all cases. */
  answer(request: Buffer): Buffer | undefined {
    const { chance, codec } = this
    const message = codec.decode(request)
    if (isMessageError(message)) return undefined
    const third = Number(message.mti[2])
    const mti = `${message.mti.slice(0, 2)}${(third + 1) % 10}${Number(message.mti[3]) & ~1}`
    const fields = { ...message.fields, 39: ["00", "05", "10", "25", "96", "ZZ"][chance.below(6)]! }
    const bytes = codec.encode({ ...message, mti, fields })
    if (isMessageError(bytes)) return undefined
    return chance.below(2) === 0 ? bytes : chance.below(2) === 0 ? this.lie(bytes) : mutate([bytes], chance)
  }

  private good(institution: string, header: Message["header"]): Buffer {
    const { chance, dialect } = this
    this.stan++
    const usual: Readonly<Record<number, string>> = {
      2: card.pan,
      35: card.track,
      3: ["000000", "200000", "300000", "310000"][chance.below(4)]!,
      11: String(this.stan % 1_000_000),
      32: institution,
      33: institution,
      49: "156"
    }
    const fields: { [de: number]: string | Uint8Array } = {}
    for (const [de, layout] of this.fields) {
      if (de === 1 || (usual[de] === undefined && de > 12 && chance.below(3) > 0)) continue
      fields[de] = this.value(layout, usual[de])
    }
    const mti = `${dialect.version}${types[chance.below(types.length)]!.padStart(2, "0")}${chance.below(8) === 0 ? 1 : 0}`
    const message = {
      // A TPDU names no institution, and is right as it is.
      ...(dialect.header?.parts.some(({ address }) => address === "source") && header !== undefined ? { header } : {}),
      mti: /^\d{4}$/.test(mti) ? mti : `${dialect.version}200`,
      fields
    }
    return this.encoded(message)
  }

  /** The message without the fields that cannot be written as they were drawn. */
  private encoded(message: Message): Buffer {
    const { codec } = this
    const fields = { ...message.fields }
    for (;;) {
      const bytes = codec.encode({ ...message, fields } as Message)
      if (!isMessageError(bytes)) return bytes
      const de = "de" in bytes ? bytes.de : 0
      if (fields[de] === undefined) return Buffer.from("0200", "latin1")
      delete fields[de]
    }
  }

  private value(layout: FieldLayout, usual: string | undefined): string | Uint8Array {
    const { chance } = this
    const size = layout.fixed >= 0 ? layout.units : Math.min(layout.units, 1 + chance.below(20))
    if (layout.bytes) return Uint8Array.from({ length: size }, () => chance.below(256))
    if (usual !== undefined) return layout.fixed >= 0 ? usual.padStart(layout.units, "0").slice(-layout.units) : usual
    const from = alphabet[layout.content] ?? "0123456789ABCDEFGHIJ abc"
    const text = Array.from({ length: size }, () => from[chance.below(from.length)]).join("")
    return layout.content === "xn" ? `C${text.slice(1)}` : text
  }

  /** One of the fields that rules read, as something else. */
  private lie(good: Buffer): Buffer {
    const { chance, codec, dialect, index } = this
    const bytes = Buffer.from(good)
    if (codec.index(bytes, 0, bytes.length, index) !== undefined) return bytes
    const read = [
      ...dialect.match.transaction,
      dialect.reversal?.originalData.field ?? 90,
      3,
      4,
      7,
      11,
      12,
      37,
      39,
      49,
      70,
      100
    ]
    const there = read.filter((de) => index.has(de) && index.length(de) > 0)
    if (there.length === 0) return bytes
    const de = there[chance.below(there.length)]!
    lies[chance.below(lies.length)]!(bytes.subarray(index.from(de), index.to(de)), chance)
    return bytes
  }

  private oneKept(): ReadonlyArray<Buffer> {
    return this.kept.length === 0 ? [] : [this.kept[this.chance.below(this.kept.length)]!]
  }

  /** Something that was sent before, with another message type at times. */
  private again(good: Buffer): Buffer {
    return this.sent.length === 0 ? good : Buffer.from(this.sent[this.chance.below(this.sent.length)]!)
  }
}
