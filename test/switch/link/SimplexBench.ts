/**
 * One simplex link of the switch on real sockets, and a partner with two sockets of its own: for the tests of legs.
 *
 * Legs are named as the switch names them: on the "send" leg the switch sends and the partner only listens.
 */
import * as Net from "node:net"
import { compile, cups, cupsFrame, isMessageError, type Message, wholeFrame } from "@jinka/codec"
import { Effect, Layer, type Scope } from "effect"
import { freePort, givePortBack } from "../../../examples/shared/FreePort.ts"
import { Link } from "../../../packages/switch/src/link/Link.ts"
import type { LinkEnded } from "../../../packages/switch/src/link/LinkEnded.ts"
import { eventsOf } from "../../../packages/switch/src/link/LinkEvents.ts"
import type { LegsSettings, LinkSettings, Side } from "../../../packages/switch/src/link/Settings.ts"
import * as Listening from "../../../packages/switch/src/operate/Listening.ts"
import { layer as nodeTransport } from "../../../packages/switch/src/transport/NodeTransport.ts"
import { usualLink } from "../LinkSettings.ts"

export type LegName = "send" | "receive"
/** Who makes a leg's connections, seen from the switch. */
export type Way = "connect" | "listen"

/** Every way in which two legs can come about. */
export const ways: ReadonlyArray<readonly [Way, Way]> = [
  ["connect", "listen"],
  ["listen", "connect"],
  ["connect", "connect"],
  ["listen", "listen"]
]

const codec = compile(cups)
const host = "127.0.0.1"
const takenPort = Effect.acquireRelease(freePort, givePortBack)
const TRIES = 1000

/** Waits for something on real sockets; fails after five seconds with what it was. */
export const until = (what: string, isSo: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let tries = 0; tries < TRIES; tries++) {
      if (isSo()) return
      yield* Effect.sleep(5)
    }
    throw new Error(`it never came: ${what}`)
  })

/** Bytes of a message as they are on the wire. */
export const framed = (message: Message): Buffer => {
  const bytes = codec.encode(message)
  if (isMessageError(bytes)) throw new Error(`the test's message is wrong: ${bytes._tag}`)
  return wholeFrame(cupsFrame, bytes)
}

/** One leg at the partner's end. */
export class PartnerLeg {
  /** The newest connection. */
  socket: Net.Socket | undefined
  received = Buffer.alloc(0)
  /** Connections so far, and how the newest ended: "" while it has not. */
  count = 0
  end = ""
  private readonly server: Net.Server | undefined
  private readonly port: () => number
  /** Whether a connection that comes or goes is answered by a new one. */
  private readonly dials: boolean

  private constructor(dials: boolean, port: () => number, server: Net.Server | undefined) {
    this.dials = dials
    this.port = port
    this.server = server
    server?.on("connection", (socket) => this.take(socket))
  }

  /** A leg that the partner dials to `port`. */
  static dialling(port: () => number): PartnerLeg {
    return new PartnerLeg(true, port, undefined)
  }

  /** A leg that the partner accepts at a port of its own; not before `comeUp`. */
  static accepting(port: number): PartnerLeg {
    return new PartnerLeg(false, () => port, Net.createServer())
  }

  /** Dials once, or begins to listen. */
  comeUp(): void {
    if (this.dials) this.take(Net.connect({ host: host, port: this.port() }))
    else if (!this.server!.listening) this.server!.listen(this.port(), host)
  }

  /** Stops listening; what is connected stays. */
  stopListening(): void {
    this.server?.close()
  }

  close(): void {
    this.server?.close()
    this.socket?.destroy()
  }

  private take(socket: Net.Socket): void {
    this.socket = socket
    this.count++
    this.end = ""
    this.received = Buffer.alloc(0)
    const ended = (how: string) => {
      if (this.socket === socket && this.end === "") this.end = how
    }
    socket.on("data", (chunk: Buffer) => {
      if (this.socket === socket) this.received = Buffer.concat([this.received, chunk])
    })
    socket.on("end", () => ended("fin"))
    socket.on("error", (error: NodeJS.ErrnoException) => ended(error.code ?? "error"))
    socket.on("close", () => ended("closed"))
  }
}

/** What a bench may be told. */
export interface Wishes {
  readonly legs?: Partial<Pick<LegsSettings, "timeoutMs" | "collectMs">>
  readonly second?: "refuse" | "replace"
  readonly link?: Partial<LinkSettings>
}

/** What became known of the link. */
export interface Known {
  readonly ends: Array<LinkEnded>
  readonly noted: Array<string>
  readonly mtis: Array<number>
}

/** Starts the link; both of the partner's legs are down. */
export const simplexBench = (
  send: Way,
  receive: Way,
  { legs = {}, second = "refuse", link: wished = {} }: Wishes = {}
): Effect.Effect<
  { readonly link: Link; readonly known: Known; readonly send: PartnerLeg; readonly receive: PartnerLeg },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const ports = { send: yield* takenPort, receive: yield* takenPort }
    const sideOf = (way: Way, port: number): Side =>
      way === "connect"
        ? { _tag: "connect", to: { host: host, port }, timeoutMs: 1000 }
        : { _tag: "listen", at: { host: host, port }, from: [], second }
    const known: Known = { ends: [], noted: [], mtis: [] }
    const events = eventsOf<Link>({
      message: (_link, _session, index) => known.mtis.push(index.mti),
      ended: (_link, _epoch, ended) => known.ends.push(ended),
      noted: (_link, _epoch, text) => known.noted.push(text)
    })
    const link = new Link(
      0,
      {
        ...usualLink,
        name: "simplex",
        institution: "01030000",
        side: {
          _tag: "legs",
          send: sideOf(send, ports.send),
          receive: sideOf(receive, ports.receive),
          timeoutMs: 5000,
          collectMs: 0,
          ...legs
        },
        mode: "async-simplex",
        watchdog: { intervalMs: 60_000, probe: true, proofs: 0 },
        reconnect: { minMs: 20, maxMs: 50 },
        window: 8,
        unsentMax: 1 << 22,
        ...wished
      },
      events
    )
    const network = yield* Layer.build(Listening.layer.pipe(Layer.provide(nodeTransport)))
    yield* Effect.forkScoped(Effect.provideContext(link.run, network))
    const legOf = (way: Way, port: number) =>
      way === "connect" ? PartnerLeg.accepting(port) : PartnerLeg.dialling(() => port)
    const partner = { send: legOf(send, ports.send), receive: legOf(receive, ports.receive) }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        partner.send.close()
        partner.receive.close()
      })
    )
    // A listening leg takes a moment to listen.
    yield* Effect.sleep(20)
    return { link, known, ...partner }
  })

/** The same with both legs up. */
export const joinedBench = (send: Way, receive: Way, wishes: Wishes = {}) =>
  Effect.gen(function* () {
    const bench = yield* simplexBench(send, receive, wishes)
    bench.send.comeUp()
    bench.receive.comeUp()
    yield* until("both legs are up", () => bench.link.isReady)
    return bench
  })
