/**
 * One side of a simulated TCP connection: the `Connection` that a program holds, and the kernel's part behind it.
 *
 * It belongs to one life of a machine: when the life is over, nothing more comes out of it and nothing reaches it.
 */
import { Effect } from "effect"
import { type Connection, ConnectionEnded } from "../../../packages/switch/src/transport/Transport.ts"
import type { CrashKind, Life } from "./Machine.ts"
import { Pipe, type Way } from "./Pipe.ts"

const causes = { fin: "the partner closed the connection", reset: "ECONNRESET", local: "closed by this side" } as const

/** What a side needs of the network. */
export interface Medium extends Way {
  readonly options: { readonly joins: number; readonly kernelRoom: number; readonly resetLosesInFlight: number }
  readonly sides: Set<Side>
  readonly taps: ReadonlyArray<(side: Side, bytes: Buffer) => void>
  readonly findings: Array<string>
  readonly note: (text: string, bytes?: Buffer) => void
  readonly segmentSize: (length: number) => number
}

export class Side implements Connection {
  readonly local: string
  readonly remote: string
  readonly pull: Connection["pull"]
  /** Name of the machine it belongs to. */
  readonly host: string
  readonly life: Life
  private readonly net: Medium
  private peer!: Side
  private outgoing!: Pipe
  private received: Array<Buffer> = []
  /** What is left of the write under way, and what it was when it was written. */
  private waiting: { readonly bytes: Buffer; readonly asWritten: Buffer } | undefined
  private finWaits = false
  private isFinished = false
  private ended: ConnectionEnded | undefined
  /** What a program without fibers has written and the kernel has not been given yet. */
  private readonly unwritten: Array<Buffer> = []
  private readonly writes: string
  private readonly gets: string
  private puller: (() => void) | undefined
  private writer: (() => void) | undefined

  private constructor(net: Medium, life: Life, local: string, remote: string) {
    this.net = net
    this.life = life
    this.host = life.machine.name
    this.local = local
    this.remote = remote
    this.writes = `${local}>${remote} write`
    this.gets = `${local}<${remote} got`
    this.pull = Effect.callback((resume) => {
      const look = () => {
        if (this.received.length === 0 && this.ended === undefined) return false
        // First of all: the program may pull again before `resume` returns.
        this.puller = undefined
        resume(this.received.length > 0 ? Effect.succeed(this.take()) : Effect.fail(this.ended!))
        return true
      }
      if (!life.isAlive || look()) return
      this.puller = look
      return Effect.sync(() => {
        // Whoever pulls by now is another one.
        if (this.puller === look) this.puller = undefined
      })
    })
  }

  /** Both sides of a new connection, the dialling one first. */
  static pair(net: Medium, dialling: [Life, string], accepting: [Life, string]): [Side, Side] {
    const near = new Side(net, dialling[0], dialling[1], accepting[1])
    const far = new Side(net, accepting[0], accepting[1], dialling[1])
    near.join(far)
    far.join(near)
    return [near, far]
  }

  private join(peer: Side): void {
    this.peer = peer
    this.outgoing = new Pipe(this.net, this, peer)
    this.net.sides.add(this)
  }

  /** True until this side was closed, broken or its life ended. */
  get isOpen(): boolean {
    return this.ended === undefined && this.life.isAlive
  }

  /** How it ended; `undefined` as long as it has not. */
  get end(): ConnectionEnded["how"] | undefined {
    return this.ended?.how
  }

  /** The far side has ended it: nothing of what is still to be sent leaves any more. */
  private get isBroken(): boolean {
    return this.ended !== undefined && this.ended.how !== "local"
  }

  get peerHost(): string {
    return this.peer.host
  }

  /** Something that this side sent may still matter to somebody. */
  get mayCarry(): boolean {
    return this.isOpen || this.peer.isOpen
  }

  write(bytes: Buffer): Effect.Effect<void, ConnectionEnded> {
    return Effect.suspend(() => {
      if (this.ended !== undefined) return Effect.fail(this.ended)
      if (!this.life.machine.mayAct(this.life)) return Effect.never
      this.begin(bytes)
      return this.waitingBytes > 0 ? this.untilTaken : Effect.void
    })
  }

  private begin(bytes: Buffer): void {
    if (this.waiting !== undefined) this.net.findings.push(`${this.local} wrote while a write was under way`)
    this.net.note(`${this.writes} ${bytes.length}`, bytes)
    for (const tap of this.net.taps) tap(this, bytes)
    this.waiting = { bytes, asWritten: Buffer.from(bytes) }
    this.pump()
  }

  private readonly untilTaken = Effect.callback<void, ConnectionEnded>((resume) => {
    const look = () => {
      if (this.waitingBytes > 0 && this.ended === undefined) return
      this.writer = undefined
      resume(this.waitingBytes === 0 ? Effect.void : Effect.fail(this.ended!))
    }
    this.writer = look
    look()
  })

  /** For a program without fibers: see `Wire` (partner/Host.ts). */
  hear(got: (chunks: ReadonlyArray<Buffer>) => void, ended: () => void): void {
    const look = () => {
      while (this.received.length > 0) got(this.take())
      if (this.ended === undefined || this.puller !== look) return
      this.puller = undefined
      ended()
    }
    this.puller = look
    look()
  }

  /** For a program without fibers: one write after the other, each as soon as the kernel has taken the one before. */
  send(bytes: Buffer): void {
    if (this.ended !== undefined) return
    if (this.waiting !== undefined) {
      this.unwritten.push(bytes)
      this.writer = this.sendOn
      return
    }
    this.begin(bytes)
  }

  private readonly sendOn = (): void => {
    if (this.ended !== undefined || this.waiting !== undefined || this.unwritten.length === 0) return
    this.begin(Buffer.concat(this.unwritten.splice(0)))
  }

  private get waitingBytes(): number {
    return this.waiting?.bytes.length ?? 0
  }

  unsent(): number {
    return this.waitingBytes
  }

  /** Our half is closed behind what is unsent; the partner's may go on. */
  finish(): void {
    if (!this.isOpen || this.isFinished) return
    this.net.note(`${this.local}>${this.remote} finish`)
    this.isFinished = true
    this.finWaits = true
    this.pump()
  }

  close(how: "fin" | "reset"): void {
    if (!this.isOpen) return this.answerEnd()
    this.net.note(`${this.local}>${this.remote} close ${how}`)
    if (how === "reset") this.breakOff()
    else this.finWaits = !this.isFinished || this.finWaits
    this.isFinished = true
    this.ends("local")
    this.pump()
  }

  /** The partner has closed its half, and our program is done with the connection, too. */
  private answerEnd(): void {
    if (this.ended?.how !== "fin" || this.isFinished || !this.life.isAlive) return
    this.isFinished = true
    this.outgoing.send({ kind: "fin" })
  }

  /** A RST leaves, with or without what was sent before it. */
  private breakOff(): void {
    this.waiting = undefined
    if (this.net.random.chance(this.net.options.resetLosesInFlight)) this.outgoing.loseInFlight()
    this.outgoing.send({ kind: "rst" })
  }

  /** The life of this side is over: the kernel ends the connection, or (power) nobody does. */
  dieWith(kind: CrashKind): void {
    this.net.sides.delete(this)
    this.waiting = undefined
    if (this.ended !== undefined || kind === "power") return
    // Linux answers with RST when the program left received bytes unread, else with FIN.
    if (this.received.length > 0) this.breakOff()
    else this.outgoing.send({ kind: "fin" })
  }

  /** Cut by the network: both sides hear a RST or a FIN. */
  cut(how: "fin" | "rst", losesInFlight: boolean): void {
    if (losesInFlight) this.outgoing.loseInFlight()
    this.outgoing.send({ kind: how })
  }

  /** From now on nothing that this side sends arrives. */
  stick(): void {
    this.outgoing.isStuck = true
  }

  retry(): void {
    this.outgoing.retry()
  }

  /** The kernel got bytes for this side. */
  receive(bytes: Buffer): void {
    if (!this.isOpen) {
      this.outgoing.send({ kind: "rst" })
      return
    }
    this.net.note(`${this.gets} ${bytes.length}`)
    this.received.push(bytes)
    this.life.admit(() => this.puller?.())
  }

  /** The kernel got a FIN or a RST for this side. */
  hearEnd(kind: "fin" | "rst"): void {
    if (!this.isOpen) return
    this.net.note(`${this.local}<${this.remote} ${kind}`)
    this.ends(kind === "fin" ? "fin" : "reset")
  }

  private ends(how: "fin" | "reset" | "local"): void {
    this.ended = new ConnectionEnded({ how, cause: causes[how] })
    this.net.sides.delete(this)
    this.life.admit(() => {
      this.puller?.()
      this.writer?.()
    })
  }

  /** All that was received; sometimes as one chunk, as a kernel joins segments. */
  private take(): ReadonlyArray<Buffer> {
    const chunks = this.received
    this.received = []
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    this.peer.acknowledged(bytes)
    return chunks.length > 1 && this.net.random.chance(this.net.options.joins) ? [Buffer.concat(chunks)] : chunks
  }

  /** The partner's program pulled `bytes`: the kernel has room again. */
  private acknowledged(bytes: number): void {
    this.outgoing.inKernel -= bytes
    if (this.waitingBytes === 0) return
    this.net.world.after(this.net.latencyMs(), () => this.pump())
  }

  /** Hands waiting bytes to the kernel as long as it has room, in segments of drawn sizes, and the FIN after the last. */
  private pump(): void {
    if (!this.life.isAlive || this.isBroken) return
    while (this.waiting !== undefined && this.outgoing.inKernel < this.net.options.kernelRoom) {
      const { bytes, asWritten } = this.waiting
      const size = this.net.segmentSize(bytes.length)
      const segment = Buffer.from(bytes.subarray(0, size))
      if (segment.compare(asWritten, 0, size) !== 0) {
        this.net.findings.push(`${this.local} changed bytes before the kernel had taken them`)
      }
      this.outgoing.send({ kind: "data", bytes: segment })
      this.waiting =
        size === bytes.length ? undefined : { bytes: bytes.subarray(size), asWritten: asWritten.subarray(size) }
    }
    if (this.finWaits && this.waiting === undefined) {
      this.finWaits = false
      this.outgoing.send({ kind: "fin" })
    }
    this.life.admit(() => this.writer?.())
  }
}
