/**
 * What is inside a field, as data: parts in a row, BER-TLV, the tagging styles of CUPS (docs/domain.md 1.9) and private
 * bitmaps, inside each other where a network does so. Reading and writing is in `Parts`; the message itself is read and switched
 * without any of this, so a structure that a partner breaks never refuses a message.
 */
import { emvTags } from "../tlv/EmvTags.ts"
import type { Sensitivity } from "./Sensitive.ts"

/** One part of a field. */
export interface PartDefinition {
  readonly name: string
  readonly nameZh?: string
  /** Bytes (characters of a text field). Left out: to the end of what holds it. Not for tags that carry their length. */
  readonly length?: number
  /** Only in a private bitmap: the part's notation, like a field's (`n..19`). */
  readonly format?: string
  /** How the part is covered; left out: as what holds it. A part of a `sad` field is always covered. `none` needs a reason. */
  readonly sensitivity?: Sensitivity
  /** Why the part may be seen: needed beside `sensitivity: none`. */
  readonly reason?: string
  /** What is inside this part. */
  readonly structure?: Structure
}

/** Parts by tag. A tag that is not listed is read too and has no name; in `tag-fixed` it cannot be read. */
export interface TagDefinitions {
  readonly [tag: string]: PartDefinition
}

/** Parts of known lengths, in order. The last ones may be missing or short. */
export interface PositionalStructure {
  readonly style: "positional"
  readonly parts: ReadonlyArray<PartDefinition>
}

/** BER-TLV with the EMV tags (`emvTags`). A tag that is neither there nor here is covered and not kept. */
export interface BerTlvStructure {
  readonly style: "ber-tlv"
  /** Tags that the dialect adds, by their hex digits in upper case; without a sensitivity they are covered and may be kept. */
  readonly tags?: TagDefinitions
}

/** Tag, length in digits, value; one after another. CUPS "ULV": tags of 2 characters, lengths of 3 digits. */
export interface TagLengthValueStructure {
  readonly style: "tag-length-value"
  /** Characters of a tag, 1..8. */
  readonly tagLength: number
  /** Digits of a length, 1..4. */
  readonly lengthDigits: number
  readonly tags?: TagDefinitions
}

/** One tag, then the value to the end. CUPS "UV": tags of 2 characters. */
export interface UsageValueStructure {
  readonly style: "usage-value"
  readonly tagLength: number
  readonly tags?: TagDefinitions
}

/** Tag, then a value of the tag's known length; one after another (CUPS DE 62 "TV"). */
export interface TagFixedStructure {
  readonly style: "tag-fixed"
  readonly tagLength: number
  /** Every part has a length. */
  readonly tags: TagDefinitions
}

/** A bitmap, then the parts that it announces, each written like a field with the dialect's encodings. */
export interface BitmapStructure {
  readonly style: "bitmap"
  /** Bytes of the bitmap, 1..16. */
  readonly bytes: number
  /** `binary`, or `hex`: two characters a byte. */
  readonly encoding: "binary" | "hex"
  /** By bit number, 1 for the highest bit of the first byte. Every part has a format. */
  readonly parts: { readonly [bit: number]: PartDefinition }
}

/** What is inside a field or a part. */
export type Structure =
  | PositionalStructure
  | BerTlvStructure
  | TagLengthValueStructure
  | UsageValueStructure
  | TagFixedStructure
  | BitmapStructure

/** Structures inside each other. CUPS needs three. */
const DEPTH_MAX = 16

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max

const partError = (structure: Structure, key: string, part: PartDefinition, depth: number): string | undefined => {
  if (typeof part.name !== "string" || part.name === "") return `part ${key} has no name`
  if (part.sensitivity === "none" && (part.reason ?? "").trim() === "")
    return `part ${key} is released by "none": say why beside it (reason: ...)`
  if (part.length !== undefined && !isWithin(part.length, 1, 9999))
    return `part ${key}: a length of 1..9999 is expected`
  if (structure.style === "tag-fixed" && part.length === undefined) return `part ${key} needs a length`
  if (structure.style === "bitmap" && part.format === undefined) return `part ${key} needs a format`
  if (structure.style === "bitmap" && !isWithin(Number(key), 1, structure.bytes * 8))
    return `bit ${key} is not in the bitmap`
  if ("tagLength" in structure && key.length !== structure.tagLength)
    return `tag ${key} must be ${structure.tagLength} characters long`
  return part.structure === undefined ? undefined : errorOf(part.structure, depth + 1)
}

/** Parts of a structure by their key in it: position, tag or bit. */
export const partsOf = (structure: Structure): ReadonlyArray<readonly [string, PartDefinition]> => {
  switch (structure.style) {
    case "positional":
      return (structure.parts ?? []).map((part, index) => [String(index + 1), part])
    case "ber-tlv":
      return []
    case "bitmap":
      return Object.entries(structure.parts ?? {})
    default:
      return Object.entries(structure.tags ?? {})
  }
}

/** How a field must be covered for the sake of its parts: `sad` or `hidden` where one of them is card data. */
export const sensitivityOfParts = (structure: Structure | undefined): "none" | "hidden" | "sad" => {
  const parts = structure === undefined ? [] : partsOf(structure).map(([, part]) => part)
  const inside = parts.flatMap((part) => [part.sensitivity ?? "none", sensitivityOfParts(part.structure)])
  if (inside.includes("sad")) return "sad"
  return inside.every((one) => one === "none") ? "none" : "hidden"
}

/**
 * Bytes of a value that a structure accounts for: behind them nothing is understood. Without a structure, or where the last part
 * runs to the end, all of them (`Infinity`).
 */
export const knownBytes = (structure: Structure | undefined): number => {
  if (structure?.style !== "positional") return Number.POSITIVE_INFINITY
  return structure.parts.reduce((sum, part) => sum + (part.length ?? knownBytes(part.structure)), 0)
}

/** Why a structure makes no sense; `undefined` when it does. The sentence names the part. */
export const structureError = (structure: Structure): string | undefined => errorOf(structure, 1)

/** A tag of EMV that is card data stays so; its `pan` is any covering here. */
const isLowered = (tag: string, { sensitivity }: PartDefinition): boolean => {
  const known = emvTags.get(tag)?.sensitivity
  return known === "sad"
    ? sensitivity !== undefined && sensitivity !== "sad"
    : known === "pan" && sensitivity === "none"
}

const tagError = (tag: string, part: PartDefinition): string | undefined => {
  if (!/^(?:[0-9A-F]{2}){1,4}$/.test(tag))
    return `tag ${tag}: hex digits in upper case are expected, like 9F26 (in quotes)`
  return isLowered(tag, part) ? `tag ${tag} is card data, and covering can only be raised` : undefined
}

const tlvError = ({ tags }: BerTlvStructure): string | undefined => {
  for (const [tag, part] of Object.entries(tags ?? {})) {
    const wrong = tagError(tag, part) ?? partError({ style: "ber-tlv" }, tag, part, 1)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const errorOf = (structure: Structure, depth: number): string | undefined => {
  if (structure.style === "ber-tlv") return tlvError(structure)
  if (depth > DEPTH_MAX) return `structures are inside each other more than ${DEPTH_MAX} deep`
  if ((structure.style === "positional" || structure.style === "bitmap") && structure.parts === undefined)
    return `the style ${structure.style} needs parts`
  if (structure.style === "tag-fixed" && structure.tags === undefined) return "the style tag-fixed needs tags"
  if ("tagLength" in structure && !isWithin(structure.tagLength, 1, 8)) return "tagLength must be 1..8"
  if (structure.style === "tag-length-value" && !isWithin(structure.lengthDigits, 1, 4))
    return "lengthDigits must be 1..4"
  if (structure.style === "bitmap" && !isWithin(structure.bytes, 1, 16))
    return "bytes of a private bitmap must be 1..16"
  const entries = partsOf(structure)
  for (const [index, [key, part]] of entries.entries()) {
    const wrong = partError(structure, key, part, depth)
    if (wrong !== undefined) return wrong
    if (structure.style === "positional" && part.length === undefined && index < entries.length - 1)
      return `part ${key} needs a length: only the last runs to the end`
  }
  return undefined
}
