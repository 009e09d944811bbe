/**
 * Answers of a partner: well made by the rules of its dialect, then corrupted where a rule says so. Pure; which fields an answer
 * keeps, turns around or writes itself is the dialect's data.
 */
import {
  answerHeader,
  type Codec,
  explain,
  type FieldLayout,
  type FieldValue,
  type HeaderValues,
  isMessageError,
  type Message,
  type MessageError,
  MessageIndex,
  messageFromJson,
  mtiText,
  readHeader,
  responseMti,
  reveal,
  writeAdditionalAmounts,
  writeTotal
} from "@jinka/codec"
import type { Observed } from "../dialogue/Observed.ts"
import type { Conduct } from "./PartnerPlan.ts"

/** Values by data element. */
export interface Values {
  readonly [de: string]: FieldValue
}

/** The good answer to a message: what the dialect keeps of it, the code, and values of our own. */
export const answerTo = (
  codec: Codec,
  { bytes, index }: Observed,
  code: string,
  own: Values,
  keeps: ReadonlyArray<number> = codec.layout.answers.keeps
): Message => {
  const { dialect, layout } = codec
  const asked = codec.decode(bytes, index.start, index.end)
  const fields: Record<number, FieldValue> = {}
  if (!isMessageError(asked)) {
    for (const de of keeps) if (asked.fields[de] !== undefined) fields[de] = asked.fields[de]
  }
  for (const [de, value] of Object.entries(own)) if (layout.fields[Number(de)] !== undefined) fields[Number(de)] = value
  fields[layout.roles.responseCode] = code
  const header: { header?: HeaderValues } =
    dialect.header === undefined
      ? {}
      : { header: answerHeader(dialect.header, readHeader(dialect.header, bytes, index.start)) }
  return { ...header, mti: mtiText(responseMti(index.mti)), fields }
}

/** Available balance: account type 10, amount type 02 (ISO 8583:1987 and 1993, additional amounts). */
export const balanceText = ({ layout }: Codec, available: number, index: MessageIndex): string | undefined => {
  const { dialect, roles } = layout
  const currency = index.text(roles.currency)
  if (dialect.version > 1 || currency.length !== 3) return undefined
  const minor = BigInt(available)
  return writeAdditionalAmounts([{ accountType: "10", amountType: "02", currency, minor, isDebit: minor < 0n }])
}

/** A number one higher in the last place that can go up, of the same length: surely another one. */
const another = (digits: string): string => {
  const last = digits.length - 1
  return last < 0 ? "1" : `${digits.slice(0, last)}${(Number(digits[last]) + 1) % 10}`
}

/** The answer as a rule wants it, before it becomes bytes. */
const changed = (codec: Codec, answer: Message, conduct: Conduct): Message | MessageError => {
  const { roles } = codec.layout
  const given = messageFromJson(codec, { mti: conduct.mti ?? answer.mti, fields: conduct.fields })
  if (isMessageError(given)) return given
  const fields = { ...answer.fields, ...given.fields }
  for (const de of conduct.without) delete fields[de]
  for (const what of conduct.wrong) {
    // A MAC is made when all else is there.
    if (what === "mac") continue
    const de = what === "stan" ? roles.stan : roles.amount
    const value = fields[de]
    if (value !== undefined) fields[de] = another(String(reveal(value)))
  }
  return { ...answer, mti: given.mti, fields }
}

/** A value that fills a field: for one that is to be malformed and is not in the answer. */
const anyValue = ({ bytes, content, fixed, units }: FieldLayout): FieldValue => {
  const length = fixed >= 0 ? units : 1
  if (bytes) return Buffer.alloc(length)
  return content === "xn" ? `C${"0".repeat(units - 1)}` : "0".repeat(length)
}

/** A byte that is neither digit nor letter in any encoding of the codec, in a prefix nor in a value. */
const NO_DIGIT = 0xff

/** The message with one field that cannot be read: its length, or its value where it has none, or cut off within it. */
const malformed = (codec: Codec, message: Buffer, de: number): Buffer => {
  const index = new MessageIndex()
  if (codec.index(message, 0, message.length, index) !== undefined || !index.has(de)) return message
  const from = index.from(de)
  const prefixed = codec.layout.fields[de]!.prefixBytes
  const corrupt = Buffer.from(message)
  if (prefixed > 0) return corrupt.fill(NO_DIGIT, from - prefixed, from)
  corrupt.fill(NO_DIGIT, from, index.to(de))
  if (isMessageError(codec.decode(corrupt))) return corrupt
  // A field that takes any bytes can only be too short.
  const cut = Buffer.from(message.subarray(0, Math.max(from, index.to(de) - 1)))
  const { header } = codec.layout
  if (header !== undefined) writeTotal(header, cut.length, cut, 0)
  return cut
}

/** Bytes of an answer with what a rule does to them; a text where they cannot be made, with the reason. */
export const bytesOf = (codec: Codec, answer: Message, conduct: Conduct | undefined): Buffer | string => {
  const wanted = conduct === undefined ? answer : changed(codec, answer, conduct)
  if (isMessageError(wanted)) return explain(wanted)
  const corrupt = conduct?.malformed
  const field = corrupt === undefined ? undefined : codec.layout.fields[corrupt]
  if (field !== undefined && wanted.fields[field.de] === undefined) {
    wanted.fields = { ...wanted.fields, [field.de]: anyValue(field) }
  }
  const bytes = codec.encode(wanted)
  if (isMessageError(bytes)) return explain(bytes)
  return corrupt === undefined ? bytes : malformed(codec, bytes, corrupt)
}
