/**
 * Whether a frame that was written out makes sense as a whole: asked from the codec itself. Pure.
 */
import { type FrameFormat, frameOverhead, writeFrame } from "@jinka/codec"
import { type Draft, frameOf } from "./Draft.ts"
import { messageLengthMax } from "./FrameDocument.ts"
import { error, type Finding } from "./Problem.ts"

/** What is wrong with the link's frame; empty for a shipped one and for one whose keys are wrong by themselves. */
export const frameFinding = (link: Draft): ReadonlyArray<Finding> => {
  const part = link.part("frame")
  const frame = typeof part.raw === "object" && part.raw !== null ? frameOf(link) : undefined
  if (frame === undefined || !isWhole(part)) return []
  const wrong = wrongWith(frame)
  return wrong === undefined
    ? []
    : [error(part.path, wrong, "Compare with the partner's specification of the length header.", "")]
}

/** Whether everything that the codec reads is of the right kind; if not, the decoder says so. */
const isWhole = (part: Draft): boolean => {
  const lengthMax = part.part("lengthMax").number
  const isHex = (key: string) => !part.has(key) || /^([0-9a-fA-F]{2})*$/.test(part.part(key).text ?? "-")
  switch (part.part("kind").text) {
    case "length":
      return (
        ["ascii", "bcd", "binary", "binary-le", "hex"].includes(part.part("encoding").text ?? "") &&
        part.part("bytes").number !== undefined &&
        lengthMax !== undefined &&
        lengthMax <= messageLengthMax &&
        isHex("before") &&
        isHex("after") &&
        (isHex("trailer") || /^(none|etx-lrc)$/.test(part.part("trailer").text ?? ""))
      )
    case "delimiter":
      return part.has("delimiter") && isHex("delimiter") && lengthMax !== undefined
    default:
      return false
  }
}

const wrongWith = (frame: FrameFormat): string | undefined => {
  try {
    const { before, after } = frameOverhead(frame)
    if (frame.kind === "length") writeFrame(frame, Buffer.alloc(before + frame.lengthMax + after), 0, frame.lengthMax)
    return undefined
  } catch (cause) {
    if (cause instanceof RangeError) return "a message of `lengthMax` bytes does not fit the length header"
    if (cause instanceof TypeError) return cause.message
    throw cause
  }
}
