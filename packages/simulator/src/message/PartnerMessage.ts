/**
 * A message as a partner's program sees it: header parts, MTI and fields as text.
 *
 * Owns the shape and the rules for answering (what an answer echoes). Knows no bytes: CupsMessage reads and writes
 * them.
 */
import { transactionKey } from "./Transaction.ts"

/** DE 1..128 as text; binary fields (DE 52) as bytes. */
export interface Fields {
  [de: number]: string | Uint8Array
}

/** The 46-byte CUPS header's parts that are not computed: text without its padding, or hex. */
export interface Header {
  /** Field 2, hex. */
  readonly version: string
  /** Field 4, up to 11 characters. */
  readonly destination: string
  /** Field 5, up to 11 characters. */
  readonly source: string
  /** Field 6, hex: opaque, an answer echoes it, as it does 7, 8 and 9. */
  readonly reserved: string
  /** Field 7, hex. */
  readonly batch: string
  /** Field 8, 8 characters. */
  readonly transaction: string
  /** Field 9, hex. */
  readonly user: string
}

/** One message on a link. */
export interface PartnerMessage {
  readonly header: Header
  /** Four digits. */
  readonly mti: string
  readonly fields: Fields
  /** Header field 10, "00000" normally; anything else: the centre refused this message, which we sent. */
  readonly reject: string
}

/** Header field 10 of a message that was not rejected. */
export const notRejected = "00000"

/** A header for a message of our own: fields 6 to 9 are zeros, as a member's requests have them. */
export const requestHeader = (source: string, destination: string): Header => ({
  version: "01",
  destination,
  source,
  reserved: "000000",
  batch: "00",
  transaction: "00000000",
  user: "00"
})

/** A header for an answer: 4 and 5 change places, all else is echoed. */
export const answerHeader = (header: Header): Header => ({
  ...header,
  destination: header.source,
  source: header.destination
})

/** Text of a field, "" when absent. */
export const textOf = (message: PartnerMessage, de: number): string => {
  const value = message.fields[de]
  return typeof value === "string" ? value : ""
}

/** Key of a message: DE 11, 7, 32 and 33, which an answer carries unchanged. */
export const messageKey = (message: PartnerMessage): string =>
  transactionKey({
    stan: textOf(message, 11),
    transmitted: textOf(message, 7),
    acquirer: textOf(message, 32),
    forwarder: textOf(message, 33)
  })

/** The answer's MTI: the function digit goes up by ten, a repeat (0221) is answered like the original (0230). */
export const answerMti = (mti: string): string => `${mti.slice(0, 2)}${Number(mti[2]) + 1}0`

/** The repeat of an advice or reversal: 0420 becomes 0421 (ISO 8583: last digit 1 is the acquirer's repeat). */
export const repeatMti = (mti: string): string => `${mti.slice(0, 3)}1`

/** True for 0221, 0421: the sender says that it may have sent this before. */
export const isRepeat = (mti: string): boolean => mti[3] === "1"

/** The MTI without the repeat mark. */
export const firstMti = (mti: string): string => `${mti.slice(0, 3)}0`

/** Copies the named fields that are present. */
export const pickFields = (fields: Fields, des: ReadonlyArray<number>): Fields => {
  const picked: Fields = {}
  for (const de of des) {
    const value = fields[de]
    if (value !== undefined) picked[de] = value
  }
  return picked
}
