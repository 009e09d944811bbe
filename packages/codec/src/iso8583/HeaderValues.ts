/**
 * Whole headers: read, checked, written, and turned around for an answer.
 */
import { writeNumber } from "../encoding/Digits.ts"
import { type HeaderFormat, type HeaderLayout, headerLayout } from "./Header.ts"
import { hasUsual, numberForm, partNumber, partValue, writePart } from "./HeaderPart.ts"
import { headerInvalid, type MessageError, tooShort } from "./MessageError.ts"

/** Values of the parts by name: text and digits as they are (filling included), decimal numbers, or upper-case hex. */
export type HeaderValues = { readonly [part: string]: string }

/** All parts of the header at `start`; its bytes must be there. */
export const headerValues = ({ parts }: HeaderLayout, buffer: Uint8Array, start: number): HeaderValues => {
  const values: Record<string, string> = {}
  for (const part of parts) values[part.name] = partValue(part, buffer, start)
  return values
}

/** The same by the header's format. */
export const readHeader = (header: HeaderFormat, buffer: Uint8Array, start: number): HeaderValues =>
  headerValues(headerLayout(header), buffer, start)

/** Checks the header at `start` of a message that ends at `end`: fixed parts, digits, and the length. */
export const checkHeader = (
  header: HeaderLayout,
  buffer: Uint8Array,
  start: number,
  end: number
): MessageError | undefined => {
  if (end - start < header.bytes) return tooShort(end - start)
  for (const part of header.fixed)
    if (!hasUsual(part, buffer, start)) return headerInvalid(part.name, part.offset, "value")
  for (const part of header.digits)
    if (partNumber(part, buffer, start) < 0) return headerInvalid(part.name, part.offset, "digits")
  const { total, notCounted } = header
  if (total !== undefined && partNumber(total, buffer, start) !== end - start - notCounted)
    return headerInvalid(total.name, total.offset, "total-length")
  return undefined
}

/** Writes the length of header and message, `total` bytes, into the header at `at`; false when the part cannot hold it. */
export const writeTotal = (
  { total: part, notCounted }: HeaderLayout,
  total: number,
  out: Uint8Array,
  at: number
): boolean => {
  if (part === undefined) return true
  const from = at + part.offset
  return writeNumber(numberForm(part), total - notCounted, out, from, from + part.bytes)
}

/**
 * Writes a header; `total` is the length of header and message, -1: as `values` say, for the original inside a reject, whose
 * header may be the very reason of it. Nothing is allocated for text and hex.
 */
export const writeHeader = (
  header: HeaderLayout,
  values: HeaderValues | undefined,
  total: number,
  out: Uint8Array,
  at: number
): MessageError | undefined => {
  for (const part of header.parts) {
    const { name, offset } = part
    if (part === header.total && total >= 0) {
      if (!writeTotal(header, total, out, at)) return headerInvalid(name, offset, "length")
      continue
    }
    const rule = writePart(part, values?.[name] ?? part.value, out, at + offset, total < 0)
    if (rule !== undefined) return headerInvalid(name, offset, rule)
  }
  return undefined
}

/** Values of an answer's header: what changes places, what is the dialect's own again, a normal reject code, the rest echoed. */
export const answerHeader = (header: HeaderFormat, values: HeaderValues): HeaderValues => {
  const { turned, renewed } = headerLayout(header)
  const answer: Record<string, string> = { ...values }
  for (const [to, from] of turned) answer[to.name] = values[from.name] ?? from.value
  for (const part of renewed) answer[part.name] = part.value
  return answer
}

/** Bytes of an answer's turned parts, read before any is written; there is one thread and no call in between. */
const turnedBytes = new Uint8Array(255)

/** Makes the header at `at` that of an answer. */
export const turnHeader = ({ turned, renewed }: HeaderLayout, out: Uint8Array, at: number): void => {
  let kept = 0
  for (const [, { offset, bytes }] of turned)
    for (let index = 0; index < bytes; index++) turnedBytes[kept++] = out[at + offset + index]!
  kept = 0
  for (const [{ offset, bytes }] of turned)
    for (let index = 0; index < bytes; index++) out[at + offset + index] = turnedBytes[kept++]!
  for (const { offset, usual } of renewed) out.set(usual, at + offset)
}
