/**
 * A message as rows for a table: where each part is, what it is called in English and Chinese, and its value, masked
 * unless revealed. Works on a message that breaks its dialect too: the rows reach as far as it can be read, and the error
 * says why not further. There the table may be the wrong one, and card data may be anywhere: no run of 8 digits or more is
 * shown then, and nothing of what is inside a field.
 */
import { coverCardData, coverValueText, trackSpans } from "../cover/CardData.ts"
import { coverRuns, coverRunsOfBytes, coverRunsOfHex } from "../cover/DigitRuns.ts"
import { fromGbk, shownGbk } from "../encoding/Gbk.ts"
import { toHex } from "../encoding/Hex.ts"
import { redactTlv } from "../tlv/TlvRedaction.ts"
import type { Codec } from "./Codec.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import { fieldParts, hasWholeTags, shownId } from "./FieldParts.ts"
import { partValue as headerValue } from "./HeaderPart.ts"
import { type Language, meaningOf, named } from "./Meaning.ts"
import type { MessageError } from "./MessageError.ts"
import { MessageIndex } from "./MessageIndex.ts"
import { mtiText, mtiVersion, reservedMti } from "./Mti.ts"
import type { Part } from "./Parts.ts"
import { coverHeader, shownBytes, shownInside, shownText } from "./Redact.ts"
import { maskValue } from "./Sensitive.ts"
import { contentRule, fillRule, readBytes, readText, unitsAt } from "./Value.ts"

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
  const isOpen = options.reveal === true || (error === undefined && isRead(codec.layout, index))
  const rows = rowsOf(codec, index, error, { ...options, isOpen })
  return { rows: isOpen ? rows : withoutPieces(buffer, rows).map(rowWithoutRuns), error }
}

/** Options, and whether the dialect's word is enough: the message is what it says, or everything is revealed. */
interface Describing extends DescribeOptions {
  readonly isOpen: boolean
}

/**
 * Whether the dialect's word is enough for what an indexed message shows: its message type is one that the standard has, and its
 * fields hold what their formats allow.
 */
export const isRead = ({ dialect, defined }: Layout, index: MessageIndex): boolean =>
  isType(index.mti) && (dialect.lenient === true || defined.every((field) => isAsDefined(field, index)))

/** Versions 3 to 7 and classes 0 and 9 are nobody's: such a type is a sign of the wrong dialect. */
const isType = (mti: number): boolean => {
  const version = mtiVersion(mti)
  return (version <= 2 || version >= 8) && reservedMti(mti) !== "class"
}

/**
 * The bytes of a message as they may be shown or kept, in the same length. Of a message that does not read, everything from the
 * first covered field on is stars; where it reads and holds what its formats do not allow, no run of 8 digits stays either.
 */
export const coveredCopy = (codec: Codec, buffer: Buffer): Buffer => {
  const index = new MessageIndex()
  const copy = Buffer.from(buffer)
  if (codec.index(buffer, 0, buffer.length, index) === undefined) {
    codec.redact(index, copy, index.start)
    if (index.rejectCode !== 0) coverHeader(codec.layout, copy, index.start - codec.layout.rejectBytes)
    if (!isRead(codec.layout, index)) coverRunsOfBytes(copy)
  } else {
    // What follows the damage may be anything.
    copy.fill(ASTERISK, Math.min(openTo(codec.layout, index), copy.length))
    coverRunsOfBytes(copy)
  }
  return copy
}

const ASTERISK = 0x2a

/** Where the first covered field of a message that does not read may begin: behind what was read in front of it. */
const openTo = ({ defined, mtiBytes, sensitive }: Layout, index: MessageIndex): number => {
  const first = sensitive[0]?.de ?? 0
  const before = defined.filter(({ de }) => de < first && index.has(de)).map(({ de }) => index.to(de))
  return before.at(-1) ?? (index.mti === 0 ? index.body : Math.max(index.fieldsFrom, index.body + mtiBytes))
}

/** A field of an indexed message as a row of its description shows it: for lines that name the message. */
export const shownField = (layout: Layout, index: MessageIndex, de: number): string => {
  const field = layout.fields[de]
  if (field === undefined || !index.has(de)) return ""
  const isOpen = isRead(layout, index)
  const value = shownValue(index, field, { isOpen })
  return isOpen ? value : withoutRuns(value)
}

/**
 * Whether a field that is shown holds what its format allows; stars (E in packed digits) in a journal's copy are covered digits.
 */
const isAsDefined = (field: FieldLayout, index: MessageIndex): boolean => {
  if (field.bytes || field.sensitivity !== "none" || !index.has(field.de)) return true
  const from = index.from(field.de)
  const units = unitsAt(field, index.buffer, from, index.length(field.de))
  const covered = field.encoding === "bcd" ? "E" : "*"
  const text = readText(field, index.buffer, from, index.to(field.de), units).replaceAll(covered, "0")
  return contentRule(field, text) === undefined && fillRule(field, index.buffer, from, units) === undefined
}

/**
 * In a message that does not read, a track or a card number may be spread over fields too short for it: nothing of a track is
 * shown, and no field that holds digits between the first 6 and the last 4 of a card number.
 */
const withoutPieces = (buffer: Buffer, rows: ReadonlyArray<DescribedRow>): ReadonlyArray<DescribedRow> => {
  const spans = trackSpans(buffer)
  const covered = Buffer.from(buffer)
  const fieldsFrom = rows.find(isField)?.offset ?? covered.length
  coverCardData(covered, fieldsFrom, covered.length, "bytes")
  const isPiece = ({ bytes, offset }: DescribedRow): boolean =>
    buffer.compare(covered, offset, offset + bytes, offset, offset + bytes) !== 0 ||
    spans.some(({ from, to }) => offset < to && from < offset + bytes)
  return rows.map((row) => (isPiece(row) ? { ...row, value: "*".repeat(row.value.length), meaning: "" } : row))
}

/** Only fields have a notation. */
const isField = ({ format }: DescribedRow): boolean => format !== ""

const rowWithoutRuns = (row: DescribedRow): DescribedRow => ({ ...row, value: withoutRuns(row.value) })

const withoutRuns = (value: string): string => coverRunsOfHex(coverRuns(value))

const rowsOf = (
  codec: Codec,
  index: MessageIndex,
  error: MessageError | undefined,
  options: Describing
): Array<DescribedRow> => {
  const rows: Array<DescribedRow> = []
  const { layout } = codec
  const { buffer } = index
  if (index.rejectCode !== 0) headerRows(codec, index, index.start - layout.rejectBytes, "rejected", options, rows)
  if (layout.headerBytes > 0) headerRows(codec, index, index.start, "header", options, rows)
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
  return rows
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
  { reveal }: DescribeOptions,
  rows: Array<DescribedRow>
): void => {
  const { layout } = codec
  const header = prefix === "rejected" ? layout.header?.outer : layout.header
  const shown = Buffer.from(buffer.subarray(start, start + (header?.bytes ?? 0)))
  if (reveal !== true) coverHeader(layout, shown, 0)
  for (const part of header?.parts ?? []) {
    const { name, offset, bytes } = part
    if (offset + bytes > shown.length) return
    rows.push(row(`${prefix}.${name}`, start + offset, bytes, name, printable(headerValue(part, shown, 0))))
  }
}

const fieldRows = (
  codec: Codec,
  index: MessageIndex,
  field: FieldLayout,
  options: Describing,
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
  const mayShowParts = field.sensitivity !== "sad" || options.reveal === true
  if (field.structure !== undefined && options.isOpen && mayShowParts) fieldPartRows(codec, index, field, options, rows)
}

/** What is shown of a field: as it is, masked by its sensitivity, or searched for card data. */
const shownValue = (index: MessageIndex, field: FieldLayout, options: Describing): string => {
  const { buffer } = index
  const from = index.from(field.de)
  const to = index.to(field.de)
  if (field.bytes) return shownOfBytes(field, readBytes(field, buffer, from, to) ?? buffer.subarray(from, to), options)
  if (options.reveal !== true && field.sensitivity === "none")
    return printable(shownGbk(options.isOpen ? shownText(field, index) : suspectText(field, index)))
  const text = readText(field, buffer, from, to, unitsAt(field, buffer, from, to - from))
  return options.reveal === true ? printable(shownGbk(text)) : maskValue(text, field.sensitivity)
}

/** A text that may be no text: packed digits look like letters. */
const suspectText = (field: FieldLayout, index: MessageIndex): string => {
  const bytes = index.bytes(field.de)
  const units = unitsAt(field, index.buffer, index.from(field.de), bytes.length)
  return field.encoding === "bcd"
    ? readText(field, bytes, 0, bytes.length, units)
    : readText(field, shownBytes(bytes), 0, bytes.length, units)
}

const shownOfBytes = (field: FieldLayout, value: Uint8Array, { reveal }: DescribeOptions): string => {
  if (reveal === true) return toHex(value)
  if (field.sensitivity === "none") return toHex(shownBytes(value, "bytes", field.known))
  const copy = Buffer.from(value)
  const isRead = field.sensitivity === "emv" && redactTlv(copy, 0, copy.length, { rules: field.tagRules, pan: "cover" })
  return isRead ? toHex(copy) : maskValue(copy, field.sensitivity)
}

/** Control characters would move a terminal's cursor: each becomes a dot. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ".")

/** Values as they are in the message; a part's place is known where a unit is one byte, or half a byte in packed decimal. */
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
  if (found === undefined) {
    const isBroken = value !== undefined && !hasWholeTags(field, value, codec.dialect.encodings)
    if (isBroken) rows.push({ ...rows.pop()!, meaning: brokenTags[options.language ?? "en"] })
    return
  }
  const bytes = options.reveal === true ? found.bytes : shownInside(field, found.bytes)
  for (const part of found.parts) partRows(`${field.de}.`, part, { field, from, bytes, options }, rows)
}

const brokenTags = {
  en: "no whole tags (BER-TLV)",
  zh: "不是完整的标签（BER-TLV）",
  both: "no whole tags (BER-TLV) 不是完整的标签"
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

const partValue = (part: Part, { field, bytes, options }: Shown, covered: boolean): string => {
  const value = bytes.subarray(part.valueFrom, part.valueTo)
  if (covered) return maskValue(part.text ?? (field.bytes ? value : value.toString("latin1")), part.sensitivity)
  if (part.text !== undefined)
    return printable(shownGbk(options.reveal === true ? part.text : coverValueText(part.text)))
  return field.bytes ? toHex(value) : printable(shownGbk(fromGbk(value, 0, value.length)))
}
