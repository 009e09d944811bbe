/**
 * Messages of the neighbour bench: whole frames whose STAN and time are written into their place, so that making one is cheap.
 */
import { compile, isMessageError, iso8583v1987AsciiRaw, type Message, MessageIndex, wholeFrame } from "@jinka/codec"
import { frame } from "../relay/Frame.ts"

/** First digits of the card numbers of each issuer; `nowhere` has no route. */
export const bins = { shared: "622126", silent: "622127", slow: "622128", nowhere: "999999" } as const

/** The institutions of the two partners: the one that floods, and the one that is measured beside it. */
export const institutions = { flood: "48020000", good: "48030000" } as const

const codec = compile(iso8583v1987AsciiRaw)

const startedAt = Date.now()

/** One message that is sent again and again under new keys. */
export class Template {
  readonly bytes: Buffer
  private readonly index = new MessageIndex()

  constructor(institution: string, bin: string, mti = "0200", fields: Message["fields"] = {}) {
    const message = codec.encode({
      mti,
      fields: {
        2: `${bin}1234567890128`,
        3: "000000",
        4: "000000012345",
        7: "1122101530",
        11: "000001",
        12: "101530",
        13: "1122",
        18: "5411",
        22: "051",
        25: "00",
        32: institution,
        33: institution,
        37: "112210153001",
        41: "00000001",
        42: "123456789012345",
        43: "A merchant of the bench, in a city    CN",
        49: "156",
        ...fields
      }
    })
    if (isMessageError(message)) throw new Error(`the bench's message is wrong: ${JSON.stringify(message)}`)
    this.bytes = wholeFrame(frame, message)
    codec.index(this.bytes, frame.bytes, this.bytes.length, this.index)
  }

  /** Writes the message with number `n` as its STAN and its time into `out`; returns the offset behind it. */
  write(out: Buffer, at: number, n: number): number {
    this.bytes.copy(out, at)
    digits(out, at + this.index.from(11), n % 1_000_000, 6)
    digits(
      out,
      at + this.index.from(7) + 2,
      Math.floor((Date.now() - startedAt) / 1000) + 10_000 * Math.floor(n / 1_000_000),
      8
    )
    if (this.index.has(90)) digits(out, at + this.index.from(90) + 4, n % 1_000_000, 6)
    return at + this.bytes.length
  }
}

const digits = (out: Buffer, at: number, value: number, length: number): void => {
  for (let n = at + length - 1, rest = value; n >= at; n--, rest = Math.floor(rest / 10)) out[n] = 48 + (rest % 10)
}
