/**
 * BER-TLV as a tree: DE 55 (EMV) and other fields in this form, read and built byte for byte.
 *
 * What is read is built again to the same bytes: order, unknown tags, padding and lengths longer than necessary are
 * kept. Names and sensitivity of tags are in `EmvTags.ts`, covering of values in `TlvRedaction.ts`. Not covered: indefinite
 * lengths, tags over 4 bytes. Time grows with the length of the input, times the levels (at most `TLV_DEPTH_MAX`).
 */
import { TLV_TAG_LENGTH_MAX, TlvCursor } from "./TlvCursor.ts"
import { isTlvInvalid, type TlvInvalid, tlvInvalid } from "./TlvError.ts"

/** Most bytes that are read or built at once. DE 55 has at most 999. */
export const TLV_LENGTH_MAX = 65_535

/** Levels that are looked into. A constructed value deeper than that is kept as bytes; building deeper is refused. */
export const TLV_DEPTH_MAX = 8

/** A tag with its value. */
export interface TlvPrimitive {
  readonly _tag: "Primitive"
  /** The tag's bytes in upper-case hexadecimal: `9F26`. */
  readonly tag: string
  /** The value; after reading a view of the bytes read. */
  readonly value: Uint8Array
  /** Bytes of the length field, 1 to 5: more than necessary is kept, fewer than necessary is corrected. */
  readonly lengthBytes: number
}

/** A tag whose value is elements again. */
export interface TlvConstructed {
  readonly _tag: "Constructed"
  readonly tag: string
  readonly children: ReadonlyArray<TlvItem>
  readonly lengthBytes: number
}

/** Bytes 00 and FF between elements, which mean nothing (ISO/IEC 7816-4, 5.2.2). */
export interface TlvPadding {
  readonly _tag: "Padding"
  readonly length: number
  /** The bytes themselves where they are not all 00; after reading a view of the bytes read. */
  readonly bytes?: Uint8Array
}

/** A tag with what is in it. */
export type TlvElement = TlvPrimitive | TlvConstructed
/** What is on one level: elements, and padding between them. */
export type TlvItem = TlvElement | TlvPadding

/** An element for building. `tag` in hexadecimal. */
export const tlvPrimitive = (tag: string, value: Uint8Array): TlvPrimitive => ({
  _tag: "Primitive",
  tag: tag.toUpperCase(),
  value,
  lengthBytes: 1
})

/** A constructed element for building. */
export const tlvConstructed = (tag: string, children: ReadonlyArray<TlvItem>): TlvConstructed => ({
  _tag: "Constructed",
  tag: tag.toUpperCase(),
  children,
  lengthBytes: 1
})

const hexOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
    .toString("hex")
    .toUpperCase()

const paddingOf = (bytes: Uint8Array): TlvPadding => {
  const padding = { _tag: "Padding" as const, length: bytes.length }
  return bytes.every((byte) => byte === 0) ? padding : { ...padding, bytes }
}

const readLevel = (bytes: Uint8Array, from: number, to: number, depth: number): ReadonlyArray<TlvItem> | TlvInvalid => {
  const items: Array<TlvItem> = []
  const cursor = new TlvCursor(bytes, from, to)
  let end = from
  while (true) {
    const hasNext = cursor.next()
    if (cursor.tagFrom > end) items.push(paddingOf(bytes.subarray(end, cursor.tagFrom)))
    if (cursor.rule !== undefined) return tlvInvalid(cursor.tagFrom, cursor.rule)
    if (!hasNext) return items
    items.push(readElement(bytes, cursor, depth))
    end = cursor.valueTo
  }
}

/**
 * A constructed tag whose value is not elements stays a plain value: UnionPay POS puts text behind FF00 and the like, and a
 * field must not be lost for it.
 */
const readElement = (bytes: Uint8Array, cursor: TlvCursor, depth: number): TlvElement => {
  const tag = hexOf(bytes, cursor.tagFrom, cursor.lengthFrom)
  const lengthBytes = cursor.valueFrom - cursor.lengthFrom
  if (cursor.isConstructed && depth < TLV_DEPTH_MAX) {
    const children = readLevel(bytes, cursor.valueFrom, cursor.valueTo, depth + 1)
    if (!isTlvInvalid(children)) return { _tag: "Constructed", tag, children, lengthBytes }
  }
  return { _tag: "Primitive", tag, value: bytes.subarray(cursor.valueFrom, cursor.valueTo), lengthBytes }
}

/** Reads all elements. `TlvInvalid` only for faults of the outer level: inside, what cannot be read stays bytes. */
export const decodeTlv = (bytes: Uint8Array): ReadonlyArray<TlvItem> | TlvInvalid =>
  bytes.length > TLV_LENGTH_MAX ? tlvInvalid(0, "input-too-long") : readLevel(bytes, 0, bytes.length, 1)

const lengthField = (length: number, lengthBytes: number): Buffer => {
  let needed = length < 0x80 ? 1 : 2
  while (needed > 1 && length >= 256 ** (needed - 1)) needed++
  const count = Math.max(needed, lengthBytes)
  if (count === 1) return Buffer.of(length)
  const field = Buffer.alloc(count)
  field[0] = 0x80 + count - 1
  field.writeUIntBE(length, Math.max(1, count - 4), Math.min(4, count - 1))
  return field
}

/** The tag's bytes, when they are one whole tag. */
const tagBytes = (tag: string): Buffer | undefined => {
  if (!/^(?:[0-9A-Fa-f]{2}){1,4}$/.test(tag)) return undefined
  const bytes = Buffer.from(tag, "hex")
  if (bytes[0] === 0 || bytes.length > TLV_TAG_LENGTH_MAX) return undefined
  const isMultiple = (bytes[0]! & 0x1f) === 0x1f
  if (isMultiple === (bytes.length === 1)) return undefined
  for (let i = 1; i < bytes.length; i++) {
    if (((bytes[i]! & 0x80) !== 0) === (i === bytes.length - 1)) return undefined
  }
  return bytes
}

const writeElement = (item: TlvElement, depth: number): Buffer | TlvInvalid => {
  const tag = tagBytes(item.tag)
  if (tag === undefined) return tlvInvalid(0, "tag-invalid")
  if (!(item.lengthBytes >= 1 && item.lengthBytes <= 5)) return tlvInvalid(0, "value-invalid")
  if (item._tag === "Primitive") {
    return Buffer.concat([tag, lengthField(item.value.length, item.lengthBytes), item.value])
  }
  if ((tag[0]! & 0x20) === 0) return tlvInvalid(0, "tag-invalid")
  const content = writeLevel(item.children, depth + 1)
  return isTlvInvalid(content) ? content : Buffer.concat([tag, lengthField(content.length, item.lengthBytes), content])
}

const writePadding = ({ length, bytes }: TlvPadding): Buffer =>
  bytes === undefined ? Buffer.alloc(length) : Buffer.from(bytes)

const writeLevel = (items: ReadonlyArray<TlvItem>, depth: number): Buffer | TlvInvalid => {
  if (depth > TLV_DEPTH_MAX) return tlvInvalid(0, "too-deep")
  const parts: Array<Buffer> = []
  let length = 0
  for (const item of items) {
    if (item._tag === "Padding" && !(item.length >= 0 && item.length <= TLV_LENGTH_MAX)) {
      return tlvInvalid(0, "value-invalid")
    }
    const part = item._tag === "Padding" ? writePadding(item) : writeElement(item, depth)
    if (isTlvInvalid(part)) return part
    length += part.length
    if (length > TLV_LENGTH_MAX) return tlvInvalid(0, "input-too-long")
    parts.push(part)
  }
  return Buffer.concat(parts, length)
}

/** Builds the bytes of the elements, in their order. Lengths are as short as `lengthBytes` allows. */
export const encodeTlv = (items: ReadonlyArray<TlvItem>): Buffer | TlvInvalid => writeLevel(items, 1)

/** The first element with this tag (upper-case hexadecimal), depth first, or undefined. */
export const findTlv = (items: ReadonlyArray<TlvItem>, tag: string): TlvElement | undefined => {
  for (const item of items) {
    if (item._tag === "Padding") continue
    if (item.tag === tag) return item
    const inside = item._tag === "Constructed" ? findTlv(item.children, tag) : undefined
    if (inside !== undefined) return inside
  }
  return undefined
}
