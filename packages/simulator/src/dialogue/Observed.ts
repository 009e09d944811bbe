/** A message that was sent or received, with the places of its parts. Pure. */
import { type MessageError, MessageIndex, mtiText, partValue, toHex } from "@jinka/codec"
import type { WireFormat } from "./WireFormat.ts"

/** One message of the dialogue, without its frame. */
export interface Observed {
  /** The dialect and frame of its link. */
  readonly form: WireFormat
  readonly bytes: Buffer
  /** Monotonic milliseconds: when its last byte arrived, or its first one left. */
  readonly at: number
  /** As far as the message can be read. Of a reject it is the index of the original inside. */
  readonly index: MessageIndex
  /** Why it cannot be read further. */
  readonly wrong: MessageError | undefined
  /** The dialogue itself has sent it. */
  readonly isOurs?: boolean
}

/** A part of a message: `header.<part>`, `mti`, `bitmap`, or a data element's number with its length prefix. */
export interface Part {
  readonly id: string
  readonly from: number
  readonly to: number
}

/** Reads a message as far as it goes. */
export const told = (form: WireFormat, bytes: Buffer, at: number): Observed => {
  const index = new MessageIndex()
  const wrong = form.codec.index(bytes, 0, bytes.length, index)
  return { form, bytes, at, index, wrong }
}

/** MTI as four digits; "" when there is none. */
export const mtiOf = ({ index, wrong }: Observed): string =>
  index.mti > 0 || wrong === undefined ? mtiText(index.mti) : ""

/** Text of a data element; upper-case hex of bytes; `undefined` when the message has none. */
export const fieldText = ({ form, index }: Observed, de: number): string | undefined => {
  if (index.layout === undefined || !index.has(de)) return undefined
  return form.codec.layout.fields[de]?.bytes === true ? toHex(index.bytes(de)) : index.text(de)
}

/** Text of a header part; hex where the dialect shows it so. `start` is the header's offset. */
export const headerText = ({ bytes, form }: Observed, start: number, name: string): string | undefined => {
  const part = form.codec.layout.header?.parts.find((one) => one.name === name)
  if (part === undefined || start < 0 || start + part.offset + part.bytes > bytes.length) return undefined
  return partValue(part, bytes, start)
}

/** Offset of the message's own header, behind the outer one of a reject. */
export const headerStart = ({ index }: Observed): number => index.start

/** Offset of the outer header of a reject, -1 when there is none. */
export const rejectedStart = ({ form, index }: Observed): number =>
  index.rejectCode === 0 ? -1 : index.start - form.codec.layout.rejectBytes

/** All parts in the order in which they are, as far as the message can be read. Of a reject: of the original inside. */
export const partsOf = ({ bytes, form, index, wrong }: Observed): ReadonlyArray<Part> => {
  const { layout } = form.codec
  const parts: Array<Part> = []
  for (const { name, offset, bytes: length } of layout.header?.parts ?? []) {
    const from = index.start + offset
    if (from + length <= bytes.length) parts.push({ id: `header.${name}`, from, to: from + length })
  }
  if (index.body + layout.mtiBytes > bytes.length || (wrong !== undefined && index.mti === 0)) return parts
  parts.push({ id: "mti", from: index.body, to: index.body + layout.mtiBytes })
  if (index.fieldsFrom <= index.body) return parts
  parts.push({ id: "bitmap", from: index.body + layout.mtiBytes, to: index.fieldsFrom })
  for (const { de, prefixBytes } of layout.defined) {
    // An index that stopped half-way keeps older offsets for what it did not reach.
    if (!index.has(de) || index.to(de) <= index.fieldsFrom || index.to(de) > bytes.length) continue
    parts.push({ id: String(de), from: index.from(de) - prefixBytes, to: index.to(de) })
  }
  return parts
}
