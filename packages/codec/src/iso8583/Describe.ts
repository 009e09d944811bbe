/**
 * A message as rows for a table: where each part stands, what it is called in English and Chinese, and its value, masked
 * unless revealed. Works on a message that breaks its dialect too: the rows reach as far as it can be read, and the error
 * says why not further.
 */
import { fromGbk, shownGbk } from "../encoding/Gbk.ts"
import { toHex } from "../encoding/Hex.ts"
import type { Codec } from "./Codec.ts"
import type { FieldLayout } from "./Field.ts"
import { fieldParts, shownId } from "./FieldParts.ts"
import { partValue as headerValue } from "./HeaderPart.ts"
import { type Language, meaningOf, named } from "./Meaning.ts"
import type { MessageError } from "./MessageError.ts"
import { MessageIndex } from "./MessageIndex.ts"
import { mtiText } from "./Mti.ts"
import type { Part } from "./Parts.ts"
import { coveredTags, coverTags } from "./Redact.ts"
import { maskValue } from "./Sensitive.ts"
import { readBytes, readText, unitsAt } from "./Value.ts"

/** One row of a description. */
export interface DescribedRow {
  /** `header.<part>`, `mti`, `bitmap`, the field number, or `<field>.<part>` for its parts (`60.1`, `48.AS.ON`, `55.9F26`). */
  readonly id: string
  /** Of the first byte in the message, length prefix included. */
  readonly offset: number
  /** Bytes on the wire, length prefix included. */
  readonly bytes: number
  readonly name: string
  /** The dialect's notation (`n..19`), "" where there is none. */
  readonly format: string
  /** Text, or upper-case hex of bytes; masked unless revealed. */
  readonly value: string
  /** What the value means, where the dialect knows: response codes and processing codes. */
  readonly meaning: string
}

/** Rows, and what stopped them. */
export interface Description {
  readonly rows: ReadonlyArray<DescribedRow>
  readonly error: MessageError | undefined
}

/** How to describe. */
export interface DescribeOptions {
  readonly reveal?: boolean
  /** Names in English (the default), Chinese, or both. */
  readonly language?: Language
}

/** Describes `buffer`, one whole message. */
export const describe = (codec: Codec, buffer: Buffer, options: DescribeOptions = {}): Description => {
  const index = new MessageIndex()
  const error = codec.index(buffer, 0, buffer.length, index)
  const rows: Array<DescribedRow> = []
  const { layout } = codec
  if (index.rejectCode !== 0) headerRows(codec, index, index.start - layout.headerBytes, "rejected", rows)
  if (layout.headerBytes > 0) headerRows(codec, index, index.start, "header", rows)
  if (index.mti > 0 || error === undefined) {
    const { body } = index
    rows.push(row("mti", body, layout.mtiBytes, "Message type indicator", mtiText(index.mti)))
    const bitmap = body + layout.mtiBytes
    if (error?._tag !== "BitmapInvalid" && index.fieldsFrom > bitmap) {
      const value = toHex(buffer, bitmap, index.fieldsFrom)
      rows.push(row("bitmap", bitmap, index.fieldsFrom - bitmap, "Bitmap", value))
    }
    for (const field of layout.defined) if (index.has(field.de)) fieldRows(codec, index, field, options, rows)
  }
  return { rows, error }
}

const row = (id: string, offset: number, bytes: number, name: string, value: string): DescribedRow => ({
  id,
  offset,
  bytes,
  name,
  format: "",
  value,
  meaning: ""
})

const headerRows = (
  codec: Codec,
  { buffer }: MessageIndex,
  start: number,
  prefix: string,
  rows: Array<DescribedRow>
): void => {
  for (const part of codec.layout.header?.parts ?? []) {
    const { name, offset, bytes } = part
    if (start + offset + bytes > buffer.length) return
    rows.push(row(`${prefix}.${name}`, start + offset, bytes, name, headerValue(part, buffer, start)))
  }
}

const fieldRows = (
  codec: Codec,
  index: MessageIndex,
  field: FieldLayout,
  options: DescribeOptions,
  rows: Array<DescribedRow>
): void => {
  const from = index.from(field.de)
  const to = index.to(field.de)
  const value = shownValue(index, field, options)
  rows.push({
    id: String(field.de),
    offset: from - field.prefixBytes,
    bytes: to - from + field.prefixBytes,
    name: named(field, options.language),
    format: field.format,
    value,
    meaning: meaningOf(codec.dialect, field.de, value, options.language)
  })
  if (field.structure !== undefined && (field.sensitivity !== "sad" || options.reveal === true))
    fieldPartRows(codec, index, field, options, rows)
}

const shownValue = (index: MessageIndex, field: FieldLayout, options: DescribeOptions): string => {
  const from = index.from(field.de)
  const to = index.to(field.de)
  const covered = field.sensitivity !== "none" && options.reveal !== true
  if (field.bytes) {
    if (!covered) return toHex(index.buffer, from, to)
    const copy = Buffer.from(index.buffer.subarray(from, to))
    const readable = field.sensitivity === "emv" && coverTags(copy, 0, copy.length, coveredTags)
    return readable ? toHex(copy) : maskValue(copy, field.sensitivity)
  }
  const text = readText(field, index.buffer, from, to, unitsAt(field, index.buffer, from, to - from))
  return covered ? maskValue(text, field.sensitivity) : printable(shownGbk(text))
}

/** Control characters would move a terminal's cursor: each becomes a dot. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ".")

/** Values as they stand in the message; a part's place is known where a unit is one byte, or half a byte in packed decimal. */
const fieldPartRows = (
  codec: Codec,
  index: MessageIndex,
  field: FieldLayout,
  options: DescribeOptions,
  rows: Array<DescribedRow>
): void => {
  const { buffer } = index
  const from = index.from(field.de)
  const to = index.to(field.de)
  const value = field.bytes
    ? readBytes(field, buffer, from, to)
    : readText(field, buffer, from, to, unitsAt(field, buffer, from, to - from))
  const found = value === undefined ? undefined : fieldParts(field, value, codec.dialect.encodings)
  if (found !== undefined)
    for (const part of found.parts) partRows(`${field.de}.`, part, { field, from, bytes: found.bytes, options }, rows)
}

interface Shown {
  readonly field: FieldLayout
  /** Of the field's value in the message. */
  readonly from: number
  readonly bytes: Buffer
  readonly options: DescribeOptions
}

/** Bytes on the wire of `units` bytes or characters of the value. */
const onWire = ({ encoding }: FieldLayout, units: number): number =>
  encoding === "bcd" ? units >> 1 : encoding === "hex" ? 2 * units : units

const partRows = (prefix: string, part: Part, shown: Shown, rows: Array<DescribedRow>): void => {
  const { field, from, options } = shown
  const covered = isCovered(part) && options.reveal !== true
  const id = prefix + printable(shownId(part, covered))
  const offset = from + onWire(field, part.from)
  rows.push({
    ...row(id, offset, from + onWire(field, part.valueTo) - offset, "", partValue(part, shown, covered)),
    name: named(part, options.language)
  })
  for (const inner of part.parts ?? []) partRows(`${id}.`, inner, shown, rows)
}

const isCovered = ({ sensitivity, parts }: Part): boolean =>
  (sensitivity !== "none" && sensitivity !== "emv") || (parts?.some(isCovered) ?? false)

const partValue = (part: Part, { field, bytes }: Shown, covered: boolean): string => {
  const value = bytes.subarray(part.valueFrom, part.valueTo)
  if (covered) return maskValue(part.text ?? (field.bytes ? value : value.toString("latin1")), part.sensitivity)
  if (part.text !== undefined) return printable(shownGbk(part.text))
  return field.bytes ? toHex(value) : printable(shownGbk(fromGbk(value, 0, value.length)))
}
