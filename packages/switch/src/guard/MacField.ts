/**
 * Where the MAC of a message is and how it is written there: raw bytes or hexadecimal characters, in the last field of the
 * last bitmap or in one of the dialect's choice. Pure.
 */
import type { Layout, MacRules, MessageIndex, PatchList } from "@jinka/codec"
import { bytesOf } from "./FieldBytes.ts"

/** Primary and secondary MAC of the standard: the last fields of the first two bitmaps (ISO 8583, data elements 64 and 128). */
const bitmapEnds = [64, 128] as const

/** Whether the message has a second bitmap for other fields than a MAC. */
const isLong = ({ deMax, dialect }: Layout, index: MessageIndex): boolean => {
  const { secondary } = dialect.bitmap
  if (deMax < bitmapEnds[1]) return false
  if (secondary === "always" || secondary === "fixed") return true
  return index.words[2] !== 0 || index.words[3] !== 0
}

/** The field of the message's MAC, whether it is there or not; 0: the dialect has none. */
export const fieldOfMac = (layout: Layout, field: MacRules["field"], index: MessageIndex): number => {
  if (field !== "last") return field
  const [first, second] = bitmapEnds
  if (layout.fields[second] !== undefined && isLong(layout, index)) return second
  return layout.fields[first] === undefined ? 0 : first
}

/** Fields that may hold a MAC. */
export const fieldsOfMac = (layout: Layout, field: MacRules["field"]): ReadonlyArray<number> =>
  field === "last" ? bitmapEnds.filter((de) => layout.fields[de] !== undefined) : [field]

/** The type without what its repeat and its answer change: 220 of 221, 230 and 231. */
const kindOf = (mti: number): number => {
  const whole = Math.floor(mti / 10)
  return 10 * (whole - (whole % 2))
}

/** Whether messages of this type carry a MAC. */
export const carriesMac = ({ messages }: Pick<MacRules, "messages">, mti: number): boolean =>
  messages.includes(kindOf(mti))

/** Bytes of the MAC in the message; `undefined` when the field holds none. A view, or bytes of its own. */
export const readMac = (layout: Layout, { bytes, field, form }: MacRules, index: MessageIndex): Buffer | undefined => {
  const de = fieldOfMac(layout, field, index)
  if (!index.has(de)) return undefined
  const raw = bytesOf(layout, index, de)
  const mac = form === "binary" ? raw : Buffer.from(raw.toString("latin1"), "hex")
  return mac.length < bytes ? undefined : mac.subarray(0, bytes)
}

/** Fills in the change that puts `mac` into field `de`; the rest of a longer field is zeros. */
export const setMac = (layout: Layout, { form }: MacRules, de: number, mac: Buffer, patches: PatchList): void => {
  const field = layout.fields[de]
  const value = form === "hex" ? Buffer.from(mac.toString("hex").toUpperCase(), "latin1") : mac
  const length = field === undefined || field.fixed < 0 ? value.length : Math.max(value.length, field.units)
  const whole = Buffer.alloc(length)
  value.copy(whole)
  patches.set(de, field?.bytes === true ? whole : whole.toString("latin1"))
}
