/**
 * One journal entry, and its canonical bytes: what the writer writes, the hash chain covers and the rows give back.
 *
 * Pure. The layout is part of the journal's format (docs/decisions/0004-journal.md); a change of it is a new schema
 * version.
 *
 *     0  seq u64 | 8  at u64 (ms since 1970) | 16 kind u8 | 17 zero u8 | 18 code length u16 | 20 link u32 | 24 epoch u32
 *     28 exchange u64 | 36 about u64 | 44 pan u64 (48-bit search key, filled in by the store) | 52 secret length u32
 *     56 message length u32 | 60 code (ASCII) | message | secret
 *
 * All numbers are big-endian. The canonical bytes leave the secret out (its length stays): secrets are sealed per
 * group.
 */
import type { EntryKind } from "./EntryKind.ts"

/** An entry as it is read back. Byte fields are views on memory of the answer they came in; they stay valid. */
export interface Entry {
  /** 1.., without gaps. */
  readonly seq: number
  /** Wall time in ms since 1970, as the writer was told. */
  readonly at: number
  readonly kind: EntryKind
  /** Seq of the entry that opened the exchange; 0 when the entry belongs to none. */
  readonly exchange: number
  /** Seq of another exchange that this one is about (a reversal's original); 0 for none. */
  readonly about: number
  /** Number of a link's name; 0 for none. */
  readonly link: number
  /** Connection number on that link; 0 for none. */
  readonly epoch: number
  /** Response code, reason or event; may be empty. */
  readonly code: string
  /** The message with card data blanked; may be empty. */
  readonly message: Buffer
  /**
   * The sealed part in clear ({@link secretPan}, {@link secretRest}), or empty when it was not asked for or there is
   * none.
   */
  readonly secret: Buffer
  /** Bytes sealed with this entry, asked for or not. */
  readonly secretLength: number
}

/** Bytes before the code of an entry. */
export const ENTRY_HEADER_LENGTH = 60
/** Longest `code` in characters; what is longer is cut. */
export const ENTRY_CODE_LENGTH_MAX = 255
/** Offsets in an entry's header; see the module header. */
export const entryAt = {
  seq: 0,
  time: 8,
  kind: 16,
  codeLength: 18,
  link: 20,
  epoch: 24,
  exchange: 28,
  about: 36,
  pan: 44,
  secretLength: 52,
  messageLength: 56
} as const

const HIGH = 2 ** 32

/** Writes the lower 32 bits of an integer as four bytes, big-endian: `writeUInt32BE` without its checks, which take longer. */
export const writeU32 = (buffer: Buffer, value: number, at: number): void => {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

/** Writes an integer 0..2^53-1 as eight bytes, big-endian. */
export const writeU64 = (buffer: Buffer, value: number, at: number): void => {
  writeU32(buffer, Math.floor(value / HIGH), at)
  writeU32(buffer, value, at + 4)
}

/** The same into a view. */
export const setU64 = (view: DataView, value: number, at: number): void => {
  view.setUint32(at, value / HIGH)
  view.setUint32(at + 4, value)
}

/** Reads eight bytes that {@link writeU64} wrote. */
export const readU64 = (buffer: Buffer, at: number): number =>
  buffer.readUInt32BE(at) * HIGH + buffer.readUInt32BE(at + 4)

/** Writes text as ASCII, one byte a character, what is not printable ASCII as `?`. Returns the bytes written. */
export const writeAscii = (buffer: Buffer, text: string, at: number, lengthMax: number): number => {
  const length = Math.min(text.length, lengthMax)
  for (let n = 0; n < length; n++) {
    const unit = text.charCodeAt(n)
    buffer[at + n] = unit >= 0x20 && unit <= 0x7e ? unit : 0x3f
  }
  return length
}

/** Canonical length of the entry at `at`: header, code and message, without its secret. */
export const entryLength = (buffer: Buffer, at: number): number =>
  ENTRY_HEADER_LENGTH + buffer.readUInt16BE(at + entryAt.codeLength) + buffer.readUInt32BE(at + entryAt.messageLength)

/** Reads the entry at `at`; with `secretThere` its secret is behind the message, otherwise it is given as empty. */
export const readEntry = (buffer: Buffer, at: number, secretThere: boolean): Entry => {
  const codeFrom = at + ENTRY_HEADER_LENGTH
  const messageFrom = codeFrom + buffer.readUInt16BE(at + entryAt.codeLength)
  const secretFrom = messageFrom + buffer.readUInt32BE(at + entryAt.messageLength)
  const secretLength = buffer.readUInt32BE(at + entryAt.secretLength)
  return {
    seq: readU64(buffer, at + entryAt.seq),
    at: readU64(buffer, at + entryAt.time),
    kind: buffer[at + entryAt.kind] as EntryKind,
    exchange: readU64(buffer, at + entryAt.exchange),
    about: readU64(buffer, at + entryAt.about),
    link: buffer.readUInt32BE(at + entryAt.link),
    epoch: buffer.readUInt32BE(at + entryAt.epoch),
    code: buffer.toString("latin1", codeFrom, messageFrom),
    message: buffer.subarray(messageFrom, secretFrom),
    secret: buffer.subarray(secretFrom, secretThere ? secretFrom + secretLength : secretFrom),
    secretLength
  }
}

/** Longest PAN in digits (ISO 8583 DE 2). */
export const PAN_LENGTH_MAX = 19

/**
 * Writes a secret: one length byte, the PAN's digits in ASCII, then `rest` (a whole message, or nothing). Returns its
 * length. An empty `pan` seals `rest` without a search key. Throws on a PAN that is not 0..19 digits: a programmer's
 * error.
 */
export const writeSecret = (out: Buffer, at: number, pan: string, rest?: Uint8Array): number => {
  if (!/^\d{0,19}$/.test(pan)) throw new RangeError("journal: a PAN is 0 to 19 digits")
  out[at] = pan.length
  for (let n = 0; n < pan.length; n++) out[at + 1 + n] = pan.charCodeAt(n)
  if (rest === undefined) return 1 + pan.length
  out.set(rest, at + 1 + pan.length)
  return 1 + pan.length + rest.length
}

/** The PAN of a secret in clear; empty when there is none. */
export const secretPan = (secret: Buffer): string =>
  secret.length === 0 ? "" : secret.toString("latin1", 1, 1 + secret[0]!)

/** What a secret seals besides the PAN; empty when there is nothing. */
export const secretRest = (secret: Buffer): Buffer =>
  secret.length === 0 ? secret : secret.subarray(Math.min(secret.length, 1 + secret[0]!))
