/**
 * The key by which an answer finds its request: canonical ASCII of chosen fields, "|" between, absent fields empty. Equal
 * values give equal keys in every dialect: BCD and EBCDIC digits become ASCII, bytes become upper-case hex.
 */
import { bcdCode } from "../encoding/Bcd.ts"
import { cp037, cp1047 } from "../encoding/Ebcdic.ts"
import { hexDigit } from "../encoding/Hex.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { readText, unitsAt } from "./Value.ts"

const BAR = 0x7c

/** Writes the key; returns its bytes. Room for twice the fields' wire lengths plus one a field is always enough. */
export const writeMatchKey = (
  layout: Layout,
  index: MessageIndex,
  des: ReadonlyArray<number>,
  out: Buffer,
  at: number
): number => {
  let to = at
  for (let position = 0; position < des.length; position++) {
    if (position > 0) out[to++] = BAR
    const de = des[position]!
    if (!index.has(de)) continue
    const field = layout.fields[de]!
    const from = index.starts[de]!
    const end = index.ends[de]!
    // GBK bytes are their own canonical form, like ASCII.
    if (field.encoding === "ascii" || field.encoding === "gbk") {
      const { buffer } = index
      for (let byte = from; byte < end; byte++) out[to++] = buffer[byte]!
    } else to += writeCanonical(field, index.buffer, from, end, out, to)
  }
  return to - at
}

const writeCanonical = (
  field: FieldLayout,
  buffer: Buffer,
  from: number,
  end: number,
  out: Buffer,
  at: number
): number => {
  if (field.encoding === "binary") {
    for (let byte = from; byte < end; byte++) {
      out[at + 2 * (byte - from)] = hexDigit[buffer[byte]! >> 4]!
      out[at + 2 * (byte - from) + 1] = hexDigit[buffer[byte]! & 15]!
    }
    return 2 * (end - from)
  }
  if (field.encoding === "ebcdic" || field.encoding === "ebcdic1047") {
    const { toLatin1 } = field.encoding === "ebcdic" ? cp037 : cp1047
    for (let byte = from; byte < end; byte++) out[at + byte - from] = toLatin1[buffer[byte]!]!
    return end - from
  }
  if (field.encoding === "hex") {
    for (let byte = from; byte < end; byte++) out[at + byte - from] = upper(buffer[byte]!)
    return end - from
  }
  const units = unitsAt(field, buffer, from, end - from)
  if (field.encoding === "bcd" && field.content !== "xn") {
    const skip = units % 2 === 1 && field.align === "right" ? 1 : 0
    for (let digit = 0; digit < units; digit++) {
      const byte = buffer[from + ((digit + skip) >> 1)]!
      out[at + digit] = bcdCode[(digit + skip) % 2 === 0 ? byte >> 4 : byte & 15]!
    }
    return units
  }
  const text = readText(field, buffer, from, end, units)
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index)
  return text.length
}

const upper = (code: number): number => (code >= 0x61 && code <= 0x66 ? code - 0x20 : code)
