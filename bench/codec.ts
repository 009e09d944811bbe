/**
 * Speed of the codec on one core, with the common 20-field 0200 of 326 bytes (4 of them length header), beside npm `iso_8583`
 * on the same message in the same run. Prints a table and one line of JSON. CPU time of this process is counted, not the
 * clock on the wall, so that a busy machine does not change the figures much. Runs alone (`node tools/run.mjs bench/codec.ts`)
 * or from a main.
 */
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import {
  type Codec,
  compile,
  cupsFrame,
  Framer,
  interpret,
  iso8583v1987AsciiRaw,
  type Message,
  MessageIndex,
  PatchList,
  writeFrame
} from "@jinka/codec"

/** The peer, which has no types. It takes and gives every value as text. */
interface Peer {
  getBufferMessage(): Buffer
  getIsoJSON(message: Buffer): { readonly [de: string]: string }
}
const Iso8583: new (message?: Record<string, string>) => Peer = createRequire(import.meta.url)("iso_8583")

/** One measured operation. */
export interface CodecFigure {
  readonly name: string
  /** Messages a second, the median of the rounds. */
  readonly perSecond: number
  /** What the project asks for, if it asks. */
  readonly asked?: number
}

const pan = "6225881234567890123"

/** 17 BER-TLV tags, 120 bytes. */
const chip = Buffer.from(
  "9F2608A1B2C3D4E5F607089F2701809F101307010103A0000001000A010000000000ABCDEF129F3704112233449F36020157950500000000" +
    "009A032611229C01009F02060000000100005F2A02015682027D009F1A0201569F03060000000000009F3303E0E1C89F34030203009F35012" +
    "2",
  "hex"
)

/** The common message: fields 2 3 4 7 11 12 13 18 22 25 32 33 35 37 41 42 49 52 55 64. */
export const commonMessage: Message = {
  mti: "0200",
  fields: {
    2: pan,
    3: "000000",
    4: "000000010000",
    7: "1122112233",
    11: "123456",
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
  }
}

const rounds = 7
const kept: Array<unknown> = new Array(64)

/** Median messages a second over some rounds of about `roundMs` CPU milliseconds; results are kept alive in a ring. */
const measure = (run: (turn: number) => unknown, roundMs: number): number => {
  let turns = 1000
  const round = (): number => {
    const begin = process.cpuUsage().user
    for (let turn = 0; turn < turns; turn++) kept[turn & 63] = run(turn)
    return (process.cpuUsage().user - begin) / 1000
  }
  for (let spent = 0; spent < roundMs; ) {
    spent = round()
    if (spent < roundMs) turns = Math.ceil(turns * Math.min(10, (1.2 * roundMs) / Math.max(spent, 1)))
  }
  const times = Array.from({ length: rounds }, round).sort((one, other) => one - other)
  return Math.round((turns * 1000) / times[rounds >> 1]!)
}

/** The same values as texts, as `iso_8583` wants them: bytes as hex. */
const peerMessage = (): Record<string, string> => {
  const fields: Record<string, string> = { "0": commonMessage.mti }
  for (const [de, value] of Object.entries(commonMessage.fields))
    fields[de] = typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString("hex")
  // Its F64 has four bytes.
  fields["64"] = fields["64"]!.slice(0, 8)
  return fields
}

const stans = Array.from({ length: 1000 }, (_, turn) => String(turn * 997).padStart(6, "0"))

const whole = (codec: Codec): Buffer => {
  const encoded = codec.encode(commonMessage)
  if (!Buffer.isBuffer(encoded)) throw new Error(`the common message does not encode: ${JSON.stringify(encoded)}`)
  return encoded
}

/** Measures everything; `quick` takes about a fifth of the time. */
export const benchCodec = (options?: { readonly quick?: boolean }): ReadonlyArray<CodecFigure> => {
  const roundMs = options?.quick === true ? 60 : 300
  const codec = compile(iso8583v1987AsciiRaw)
  const table = interpret(iso8583v1987AsciiRaw)
  const message = whole(codec)
  const framed = Buffer.alloc(message.length + 4)
  framed.set(message, 4)
  writeFrame(cupsFrame, framed, 0, message.length)
  const chunk = Buffer.concat(Array.from({ length: 200 }, () => framed))
  const size = framed.length
  const at = (turn: number): number => (turn % 200) * size + 4
  const index = new MessageIndex()
  const patches = new PatchList()
  const out = Buffer.alloc(4096)
  const keyFields = [7, 11, 32, 33]
  const sink = { frame: () => {}, idle: () => {} }
  const framer = new Framer(cupsFrame)
  const peer = new Iso8583(peerMessage())
  const peerBytes = peer.getBufferMessage()
  if (peer.getIsoJSON(peerBytes)["11"] !== "123456") throw new Error("the peer cannot read its own message")
  const forward = (turn: number): number => {
    codec.index(chunk, at(turn), at(turn) + size - 4, index)
    patches.clear()
    patches.set(11, stans[turn % 1000]!)
    return codec.patch(index, patches, out, 4)
  }
  const operations: ReadonlyArray<readonly [string, (turn: number) => unknown, number?]> = [
    ["full decode", (turn) => codec.decode(chunk, at(turn), at(turn) + size - 4), 3_000_000],
    ["encode", () => codec.encode(commonMessage), 2_500_000],
    ["forward with STAN patched", forward, 8_000_000],
    [
      "index + match key",
      (turn) => {
        codec.index(chunk, at(turn), at(turn) + size - 4, index)
        return codec.matchKey(index, keyFields, out, 0)
      },
      6_000_000
    ],
    ["index alone", (turn) => codec.index(chunk, at(turn), at(turn) + size - 4, index)],
    [
      "redacted copy",
      (turn) => {
        codec.index(chunk, at(turn), at(turn) + size - 4, index)
        return codec.redact(index, out, 0)
      }
    ],
    ["decode by table", (turn) => table.decode(chunk, at(turn), at(turn) + size - 4)],
    ["encode by table", () => table.encode(commonMessage)],
    ["iso_8583 decode (peer)", () => new Iso8583().getIsoJSON(peerBytes)],
    ["iso_8583 encode (peer)", () => new Iso8583(peerMessage()).getBufferMessage()]
  ]
  const figures = operations.map(([name, run, asked]) => ({
    name,
    perSecond: measure(run, roundMs),
    ...(asked === undefined ? {} : { asked })
  }))
  return [{ name: "frames cut", perSecond: 200 * measure(() => framer.push(chunk, sink), roundMs) }, ...figures]
}

/** The figures as lines of a table. */
export const codecTable = (figures: ReadonlyArray<CodecFigure>): string =>
  figures
    .map(({ name, perSecond, asked }) => {
      const wanted = asked === undefined ? "" : `   asked ${(asked / 1e6).toFixed(1)}`
      return `${name.padEnd(28)} ${(perSecond / 1e6).toFixed(3).padStart(8)} M/s ${Math.round(1e9 / perSecond)
        .toString()
        .padStart(7)} ns${wanted}`
    })
    .join("\n")

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const figures = benchCodec({ quick: process.argv.includes("--quick") })
  process.stdout.write(`${codecTable(figures)}\n${JSON.stringify({ bench: "codec", messageBytes: 326, figures })}\n`)
}
