/**
 * The message of the relay bench: a 0200 with 20 data elements, 322 bytes and 4 digits of length, as in the published figures
 * that it is compared with. Only the STAN and, once a million, the transmission time change from one to the next.
 */
import { compile, type Dialect, isMessageError, iso8583v1987AsciiRaw, MessageIndex, wholeFrame } from "@jinka/codec"

/** The dialect on both sides. */
export const dialect: Dialect = iso8583v1987AsciiRaw

/** Four ASCII digits in front. */
export const frame = { kind: "length", encoding: "ascii", bytes: 4, lengthMax: 2048, idle: "zero-length" } as const

/** The institution's first digits in the message's card number, which is a published test number. */
export const bin = "622126"

const emv =
  "9F26080123456789ABCDEF9F2701809F101307010103A02000010A0100000000000ABCDEF19F37049A8B7C6D9F360201FF950500800468009A032611229C01009F02060000000123455F2A02015682027C009F1A0201569F03060000000000009F3303E0F8C89F34030203009F3501229F1E0831323334353637388408A000000333010101"

/** The data elements of the message. */
export const fields: { readonly [de: number]: string | Buffer } = {
  2: "6221261234567890128",
  3: "000000",
  4: "000000012345",
  7: "1122101530",
  11: "000001",
  12: "101530",
  13: "1122",
  18: "5411",
  22: "051",
  25: "00",
  32: "48020000",
  33: "48020000",
  35: "6221261234567890128=30122011234500000".slice(0, 37),
  37: "112210153001",
  41: "00000001",
  42: "123456789012345",
  49: "156",
  52: Buffer.alloc(8, 7),
  55: Buffer.from(emv, "hex"),
  64: Buffer.alloc(8, 9)
}

/** The whole frame as a template, and where the digits are that change. */
export const template = (
  more: typeof fields = {}
): { readonly bytes: Buffer; readonly stanAt: number; readonly timeAt: number } => {
  const codec = compile(dialect)
  const message = codec.encode({
    mti: "0200",
    fields: { ...fields, ...more }
  })
  if (isMessageError(message)) throw new Error(`the bench message is wrong: ${JSON.stringify(message)}`)
  const bytes = wholeFrame(frame, message)
  const index = new MessageIndex()
  codec.index(bytes, frame.bytes, bytes.length, index)
  return { bytes, stanAt: index.from(11), timeAt: index.from(7) }
}

/** Splits what a raw socket reads into frames by their four digits: the least that any relay has to do. */
export class RawFrames {
  private rest: Buffer | undefined

  /** Calls `each` for every whole frame, header included, in `chunk` and what was left of the one before. */
  push(chunk: Buffer, each: (buffer: Buffer, from: number, to: number) => void): void {
    const buffer = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk])
    let at = 0
    while (buffer.length - at >= 4) {
      const length =
        (buffer[at]! - 48) * 1000 + (buffer[at + 1]! - 48) * 100 + (buffer[at + 2]! - 48) * 10 + buffer[at + 3]! - 48
      if (buffer.length - at - 4 < length) break
      each(buffer, at, at + 4 + length)
      at += 4 + length
    }
    this.rest = at === buffer.length ? undefined : buffer.subarray(at)
  }
}
