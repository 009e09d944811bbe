/**
 * Frames that have a name: what partners usually mean when they say "2 bytes in front". A configuration may name one, the doctor
 * tries them all, and `jinka decode --frame` takes them off.
 */
import { numberMax } from "../encoding/Digits.ts"
import type { FrameFormat, LengthHeader } from "./FrameFormat.ts"
import { shapeOf } from "./FrameShape.ts"

/** A frame with its name. */
export interface NamedFrame {
  /** Short and stable: `ascii4`, `binary2-inclusive`. */
  readonly name: string
  readonly title: string
  readonly format: FrameFormat
}

/** Longest message of a named frame, in bytes; less where its length cannot say as much. */
export const LONGEST = 16_384

/** The format with the longest message that its length can say. */
export const withLongest = (header: Omit<LengthHeader, "lengthMax">): LengthHeader => {
  const { counted, uncounted, times } = shapeOf({ ...header, lengthMax: 1 })
  const most = Math.floor(numberMax(header.encoding, header.bytes) / times) - counted + uncounted
  return { ...header, lengthMax: Math.min(LONGEST, most) }
}

const named = (
  name: string,
  title: string,
  encoding: LengthHeader["encoding"],
  bytes: number,
  more: Partial<LengthHeader> = {}
): NamedFrame => ({
  name,
  title,
  format: withLongest({ kind: "length", encoding, bytes, idle: "zero-length", ...more })
})

const itself = { counts: { itself: true } }

/** All named frames, the more usual ones first. */
export const namedFrames: ReadonlyArray<NamedFrame> = [
  named("ascii4", "4 ASCII digits", "ascii", 4),
  named("binary2", "2 bytes big-endian", "binary", 2),
  named("ascii4-inclusive", "4 ASCII digits that count themselves", "ascii", 4, itself),
  named("binary2-inclusive", "2 bytes big-endian that count themselves", "binary", 2, itself),
  named("ascii6", "6 ASCII digits", "ascii", 6),
  named("ascii6-inclusive", "6 ASCII digits that count themselves", "ascii", 6, itself),
  named("ascii8", "8 ASCII digits", "ascii", 8),
  named("ascii8-inclusive", "8 ASCII digits that count themselves", "ascii", 8, itself),
  named("ascii10-etx", "10 ASCII digits, one byte 03 behind the message", "ascii", 10, { trailer: "03" }),
  named("ascii10", "10 ASCII digits", "ascii", 10),
  named("bcd2", "2 bytes packed decimal", "bcd", 2),
  named("bcd2-inclusive", "2 bytes packed decimal that count themselves", "bcd", 2, itself),
  named("binary4", "4 bytes big-endian", "binary", 4),
  named("binary4-inclusive", "4 bytes big-endian that count themselves", "binary", 4, itself),
  named("binary3", "3 bytes big-endian", "binary", 3),
  named("binary2-after2", "2 bytes big-endian and 2 other bytes", "binary", 2, { after: "0000" }),
  named("binary2-etx", "2 bytes big-endian that count one byte 03 behind the message", "binary", 2, {
    trailer: "03",
    counts: { trailer: true }
  }),
  named("ascii4-etx", "4 ASCII digits that count one byte 03 behind the message", "ascii", 4, {
    trailer: "03",
    counts: { trailer: true }
  }),
  named("hex4", "4 ASCII hex digits", "hex", 4),
  named("stx-bcd2-etx-lrc", "02, 2 bytes packed decimal, message, 03 and a check byte", "bcd", 2, {
    before: "02",
    trailer: "etx-lrc",
    idle: "none"
  }),
  named("binary2-le", "2 bytes little-endian", "binary-le", 2),
  named("binary4-le", "4 bytes little-endian", "binary-le", 4),
  named("binary2-tpdu", "2 bytes big-endian that do not count a TPDU of 5 bytes", "binary", 2, { uncounted: 5 }),
  named("ascii4-tpdu", "4 ASCII digits that do not count a TPDU of 5 bytes", "ascii", 4, { uncounted: 5 }),
  named("binary2-times2", "2 bytes big-endian that count hex digits of the message", "binary", 2, { times: 2 })
]
