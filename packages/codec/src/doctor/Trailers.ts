/**
 * Trailers that the doctor finds by looking: bytes that are the same behind every message, counted by the length or not, and ETX
 * with its check byte. Tried only when no frame without one explains the bytes.
 */
import { coverRunsOfHex } from "../cover/DigitRuns.ts"
import { readNumber } from "../encoding/Digits.ts"
import { toHex } from "../encoding/Hex.ts"
import type { LengthHeader } from "../frame/FrameFormat.ts"
import { messageBytes, shapeOf, xor } from "../frame/FrameShape.ts"
import { namedFrames, withLongest } from "../frame/NamedFrames.ts"
import type { FrameCandidate } from "./FrameCandidates.ts"

/** Most bytes of a trailer that is looked for. */
const TRAILER_MAX = 4

/** Frames that are looked at; a trailer that is behind so many of them is one. */
const FRAMES_MAX = 16

/** Named shapes to which a trailer may be added. */
const bases = namedFrames.flatMap(({ title, format }) =>
  format.kind === "length" && format.trailer === undefined && format.idle === "zero-length" ? [{ title, format }] : []
)

/** Trailers of some bytes behind the frames of a shape, each with the offset of its length; `undefined` when they break it. */
const trailersOf = (
  format: LengthHeader,
  buffer: Buffer,
  trailer: number,
  isCounted: boolean
): ReadonlyArray<{ readonly lengthAt: number; readonly at: number }> | undefined => {
  const shape = shapeOf(format)
  const found: Array<{ readonly lengthAt: number; readonly at: number }> = []
  let from = 0
  while (found.length < FRAMES_MAX && buffer.length - from >= shape.headerBytes) {
    const said = readNumber(format.encoding, buffer, from + shape.before.length, from + shape.lengthTo)
    if (said < 0) return undefined
    // An idle frame: how long it is with a trailer nobody can say yet.
    if (said === 0) return found.length > 0 ? found : undefined
    const length = messageBytes(shape, said) - (isCounted ? trailer : 0)
    if (!Number.isInteger(length) || length < 1 || length > format.lengthMax) return undefined
    const at = from + shape.headerBytes + length
    if (at + trailer > buffer.length) return found
    found.push({ lengthAt: from + shape.before.length, at })
    from = at + trailer
  }
  return found
}

/** What a trailer is: `etx-lrc`, the hex of the bytes that all have in common, or `undefined`. */
const commonTrailer = (
  buffer: Buffer,
  found: ReadonlyArray<{ readonly lengthAt: number; readonly at: number }>,
  bytes: number
): string | undefined => {
  const isLrc = ({ lengthAt, at }: { readonly lengthAt: number; readonly at: number }): boolean =>
    bytes === 2 && buffer[at] === 3 && buffer[at + 1] === xor(buffer, lengthAt, at + 1)
  if (found.every(isLrc)) return "etx-lrc"
  const [first] = found.map(({ at }) => toHex(buffer, at, at + bytes))
  return found.every(({ at }) => toHex(buffer, at, at + bytes) === first) ? first : undefined
}

/** Packed digits that are rather the end of a message than a trailer: a piece of a card number is not proposed as one. */
const isDigits = (trailer: string): boolean => /[1-9]/.test(trailer) && coverRunsOfHex(trailer) !== trailer

/** The shapes with a trailer that the bytes have, one behind the other from the first byte. */
export const trailerCandidates = (buffer: Buffer): ReadonlyArray<FrameCandidate> => {
  const candidates: Array<FrameCandidate> = []
  for (const { title, format } of bases)
    for (const isCounted of [false, true])
      for (let bytes = 1; bytes <= TRAILER_MAX; bytes++) {
        const found = trailersOf(format, buffer, bytes, isCounted)
        const trailer = found === undefined || found.length === 0 ? undefined : commonTrailer(buffer, found, bytes)
        if (trailer === undefined || isDigits(trailer)) continue
        const { lengthMax: _, ...shape } = format
        const counts = isCounted ? { counts: { ...format.counts, trailer: true } } : {}
        const behind = trailer === "etx-lrc" ? "03 and a check byte" : trailer
        candidates.push({
          name: undefined,
          title: `${title}${isCounted ? ", counting" : ", and"} ${behind} behind the message`,
          format: withLongest({ ...shape, ...counts, trailer })
        })
      }
  return candidates
}
