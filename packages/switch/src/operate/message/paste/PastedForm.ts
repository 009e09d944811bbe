/**
 * What an input looks like: text with hex in it, a capture of packets, a packed file, or the bytes themselves. Looks at as much
 * of it as is needed and not at how it was cut into pieces: a pipe gives what its writer had so far. Pure.
 */
import { isCaptureFile } from "./CaptureFile.ts"
import { rowBehindWords, rowIn } from "./DumpRow.ts"
import { bytesBehindWords, digitsOf } from "./HexLine.ts"
import { bytesInNotation, unmarked, unnumbered, unquoted } from "./Notation.ts"

/** How an input is written. */
export type PastedForm = "hex" | "binary" | "capture" | "packed"

/** Most lines that are looked at. */
const LOOKED_AT_MAX = 200

/** Bytes after which no more are waited for. */
const ENOUGH = 64 * 1024

/** Bytes that tell a capture, a packed file and the two forms of UTF-16. */
const MARK = 8

/** How files of gzip, zip, zstd, bzip2 and xz begin. */
const packedMarks = ["1f8b08", "504b0304", "28b52ffd", "425a68", "fd377a58"].map((hex) => Buffer.from(hex, "hex"))

/** The encoding of a text in UTF-16, as some shells write it: it begins with its mark, or each other byte is zero. */
export const wideEncoding = (bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be"
  const begins = bytes.subarray(0, WIDE_SEEN - (bytes.length % 2))
  if (begins.length < MARK) return undefined
  const areText = (odd: number): boolean =>
    begins.every((byte, at) => (at % 2 === odd ? byte === 0 : (byte >= 0x20 && byte < 0x7f) || (byte > 8 && byte < 14)))
  return areText(1) ? "utf-16le" : areText(0) ? "utf-16be" : undefined
}

/** Bytes of a text that show that it is in UTF-16. */
const WIDE_SEEN = 32

/** A text whose lines end with CR alone has them end with LF. */
export const withLineEnds = (text: string): string => (text.includes("\n") ? text : text.replaceAll("\r", "\n"))

/** The text with one character for each byte, those of UTF-16 in UTF-8. Without a byte order mark. */
export const pastedText = (bytes: Buffer): string => {
  const wide = wideEncoding(bytes)
  const plain = wide === undefined ? bytes : Buffer.from(new TextDecoder(wide).decode(bytes))
  const text = plain.toString("latin1")
  return withLineEnds(text.replace(/^\u00ef\u00bb\u00bf/, ""))
}

/** Control characters are in no text but for blanks and ends of lines. */
const hasControl = (text: string): boolean => /[^\P{Cc}\t\n\r\f]/u.test(text)

/** What an input looks like. Bytes behind a length header are no lines of a log. */
export const formOf = (bytes: Buffer, mayBeLog = false): PastedForm => {
  if (isCaptureFile(bytes)) return "capture"
  if (packedMarks.some((mark) => bytes.subarray(0, mark.length).equals(mark))) return "packed"
  const text = unmarked(pastedText(bytes))
  if (hasControl(text)) return "binary"
  const isHex = (line: string) =>
    digitsOf(line) !== undefined || (rowIn(line)?.rest ?? "") !== "" || (mayBeLog && isBehindWords(line))
  const lines = text
    .split("\n", LOOKED_AT_MAX)
    .map((line) => unquoted(line.replace(/\r$/, "")))
    .map((line, at) => unnumbered(line, at + 1))
    .filter((line) => line.trim() !== "")
  if (lines.length === 0) return "hex"
  return lines.some(isHex) && !areMessages(lines, isHex) ? "hex" : "binary"
}

const isBehindWords = (line: string): boolean =>
  bytesBehindWords(line).length > 0 || bytesInNotation(line).length > 0 || rowBehindWords(line) !== undefined

/**
 * Whether lines are messages of text, of which some have digits only: each begins with a type and a bitmap, and where the digits
 * of one end something goes on that is in no line of hex.
 */
const areMessages = (lines: ReadonlyArray<string>, isHex: (line: string) => boolean): boolean =>
  lines.every((line) => /^[0-9A-Fa-f]{20}/.test(line)) &&
  lines.some((line) => /^[0-9A-Fa-f]+[G-Zg-z]/.test(line) && !isHex(line))

/** The same of an input of which more may come; `undefined`: too little of it is there. */
export const formSoFar = (bytes: Buffer, mayBeLog = false): PastedForm | undefined => {
  if (bytes.length < MARK) return undefined
  if (bytes.length >= ENOUGH) return formOf(bytes, mayBeLog)
  const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1)
  const form = formOf(bytes, mayBeLog)
  if (form === "capture" || form === "packed") return form
  if (hasControl(unmarked(pastedText(bytes))) && wideEncoding(bytes) === undefined) return "binary"
  return pastedText(whole).trim() !== "" && formOf(whole, mayBeLog) === "hex" ? "hex" : undefined
}
