/**
 * Messages as JSON, for people and scripts:
 * `{ "mti": "0200", "header": {...}, "fields": { "11": "123456", "52": "[8 bytes]" } }`.
 * Text fields are strings, b fields upper-case hex; with `parts`, a field that the dialect gives a structure is a list of its
 * parts. Card data is masked unless it is revealed on purpose; masked output is for reading only and does not encode again.
 */
import { coverValueText } from "../cover/CardData.ts"
import { fromHex, toHex } from "../encoding/Hex.ts"
import type { Codec } from "./Codec.ts"
import type { FieldLayout } from "./Field.ts"
import { type PartJson, partsToJson, valueFromParts } from "./FieldParts.ts"
import type { HeaderLayout } from "./Header.ts"
import type { HeaderValues } from "./HeaderValues.ts"
import type { Fields, FieldValue, Message } from "./Message.ts"
import {
  fieldInvalid,
  fieldUnknown,
  headerInvalid,
  isMessageError,
  type MessageError,
  mtiInvalid
} from "./MessageError.ts"
import { shownBytes } from "./Redact.ts"
import { reveal, Sensitive } from "./Sensitive.ts"
import { readText } from "./Value.ts"

/** A message as JSON. */
export interface MessageJson {
  readonly header?: HeaderValues
  readonly rejected?: HeaderValues
  readonly mti: string
  readonly fields: { readonly [de: string]: string | ReadonlyArray<PartJson> }
}

/** A message as JSON, each field one string. */
export interface PlainMessageJson extends MessageJson {
  readonly fields: { readonly [de: string]: string }
}

/** How to write JSON. */
export interface MessageJsonOptions {
  /** Card data as it is: never for a log or a screen that others see. */
  readonly reveal?: boolean
  /** The codec of the message: fields with a structure become their parts where those give the same bytes again. */
  readonly parts?: Codec
  /** The codec of the message: covers besides what follows the parts that its dialect knows of a field. */
  readonly codec?: Codec
}

/** The JSON form of a message, card data masked unless `reveal`. */
export function messageToJson(message: Message, options?: Omit<MessageJsonOptions, "parts">): PlainMessageJson
export function messageToJson(message: Message, options: MessageJsonOptions): MessageJson
export function messageToJson(message: Message, options: MessageJsonOptions = {}): MessageJson {
  const fields: Record<string, string | ReadonlyArray<PartJson>> = {}
  for (const [de, value] of Object.entries(message.fields) as Array<[string, FieldValue]>) {
    const parts = options.parts === undefined ? undefined : partsOf(options.parts, Number(de), value, options.reveal)
    fields[de] = parts ?? valueToJson(value, options.reveal === true, options.codec?.layout.fields[Number(de)]?.known)
  }
  const header = (values: HeaderValues): HeaderValues => (options.reveal === true ? values : searched(values))
  return {
    ...(message.header === undefined ? {} : { header: header(message.header) }),
    ...(message.rejected === undefined ? {} : { rejected: header(message.rejected) }),
    mti: message.mti,
    fields
  }
}

const searched = (values: HeaderValues): HeaderValues =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, coverValueText(value)]))

/** A value as text: covered by its sensitivity, or searched for card data. `known`: characters or bytes that are understood. */
const valueToJson = (value: FieldValue, reveals: boolean, known = Number.POSITIVE_INFINITY): string => {
  if (value instanceof Sensitive) {
    const shown = reveals ? value.reveal() : value.toString()
    return typeof shown === "string" ? shown : toHex(shown)
  }
  if (reveals) return typeof value === "string" ? value : toHex(value)
  if (typeof value !== "string") return toHex(shownBytes(value, "bytes", known))
  return coverValueText(value).slice(0, known) + "*".repeat(Math.max(0, value.length - known))
}

const partsOf = (
  { dialect, layout }: Codec,
  de: number,
  value: FieldValue,
  shown = false
): ReadonlyArray<PartJson> | undefined => {
  const field = layout.fields[de]
  if (field === undefined || (field.sensitivity === "sad" && !shown)) return undefined
  return partsToJson(field, reveal(value), dialect.encodings, shown)
}

/**
 * The message of a JSON form, ready to encode. A field is a string (text; hex for b fields) or `{ "hex": "..." }` with the
 * value's bytes, or `{ "text": "..." }` with the ASCII text of a b field, or a list of its parts. Errors name the field or
 * header part.
 */
export const messageFromJson = (codec: Codec, json: unknown): Message | MessageError => {
  if (!isRecord(json) || typeof json["mti"] !== "string") return mtiInvalid(-1, "type")
  const given = json["fields"] ?? {}
  if (!isRecord(given)) return fieldInvalid(0, -1, "type")
  const fields: Fields = {}
  for (const [key, value] of Object.entries(given)) {
    // A number in another form (11.0, 0x0B) could name a field twice.
    const de = /^[1-9]\d{0,2}$/.test(key) ? Number(key) : 0
    const field = codec.layout.fields[de]
    if (field === undefined) return fieldUnknown(de, -1)
    const read = fieldFromJson(codec, field, value)
    if (typeof read === "object" && isMessageError(read)) return read
    fields[de] = read
  }
  const message: Message = { mti: json["mti"], fields }
  for (const name of ["header", "rejected"] as const) {
    const values = json[name]
    if (values === undefined) continue
    const wrong = headerError(name === "header" ? codec.layout.header : codec.layout.header?.outer, values)
    if (wrong !== undefined) return wrong
    message[name] = values as HeaderValues
  }
  return message
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fieldFromJson = (codec: Codec, field: FieldLayout, value: unknown): string | Uint8Array | MessageError => {
  const { de } = field
  if (Array.isArray(value))
    return valueFromParts(field, value, codec.dialect.encodings) ?? fieldInvalid(de, -1, "parts")
  const hex = typeof value === "string" && field.bytes ? value : isRecord(value) ? value["hex"] : undefined
  if (typeof hex === "string") {
    const bytes = fromHex(hex.replaceAll(" ", ""))
    if (bytes === undefined) return fieldInvalid(de, -1, "hex")
    if (field.bytes) return bytes
    // Bytes of a BCD field are packed digits; of other text fields they are the text in its encoding.
    if (field.encoding !== "bcd") return readText(field, bytes, 0, bytes.length, bytes.length)
    const digits = bytes.length * 2 - (field.content === "xn" ? 1 : 0)
    return readText(field, bytes, 0, bytes.length, bytes.length === field.fixed ? field.units : digits)
  }
  const text = typeof value === "string" ? value : isRecord(value) ? value["text"] : undefined
  if (typeof text !== "string") return fieldInvalid(de, -1, "type")
  return field.bytes ? Buffer.from(text, "latin1") : text
}

const headerError = (layout: HeaderLayout | undefined, values: unknown): MessageError | undefined => {
  if (!isRecord(values)) return headerInvalid("header", -1, "type")
  for (const [name, value] of Object.entries(values)) {
    const part = layout?.parts.find((part) => part.name === name)
    if (part === undefined) return headerInvalid(name, -1, "value")
    if (typeof value !== "string") return headerInvalid(name, part.offset, "type")
  }
  return undefined
}
