/**
 * Messages in HTTP bodies: as they are (application/octet-stream), as hex digits (text/hex), as JSON. Pure.
 *
 * What cannot be read is answered 400 with the name of the rule and the place; no value of a field is in it. An answer has the
 * form of its request, card data included, as it would have on a line of its own.
 */
import {
  type Codec,
  explain,
  fromHex,
  isMessageError,
  type MessageError,
  MessageIndex,
  messageFromJson,
  messageToJson,
  readJson,
  toHex
} from "@jinka/codec"
import { type HttpAnswer, problem } from "../../transport/Http.ts"

const forms = ["application/octet-stream", "text/hex", "application/json"] as const

const exampleText = 'a JSON object such as { "mti": "0200", "fields": { "11": "000001" } }'

/** Members of a message in JSON. */
const members = ["mti", "fields", "header", "rejected"]

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether JSON has the form of a message, whatever it says: a member of another name would be left out without a word. */
const isMessageForm = (json: unknown): boolean =>
  isObject(json) &&
  typeof json["mti"] === "string" &&
  isObject(json["fields"] ?? {}) &&
  Object.keys(json).every((name) => members.includes(name))

const index = new MessageIndex()

const unreadable = (wrong: MessageError): HttpAnswer => ({
  ...problem(400, wrong._tag, ""),
  body: JSON.stringify({ error: wrong._tag, ...("de" in wrong ? { de: wrong.de } : {}), says: explain(wrong) })
})

/** The message of a body, or the answer that says why it is none. */
export const messageOf = (type: string, body: Buffer, codec: Codec, lengthMax: number): Buffer | HttpAnswer => {
  const bytes = bytesOf(type, body, codec)
  if (!Buffer.isBuffer(bytes)) return bytes
  if (bytes.length === 0) return problem(400, "BodyEmpty", "The body holds the message.")
  if (bytes.length > lengthMax) return problem(413, "BodyTooLong", `A message has at most ${lengthMax} bytes.`)
  const wrong = codec.index(bytes, 0, bytes.length, index)
  return wrong === undefined ? bytes : unreadable(wrong)
}

const bytesOf = (type: string, body: Buffer, codec: Codec): Buffer | HttpAnswer => {
  switch (type) {
    case "application/octet-stream":
      return body
    case "text/hex": {
      const bytes = fromHex(body.toString("latin1").trim())
      return bytes === undefined ? problem(400, "NotHex", "The body is pairs of hex digits.") : Buffer.from(bytes)
    }
    case "application/json":
      return fromJson(body, codec)
    default:
      return problem(415, "TypeUnknown", `The content type is one of ${forms.join(", ")}.`)
  }
}

const fromJson = (body: Buffer, codec: Codec): Buffer | HttpAnswer => {
  const read = readJson(body.toString("utf8"))
  if ("wrong" in read) return problem(400, "NotJson", `The body is ${exampleText}; ${read.wrong}.`)
  if (!isMessageForm(read.json))
    return problem(400, "NotMessage", `The body is ${exampleText}; its other members are header and rejected.`)
  const message = messageFromJson(codec, read.json)
  if (isMessageError(message)) return unreadable(message)
  const bytes = codec.encode(message)
  return isMessageError(bytes) ? unreadable(bytes) : bytes
}

/** The answer's body in the form of its request. */
export const answerOf = (type: string, message: Buffer, codec: Codec): HttpAnswer => {
  if (type === "text/hex") return { status: 200, type, body: toHex(message) }
  if (type !== "application/json") return { status: 200, type: "application/octet-stream", body: message }
  const read = codec.decode(message, 0, message.length)
  if (isMessageError(read))
    return problem(502, read._tag, "The answer cannot be written as JSON; ask for it as text/hex.")
  return { status: 200, type, body: JSON.stringify(messageToJson(read, { reveal: true })) }
}
