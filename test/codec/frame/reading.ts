/** What the tests of frames share: reading chunks, writing a message in its frame, and a length header with few words. */
import {
  type FrameError,
  type FrameFormat,
  Framer,
  frameOverhead,
  type LengthHeader,
  wholeFrame,
  writeFrame
} from "@jinka/codec"
import { expect } from "vitest"

/** What a framer gave. */
export interface Read {
  readonly frames: Array<string>
  readonly idle: Array<string>
  readonly error: FrameError | undefined
  readonly open: number
}

/** Feeds the chunks to a framer, then the end of the connection when asked. */
export const read = (format: FrameFormat, chunks: ReadonlyArray<Uint8Array>, end = false): Read => {
  const framer = new Framer(format)
  const frames: Array<string> = []
  const idle: Array<string> = []
  const sink = {
    frame: (buffer: Buffer, from: number, to: number) => void frames.push(buffer.toString("hex", from, to)),
    idle: (buffer: Buffer, from: number, to: number) => void idle.push(buffer.toString("hex", from, to))
  }
  let error: FrameError | undefined
  for (const chunk of chunks) error = framer.push(chunk, sink)
  if (end) error = framer.end(sink)
  return { frames, idle, error, open: framer.open }
}

/** Bytes of hex. */
export const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")

/** A message in its frame: the same in a buffer of the test's as in one of the codec's own. */
export const framed = (format: FrameFormat, message: Uint8Array): Buffer<ArrayBuffer> => {
  const { before, after } = frameOverhead(format)
  const out = Buffer.alloc(before + message.length + after)
  out.set(message, before)
  expect(writeFrame(format, out, 0, message.length)).toBe(out.length)
  expect(wholeFrame(format, message)).toEqual(out)
  return out
}

/** A length header of 4 ASCII digits, changed. */
export const header = (changes: Partial<LengthHeader>): LengthHeader => ({
  kind: "length",
  encoding: "ascii",
  bytes: 4,
  lengthMax: 1000,
  idle: "none",
  ...changes
})
