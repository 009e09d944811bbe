/**
 * A connection pooler on this machine as PgBouncer is one with `pool_mode = transaction`: it answers a client's start by itself,
 * keeps sessions of its own with the server, and gives each transaction the next of them. It speaks the frontend/backend protocol
 * (postgresql.org/docs, "Message Flow"); the server lets everybody in.
 */
import { connect, createServer, type Server, type Socket } from "node:net"

/** Sessions that it keeps with the server for one client. */
const POOL = 2
const SSL_REQUEST = 80_877_103
/** More than any process number of Linux. */
const NO_PROCESS = 5_000_000

/** Whole messages out of a stream: a letter, a length that counts itself, and as much. */
class Messages {
  private rest = Buffer.alloc(0)

  take(bytes: Buffer): ReadonlyArray<Buffer> {
    this.rest = Buffer.concat([this.rest, bytes])
    const found: Array<Buffer> = []
    while (this.rest.length >= 5) {
      const length = 1 + this.rest.readInt32BE(1)
      if (this.rest.length < length) break
      found.push(this.rest.subarray(0, length))
      this.rest = this.rest.subarray(length)
    }
    return found
  }
}

const letterOf = (message: Buffer): string => String.fromCharCode(message[0]!)
/** `ReadyForQuery` between two transactions. */
const isIdle = (message: Buffer): boolean => letterOf(message) === "Z" && message[5] === "I".charCodeAt(0)

/** A session with the server, begun with the client's own start message. */
class Backend {
  /** What the server said before it was ready. */
  greeting: ReadonlyArray<Buffer> = []
  onMessage: (message: Buffer) => void = () => undefined
  readonly socket: Socket

  constructor(port: number, startup: Buffer, ready: () => void) {
    this.socket = connect({ host: "127.0.0.1", port })
    this.socket.write(startup)
    const messages = new Messages()
    const greeting: Array<Buffer> = []
    this.onMessage = (message) => {
      greeting.push(message)
      if (!isIdle(message)) return
      this.greeting = greeting
      ready()
    }
    this.socket.on("data", (bytes: Buffer) => {
      for (const message of messages.take(bytes)) this.onMessage(message)
    })
    this.socket.on("error", () => undefined)
  }
}

/** One client: its transactions go one after the other, each to the next session. */
class Client {
  private readonly backends: ReadonlyArray<Backend>
  private readonly waiting: Array<Buffer> = []
  private turn = 0
  private isBusy = true

  constructor(near: Socket, port: number, startup: Buffer, passesKey: boolean) {
    let missing = POOL
    this.backends = Array.from(
      { length: POOL },
      () => new Backend(port, startup, () => --missing === 0 && this.greet(near, passesKey))
    )
    near.on("close", () => {
      for (const { socket } of this.backends) socket.destroy()
    })
    const messages = new Messages()
    let unit: Array<Buffer> = []
    near.on("data", (bytes: Buffer) => {
      for (const message of messages.take(bytes)) {
        unit.push(message)
        if (letterOf(message) !== "S" && letterOf(message) !== "Q") continue
        this.waiting.push(Buffer.concat(unit))
        unit = []
        this.go()
      }
    })
  }

  /** What the server has said to the first session; the process and its secret are the pooler's own invention, or not. */
  private greet(near: Socket, passesKey: boolean): void {
    const key = Buffer.from("K\0\0\0\x0c\0\0\0\0\0\0\0\0", "latin1")
    key.writeInt32BE(NO_PROCESS, 5)
    near.write(
      Buffer.concat(
        this.backends[0]!.greeting.map((message) => (letterOf(message) === "K" && !passesKey ? key : message))
      )
    )
    for (const backend of this.backends) {
      backend.onMessage = (message) => {
        near.write(message)
        if (letterOf(message) !== "Z") return
        if (isIdle(message)) this.turn++
        this.isBusy = false
        this.go()
      }
    }
    this.isBusy = false
    this.go()
  }

  private go(): void {
    const next = this.isBusy ? undefined : this.waiting.shift()
    if (next === undefined) return
    this.isBusy = true
    this.backends[this.turn % POOL]!.socket.write(next)
  }
}

/** See the header. */
export class Pooler {
  private readonly server: Server

  private constructor(target: number, passesKey: boolean) {
    this.server = createServer((near) => {
      near.on("error", () => undefined)
      let heard = Buffer.alloc(0)
      const start = (bytes: Buffer): void => {
        heard = Buffer.concat([heard, bytes])
        if (heard.length < 8 || heard.length < heard.readInt32BE(0)) return
        if (heard.readInt32BE(4) === SSL_REQUEST) {
          heard = Buffer.alloc(0)
          return void near.write("N")
        }
        near.off("data", start)
        new Client(near, target, heard, passesKey)
      }
      near.on("data", start)
    })
  }

  /** Begins one in front of a port. `passesKey`: the client is told the first session's process of the server. */
  static begin(target: number, passesKey: boolean): Promise<Pooler> {
    const made = new Pooler(target, passesKey)
    return new Promise((resolve) => made.server.listen(0, "127.0.0.1", () => resolve(made)))
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === "object" && address !== null ? address.port : 0
  }

  close(): void {
    this.server.close()
  }
}
