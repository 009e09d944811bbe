/**
 * What `npm run bench codec` measures: the common 20-field 0200 of 326 bytes (4 of them length header) in one dialect each, the
 * same without generated code, and with npm `iso_8583`.
 */
import { createRequire } from "node:module"
import {
  type Codec,
  compile,
  cups,
  cupsFrame,
  type Dialect,
  type Fields,
  Framer,
  interpret,
  iso8583v1987Ascii,
  iso8583v1987AsciiRaw,
  iso8583v1987Bcd,
  iso8583v1987Ebcdic,
  type Message,
  MessageIndex,
  PatchList,
  unionPayPos,
  wholeFrame
} from "@jinka/codec"

/** The peer, which has no types. It takes and gives every value as text. */
interface Peer {
  getBufferMessage(): Buffer
  getIsoJSON(message: Buffer): { readonly [de: string]: string }
}
const Iso8583: new (message?: Record<string, string>) => Peer = createRequire(import.meta.url)("iso_8583")

/** One operation. */
export interface Operation {
  readonly dialect: string
  readonly what: string
  /** Of one message, without the length header. */
  readonly messageBytes: number
  /** Messages that one turn does. */
  readonly messages: number
  readonly run: (turn: number) => unknown
}

const pan = "6225881234567890123"

/** 17 BER-TLV tags, 120 bytes. */
const chip = Buffer.from(
  "9F2608A1B2C3D4E5F607089F2701809F101407010103A0000001000A010000000000ABCDEF129F3704112233449F36020157950500000000" +
    "009A032611229C01009F02060000000100005F2A02015682027D009F1A0201569F03060000000000009F3303E0E1C89F34030203009F35012" +
    "2",
  "hex"
)

/** Fields 2 3 4 7 11 12 13 18 22 25 32 33 35 37 41 42 49 52 55 64, built anew for each message, as a program does. */
const commonFields = (stan: string): Fields => ({
  2: pan,
  3: "000000",
  4: "000000010000",
  7: "1122112233",
  11: stan,
  12: "112233",
  13: "1122",
  18: "5999",
  22: "051",
  25: "00",
  32: "01020000",
  33: "03050001",
  35: `${pan}=30122010000000000`,
  37: "123456789012",
  41: "TERM0001",
  42: "MERCHANT0000001",
  49: "156",
  52: Buffer.from("1A2B3C4D5E6F7081", "hex"),
  55: Buffer.concat([chip, Buffer.alloc(120)]).subarray(0, 120),
  64: Buffer.from("A1B2C3D4E5F60718", "hex")
})

/** The same in a dialect that lacks some of the fields, has text where others have bytes, or a MAC of another size. */
const messageOf = ({ layout }: Codec, stan: string): Message => {
  const fields = commonFields(stan)
  if (layout.fields[64] === undefined) {
    fields[128] = fields[64]!
    delete fields[64]
  }
  for (const [key, value] of Object.entries(fields)) {
    const de = Number(key)
    const field = layout.fields[de]
    if (field === undefined) delete fields[de]
    else if (typeof value === "string") continue
    else if (!field.bytes)
      fields[de] = Buffer.from(value as Uint8Array)
        .toString("hex")
        .slice(0, field.units)
    else if (field.fixed >= 0) fields[de] = Buffer.alloc(field.units, value as Uint8Array)
  }
  // Institutions name each other in every message of the centre.
  const header = { destination: "00010000", source: "48020000" }
  return layout.header?.name === "cups46" ? { mti: "0200", fields, header } : { mti: "0200", fields }
}

/** Messages in the chunk that is read. */
const CHUNK_MESSAGES = 200

const encoded = (codec: Codec, message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (!Buffer.isBuffer(bytes)) throw new Error(`${codec.dialect.name}: ${JSON.stringify(bytes)}`)
  return bytes
}

const stans = Array.from({ length: 1000 }, (_, turn) => String(turn * 997).padStart(6, "0"))

/** Messages behind each other in one chunk, each with its length header, as they come from a socket. */
const chunkOf = (message: Buffer): Buffer => {
  const framed = wholeFrame(cupsFrame, message)
  return Buffer.concat(Array.from({ length: CHUNK_MESSAGES }, () => framed))
}

/** Decode, encode, forward and match in one dialect. */
const dialectOperations = (dialect: Dialect): ReadonlyArray<Operation> => {
  const codec = compile(dialect)
  const message = encoded(codec, messageOf(codec, "123456"))
  const { length } = message
  const chunk = chunkOf(message)
  const at = (turn: number): number => (turn % CHUNK_MESSAGES) * (length + 4) + 4
  const index = new MessageIndex()
  const patches = new PatchList()
  const out = Buffer.alloc(4096)
  const keyFields = [7, 11, 32, 33]
  // The last of many: V8 gives the first objects of a place in the program other shapes than all later ones.
  const given = stans.map((stan) => messageOf(codec, stan)).slice(-64)
  const operation = (what: string, run: Operation["run"]): Operation => ({
    dialect: dialect.name,
    what,
    messageBytes: length,
    messages: 1,
    run
  })
  return [
    operation("full decode", (turn) => codec.decode(chunk, at(turn), at(turn) + length)),
    operation("encode", (turn) => codec.encode(given[turn & 63]!)),
    operation("encode into a buffer", (turn) => codec.encodeInto(given[turn & 63]!, out, 4)),
    operation("forward with STAN patched", (turn) => {
      codec.index(chunk, at(turn), at(turn) + length, index)
      patches.clear()
      patches.set(11, stans[turn % 1000]!)
      return codec.patch(index, patches, out, 4)
    }),
    operation("index + match key", (turn) => {
      codec.index(chunk, at(turn), at(turn) + length, index)
      return codec.matchKey(index, keyFields, out, 0)
    }),
    operation("index alone", (turn) => codec.index(chunk, at(turn), at(turn) + length, index)),
    operation("redacted copy", (turn) => {
      codec.index(chunk, at(turn), at(turn) + length, index)
      return codec.redact(index, out, 0)
    })
  ]
}

/** The frame cutter, and the table-driven codec: what is done where code generation is forbidden. */
const plainOperations = (dialect: Dialect): ReadonlyArray<Operation> => {
  const codec = interpret(dialect)
  const given = messageOf(codec, "123456")
  const message = encoded(codec, given)
  const chunk = chunkOf(message)
  const framer = new Framer(cupsFrame)
  const sink = { frame: () => {}, idle: () => {} }
  const common = { dialect: dialect.name, messageBytes: message.length, messages: 1 }
  return [
    { ...common, what: "frames cut", messages: CHUNK_MESSAGES, run: () => framer.push(chunk, sink) },
    { ...common, what: "decode by table", run: () => codec.decode(message) },
    { ...common, what: "encode by table", run: () => codec.encode(given) }
  ]
}

/** The peer; it wants and gives every value as text, bytes as hex, and its DE 64 has four bytes. */
const peerOperations = (): ReadonlyArray<Operation> => {
  const fields: Record<string, string> = { "0": "0200" }
  for (const [de, value] of Object.entries(commonFields("123456")))
    fields[de] = typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString("hex")
  fields["64"] = fields["64"]!.slice(0, 8)
  const bytes = new Iso8583({ ...fields }).getBufferMessage()
  if (new Iso8583().getIsoJSON(bytes)["11"] !== "123456") throw new Error("the peer cannot read its own message")
  const common = { dialect: "npm iso_8583", messageBytes: bytes.length, messages: 1 }
  return [
    { ...common, what: "full decode", run: () => new Iso8583().getIsoJSON(bytes) },
    { ...common, what: "encode", run: () => new Iso8583({ ...fields }).getBufferMessage() }
  ]
}

const dialects = [iso8583v1987AsciiRaw, iso8583v1987Ascii, iso8583v1987Bcd, iso8583v1987Ebcdic, cups, unionPayPos]

/** Operations that are measured in one thread, by a name. */
export const groups: { readonly [name: string]: () => ReadonlyArray<Operation> } = {
  ...Object.fromEntries(dialects.map((dialect) => [dialect.name, () => dialectOperations(dialect)])),
  "without generated code": () => plainOperations(iso8583v1987AsciiRaw),
  "npm iso_8583": peerOperations
}
