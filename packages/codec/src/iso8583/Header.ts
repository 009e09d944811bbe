/**
 * Headers that stand in front of the MTI and belong to the message (not to the frame), as data: the 46 bytes of the CUPS
 * centre, TPDU + 6 of UnionPay terminals, TPDU alone. Parts are read and written as text or hex of their own length; a part
 * is opaque unless the format says what it is for.
 */

import { readDecimal, writeNumber } from "../encoding/Digits.ts"
import { fromHex, hexValue, toHex } from "../encoding/Hex.ts"
import { latin1 } from "../encoding/Latin1.ts"
import { headerInvalid, type MessageError, type Rule, tooShort } from "./MessageError.ts"

/** One part of a header. */
export interface HeaderPart {
  readonly name: string
  /** From the header's first byte. */
  readonly offset: number
  readonly bytes: number
  /** `text`: ASCII, filled with spaces to the right. `hex`: bytes, shown as hex digits. */
  readonly form: "text" | "hex"
  /** Written when a message does not say; checked when reading if `fixed`. */
  readonly value: string
  readonly fixed?: boolean
}

/** A header as data. */
export interface HeaderFormat {
  readonly name: string
  readonly bytes: number
  readonly parts: ReadonlyArray<HeaderPart>
  /** Part that holds the length of header and message in ASCII digits: checked when reading, kept right when writing. */
  readonly totalLength?: string
  /** Pairs of parts of equal size that change places in an answer. Every other part is echoed. */
  readonly answerSwaps: ReadonlyArray<readonly [string, string]>
  /** Part that says a message is a reject: any value but `normal`. The original stands behind, its own header included. */
  readonly reject?: { readonly part: string; readonly normal: string }
}

/** Values of the parts by name: text as it stands (filling included), or upper-case hex. */
export type HeaderValues = { readonly [part: string]: string }

/** Part of a header by its name; throws when the dialect has none of that name. */
export const headerPart = (header: HeaderFormat, name: string): HeaderPart => {
  const part = header.parts.find((part) => part.name === name)
  if (part === undefined) throw new TypeError(`header ${header.name} has no part "${name}"`)
  return part
}

/** Why a header makes no sense; `undefined` when it does: its parts stand inside it and fit what it says of them. */
export const headerError = ({ bytes, parts, totalLength, answerSwaps, reject }: HeaderFormat): string | undefined => {
  const sizes = new Map<string, number>()
  for (const part of parts) {
    const isInside =
      Number.isInteger(part.offset) && part.offset >= 0 && part.bytes >= 1 && part.offset + part.bytes <= bytes
    if (!isInside || !Number.isInteger(part.bytes)) return `part ${part.name} does not stand inside its ${bytes} bytes`
    if (sizes.has(part.name)) return `there are two parts ${part.name}`
    if (part.name !== totalLength && partBytes(part, part.value) === undefined)
      return `part ${part.name}: its value does not fit`
    sizes.set(part.name, part.bytes)
  }
  for (const name of [totalLength, reject?.part, ...answerSwaps.flat()])
    if (name !== undefined && !sizes.has(name)) return `there is no part ${name}`
  for (const [one, other] of answerSwaps)
    if (sizes.get(one) !== sizes.get(other)) return `parts ${one} and ${other} cannot change places: their sizes differ`
  if (reject !== undefined && reject.normal.length !== sizes.get(reject.part))
    return `the normal value of part ${reject.part} has not its size`
  return undefined
}

/** All parts of the header at `start`; its bytes must be there. */
export const readHeader = (header: HeaderFormat, buffer: Uint8Array, start: number): HeaderValues => {
  const values: Record<string, string> = {}
  for (const { name, offset, bytes, form } of header.parts) {
    const from = start + offset
    values[name] = form === "hex" ? toHex(buffer, from, from + bytes) : latin1(buffer, from, from + bytes)
  }
  return values
}

/** A part that must have one value, and its bytes. */
export interface FixedPart {
  readonly part: HeaderPart
  readonly bytes: Uint8Array
}

/** The parts of a header that must have one value. Throws when the value does not fit. */
export const fixedParts = (header: HeaderFormat | undefined): ReadonlyArray<FixedPart> =>
  (header?.parts ?? [])
    .filter((part) => part.fixed === true)
    .map((part) => {
      const bytes = partBytes(part, part.value)
      if (bytes === undefined) throw new TypeError(`header part ${part.name}: its value does not fit`)
      return { part, bytes }
    })

/** Checks fixed parts and the total length of the header at `start` of a message that ends at `end`. */
export const checkHeader = (
  header: HeaderFormat,
  fixed: ReadonlyArray<FixedPart>,
  total: HeaderPart | undefined,
  buffer: Uint8Array,
  start: number,
  end: number
): MessageError | undefined => {
  if (end - start < header.bytes) return tooShort(end - start)
  for (const { part, bytes } of fixed) {
    for (let index = 0; index < bytes.length; index++)
      if (buffer[start + part.offset + index] !== bytes[index]) return headerInvalid(part.name, part.offset, "value")
  }
  if (
    total !== undefined &&
    readDecimal(buffer, start + total.offset, start + total.offset + total.bytes) !== end - start
  )
    return headerInvalid(total.name, total.offset, "total-length")
  return undefined
}

/** Bytes of a part's value, filled to its size; `undefined` when it is too long, no hex, or a text beyond Latin-1. */
export const partBytes = (part: HeaderPart, value: string): Uint8Array | undefined => {
  if (part.form === "text" && /[^\0-\xff]/.test(value)) return undefined
  const bytes = part.form === "hex" ? fromHex(value) : Buffer.from(value.padEnd(part.bytes, " "), "latin1")
  return bytes?.length === part.bytes ? bytes : undefined
}

/**
 * Writes a header; `total` is the length of header and message, -1: as `values` say, for the original inside a reject, whose
 * length may be the very reason of it. Nothing is allocated.
 */
export const writeHeader = (
  header: HeaderFormat,
  values: HeaderValues | undefined,
  total: number,
  out: Uint8Array,
  at: number
): MessageError | undefined => {
  for (let byte = 0; byte < header.bytes; byte++) out[at + byte] = 0
  for (const part of header.parts) {
    const { name, offset, bytes } = part
    if (name === header.totalLength && total >= 0) {
      if (!writeNumber("ascii", total, out, at + offset, at + offset + bytes))
        return headerInvalid(name, offset, "length")
      continue
    }
    const value = values?.[name] ?? part.value
    const rule = part.form === "hex" ? writeHexPart(part, value, out, at) : writeTextPart(part, value, out, at)
    if (rule !== undefined) return headerInvalid(name, offset, rule)
  }
  return undefined
}

const writeTextPart = ({ offset, bytes }: HeaderPart, value: string, out: Uint8Array, at: number): Rule | undefined => {
  if (value.length > bytes) return "length"
  for (let index = 0; index < bytes; index++) {
    const code = index < value.length ? value.charCodeAt(index) : 0x20
    if (code > 255) return "text"
    out[at + offset + index] = code
  }
  return undefined
}

const writeHexPart = ({ offset, bytes }: HeaderPart, value: string, out: Uint8Array, at: number): Rule | undefined => {
  if (value.length !== 2 * bytes) return "hex"
  for (let index = 0; index < bytes; index++) {
    const high = hexValue[value.charCodeAt(2 * index)] ?? -1
    const low = hexValue[value.charCodeAt(2 * index + 1)] ?? -1
    if (high < 0 || low < 0) return "hex"
    out[at + offset + index] = high * 16 + low
  }
  return undefined
}

/** Values of an answer's header: addresses change places, all else is echoed, the reject code becomes normal. */
export const answerHeader = (header: HeaderFormat, values: HeaderValues): HeaderValues => {
  const answer: Record<string, string> = { ...values }
  for (const [one, other] of header.answerSwaps) {
    answer[one] = values[other] ?? headerPart(header, one).value
    answer[other] = values[one] ?? headerPart(header, other).value
  }
  if (header.reject !== undefined) answer[header.reject.part] = header.reject.normal
  return answer
}
