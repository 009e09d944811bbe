/**
 * Finds the fields of a message: header, MTI, bitmaps, then one step for each bit. It checks structure only (bounds, length
 * digits and limits, undefined fields, trailing bytes); time is linear in the number of fields, nothing is allocated.
 */
import { readDecimal, readNumber, writeNumber } from "../encoding/Digits.ts"
import { clearWords, readBitmaps } from "./Bitmap.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import type { HeaderLayout } from "./Header.ts"
import { hasUsual, partNumber } from "./HeaderPart.ts"
import { checkHeader } from "./HeaderValues.ts"
import { fieldInvalid, fieldUnknown, type MessageError, mtiInvalid, tooShort, trailingBytes } from "./MessageError.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { announcedLength, readPrefix } from "./Value.ts"

/**
 * Fills `into` from the message in `buffer[start, end)`. After an error its fields are those found before it: none where the
 * header, the message type or a bitmap is wrong.
 */
export const indexMessage = (
  layout: Layout,
  buffer: Buffer,
  start: number,
  end: number,
  into: MessageIndex
): MessageError | undefined => indexHead(layout, buffer, start, end, into) ?? indexFields(layout, buffer, end, into)

/** The first part of `indexMessage`: header, MTI and bitmaps. After it `into.words` say which fields there are. */
export const indexHead = (
  layout: Layout,
  buffer: Buffer,
  start: number,
  end: number,
  into: MessageIndex
): MessageError | undefined => {
  into.buffer = buffer
  into.layout = layout
  into.start = start
  into.end = end
  into.rejectCode = 0
  into.mti = 0
  clearWords(into.words)
  into.body = start + layout.headerBytes
  into.fieldsFrom = into.body
  if (layout.header !== undefined) {
    const error = indexHeader(layout.header, buffer, start, end, into)
    if (error !== undefined) return error
  }
  const bitmap = into.body + layout.mtiBytes
  if (bitmap + layout.bitmapBytes > end) return tooShort(end - start)
  into.mti = readMti(layout, buffer, into.body)
  if (into.mti < 0) {
    into.mti = 0
    return mtiInvalid(into.body - start, "digits")
  }
  const error = readBitmaps(layout, buffer, bitmap, end, into)
  // A bitmap that is refused announces nothing: the places of its fields would be those of the message before.
  if (error !== undefined) clearWords(into.words)
  return error
}

/** Checks the header and steps into a reject. */
const indexHeader = (
  header: HeaderLayout,
  buffer: Buffer,
  start: number,
  end: number,
  into: MessageIndex
): MessageError | undefined => {
  const { outer, reject } = header
  if (outer !== header && isRejects(outer, buffer, start, end)) {
    const error = checkHeader(outer, buffer, start, end)
    return error ?? stepIn(header, buffer, start, end, into)
  }
  const error = checkHeader(header, buffer, start, end)
  if (error !== undefined || reject === undefined || hasUsual(reject, buffer, start)) return error
  return stepIn(header, buffer, start, end, into)
}

/** Whether the header at `start` is one that only rejects have: its fixed parts say so. */
const isRejects = ({ bytes, fixed }: HeaderLayout, buffer: Buffer, start: number, end: number): boolean => {
  if (end - start < bytes) return false
  for (const part of fixed) if (!hasUsual(part, buffer, start)) return false
  return true
}

/** Steps behind the header of a reject, to the original. */
const stepIn = (
  { bytes, outer }: HeaderLayout,
  buffer: Buffer,
  start: number,
  end: number,
  into: MessageIndex
): MessageError | undefined => {
  const { reject } = outer
  // A reject code that is no number, or 0 in other bytes, is still a reject; -1 keeps it apart from normal.
  into.rejectCode = (reject === undefined ? 0 : partNumber(reject, buffer, start)) || -1
  into.start = start + outer.bytes
  into.body = into.start + bytes
  // The original's own header is not checked: it may be the very reason of the reject.
  return into.body > end ? tooShort(end - start) : undefined
}

/** Message type at `at`, -1 when it is not made of digits. */
const readMti = ({ dialect, mtiBytes }: Layout, buffer: Uint8Array, at: number): number =>
  readNumber(dialect.mti, buffer, at, at + mtiBytes)

/** Writes a message type 0..9999. */
export const writeMti = ({ dialect, mtiBytes }: Layout, mti: number, out: Uint8Array, at: number): void => {
  writeNumber(dialect.mti, mti, out, at, at + mtiBytes)
}

/** The second part of `indexMessage`: one step for each bit of the words. */
export const indexFields = (
  layout: Layout,
  buffer: Buffer,
  end: number,
  into: MessageIndex
): MessageError | undefined => {
  const { steps, countMaxima, deMax } = layout
  const { words, starts, ends } = into
  let at = into.fieldsFrom
  for (let first = 1; first < deMax; first += 32) {
    let bits = words[first >> 5]!
    // Bits 1 and (with a third bitmap) 65 announce bitmaps, not fields.
    if (first === 1 || (first === 65 && deMax > 128)) bits &= 0x7fffffff
    while (bits !== 0) {
      const bit = Math.clz32(bits)
      bits &= ~(0x80000000 >>> bit)
      const de = first + bit
      const step = steps[de]!
      if (step >= 0) {
        starts[de] = at
        at += step
      } else {
        const from = step < -3 ? -1 : step < -1 ? at - step : at + layout.fields[de]!.prefixBytes
        if (from < 0 || from > end) return unreadable(layout, de, at, into)
        let bytes = -1
        if (step < -1) {
          const count = readDecimal(buffer, at, from)
          if (count >= 0 && count <= countMaxima[de]!) bytes = count
        } else bytes = otherBytes(layout.fields[de]!, buffer, at)
        if (bytes < 0) return unreadable(layout, de, at, into)
        starts[de] = from
        at = from + bytes
      }
      ends[de] = at
      if (at > end) return unreadable(layout, de, starts[de]! - layout.fields[de]!.prefixBytes, into)
    }
  }
  return at === end ? undefined : trailingBytes(at - into.start, end - at)
}

/** Bytes of a variable value whose prefix is at `at`, -1 when the prefix is wrong. */
const otherBytes = (field: FieldLayout, buffer: Buffer, at: number): number => {
  const count = readPrefix(field, buffer, at)
  return count < 0 || count > field.countMax ? -1 : announcedLength(field, count)
}

/** The error of the field that begins at `at` and cannot be read. */
const unreadable = (layout: Layout, de: number, at: number, into: MessageIndex): MessageError => {
  const { buffer, end } = into
  const field = layout.fields[de]
  const offset = at - into.start
  if (field === undefined) return stop(into, de, fieldUnknown(de, offset))
  if (field.fixed >= 0 || at + field.prefixBytes > end) return stop(into, de, fieldInvalid(de, offset, "short"))
  const count = readPrefix(field, buffer, at)
  const rule = count < 0 ? "length-digits" : count > field.countMax ? "length" : "short"
  return stop(into, de, fieldInvalid(de, offset, rule))
}

/** Takes the bits from `de` on away: the fields found before an error stay readable. */
const stop = (into: MessageIndex, de: number, error: MessageError): MessageError => {
  for (let word = 0; word < 6; word++) {
    const first = word * 32 + 1
    if (de <= first) into.words[word] = 0
    else if (de < first + 32) into.words[word] = into.words[word]! & ~(0xffffffff >>> (de - first))
  }
  return error
}
