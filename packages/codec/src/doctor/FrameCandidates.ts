/**
 * The shapes of frames that the doctor tries, and the frames that each finds in captured bytes. What is not among them it looks
 * for in the bytes (`FoundShapes`, `FoundEnds`).
 */
import type { FrameFormat } from "../frame/FrameFormat.ts"
import { Framer } from "../frame/Framer.ts"
import { frameOverhead } from "../frame/FrameShape.ts"
import { namedFrames } from "../frame/NamedFrames.ts"

/** A shape to try. */
export interface FrameCandidate {
  /** Its name, which a configuration takes too; `none`: no frame; `undefined`: found in the bytes, without a name. */
  readonly name: string | undefined
  readonly title: string
  /** `undefined`: no frame at all, the bytes are one message. */
  readonly format: FrameFormat | undefined
}

/** All shapes, the more usual ones first. */
export const frameCandidates: ReadonlyArray<FrameCandidate> = [
  ...namedFrames,
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
  /** Whether there is no whole frame: the message is the beginning of one. */
  readonly isCut: boolean
  /** The beginning of the message that is cut off behind whole frames; `undefined`: none, or too little to judge. */
  readonly rest: Buffer | undefined
}

/** Messages that are looked at; more tell nothing new. */
const MESSAGES_MAX = 64

/** Least bytes of a message that is cut off: a message type, a bitmap and a little more. */
const CUT_MIN = 16

/** The frames that a shape finds; `undefined` when the bytes break it or hold not even the beginning of one. */
export const findFrames = (candidate: FrameCandidate, bytes: Buffer): FoundFrames | undefined => {
  const { format } = candidate
  if (format === undefined)
    return { candidate, messages: [bytes], frames: 1, idle: 0, open: 0, isCut: false, rest: undefined }
  const messages: Array<Buffer> = []
  let frames = 0
  let idle = 0
  const framer = new Framer(format)
  const wrong = framer.push(bytes, {
    frame: (buffer, start, end) => {
      frames++
      if (messages.length < MESSAGES_MAX) messages.push(buffer.subarray(start, end))
    },
    idle: () => {
      idle++
    }
  })
  if (wrong !== undefined) return undefined
  const { before } = frameOverhead(format)
  const rest = framer.open - before < CUT_MIN ? undefined : bytes.subarray(bytes.length - framer.open + before)
  const found = { candidate, messages, frames, idle, open: framer.open, isCut: false, rest }
  if (frames + idle > 0) return found
  const message = bytes.subarray(before)
  return message.length < CUT_MIN ? undefined : { ...found, messages: [message], isCut: true }
}
