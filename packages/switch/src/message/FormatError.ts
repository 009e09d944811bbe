/**
 * An answer to a request that cannot be read to its end: format error, when what identifies it is before the damage. Pure.
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
  PatchList,
  readHeader,
  responseMti
} from "@jinka/codec"

const index = new MessageIndex()
const patches = new PatchList()

/** The answer's bytes, or `undefined` when the message cannot be answered. */
export const formatErrorAnswer = (
  codec: Codec,
  wrong: MessageError,
  bytes: Buffer,
  start: number,
  end: number
): Buffer | undefined => {
  const { dialect, layout } = codec
  if (wrong._tag !== "FieldInvalid" && wrong._tag !== "FieldUnknown" && wrong._tag !== "TrailingBytes") return undefined
  codec.index(bytes, start, end, index)
  const readable = wrong._tag === "TrailingBytes" ? 129 : wrong.de
  const key = dialect.match.transaction
  if (!isRequest(index.mti) || key.some((de) => de >= readable || !index.has(de))) return undefined
  const fields: { [de: number]: string } = { [layout.roles.responseCode]: dialect.refusal.formatError }
  for (const { de, sensitivity } of layout.defined) {
    const isKept = sensitivity === "none" && layout.answers.keeps.includes(de)
    if (!isKept || de >= readable || !index.has(de)) continue
    const text = index.text(de)
    patches.clear()
    patches.set(de, text)
    // What is wrong itself is not said again.
    if (codec.checkPatches(patches) === undefined) fields[de] = text
  }
  const header =
    dialect.header === undefined
      ? {}
      : { header: answerHeader(dialect.header, readHeader(dialect.header, bytes, start)) }
  const answer = codec.encode({ ...header, mti: mtiText(responseMti(index.mti)), fields })
  return isMessageError(answer) ? undefined : answer
}
