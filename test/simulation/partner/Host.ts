/**
 * The machine as a partner's program sees it: clock, timers, chance, connections. Without fibers: a partner is plain code that is
 * called when something happens, which costs the world a tenth of what a fiber for each message does.
 */
import { ConnectFailed, type Endpoint } from "../../../packages/switch/src/transport/Transport.ts"
import { switchName } from "../Names.ts"
import type { Event } from "../world/EventHeap.ts"
import type { Life, Machine } from "../world/Machine.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"
import type { SimNet } from "../world/SimNet.ts"

/** A connection as a program without fibers has it. */
export interface Wire {
  /** `got` is called with whatever comes from now on, `ended` once, behind the last bytes. One listener at a time. */
  readonly hear: (got: (chunks: ReadonlyArray<Buffer>) => void, ended: () => void) => void
  /** Hands bytes over, behind those that the kernel has not taken yet. Lost when the connection has ended. */
  readonly send: (bytes: Buffer) => void
  readonly close: (how: "fin" | "reset") => void
}

/** How long a partner waits for a connection, milliseconds. */
const CONNECT_MAX = 5000

export class Host {
  readonly random: SeededRandom
  private readonly net: SimNet
  private readonly machine: Machine
  private readonly life: Life
  /** Machines that have the switch's name; which of them comes first now. */
  private readonly addresses: ReadonlyArray<string>
  private turn = 0

  constructor(net: SimNet, machine: Machine, life: Life, addresses: ReadonlyArray<string>) {
    this.net = net
    this.addresses = addresses
    this.machine = machine
    this.life = life
    this.random = machine.random
  }

  /** Wall time, milliseconds since 1970. */
  get now(): number {
    return this.machine.wallMs
  }

  /** Lets something happen `ms` from now; set `cancelled` to take it back. */
  after(ms: number, happen: () => void): Event {
    return this.machine.world.after(ms, () => this.life.admit(happen))
  }

  /**
   * Dials, the switch at each of its addresses until one takes the connection; `done` gets it, or nothing when none came about in
   * time.
   */
  dial(to: Endpoint, done: (wire: Wire | undefined) => void): void {
    if (to.host !== switchName) return this.dialAt(to, done)
    const { addresses } = this
    const attempt = (left: number): void =>
      this.dialAt({ host: addresses[this.turn % addresses.length]!, port: to.port }, (wire) => {
        if (wire !== undefined || left === 1) return done(wire)
        this.turn++
        attempt(left - 1)
      })
    attempt(addresses.length)
  }

  /** The connection was no good: another address of the switch comes first from now on. */
  leave(): void {
    this.turn++
  }

  private dialAt(to: Endpoint, done: (wire: Wire | undefined) => void): void {
    let isOver = false
    const end = (wire: Wire | undefined) => {
      if (isOver) return
      isOver = true
      done(wire)
    }
    const giveUp = this.net.dial(this.life, to, (result) =>
      this.life.admit(() => end(result instanceof ConnectFailed ? undefined : result))
    )
    this.after(CONNECT_MAX, () => {
      if (!isOver) giveUp()
      end(undefined)
    })
  }

  /** Takes connections at an address, for ever. */
  listen(at: Endpoint, accept: (wire: Wire) => void): void {
    this.net.take(this.life, at, accept)
  }
}
