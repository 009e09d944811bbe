/**
 * The simulated network as the links of `jinka-sim partner` see it: what `node:net` is to them elsewhere. Connections end whole:
 * a partner that has sent FIN is not written to any more.
 */
import { Effect } from "effect"
import type {
  OpenPlace,
  PartnerEnd,
  PartnerSocket,
  SocketsService
} from "../../../packages/simulator/src/link/Sockets.ts"
import { ListenFailed } from "../../../packages/simulator/src/SimulatorError.ts"
import { ConnectFailed, type Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import type { Life } from "../world/Machine.ts"
import type { Side } from "../world/Side.ts"
import type { SimNet } from "../world/SimNet.ts"

/** How long a partner waits for a connection, milliseconds. */
const CONNECT_MAX = 5000

type Hears = { readonly data: (chunk: Buffer) => void; readonly error: (error: NodeJS.ErrnoException) => void } & {
  readonly [E in "end" | "close"]: () => void
}

/** One side of a connection as a socket. */
class SimSocket implements PartnerSocket {
  destroyed = false
  private readonly side: Side
  private readonly later: (task: () => void) => void
  private readonly heard: { [E in keyof Hears]: Array<Hears[E]> } = { data: [], error: [], end: [], close: [] }

  constructor(side: Side, later: (task: () => void) => void) {
    this.side = side
    this.later = later
    // Whoever takes the socket says first what it wants to hear.
    later(() =>
      side.hear(
        (chunks) => {
          for (const chunk of chunks) for (const hear of this.heard.data) hear(chunk)
        },
        () => this.over()
      )
    )
  }

  get writable(): boolean {
    return !this.destroyed && this.side.isOpen
  }

  get writableLength(): number {
    return this.side.unsent()
  }

  on<E extends keyof Hears>(event: E, hear: Hears[E]): this {
    this.heard[event].push(hear)
    return this
  }

  once(_event: "close", hear: () => void): this {
    this.heard.close.push(hear)
    return this
  }

  setNoDelay(): void {}

  write(bytes: Buffer): void {
    this.side.send(bytes)
  }

  end(): void {
    this.leave("fin")
  }

  destroy(): void {
    this.leave("fin")
  }

  destroySoon(): void {
    this.leave("fin")
  }

  resetAndDestroy(): void {
    this.leave("reset")
  }

  private leave(how: "fin" | "reset"): void {
    if (this.destroyed) return
    this.destroyed = true
    this.side.close(how)
    this.later(() => this.tell())
  }

  private over(): void {
    if (this.destroyed) return
    if (this.side.end === "reset") {
      for (const hear of this.heard.error) hear(Object.assign(new Error("reset"), { code: "ECONNRESET" }))
    } else for (const hear of this.heard.end) hear()
    this.leave("fin")
  }

  private tell(): void {
    for (const hear of this.heard.close.splice(0)) hear()
  }
}

/**
 * Sockets of one life of a partner's machine. `portOf` says which port of the world an address of the partner's file is; `host`
 * is whom it dials.
 */
export const socketsOf = (
  net: SimNet,
  life: Life,
  host: string,
  portOf: (role: "dial" | "listen", endpoint: Endpoint) => number
): SocketsService => {
  const later = (task: () => void) => life.schedule(0, task)
  const endOf = (side: Side): PartnerEnd => {
    const socket = new SimSocket(side, later)
    return { socket, raw: socket, atTurnEnd: later }
  }
  return {
    dial: ({ endpoint }) =>
      Effect.callback((resume) => {
        let isOver = false
        const done = (end: PartnerEnd | string) => {
          if (!isOver) resume(Effect.succeed(end))
          isOver = true
        }
        const giveUp = net.dial(life, { host, port: portOf("dial", endpoint) }, (result) =>
          life.admit(() => done(result instanceof ConnectFailed ? result.cause : endOf(result)))
        )
        life.schedule(CONNECT_MAX, () => {
          if (!isOver) giveUp()
          done("no answer")
        })
        return Effect.sync(giveUp)
      }),
    listen: ({ endpoint }, accept) =>
      Effect.suspend((): Effect.Effect<OpenPlace, ListenFailed> => {
        const at = { host: life.machine.name, port: portOf("listen", endpoint) }
        if (net.take(life, at, (side) => accept(endOf(side))) === undefined)
          return Effect.fail(new ListenFailed({ address: `${at.host}:${at.port}`, reason: "EADDRINUSE" }))
        return Effect.succeed({ endpoint, close: () => net.free(at) })
      })
  }
}
