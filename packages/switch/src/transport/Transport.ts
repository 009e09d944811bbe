/**
 * The transport seam: byte connections to partners, and nothing about frames or messages.
 *
 * The real network (`NodeTransport`) and the simulated one of the deterministic world implement it. A `Connection` is one
 * connection epoch: it never reconnects, and what was written to it can never leave on another one
 * (docs/decisions/0002-connection-epochs.md).
 */
import { Context, Data, type Effect, type Scope } from "effect"
import type { HttpCall, HttpLimits } from "./Http.ts"
import type { PartnerIdentity, TlsReason, TlsRefused, TlsSettings } from "./Tls.ts"

/** How a connection ended. `cause` is the system's own code or a sentence; it never holds message bytes. */
export class ConnectionEnded extends Data.TaggedClass("ConnectionEnded")<{
  /** `fin`: the partner closed in order. `reset`: the partner or the network broke it. `local`: we closed it. */
  readonly how: "fin" | "reset" | "local"
  readonly cause: string
  /** Which connection of a pair ended, when the connection is a pair (`link/simplex/SimplexConnection.ts`). */
  readonly leg?: "send" | "receive"
}> {}

/** No connection came about. `reason` is stable; `cause` is the system's own code, or what was wrong with a certificate. */
export class ConnectFailed extends Data.TaggedError("ConnectFailed")<{
  readonly reason: "Refused" | "Timeout" | "NameUnknown" | "Unreachable" | "NoHandles" | "Other" | TlsReason
  readonly cause: string
}> {}

/** The address could not be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{
  readonly host: string
  readonly port: number
  readonly cause: string
}> {}

/** A TCP address. `port` 1..65535, or 0 to let the system choose when listening. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One TCP connection, from its opening to its end. */
export interface Connection {
  /** `host:port` of our side and of the partner's. */
  readonly local: string
  readonly remote: string
  /** Its sockets where there are several (a simplex pair); left out: one, with the addresses above. */
  readonly legs?: ReadonlyArray<{ readonly leg: string; readonly local: string; readonly remote: string }>
  /** Who the partner is by its certificate; `undefined` without TLS, or where no certificate was asked for. */
  readonly identity?: PartnerIdentity | undefined
  /**
   * All chunks received since the last pull, at least one; waits while there are none. Bytes received before an end are
   * always delivered before the end is. One pull at a time. `fin` ends only the partner's direction: what it is owed may
   * still be written, and whoever holds the connection closes it.
   */
  readonly pull: Effect.Effect<ReadonlyArray<Buffer>, ConnectionEnded>
  /**
   * Hands bytes over for sending and completes when the kernel has taken all of them: only then may the buffer be used
   * again. One write at a time. Success says "handed to the kernel", never "arrived".
   */
  readonly write: (bytes: Buffer) => Effect.Effect<void, ConnectionEnded>
  /** Bytes given to `write` that the kernel has not taken; once the connection has broken, those that it surely never took. */
  readonly unsent: () => number
  /**
   * Asks the kernel whether the connection is broken, without a byte to the partner: after the partner's FIN nothing else tells.
   * Left out: there is nothing to ask.
   */
  readonly probe?: Effect.Effect<void, ConnectionEnded> | undefined
  /** Sends FIN behind what is unsent and goes on reading. Left out: `close("fin")` is the only orderly end. */
  readonly finish?: () => void
  /** Ends the connection: `fin` after what is unsent, `reset` at once. Only the first call counts. */
  readonly close: (how: "fin" | "reset") => void
}

/** A listening address; `endpoint.port` is the real port when 0 was asked for. Closed with its scope. */
export interface Listening<Options = ListenOptions> {
  readonly endpoint: Endpoint
  /**
   * Makes ready to take connections in another way at the same address; the result does it, for those that come after it. Only
   * `admit` and `refused` stay as they were. A transport that has no wire leaves it out.
   */
  readonly prepare?: (options: Options) => Effect.Effect<() => void, ListenFailed>
  /** Takes no new connections; those that are open go on. What it gives ends with the last that belongs to the listener alone. */
  readonly retire?: Effect.Effect<Effect.Effect<void>>
}

/**
 * TCP keepalive: the kernel asks the partner's kernel after `idleMs` of silence, then every `intervalMs`, and breaks the
 * connection when `count` questions in a row got no answer. Whole seconds. It is the second line behind the watchdog: it sees
 * nothing while bytes are in flight (docs/decisions/0005-watchdog.md).
 */
export interface KeepAlive {
  readonly idleMs: number
  readonly intervalMs: number
  readonly count: number
}

/** How a connection is made. A transport that has no wire (the simulated one) may leave all of it out. */
export interface ConnectOptions {
  readonly tls?: TlsSettings | undefined
  readonly keepAlive?: KeepAlive | undefined
}

/** How connections are taken. */
export interface ListenOptions extends ConnectOptions {
  /**
   * Asked with the address of each connection before a byte is read and before TLS begins; `undefined` turns it away with a
   * reset. What it returns is called once when the connection is gone, however it went. `isCrowded`: the process has only the
   * handles left that it keeps for itself, and the connection has to be turned away.
   */
  readonly admit?: (address: string, isCrowded: boolean) => (() => void) | undefined
  /** An admitted connection whose handshake came to nothing; it is closed already. */
  readonly refused?: (address: string, why: TlsRefused) => void
}

/** Opens and accepts connections. TCP_NODELAY is always set; there is no option to leave it off. */
export class Transport extends Context.Service<
  Transport,
  {
    readonly connect: (to: Endpoint, options?: ConnectOptions) => Effect.Effect<Connection, ConnectFailed>
    /** `accept` is called once for each connection that is whole (its handshake done), synchronously; it must not block. */
    readonly listen: (
      at: Endpoint,
      accept: (connection: Connection) => void,
      options?: ListenOptions
    ) => Effect.Effect<Listening, ListenFailed, Scope.Scope>
    /** The same for HTTP: `take` gets every POST whose body is whole. A transport without HTTP leaves it out. */
    readonly listenHttp?: (
      at: Endpoint,
      take: (call: HttpCall) => void,
      options: ListenOptions & HttpLimits
    ) => Effect.Effect<Listening<ListenOptions & HttpLimits>, ListenFailed, Scope.Scope>
  }
>()("@jinka/switch/Transport") {}
