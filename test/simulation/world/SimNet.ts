/**
 * The simulated network: machines by name, listening ports, delays, and everything that goes wrong between them.
 *
 * `transport(life)` is the `Transport` service of one life of a machine. Faults: blocked ways (partitions both ways or one
 * way, clogs), connections cut with RST or FIN, black holes for single connections, refused connects. Every delay and split
 * is drawn from the world's seed. It knows nothing of frames.
 */
import { Effect } from "effect"
import {
  ConnectFailed,
  type Connection,
  type Endpoint,
  ListenFailed,
  type Transport
} from "../../../packages/switch/src/transport/Transport.ts"
import type { CrashKind, Life, Machine } from "./Machine.ts"
import type { SeededRandom } from "./SeededRandom.ts"
import { Side } from "./Side.ts"
import { type Answered, httpOver } from "./SimHttp.ts"
import type { World } from "./World.ts"

/** What the seed drew for the network. */
export interface NetOptions {
  /** Shortest and longest one-way delay, milliseconds; most are near the shortest. */
  readonly latencyMs: readonly [number, number]
  /** Chance that a write leaves as several segments. */
  readonly splits: number
  /** Chance that chunks received together are pulled as one. */
  readonly joins: number
  /** Bytes on the way or unread by the partner above which the kernel takes no more. */
  readonly kernelRoom: number
  /** Chance that a RST overtakes and discards the bytes sent before it. */
  readonly resetLosesInFlight: number
}

/** Largest segment, bytes: Ethernet's usual one. */
const SEGMENT_MAX = 1460
/** Linux gives up connecting after six repeated SYNs. */
const CONNECT_TIMEOUT_MS = 127_000
const EPHEMERAL_PORT_FIRST = 32_768

interface Listener {
  readonly life: Life
  readonly accept: (side: Side) => void
}

export class SimNet {
  readonly world: World
  readonly random: SeededRandom
  readonly options: NetOptions
  /** Sides that are open, oldest first. */
  readonly sides = new Set<Side>()
  /** Called with all bytes that a program hands to a connection. */
  readonly taps: Array<(side: Side, bytes: Buffer) => void> = []
  /** Called with each answer to an HTTP call, once it is known whether the kernel has taken it. */
  readonly answered: Array<Answered> = []
  /** Broken rules of the transport seam. */
  readonly findings: Array<string> = []
  private readonly machines = new Map<string, Machine>()
  private readonly listeners = new Map<string, Listener>()
  private readonly blocked = new Map<string, number>()
  private readonly refusing = new Set<string>()
  private readonly poweredOff = new Set<string>()
  /** Sides of connections that at least one program still holds: also a closed side's FIN may be on its way. */
  private carrying: Array<Side> = []
  private portNext = EPHEMERAL_PORT_FIRST

  constructor(world: World, options: NetOptions) {
    this.world = world
    this.random = world.random.stream("net")
    this.options = options
  }

  note(text: string, bytes?: Uint8Array): void {
    this.world.note(`net ${text}`, bytes)
  }

  /** Joins a machine to the network: its name is its host name. */
  attach(machine: Machine): void {
    this.machines.set(machine.name, machine)
    machine.onCrash.push((life, kind) => this.lifeEnded(life, kind))
  }

  /** One delay, milliseconds. */
  latencyMs(): number {
    return this.random.tailed(...this.options.latencyMs)
  }

  /** How many of `length` waiting bytes leave as the next segment. */
  segmentSize(length: number): number {
    const size = Math.min(length, SEGMENT_MAX)
    return size > 1 && this.random.chance(this.options.splits) ? this.random.whole(1, size - 1) : size
  }

  // ---------------------------------------------------------------- faults

  isBlocked(from: string, to: string): boolean {
    return (this.blocked.get(`${from}>${to}`) ?? 0) > 0 || this.poweredOff.has(to)
  }

  /** Nothing gets from one machine to another until `unblock`; blocks are counted. */
  block(from: string, to: string): void {
    this.blocked.set(`${from}>${to}`, (this.blocked.get(`${from}>${to}`) ?? 0) + 1)
    this.note(`${from}>${to} blocked`)
  }

  unblock(from: string, to: string): void {
    this.blocked.set(`${from}>${to}`, Math.max(0, (this.blocked.get(`${from}>${to}`) ?? 0) - 1))
    this.note(`${from}>${to} unblocked`)
    this.retryAll()
  }

  /** Cuts every connection between two machines. */
  cut(a: string, b: string, how: "fin" | "rst", losesInFlight: boolean): void {
    this.note(`${a}-${b} cut (${how}${losesInFlight ? ", bytes in flight lost" : ""})`)
    for (const side of this.between(a, b)) side.cut(how, losesInFlight)
  }

  /** Turns the connections that two machines have now into black holes; new ones are good. */
  swallow(a: string, b: string): void {
    this.note(`${a}-${b} connections swallowed`)
    for (const side of this.between(a, b)) side.stick()
  }

  /** A machine refuses all connects, or takes them again. */
  refuse(host: string, isRefusing: boolean): void {
    this.note(`${host} ${isRefusing ? "refuses" : "takes"} connects`)
    if (isRefusing) this.refusing.add(host)
    else this.refusing.delete(host)
  }

  private between(a: string, b: string): Array<Side> {
    return [...this.sides].filter(
      (side) => (side.host === a && side.peerHost === b) || (side.host === b && side.peerHost === a)
    )
  }

  private retryAll(): void {
    for (const side of this.carrying) side.retry()
  }

  private lifeEnded(life: Life, kind: CrashKind): void {
    if (kind === "power") this.poweredOff.add(life.machine.name)
    for (const [address, listener] of this.listeners) if (listener.life === life) this.listeners.delete(address)
    for (const side of [...this.sides]) if (side.life === life) side.dieWith(kind)
  }

  // ---------------------------------------------------------------- the seam

  /** The `Transport` of one life of a machine. Powers the machine's network card on. */
  transport(life: Life): Transport["Service"] {
    if (this.poweredOff.delete(life.machine.name)) this.retryAll()
    const listen: Transport["Service"]["listen"] = (at, accept) =>
      Effect.acquireRelease(this.open(life, at, accept), ({ endpoint }) =>
        Effect.sync(() => this.free({ host: life.machine.name, port: endpoint.port }))
      )
    const answered: Answered = (...answer) => {
      for (const each of this.answered) each(...answer)
    }
    return { connect: (to) => this.connect(life, to), listen, listenHttp: httpOver(listen, answered) }
  }

  private open(life: Life, at: Endpoint, accept: Listener["accept"]) {
    return Effect.suspend(() => {
      const port = this.take(life, at, accept)
      return port === undefined
        ? Effect.fail(new ListenFailed({ host: at.host, port: at.port, cause: "EADDRINUSE" }))
        : Effect.succeed({ endpoint: { host: at.host, port } })
    })
  }

  private connect(life: Life, to: Endpoint): Effect.Effect<Connection, ConnectFailed> {
    return Effect.callback((resume) => {
      if (!life.isAlive) return
      const giveUp = this.dial(life, to, (result) =>
        life.admit(() => resume(result instanceof ConnectFailed ? Effect.fail(result) : Effect.succeed(result)))
      )
      return Effect.sync(giveUp)
    })
  }

  // ---------------------------------------------------------------- the same for programs without fibers

  /** Takes connections at an address for one life of a machine; returns its port, or nothing when it is taken. */
  take(life: Life, at: Endpoint, accept: (side: Side) => void): number | undefined {
    const port = at.port === 0 ? this.portNext++ : at.port
    const address = `${life.machine.name}:${port}`
    if (this.listeners.has(address)) return undefined
    this.listeners.set(address, { life, accept })
    this.note(`${address} listens`)
    return port
  }

  /** Takes no more connections at an address. */
  free({ host, port }: Endpoint): void {
    this.listeners.delete(`${host}:${port}`)
  }

  /** Dials an address; `done` is called once. Returns what gives up. */
  dial(life: Life, to: Endpoint, done: (result: Side | ConnectFailed) => void): () => void {
    const attempt = new Attempt(this, life, to, done)
    return () => attempt.giveUp()
  }

  /** Makes both sides of a connection, or says why the far machine does not take it. */
  accept(dialling: Life, to: Endpoint): Side | undefined {
    const listener = this.listeners.get(`${to.host}:${to.port}`)
    if (listener === undefined || this.refusing.has(to.host)) return undefined
    const from = `${dialling.machine.name}:${this.portNext++}`
    const [near, far] = Side.pair(this, [dialling, from], [listener.life, `${to.host}:${to.port}`])
    this.carrying = this.carrying.filter((side) => side.mayCarry)
    this.carrying.push(near, far)
    this.note(`${from}>${to.host}:${to.port} opens`)
    listener.life.admit(() => listener.accept(far))
    return near
  }

  hasHost(host: string): boolean {
    return this.machines.has(host)
  }
}

/** One attempt to connect: SYN, SYN-ACK, their repeats, and giving up. */
class Attempt {
  private readonly net: SimNet
  private readonly life: Life
  private readonly to: Endpoint
  private readonly finish: (result: Side | ConnectFailed) => void
  private near: Side | undefined
  private isOver = false
  private repeatMs = 1000

  constructor(net: SimNet, life: Life, to: Endpoint, finish: Attempt["finish"]) {
    this.net = net
    this.life = life
    this.to = to
    this.finish = finish
    if (!net.hasHost(to.host)) {
      net.world.after(1, () => this.fail("NameUnknown", "ENOTFOUND"))
      return
    }
    net.world.after(CONNECT_TIMEOUT_MS, () => this.fail("Timeout", "ETIMEDOUT"))
    this.sendSyn()
  }

  /** The caller no longer wants it. */
  giveUp(): void {
    this.isOver = true
    this.near?.close("reset")
  }

  private fail(reason: ConnectFailed["reason"], cause: string): void {
    if (this.isOver) return
    this.isOver = true
    this.near?.close("reset")
    this.finish(new ConnectFailed({ reason, cause }))
  }

  private sendSyn(): void {
    this.travel(this.life.machine.name, this.to.host, () => {
      this.near = this.net.accept(this.life, this.to)
      this.sendAnswer()
    })
  }

  private sendAnswer(): void {
    this.travel(this.to.host, this.life.machine.name, () => {
      const { near } = this
      if (near === undefined) return this.fail("Refused", "ECONNREFUSED")
      this.isOver = true
      this.finish(near)
    })
  }

  /** One packet of the handshake: repeated at doubling times while the way is blocked. */
  private travel(from: string, to: string, arrive: () => void): void {
    if (this.isOver || !this.life.isAlive) return
    if (this.net.isBlocked(from, to)) {
      this.net.world.after(this.repeatMs, () => this.travel(from, to, arrive))
      this.repeatMs *= 2
      return
    }
    this.net.world.after(this.net.latencyMs(), () => {
      if (!this.isOver && this.life.isAlive) arrive()
    })
  }
}
