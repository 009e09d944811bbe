/**
 * A security module in the network, in virtual time: each call takes as long as the seed says, in no order, and there are times
 * when no device takes calls and what was under way comes to nothing. Inside it the software module does the work.
 */
import { Effect } from "effect"
import type { ModuleCall } from "../../packages/switch/src/guard/ModuleCall.ts"
import { moduleError } from "../../packages/switch/src/guard/ModuleError.ts"
import type { SecurityModule, StoredUnder } from "../../packages/switch/src/guard/SecurityModule.ts"
import { SoftwareModule } from "../../packages/switch/src/guard/SoftwareModule.ts"
import type { ModuleOptions } from "./Options.ts"

/** What the world gives it. */
export interface ModuleWorld {
  /** Milliseconds since the run began. */
  readonly now: () => number
  /** 0 to below 1. */
  readonly chance: () => number
  readonly fork: (effect: Effect.Effect<void>) => void
}

const away = moduleError("ModuleAway", "submit", "a device takes calls")

/** See above. */
export class SimulatedModule implements SecurityModule {
  readonly isSynchronous = false
  private readonly options: ModuleOptions
  private readonly world: ModuleWorld
  private readonly inner: SoftwareModule
  private readonly ended: Array<ModuleCall> = []
  private wake: () => void = () => {}

  constructor(options: ModuleOptions, world: ModuleWorld) {
    this.options = options
    this.world = world
    const random = (length: number) => Uint8Array.from({ length }, () => Math.floor(256 * world.chance()))
    this.inner = new SoftwareModule({ storageKey: Buffer.alloc(32, 9), random, allowTestKeys: true })
  }

  get isUp(): boolean {
    const now = this.world.now()
    return !this.options.away.some(([from, to]) => now >= from && now < to)
  }

  submit(call: ModuleCall): boolean {
    if (!this.isUp) {
      call.error = away
      return true
    }
    const { from, text, to } = call
    call.text = Buffer.from(text.subarray(from, to))
    call.from = 0
    call.to = to - from
    const [least, most] = this.options.answersIn
    const takes = least + (most - least) * this.world.chance()
    const { withinMs } = call
    const done = Effect.sync(() => {
      if (!this.isUp) call.error = away
      else if (takes > withinMs) call.error = moduleError("TooLate", "submit", "an answer within the call's time")
      else this.inner.submit(call)
      this.ended.push(call)
      this.wake()
    })
    this.world.fork(Effect.andThen(Effect.sleep(Math.min(takes, withinMs)), done))
    return false
  }

  drain(each: (call: ModuleCall) => void): void {
    for (const call of this.ended.splice(0)) each(call)
  }

  onDone(wake: () => void): void {
    this.wake = wake
  }

  readonly importKey: SecurityModule["importKey"] = (request) => this.inner.importKey(request)
  readonly generateKey: SecurityModule["generateKey"] = (request) => this.inner.generateKey(request)
  readonly exportKey: SecurityModule["exportKey"] = (key, kek, form) => this.inner.exportKey(key, kek, form)
  readonly checkValue: SecurityModule["checkValue"] = (key, method) => this.inner.checkValue(key, method)

  storedUnder(): StoredUnder {
    return "now"
  }

  status() {
    return { module: "hsm" as const, state: this.isUp ? ("up" as const) : ("away" as const), devices: [] }
  }
}
