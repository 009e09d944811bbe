/**
 * One direction of a simulated TCP connection: segments in order, each with its own delay.
 *
 * It has TCP's own habits: while the way is blocked, data and FIN wait and come later (retransmission), a RST is lost for
 * good; what arrives at a side that is gone is answered with a RST. It holds at most `kernelRoom` bytes that the receiving
 * program has not pulled; the rest stays with the sender as `unsent`. It does not model duplicates: TCP has none.
 */
import type { SeededRandom } from "./SeededRandom.ts"
import type { World } from "./World.ts"

/** What travels. */
export type Segment =
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "fin" }
  | { readonly kind: "rst" }

/** Shortest and longest wait for a retransmission after a blocked way is free again, milliseconds. */
const retransmissionMs = [10, 3000] as const

/** What a pipe needs of the network. */
export interface Way {
  readonly world: World
  readonly random: SeededRandom
  readonly latencyMs: () => number
  readonly isBlocked: (from: string, to: string) => boolean
}

/** What a pipe needs of the side at its end, and of the one at its beginning. */
export interface PipeEnd {
  readonly host: string
  readonly receive: (bytes: Buffer) => void
  readonly hearEnd: (kind: "fin" | "rst") => void
}

export class Pipe {
  private readonly net: Way
  private readonly from: PipeEnd
  private readonly to: PipeEnd
  /** A black hole for this connection alone: nothing arrives any more, ever. */
  isStuck = false
  /** Bytes that the kernel took and the receiving program has not pulled. */
  inKernel = 0
  private lastArrival = 0
  /** Segments sent before the last loss of everything in flight are of an older generation. */
  private generation = 0
  private held: Array<Segment> = []

  constructor(net: Way, from: PipeEnd, to: PipeEnd) {
    this.net = net
    this.from = from
    this.to = to
  }

  send(segment: Segment): void {
    const { world } = this.net
    if (segment.kind === "data") this.inKernel += segment.bytes.length
    const due = Math.max(this.lastArrival, world.now + this.net.latencyMs() * 1000)
    this.lastArrival = due
    const { generation } = this
    world.after((due - world.now) / 1000, () => {
      if (generation === this.generation) this.arrive(segment)
    })
  }

  /** Everything under way is lost. */
  loseInFlight(): void {
    this.generation++
    this.held = []
  }

  /** The way may be free again: what waited arrives after a retransmission time, if it still is free then. */
  retry(): void {
    if (this.held.length === 0) return
    const { world, random } = this.net
    world.after(random.between(...retransmissionMs), () => {
      while (this.held.length > 0 && !this.isBlocked()) this.deliver(this.held.shift()!)
    })
  }

  private isBlocked(): boolean {
    return this.isStuck || this.net.isBlocked(this.from.host, this.to.host)
  }

  private arrive(segment: Segment): void {
    if (this.isBlocked()) {
      if (segment.kind !== "rst") this.held.push(segment)
      return
    }
    if (this.held.length > 0) this.held.push(segment)
    else this.deliver(segment)
  }

  private deliver(segment: Segment): void {
    if (segment.kind === "data") this.to.receive(segment.bytes)
    else this.to.hearEnd(segment.kind)
  }
}
