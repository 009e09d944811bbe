/**
 * The layout of one field: what it may hold, how long it may be and how it is written on the wire. A dialect says it in the
 * field's own notation (`n6`, `n..19`, `ans...999`, `b8`, `x+n8`); `fieldLayout` resolves it against the dialect's defaults.
 * Reading and writing values is in `Value`.
 */
import { type BcdAlign, bcdLength } from "../encoding/Bcd.ts"
import type { TagRules } from "../tlv/TlvRedaction.ts"
import { CoverInvalid, fieldSensitivity } from "./Elements.ts"
import type { Sensitivity } from "./Sensitive.ts"
import {
  knownBytes,
  type PartDefinition,
  partsOf,
  type Structure,
  sensitivityOfParts,
  structureError
} from "./Structure.ts"
import { tagRulesOf } from "./TagRules.ts"

/**
 * What a field may hold: `n` digits, `a` letters and space, `an` letters, digits and space, `ans` printable text, `ns` as
 * `ans`, `ansb` text with raw bytes inside (one character a byte in the ascii encoding), `z` track data, `xn` C or D and
 * digits, `b` bytes.
 */
export type FieldContent = "n" | "a" | "an" | "ans" | "ansb" | "ns" | "z" | "xn" | "b"

/** How a value is written on the wire. `binary` and `hex` (two characters a byte) are for b fields, the rest for text. */
export type ValueEncoding = "ascii" | "gbk" | "ebcdic" | "ebcdic1047" | "bcd" | "binary" | "hex"

/** How a length prefix is written on the wire. `hex` are ASCII hex digits; `binary` is a big-endian integer. */
export type PrefixEncoding = "ascii" | "ebcdic" | "bcd" | "binary" | "hex"

/** Encoding choices that a dialect makes for all its fields and a field may override. */
export interface FieldEncoding {
  readonly encoding?: ValueEncoding
  readonly prefix?: PrefixEncoding
  /**
   * What the prefix counts: digits, characters or bytes of the value (`units`, the rule), or `bytes` on the wire. Behind `bytes`
   * an odd number of packed digits is told by a filling of 10 or more (F); with another filling it is refused when writing.
   */
  readonly counts?: "units" | "bytes"
  /** Where an odd number of BCD digits is: fixed fields to the right, variable to the left unless said otherwise. */
  readonly align?: BcdAlign
  /** Nibble that is written to fill an odd number of BCD digits: 0..15, 0 unless said otherwise. */
  readonly fill?: number
  /** Nibbles that are taken as the filling when reading, besides `fill`: 0 and 15 (F) unless said otherwise. */
  readonly fills?: ReadonlyArray<number>
}

/** A named part of a positional field, in order; a part runs to the field's end when it has no length. */
export type SubfieldDefinition = PartDefinition

/** A field of a dialect, as data. */
export interface FieldDefinition extends FieldEncoding {
  /** `<content><dots><length>`: no dots for a fixed length, otherwise one dot for each digit of the length prefix (1..6). */
  readonly format: string
  readonly name: string
  readonly nameZh?: string
  /**
   * How the field is covered. Left out: as the standard's edition and its parts need it, and `hidden` where the edition leaves
   * the content to somebody else (`Elements.ts`). Covering can be raised only.
   */
  readonly sensitivity?: Sensitivity
  /** Why a field that the standard does not define may be seen: needed beside `sensitivity: none` there. */
  readonly reason?: string
  /** Parts one after another: short for a positional structure. */
  readonly subfields?: ReadonlyArray<SubfieldDefinition>
  /** What is inside the value. */
  readonly structure?: Structure
}

/** A field with every choice made. */
export interface FieldLayout {
  readonly de: number
  readonly format: string
  readonly name: string
  readonly nameZh: string
  readonly content: FieldContent
  /** Whether the value is bytes; otherwise it is text. */
  readonly bytes: boolean
  /** Fixed length, or the most of a variable one: digits, characters (GBK: bytes) or bytes of the value. */
  readonly units: number
  /** Bytes on the wire of a fixed field; -1: variable. */
  readonly fixed: number
  readonly prefixDigits: number
  readonly prefixBytes: number
  readonly prefix: PrefixEncoding
  readonly countsBytes: boolean
  /** Most that the length prefix may say. */
  readonly countMax: number
  readonly encoding: ValueEncoding
  readonly align: BcdAlign
  readonly fill: number
  /** Filling nibbles that are accepted when reading: bit n means nibble n. */
  readonly fills: number
  readonly sensitivity: Sensitivity
  /** What is inside the value, given as `structure` or `subfields`. A field with sensitivity `emv` is BER-TLV. */
  readonly structure: Structure | undefined
  /** What is known of the tags of a BER-TLV field. */
  readonly tagRules: TagRules
  /** Characters or bytes of the value that the structure accounts for; what follows is covered. `Infinity`: all. */
  readonly known: number
}

/** Encodings of a dialect by kind of content. */
export interface EncodingDefaults {
  readonly digits: ValueEncoding
  readonly text: ValueEncoding
  readonly track: ValueEncoding
  readonly bytes: "binary" | "hex"
  readonly prefix: PrefixEncoding
  /** Where odd BCD digits are in fixed fields. */
  readonly align: BcdAlign
  /** The same in variable fields; `left` unless said otherwise. */
  readonly variableAlign?: BcdAlign
  readonly fill: number
  readonly fills?: ReadonlyArray<number>
}

const notation = /^(n|a|an|ans|ansb|ns|z|b|x\+n)(\.{0,6})(\d{1,6})$/

/** Bytes on the wire of a value of `units`. */
export const wireLength = (field: FieldLayout, units: number): number => {
  switch (field.encoding) {
    case "bcd":
      return field.content === "xn" && units > 0 ? 1 + bcdLength(units - 1) : bcdLength(units)
    case "hex":
      return 2 * units
    default:
      return units
  }
}

const prefixLength = (encoding: PrefixEncoding, digits: number): number => {
  if (encoding === "bcd") return bcdLength(digits)
  return encoding === "binary" ? [0, 1, 1, 2, 2, 3, 3][digits]! : digits
}

const encodingOf = (content: FieldContent, defaults: EncodingDefaults): ValueEncoding => {
  if (content === "b") return defaults.bytes
  if (content === "z") return defaults.track
  return content === "n" || content === "xn" ? defaults.digits : defaults.text
}

/** Zeros by the standards; F is how many hosts close an odd track or card number. */
const usualFills: ReadonlyArray<number> = [0, 15]

const isNibble = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 15

const fits = (content: FieldContent, encoding: ValueEncoding): boolean => {
  const forBytes = encoding === "binary" || encoding === "hex"
  if (content === "b") return forBytes
  return !forBytes && (encoding !== "bcd" || content === "n" || content === "z" || content === "xn")
}

/** Parts of private bitmaps are written like fields: what no field could be, no part can. */
const checkBitmaps = (structure: Structure, defaults: EncodingDefaults): void => {
  for (const [bit, { format, name, structure: inner }] of partsOf(structure)) {
    if (structure.style === "bitmap") fieldLayout(Number(bit), { format: format ?? "", name }, defaults)
    if (inner !== undefined) checkBitmaps(inner, defaults)
  }
}

const structureOf = (de: number, definition: FieldDefinition, defaults: EncodingDefaults): Structure | undefined => {
  const { structure, subfields } = definition
  if (structure === undefined && subfields === undefined) return undefined
  if (structure !== undefined && subfields !== undefined)
    throw new TypeError(`field ${de}: structure and subfields say the same thing; give one of them`)
  const given = structure ?? { style: "positional", parts: subfields ?? [] }
  const wrong = structureError(given)
  if (wrong !== undefined) throw new TypeError(`field ${de}: ${wrong}`)
  try {
    checkBitmaps(given, defaults)
  } catch (error) {
    throw new TypeError(`field ${de}: private bitmap, ${(error as Error).message}`)
  }
  return given
}

/** How a field is covered. A part of a private bitmap belongs to no edition: what holds it says how it is covered. */
const sensitivityOf = (
  de: number,
  definition: FieldDefinition,
  structure: Structure | undefined,
  edition: 0 | 1 | 2 | undefined
): Sensitivity => {
  const needed = sensitivityOfParts(structure)
  if (edition === undefined) return definition.sensitivity ?? needed
  const found = fieldSensitivity(edition, de, definition, needed, structure?.style)
  if ("rule" in found) throw new CoverInvalid(`field ${de}: ${found.rule}`)
  const isText = !definition.format.startsWith("b")
  return definition.sensitivity === undefined && found.sensitivity === "emv" && isText ? "hidden" : found.sensitivity
}

/**
 * Resolves a field's definition, `edition` that of the dialect. Throws a `TypeError` that names the field when the definition
 * makes no sense.
 */
export const fieldLayout = (
  de: number,
  definition: FieldDefinition,
  defaults: EncodingDefaults,
  edition?: 0 | 1 | 2
): FieldLayout => {
  const parts = notation.exec(definition.format)
  if (parts === null) throw new TypeError(`field ${de}: format expected, like n6, n..19, ans...999, b8 or x+n8`)
  const content = parts[1] === "x+n" ? "xn" : (parts[1] as FieldContent)
  const prefixDigits = parts[2]!.length
  const encoding = definition.encoding ?? encodingOf(content, defaults)
  if (!fits(content, encoding)) throw new TypeError(`field ${de}: ${encoding} cannot hold ${parts[1]}`)
  const fill = definition.fill ?? defaults.fill
  if (!isNibble(fill)) throw new TypeError(`field ${de}: fill must be 0..15`)
  const fills = definition.fills ?? defaults.fills ?? usualFills
  if (!fills.every(isNibble)) throw new TypeError(`field ${de}: fills must be nibbles 0..15`)
  const prefix = definition.prefix ?? defaults.prefix
  const structure = structureOf(de, definition, defaults)
  const sensitivity = sensitivityOf(de, definition, structure, edition)
  const layout = {
    de,
    format: definition.format,
    name: definition.name,
    nameZh: definition.nameZh ?? "",
    content,
    bytes: content === "b",
    units: Number(parts[3]) + (content === "xn" ? 1 : 0),
    fixed: -1,
    prefixDigits,
    prefixBytes: prefixLength(prefix, prefixDigits),
    prefix,
    countsBytes: definition.counts === "bytes",
    countMax: 0,
    encoding,
    align: definition.align ?? (prefixDigits > 0 ? (defaults.variableAlign ?? "left") : defaults.align),
    fill,
    fills: fills.reduce((mask, nibble) => mask | (1 << nibble), 1 << fill),
    sensitivity,
    structure: structure ?? (sensitivity === "emv" ? { style: "ber-tlv" as const } : undefined),
    tagRules: tagRulesOf(structure),
    known: knownBytes(structure)
  }
  const wireMax = wireLength(layout, layout.units)
  const countMax = layout.countsBytes ? wireMax : layout.units
  return prefixDigits > 0 ? { ...layout, countMax } : { ...layout, fixed: wireMax }
}
