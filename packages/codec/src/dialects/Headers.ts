/**
 * Headers in front of the MTI that ship by name. A dialect file may name one or list the parts of its own.
 */
import type { HeaderFormat } from "../iso8583/Header.ts"
import type { HeaderPart } from "../iso8583/HeaderPart.ts"

/** Names of the parts are those of the public descriptions; ids are left-justified, what nobody describes is opaque. */
const cupsParts: ReadonlyArray<HeaderPart> = [
  { name: "version", bytes: 1, form: "hex", value: "01" },
  { name: "totalLength", bytes: 4, form: "digits", length: "all" },
  { name: "destination", bytes: 11, form: "text", value: "00010000", address: "destination", answer: "source" },
  { name: "source", bytes: 11, form: "text", address: "source", answer: "destination" },
  { name: "reserved", bytes: 3, form: "hex", value: "000000" },
  { name: "batch", bytes: 1, form: "hex", value: "00" },
  { name: "transaction", bytes: 8, form: "text", value: "00000000" },
  { name: "user", bytes: 1, form: "hex", value: "00" }
]

/** Header of the CUPS centre: 46 bytes (0x2E), the last 5 a reject code. */
export const cups46: HeaderFormat = {
  name: "cups46",
  parts: [
    { name: "headerLength", bytes: 1, form: "hex", value: "2E", fixed: true },
    ...cupsParts,
    { name: "rejectCode", bytes: 5, form: "text", value: "00000", reject: true }
  ]
}

/**
 * Header of UnionPay Data (CUPD, card hosting): the same without a reject code, 41 bytes (0x29). Parts after alatka-messages
 * a133fbf, `cupd.common.iso.yml`; that the length counts the header too is taken over from CUPS.
 */
export const cupd41: HeaderFormat = {
  name: "cupd41",
  parts: [{ name: "headerLength", bytes: 1, form: "hex", value: "29", fixed: true }, ...cupsParts]
}

/** TPDU of NAC links: id, destination and source address, packed decimal; an answer turns the addresses around. */
const tpduParts: ReadonlyArray<HeaderPart> = [
  { name: "tpduId", bytes: 1, form: "hex", value: "60" },
  { name: "destination", bytes: 2, form: "hex", value: "0000", answer: "source" },
  { name: "source", bytes: 2, form: "hex", value: "0000", answer: "destination" }
]

/** TPDU alone. Its addresses are those of terminals and network access controllers, not of institutions. */
export const tpdu5: HeaderFormat = { name: "tpdu5", parts: tpduParts }

/** TPDU and the 6-byte header of UnionPay terminals. `status` holds terminal status and processing request, a nibble each. */
export const tpdu6: HeaderFormat = {
  name: "tpdu6",
  parts: [
    ...tpduParts,
    { name: "application", bytes: 1, form: "hex", value: "60" },
    { name: "softwareVersion", bytes: 1, form: "hex", value: "31" },
    { name: "status", bytes: 1, form: "hex", value: "00" },
    { name: "reserved", bytes: 3, form: "hex", value: "000000" }
  ]
}

/**
 * BASE24's external message header: `ISO` and 9 digits (product, release, status, who made the message, who answered it). What
 * `responder` holds in an answer is the dialect's to say; here it is given back.
 */
export const base24: HeaderFormat = {
  name: "base24",
  parts: [
    { name: "start", bytes: 3, form: "text", value: "ISO", fixed: true },
    { name: "product", bytes: 2, form: "digits", value: "02" },
    { name: "release", bytes: 2, form: "digits", value: "60" },
    { name: "status", bytes: 3, form: "digits", value: "000" },
    { name: "originator", bytes: 1, form: "digits", value: "1" },
    { name: "responder", bytes: 1, form: "digits", value: "0" }
  ]
}

/**
 * Visa's BASE I header as VAP links carry it: 22 bytes (0x16) with a binary length of header and message in bytes 3 and 4 and
 * packed station ids, which an answer turns around. A reject has a header of 26 bytes (0x1A) in front of the original with its
 * own: a bitmap whose first bit says so, and a code of four packed digits. Parts after jPOS 3ff2951, BASE1Header.
 */
export const visa22: HeaderFormat = {
  name: "visa22",
  parts: [
    { name: "headerLength", bytes: 1, form: "hex", value: "16", fixed: true, rejected: "1A" },
    { name: "headerFormat", bytes: 1, form: "hex", value: "01" },
    { name: "textFormat", bytes: 1, form: "hex", value: "02" },
    { name: "totalLength", bytes: 2, form: "binary", length: "all" },
    { name: "destination", bytes: 3, form: "bcd", address: "destination", answer: "source" },
    { name: "source", bytes: 3, form: "bcd", address: "source", answer: "destination" },
    { name: "roundTrip", bytes: 1, form: "hex", value: "00" },
    { name: "flags", bytes: 2, form: "hex", value: "0000" },
    { name: "status", bytes: 3, form: "hex", value: "000000" },
    { name: "batch", bytes: 1, form: "binary", value: "0" },
    { name: "reserved", bytes: 3, form: "hex", value: "000000" },
    { name: "user", bytes: 1, form: "hex", value: "00" },
    { name: "rejectBitmap", bytes: 2, form: "hex", value: "8000", only: "reject" },
    { name: "rejectCode", bytes: 2, form: "bcd", value: "0000", reject: true, only: "reject" }
  ]
}

/** A text of some characters that means nothing to us and that an answer gives back. */
const textOf = (bytes: number): HeaderFormat => ({
  name: `text${bytes}`,
  parts: [{ name: "text", bytes, form: "text" }]
})

/** 8, 10 and 12 characters of text. */
export const text8: HeaderFormat = textOf(8)
/** 10 characters of text. */
export const text10: HeaderFormat = textOf(10)
/** 12 characters of text. */
export const text12: HeaderFormat = textOf(12)

/** All headers by name, for dialect files. */
export const headers: { readonly [name: string]: HeaderFormat } = {
  cups46,
  cupd41,
  tpdu5,
  tpdu6,
  base24,
  visa22,
  text8,
  text10,
  text12
}
