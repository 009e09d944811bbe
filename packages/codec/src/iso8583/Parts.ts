/**
 * Reads and writes what is inside a field by its `Structure`. For people and scripts (descriptions, JSON), not for the way of
 * a message through a switch. A part keeps its place in the field's bytes. What cannot be read has no parts: it is shown whole.
 */
import { readDecimal } from "../encoding/Digits.ts"
import { hexValue } from "../encoding/Hex.ts"
import { latin1 } from "../encoding/Latin1.ts"
import { encodeTlv, TLV_DEPTH_MAX, type TlvItem, tlvConstructed, tlvPrimitive } from "../tlv/BerTlv.ts"
import { type Tagging, writeTagged } from "../tlv/Tagging.ts"
import { TlvCursor } from "../tlv/TlvCursor.ts"
import { isTlvInvalid } from "../tlv/TlvError.ts"
import type { TagRules } from "../tlv/TlvRedaction.ts"
import { type EncodingDefaults, type FieldLayout, fieldLayout, wireLength } from "./Field.ts"
import type { Sensitivity } from "./Sensitive.ts"
import type {
  BerTlvStructure,
  BitmapStructure,
  PartDefinition,
  PositionalStructure,
  Structure,
  TagDefinitions
} from "./Structure.ts"
import { tagNamed, tagRulesOf } from "./TagRules.ts"
import {
  announcedLength,
  announcedUnits,
  contentRule,
  prefixMax,
  readPrefix,
  readText,
  unitsOf,
  writePrefix,
  writeValue
} from "./Value.ts"

/** One part that was found. Offsets are in the bytes that were read. */
export interface Part {
  /** Position from 1, tag, or bit number. */
  readonly id: string
  readonly name: string
  readonly nameZh: string
  /** Of the part with its tag and length. */
  readonly from: number
  readonly valueFrom: number
  readonly valueTo: number
  readonly sensitivity: Sensitivity
  /** The value where it is a text of its own encoding (a private bitmap's field); otherwise the bytes are the value. */
  readonly text: string | undefined
  /** Parts of the part, when it has a structure and could be read. */
  readonly parts: ReadonlyArray<Part> | undefined
}

/** A part to write: its value as bytes, a text that its format encodes, or parts. */
export interface PartValue {
  readonly id: string
  readonly value: Uint8Array | string | ReadonlyArray<PartValue>
}

/** Bytes to read, and what is known about what holds them. */
interface Place {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
  readonly sensitivity: Sensitivity
  readonly defaults: EncodingDefaults
}

/** A part that the structure does not name is not understood: it is covered, whatever holds it. */
const inherited = (part: PartDefinition | undefined, holder: Sensitivity): Sensitivity => {
  if (holder === "sad") return "sad"
  const own = part === undefined && holder === "none" ? "hidden" : part?.sensitivity
  return own ?? (holder === "emv" ? "none" : holder)
}

const partOf = (
  id: string,
  part: PartDefinition | undefined,
  place: Place,
  from: number,
  valueFrom: number,
  valueTo: number
): Part => {
  const sensitivity = inherited(part, place.sensitivity)
  return {
    id,
    name: part?.name ?? "",
    nameZh: part?.nameZh ?? "",
    from,
    valueFrom,
    valueTo,
    sensitivity,
    text: undefined,
    parts:
      part?.structure === undefined
        ? undefined
        : readPlace(part.structure, { ...place, from: valueFrom, to: valueTo, sensitivity })
  }
}

/** The parts in `bytes`; `undefined` when the bytes do not have the structure. `sensitivity` is that of the field. */
export const readParts = (
  structure: Structure,
  bytes: Buffer,
  sensitivity: Sensitivity,
  defaults: EncodingDefaults
): ReadonlyArray<Part> | undefined => readPlace(structure, { bytes, from: 0, to: bytes.length, sensitivity, defaults })

const readPlace = (structure: Structure, place: Place): ReadonlyArray<Part> | undefined => {
  switch (structure.style) {
    case "positional":
      return readPositional(structure, place)
    case "ber-tlv":
      return readBerTlv(structure, tagRulesOf(structure), place, 1)
    case "bitmap":
      return readBitmap(structure, place)
    default:
      return readTags(structure, place)
  }
}

const readPositional = ({ parts }: PositionalStructure, place: Place): ReadonlyArray<Part> => {
  const found: Array<Part> = []
  let at = place.from
  for (const [index, part] of parts.entries()) {
    if (at >= place.to) return found
    const end = part.length === undefined ? place.to : Math.min(at + part.length, place.to)
    found.push(partOf(String(index + 1), part, place, at, at, end))
    at = end
  }
  if (at < place.to) found.push(partOf(String(parts.length + 1), undefined, place, at, at, place.to))
  return found
}

type Tagged = Exclude<Structure, PositionalStructure | BitmapStructure | BerTlvStructure>

/** Own properties only: a tag such as "constructor" must not find a part. */
const tagOf = (tags: TagDefinitions | undefined, tag: string): PartDefinition | undefined =>
  tags !== undefined && Object.hasOwn(tags, tag) ? tags[tag] : undefined

const readTags = (structure: Tagged, place: Place): ReadonlyArray<Part> | undefined => {
  const { bytes, to } = place
  const found: Array<Part> = []
  let at = place.from
  while (at < to) {
    const tagTo = at + structure.tagLength
    if (tagTo > to) return undefined
    const tag = latin1(bytes, at, tagTo)
    const part = tagOf(structure.tags, tag)
    let valueFrom = tagTo
    let length = to - tagTo
    if (structure.style === "tag-fixed") length = part?.length ?? -1
    if (structure.style === "tag-length-value") {
      valueFrom += structure.lengthDigits
      length = valueFrom > to ? -1 : readDecimal(bytes, tagTo, valueFrom)
    }
    if (length < 0 || valueFrom + length > to) return undefined
    found.push(partOf(tag, part, place, at, valueFrom, valueFrom + length))
    at = valueFrom + length
  }
  return found
}

/** How a tag is covered: what a template holds has its own tags; a tag that nobody knows is covered. */
const tagSensitivity = ({ tag, isConstructed }: TlvCursor, rules: TagRules, holder: Sensitivity): Sensitivity => {
  if (holder === "sad") return "sad"
  const rule = rules.get(tag)
  if (rule === undefined) return isConstructed ? "none" : "hidden"
  if (rule.sensitivity !== "none") return rule.sensitivity === "sad" ? "sad" : "hidden"
  return holder === "emv" ? "none" : holder
}

const readBerTlv = (
  structure: BerTlvStructure,
  rules: TagRules,
  place: Place,
  depth: number
): ReadonlyArray<Part> | undefined => {
  const cursor = new TlvCursor(place.bytes, place.from, place.to)
  const found: Array<Part> = []
  while (cursor.next()) {
    const id = cursor.tag.toString(16).toUpperCase().padStart(2, "0")
    const { tagFrom: from, valueFrom, valueTo, isConstructed } = cursor
    const own = tagSensitivity(cursor, rules, place.sensitivity)
    const inside = { ...place, from: valueFrom, to: valueTo }
    const isOpen = isConstructed && depth < TLV_DEPTH_MAX && own === "none"
    const parts = isOpen ? readBerTlv(structure, rules, inside, depth + 1) : undefined
    // A template that holds no elements is not understood.
    const sensitivity = isConstructed && parts === undefined && own === "none" ? "hidden" : own
    const { name, nameZh = "" } = tagNamed(structure, id)
    found.push({ id, name, nameZh, from, valueFrom, valueTo, sensitivity, text: undefined, parts })
  }
  return cursor.rule === undefined ? found : undefined
}

const bitmapBytes = (structure: BitmapStructure, { bytes, from, to }: Place): Uint8Array | undefined => {
  const length = structure.encoding === "hex" ? 2 * structure.bytes : structure.bytes
  if (from + length > to) return undefined
  if (structure.encoding === "binary") return bytes.subarray(from, from + length)
  const bitmap = new Uint8Array(structure.bytes)
  for (let at = 0; at < length; at++) {
    const digit = hexValue[bytes[from + at]!]!
    if (digit < 0) return undefined
    bitmap[at >> 1] = bitmap[at >> 1]! * 16 + digit
  }
  return bitmap
}

const layoutOf = (bit: number, part: PartDefinition, defaults: EncodingDefaults): FieldLayout =>
  fieldLayout(bit, { format: part.format ?? "", name: part.name }, defaults)

const readBitmap = (structure: BitmapStructure, place: Place): ReadonlyArray<Part> | undefined => {
  const bitmap = bitmapBytes(structure, place)
  if (bitmap === undefined) return undefined
  const found: Array<Part> = []
  let at = place.from + (structure.encoding === "hex" ? 2 : 1) * structure.bytes
  for (let bit = 1; bit <= structure.bytes * 8; bit++) {
    if ((bitmap[(bit - 1) >> 3]! & (0x80 >> ((bit - 1) & 7))) === 0) continue
    const part = structure.parts[bit]
    if (part === undefined) return undefined
    const field = layoutOf(bit, part, place.defaults)
    const valueFrom = at + field.prefixBytes
    if (valueFrom > place.to) return undefined
    const count = field.fixed >= 0 ? field.units : readPrefix(field, place.bytes, at)
    if (count < 0 || (field.fixed < 0 && count > field.countMax)) return undefined
    const valueTo = valueFrom + (field.fixed >= 0 ? field.fixed : announcedLength(field, count))
    if (valueTo > place.to) return undefined
    const read = partOf(String(bit), part, place, at, valueFrom, valueTo)
    const units = field.fixed >= 0 ? field.units : announcedUnits(field, count)
    found.push(field.bytes ? read : { ...read, text: readText(field, place.bytes, valueFrom, valueTo, units) })
    at = valueTo
  }
  return at === place.to ? found : undefined
}

/** The bytes of parts in their order; `undefined` when a value or tag does not fit the structure. */
export const writeParts = (
  structure: Structure,
  parts: ReadonlyArray<PartValue>,
  defaults: EncodingDefaults
): Buffer | undefined => {
  switch (structure.style) {
    case "positional":
      return writePositional(structure, parts, defaults)
    case "ber-tlv":
      return writeBerTlv(parts)
    case "bitmap":
      return writeBitmap(structure, parts, defaults)
    default:
      return writeTags(structure, parts, defaults)
  }
}

const bytesOf = (
  part: PartDefinition | undefined,
  value: PartValue["value"],
  defaults: EncodingDefaults
): Buffer | undefined => {
  if (typeof value === "string") return /[^\0-\xff]/.test(value) ? undefined : Buffer.from(value, "latin1")
  if (value instanceof Uint8Array) return Buffer.from(value)
  return part?.structure === undefined ? undefined : writeParts(part.structure, value, defaults)
}

/** A text that is short for its place is filled with spaces, but not the last one. */
const writePositional = (
  { parts }: PositionalStructure,
  values: ReadonlyArray<PartValue>,
  defaults: EncodingDefaults
): Buffer | undefined => {
  const written: Array<Buffer> = []
  for (const [index, { id, value }] of values.entries()) {
    const part = parts[index]
    const bytes = bytesOf(part, value, defaults)
    if (id !== String(index + 1) || bytes === undefined) return undefined
    const missing = part?.length === undefined ? 0 : part.length - bytes.length
    if (missing < 0) return undefined
    written.push(index < values.length - 1 && missing > 0 ? Buffer.concat([bytes, Buffer.alloc(missing, 0x20)]) : bytes)
  }
  return Buffer.concat(written)
}

const taggingOf = (structure: Tagged): Tagging => {
  if (structure.style !== "tag-fixed") return structure
  const lengths = Object.entries(structure.tags).map(([tag, { length }]) => [tag, length ?? 0])
  return { style: "tag-fixed", tagLength: structure.tagLength, lengths: Object.fromEntries(lengths) }
}

const writeTags = (
  structure: Tagged,
  values: ReadonlyArray<PartValue>,
  defaults: EncodingDefaults
): Buffer | undefined => {
  const tagged: Array<{ readonly tag: string; readonly value: Buffer }> = []
  for (const { id: tag, value } of values) {
    const bytes = bytesOf(tagOf(structure.tags, tag), value, defaults)
    if (bytes === undefined) return undefined
    tagged.push({ tag, value: bytes })
  }
  const written = writeTagged(taggingOf(structure), tagged)
  return isTlvInvalid(written) ? undefined : written
}

const tlvItems = (values: ReadonlyArray<PartValue>): ReadonlyArray<TlvItem> =>
  values.map(({ id, value }) => {
    if (typeof value === "string") return tlvPrimitive(id, Buffer.from(value, "latin1"))
    return value instanceof Uint8Array ? tlvPrimitive(id, value) : tlvConstructed(id, tlvItems(value))
  })

const writeBerTlv = (values: ReadonlyArray<PartValue>): Buffer | undefined => {
  const written = encodeTlv(tlvItems(values))
  return isTlvInvalid(written) ? undefined : written
}

const writeField = (field: FieldLayout, value: string | Uint8Array): Buffer | undefined => {
  const units = unitsOf(field, value)
  if (typeof units !== "number" || units > field.units || (field.fixed >= 0 && units !== field.units)) return undefined
  if (typeof value === "string" && contentRule(field, value) !== undefined) return undefined
  const length = wireLength(field, units)
  if (field.prefixBytes > 0 && units > prefixMax(field)) return undefined
  const out = Buffer.alloc(field.prefixBytes + length)
  if (field.prefixBytes > 0) writePrefix(field, units, out, 0)
  return writeValue(field, value, out, field.prefixBytes) === undefined ? out : undefined
}

const writeBitmap = (
  structure: BitmapStructure,
  values: ReadonlyArray<PartValue>,
  defaults: EncodingDefaults
): Buffer | undefined => {
  const bitmap = Buffer.alloc(structure.bytes)
  const written: Array<Buffer> = []
  let last = 0
  for (const { id, value } of values) {
    const bit = Number(id)
    const part = structure.parts[bit]
    if (part === undefined || !(bit > last) || bit > structure.bytes * 8) return undefined
    last = bit
    const field = layoutOf(bit, part, defaults)
    const nested = typeof value === "string" || value instanceof Uint8Array ? value : bytesOf(part, value, defaults)
    if (nested === undefined) return undefined
    const plain = field.bytes || typeof nested === "string" ? nested : latin1(nested, 0, nested.length)
    const bytes = writeField(field, plain)
    if (bytes === undefined) return undefined
    bitmap[(bit - 1) >> 3]! |= 0x80 >> ((bit - 1) & 7)
    written.push(bytes)
  }
  const shown = structure.encoding === "hex" ? Buffer.from(bitmap.toString("hex").toUpperCase(), "latin1") : bitmap
  return Buffer.concat([shown, ...written])
}
