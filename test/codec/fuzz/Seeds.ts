/** Where the fuzzer begins: the public messages and frames of the fixtures, in the form that each target takes. */
import { cups, dialects } from "@jinka/codec"
import frames from "../../fixtures/codec-frames.json" with { type: "json" }
import fixture from "../../fixtures/codec-messages.json" with { type: "json" }
import peers from "../../fixtures/codec-peers.json" with { type: "json" }

const messages = [...fixture.messages, ...peers.messages].flatMap((one) =>
  "hex" in one && typeof one.hex === "string" ? [Buffer.from(one.hex, "hex")] : []
)

const streams = frames.framing.flatMap((one) => {
  const text = "streamHex" in one ? one.streamHex : one.frameHex
  return text === undefined ? [] : [Buffer.from(text, "hex")]
})

const files = [
  "name: x\nextends: cups\nheader: none\nfields:\n  60: ans...030\n  5: null\n  44: { format: ans..25, encoding: gbk }\n",
  "name: y\nextends: iso8583v1987AsciiRaw\nbitmap: { encoding: hex, secondary: always }\nencodings: { digits: bcd, fill: 15 }\nfields:\n  48:\n    structure:\n      style: tag-length-value\n      tagLength: 2\n      lengthDigits: 3\n      tags: { AB: { name: one, structure: { style: positional, parts: [{ name: p, length: 2 }, { name: q }] } } }\n",
  "name: z\nextends: unionPayPos\nmatch: { transaction: [11, 41] }\nnetwork: { mti: 800, field: 60, codes: { echo: '301' }, fields: [11] }\nresponseCodes: { Z9: { class: R, name: again } }\nrefusal: { formatError: '30' }\nlenient: true\n"
]

const number = Object.keys(dialects).length + 2

/** First inputs by target. */
export const seeds: Readonly<Record<string, ReadonlyArray<Buffer>>> = {
  framer: streams.flatMap((stream, at) =>
    [0, 1, 4, 10, 18].map((format) => Buffer.concat([Buffer.of(format + at, at), stream]))
  ),
  decode: messages.flatMap((message) =>
    Array.from({ length: number }, (_, dialect) => Buffer.concat([Buffer.of(dialect), message]))
  ),
  doctor: [...messages, ...streams],
  tlv: [
    Buffer.from("9F2608112233445566778882021C009F3602000A710A860884240000DEADBEEF", "hex"),
    Buffer.from("SM016ABCDEFGHIJKLMNOP"),
    Buffer.from("AO00201AB003xyz")
  ],
  dialectFile: [...files, `name: w\nextends: ${cups.name}\n`].map((text) => Buffer.from(text))
}
