/**
 * An answer to a request that cannot be read to its end: format error, when what identifies it stands before the damage. Pure.
 *
 * Without an answer the partner would wait for its timeout and reverse a request that nobody took. When the key itself cannot be
 * read the message is dropped and counted (docs/reference/errors.md).
 */
import {
  answerHeader,
  type Codec,
  isMessageError,
  isRequest,
  type MessageError,
  MessageIndex,
  mtiText,
  readHeader,
  responseMti
} from "@jinka/codec"

/** Data elements that the answer takes over, where they stand before the damage. */
const kept = [3, 4, 7, 11, 12, 13, 32, 33]

const index = new MessageIndex()

/** The answer's bytes, or `undefined` when the message cannot be answered. */
export const formatErrorAnswer = (
  codec: Codec,
  wrong: MessageError,
  bytes: Buffer,
  start: number,
  end: number
): Buffer | undefined => {
  const { dialect } = codec
  if (wrong._tag !== "FieldInvalid" && wrong._tag !== "FieldUnknown" && wrong._tag !== "TrailingBytes") return undefined
  codec.index(bytes, start, end, index)
  const readable = wrong._tag === "TrailingBytes" ? 129 : wrong.de
  const key = dialect.match.transaction
  if (!isRequest(index.mti) || key.some((de) => de >= readable || !index.has(de))) return undefined
  const fields: { [de: number]: string } = { 39: dialect.refusal.formatError }
  for (const de of kept) if (de < readable && index.has(de)) fields[de] = index.text(de)
  const header =
    dialect.header === undefined
      ? {}
      : { header: answerHeader(dialect.header, readHeader(dialect.header, bytes, start)) }
  const answer = codec.encode({ ...header, mti: mtiText(responseMti(index.mti)), fields })
  return isMessageError(answer) ? undefined : answer
}
