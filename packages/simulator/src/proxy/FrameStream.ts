/**
 * The frames of one direction with the very bytes in which they came.
 *
 * Owns where each frame begins and ends. Bytes of a frame that is not whole yet may be asked for early, so that a stream without
 * faults passes through as it comes. A stream that breaks the frame is given on as it is from there.
 */
import { explainFrame, type FrameFormat, Framer, frameOverhead } from "@jinka/codec"

/** Where frames go. `given`: so many of the frame's first bytes were taken early; a frame is whole all the same. */
export interface FrameSinkWhole {
  readonly message: (frame: Buffer, from: number, to: number, given: number) => void
  readonly idle: (frame: Buffer, given: number) => void
  /** The stream is no frames of this format, from these bytes on. */
  readonly unframed: (rest: Buffer, says: string) => void
}

/** Cuts a stream into frames; see the module header. */
export class FrameStream {
  private readonly framer: Framer
  private readonly before: number
  private readonly around: number
  private readonly sink: FrameSinkWhole
  private rest: Buffer = Buffer.alloc(0)
  private given = 0
  private isBroken = false

  constructor(format: FrameFormat, sink: FrameSinkWhole) {
    this.framer = new Framer(format)
    const { before, after } = frameOverhead(format)
    this.before = before
    this.around = before + after
    this.sink = sink
  }

  /** Whether no byte of the open frame was taken early. */
  get isAtBorder(): boolean {
    return this.given === 0
  }

  push(bytes: Buffer): void {
    if (this.isBroken) return this.sink.unframed(bytes, "")
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    const error = this.framer.push(bytes, {
      frame: (_buffer, start, end) => {
        const length = end - start
        const { frame, given } = this.take(length + this.around)
        this.sink.message(frame, this.before, this.before + length, given)
      },
      idle: (_buffer, start, end) => {
        const { frame, given } = this.take(end - start)
        this.sink.idle(frame, given)
      }
    })
    if (error === undefined) return
    this.isBroken = true
    this.sink.unframed(this.early(), explainFrame(error))
  }

  /** What there is of the open frame and was not taken yet. */
  early(): Buffer {
    const bytes = this.rest.subarray(this.given)
    this.given = this.isBroken ? 0 : this.rest.length
    return bytes
  }

  private take(size: number): { readonly frame: Buffer; readonly given: number } {
    const frame = this.rest.subarray(0, size)
    const { given } = this
    this.rest = this.rest.subarray(size)
    this.given = 0
    return { frame, given }
  }
}
