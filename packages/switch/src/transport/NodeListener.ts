/**
 * Listening on an address (`node:net`): who may come in is asked before a byte is read, then TLS, then the socket is given out.
 *
 * The listener of links, doors and the HTTP door alike. It counts nothing itself: `ListenOptions.admit` does.
 */
import * as Net from "node:net"
import { Effect, type Scope } from "effect"
import { Credentials } from "./Credentials.ts"
import { isReserved } from "./Handles.ts"
import { type Greeter, greeter, type Secured } from "./NodeTls.ts"
import {
  type ConnectOptions,
  type Endpoint,
  type KeepAlive,
  ListenFailed,
  type Listening,
  type ListenOptions
} from "./Transport.ts"

/** Sets keepalive with all three of its numbers (Node 24.19 and later). */
export const keepAliveOn = (socket: Net.Socket, { idleMs, intervalMs, count }: KeepAlive): void =>
  void socket.setKeepAlive({ enable: true, initialDelay: idleMs, interval: intervalMs, count })

/** An address as it is compared and shown: IPv4 in its own form, not mapped into IPv6. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "")

/** How new connections are taken. */
interface Way {
  readonly greeting: Greeter | undefined
  readonly keepAlive: KeepAlive | undefined
}

/** See `ListenOptions`; `admit` gets the TCP socket, too, which may be broken later. */
export interface SocketOptions extends Omit<ListenOptions, "admit"> {
  readonly admit?: (address: string, isCrowded: boolean, raw: Net.Socket) => (() => void) | undefined
}

/** Listens until the scope closes; `accept` gets each socket that was admitted and, with TLS, judged. */
export const listenForSockets = Effect.fnUntraced(function* (
  at: Endpoint,
  accept: (secured: Secured) => void,
  options: SocketOptions = {}
): Effect.fn.Return<Listening, ListenFailed, Scope.Scope | Credentials> {
  const failed = (cause: string) => new ListenFailed({ host: at.host, port: at.port, cause })
  const credentials = yield* Credentials
  const wayOf = ({ keepAlive, tls }: ConnectOptions): Effect.Effect<Way, ListenFailed> =>
    tls === undefined
      ? Effect.succeed({ greeting: undefined, keepAlive })
      : greeter(tls).pipe(
          Effect.provideService(Credentials, credentials),
          Effect.mapBoth({
            onFailure: ({ message }) => failed(message),
            onSuccess: (greeting) => ({ greeting, keepAlive })
          })
        )
  const { admit, refused } = options
  let way = yield* wayOf(options)
  const take = (socket: Net.Socket): void => {
    const address = plainAddress(socket.remoteAddress ?? "")
    // Gone before it was looked at, and whoever it was cannot be asked any more.
    if (address === "") return void socket.destroy()
    const isCrowded = isReserved(socket)
    const release = admit === undefined ? undefined : admit(address, isCrowded, socket)
    if (isCrowded) return void socket.resetAndDestroy()
    if (admit !== undefined && release === undefined) return void socket.resetAndDestroy()
    if (release !== undefined) socket.once("close", release)
    const { greeting, keepAlive } = way
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
  return {
    endpoint: { host: address, port },
    prepare: (other) =>
      Effect.map(wayOf(other), (next) => () => {
        way = next
      }),
    retire: Effect.sync(() => {
      server.close()
      return Effect.void
    })
  }
})
