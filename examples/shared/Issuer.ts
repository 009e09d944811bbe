/** A small issuer of the examples: it takes the switch's connection and approves whatever comes. */
import { createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { approvalOf, onMessages, send } from "./Wire.ts"

/** Listens until the scope closes. */
export const issuer = (port: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<() => void>((resume) => {
      const sockets = new Set<Socket>()
      const listener = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => undefined)
        socket.once("close", () => sockets.delete(socket))
        onMessages(socket, (message) => send(socket, approvalOf(message)))
      })
      const close = () => {
        for (const socket of sockets) socket.destroy()
        listener.close()
      }
      listener.listen(port, "127.0.0.1", () => resume(Effect.succeed(close)))
    }),
    (close) => Effect.sync(close)
  ).pipe(Effect.asVoid)
