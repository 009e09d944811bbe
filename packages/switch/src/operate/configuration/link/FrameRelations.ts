/**
 * Whether a frame that was written out makes sense as a whole: asked from the codec itself. Pure.
 */
import { type FrameFormat, frameOverhead, idleFrame, type LengthHeader, writeFrame } from "@jinka/codec"
import { type Draft, dialectOf, frameOf } from "../text/Draft.ts"
import { error, type Finding, warning } from "../text/Problem.ts"

/** What is wrong with the link's frame; empty for a shipped one and for one whose keys are wrong by themselves. */
export const frameFinding = (link: Draft): ReadonlyArray<Finding> => {
  const { raw, path } = link.part("frame")
  const frame = typeof raw === "object" && raw !== null ? frameOf(link) : undefined
  if (frame === undefined) return []
  const wrong = wrongWith(raw as object, frame)
  return wrong === undefined
    ? []
    : [error(path, wrong, "Compare with the partner's specification of the length header.", "")]
}

/** A delimiter that messages of the dialect may hold: ours then do not leave, and the partner's are cut in two. */
export const delimiterFinding = (link: Draft): ReadonlyArray<Finding> => {
  const frame = frameOf(link)
  const dialect = dialectOf(link)?.dialect
  if (frame?.kind !== "delimiter" || dialect === undefined) return []
  const { bitmap, encodings, mti, name } = dialect
  const isText = mti === "ascii" && bitmap.encoding === "hex" && encodings.digits === "ascii"
  const bytes = Buffer.from(frame.delimiter, "hex")
  const inside =
    !isText || encodings.bytes === "binary"
      ? "its binary parts"
      : bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
        ? "its texts and digits"
        : undefined
  if (inside === undefined) return []
  const rule = `a message of ${name} may hold the delimiter ${frame.delimiter} in ${inside}: it would be cut in two`
  return [warning(link.part("frame").path, rule, "Ask the partner for a length in front of each message.")]
}

/** What was found before: the rules between keys ask for the same frame many times. */
const found = new WeakMap<object, string | undefined>()

const wrongWith = (written: object, frame: FrameFormat): string | undefined => {
  if (!found.has(written)) found.set(written, tried(frame))
  return found.get(written)
}

/** Writes the longest message and the idle frame as the link would. */
const tried = (frame: FrameFormat): string | undefined => {
  try {
    const { before, after } = frameOverhead(frame)
    if (frame.kind !== "length") return undefined
    const room = Buffer.alloc(before + frame.lengthMax + after)
    if (!fits(frame, room, frame.lengthMax)) return tooLong(longestThatFits(frame, room))
    const idle = (idleFrame(frame)?.length ?? 0) - before - after
    return idle > frame.lengthMax ? "the idle frame has more bytes than `lengthMax`" : undefined
  } catch (cause) {
    if (cause instanceof TypeError) return cause.message
    // The longest message fits: it is the idle frame that does not.
    if (cause instanceof RangeError) return "the idle frame does not fit the length header"
    throw cause
  }
}

const tooLong = (most: number): string =>
  `a message of \`lengthMax\` bytes does not fit the length header${most === 0 ? "" : `, which takes ${most} at most`}`

const fits = (frame: LengthHeader, room: Buffer, length: number): boolean => {
  try {
    writeFrame(frame, room, 0, length)
    return true
  } catch (cause) {
    if (cause instanceof RangeError) return false
    throw cause
  }
}

/** Most bytes of a message that the header can say; 0: it can say none. */
const longestThatFits = (frame: LengthHeader, room: Buffer): number => {
  let [most, over] = [0, frame.lengthMax]
  while (over - most > 1) {
    const middle = (most + over) >> 1
    if (fits(frame, room, middle)) most = middle
    else over = middle
  }
  return most
}
