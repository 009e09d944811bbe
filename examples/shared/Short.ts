/** Short connections of the examples: one for each question, one for each message, and a place that takes them. */
import { connect, createServer, type Socket } from "node:net"
import type { Message } from "@jinka/codec"
import { Effect, type Scope } from "effect"
import { onMessages, send } from "./Wire.ts"

/** Connects, asks, and waits for the answer and for the end of the connection; `undefined` when it ends without an answer. */
export const ask = (port: number, message: Message): Effect.Effect<Message | undefined> =>
  Effect.callback((resume) => {
    let answer: Message | undefined
    const socket = connect(port, "127.0.0.1", () => send(socket, message))
    onMessages(socket, (heard) => {
      answer = heard
    })
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.succeed(answer)))
  })

/** Connects, says one message, and closes. */
export const say = (port: number, message: Message): void => {
  const socket = connect(port, "127.0.0.1", () => {
    send(socket, message)
    socket.end()
  })
  socket.on("error", () => undefined)
}

/** Takes connections at `port` and calls `each` for every message on them; closed with the scope. */
export const take = (
  port: number,
  each: (message: Message, socket: Socket) => void
): Effect.Effect<{ readonly connections: number }, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ connections: number; close: () => void }>((resume) => {
        const sockets = new Set<Socket>()
        const listener = createServer((socket) => {
          place.connections++
          sockets.add(socket)
          socket.on("error", () => undefined)
          socket.on("close", () => sockets.delete(socket))
          onMessages(socket, (message) => each(message, socket))
        })
        const close = () => {
          listener.close()
          for (const socket of sockets) socket.destroy()
        }
        const place = { connections: 0, close }
        listener.listen(port, "127.0.0.1", () => resume(Effect.succeed(place)))
      }),
      ({ close }) => Effect.sync(close)
    ),
    (place) => place
  )

/** DE 39 of an answer, or "none". */
export const codeOf = (answer: Message | undefined): string => String(answer?.fields[39] ?? "none")
