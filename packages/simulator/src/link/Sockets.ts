/**
 * The seam between a partner's links and the network: how sockets come about, and what a link does with one. `node:net` is behind
 * it, or a simulated network (`jinka-sim world --partner`).
 */
import { Context, Effect, Option } from "effect"
import type { ListenFailed } from "../SimulatorError.ts"
import { type Endpoint, endpointOf, listen } from "./Listener.ts"
import { dialSocket, type TlsMaterial, takeSocket } from "./TlsSide.ts"

/** A socket that is up, as far as a partner's link knows it: a part of Node's own. */
export interface PartnerSocket {
  readonly writable: boolean
  readonly writableLength: number
  readonly destroyed: boolean
  on(event: "data", hear: (chunk: Buffer) => void): unknown
  on(event: "error", hear: (error: NodeJS.ErrnoException) => void): unknown
  on(event: "end" | "close", hear: () => void): unknown
  once(event: "close", hear: () => void): unknown
  readonly setNoDelay: (isOn: boolean) => unknown
  readonly write: (bytes: Buffer) => unknown
  readonly end: () => unknown
  readonly destroy: () => unknown
  readonly destroySoon: () => void
  readonly resetAndDestroy: () => unknown
}

/** A socket with what is below it: of a TLS connection the TCP socket, which alone can be reset. */
export interface PartnerEnd {
  readonly socket: PartnerSocket
  readonly raw: PartnerSocket
  /** Does something at the end of this turn; left out: in a microtask. */
  readonly atTurnEnd?: (act: () => void) => void
}

/** An address, and what is agreed for its connections. */
export interface Place {
  readonly endpoint: Endpoint
  /** The partner's FIN does not end a connection. */
  readonly isHalfOpen?: boolean
  readonly tls?: TlsMaterial
}

/** An address that is listened on, with the port that was really taken. */
export interface OpenPlace {
  readonly endpoint: Endpoint
  readonly close: () => void
}

/** The network of a partner: real sockets, or a simulated one. */
export interface SocketsService {
  /** A connected socket, or why there is none. */
  readonly dial: (place: Place) => Effect.Effect<PartnerEnd | string>
  /** Takes every connection until it is closed; `refused` hears of handshakes that came to nothing. */
  readonly listen: (
    place: Place,
    accept: (end: PartnerEnd) => void,
    refused: (why: string) => void
  ) => Effect.Effect<OpenPlace, ListenFailed>
}

/** Longest time for a dial, milliseconds. */
const DIAL_TIMEOUT = 5_000

const dial = ({ endpoint, isHalfOpen, tls }: Place): Effect.Effect<PartnerEnd | string> =>
  Effect.callback<PartnerEnd | string>((resume) => {
    let why = "closed"
    const { isUpAt, raw, socket } = dialSocket(endpoint, tls, { allowHalfOpen: isHalfOpen === true }, (error) => {
      why = error.code ?? error.message
    })
    socket.once(isUpAt, () => resume(Effect.succeed({ raw, socket })))
    socket.once("close", () => resume(Effect.succeed(why)))
    return Effect.sync(() => raw.destroy())
  }).pipe(Effect.timeoutOption(DIAL_TIMEOUT), Effect.map(Option.getOrElse(() => "no answer")))

/** The network that a partner's links use. */
export const Sockets = Context.Reference<SocketsService>("@jinka/simulator/Sockets", {
  defaultValue: () => ({
    dial,
    listen: ({ endpoint, isHalfOpen, tls }, accept, refused) =>
      Effect.map(
        listen(endpoint, takeSocket(tls, accept, refused), { allowHalfOpen: isHalfOpen === true }),
        (server) => ({ endpoint: endpointOf(server, endpoint.host), close: () => void server.close() })
      )
  })
})
