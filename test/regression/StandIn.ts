/** A system under test that does what a test of the runner tells it: it answers every message by a function, over real TCP. */
import * as Net from "node:net"
import { compile, cups, cupsFrame, Framer, type Message, wholeFrame } from "@jinka/codec"
import { Effect } from "effect"

const codec = compile(cups)

/** A message in its frame. */
export const frameOf = (message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (!Buffer.isBuffer(bytes)) throw new Error(bytes._tag)
  return wholeFrame(cupsFrame, bytes)
}

/** What the stand-in can do with a message. */
export interface Line {
  readonly message: Message
  readonly send: (bytes: Buffer) => void
  readonly socket: Net.Socket
}

/** Listens on a free port until the scope ends and gives every message to `answer`. */
export const standIn = (answer: (line: Line) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly stop: () => void }>((resume) => {
      const open = new Set<Net.Socket>()
      const listening = Net.createServer((socket) => {
        open.add(socket)
        const framer = new Framer(cupsFrame)
        socket.on("error", () => {})
        socket.on("data", (chunk: Buffer) => {
          framer.push(chunk, {
            frame: (buffer, start, end) => {
              const message = codec.decode(buffer, start, end)
              if (!("_tag" in message)) answer({ message, send: (bytes) => socket.write(bytes), socket })
            },
            idle: () => {}
          })
        })
      })
      listening.listen(0, "127.0.0.1", () => {
        const stop = () => {
          for (const socket of open) socket.destroy()
          listening.close()
        }
        resume(Effect.succeed({ port: (listening.address() as Net.AddressInfo).port, stop }))
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )

/** The answer to a message with a response code, as a good system makes it. */
export const answered = (message: Message, code: string): Buffer => {
  const { destination, source, ...rest } = message.header ?? {}
  const header = { ...rest, destination: source ?? "", source: destination ?? "" }
  const mti = `${message.mti.slice(0, 2)}${Number(message.mti[2]) + 1}${message.mti[3]}`
  return frameOf({ header, mti, fields: { ...message.fields, 39: code } })
}

/** A system that approves whatever comes. */
export const approve = ({ message, send }: Line): void => send(answered(message, "00"))

/**
 * A system that dials `port`: once the partner has closed its first connection, it closes its own side and dials again, `pauseMs`
 * milliseconds later. A slow system, in short.
 */
export const diallingAgain = (port: number, pauseMs: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const open: Array<Net.Socket> = []
      const dial = () => {
        const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
        open.push(socket)
        socket.on("error", () => {}).resume()
        return socket
      }
      const first = dial()
      const later = (act: () => void) => Effect.runFork(Effect.delay(Effect.sync(act), pauseMs))
      first.on("end", () => {
        later(() => {
          first.end()
          later(dial)
        })
      })
      return open
    }),
    (open) =>
      Effect.sync(() => {
        for (const socket of open) socket.destroy()
      })
  )
