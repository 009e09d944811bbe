/**
 * Decodes and encodes by the dialect's table, field by field. It is the reference that says what is right: the generated code
 * of `generated` leaves everything unusual, and every error, to it; and it does all the work where code generation is
 * forbidden (`node --disallow-code-generation-from-strings`).
 */
import { announceBitmaps, bitmapCount, writeBitmaps } from "./Bitmap.ts"
import type { Layout } from "./Dialect.ts"
import { type FieldLayout, wireLength } from "./Field.ts"
import { headerValues, writeHeader } from "./HeaderValues.ts"
import { indexMessage, writeMti } from "./Indexer.ts"
import type { Fields, Message } from "./Message.ts"
import { fieldInvalid, fieldUnknown, isMessageError, type MessageError, mtiInvalid } from "./MessageError.ts"
import { MessageIndex } from "./MessageIndex.ts"
import { mtiText } from "./Mti.ts"
import { checkValue, prefixCount } from "./Patch.ts"
import { reveal, Sensitive } from "./Sensitive.ts"
import { contentRule, fillRule, readBytes, readText, unitsAt, unitsOf, writePrefix, writeValue } from "./Value.ts"

/** One index for all calls: there is one thread and no call in between. */
const index = new MessageIndex()

/** Where the header of a reject begins: in front of the original that the index is of. */
export const rejectStart = ({ rejectBytes }: Layout, { start }: MessageIndex): number => start - rejectBytes

/** Decodes `buffer[start, end)`. */
export const decodeByTable = (layout: Layout, buffer: Buffer, start: number, end: number): Message | MessageError =>
  indexMessage(layout, buffer, start, end, index) ?? decodeIndexed(layout, index)

/** Decodes an indexed message; offsets of errors count from its start. */
export const decodeIndexed = (layout: Layout, index: MessageIndex): Message | MessageError => {
  const fields: Fields = {}
  for (const field of layout.defined) {
    if (!index.has(field.de)) continue
    const value = decodeField(layout, index, field)
    if (typeof value === "object" && isMessageError(value)) return value
    fields[field.de] = field.sensitivity === "none" ? value : new Sensitive(value, field.sensitivity)
  }
  const message: Message = { mti: mtiText(index.mti), fields }
  if (layout.header !== undefined) {
    message.header = headerValues(layout.header, index.buffer, index.start)
    if (index.rejectCode !== 0)
      message.rejected = headerValues(layout.header.outer, index.buffer, rejectStart(layout, index))
  }
  return message
}

const decodeField = (layout: Layout, index: MessageIndex, field: FieldLayout): string | Uint8Array | MessageError => {
  const { buffer } = index
  const from = index.starts[field.de]!
  const to = index.ends[field.de]!
  const offset = from - field.prefixBytes - index.start
  if (field.bytes) return readBytes(field, buffer, from, to) ?? fieldInvalid(field.de, offset, "hex")
  const units = unitsAt(field, buffer, from, to - from)
  const text = readText(field, buffer, from, to, units)
  if (layout.dialect.lenient === true) return text
  const rule = contentRule(field, text) ?? fillRule(field, buffer, from, units)
  return rule === undefined ? text : fieldInvalid(field.de, offset, rule)
}

/** A value made to fit its fixed field: digits get zeros in front, text gets spaces behind (ISO 8583-1, 4.4). */
const filled = (field: FieldLayout, value: string | Uint8Array): string | Uint8Array => {
  const units = unitsOf(field, value)
  if (field.fixed < 0 || typeof value !== "string" || typeof units !== "number" || units >= field.units) return value
  if (field.content === "n") return value.padStart(field.units, "0")
  const missing = field.units - units
  return field.content === "xn" || field.content === "z" ? value : value + " ".repeat(missing)
}

/** Encodes a message. Texts that are short for a fixed field are filled; everything else must fit exactly. */
export const encodeByTable = (layout: Layout, message: Message): Buffer | MessageError => {
  if (!/^\d{4}$/.test(message.mti)) return mtiInvalid(-1, "digits")
  const words = new Int32Array(6)
  const given: Array<{ readonly field: FieldLayout; readonly value: string | Uint8Array }> = []
  let length = 0
  for (let de = 1; de <= Math.max(layout.deMax, 128); de++) {
    const covered = message.fields[de]
    if (covered === undefined) continue
    const field = layout.fields[de]
    if (field === undefined) return fieldUnknown(de, -1)
    const value = filled(field, reveal(covered))
    const error = checkValue(field, value)
    if (error !== undefined) return error
    words[(de - 1) >> 5]! |= 0x80000000 >>> ((de - 1) & 31)
    length += field.prefixBytes + wireLength(field, unitsOf(field, value) as number)
    given.push({ field, value })
  }
  announceBitmaps(layout, words)
  length += layout.mtiBytes + bitmapCount(layout, words) * layout.bitmapBytes
  return writeMessage(layout, message, given, words, length)
}

/** Encodes into `out` at `at`: `Codec.encodeInto` by the table. */
export const encodeInto = (layout: Layout, message: Message, out: Buffer, at: number): number | MessageError => {
  const encoded = encodeByTable(layout, message)
  if (!Buffer.isBuffer(encoded)) return encoded
  if (encoded.length <= out.length - at) encoded.copy(out, at)
  return encoded.length
}

const writeMessage = (
  layout: Layout,
  message: Message,
  given: ReadonlyArray<{ readonly field: FieldLayout; readonly value: string | Uint8Array }>,
  words: Int32Array,
  length: number
): Buffer | MessageError => {
  const { header, headerBytes } = layout
  const outer = message.rejected === undefined ? 0 : layout.rejectBytes
  const out = Buffer.allocUnsafe(outer + headerBytes + length)
  if (header !== undefined) {
    const total = headerBytes + length
    // The original's own length is written as it was read.
    const isKept = outer > 0 && (header.total === undefined || message.header?.[header.total.name] !== undefined)
    const error =
      (outer === 0 ? undefined : writeHeader(header.outer, message.rejected, outer + total, out, 0)) ??
      writeHeader(header, message.header, isKept ? -1 : total, out, outer)
    if (error !== undefined) return error
  }
  let at = outer + headerBytes
  writeMti(layout, Number(message.mti), out, at)
  at = writeBitmaps(layout, words, out, at + layout.mtiBytes)
  for (const { field, value } of given) {
    const units = unitsOf(field, value) as number
    if (field.fixed < 0) writePrefix(field, prefixCount(field, units), out, at)
    at += field.prefixBytes
    const rule = writeValue(field, value, out, at)
    if (rule !== undefined) return fieldInvalid(field.de, -1, rule)
    at += wireLength(field, units)
  }
  return out
}
