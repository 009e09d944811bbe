/**
 * Bytes from a file or from standard input as messages: text that holds hex (`paste/PastedText`), a capture of packets
 * (`paste/CaptureFile`), or the bytes themselves. Pure.
 *
 * Without a frame each line, each run of a dump, each segment of a capture, or the whole binary input is one message. With one,
 * the length header is taken off, and each direction of a connection is put together again.
 */
import { explainFrame, type FrameFormat, Framer } from "@jinka/codec"
import { captureOf } from "./paste/CaptureFile.ts"
import { bytesOfBase64 } from "./paste/Notation.ts"
import { formOf, formSoFar, type PastedForm, pastedText, wideEncoding, withLineEnds } from "./paste/PastedForm.ts"
import { type Pasted, PastedText } from "./paste/PastedText.ts"
import { type Segment, segmentIn } from "./paste/Segment.ts"
import { streamsOf, type TcpStream } from "./paste/TcpStreams.ts"

/** How the bytes are written. `auto`: text with hex or a capture when its beginning looks like it, otherwise binary. */
export type InputForm = "auto" | "hex" | "binary"

/**
 * One message, or why there is none. `at` counts lines (text) or messages (binary, captures) from 1. `flow` names the direction
 * of a connection where there are several.
 */
export type Input =
  | { readonly _tag: "message"; readonly at: number; readonly bytes: Buffer; readonly flow?: string }
  | {
      readonly _tag: "wrong"
      readonly at: number
      readonly why: string
      readonly flow?: string
      /** See `Pasted`. */
      readonly isProse?: boolean
    }

/** Most bytes of one line or of an unframed message. */
const LENGTH_MAX = 4 * 1024 * 1024

/** Most bytes of a capture. */
const CAPTURE_MAX = 256 * 1024 * 1024

/** Takes chunks and gives messages. */
export class MessageInput {
  private form: InputForm | PastedForm
  private readonly frame: FrameFormat | undefined
  private readonly isMessage: ((bytes: Buffer) => boolean) | undefined
  private readonly text: PastedText
  private readonly framers = new Map<string, Framer>()
  private readonly segments: Array<Segment> = []
  private decoder: InstanceType<typeof TextDecoder> | undefined
  private held: Array<Buffer> = []
  private heldLength = 0
  private count = 0
  /** Nobody said how the input is written. */
  private isGuessed = false
  /** Directions in which no frame begins where the last one ended badly, and it was said. */
  private readonly broken = new Set<string>()

  /** `isMessage` decides where a text can be read in two ways: as hex or as the message itself, as one line or several. */
  constructor(form: InputForm, frame: FrameFormat | undefined, isMessage?: (bytes: Buffer) => boolean) {
    this.form = form
    this.frame = frame
    this.isMessage = isMessage
    this.text = new PastedText(isMessage === undefined ? undefined : (bytes) => this.isWhole(bytes))
  }

  /** The messages that the chunk completes. */
  push(chunk: Uint8Array): ReadonlyArray<Input> {
    if (chunk.length === 0) return []
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    if (this.form !== "auto") return this.taken(bytes)
    this.held.push(bytes)
    const begun = Buffer.concat(this.held)
    const form = formSoFar(begun, this.frame === undefined)
    return form === undefined ? [] : this.begin(form, begun)
  }

  /** What was held until its form was plain. */
  private begin(form: PastedForm, begun: Buffer): ReadonlyArray<Input> {
    this.form = form
    this.isGuessed = true
    this.held = []
    return begun.length === 0 ? [] : this.taken(begun)
  }

  private taken(bytes: Buffer): ReadonlyArray<Input> {
    if (this.form === "packed") return []
    if (this.form === "hex") return this.lines(bytes)
    if (this.form === "binary" && this.frame !== undefined) return this.framed(this.frame, "", bytes)
    this.held.push(bytes)
    this.heldLength += bytes.length
    if (this.form === "capture") return this.heldLength > CAPTURE_MAX ? [this.overlong(CAPTURE_MAX)] : []
    return this.heldLength > LENGTH_MAX ? [this.overlong(LENGTH_MAX)] : []
  }

  /** What is left at the end of the input. */
  end(): ReadonlyArray<Input> {
    if (this.form !== "auto") return this.ended()
    const begun = Buffer.concat(this.held)
    return [...this.begin(formOf(begun, this.frame === undefined), begun), ...this.ended()]
  }

  private ended(): ReadonlyArray<Input> {
    const held = Buffer.concat(this.held)
    this.held = []
    if (this.form === "packed") return [{ _tag: "wrong", at: ++this.count, why: packed }]
    if (this.form === "capture") return this.captured(held)
    if (this.form === "hex") {
      const last = held.length === 0 ? [] : this.line(held)
      return [...last, ...this.pasted(this.text.end()), ...this.ends(), ...this.streams(this.segments, false)]
    }
    if (this.frame !== undefined) return this.ends()
    if (held.length === 0) return []
    const bytes = this.withoutLineEnd(held)
    const lines = this.isGuessed ? this.linesThatAreMessages(held) : []
    if (lines.length > 0) return lines
    const coded = this.isGuessed ? this.codedIn(held) : []
    if (coded.length > 0) return coded
    const isNone = this.isGuessed && this.isMessage?.(bytes) === false && isProse(bytes)
    return isNone
      ? [{ _tag: "wrong", at: ++this.count, why: proseOf(bytes) }]
      : [{ _tag: "message", at: ++this.count, bytes }]
  }

  /** Whether bytes are one message, in its frame where there is one. */
  private isWhole(bytes: Buffer): boolean {
    const messages = this.frame === undefined ? [bytes] : messagesIn(this.frame, bytes)
    return messages.length > 0 && messages.every((one) => typeof one !== "string" && this.isMessage!(one))
  }

  /** A message that is text itself may have been saved with the end of its line. */
  private withoutLineEnd(bytes: Buffer): Buffer {
    const end = bytes.length - (/\r?\n$/.exec(bytes.toString("latin1", bytes.length - 2))?.[0].length ?? 0)
    const isShorter = end < bytes.length && this.isMessage?.(bytes) === false
    return isShorter && this.isMessage?.(bytes.subarray(0, end)) === true ? bytes.subarray(0, end) : bytes
  }

  /** A message on each line, where messages are text themselves; none where one line is no message. */
  private linesThatAreMessages(held: Buffer): ReadonlyArray<Input> {
    if (this.isMessage?.(held) !== false) return []
    const lines = held.toString("latin1").split(/\r?\n/)
    const found = lines.flatMap(
      (line, at): ReadonlyArray<Input & { readonly _tag: "message" }> =>
        line.trim() === "" ? [] : [{ _tag: "message", at: at + 1, bytes: Buffer.from(line, "latin1") }]
    )
    return found.length > 1 && found.every(({ bytes }) => this.isMessage?.(bytes) === true) ? found : []
  }

  /** Messages in base64: one over all lines, or one on each. */
  private codedIn(held: Buffer): ReadonlyArray<Input> {
    if (this.isMessage?.(held) !== false) return []
    const text = pastedText(held)
    const lines = text.split("\n").map((line, at) => ({ at: at + 1, line }))
    for (const parts of [[{ at: 1, line: text }], lines.filter(({ line }) => line.trim() !== "")]) {
      const found = parts.flatMap(({ at, line }): ReadonlyArray<Input> => {
        const bytes = bytesOfBase64(line)
        return bytes !== undefined && this.isMessage?.(bytes) === true ? [{ _tag: "message", at, bytes }] : []
      })
      if (found.length > 0 && found.length === parts.length) return found
    }
    return []
  }

  private lines(chunk: Buffer): ReadonlyArray<Input> {
    const found: Array<Input> = []
    let from = 0
    const bytes = Buffer.concat([...this.held, this.plain(chunk)])
    for (let to = bytes.indexOf(0x0a); to >= 0; to = bytes.indexOf(0x0a, from)) {
      found.push(...this.line(bytes.subarray(from, to)))
      from = to + 1
    }
    this.held = [bytes.subarray(from)]
    if (bytes.length - from > LENGTH_MAX) found.push(this.overlong(LENGTH_MAX))
    return found
  }

  /** Bytes of one to a character, whatever the shell that wrote them writes: UTF-16 is turned back. */
  private plain(chunk: Buffer): Buffer {
    const isFirst = this.count === 0 && this.held.length === 0
    const wide = isFirst ? wideEncoding(chunk) : undefined
    if (wide !== undefined) this.decoder = new TextDecoder(wide)
    const text = this.decoder?.decode(chunk, { stream: true })
    const bytes = text === undefined ? chunk : Buffer.from(text)
    // A text without any LF is here as a whole.
    return isFirst && this.isGuessed && !bytes.includes(0x0a)
      ? Buffer.from(withLineEnds(bytes.toString("latin1")), "latin1")
      : bytes
  }

  private line(bytes: Buffer): ReadonlyArray<Input> {
    const at = ++this.count
    const text = bytes.toString("latin1")
    return this.pasted(this.text.line(at === 1 ? text.replace(/^\u00ef\u00bb\u00bf/, "") : text, at))
  }

  private pasted(found: ReadonlyArray<Pasted>): ReadonlyArray<Input> {
    return found.flatMap((one): ReadonlyArray<Input> => {
      switch (one._tag) {
        case "wrong":
          return [one]
        case "segment":
          this.segments.push(one.segment)
          return []
        case "bytes":
          return this.unframed(one.bytes, one.at)
        case "flow":
          return this.flowing(one)
      }
    })
  }

  /** A run of a dump: a message, or bytes of a direction. */
  private flowing({ at, bytes, flow, goesOn }: Pasted & { readonly _tag: "flow" }): ReadonlyArray<Input> {
    if (this.frame === undefined) return [{ _tag: "message", at, bytes }]
    const before = goesOn ? [] : this.endOf(flow)
    return [...before, ...this.framed(this.frame, flow, bytes, at)]
  }

  private unframed(bytes: Buffer, at: number): ReadonlyArray<Input> {
    if (this.frame === undefined) return [{ _tag: "message", at, bytes }]
    const messages = messagesIn(this.frame, bytes)
    if (messages.length === 0) return [{ _tag: "wrong", at, why: "an idle frame, which holds no message" }]
    return messages.map((one) =>
      typeof one === "string" ? { _tag: "wrong", at, why: one } : { _tag: "message", at, bytes: one }
    )
  }

  private captured(bytes: Buffer): ReadonlyArray<Input> {
    const { isCut, packets } = captureOf(bytes)
    const found = this.streams(
      packets.flatMap((packet) => segmentIn(packet) ?? []),
      true
    )
    return isCut ? [...found, { _tag: "wrong", at: ++this.count, why: cut }] : found
  }

  /** The directions of the connections in a capture. */
  private streams(segments: ReadonlyArray<Segment>, isCapture: boolean): ReadonlyArray<Input> {
    const streams = streamsOf(segments)
    if (isCapture && streams.length === 0) {
      const why = "the capture holds no TCP packet with bytes in it, or none in a form that is read here"
      return [{ _tag: "wrong", at: 1, why }]
    }
    return streams.flatMap((stream) => this.stream(stream))
  }

  private stream({ title, runs }: TcpStream): ReadonlyArray<Input> {
    return runs.flatMap(({ pieces, missing }): ReadonlyArray<Input> => {
      const gap = `${missing} bytes are missing here in the capture; what follows them is read as a new beginning`
      const lost: ReadonlyArray<Input> =
        missing === 0 ? [] : [{ _tag: "wrong", at: ++this.count, why: gap, flow: title }]
      const { frame } = this
      if (frame === undefined) {
        const messages = pieces.map((bytes): Input => ({ _tag: "message", at: ++this.count, bytes, flow: title }))
        return [...lost, ...messages]
      }
      return [...lost, ...this.framed(frame, title, Buffer.concat(pieces)), ...this.endOf(title)].map((one) => ({
        ...one,
        flow: title
      }))
    })
  }

  /** Bytes of one direction; `at` is the line that they begin in. */
  private framed(frame: FrameFormat, flow: string, bytes: Buffer, at?: number): ReadonlyArray<Input> {
    const found: Array<Input> = []
    const framer = this.framers.get(flow) ?? new Framer(frame)
    this.framers.set(flow, framer)
    const wrong = framer.push(bytes, {
      frame: (buffer, start, end) =>
        found.push({ _tag: "message", at: at ?? ++this.count, bytes: buffer.subarray(start, end) }),
      idle: () => (at === undefined ? ++this.count : at)
    })
    if (wrong !== undefined && !this.broken.has(flow)) {
      this.broken.add(flow)
      found.push({ _tag: "wrong", at: at ?? ++this.count, why: explainFrame(wrong) })
    }
    return found
  }

  private ends(): ReadonlyArray<Input> {
    return [...this.framers.keys()].flatMap((flow) => this.endOf(flow))
  }

  /** The end of what came in one direction: a frame may be cut off. */
  private endOf(flow: string): ReadonlyArray<Input> {
    const framer = this.framers.get(flow)
    const wasBroken = this.broken.delete(flow)
    this.framers.delete(flow)
    if (framer === undefined || wasBroken) return []
    const found: Array<Input> = []
    const wrong = framer.end({
      frame: (buffer, start, end) =>
        found.push({ _tag: "message", at: ++this.count, bytes: buffer.subarray(start, end) }),
      idle: () => undefined
    })
    return wrong === undefined ? found : [...found, { _tag: "wrong", at: ++this.count, why: explainFrame(wrong) }]
  }

  private overlong(max: number): Input {
    this.held = []
    this.heldLength = 0
    const why = `no ${max === CAPTURE_MAX ? "capture" : "message"} has more than ${max} bytes`
    return { _tag: "wrong", at: ++this.count, why }
  }
}

const packed = "this is a packed file: unpack it first (gunzip, unzip, unzstd, bunzip2 or unxz)"

const cut =
  "the capture ends inside a packet: it was cut off, or is still being written; what was in that packet is not shown"

/** Text, and none that begins like the type of a message. */
const isProse = (bytes: Buffer): boolean => {
  const text = bytes.toString("latin1")
  return /^\s*[^\d\s]/.test(text) && /[a-zA-Z]{2}/.test(text) && !/[^\P{Cc}\t\n\r\f]/u.test(text)
}

const prose =
  "this is text without a line of hex digits and without a hex dump: give the digits, or say --form binary when the text is the message. Where a viewer shows dots in place of bytes, copy them as hex (in Wireshark as a hex stream)"

/** What a program that prints bytes writes in place of the last ones, as `... 87 more bytes` of Node. */
const shortened = /\.\.\. ?\d+ more (?:bytes|items)/

const proseOf = (bytes: Buffer): string =>
  shortened.test(bytes.toString("latin1"))
    ? "what printed these bytes has left some out (`... more`): print all of them, as hex"
    : prose

/** The messages in the frames that bytes are, or what is wrong with them; idle frames are left out. */
export const messagesIn = (frame: FrameFormat, bytes: Uint8Array): ReadonlyArray<Buffer | string> => {
  const found: Array<Buffer | string> = []
  const sink = {
    frame: (buffer: Buffer, start: number, end: number) => {
      found.push(buffer.subarray(start, end))
    },
    idle: () => undefined
  }
  const framer = new Framer(frame)
  const wrong = framer.push(bytes, sink) ?? framer.end(sink)
  return wrong === undefined ? found : [...found, explainFrame(wrong)]
}
