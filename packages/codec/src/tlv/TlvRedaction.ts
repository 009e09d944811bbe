/**
 * Covers the sensitive values of BER-TLV bytes in place, for logs, consoles and evidence: lengths and structure stay, so
 * that the field can still be read. Also takes sensitive authentication data out of a field that is to be kept.
 *
 * What is not understood is covered: unknown tags, broken elements and everything behind them, levels below `tlvDepthMax`.
 */
import { decodeTlv, encodeTlv, type TlvItem, tlvDepthMax } from "./BerTlv.ts"
import { type EmvTag, emvTags } from "./EmvTags.ts"
import { isTlv, TlvCursor } from "./TlvCursor.ts"
import { isTlvInvalid, type TlvInvalid } from "./TlvError.ts"

/** What happens to values of tags that `emvTags` does not know: `cover` (default) or, in closed tests, `show`. */
export interface RedactionOptions {
  readonly unknown?: "cover" | "show"
}

const byNumber: ReadonlyMap<number, EmvTag> = new Map(
  [...emvTags.values()].map((tag) => [Number.parseInt(tag.tag, 16), tag])
)

const panTag = 0x5a

const asterisk = 0x2a

/** PAN digits shown: the first 6 and the last 4, as PCI DSS 3.4.1 allows for every card number length. */
const panShown = { first: 6, last: 4 } as const

const nibbleOf = (bytes: Uint8Array, from: number, index: number): number =>
  index % 2 === 0 ? bytes[from + (index >> 1)]! >>> 4 : bytes[from + (index >> 1)]! & 0x0f

/** Sets the digits between the first 6 and the last 4 to zero; all of them when the PAN is shorter than 13 digits. */
const coverPan = (bytes: Uint8Array, from: number, to: number): void => {
  const nibbles = 2 * (to - from)
  let digits = 0
  while (digits < nibbles && nibbleOf(bytes, from, digits) <= 9) digits++
  let isPadded = true
  for (let i = digits; i < nibbles; i++) if (nibbleOf(bytes, from, i) !== 0xf) isPadded = false
  if (!isPadded || digits < 13) {
    bytes.fill(0, from, to)
    return
  }
  for (let i = panShown.first; i < digits - panShown.last; i++) {
    const at = from + (i >> 1)
    bytes[at] = i % 2 === 0 ? bytes[at]! & 0x0f : bytes[at]! & 0xf0
  }
}

const coverValue = (bytes: Uint8Array, cursor: TlvCursor, unknown: "cover" | "show"): void => {
  const known = byNumber.get(cursor.tag)
  if (known === undefined ? unknown === "show" : known.sensitivity === "none") return
  if (cursor.tag === panTag) {
    coverPan(bytes, cursor.valueFrom, cursor.valueTo)
    return
  }
  const isText = known !== undefined && (known.format === "an" || known.format === "ans")
  bytes.fill(isText ? asterisk : 0, cursor.valueFrom, cursor.valueTo)
}

const redactLevel = (
  bytes: Uint8Array,
  from: number,
  to: number,
  unknown: "cover" | "show",
  depth: number
): boolean => {
  const cursor = new TlvCursor(bytes, from, to)
  while (cursor.next()) {
    if (!cursor.isConstructed || byNumber.get(cursor.tag)?.sensitivity === "sad") {
      coverValue(bytes, cursor, unknown)
    } else if (depth < tlvDepthMax && isTlv(bytes, cursor.valueFrom, cursor.valueTo)) {
      redactLevel(bytes, cursor.valueFrom, cursor.valueTo, unknown, depth + 1)
    } else {
      bytes.fill(0, cursor.valueFrom, cursor.valueTo)
    }
  }
  if (cursor.rule === undefined) return true
  bytes.fill(0, cursor.tagFrom, to)
  return false
}

/**
 * Covers the sensitive values of `bytes[from..to)` in place: PAN (5A) to its first 6 and last 4 digits, other sensitive
 * text to asterisks, other sensitive bytes to zeros. Give it a copy, never the message that is to be sent.
 *
 * False when the bytes are not whole BER-TLV; then everything from the fault on has been covered too. Allocates nothing per
 * element.
 */
export const redactTlv = (bytes: Uint8Array, from: number, to: number, options: RedactionOptions = {}): boolean =>
  redactLevel(bytes, from, to, options.unknown ?? "cover", 1)

const withoutSad = (items: ReadonlyArray<TlvItem>): ReadonlyArray<TlvItem> =>
  items
    .filter((item) => item._tag === "Padding" || emvTags.get(item.tag)?.sensitivity !== "sad")
    .map((item) => (item._tag === "Constructed" ? { ...item, children: withoutSad(item.children) } : item))

/**
 * The field without its sensitive authentication data (tracks, PIN), for keeping: other elements stay byte for byte. Unknown
 * tags stay, because an answer to a repeat may need them. On `TlvInvalid` keep nothing of the field.
 */
export const withoutSadTlv = (bytes: Uint8Array): Buffer | TlvInvalid => {
  const items = decodeTlv(bytes)
  return isTlvInvalid(items) ? items : encodeTlv(withoutSad(items))
}
