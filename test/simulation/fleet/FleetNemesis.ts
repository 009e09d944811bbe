/** Carries out the faults of a fleet's run, and heals everything at its end. It draws nothing: all is in the faults. */

import type { SimNet } from "../world/SimNet.ts"
import { Undoings } from "../world/Undoings.ts"
import type { FleetFault, FleetTrouble, Which } from "./FleetFaults.ts"
import type { FleetNode } from "./FleetNode.ts"
import { postgresName, type SimPostgres } from "./SimPostgres.ts"

/** What it works on. */
export interface FleetField {
  readonly net: SimNet
  readonly server: SimPostgres
  readonly nodes: ReadonlyArray<FleetNode>
  /** Machines of all partners. */
  readonly partners: ReadonlyArray<string>
  /** An operator wants the switch handed over. */
  readonly handOver: (how: "yield" | "stop") => void
  /** What was acknowledged is about to be lost. */
  readonly losing: () => void
}

/** Trouble with one node. */
type NodeTrouble = Extract<FleetTrouble, { readonly node: Which }>

export class FleetNemesis {
  private readonly field: FleetField
  private readonly undoings: Undoings
  private readonly downMs = new Map<FleetNode, number>()
  private isOver = false

  constructor(field: FleetField, faults: ReadonlyArray<FleetFault>) {
    this.field = field
    const { world } = field.server
    this.undoings = new Undoings(world)
    for (const fault of faults) world.after(fault.at, () => this.begin(fault))
  }

  /** Every fault ends now, and no more comes. */
  heal(): void {
    this.isOver = true
    this.undoings.all()
    this.field.server.start()
    for (const node of this.field.nodes) {
      node.machine.crashBeforeEffect(Number.POSITIVE_INFINITY, "process")
      node.start()
    }
  }

  private begin(fault: FleetFault): void {
    if (this.isOver) return
    this.field.server.world.note(`fault ${fault.kind}`)
    if ("node" in fault) this.onNode(fault, this.nodeOf(fault.node))
    else this.onStore(fault)
  }

  private nodeOf(which: Which): FleetNode {
    const { nodes, server } = this.field
    if (which === 0 || which === 1) return nodes[which]!
    const owner = nodes.find(({ name }) => name === server.tables.owner?.node) ?? nodes[0]!
    return which === "owner" ? owner : nodes.find((node) => node !== owner)!
  }

  private onNode(trouble: NodeTrouble, node: FleetNode): void {
    const { machine, name } = node
    const { net, partners, server } = this.field
    switch (trouble.kind) {
      case "kill":
        this.downMs.set(node, trouble.downMs)
        if (trouble.beforeEffect === 0) machine.crash(trouble.how)
        else machine.crashBeforeEffect(trouble.beforeEffect, trouble.how)
        break
      case "freeze":
        machine.pause()
        this.undoings.later(trouble.forMs, () => machine.unpause())
        break
      case "cutFromStore":
        if (trouble.way !== "in") this.block(name, postgresName, trouble.forMs)
        if (trouble.way !== "out") this.block(postgresName, name, trouble.forMs)
        break
      case "cutFromPartners":
        for (const partner of partners) {
          this.block(name, partner, trouble.forMs)
          this.block(partner, name, trouble.forMs)
        }
        break
      case "resetStore":
        server.reset(name, trouble.losesInFlight)
        break
      case "swallowStore":
        net.swallow(name, postgresName)
        break
      case "nodeClock":
        machine.wallSkewMs = trouble.byMs
        this.undoings.later(trouble.forMs, () => Object.assign(machine, { wallSkewMs: 0 }))
    }
  }

  private onStore(trouble: Exclude<FleetTrouble, NodeTrouble>): void {
    const { handOver, losing, server } = this.field
    const back = (downMs: number) => this.undoings.later(downMs, () => server.start())
    switch (trouble.kind) {
      case "handOver":
        handOver(trouble.how)
        break
      case "storeCrash":
        server.crash()
        back(trouble.downMs)
        break
      case "failOver":
        server.failOver()
        back(trouble.downMs)
        break
      case "loss":
        losing()
        server.failOver(trouble.changes)
        back(trouble.downMs)
        break
      case "standbyGone":
        server.setStandby(true)
        if (trouble.resetAfter !== undefined)
          server.world.after(trouble.resetAfter, () => server.reset(this.nodeOf("owner").name, false))
        this.undoings.later(trouble.forMs, () => this.standbyAgain(trouble.ends))
        break
      case "slowStore":
        server.slowerMs = trouble.byMs
        this.undoings.later(trouble.forMs, () => Object.assign(server, { slowerMs: 0 }))
    }
  }

  private standbyAgain(ends: "back" | "failOver"): void {
    const { server } = this.field
    if (ends === "failOver" && server.machine.life !== undefined) server.failOver()
    server.setStandby(false)
    server.start()
  }

  private block(from: string, to: string, forMs: number): void {
    const { net } = this.field
    net.block(from, to)
    this.undoings.later(forMs, () => net.unblock(from, to))
  }

  /** A node's process has ended: how long until it is started again, milliseconds. */
  downFor(node: FleetNode): number {
    const downMs = this.downMs.get(node) ?? 300
    this.downMs.delete(node)
    return downMs
  }

  /** Starts a node after a while, or when all is healed. */
  restart(node: FleetNode): void {
    this.undoings.later(this.downFor(node), () => node.start())
  }
}
