/**
 * Bytes as text, one character a byte, at native speed.
 */

interface NativeBuffer {
  latin1Slice(from: number, to: number): string
}

const native = Buffer.prototype as unknown as NativeBuffer

/** Text of bytes `[from, to)`: each byte is the character of its number. Every Node has this Buffer method, untyped. */
export const latin1 = (bytes: Uint8Array, from: number, to: number): string => native.latin1Slice.call(bytes, from, to)
