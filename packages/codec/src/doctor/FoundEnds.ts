/**
 * Frames without a length that the doctor finds by looking: messages that end with the same control characters, and messages of
 * one size. Only whole messages prove them: what is cut in the wrong place cannot be read.
 */
import { toHex } from "../encoding/Hex.ts"
import type { FrameFormat } from "../frame/FrameFormat.ts"
import { LONGEST } from "../frame/NamedFrames.ts"
import type { FrameCandidate } from "./FrameCandidates.ts"

/** Most bytes that a message is looked for to end with. */
const END_MAX = 2

/** Messages of one size that are looked for at most. */
const MESSAGES_MAX = 64

/** Least bytes of a message: its type and a bitmap. */
const MESSAGE_MIN = 10

/** Ends that a capture which is cut off has inside of it, too. */
const usual = ["0d0a", "0a", "0d", "03"]

const found = (title: string, format: FrameFormat): FrameCandidate => ({ name: undefined, title, format })

const isControl = (byte: number): boolean => byte < 0x20 || byte === 0x7f || byte === 0xff

/** Messages up to an end. */
const ending = (buffer: Buffer): ReadonlyArray<FrameCandidate> => {
  const own: Array<string> = []
  for (let bytes = END_MAX; bytes > 0; bytes--) {
    const end = buffer.subarray(Math.max(0, buffer.length - bytes))
    if (end.length === bytes && end.every(isControl)) own.push(toHex(end).toLowerCase())
  }
  return [...new Set([...own, ...usual])]
    .filter((end) => buffer.includes(Buffer.from(end, "hex"), MESSAGE_MIN))
    .map((end) => {
      const delimiter = end.toUpperCase()
      return found(`message, ${delimiter}`, { kind: "delimiter", delimiter, lengthMax: LONGEST, idle: "none" })
    })
}

/** Messages of one size, with nothing between them. */
const ofOneSize = ({ length }: Buffer): ReadonlyArray<FrameCandidate> => {
  const sizes = Array.from({ length: MESSAGES_MAX - 1 }, (_, more) => length / (more + 2))
  return sizes
    .filter((bytes) => Number.isInteger(bytes) && bytes >= MESSAGE_MIN && bytes <= LONGEST)
    .map((bytes) => found(`messages of ${bytes} bytes each, and nothing between them`, { kind: "fixed", bytes }))
}

/** The ways in which the bytes are such messages, one behind the other from the first byte. */
export const foundEnds = (buffer: Buffer): ReadonlyArray<FrameCandidate> => [...ending(buffer), ...ofOneSize(buffer)]
