/**
 * Where frames go and what reads them: the two shapes that `Framer` and its readers share.
 */
import type { FrameError } from "./FrameError.ts"

/** Where whole frames go. The region `[start, end)` stays valid: the framer never writes to it again. */
export interface FrameSink {
  /** A message, without the frame's header and trailer. */
  frame(buffer: Buffer, start: number, end: number): void
  /** An idle frame, whole. */
  idle(buffer: Buffer, start: number, end: number): void
}

/** Reads one kind of frames. */
export interface FrameReader {
  push(chunk: Buffer, sink: FrameSink): FrameError | undefined
  end(sink: FrameSink): FrameError | undefined
  readonly open: number
}
