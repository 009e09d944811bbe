/**
 * Real traffic made safe to keep: card numbers replaced by others of the same length and issuer, the same one for the same card,
 * and everything that must never be kept replaced by zeros.
 *
 * Owns the replacement (HMAC-SHA-256 under a key, so that nobody without the key can find the number by trying them all; PCI DSS
 * 4.0.1, 3.5.1.1) and what stays of a message. With a key the copy is still a message that a system can be sent; without one it
 * is for reading. Pure.
 */
import { createHmac } from "node:crypto"
import {
  type Codec,
  coveredCopy,
  type FieldLayout,
  isMessageError,
  isRead,
  MessageIndex,
  PatchList
} from "@jinka/codec"
import { luhnDigit } from "../chance/Cards.ts"
import { plainOriginal } from "../message/PlainOriginal.ts"

/** Digits of the issuer identification number that stay: six, so that routes still fit. */
const BIN_DIGITS = 6

/** Shortest number that is taken for a card's. */
const PAN_MIN = 12

/** Decimal digits drawn from the number under the key. */
const drawnDigits = (key: Uint8Array, pan: string, count: number): string => {
  let digits = ""
  for (let block = 0; digits.length < count; block++) {
    const hash = createHmac("sha256", key).update(`${block}/${pan}`).digest()
    for (let at = 0; at + 4 <= hash.length && digits.length < count; at += 4) {
      digits += String(hash.readUInt32BE(at) % 1_000_000).padStart(6, "0")
    }
  }
  return digits.slice(0, count)
}

/** Another card number of the same length and issuer, with a right check digit; the same for the same number and key. */
export const reCard = (pan: string, key: Uint8Array): string => {
  if (!/^\d+$/.test(pan) || pan.length < PAN_MIN) return "0".repeat(pan.length)
  const body = pan.slice(0, BIN_DIGITS) + drawnDigits(key, pan, pan.length - BIN_DIGITS - 1)
  return body + luhnDigit(body)
}

/** A track with another number, and zeros in place of what the card's chip or stripe says. */
const reTrack = (text: string, key: Uint8Array): string => {
  const found = /^([A-Z]?)(\d{12,19})([=D^])/.exec(text)
  if (found === null) return text.replaceAll(/[0-9A-Za-z]/g, "0")
  const [head, letter, pan, separator] = found as unknown as [string, string, string, string]
  return letter + reCard(pan, key) + separator + text.slice(head.length).replaceAll(/[0-9A-Za-z]/g, "0")
}

/** What is in a sensitive field of the copy. */
const safeValue = (field: FieldLayout, index: MessageIndex, key: Uint8Array): string | Buffer | undefined => {
  if (field.sensitivity === "emv") return undefined
  if (field.bytes) return Buffer.alloc(index.length(field.de))
  const text = index.text(field.de)
  if (field.sensitivity === "pan") return reCard(text, key)
  return /^[A-Z]?\d{12,19}[=D^]/.test(text) ? reTrack(text, key) : "0".repeat(text.length)
}

/** The copy with other cards; `undefined` when the message cannot be read, or the copy, because stars are no value of a field. */
export const reCardedCopy = (codec: Codec, message: Buffer, key: Uint8Array): Buffer | undefined => {
  const index = new MessageIndex()
  if (codec.index(message, 0, message.length, index) !== undefined || index.rejectCode !== 0) return undefined
  if (!isRead(codec.layout, index)) return undefined
  const covered = coveredCopy(codec, message)
  const copy = new MessageIndex()
  if (codec.index(covered, 0, covered.length, copy) !== undefined) return undefined
  const patches = new PatchList()
  for (const field of codec.layout.sensitive) {
    if (!index.has(field.de)) continue
    const value = safeValue(field, index, key)
    if (value !== undefined) patches.set(field.de, value)
  }
  const original = plainOriginal(codec.layout, index)
  if (original !== undefined) patches.set(codec.dialect.reversal!.originalData.field, original)
  if (codec.checkPatches(patches) !== undefined) return undefined
  const bytes = codec.patched(copy, patches)
  return isMessageError(codec.decode(bytes)) ? undefined : bytes
}
