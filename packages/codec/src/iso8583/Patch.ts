/**
 * Copies an indexed message with changes applied. Bytes that are not changed stay identical; bitmaps, length prefixes and the
 * header's total length follow the changes. The index is of a message that `index` accepted.
 */
import { announceBitmaps, writeBitmaps } from "./Bitmap.ts"
import type { Layout } from "./Dialect.ts"
import { type FieldLayout, wireLength } from "./Field.ts"
import type { HeaderLayout } from "./Header.ts"
import { partBytes } from "./HeaderPart.ts"
import { turnHeader, writeTotal } from "./HeaderValues.ts"
import { writeMti } from "./Indexer.ts"
import { explain, fieldInvalid, fieldUnknown, headerInvalid, type MessageError, mtiInvalid } from "./MessageError.ts"
import type { MessageIndex } from "./MessageIndex.ts"
import { type PatchList, removed } from "./PatchList.ts"
import { canCount, contentRule, prefixMax, unitsOf, writePrefix, writeValue } from "./Value.ts"

/** A change that the dialect does not allow: a mistake of the program, which `checkPatches` would have shown. */
export class PatchInvalid extends Error {
  readonly error: MessageError
  constructor(error: MessageError) {
    super(`the change is not allowed: ${explain(error)}`)
    this.name = "PatchInvalid"
    this.error = error
  }
}

/** The rule that a value breaks when it is written to the field, if any. */
export const checkValue = (field: FieldLayout, value: string | Uint8Array): MessageError | undefined => {
  const units = unitsOf(field, value)
  if (typeof units !== "number") return fieldInvalid(field.de, -1, units)
  if (field.fixed >= 0 ? units !== field.units : units > field.units) return fieldInvalid(field.de, -1, "length")
  if (field.fixed < 0 && (prefixCount(field, units) > prefixMax(field) || !canCount(field, units)))
    return fieldInvalid(field.de, -1, "length")
  const rule = typeof value === "string" ? contentRule(field, value) : undefined
  return rule === undefined ? undefined : fieldInvalid(field.de, -1, rule)
}

/** What the prefix of a value of `units` says. */
export const prefixCount = (field: FieldLayout, units: number): number =>
  field.countsBytes ? wireLength(field, units) : units

/** The first change that the dialect does not allow, if any. For values that come from outside. */
export const checkPatches = (layout: Layout, patches: PatchList): MessageError | undefined => {
  if (patches.newMti > 9999) return mtiInvalid(-1, "length")
  for (let at = 0; at < patches.count; at++) {
    const field = layout.fields[patches.des[at]!]
    const value = patches.values[at]!
    if (value === removed) continue
    if (field === undefined) return fieldUnknown(patches.des[at]!, -1)
    const error = checkValue(field, value)
    if (error !== undefined) return error
  }
  for (let at = 0; at < patches.partCount; at++) {
    const part = layout.header?.byName[patches.parts[at]!]
    if (part === undefined) return headerInvalid(patches.parts[at]!, -1, "value")
    const value = patches.partValues[at]!
    const bytes = typeof value === "string" ? partBytes(part, value) : value
    if (bytes?.length !== part.bytes) return headerInvalid(part.name, part.offset, "length")
  }
  return undefined
}

/** Bytes that `writePatched` writes at most. */
export const patchedLength = (layout: Layout, index: MessageIndex, patches: PatchList): number => {
  let length = index.end - index.start
  if (patches.count > 0) length += layout.bitmapBytes * (layout.deMax / 64 - 1)
  for (let at = 0; at < patches.count; at++) {
    const value = patches.values[at]!
    if (value === removed) continue
    // Two bytes for each character or byte is the most that any encoding takes.
    length += (layout.fields[patches.des[at]!]?.prefixBytes ?? 0) + 2 * value.length + 1
  }
  return length
}

/** Writes the message with its changes; returns the bytes written. Throws `PatchInvalid`; `out` must have the room. */
export const writePatched = (
  layout: Layout,
  index: MessageIndex,
  patches: PatchList,
  out: Buffer,
  at: number
): number => {
  const length = sameSize(layout, index, patches)
    ? overwrite(layout, index, patches, out, at)
    : rebuild(layout, index, patches, out, at)
  if (patches.newMti >= 0) {
    if (patches.newMti > 9999) throw new PatchInvalid(mtiInvalid(-1, "length"))
    writeMti(layout, patches.newMti, out, at + index.body - index.start)
  }
  if (layout.header !== undefined) {
    // A header whose length was checked and has not changed is right. A reject's original has a header that nobody checked.
    const isRight = index.rejectCode === 0 && length === index.end - index.start
    if (!isRight || patches.answers || patches.partCount > 0) patchHeader(layout.header, patches, out, at, length)
  }
  return length
}

/** The message with its changes, in a new buffer. Throws `PatchInvalid`. */
export const patched = (layout: Layout, index: MessageIndex, patches: PatchList): Buffer => {
  const out = Buffer.alloc(patchedLength(layout, index, patches))
  return out.subarray(0, writePatched(layout, index, patches, out, 0))
}

/** Whether every change replaces a fixed field that is there. */
const sameSize = (layout: Layout, index: MessageIndex, patches: PatchList): boolean => {
  for (let change = 0; change < patches.count; change++) {
    const de = patches.des[change]!
    const field = layout.fields[de]
    if (field === undefined || field.fixed < 0 || !index.has(de) || patches.values[change] === removed) return false
  }
  return true
}

const overwrite = (layout: Layout, index: MessageIndex, patches: PatchList, out: Buffer, at: number): number => {
  index.buffer.copy(out, at, index.start, index.end)
  const shift = at - index.start
  for (let change = 0; change < patches.count; change++) {
    const de = patches.des[change]!
    const field = layout.fields[de]!
    const value = patches.values[change] as string | Uint8Array
    const to = index.starts[de]! + shift
    if (field.content !== "n" || typeof value !== "string" || value.length !== field.units || field.encoding === "gbk")
      writeChecked(field, value, out, to)
    else if (!writeDigits(field, value, out, to)) throw new PatchInvalid(checkValue(field, value)!)
  }
  return index.end - index.start
}

/** Writes the digits of a fixed field, as many as it has; false when one is no digit. The usual change: the STAN. */
const writeDigits = (field: FieldLayout, value: string, out: Buffer, at: number): boolean => {
  let wrong = 0
  if (field.encoding === "bcd") {
    const isOdd = value.length % 2 === 1
    let to = at
    let high = isOdd && field.align === "right" ? field.fill : -1
    for (let index = 0; index < value.length; index++) {
      const digit = value.charCodeAt(index) - 0x30
      wrong |= digit | (9 - digit)
      if (high < 0) high = digit & 15
      else {
        out[to++] = (high << 4) | (digit & 15)
        high = -1
      }
    }
    if (high >= 0) out[to] = (high << 4) | field.fill
    return wrong >= 0
  }
  const zero = field.encoding === "ascii" ? 0x30 : 0xf0
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - 0x30
    wrong |= digit | (9 - digit)
    out[at + index] = digit + zero
  }
  return wrong >= 0
}

/** Writes prefix and value behind a check; returns the bytes written. */
const writeField = (field: FieldLayout, value: string | Uint8Array, out: Buffer, at: number): number => {
  const units = unitsOf(field, value) as number
  if (field.fixed < 0) writePrefix(field, prefixCount(field, units), out, at)
  writeValue(field, value, out, at + field.prefixBytes)
  return field.prefixBytes + wireLength(field, units)
}

const writeChecked = (field: FieldLayout, value: string | Uint8Array, out: Buffer, at: number): number => {
  const error = checkValue(field, value)
  if (error !== undefined) throw new PatchInvalid(error)
  return writeField(field, value, out, at)
}

/** Bitmap words of the message being built; there is one thread and no call in between. */
const words = new Int32Array(6)

const rebuild = (layout: Layout, index: MessageIndex, patches: PatchList, out: Buffer, at: number): number => {
  words.set(index.words)
  for (let change = 0; change < patches.count; change++) {
    const de = patches.des[change]!
    const bit = 0x80000000 >>> ((de - 1) & 31)
    const word = (de - 1) >> 5
    if (patches.values[change] === removed) words[word] = words[word]! & ~bit
    else if (layout.fields[de] === undefined) throw new PatchInvalid(fieldUnknown(de, -1))
    else words[word] = words[word]! | bit
  }
  // A bitmap that was there without need stays while no change could have taken its last field.
  const high = patches.count > 0 ? patches.des[patches.count - 1]! : 0
  announceBitmaps(layout, words, index.words[0]! < 0 && high <= 64, index.hasThird && high <= 128)
  const { buffer } = index
  let to = at + buffer.copy(out, at, index.start, index.body + layout.mtiBytes)
  to = writeBitmaps(layout, words, out, to)
  let copied = index.fieldsFrom
  for (let change = 0; change < patches.count; change++) {
    const de = patches.des[change]!
    const before = offsetOf(layout, index, de)
    to += buffer.copy(out, to, copied, before)
    copied = index.has(de) && layout.fields[de] !== undefined ? index.ends[de]! : before
    const value = patches.values[change]!
    if (value !== removed) to += writeChecked(layout.fields[de]!, value, out, to)
  }
  to += buffer.copy(out, to, copied, index.end)
  return to - at
}

/** Offset at which the field begins, prefix included, or would be. */
const offsetOf = (layout: Layout, index: MessageIndex, de: number): number => {
  for (let next = de; next <= layout.deMax; next++) {
    if (index.has(next) && layout.fields[next] !== undefined)
      return index.starts[next]! - layout.fields[next]!.prefixBytes
  }
  return index.end
}

const patchHeader = (header: HeaderLayout, patches: PatchList, out: Buffer, at: number, length: number): void => {
  if (patches.answers) turnHeader(header, out, at)
  for (let change = 0; change < patches.partCount; change++) {
    const part = header.byName[patches.parts[change]!]
    const value = patches.partValues[change]!
    const bytes = part === undefined ? undefined : typeof value === "string" ? partBytes(part, value) : value
    if (part === undefined || bytes?.length !== part.bytes)
      throw new PatchInvalid(headerInvalid(patches.parts[change]!, part?.offset ?? -1, "length"))
    out.set(bytes, at + part.offset)
  }
  const { total } = header
  if (!writeTotal(header, length, out, at)) throw new PatchInvalid(headerInvalid(total!.name, total!.offset, "length"))
}
