/** Carries out the faults of a run, and heals everything at its end. It draws nothing: all is in the faults. */
import type { Fault, Trouble, Way } from "./Faults.ts"
import type { Machine } from "./Machine.ts"
import type { SimDisk } from "./SimDisk.ts"
import type { SimNet } from "./SimNet.ts"
import { Undoings } from "./Undoings.ts"

/** Trouble with the disk alone. */
type DiskTrouble = Extract<Trouble, { readonly kind: "slowDisk" | "lowSpace" | "storeAway" | "diskFails" }>

/** What a nemesis works on. `restart` starts the switch's machine again when it is down. */
export interface Battlefield {
  readonly net: SimNet
  readonly machine: Machine
  readonly disk: SimDisk
  readonly restart: () => void
  readonly operator: { readonly order: (order: "stop" | "reload") => void }
}

export class Nemesis {
  private readonly field: Battlefield
  private readonly undoings: Undoings
  private isOver = false
  private downMs = 1000

  constructor(field: Battlefield, faults: ReadonlyArray<Fault>) {
    this.field = field
    this.undoings = new Undoings(field.machine.world)
    field.machine.onCrash.push(() => this.restartAfter(this.downMs))
    for (const fault of faults) field.machine.world.after(fault.at, () => this.begin(fault))
  }

  /** Every fault ends now, and no more comes. */
  heal(): void {
    this.isOver = true
    this.undoings.all()
    this.field.machine.crashBeforeEffect(Number.POSITIVE_INFINITY, "process")
    this.field.disk.failsNext = false
    this.field.restart()
  }

  private begin(fault: Fault): void {
    if (this.isOver) return
    this.field.machine.world.note(`fault ${fault.kind}`)
    this.carryOut(fault)
  }

  private carryOut(trouble: Trouble): void {
    const { net, machine, disk, operator } = this.field
    switch (trouble.kind) {
      case "cut":
        net.cut(machine.name, trouble.partner, trouble.how, trouble.losesInFlight)
        break
      case "partition":
      case "clog":
        this.block(trouble.partner, trouble.way, 0, trouble.forMs)
        break
      case "swizzle":
        for (const { partner, stopsAfter, startsAfter } of trouble.steps) {
          this.block(partner, "both", stopsAfter, startsAfter - stopsAfter)
        }
        break
      case "swallow":
        net.swallow(machine.name, trouble.partner)
        break
      case "refuse":
        net.refuse(trouble.machine, true)
        this.undoings.later(trouble.forMs, () => net.refuse(trouble.machine, false))
        break
      case "clockStep":
        machine.wallSkewMs = trouble.byMs
        this.undoings.later(trouble.forMs, () => Object.assign(machine, { wallSkewMs: 0 }))
        break
      case "stop":
        this.downMs = trouble.downMs
        operator.order("stop")
        break
      case "reload":
        operator.order("reload")
        break
      case "pause":
        machine.pause()
        this.undoings.later(trouble.forMs, () => machine.unpause())
        break
      case "crash":
        this.downMs = trouble.downMs
        if (trouble.beforeEffect === 0) machine.crash(trouble.how)
        else machine.crashBeforeEffect(trouble.beforeEffect, trouble.how)
        break
      default:
        this.carryOutOnDisk(trouble, disk)
    }
  }

  private carryOutOnDisk(trouble: DiskTrouble, disk: SimDisk): void {
    switch (trouble.kind) {
      case "slowDisk":
        disk.slowerMs = trouble.byMs
        this.undoings.later(trouble.forMs, () => Object.assign(disk, { slowerMs: 0 }))
        break
      case "lowSpace":
        disk.setLowSpace(true)
        this.undoings.later(trouble.forMs, () => disk.setLowSpace(false))
        break
      case "storeAway":
        disk.setAway(true)
        this.undoings.later(trouble.forMs, () => disk.setAway(false))
        break
      case "diskFails":
        this.downMs = trouble.downMs
        disk.failsNext = true
    }
  }

  /** Blocks a partner's way after a while, for a while. */
  private block(partner: string, way: Way, afterMs: number, forMs: number): void {
    const { net, machine } = this.field
    const pairs: Array<readonly [string, string]> = []
    if (way !== "in") pairs.push([machine.name, partner])
    if (way !== "out") pairs.push([partner, machine.name])
    machine.world.after(afterMs, () => {
      if (this.isOver) return
      for (const [from, to] of pairs) net.block(from, to)
      this.undoings.later(forMs, () => {
        for (const [from, to] of pairs) net.unblock(from, to)
      })
    })
  }

  private restartAfter(ms: number): void {
    this.undoings.later(ms, this.field.restart)
  }
}
