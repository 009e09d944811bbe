/**
 * Bytes from a file or from standard input as messages: hex digits, one message a line, or binary. Pure.
 *
 * Without a frame a line, or the whole binary input, is one message. With one, the length header is taken off, and binary input
 * may hold many messages.
 */
import { explainFrame, type FrameFormat, Framer, fromHex } from "@jinka/codec"

/** How the bytes are written. `auto`: hex if the first chunk holds nothing but hex digits and blanks. */
export type InputForm = "auto" | "hex" | "binary"

/** One message, or why there is none. `at` counts lines (hex) or messages (binary) from 1. */
export type Input =
  | { readonly _tag: "message"; readonly at: number; readonly bytes: Buffer }
  | { readonly _tag: "wrong"; readonly at: number; readonly why: string }

/** Most bytes of one line or of an unframed message. */
const lengthMax = 4 * 1024 * 1024

/** Takes chunks and gives messages. */
export class MessageInput {
  private form: InputForm
  private readonly frame: FrameFormat | undefined
  private readonly framer: Framer | undefined
  private held = Buffer.alloc(0)
  private count = 0
  /** No frame begins where the last one ended badly, and it was said. */
  private isBroken = false

  constructor(form: InputForm, frame: FrameFormat | undefined) {
    this.form = form
    this.frame = frame
    this.framer = frame === undefined ? undefined : new Framer(frame)
  }

  /** The messages that the chunk completes. */
  push(chunk: Uint8Array): ReadonlyArray<Input> {
    if (this.form === "auto" && chunk.length > 0) this.form = isHexText(chunk) ? "hex" : "binary"
    if (this.form === "binary" && this.framer !== undefined) return this.framed(this.framer, chunk)
    this.held = Buffer.concat([this.held, chunk])
    if (this.form === "hex") return this.lines(false)
    return this.held.length > lengthMax ? [this.overlong()] : []
  }

  /** What is left at the end of the input. */
  end(): ReadonlyArray<Input> {
    if (this.form === "hex") return this.lines(true)
    if (this.isBroken) return []
    if (this.framer !== undefined) {
      const wrong = this.framer.end({ frame: () => undefined, idle: () => undefined })
      return wrong === undefined ? [] : [{ _tag: "wrong", at: ++this.count, why: explainFrame(wrong) }]
    }
    return this.held.length === 0 ? [] : [{ _tag: "message", at: ++this.count, bytes: this.held }]
  }

  private framed(framer: Framer, chunk: Uint8Array): ReadonlyArray<Input> {
    const found: Array<Input> = []
    const wrong = framer.push(chunk, {
      frame: (buffer, start, end) =>
        found.push({ _tag: "message", at: ++this.count, bytes: buffer.subarray(start, end) }),
      idle: () => ++this.count
    })
    if (wrong !== undefined && !this.isBroken) {
      this.isBroken = true
      found.push({ _tag: "wrong", at: ++this.count, why: explainFrame(wrong) })
    }
    return found
  }

  private lines(isEnd: boolean): ReadonlyArray<Input> {
    const found: Array<Input> = []
    let from = 0
    for (let to = this.held.indexOf(0x0a); to >= 0; to = this.held.indexOf(0x0a, from)) {
      found.push(...this.line(this.held.toString("latin1", from, to)))
      from = to + 1
    }
    if (isEnd) found.push(...this.line(this.held.toString("latin1", from)))
    this.held = this.held.subarray(isEnd ? this.held.length : from)
    if (this.held.length > lengthMax) found.push(this.overlong())
    return found
  }

  private line(text: string): ReadonlyArray<Input> {
    const at = ++this.count
    const digits = text.replace(/\s/g, "")
    if (digits === "") return []
    const bytes = fromHex(digits)
    if (bytes === undefined) return [{ _tag: "wrong", at, why: "these are not pairs of hex digits" }]
    return [
      this.frame === undefined ? { _tag: "message", at, bytes: Buffer.from(bytes) } : unframed(this.frame, bytes, at)
    ]
  }

  private overlong(): Input {
    this.held = Buffer.alloc(0)
    return { _tag: "wrong", at: ++this.count, why: `no message has more than ${lengthMax} bytes` }
  }
}

const isHexText = (chunk: Uint8Array): boolean => /^[0-9a-fA-F\s]*$/.test(Buffer.from(chunk).toString("latin1"))

/** The one message in the frame of a line. */
const unframed = (frame: FrameFormat, bytes: Uint8Array, at: number): Input => {
  const found: Array<Buffer> = []
  const sink = {
    frame: (buffer: Buffer, start: number, end: number) => {
      found.push(buffer.subarray(start, end))
    },
    idle: () => undefined
  }
  const framer = new Framer(frame)
  const wrong = framer.push(bytes, sink) ?? framer.end(sink)
  if (wrong !== undefined) return { _tag: "wrong", at, why: explainFrame(wrong) }
  if (found.length === 1) return { _tag: "message", at, bytes: found[0]! }
  return {
    _tag: "wrong",
    at,
    why: found.length === 0 ? "an idle frame, which holds no message" : "more than one frame"
  }
}
