/**
 * Messages as text: a table for people, one line of JSON for programs, and back. Card data is covered unless revealed. Pure.
 */
import {
  type Codec,
  describe,
  explain,
  type FrameFormat,
  hasWholeTags,
  isMessageError,
  type MessageError,
  messageFromJson,
  messageToJson,
  reveal,
  wholeFrame
} from "@jinka/codec"
import Table from "cli-table3"
import { headerHint, jsonShapeWrong, valueHint } from "./JsonShape.ts"

/** How messages are shown. */
export interface Showing {
  /** Card data as it is: on purpose only. */
  readonly reveal: boolean
  readonly language: "en" | "zh" | "both"
}

/** A text, and whether what it shows is good. */
export interface Shown {
  readonly text: string
  readonly isGood: boolean
}

/** One line of JSON: the message, or `error` with place and rule. */
export const messageLine = (codec: Codec, bytes: Buffer, { reveal }: Showing): Shown => {
  const message = codec.decode(bytes)
  if (isMessageError(message)) {
    return { isGood: false, text: JSON.stringify({ error: message, says: explain(message), bytes: bytes.length }) }
  }
  return { isGood: true, text: JSON.stringify(messageToJson(message, { reveal, codec })) }
}

/** A table with a row for each part; of a message that cannot be read to its end, the rows up to there and the reason. */
export const messageTable = (codec: Codec, bytes: Buffer, { reveal, language }: Showing): Shown => {
  const { rows, error } = describe(codec, bytes, { reveal, language })
  const table = new Table({
    head: ["byte", "field", "name", "format", "value", "meaning"],
    style: { head: [], border: [], compact: true },
    colAligns: ["right", "right", "left", "left", "left", "left"]
  })
  for (const { offset, id, name, format, value, meaning } of rows)
    table.push([offset, id, name, format, value, meaning])
  const message = codec.decode(bytes)
  const wrong = error ?? (isMessageError(message) ? message : undefined)
  const title = `${codec.dialect.title}, ${bytes.length} bytes`
  const text = [title, table.toString(), ...(wrong === undefined ? [] : [`wrong: ${explain(wrong)}`])].join("\n")
  return { isGood: wrong === undefined, text }
}

const explainWithHint = (codec: Codec, error: MessageError): string => {
  const hint =
    error._tag === "FieldInvalid"
      ? valueHint(codec, error.de, error.rule)
      : error._tag === "HeaderInvalid"
        ? headerHint(codec, error.part, error.rule)
        : undefined
  return hint === undefined ? explain(error) : `${explain(error)}: ${hint}`
}

/** The bytes of a message in JSON, in its frame when one is given; or a sentence that says what is wrong with it. */
export const encodeJson = (codec: Codec, json: unknown, frame: FrameFormat | undefined): Buffer | string => {
  const wrong = jsonShapeWrong(codec, json)
  if (wrong !== undefined) return `${wrong}${wrong.endsWith("?") ? "" : "."}`
  const message = messageFromJson(codec, json)
  if (isMessageError(message)) return explainWithHint(codec, message)
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) return explainWithHint(codec, bytes)
  if (frame === undefined) return bytes
  try {
    return wholeFrame(frame, bytes)
  } catch (cause) {
    if (cause instanceof RangeError) return `${cause.message}.`
    throw cause
  }
}

/** What is odd in a message that is built all the same, for a test of a partner maybe; empty where nothing is. */
export const oddities = (codec: Codec, json: unknown): ReadonlyArray<string> => {
  const message = messageFromJson(codec, json)
  if (isMessageError(message)) return []
  return codec.layout.defined.flatMap((field) => {
    const value = message.fields[field.de]
    const isWhole = value === undefined || hasWholeTags(field, reveal(value), codec.dialect.encodings)
    return isWhole ? [] : [`field ${field.de} holds no whole tags (BER-TLV); it is built as it is given.`]
  })
}
