/**
 * A partner of the switch for these tests: one TCP connection that speaks CUPS, by the codec and nothing of the switch.
 */
import { connect, type Socket } from "node:net"
import {
  answerHeader,
  compile,
  cups,
  cups46,
  cupsFrame,
  Framer,
  isMessageError,
  type Message,
  mtiText,
  responseMti,
  reveal,
  wholeFrame
} from "@jinka/codec"

const codec = compile(cups)

/** Track 2 of the test card; must not stand anywhere outside of the wire. */
export const pan = "6212340000000000003"

/** A purchase with its own STAN and RRN. */
export const purchase = (stan: number): Message => ({
  header: { destination: "00010000", source: "48020000" },
  mti: "0200",
  fields: {
    2: pan,
    3: "000000",
    4: "000000001000",
    7: "1122210411",
    11: String(stan).padStart(6, "0"),
    12: "210411",
    13: "1122",
    18: "5411",
    22: "021",
    25: "00",
    32: "48020000",
    33: "48020000",
    35: `${pan}=2512`,
    37: `RRN${String(stan).padStart(9, "0")}`,
    41: "T0000001",
    42: "M00000000000001",
    49: "156"
  }
})

/** The answer to a message, with a response code. */
export const answerTo = (message: Message, code: string): Message => {
  const { 35: _track, ...fields } = message.fields
  return {
    header: answerHeader(cups46, message.header ?? {}),
    mti: mtiText(responseMti(Number(message.mti))),
    fields: { ...fields, 39: code }
  }
}

/** Text of a field. */
export const text = (message: Message, de: number): string => String(reveal(message.fields[de] ?? ""))

/** One connection. */
export class Partner {
  private readonly socket: Socket
  private readonly framer = new Framer(cupsFrame)
  private readonly messages: Array<Message> = []
  private readonly waiting: Array<(message: Message) => void> = []
  /** Done when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    const sink = {
      frame: (buffer: Buffer, start: number, end: number) => this.take(buffer, start, end),
      idle: () => undefined
    }
    socket.on("data", (chunk) => this.framer.push(chunk, sink))
    socket.on("error", () => undefined)
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()))
  }

  /** Connects to the switch. */
  static connect(port: number): Promise<Partner> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Partner(socket)))
      socket.once("error", reject)
    })
  }

  send(message: Message): void {
    const bytes = codec.encode(message)
    if (isMessageError(bytes)) throw new Error(bytes._tag)
    this.socket.write(wholeFrame(cupsFrame, bytes))
  }

  /** Bytes as they are. */
  raw(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  /** Stops reading; what comes fills the buffers of both kernels. */
  pause(): void {
    this.socket.pause()
  }

  /** Done when everything said so far has been handed to the kernel. */
  get drained(): Promise<void> {
    return new Promise((resolve) => this.socket.write("", () => resolve()))
  }

  /** Answers as many echoes as a reopened connection has to answer. */
  async prove(echoes: number): Promise<void> {
    for (let n = 0; n < echoes; n++) this.send(answerTo(await this.next(), "00"))
  }

  /** The next message. */
  next(): Promise<Message> {
    const message = this.messages.shift()
    return message === undefined ? new Promise((resolve) => this.waiting.push(resolve)) : Promise.resolve(message)
  }

  close(): void {
    this.socket.destroy()
  }

  private take(buffer: Buffer, start: number, end: number): void {
    const message = codec.decode(buffer, start, end)
    if (isMessageError(message)) throw new Error(message._tag)
    const waiting = this.waiting.shift()
    if (waiting === undefined) this.messages.push(message)
    else waiting(message)
  }
}
