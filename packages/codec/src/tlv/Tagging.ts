/**
 * The tagging styles that are beside BER-TLV inside one network (CUPS DE 48, 56, 57, 59, 61.10, DE 62, 63, 121): as data, so
 * that a dialect can name them. What is read is built again to the same bytes.
 *
 * Tags are characters, lengths decimal digits; values are bytes and may hold anything. Meaning and sensitivity of the values
 * are the dialect's.
 */
import { readDecimal } from "../encoding/Digits.ts"
import { type TlvInvalid, tlvInvalid } from "./TlvError.ts"

/** Usage or tag, length in digits, value; one after another: "SM016" and 16 bytes. CUPS: usage 2, length 3. */
export interface TagLengthValue {
  readonly style: "tag-length-value"
  /** Characters of the tag, 1 to 8. */
  readonly tagLength: number
  /** Digits of the length, 1 to 4. */
  readonly lengthDigits: number
}

/** Usage, then the value up to the end of the field: "AO01". */
export interface UsageValue {
  readonly style: "usage-value"
  readonly tagLength: number
}

/** Tag, then a value whose length the tag tells; one after another: "T00" and 3, "T11" and 6. */
export interface TagFixed {
  readonly style: "tag-fixed"
  readonly tagLength: number
  /** Bytes of the value, by tag. */
  readonly lengths: Readonly<Record<string, number>>
}

/** A tagging style. */
export type Tagging = TagLengthValue | UsageValue | TagFixed

/** A tag and its value; after reading a view of the bytes read. */
export interface TaggedValue {
  readonly tag: string
  readonly value: Uint8Array
}

/** CUPS "ULV": usage of 2 characters, length of 3 digits (domain facts 1.9). */
export const usageLengthValue: TagLengthValue = { style: "tag-length-value", tagLength: 2, lengthDigits: 3 }

/** CUPS "UV": usage of 2 characters, value to the end. */
export const usageValue: UsageValue = { style: "usage-value", tagLength: 2 }

/** CUPS DE 62 "IO", behind the usage: a list of 3-character tags with values of known lengths (domain facts 1.9). */
export const cupsF62List: TagFixed = {
  style: "tag-fixed",
  tagLength: 3,
  lengths: {
    T00: 3,
    T07: 10,
    T11: 6,
    T18: 4,
    T32: 11,
    T33: 11,
    T37: 12,
    T39: 2,
    T41: 8,
    T42: 15,
    T43: 40,
    T60: 7
  }
}

/** Most bytes that are read or built at once. */
export const TAGGED_LENGTH_MAX = 9_999

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1")

const lengthAt = (bytes: Uint8Array, from: number, digits: number): number | TlvInvalid => {
  if (from + digits > bytes.length) return tlvInvalid(from, "length-truncated")
  const length = readDecimal(bytes, from, from + digits)
  return length < 0 ? tlvInvalid(from, "length-not-digits") : length
}

/** Own properties only: a tag such as "constructor" must not find a length. */
const knownLength = (lengths: Readonly<Record<string, number>>, tag: string): number | undefined =>
  Object.hasOwn(lengths, tag) ? lengths[tag] : undefined

/** Where the value after the tag at `from` begins, and its length. */
const measure = (
  tagging: Tagging,
  bytes: Uint8Array,
  from: number
): { readonly tag: string; readonly valueFrom: number; readonly length: number } | TlvInvalid => {
  const tagEnd = from + tagging.tagLength
  if (tagEnd > bytes.length) return tlvInvalid(from, "tag-truncated")
  const tag = latin1(bytes, from, tagEnd)
  switch (tagging.style) {
    case "usage-value":
      return { tag, valueFrom: tagEnd, length: bytes.length - tagEnd }
    case "tag-fixed": {
      const length = knownLength(tagging.lengths, tag)
      return length === undefined ? tlvInvalid(from, "tag-unknown") : { tag, valueFrom: tagEnd, length }
    }
    case "tag-length-value": {
      const length = lengthAt(bytes, tagEnd, tagging.lengthDigits)
      return typeof length === "number" ? { tag, valueFrom: tagEnd + tagging.lengthDigits, length } : length
    }
  }
}

/** Reads all tagged values of a field. An empty field has none. At most `TAGGED_LENGTH_MAX` bytes; one pass. */
export const readTagged = (tagging: Tagging, bytes: Uint8Array): ReadonlyArray<TaggedValue> | TlvInvalid => {
  if (bytes.length > TAGGED_LENGTH_MAX) return tlvInvalid(0, "input-too-long")
  const values: Array<TaggedValue> = []
  let at = 0
  while (at < bytes.length) {
    const found = measure(tagging, bytes, at)
    if ("_tag" in found) return found
    const end = found.valueFrom + found.length
    if (end > bytes.length) return tlvInvalid(at, "value-truncated")
    if (end <= at) return tlvInvalid(at, "tag-invalid")
    values.push({ tag: found.tag, value: bytes.subarray(found.valueFrom, end) })
    at = end
  }
  return values
}

const isTag = (tagging: Tagging, tag: string): boolean =>
  tag.length === tagging.tagLength && Buffer.from(tag, "latin1").toString("latin1") === tag

const writeValue = (tagging: Tagging, { tag, value }: TaggedValue): Buffer | TlvInvalid => {
  if (!isTag(tagging, tag)) return tlvInvalid(0, "tag-invalid")
  const start = Buffer.from(tag, "latin1")
  switch (tagging.style) {
    case "usage-value":
      return Buffer.concat([start, value])
    case "tag-fixed": {
      const length = knownLength(tagging.lengths, tag)
      if (length === undefined) return tlvInvalid(0, "tag-unknown")
      return length === value.length ? Buffer.concat([start, value]) : tlvInvalid(0, "value-invalid")
    }
    case "tag-length-value": {
      const digits = String(value.length).padStart(tagging.lengthDigits, "0")
      if (digits.length > tagging.lengthDigits) return tlvInvalid(0, "value-invalid")
      return Buffer.concat([start, Buffer.from(digits, "latin1"), value])
    }
  }
}

/** Builds a field of tagged values, in their order. A field of the style `usage-value` holds at most one. */
export const writeTagged = (tagging: Tagging, values: ReadonlyArray<TaggedValue>): Buffer | TlvInvalid => {
  if (tagging.style === "usage-value" && values.length > 1) return tlvInvalid(0, "value-invalid")
  const parts: Array<Buffer> = []
  let length = 0
  for (const value of values) {
    const part = writeValue(tagging, value)
    if ("_tag" in part) return part
    length += part.length
    if (length > TAGGED_LENGTH_MAX) return tlvInvalid(0, "input-too-long")
    parts.push(part)
  }
  return Buffer.concat(parts, length)
}

/**
 * Cuts a value into parts of known lengths (CUPS DE 59 QD: 3, 8, 8; DE 121 ID: 8, 8, 20). The last part may be shorter, parts
 * behind it are missing; bytes behind the last part are one more part. Put together the parts are the value again.
 */
export const splitFixed = (value: Uint8Array, lengths: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const parts: Array<Uint8Array> = []
  let at = 0
  for (const length of lengths) {
    if (at >= value.length) return parts
    parts.push(value.subarray(at, at + length))
    at += length
  }
  if (at < value.length) parts.push(value.subarray(at))
  return parts
}
