/**
 * One device of a pool: its connections, and whether it takes calls. Pure state; who connects and who sends is `HsmModule`.
 */
import type { Endpoint } from "../../transport/Transport.ts"
import type { DeviceStatus } from "../SecurityModule.ts"
import type { DeviceConnection } from "./DeviceConnection.ts"

/** How long a device that answered that it cannot work gets no calls, in milliseconds. */
const OUT_MS = 30_000

/** Weight of the newest answer time in the moving average. */
const NEWEST = 0.05

/** Commands of one turn that go to one connection, although others have fewer under way. */
const GATHERED = 32

/** One hardware security module with its connections, and whether it may get calls. */
export class Device {
  readonly name: string
  readonly to: Endpoint
  private readonly wanted: number
  readonly connections: Array<DeviceConnection> = []
  /** It was late, and has not answered a heartbeat since. */
  isSuspect = false
  /** Monotonic milliseconds until which it gets no calls; 0: it is in the pool. */
  outUntil = 0
  /** It has another LMK than the pool. */
  isForeign = false
  /** Calls in a row that it has not answered in time. */
  lateInRow = 0
  /** The state that was last told. */
  toldState: DeviceStatus["state"] = "away"
  lmkCheckValue: string | undefined
  firmware: string | undefined
  answerMs: number | undefined
  why: string | undefined = "not connected yet"

  constructor(name: string, to: Endpoint, connections: number) {
    this.name = name
    this.to = to
    this.wanted = connections
  }

  /** Takes calls. */
  get isUp(): boolean {
    return (
      !this.isSuspect && !this.isForeign && this.outUntil === 0 && this.connections.some(({ isProved }) => isProved)
    )
  }

  /**
   * The connection with the least under way that has room; `undefined`: none has. One that is written in this turn anyway goes
   * before, as long as it has not many more: a write costs more than a MAC.
   */
  freest(): DeviceConnection | undefined {
    let best: DeviceConnection | undefined
    let gathering: DeviceConnection | undefined
    for (const connection of this.connections) {
      if (!connection.isProved || !connection.hasRoom) continue
      if (best === undefined || connection.outstanding < best.outstanding) best = connection
      if (connection.isGathering) gathering = connection
    }
    return gathering !== undefined && gathering.outstanding < best!.outstanding + GATHERED ? gathering : best
  }

  /** An answer came after so many milliseconds. */
  answered(ms: number): void {
    this.lateInRow = 0
    this.answerMs = this.answerMs === undefined ? ms : this.answerMs + NEWEST * (ms - this.answerMs)
  }

  /** It answered that it cannot work. */
  takeOut(why: string, now: number): void {
    this.outUntil = now + OUT_MS
    this.why = why
    this.lateInRow = 0
  }

  /** See `DeviceStatus`. */
  get state(): DeviceStatus["state"] {
    if (this.isUp) return "up"
    if (!this.connections.some(({ isProved }) => isProved)) return "away"
    return this.outUntil > 0 || this.isForeign ? "out" : "suspect"
  }

  status(): DeviceStatus {
    const { state } = this
    const proved = this.connections.filter(({ isProved }) => isProved)
    let outstanding = 0
    for (const connection of this.connections) outstanding += connection.outstanding
    return {
      name: this.name,
      address: `${this.to.host}:${this.to.port}`,
      state,
      connections: this.wanted,
      connected: proved.length,
      outstanding,
      answerMs: this.answerMs === undefined ? undefined : Math.round(this.answerMs * 100) / 100,
      lmkCheckValue: this.lmkCheckValue,
      firmware: this.firmware,
      why: state === "up" ? undefined : this.why
    }
  }
}
