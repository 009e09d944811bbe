/**
 * Buffers cut from slabs of 32 KiB: making a buffer of its own for each message costs more than writing the message. A message
 * that is kept keeps its slab alive, so longer ones get memory of their own.
 */
import type { Message } from "../Message.ts"
import type { MessageError } from "../MessageError.ts"

const SLAB_BYTES = 32_768
const LONGEST = SLAB_BYTES / 8

let slab = Buffer.alloc(0)
let used = 0

const renew = (): void => {
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  used = 0
}

const take = (bytes: number): Buffer => {
  used += bytes
  return slab.subarray(used - bytes, used)
}

/** Room for some bytes; every one of them is to be written. */
export const room = (bytes: number): Buffer => {
  if (bytes > LONGEST) return Buffer.allocUnsafeSlow(bytes)
  if (used + bytes > slab.length) renew()
  return take(bytes)
}

/** Writes a message into a buffer at an offset: `Codec.encodeInto`. */
type EncodeInto = (message: Message, out: Buffer, at: number) => number | MessageError

/** A message in a buffer that is its own; `encodeInto` writes it. */
export const encoded = (encodeInto: EncodeInto, message: Message): Buffer | MessageError => {
  const bytes = encodeInto(message, slab, used)
  if (typeof bytes !== "number") return bytes
  if (bytes <= slab.length - used) return take(bytes)
  if (bytes <= LONGEST) {
    renew()
    return encoded(encodeInto, message)
  }
  const own = Buffer.allocUnsafeSlow(bytes)
  const written = encodeInto(message, own, 0)
  return typeof written === "number" ? own : written
}
