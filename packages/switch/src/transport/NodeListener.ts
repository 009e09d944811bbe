/**
 * Listening on an address (`node:net`): who may come in is asked before a byte is read, then TLS, then the socket is given out.
 *
 * The listener of links, doors and the HTTP door alike. It counts nothing itself: `ListenOptions.admit` does.
 */
import * as Net from "node:net"
import { Effect, type Scope } from "effect"
import type { Credentials } from "./Credentials.ts"
import { isReserved } from "./Handles.ts"
import { greeter, type Secured } from "./NodeTls.ts"
import { type Endpoint, type KeepAlive, ListenFailed, type Listening, type ListenOptions } from "./Transport.ts"

/** Sets keepalive with all three of its numbers (Node 24.19 and later). */
export const keepAliveOn = (socket: Net.Socket, { idleMs, intervalMs, count }: KeepAlive): void =>
  void socket.setKeepAlive({ enable: true, initialDelay: idleMs, interval: intervalMs, count })

/** An address as it is compared and shown: IPv4 in its own form, not mapped into IPv6. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "")

/** Listens until the scope closes; `accept` gets each socket that was admitted and, with TLS, judged. */
export const listenForSockets = Effect.fnUntraced(function* (
  at: Endpoint,
  accept: (secured: Secured) => void,
  options: ListenOptions = {}
): Effect.fn.Return<Listening, ListenFailed, Scope.Scope | Credentials> {
  const failed = (cause: string) => new ListenFailed({ host: at.host, port: at.port, cause })
  const { tls, keepAlive, admit, refused } = options
  const greeting =
    tls === undefined ? undefined : yield* Effect.mapError(greeter(tls), ({ message }) => failed(message))
  const take = (socket: Net.Socket): void => {
    const address = plainAddress(socket.remoteAddress ?? "")
    // Gone before it was looked at, and whoever it was cannot be asked any more.
    if (address === "") return void socket.destroy()
    const isCrowded = isReserved(socket)
    const release = admit === undefined ? undefined : admit(address, isCrowded)
    if (isCrowded) return void socket.resetAndDestroy()
    if (admit !== undefined && release === undefined) return void socket.resetAndDestroy()
    if (release !== undefined) socket.once("close", release)
    if (keepAlive !== undefined) keepAliveOn(socket, keepAlive)
    if (greeting === undefined) return accept({ socket, raw: socket, identity: undefined })
    // Until somebody owns it, an error of the socket is only the end of a handshake.
    socket.on("error", () => undefined)
    greeting.greet(socket, accept, (why) => refused?.(address, why))
  }
  const server = yield* Effect.acquireRelease(
    Effect.callback<Net.Server, ListenFailed>((resume) => {
      const server = Net.createServer({ noDelay: true, allowHalfOpen: true }, take)
      // Not `once`: a later error of accepting (no file handles left) must not end the process.
      server.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(failed(error.code ?? error.message))))
      server.listen({ host: at.host, port: at.port }, () => resume(Effect.succeed(server)))
    }),
    // Accepted connections belong to their links; waiting for them here would wait for ever.
    (server) => Effect.sync(() => server.close())
  )
  const { address, port } = server.address() as Net.AddressInfo
  return { endpoint: { host: address, port } }
})
