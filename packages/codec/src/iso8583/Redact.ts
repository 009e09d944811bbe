/**
 * Copies a message with its card data covered, in the same length and still readable field by field: what may be journalled,
 * logged and shown (PCI DSS 4.0.1, 3.3.1 and 3.4.1). First the dialect's word: fields that it covers are covered, whole when
 * their inside cannot be read. Then the search: what may be seen is covered where it has the shape of a card number or a track.
 */
import { coverCardData, coverValueText, holdsTrack } from "../cover/CardData.ts"
import type { ByteKind } from "../cover/QuickLook.ts"
import { coverTlv } from "../tlv/TlvCover.ts"
import { redactTlv } from "../tlv/TlvRedaction.ts"
import { isUsualAmount2003 } from "../views/Amount.ts"
import { CoverStep, type Layout } from "./Dialect.ts"
import type { FieldLayout } from "./Field.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { readBytes, readText, unitsAt } from "./Value.ts"

/**
 * Writes the covered copy; returns its bytes. `found`, when given, becomes the list of the fields in which the search has covered
 * something: by the dialect they may be seen, so nobody expects a cover there.
 */
export const writeRedacted = (
  layout: Layout,
  index: MessageIndex,
  out: Buffer,
  at: number,
  found?: Array<number>
): number => {
  const { end, ends, start, starts, words } = index
  const shift = at - start
  index.buffer.copy(out, at, start, end)
  if (found !== undefined && found.length > 0) found.length = 0
  // Most messages carry few of the fields of a dialect: the bits that are set are asked, not all that could be.
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0) continue
    for (let bits = words[word]! & layout.sensitiveWords[word]!; bits !== 0; ) {
      const bit = Math.clz32(bits)
      bits &= ~(TOP_BIT >>> bit)
      const de = 32 * word + bit + 1
      const from = starts[de]! + shift
      const to = ends[de]! + shift
      const step = layout.coverSteps[de]!
      if (step === CoverStep.stars) cover(out, from, to, STAR)
      else if (step === CoverStep.number) coverNumber(out, from, to)
      else if (step === CoverStep.zeros) cover(out, from, to, 0)
      else coverField(layout.fields[de]!, out, from, to)
    }
    for (let bits = words[word]! & layout.searchedWords[word]!; bits !== 0; ) {
      const bit = Math.clz32(bits)
      bits &= ~(TOP_BIT >>> bit)
      const de = 32 * word + bit + 1
      if (coverFound(layout.fields[de]!, out, starts[de]! + shift, ends[de]! + shift)) found?.push(de)
    }
  }
  if (layout.searchedHeader.length > 0) coverHeader(layout, out, at)
  return end - start
}

/** The bit of the first field of a word. */
const TOP_BIT = 0x80000000

/** Searches the parts of the header at `start` that have room for a card number. */
export const coverHeader = ({ searchedHeader }: Layout, out: Uint8Array, start: number): void => {
  for (const { offset, bytes, form } of searchedHeader) {
    const kind = form === "bcd" ? "packed" : form === "text" || form === "digits" ? "text" : "bytes"
    coverCardData(out, start + offset, start + offset + bytes, kind)
  }
}

const STAR = 0x2a

/** A card number in ASCII: the same as `coverField` does, for the usual encoding. */
const coverNumber = (out: Uint8Array, from: number, to: number): void => {
  const length = to - from
  cover(out, length >= 13 ? from + 6 : from, length >= 8 ? to - 4 : to, STAR)
}

/** Fills a short range; a loop is several times cheaper than a call of `fill`. */
const cover = (out: Uint8Array, from: number, to: number, byte: number): void => {
  for (let at = from; at < to; at++) out[at] = byte
}

const coverField = (field: FieldLayout, out: Buffer, from: number, to: number): void => {
  if (field.sensitivity === "emv" && field.encoding === "binary") {
    if (coverTlv(out, from, to, field.tagRules)) return
    if (redactTlv(out, from, to, { rules: field.tagRules, pan: "cover" })) return
  }
  const units = unitsAt(field, out, from, to - from)
  const head = field.sensitivity === "pan" && units >= 13 ? 6 : 0
  const tail = field.sensitivity === "pan" && units >= 8 ? units - 4 : units
  if (field.content === "xn" && field.encoding === "bcd") coverDigits(field, out, from + 1, units - 1, 0, units - 1)
  else if (field.encoding === "bcd") coverDigits(field, out, from, units, head, tail)
  else if (field.encoding === "binary") cover(out, from, to, 0)
  else if (field.encoding === "hex") cover(out, from, to, 0x30)
  else cover(out, from + head, from + tail, asterisk(field))
}

/** The asterisk of the field's encoding. */
const asterisk = ({ encoding }: FieldLayout): number =>
  encoding !== "ascii" && encoding.startsWith("ebcdic") ? 0x5c : STAR

/**
 * Nibbles E in place of the digits [head, tail): there is no asterisk in packed decimal, and zeros would leave a number as it is
 * whose middle is zeros.
 */
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
    out[byte] = digit % 2 === 0 ? (out[byte]! & 0x0f) | 0xe0 : (out[byte]! & 0xf0) | 0x0e
  }
}

/** Where a number may be in the bytes of a field. Texts with raw bytes inside are no texts. */
const kindOf = ({ encoding, content }: FieldLayout): ByteKind => {
  if (encoding === "bcd") return "packed"
  return encoding === "binary" || content === "ansb" ? "bytes" : "text"
}

/**
 * Covers in a field that may be seen what is shaped like card data, and what follows the parts that the dialect knows;
 * true when there was any.
 */
export const coverFound = (field: FieldLayout, out: Buffer, from: number, to: number): boolean => {
  // Most fields have nothing inside that the dialect knows.
  if (field.structure === undefined && field.encoding !== "hex") return coverCardData(out, from, to, kindOf(field))
  if (isAmount(field) && isUsualAmount2003(readText(field, out, from, to, unitsAt(field, out, from, to - from))))
    return false
  // The whole is searched: of a number that reaches behind the known parts the beginning alone looks like none.
  const isFound =
    field.encoding === "hex" ? coverHex(field, out, from, to) : coverCardData(out, from, to, kindOf(field))
  return coverUnknown(field, out, from, to) || isFound
}

const coverUnknown = (field: FieldLayout, out: Buffer, from: number, to: number): boolean => {
  if (field.known === Number.POSITIVE_INFINITY) return false
  const units = unitsAt(field, out, from, to - from)
  if (units <= field.known) return false
  if (field.encoding === "bcd") coverDigits(field, out, from, units, field.known, units)
  else if (field.encoding === "hex") cover(out, from + 2 * field.known, to, 0x30)
  else if (field.bytes) cover(out, from + field.known, to, 0)
  else cover(out, from + field.known, to, asterisk(field))
  return true
}

/** Two hex digits a byte: the bytes are searched. */
const coverHex = (field: FieldLayout, out: Buffer, from: number, to: number): boolean => {
  const bytes = readBytes(field, out, from, to)
  if (bytes === undefined) return coverCardData(out, from, to, "text")
  if (!coverCardData(bytes, 0, bytes.length, "bytes")) return false
  out.write(Buffer.from(bytes).toString("hex").toUpperCase(), from, "latin1")
  return true
}

/** An amount of the 2003 edition has the size of a card number, and passes for one by its check digit one time in ten. */
const isAmount = ({ structure }: FieldLayout): boolean =>
  structure?.style === "positional" &&
  structure.parts[0]?.name === "currency" &&
  structure.parts[1]?.name === "exponent"

/** Whether a field's value holds a track: then it is kept nowhere, whatever the dialect says of the field. */
export const hasTrack = (field: FieldLayout, index: MessageIndex): boolean => {
  const { buffer } = index
  const from = index.from(field.de)
  const to = index.to(field.de)
  if (field.encoding !== "hex") return holdsTrack(buffer, from, to, kindOf(field))
  const bytes = readBytes(field, buffer, from, to)
  return bytes === undefined || holdsTrack(bytes, 0, bytes.length, "bytes")
}

/** A field's text as it may be shown; of packed digits stars take the place of what is covered. `field` may be seen. */
export const shownText = (field: FieldLayout, index: MessageIndex): string => {
  const from = index.from(field.de)
  const to = index.to(field.de)
  const units = unitsAt(field, index.buffer, from, to - from)
  if (field.encoding === "bcd") {
    const whole = readText(field, index.buffer, from, to, units)
    const text = isAmount(field) && isUsualAmount2003(whole) ? whole : coverValueText(whole)
    return text.slice(0, field.known) + "*".repeat(Math.max(0, text.length - field.known))
  }
  const copy = Buffer.from(index.buffer.subarray(from, to))
  coverFound(field, copy, 0, copy.length)
  return readText(field, copy, 0, copy.length, units)
}

/** Bytes as they may be shown: a copy. `known`: how many of them are understood. */
export const shownBytes = (bytes: Uint8Array, kind: ByteKind = "bytes", known = Number.POSITIVE_INFINITY): Buffer => {
  const copy = Buffer.from(bytes)
  coverCardData(copy, 0, copy.length, kind)
  return known < copy.length ? copy.fill(0, known) : copy
}

/**
 * The bytes of a field as its parts may show them: a copy. A card number may reach over several parts, so the whole is searched,
 * and not each of them; in BER-TLV each tag says what it holds.
 */
export const shownInside = (field: FieldLayout, bytes: Uint8Array): Buffer => {
  if (isAmount(field) && isUsualAmount2003(Buffer.from(bytes).toString("latin1"))) return Buffer.from(bytes)
  if (field.structure?.style !== "ber-tlv") return shownBytes(bytes, field.bytes ? "bytes" : "text")
  const copy = Buffer.from(bytes)
  redactTlv(copy, 0, copy.length, { rules: field.tagRules, pan: "cover" })
  return copy
}
