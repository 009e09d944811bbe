/**
 * Copies a message with its card data covered, in the same length and still readable field by field: what may be journalled,
 * logged and shown (PCI DSS 4.0.1 3.3.1, 3.4.1; domain.md 3.9). The whole field is covered when its inside cannot be read.
 */
import { emvTags, type TlvSensitivity } from "../tlv/EmvTags.ts"
import type { Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { unitsAt } from "./Value.ts"

const tagsWith = (...covers: ReadonlyArray<TlvSensitivity>): ReadonlySet<number> =>
  new Set(
    [...emvTags.values()]
      .filter(({ sensitivity }) => covers.includes(sensitivity))
      .map(({ tag }) => Number.parseInt(tag, 16))
  )

/** Tags of F55 that hold card data, by the table of EMV tags: tracks, PAN, names, PIN (domain.md 3.9). */
export const coveredTags: ReadonlySet<number> = tagsWith("pan", "sad")

/** Tags of F55 that are sensitive authentication data: the tracks and their parts, PIN data. */
export const authenticationTags: ReadonlySet<number> = tagsWith("sad")

/** Constructed tags inside each other; EMV needs three. */
const depthMax = 16

/** Writes the covered copy; returns its bytes. */
export const writeRedacted = (layout: Layout, index: MessageIndex, out: Buffer, at: number): number => {
  const length = index.buffer.copy(out, at, index.start, index.end)
  for (const field of layout.sensitive) {
    if (!index.has(field.de)) continue
    const shift = at - index.start
    coverField(field, out, index.starts[field.de]! + shift, index.ends[field.de]! + shift)
  }
  return length
}

/** Fills a short range; a loop is several times cheaper than a call of `fill`. */
const cover = (out: Uint8Array, from: number, to: number, byte: number): void => {
  for (let at = from; at < to; at++) out[at] = byte
}

const coverField = (field: FieldLayout, out: Buffer, from: number, to: number): void => {
  if (field.sensitivity === "emv" && field.encoding === "binary" && coverTags(out, from, to, coveredTags)) return
  const units = unitsAt(field, out, from, to - from)
  const head = field.sensitivity === "pan" && units >= 13 ? 6 : 0
  const tail = field.sensitivity === "pan" && units >= 8 ? units - 4 : units
  if (field.content === "xn" && field.encoding === "bcd") coverDigits(field, out, from + 1, units - 1, 0, units - 1)
  else if (field.encoding === "bcd") coverDigits(field, out, from, units, head, tail)
  else if (field.encoding === "binary") cover(out, from, to, 0)
  else if (field.encoding === "hex") cover(out, from, to, 0x30)
  else cover(out, from + head, from + tail, field.encoding.startsWith("ebcdic") ? 0x5c : 0x2a)
}

/** Zero nibbles in place of the digits [head, tail): there is no asterisk in packed decimal. */
const coverDigits = (
  field: FieldLayout,
  out: Buffer,
  from: number,
  units: number,
  head: number,
  tail: number
): void => {
  const skip = units % 2 === 1 && field.align === "right" ? 1 : 0
  for (let digit = head + skip; digit < tail + skip; digit++) {
    const byte = from + (digit >> 1)
    out[byte] = digit % 2 === 0 ? out[byte]! & 0x0f : out[byte]! & 0xf0
  }
}

/**
 * Zeroes the values of the given tags in BER-TLV data, constructed tags included; false when it is not well formed (then
 * nothing is said about what was zeroed) or is nested more than 16 deep.
 */
export const coverTags = (out: Uint8Array, from: number, to: number, tags: ReadonlySet<number>, depth = 0): boolean => {
  if (depth > depthMax) return false
  let at = from
  while (at < to) {
    const first = out[at]!
    // Zero bytes between and behind the tags are filling (EMV book 3, annex B1).
    if (first === 0) {
      at++
      continue
    }
    let tag = first
    at++
    if ((first & 31) === 31) {
      do {
        if (at >= to) return false
        tag = tag * 256 + out[at]!
      } while ((out[at++]! & 128) !== 0)
    }
    if (at >= to) return false
    let length = out[at++]!
    if (length > 127) {
      const bytes = length & 127
      if (bytes === 0 || bytes > 2 || at + bytes > to) return false
      length = bytes === 1 ? out[at]! : out[at]! * 256 + out[at + 1]!
      at += bytes
    }
    if (at + length > to) return false
    if (tags.has(tag)) cover(out, at, at + length, 0)
    else if ((first & 32) !== 0 && !coverTags(out, at, at + length, tags, depth + 1)) return false
    at += length
  }
  return true
}
