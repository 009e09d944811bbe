/**
 * Where the parts of one message are, found without decoding a field. An index is made once and filled again and again by
 * `codec.index`: nothing is allocated for a message. It points into the buffer that it was filled from; it is valid until
 * that buffer changes or the index is filled again.
 */
import { readDecimal } from "../encoding/Digits.ts"
import { latin1 } from "../encoding/Latin1.ts"
import type { Layout } from "./Dialect.ts"
import { readText, unitsAt } from "./Value.ts"

const empty = Buffer.alloc(0)

/** Offsets of one message; see the module header. */
export class MessageIndex {
  buffer: Buffer = empty
  /** The whole message, its dialect header included; of a reject, the original message inside. */
  start = 0
  end = 0
  /** Offset of the MTI. */
  body = 0
  /** Message type as a number: 200 for "0200". */
  mti = 0
  /** Number that the header's reject part holds (CUPS field 10); 0: normal. Else the index is of the original inside. */
  rejectCode = 0

  /** The layout that filled it. For the codec's own use, like all names below. */
  layout: Layout | undefined
  /** Offset behind the bitmaps. */
  fieldsFrom = 0
  /** Bitmap bits, 32 a word, field 1 in the highest bit of the first; bit 1 included, 65 only where it is a field. */
  readonly words = new Int32Array(6)
  /** Whether bit 65 announced a third bitmap. Only said for dialects that have one. */
  hasThird = false
  readonly starts = new Int32Array(193)
  readonly ends = new Int32Array(193)

  /** Whether the message carries the field. Bits that announce a bitmap are no fields. */
  has(de: number): boolean {
    return de > 1 && de <= 192 && ((this.words[(de - 1) >> 5]! >>> (31 - ((de - 1) & 31))) & 1) === 1
  }

  /** Offset of the value's first byte, behind its length prefix. Only for a field that is there. */
  from(de: number): number {
    return this.starts[de]!
  }

  /** Offset behind the value's last byte. */
  to(de: number): number {
    return this.ends[de]!
  }

  /** Bytes of the value on the wire. */
  length(de: number): number {
    return this.ends[de]! - this.starts[de]!
  }

  /** Text of a text field, content not checked; of a b field its bytes as Latin-1. "" when the field is not there. */
  text(de: number): string {
    const field = this.layout?.fields[de]
    if (field === undefined || !this.has(de)) return ""
    const from = this.starts[de]!
    const to = this.ends[de]!
    if (field.encoding === "ascii") return shortText(this.buffer, from, to)
    return readText(field, this.buffer, from, to, unitsAt(field, this.buffer, from, to - from))
  }

  /** Decimal value of an n field (at most 15 digits are exact); NaN when it is not there or holds something else. */
  number(de: number): number {
    if (!this.has(de)) return Number.NaN
    const field = this.layout?.fields[de]
    if (field?.encoding !== "ascii") return Number(/^\d+$/.test(this.text(de)) ? this.text(de) : Number.NaN)
    const value = readDecimal(this.buffer, this.starts[de]!, this.ends[de]!)
    return value < 0 ? Number.NaN : value
  }

  /** Bytes of the value on the wire, as a view. */
  bytes(de: number): Buffer {
    return this.has(de) ? this.buffer.subarray(this.starts[de]!, this.ends[de]!) : empty
  }
}

/** A short text is built from its codes: cheaper than a call into C++, and it does not keep a longer string alive. */
const shortText = (buffer: Buffer, from: number, to: number): string => {
  if (to - from === 2) return pairText(buffer[from]!, buffer[from + 1]!)
  if (to - from > 12) return latin1(buffer, from, to)
  let text = ""
  for (let at = from; at < to; at++) text += String.fromCharCode(buffer[at]!)
  return text
}

/** Texts of two printable characters: a message's codes are such, few, and asked for in every message. */
const pairs: Array<string | undefined> = new Array(95 * 95)

const pairText = (one: number, two: number): string => {
  if (one < 0x20 || one > 0x7e || two < 0x20 || two > 0x7e) return String.fromCharCode(one, two)
  const at = (one - 0x20) * 95 + two - 0x20
  pairs[at] ??= String.fromCharCode(one, two)
  return pairs[at]
}
