/**
 * The shapes of frames that the doctor tries, and the frames that each finds in captured bytes. Forms met in practice: domain.md
 * 2.4; what is not among them (fixed sizes, delimiters) cannot be told from bytes alone.
 */
import type { FrameFormat, LengthHeader } from "../frame/FrameFormat.ts"
import { Framer } from "../frame/Framer.ts"

/** A shape to try. */
export interface FrameCandidate {
  /** Short and stable: `ascii4`, `binary2-inclusive`. */
  readonly name: string
  readonly title: string
  /** `undefined`: no frame at all, the bytes are one message. */
  readonly format: FrameFormat | undefined
}

/** Longest message that is believed; a wrong guess usually says something absurd. */
const lengthMax = 16_384

const candidate = (
  name: string,
  title: string,
  encoding: LengthHeader["encoding"],
  bytes: number,
  more: Partial<LengthHeader> = {}
): FrameCandidate => ({
  name,
  title,
  format: { kind: "length", encoding, bytes, lengthMax, idle: "zero-length", ...more }
})

const itself = { counts: { itself: true } }

/** All shapes, the more usual ones first. */
export const frameCandidates: ReadonlyArray<FrameCandidate> = [
  candidate("ascii4", "4 ASCII digits", "ascii", 4),
  candidate("binary2", "2 bytes big-endian", "binary", 2),
  candidate("ascii4-inclusive", "4 ASCII digits that count themselves", "ascii", 4, itself),
  candidate("binary2-inclusive", "2 bytes big-endian that count themselves", "binary", 2, itself),
  candidate("ascii6", "6 ASCII digits", "ascii", 6),
  candidate("ascii6-inclusive", "6 ASCII digits that count themselves", "ascii", 6, itself),
  candidate("ascii8", "8 ASCII digits", "ascii", 8),
  candidate("ascii8-inclusive", "8 ASCII digits that count themselves", "ascii", 8, itself),
  candidate("ascii10-etx", "10 ASCII digits, one byte 03 behind the message", "ascii", 10, { trailer: "03" }),
  candidate("ascii10", "10 ASCII digits", "ascii", 10),
  candidate("bcd2", "2 bytes packed decimal", "bcd", 2),
  candidate("bcd2-inclusive", "2 bytes packed decimal that count themselves", "bcd", 2, itself),
  candidate("binary4", "4 bytes big-endian", "binary", 4),
  candidate("binary4-inclusive", "4 bytes big-endian that count themselves", "binary", 4, itself),
  candidate("binary3", "3 bytes big-endian", "binary", 3),
  candidate("binary2-after2", "2 bytes big-endian and 2 other bytes", "binary", 2, { after: "0000" }),
  candidate("binary2-etx", "2 bytes big-endian that count one byte 03 behind the message", "binary", 2, {
    trailer: "03",
    counts: { trailer: true }
  }),
  candidate("ascii4-etx", "4 ASCII digits that count one byte 03 behind the message", "ascii", 4, {
    trailer: "03",
    counts: { trailer: true }
  }),
  candidate("hex4", "4 ASCII hex digits", "hex", 4),
  candidate("stx-bcd2-etx-lrc", "02, 2 bytes packed decimal, message, 03 and a check byte", "bcd", 2, {
    before: "02",
    trailer: "etx-lrc",
    idle: "none"
  }),
  candidate("binary2-le", "2 bytes little-endian", "binary-le", 2),
  candidate("binary4-le", "4 bytes little-endian", "binary-le", 4),
  candidate("binary2-tpdu", "2 bytes big-endian that do not count a TPDU of 5 bytes", "binary", 2, { uncounted: 5 }),
  candidate("ascii4-tpdu", "4 ASCII digits that do not count a TPDU of 5 bytes", "ascii", 4, { uncounted: 5 }),
  candidate("binary2-times2", "2 bytes big-endian that count hex digits of the message", "binary", 2, { times: 2 }),
  { name: "none", title: "no length header", format: undefined }
]

/** What a shape makes of the bytes. */
export interface FoundFrames {
  readonly candidate: FrameCandidate
  readonly messages: ReadonlyArray<Buffer>
  /** All frames with a message, also those that are not kept. */
  readonly frames: number
  readonly idle: number
  /** Bytes behind the last whole frame, of a frame that is cut off. */
  readonly open: number
}

/** Messages that are looked at; more tell nothing new. */
const messagesMax = 64

/** The frames that a shape finds; `undefined` when the bytes break it or hold not even one whole frame. */
export const findFrames = (candidate: FrameCandidate, bytes: Buffer): FoundFrames | undefined => {
  if (candidate.format === undefined) return { candidate, messages: [bytes], frames: 1, idle: 0, open: 0 }
  const messages: Array<Buffer> = []
  let frames = 0
  let idle = 0
  const framer = new Framer(candidate.format)
  const wrong = framer.push(bytes, {
    frame: (buffer, start, end) => {
      frames++
      if (messages.length < messagesMax) messages.push(buffer.subarray(start, end))
    },
    idle: () => {
      idle++
    }
  })
  if (wrong !== undefined || frames + idle === 0) return undefined
  return { candidate, messages, frames, idle, open: framer.open }
}
