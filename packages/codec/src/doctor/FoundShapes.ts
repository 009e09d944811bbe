/**
 * Frames that the doctor finds by looking, where no named one explains the bytes: a length behind other bytes (STX), bytes
 * between length and message, and behind it what is the same behind every message, or ETX with its check byte; the length may
 * count any of them.
 *
 * Whatever the parts are, a frame is longer than its length says by the same number each time. So first that number is looked for
 * with which one frame ends where the next one begins; then the ways to divide it into parts are candidates.
 */
import { coverRunsOfHex } from "../cover/DigitRuns.ts"
import { type NumberForm, numberMax, readNumber } from "../encoding/Digits.ts"
import { toHex } from "../encoding/Hex.ts"
import type { LengthHeader } from "../frame/FrameFormat.ts"
import { xor } from "../frame/FrameShape.ts"
import { LONGEST, namedFrames, withLongest } from "../frame/NamedFrames.ts"
import type { FrameCandidate } from "./FrameCandidates.ts"

/** How a length is written. */
interface LengthForm {
  readonly title: string
  readonly encoding: LengthHeader["encoding"]
  readonly bytes: number
}

const formsOf = (
  encoding: Exclude<NumberForm, "ebcdic">,
  title: (bytes: number) => string,
  ...sizes: ReadonlyArray<number>
): ReadonlyArray<LengthForm> => sizes.map((bytes) => ({ title: title(bytes), encoding, bytes }))

/** The more usual ones first. */
const lengthForms: ReadonlyArray<LengthForm> = [
  ...formsOf("ascii", (bytes) => `${bytes} ASCII digits`, 4),
  ...formsOf("binary", (bytes) => `${bytes} bytes big-endian`, 2, 4, 3),
  ...formsOf("bcd", (bytes) => `${bytes} bytes packed decimal`, 2, 3, 4),
  ...formsOf("ascii", (bytes) => `${bytes} ASCII digits`, 3, 5, 6, 8, 10),
  ...formsOf("hex", (bytes) => `${bytes} ASCII hex digits`, 4, 8),
  ...formsOf("binary-le", (bytes) => `${bytes} bytes little-endian`, 2, 4),
  ...formsOf("binary", () => "1 byte", 1),
  ...formsOf("ascii", (bytes) => `${bytes} ASCII digits`, 2)
]

/** Most bytes of each part that is looked for. */
const BEFORE_MAX = 2
const AFTER_MAX = 4
const TRAILER_MAX = 8

/** Of a single message any last bytes could be a trailer. */
const TRAILER_ALONE_MAX = 4

/** Bytes of a TPDU that some lengths do not count. */
const TPDU = 5

/** Least bytes of a message: its type and a bitmap. */
const MESSAGE_MIN = 10

/** Frames that are looked at, and candidates that are given. */
const FRAMES_MAX = 16
const CANDIDATES_MAX = 128

/** Frames of one form, one behind the other, each so much longer than its length says. */
interface Walk {
  readonly form: LengthForm
  readonly before: number
  readonly longer: number
  readonly hasIdle: boolean
  readonly frames: ReadonlyArray<{ readonly from: number; readonly to: number }>
}

/** Control characters, the same in front of every frame: what a line puts there. */
const isBefore = (buffer: Buffer, from: number, bytes: number): boolean => {
  for (let at = 0; at < bytes; at++) {
    const byte = buffer[at]!
    if (byte < 1 || byte > 0x1f || buffer[from + at] !== byte) return false
  }
  return true
}

/** `undefined`: the bytes are no such frames. `idle`: bytes of a frame whose length is zero. */
const walk = (form: LengthForm, before: number, longer: number, idle: number, buffer: Buffer): Walk | undefined => {
  const head = before + form.bytes
  const frames: Array<{ readonly from: number; readonly to: number }> = []
  let hasIdle = false
  let from = 0
  while (frames.length < FRAMES_MAX && from + head <= buffer.length) {
    if (!isBefore(buffer, from, before)) return undefined
    const said = readNumber(form.encoding, buffer, from + before, from + head)
    if (said < 0) return undefined
    if (said === 0) {
      hasIdle = true
      from += idle
      continue
    }
    const rest = said + longer
    if (rest < MESSAGE_MIN || rest > LONGEST) return undefined
    const to = from + head + rest
    if (to > buffer.length) break
    frames.push({ from, to })
    from = to
  }
  // A single whole frame in front of another one that is cut off proves nothing.
  const isWhole = from === buffer.length || frames.length > 1
  return isWhole && frames.length > 0 ? { form, before, longer, hasIdle, frames } : undefined
}

/** What is behind every message: `etx-lrc`, the bytes that all have in common in hex, or `undefined`. */
const trailerOf = ({ frames, before }: Walk, buffer: Buffer, bytes: number): string | undefined => {
  const isLrc = frames.every(
    ({ from, to }) => bytes === 2 && buffer[to - 2] === 3 && buffer[to - 1] === xor(buffer, from + before, to - 1)
  )
  if (isLrc) return "etx-lrc"
  const [first] = frames.map(({ to }) => toHex(buffer, to - bytes, to))
  const isCommon = frames.every(({ to }) => toHex(buffer, to - bytes, to) === first)
  return first !== undefined && isCommon && !isDigits(first) ? first : undefined
}

/**
 * Packed digits are rather a piece of a message: a piece of a card number is not proposed as a part of the frame. The same byte
 * again and again is none.
 */
const isDigits = (part: string): boolean =>
  /[1-9]/.test(part) && !/^(..)\1*$/.test(part) && coverRunsOfHex(part) !== part

/** The bytes between length and message in hex; their number is all that reading needs. */
const afterOf = ({ form, frames, before }: Walk, buffer: Buffer, bytes: number): string => {
  const parts = frames.map(({ from }) => from + before + form.bytes).map((at) => toHex(buffer, at, at + bytes))
  const [first] = parts
  return first !== undefined && parts.every((part) => part === first) && !isDigits(first) ? first : "00".repeat(bytes)
}

/** Parts that a length may count, the more usual ones first. */
const countings: ReadonlyArray<ReadonlyArray<keyof NonNullable<LengthHeader["counts"]>>> = [
  [],
  ["trailer"],
  ["itself"],
  ["itself", "trailer"],
  ["after"],
  ["after", "trailer"],
  ["itself", "after"],
  ["itself", "after", "trailer"],
  ["before", "itself"],
  ["before", "itself", "trailer"],
  ["before", "itself", "after", "trailer"]
]

const partWords = { itself: "itself", before: "what is before it", after: "what is after it", trailer: "the end" }

const titleOf = (
  title: string,
  { before, after, trailer, counts, uncounted }: Omit<LengthHeader, "lengthMax">
): string => {
  const bytes = (after ?? "").length / 2
  const parts = [
    ...(before === undefined ? [] : [before]),
    bytes === 0 ? title : `${title} and ${bytes} other byte${bytes === 1 ? "" : "s"}`,
    "message",
    ...(trailer === undefined ? [] : [trailer === "etx-lrc" ? "03 and a check byte" : trailer.toUpperCase()])
  ]
  const counted = Object.keys(counts ?? {}).map((part) => partWords[part as keyof typeof partWords])
  const says = counted.length === 0 ? "" : `; the length counts ${counted.join(" and ")}`
  return `${parts.join(", ")}${says}${uncounted === undefined ? "" : `; the length does not count a TPDU of ${uncounted} bytes`}`
}

/** The frame of a walk with these bytes behind the length and behind the message; `undefined` where no counting gives it. */
const divided = (found: Walk, buffer: Buffer, after: number, trailer: number): FrameCandidate | undefined => {
  const { form, before, longer, hasIdle } = found
  const counted = after + trailer - longer
  const sizes = { itself: form.bytes, before, after, trailer }
  const counting = countings.find(
    (parts) => parts.every((part) => sizes[part] > 0) && parts.reduce((sum, part) => sum + sizes[part], 0) === counted
  )
  const isTpdu = counting === undefined && counted === -TPDU && after === 0
  if (counting === undefined && !isTpdu) return undefined
  const end = trailer === 0 ? undefined : trailerOf(found, buffer, trailer)
  if (trailer > 0 && end === undefined) return undefined
  const shape: Omit<LengthHeader, "lengthMax"> = {
    kind: "length",
    encoding: form.encoding,
    bytes: form.bytes,
    idle: "zero-length",
    ...(counting === undefined || counting.length === 0
      ? {}
      : { counts: Object.fromEntries(counting.map((part) => [part, true])) }),
    ...(isTpdu ? { uncounted: TPDU } : {}),
    ...(before === 0 ? {} : { before: toHex(buffer, 0, before) }),
    ...(after === 0 ? {} : { after: afterOf(found, buffer, after) }),
    ...(end === undefined ? {} : { trailer: end })
  }
  if (numberMax(form.encoding, form.bytes) <= counted) return undefined
  const format = withLongest(shape)
  return isNamed(format, hasIdle) ? undefined : { name: undefined, title: titleOf(form.title, shape), format }
}

/** What a format is on the wire, as a text; of captures without idle frames those are left out. */
const wireText = ({ lengthMax: _, idle, ...wire }: LengthHeader, hasIdle: boolean): string =>
  JSON.stringify(Object.entries(hasIdle ? { ...wire, idle } : wire).sort())

/** The named frames, which were tried already. */
const namedTexts = (hasIdle: boolean): ReadonlySet<string> =>
  new Set(namedFrames.flatMap(({ format }) => (format.kind === "length" ? [wireText(format, hasIdle)] : [])))
const named = { withIdle: namedTexts(true), withoutIdle: namedTexts(false) }

const isNamed = (format: LengthHeader, hasIdle: boolean): boolean =>
  (hasIdle ? named.withIdle : named.withoutIdle).has(wireText(format, hasIdle))

/** The ways in which the bytes are such frames, one behind the other from the first byte; the simpler ones first. */
export const foundShapes = (buffer: Buffer): ReadonlyArray<FrameCandidate> => {
  const candidates: Array<FrameCandidate> = []
  for (let before = 0; before <= BEFORE_MAX; before++)
    for (const form of lengthForms) {
      const head = before + form.bytes
      for (let longer = -head; longer <= AFTER_MAX + TRAILER_MAX; longer++)
        for (const isCounted of [false, true]) {
          const found = walk(form, before, longer, isCounted ? head : Math.max(head, head + longer), buffer)
          if (found === undefined) continue
          const trailerMax = found.frames.length > 1 ? TRAILER_MAX : TRAILER_ALONE_MAX
          for (let after = 0; after <= AFTER_MAX; after++)
            for (let trailer = 0; trailer <= trailerMax; trailer++) {
              // Where the length counts nothing else, an idle frame has all the other parts.
              if ((after + trailer === longer) === isCounted) continue
              const candidate = divided(found, buffer, after, trailer)
              if (candidate !== undefined) candidates.push(candidate)
            }
        }
    }
  return candidates.sort((one, two) => parts(one) - parts(two)).slice(0, CANDIDATES_MAX)
}

/** How much there is besides a length and a message. */
const parts = ({ format }: FrameCandidate): number => {
  const { before = "", after = "", trailer = "", counts = {} } = format as LengthHeader
  const isThere = [before, after, trailer].filter((part) => part !== "").length
  return isThere + Object.keys(counts).length
}
