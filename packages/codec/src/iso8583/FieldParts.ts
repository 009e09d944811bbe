/**
 * A field's value and its parts: the step between a value of a message (text or bytes) and `Parts`, and the parts as JSON.
 */
import { coverValueText } from "../cover/CardData.ts"
import { fromGbk, gbkLength, writeGbk } from "../encoding/Gbk.ts"
import { fromHex, toHex } from "../encoding/Hex.ts"
import { latin1 } from "../encoding/Latin1.ts"
import type { EncodingDefaults, FieldLayout } from "./Field.ts"
import { type Part, type PartValue, readParts, writeParts } from "./Parts.ts"
import { shownInside } from "./Redact.ts"
import { maskValue } from "./Sensitive.ts"

/** A part as JSON: a text, or hex of bytes that are no ASCII text, or its own parts. */
export interface PartJson {
  /** Position from 1, tag, or bit number. */
  readonly part: string
  /** Name in the dialect; for the reader, ignored when read. */
  readonly name?: string
  readonly value?: string
  readonly hex?: string
  readonly parts?: ReadonlyArray<PartJson>
}

/** The bytes that a structure speaks of: a b field's bytes, GBK as on the wire, otherwise a byte a character. */
export const structuredBytes = (field: FieldLayout, value: string | Uint8Array): Buffer => {
  if (typeof value !== "string") return Buffer.from(value.buffer, value.byteOffset, value.length)
  if (field.encoding !== "gbk") return Buffer.from(value, "latin1")
  const bytes = Buffer.alloc(Math.max(0, gbkLength(value)))
  writeGbk(value, bytes, 0)
  return bytes
}

const structuredValue = (field: FieldLayout, bytes: Buffer): string | Uint8Array => {
  if (field.bytes) return bytes
  return field.encoding === "gbk" ? fromGbk(bytes, 0, bytes.length) : latin1(bytes, 0, bytes.length)
}

/** What can be said about a field's parts, masked or not. */
export interface FoundParts {
  readonly bytes: Buffer
  readonly parts: ReadonlyArray<Part>
}

/** The parts of a field's value; `undefined` when it has no structure or does not follow it. */
export const fieldParts = (
  field: FieldLayout,
  value: string | Uint8Array,
  defaults: EncodingDefaults
): FoundParts | undefined => {
  if (field.structure === undefined) return undefined
  const bytes = structuredBytes(field, value)
  const parts = readParts(field.structure, bytes, field.sensitivity, defaults)
  return parts === undefined ? undefined : { bytes, parts }
}

/** Whether a field that holds tags (BER-TLV) holds whole ones. Of other structures a value may be shorter or of another use. */
export const hasWholeTags = (field: FieldLayout, value: string | Uint8Array, defaults: EncodingDefaults): boolean =>
  field.structure?.style !== "ber-tlv" || value.length === 0 || fieldParts(field, value, defaults) !== undefined

/** Printable ASCII: what JSON shows as a text. */
const isText = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x20 && byte < 0x7f)

/** A tag that the dialect does not know may be the beginning of something else: in a covered field it is covered too. */
export const shownId = ({ id, name }: Part, covered: boolean): string =>
  covered && name === "" ? "*".repeat(id.length) : id

const partJson = (field: FieldLayout, bytes: Buffer, part: Part, reveal: boolean): PartJson => {
  const head = part.name === "" ? { part: part.id } : { part: part.id, name: part.name }
  if (part.parts !== undefined)
    return { ...head, parts: part.parts.map((inner) => partJson(field, bytes, inner, reveal)) }
  const value = bytes.subarray(part.valueFrom, part.valueTo)
  if (part.sensitivity !== "none" && part.sensitivity !== "emv" && !reveal)
    return { ...head, part: shownId(part, true), value: maskValue(part.text ?? value, part.sensitivity) }
  if (part.text !== undefined) return { ...head, value: reveal ? part.text : coverValueText(part.text) }
  const asText = !field.bytes && isText(value)
  return asText ? { ...head, value: latin1(value, 0, value.length) } : { ...head, hex: toHex(value) }
}

/**
 * Parts of a field as JSON. `undefined` when there are none, or when they would not give the same bytes again (filling between
 * TLV elements, lengths written longer than necessary): then the value as a whole says it better.
 */
export const partsToJson = (
  field: FieldLayout,
  value: string | Uint8Array,
  defaults: EncodingDefaults,
  reveal: boolean
): ReadonlyArray<PartJson> | undefined => {
  const found = fieldParts(field, value, defaults)
  if (found === undefined) return undefined
  const exact = found.parts.map((part) => partJson(field, found.bytes, part, true))
  const again = bytesFromJson(field, exact, defaults)
  if (again === undefined || !again.equals(found.bytes)) return undefined
  if (reveal) return exact
  const bytes = shownInside(field, found.bytes)
  return found.parts.map((part) => partJson(field, bytes, part, false))
}

/** Parts inside each other that are read from JSON: more than any structure allows. */
const DEPTH_MAX = 20

const partValues = (json: ReadonlyArray<unknown>, depth = 1): ReadonlyArray<PartValue> | undefined => {
  if (depth > DEPTH_MAX) return undefined
  const values: Array<PartValue> = []
  for (const entry of json) {
    if (typeof entry !== "object" || entry === null) return undefined
    const { part: id, value, hex, parts } = entry as { readonly [name: string]: unknown }
    const read =
      typeof hex === "string"
        ? fromHex(hex.replaceAll(" ", ""))
        : Array.isArray(parts)
          ? partValues(parts, depth + 1)
          : value
    if (typeof id !== "string" || read === undefined) return undefined
    if (typeof read !== "string" && !(read instanceof Uint8Array) && !Array.isArray(read)) return undefined
    values.push({ id, value: read })
  }
  return values
}

const bytesFromJson = (
  field: FieldLayout,
  json: ReadonlyArray<unknown>,
  defaults: EncodingDefaults
): Buffer | undefined => {
  const values = partValues(json)
  return values === undefined || field.structure === undefined
    ? undefined
    : writeParts(field.structure, values, defaults)
}

/** A field's value from its parts; `undefined` when the field has no structure or a part does not fit it. */
export const valueFromParts = (
  field: FieldLayout,
  json: ReadonlyArray<unknown>,
  defaults: EncodingDefaults
): string | Uint8Array | undefined => {
  const bytes = bytesFromJson(field, json, defaults)
  return bytes === undefined ? undefined : structuredValue(field, bytes)
}
