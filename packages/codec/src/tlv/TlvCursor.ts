/**
 * Steps over BER-TLV elements of one level without copying anything: the reader under `BerTlv.ts` and `TlvRedaction.ts`.
 *
 * Rules (ISO/IEC 8825-1 as EMV book 3, annex B, narrows it): definite lengths only; bytes 00 and FF in front of, between and
 * behind elements are padding (ISO/IEC 7816-4, 5.2.2). FF may also begin a private tag (FF8106), and then some bytes have two
 * readings: `beginsElement` says which is taken. One pass, no allocation per element, never reads outside its region.
 */
import { emvTags } from "./EmvTags.ts"
import type { TlvRule } from "./TlvError.ts"

/** Most bytes of a tag that are read. EMV uses up to 3. */
export const TLV_TAG_LENGTH_MAX = 4

/** Templates inside each other that begin with FF and are tried; deeper ones are taken for padding. */
const NESTED_MAX = 8

/** Bytes that a known tag has at least and at most. */
const lengths: ReadonlyMap<number, readonly [number, number]> = new Map(
  [...emvTags.values()].map(({ lengthMax, lengthMin, tag }) => [Number.parseInt(tag, 16), [lengthMin, lengthMax]])
)

/** A position on one level of BER-TLV bytes. */
export class TlvCursor {
  /** The current element's tag, its bytes as one unsigned number: 0x9f26. */
  tag = 0
  isConstructed = false
  /** Where the current element (its tag), its length field and its value begin, and where its value ends. */
  tagFrom = 0
  lengthFrom = 0
  valueFrom = 0
  valueTo: number
  /** What stopped the cursor, if it was not the end; at `tagFrom` in the bytes. */
  rule: TlvRule | undefined = undefined

  private readonly bytes: Uint8Array
  private readonly end: number

  private readonly nested: number

  /** Starts before the first element of `bytes[from..to)`. `nested`: how many templates that begin with FF are being tried. */
  constructor(bytes: Uint8Array, from: number, to: number, nested = 0) {
    this.bytes = bytes
    this.nested = nested
    this.valueTo = from
    this.end = to
  }

  /**
   * Moves to the next element; false at the end or when `rule` says why not. Padding before the element, or before the end,
   * lies from the old `valueTo` to the new `tagFrom`.
   */
  next(): boolean {
    let at = this.valueTo
    while (at < this.end && (this.bytes[at] === 0 || (this.bytes[at] === 0xff && !this.beginsElement(at)))) at++
    this.tagFrom = at
    return at < this.end && this.read(at)
  }

  /** Reads the element that begins at `from`. */
  private read(from: number): boolean {
    this.tagFrom = from
    const at = this.readTag(from)
    if (at < 0) return false
    this.lengthFrom = at
    return this.readLength(at)
  }

  /**
   * Whether the FF at `at` begins an element and is no padding: one of the tags FF00 to FF1E that UnionPay terminals put in
   * front of texts (BER writes no tag so), or a template of elements. It is padding where a known tag of its own length is behind
   * it (FF 95 05 and five bytes, which also read as an empty FF9505), or where an empty template would leave a broken rest.
   */
  private beginsElement(at: number): boolean {
    const one = this.cursorAt(at)
    if (one.nested > NESTED_MAX || !one.read(at)) return false
    if (this.bytes[at + 1]! < 0x1f) return one.valueTo > one.valueFrom && one.valueFrom - at === 3
    if (this.isPadding(at, one)) return false
    return isTlv(this.bytes, one.valueFrom, one.valueTo, one.nested)
  }

  /** Whether what follows the FF at `at` rather is an element without it; `one` is the element that begins with it. */
  private isPadding(at: number, one: TlvCursor): boolean {
    const behind = this.cursorAt(this.elementFrom(at))
    if (behind.tagFrom >= this.end || !behind.read(behind.tagFrom)) return false
    const [min, max] = lengths.get(behind.tag) ?? [1, 0]
    const length = behind.valueTo - behind.valueFrom
    if (length >= min && length <= max) return true
    if (one.valueTo > one.valueFrom) return false
    const rest = this.elementFrom(one.valueTo)
    return rest < this.end && !this.cursorAt(rest).read(rest)
  }

  /** The first byte from `at` on that is neither 00 nor FF, or the end. */
  private elementFrom(at: number): number {
    let from = at
    while (from < this.end && (this.bytes[from] === 0 || this.bytes[from] === 0xff)) from++
    return from
  }

  private cursorAt(at: number): TlvCursor {
    const cursor = new TlvCursor(this.bytes, at, this.end, this.nested + 1)
    cursor.tagFrom = at
    return cursor
  }

  private stop(rule: TlvRule): false {
    this.rule = rule
    return false
  }

  /** The position behind the tag, or -1. */
  private readTag(at: number): number {
    let byte = this.bytes[at++]!
    this.tag = byte
    this.isConstructed = (byte & 0x20) !== 0
    if ((byte & 0x1f) !== 0x1f) return at
    do {
      if (at >= this.end) {
        this.stop("tag-truncated")
        return -1
      }
      if (at - this.tagFrom >= TLV_TAG_LENGTH_MAX) {
        this.stop("tag-too-long")
        return -1
      }
      byte = this.bytes[at++]!
      this.tag = ((this.tag << 8) | byte) >>> 0
    } while ((byte & 0x80) !== 0)
    return at
  }

  private readLength(from: number): boolean {
    let at = from
    if (at >= this.end) return this.stop("length-truncated")
    let length = this.bytes[at++]!
    if (length === 0x80) return this.stop("length-indefinite")
    if (length > 0x80) {
      const count = length - 0x80
      if (count > 4) return this.stop("length-too-long")
      if (at + count > this.end) return this.stop("length-truncated")
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + this.bytes[at++]!
    }
    if (length > this.end - at) return this.stop("value-truncated")
    this.valueFrom = at
    this.valueTo = at + length
    return true
  }
}

/** True when `bytes[from..to)` is a whole number of elements and padding. */
export const isTlv = (bytes: Uint8Array, from: number, to: number, nested = 0): boolean => {
  const cursor = new TlvCursor(bytes, from, to, nested)
  while (cursor.next()) {}
  return cursor.rule === undefined
}
