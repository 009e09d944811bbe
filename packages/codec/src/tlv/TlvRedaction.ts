/**
 * Covers the sensitive values of BER-TLV bytes in place, for journals, logs, consoles and evidence: lengths and structure stay,
 * so that the field can still be read. Also takes out of a field that is to be kept what must not be.
 *
 * One rule for what is not understood, everywhere: it is covered, and it is not kept. Not understood are unknown tags at every
 * level, broken elements and everything behind them, and levels below `TLV_DEPTH_MAX`. What is shown is searched for card numbers
 * and tracks besides.
 */
import { coverCardData, holdsTrack } from "../cover/CardData.ts"
import { decodeTlv, encodeTlv, TLV_DEPTH_MAX, type TlvElement, type TlvItem } from "./BerTlv.ts"
import { type EmvFormat, emvTags, type TlvSensitivity } from "./EmvTags.ts"
import { isTlv, TlvCursor } from "./TlvCursor.ts"
import { isTlvInvalid, type TlvInvalid } from "./TlvError.ts"

/** What is known of a tag, as far as covering needs it. */
export interface TagRule {
  readonly sensitivity: TlvSensitivity
  readonly format: EmvFormat
}

/** Rules by tag, its bytes as one number: 0x9f26. A tag that is not there is unknown. */
export type TagRules = ReadonlyMap<number, TagRule>

/** How to cover. */
export interface RedactionOptions {
  /** What happens to values of unknown tags: `cover` (default) or, in closed tests, `show`. */
  readonly unknown?: "cover" | "show"
  /** Whether the card number (5A) shows its first 6 and last 4 digits (`mask`, default) or nothing (`cover`). */
  readonly pan?: "mask" | "cover"
  /** The known tags; `emvTagRules` when left out. */
  readonly rules?: TagRules
}

/** The EMV tags of `emvTags`. */
export const emvTagRules: TagRules = new Map([...emvTags.values()].map((tag) => [Number.parseInt(tag.tag, 16), tag]))

const PAN_TAG = 0x5a

const ASTERISK = 0x2a

/** PAN digits shown: the first 6 and the last 4, as PCI DSS 3.4.1 allows for every card number length. */
const panShown = { first: 6, last: 4 } as const

const nibbleOf = (bytes: Uint8Array, from: number, index: number): number =>
  index % 2 === 0 ? bytes[from + (index >> 1)]! >>> 4 : bytes[from + (index >> 1)]! & 0x0f

/** Fills a short range; a loop is several times cheaper than a call of `fill`. */
const fill = (bytes: Uint8Array, byte: number, from: number, to: number): void => {
  for (let at = from; at < to; at++) bytes[at] = byte
}

/** Sets the digits between the first 6 and the last 4 to zero; all of them when the PAN is shorter than 13 digits. */
const coverPan = (bytes: Uint8Array, from: number, to: number): void => {
  const nibbles = 2 * (to - from)
  let digits = 0
  while (digits < nibbles && nibbleOf(bytes, from, digits) <= 9) digits++
  let isPadded = true
  for (let i = digits; i < nibbles; i++) if (nibbleOf(bytes, from, i) !== 0xf) isPadded = false
  if (!isPadded || digits < 13) {
    fill(bytes, 0, from, to)
    return
  }
  for (let i = panShown.first; i < digits - panShown.last; i++) {
    const at = from + (i >> 1)
    bytes[at] = i % 2 === 0 ? bytes[at]! & 0x0f : bytes[at]! & 0xf0
  }
}

const isText = (format: EmvFormat): boolean => format === "an" || format === "ans"

/** Shortest value that may hold a card number: 6 bytes of 12 packed digits and a separator behind them. */
const SCANNED_MIN = 6

const coverValue = (bytes: Uint8Array, { tag, valueFrom, valueTo }: TlvCursor, rule: TagRule, masks: boolean): void => {
  if (rule.sensitivity === "none") {
    if (valueTo - valueFrom > SCANNED_MIN)
      coverCardData(bytes, valueFrom, valueTo, isText(rule.format) ? "text" : "bytes")
  } else if (tag === PAN_TAG && masks) coverPan(bytes, valueFrom, valueTo)
  else fill(bytes, isText(rule.format) ? ASTERISK : 0, valueFrom, valueTo)
}

const shownRule: TagRule = { sensitivity: "none", format: "b" }
const coveredRule: TagRule = { sensitivity: "sad", format: "b" }

const redactLevel = (
  bytes: Uint8Array,
  from: number,
  to: number,
  options: RedactionOptions,
  depth: number
): boolean => {
  const { rules = emvTagRules, unknown, pan } = options
  const cursor = new TlvCursor(bytes, from, to)
  while (cursor.next()) {
    const rule = rules.get(cursor.tag)
    if (!cursor.isConstructed || (rule !== undefined && rule.sensitivity !== "none"))
      coverValue(bytes, cursor, rule ?? (unknown === "show" ? shownRule : coveredRule), pan !== "cover")
    else if (depth < TLV_DEPTH_MAX && isTlv(bytes, cursor.valueFrom, cursor.valueTo))
      redactLevel(bytes, cursor.valueFrom, cursor.valueTo, options, depth + 1)
    else fill(bytes, 0, cursor.valueFrom, cursor.valueTo)
  }
  if (cursor.rule === undefined) return true
  fill(bytes, 0, cursor.tagFrom, to)
  return false
}

/**
 * Covers the sensitive values of `bytes[from..to)` in place: PAN (5A) to its first 6 and last 4 digits, other sensitive
 * text to asterisks, other sensitive bytes and unknown tags to zeros. Give it a copy, never the message that is to be sent.
 *
 * False when the bytes are not whole BER-TLV; then everything from the fault on has been covered too. Allocates one object a
 * level.
 */
export const redactTlv = (bytes: Uint8Array, from: number, to: number, options: RedactionOptions = {}): boolean =>
  redactLevel(bytes, from, to, options, 1)

type Stays = ReadonlySet<TlvSensitivity>

const maybeTrack = (bytes: Uint8Array, from: number, to: number, { format }: TagRule): boolean =>
  holdsTrack(bytes, from, to, isText(format) ? "text" : "bytes")

/** What stays of an element whose sensitivity is in `stays`. */
const keptItem = (item: TlvElement, rules: TagRules, stays: Stays): ReadonlyArray<TlvItem> => {
  const rule = rules.get(Number.parseInt(item.tag, 16))
  if (rule !== undefined && !stays.has(rule.sensitivity)) return []
  if (item._tag === "Constructed") return [{ ...item, children: kept(item.children, rules, stays) }]
  if (rule === undefined) return []
  // A template whose value is no TLV is not understood.
  const isTemplate = (Number.parseInt(item.tag.slice(0, 2), 16) & 0x20) !== 0 && item.value.length > 0
  return isTemplate || maybeTrack(item.value, 0, item.value.length, rule) ? [] : [item]
}

const kept = (items: ReadonlyArray<TlvItem>, rules: TagRules, stays: Stays): ReadonlyArray<TlvItem> =>
  items.flatMap((item) => (item._tag === "Padding" ? [item] : keptItem(item, rules, stays)))

/** The usual value has no templates: what stays of it is copied. `undefined`: it has some, or cannot be read to its end. */
const keptFlat = (bytes: Uint8Array, rules: TagRules, stays: Stays): Buffer | undefined => {
  const out = Buffer.allocUnsafe(bytes.length)
  const cursor = new TlvCursor(bytes, 0, bytes.length)
  let length = 0
  const copy = (from: number, to: number): void => {
    for (let at = from; at < to; at++) out[length++] = bytes[at]!
  }
  let read = 0
  while (cursor.next()) {
    const { isConstructed, tag, tagFrom, valueFrom, valueTo } = cursor
    if (isConstructed) return undefined
    copy(read, tagFrom)
    const rule = rules.get(tag)
    const isKept = rule !== undefined && stays.has(rule.sensitivity)
    if (isKept && !maybeTrack(bytes, valueFrom, valueTo, rule)) copy(tagFrom, valueTo)
    read = valueTo
  }
  if (cursor.rule !== undefined) return undefined
  copy(read, bytes.length)
  return out.subarray(0, length)
}

const keptTlv = (bytes: Uint8Array, rules: TagRules, stays: Stays): Buffer | TlvInvalid => {
  const flat = keptFlat(bytes, rules, stays)
  if (flat !== undefined) return flat
  const items = decodeTlv(bytes)
  return isTlvInvalid(items) ? items : encodeTlv(kept(items, rules, stays))
}

/**
 * The field without its sensitive authentication data (tracks, PIN) and without unknown tags, for keeping: other elements stay
 * byte for byte. On `TlvInvalid` keep nothing of the field.
 */
export const withoutSadTlv = (bytes: Uint8Array, rules: TagRules = emvTagRules): Buffer | TlvInvalid =>
  keptTlv(bytes, rules, new Set(["none", "pan"]))

/** The field without everything that `redactTlv` covers by its tag: of a covered copy, what is left of the message. */
export const openTlv = (bytes: Uint8Array, rules: TagRules = emvTagRules): Buffer | TlvInvalid =>
  keptTlv(bytes, rules, new Set(["none"]))
