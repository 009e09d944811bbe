/**
 * A partner's end of a line, held in the hand of a test: whole messages and single bytes, FIN and RST at any point. It
 * speaks CUPS by the codec and uses nothing of the switch.
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
import { isOver } from "../../Pace.ts"

const codec = compile(cups)

/** A message in its frame. */
export const frameOf = (message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(bytes._tag)
  return wholeFrame(cupsFrame, bytes)
}

/** A purchase of acquirer 48020000 with its own STAN and RRN, and no track; `pan` says where it goes. */
export const purchase = (stan: number, pan = "6200000000000005"): Message => ({
  header: { destination: "00010000", source: "48020000" },
  mti: "0200",
  fields: {
    2: pan,
    3: "000000",
    4: "000000001000",
    7: "1122210411",
    11: String(stan % 1_000_000).padStart(6, "0"),
    12: "210411",
    13: "1122",
    18: "5411",
    22: "021",
    25: "00",
    32: "48020000",
    33: "48020000",
    37: `RRN${String(stan).padStart(9, "0")}`,
    41: "T0000001",
    42: "M00000000000001",
    49: "156"
  }
})

/** The answer to a message, without the track of its card. */
export const answerTo = (message: Message, code = "00"): Message => {
  const { 35: _track, ...fields } = message.fields
  return {
    header: answerHeader(cups46, message.header ?? {}),
    mti: mtiText(responseMti(Number(message.mti))),
    fields: { ...fields, 39: code }
  }
}

/** The text of a field; "" when it is not there. */
export const text = (message: Message, de: number): string => String(reveal(message.fields[de] ?? ""))

/** How a line ended, as this end saw it. */
export type End = "FIN" | "RST" | "here"

/** One connection. As any program would, it closes its own direction once the other end has closed its. */
export class Line {
  readonly socket: Socket
  /** How it ended, and when, in monotonic milliseconds. */
  readonly ended: Promise<{ readonly how: End; readonly at: number }>
  /** Called for each message; without it they wait for `next`. */
  onMessage: ((message: Message) => void) | undefined
  private readonly framer = new Framer(cupsFrame)
  private readonly messages: Array<Message> = []
  private readonly waiting: Array<(message: Message) => void> = []

  private constructor(socket: Socket) {
    this.socket = socket
    const sink = {
      frame: (buffer: Buffer, start: number, end: number) => this.take(buffer, start, end),
      idle: () => undefined
    }
    socket.on("data", (chunk) => this.framer.push(chunk, sink))
    this.ended = new Promise((resolve) => {
      const end = (how: End) => resolve({ how, at: performance.now() })
      socket.on("end", () => end("FIN"))
      socket.on("error", () => end("RST"))
      socket.on("close", () => end("here"))
    })
  }

  /** Connects; tries again while nobody listens. */
  static async connect(port: number, from = "127.0.0.1", host = "127.0.0.1"): Promise<Line> {
    for (let tries = 0; ; tries++) {
      try {
        return await Line.dial(port, from, host)
      } catch (error) {
        if (tries >= 50) throw error
        await pause(20)
      }
    }
  }

  private static dial(port: number, localAddress: string, host: string): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, localAddress, noDelay: true })
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new Line(socket))
      })
    })
  }

  /** Sends a message, or bytes as they are. */
  send(message: Message | Buffer): void {
    this.socket.write(Buffer.isBuffer(message) ? message : frameOf(message))
  }

  /** The next message; fails when none comes in time. */
  next(withinMs = 20_000): Promise<Message> {
    const message = this.messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    return new Promise((resolve, reject) => {
      const began = performance.now()
      const look = setInterval(() => {
        if (!isOver(began, withinMs)) return
        clearInterval(look)
        reject(new Error(`no message came in ${withinMs} ms`))
      }, 50)
      this.waiting.push((came) => {
        clearInterval(look)
        resolve(came)
      })
    })
  }

  /** Done when everything sent so far has been handed to the kernel. */
  get drained(): Promise<void> {
    return new Promise((resolve) => this.socket.write("", () => resolve()))
  }

  /** Answers as many echoes as a reopened connection has to answer. */
  async prove(echoes: number): Promise<void> {
    for (let n = 0; n < echoes; n++) this.send(answerTo(await this.next()))
  }

  /** Closes both directions. */
  close(): void {
    this.socket.destroy()
  }

  /** Ends the line. After FIN the other direction stays open. */
  end(how: "FIN" | "RST"): void {
    if (how === "FIN") this.socket.end()
    else this.socket.resetAndDestroy()
  }

  private take(buffer: Buffer, start: number, end: number): void {
    const message = codec.decode(Buffer.from(buffer.subarray(start, end)), 0, end - start)
    if (isMessageError(message)) throw new Error(message._tag)
    if (this.onMessage !== undefined) return this.onMessage(message)
    const waiting = this.waiting.shift()
    if (waiting === undefined) this.messages.push(message)
    else waiting(message)
  }
}

/** Longest pause between two looks, in ms: what a look costs is work that others wait for. */
const PAUSE_MAX = 50

/** Waits. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until `look` is true. */
export const until = async (look: () => boolean | Promise<boolean>, what: string, limitMs = 20_000): Promise<void> => {
  const began = performance.now()
  let wait = 5
  while (!(await look())) {
    if (isOver(began, limitMs)) throw new Error(`${what}: not in ${limitMs} ms`)
    await pause(wait)
    wait = Math.min(2 * wait, PAUSE_MAX)
  }
}
