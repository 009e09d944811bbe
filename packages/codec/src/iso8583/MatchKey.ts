/**
 * The key by which an answer finds its request: canonical ASCII of chosen fields, "|" between, absent fields empty. Equal
 * values give equal keys in every dialect: BCD and EBCDIC digits become ASCII, bytes become upper-case hex.
 */

import { hexDigit } from "../encoding/Hex.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { readText, unitsAt } from "./Value.ts"

const bar = 0x7c

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
    if (position > 0) out[to++] = bar
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
  if (field.encoding === "hex") {
    for (let byte = from; byte < end; byte++) out[at + byte - from] = upper(buffer[byte]!)
    return end - from
  }
  const text = readText(field, buffer, from, end, unitsAt(field, buffer, from, end - from))
  for (let index = 0; index < text.length; index++) out[at + index] = text.charCodeAt(index)
  return text.length
}

const upper = (code: number): number => (code >= 0x61 && code <= 0x66 ? code - 0x20 : code)
