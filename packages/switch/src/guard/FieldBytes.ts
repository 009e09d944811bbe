/** The bytes of a field's value, however the message writes them. Pure. */
import type { Layout, MessageIndex } from "@jinka/codec"

/** The byte that means nothing in a field: a value in characters is empty when they are "0". */
export const zeroOf = ({ fields }: Layout, de: number): number => {
  const encoding = fields[de]?.encoding
  if (encoding === "binary") return 0
  return encoding === "ebcdic" || encoding === "ebcdic1047" ? 0xf0 : 0x30
}

/** The value as bytes: raw or in hexadecimal digits, or the characters of a text. A view, or bytes of its own. */
export const bytesOf = ({ fields }: Layout, index: MessageIndex, de: number): Buffer => {
  const encoding = fields[de]?.encoding
  if (encoding === "binary") return index.bytes(de)
  // Where a digit is wrong the bytes end.
  if (encoding === "hex") return Buffer.from(index.bytes(de).toString("latin1"), "hex")
  return Buffer.from(index.text(de), "latin1")
}
