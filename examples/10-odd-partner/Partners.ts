/**
 * The two odd partners, with nothing but `@jinka/codec` and `node:net`: a concentrator that puts a TPDU in front of its messages,
 * and a host whose frames are STX, packed length, message, ETX and LRC.
 */
import { connect, createServer, type Socket } from "node:net"
import {
  answerHeader,
  binaryFrame,
  compile,
  type Dialect,
  type FrameFormat,
  Framer,
  idleFrame,
  isMessageError,
  iso8583v1987Bcd,
  type Message,
  mtiText,
  nac,
  responseMti,
  wholeFrame
} from "@jinka/codec"
import { Console, Effect, type Scope } from "effect"

/** The host's frames, as `switch.yaml` has them. */
export const serialFrame: FrameFormat = {
  kind: "length",
  encoding: "bcd",
  bytes: 2,
  before: "02",
  trailer: "etx-lrc",
  lengthMax: 4096,
  idle: "zero-length"
}

/** Whole messages and idle frames of one socket, in a dialect and a frame. */
const spoken = (dialect: Dialect, frame: FrameFormat) => {
  const codec = compile(dialect)
  return {
    frameOf: (message: Message): Buffer => {
      const bytes = codec.encode(message)
      if (isMessageError(bytes)) throw new Error(`the example's message is wrong: ${bytes._tag}`)
      return wholeFrame(frame, bytes)
    },
    hear: (socket: Socket, each: (message: Message) => void, idle: () => void = () => undefined): void => {
      const framer = new Framer(frame)
      const take = (buffer: Buffer, start: number, end: number) => {
        const message = codec.decode(buffer, start, end)
        if (isMessageError(message)) throw new Error(`the switch sent what cannot be read: ${message._tag}`)
        each(message)
      }
      socket.on("data", (chunk) => framer.push(chunk, { frame: take, idle }))
      socket.on("error", () => undefined)
    },
    answerTo: (message: Message, code: string): Message => ({
      ...(codec.layout.header === undefined ? {} : { header: answerHeader(codec.layout.header, message.header ?? {}) }),
      mti: mtiText(responseMti(Number(message.mti))),
      fields: { ...message.fields, 39: code }
    })
  }
}

const terminal = spoken(nac, binaryFrame)

/** The concentrator: asks one purchase at a time. */
export class Terminals {
  private readonly socket: Socket
  private stan = 0
  private answered: ((answer: Message) => void) | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    terminal.hear(socket, (message) => {
      if (message.mti === "0800") socket.write(terminal.frameOf(terminal.answerTo(message, "00")))
      else this.answered?.(message)
    })
  }

  /** Dials the switch; closed with the scope. */
  static dial = (port: number): Effect.Effect<Terminals, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Terminals>((resume) => {
        const socket = connect(port, "127.0.0.1", () => resume(Effect.succeed(new Terminals(socket))))
      }),
      ({ socket }) => Effect.sync(() => socket.destroy())
    )

  /** Sends a purchase and prints what became of it; gives DE 39. */
  readonly buy: Effect.Effect<string> = Effect.callback<Message>((resume) => {
    this.answered = (answer) => resume(Effect.succeed(answer))
    this.socket.write(terminal.frameOf(this.purchase()))
  }).pipe(
    Effect.tap((answer) =>
      Console.log(
        `terminals: purchase ${this.stan} answered ${answer.fields[39]}, TPDU to ${answer.header?.["destination"]} from ${answer.header?.["source"]}`
      )
    ),
    Effect.map((answer) => String(answer.fields[39]))
  )

  private purchase(): Message {
    this.stan++
    return {
      header: { destination: "0012", source: "8001" },
      mti: "0200",
      fields: {
        2: "6219990000000005",
        3: "000000",
        4: "000000001230",
        7: "1122210411",
        11: String(this.stan).padStart(6, "0"),
        12: "210411",
        13: "1122",
        22: "021",
        25: "00",
        32: "48020000",
        37: `RRN${String(this.stan).padStart(9, "0")}`,
        41: "T0000001",
        42: "M00000000000001",
        49: "156"
      }
    }
  }
}

const serial = spoken(iso8583v1987Bcd, serialFrame)

/** Silence after which the host closes, and how long it is silent itself before it sends an empty frame, in milliseconds. */
const SILENCE_MS = 4000
const IDLE_MS = 1000

/** The host: approves what comes, keeps its side of the heartbeat, and closes a line on which nothing comes. */
export class Host {
  /** Its connections so far, and what it closed because nothing came. */
  connections = 0
  silences = 0
  /** The last request as it came, in hex. */
  lastFrame = ""
  private socket: Socket | undefined
  private heardAt = 0
  private saidAt = 0
  private readonly listener = createServer((socket) => this.accepted(socket))
  private readonly clock = setInterval(() => this.look(), 100)

  private constructor() {}

  /** Listens until the scope closes. */
  static listen = (port: number): Effect.Effect<Host, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.callback<Host>((resume) => {
        const host = new Host()
        host.listener.listen(port, "127.0.0.1", () => resume(Effect.succeed(host)))
      }),
      (host) => Effect.sync(() => host.close())
    )

  /** Sends the first bytes of a frame and never the rest. */
  sayHalf(): void {
    this.socket?.write(Buffer.from("02012002", "hex"))
  }

  private accepted(socket: Socket): void {
    this.connections++
    this.socket = socket
    this.heardAt = this.saidAt = performance.now()
    socket.on("data", (chunk) => {
      this.heardAt = performance.now()
      if (chunk.length > 60) this.lastFrame = chunk.toString("hex")
    })
    serial.hear(socket, (message) => this.write(serial.frameOf(serial.answerTo(message, "00"))))
  }

  private write(bytes: Buffer): void {
    this.saidAt = performance.now()
    this.socket?.write(bytes)
  }

  private look(): void {
    const { socket } = this
    if (socket === undefined || socket.destroyed) return
    const now = performance.now()
    if (now - this.heardAt > SILENCE_MS) {
      this.silences++
      socket.destroy()
    } else if (now - this.saidAt > IDLE_MS) this.write(idleFrame(serialFrame)!)
  }

  private close(): void {
    clearInterval(this.clock)
    this.listener.close()
    this.socket?.destroy()
  }
}
