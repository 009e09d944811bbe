/**
 * One run of two nodes with one PostgreSQL: chaos, calm and drain as for one switch (`Simulation.ts`), and the same promises over
 * what both nodes did, with those that only a fleet has. A run that ends with lost acknowledgements is judged up to there, and
 * by whether the fleet stops.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Entry } from "../../../packages/switch/src/journal/Entry.ts"
import { Keyring } from "../../../packages/switch/src/journal/Seal.ts"
import { History } from "../check/History.ts"
import { Ends } from "../check/JournalChecks.ts"
import { tapInto } from "../check/Tap.ts"
import { DRAIN_MS } from "../JinkaSwitch.ts"
import type { FleetOptions, Options } from "../Options.ts"
import { Partners } from "../Partners.ts"
import { type RunResult, type RunSettings, resultOf, statsOf } from "../Result.ts"
import { Operator } from "../Subject.ts"
import type { Side } from "../world/Side.ts"
import { SimNet } from "../world/SimNet.ts"
import { World, WorldStopped } from "../world/World.ts"
import { type Acknowledged, kept, ordered } from "./FleetChecks.ts"
import type { FleetFault } from "./FleetFaults.ts"
import { FleetNemesis } from "./FleetNemesis.ts"
import { FleetNode, type NodeEnd } from "./FleetNode.ts"
import { KeptGroups } from "./KeptGroups.ts"
import { postgresName, SimPostgres } from "./SimPostgres.ts"

/** Names of the nodes. */
const nodeNames = ["node-1", "node-2"] as const

/**
 * From the end of all faults until somebody runs the switch again, besides `takeoverAfter`, milliseconds: a hand-over that has
 * just begun drains, and a takeover asks PostgreSQL a dozen times over a slow network.
 */
const READY_WITHIN = DRAIN_MS + 14_000
/** From a loss until its owner has stopped, milliseconds: PostgreSQL is back within 4 s, and is looked at twice a second. */
const STOPPED_WITHIN = 12_000
/** Nodes that are started together for a switch that never ran may both begin it: by then one has it, milliseconds. */
const SETTLED_AFTER = 10_000
const HOLDS_AFTER_DRAIN = 10_000
/** How long after its store is back a node may still write the acknowledgement of a repeat that it made before. */
const REPEAT_LEAVES_MS = 1000

/** Answers of PostgreSQL with which an owner has looked at what is left: on a new connection the beat comes behind two. */
const LOOKED = 4

/** Ends of a process that say what happened to it. What PostgreSQL lost is another matter. */
const lawful: ReadonlySet<string> = new Set(["Overtaken", "StoreAway"])

const keyring = new Keyring([Buffer.alloc(32, 7)])

/** Runs one seed with two nodes, synchronously. */
export const runFleet = (options: Options & { readonly fleet: FleetOptions }, settings: RunSettings): RunResult => {
  const directory = mkdtempSync(join(tmpdir(), "jinka-fleet-"))
  try {
    return new FleetRun(options, settings, directory).result()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

class FleetRun {
  private readonly options: Options & { readonly fleet: FleetOptions }
  private readonly world: World
  private readonly net: SimNet
  private readonly server: SimPostgres
  private readonly nodes: ReadonlyArray<FleetNode>
  private readonly nemesis: FleetNemesis
  private readonly partners: Partners
  private readonly operator = new Operator()
  private readonly history = new History()
  private readonly keptGroups = new KeptGroups(keyring)
  private readonly owners = new Map<bigint, string>()
  private readonly acknowledged: Array<Acknowledged> = []
  private lastOwner = ""
  private lastTakenAt = 0
  private takeovers = 0
  private crashes = 0
  private stops = 0
  /** Acknowledged groups are gone: which node knew of them, and what its process ended with. */
  private lost:
    | {
        readonly node: FleetNode | undefined
        end: string | undefined
        goneOn: number
        isBlind: boolean
        answers: number
      }
    | undefined

  constructor(options: FleetRun["options"], { keepTrace = false, subject }: RunSettings, directory: string) {
    this.options = options
    this.world = new World({ seed: options.seed, startsAt: options.startsAt, keepTrace })
    this.net = new SimNet(this.world, options.net)
    this.server = new SimPostgres(this.world, this.net, options.fleet.postgres)
    const { keptGroups: groups, net, operator, server } = this
    const fleet = { options, subject, net, server, operator, keyring, kept: groups, directory }
    const events = {
      took: (node: FleetNode) => this.took(node),
      opened: (node: FleetNode, epoch: bigint) => {
        this.owners.set(epoch, node.name)
        if (this.lost !== undefined) this.lost.goneOn++
      },
      durable: (node: FleetNode, { first, hash }: { readonly first: number; readonly hash: Buffer }) =>
        void this.acknowledged.push({ node: node.name, first, hash: hash.toString("latin1") }),
      ended: (end: NodeEnd) => this.ended(end)
    }
    this.nodes = nodeNames.map((name) => new FleetNode(fleet, name, events))
    for (const node of this.nodes) this.watch(node)
    this.partners = new Partners(this.world, net, options, this.history, nodeNames)
    const names = [...options.issuers, ...options.acquirers].flatMap(({ name, second }) =>
      second === undefined ? [name] : [name, second.name]
    )
    this.nemesis = new FleetNemesis(
      {
        ...{ net, server, nodes: this.nodes, partners: names },
        handOver: (how) => this.handOver(how),
        losing: () => this.losing()
      },
      options.faults as ReadonlyArray<FleetFault>
    )
    for (const node of this.nodes) node.start()
    this.partners.startAcquirers()
  }

  result(): RunResult {
    const { world } = this
    try {
      world.advance(this.options.chaos)
      if (this.lost === undefined) this.live()
      else this.end()
    } catch (error) {
      if (!(error instanceof WorldStopped)) throw error
      this.find(error.message)
    } finally {
      for (const { machine } of [...this.nodes, this.server]) machine.crash("process")
    }
    const { crashes, stops, takeovers } = this
    const counted = { crashes, stops, takeovers, reloads: this.operator.reloads, faults: this.options.faults.length }
    return resultOf(this.options, world, statsOf(world, this.history, counted), [
      ...this.history.findings,
      ...this.net.findings
    ])
  }

  // ---------------------------------------------------------------- nodes

  private watch(node: FleetNode): void {
    const { machine } = node
    machine.onCrash.push(() => {
      this.crashes++
      this.history.deaths.push(this.world.startsAt + this.world.nowMs)
      this.nemesis.restart(node)
    })
    machine.onLog.push((text) => {
      this.history.log.push(text)
      // It could not look: its process ends like any other that was cut off.
      if (this.lost !== undefined && text.includes("could not be handed over")) this.lost.isBlind = true
    })
    const tap = tapInto(this.history, this.world, node.name, () => node.durable, node.away)
    this.net.taps.push((side, bytes) => {
      if (side.host === postgresName && side.peerHost === node.name && this.lost?.node === node) this.lost.answers++
      if (side.host !== node.name || side.peerHost === postgresName) return
      const before = this.history.written.length
      tap(side, bytes)
      if (this.history.written.length > before) this.mayLeave(node, side)
    })
  }

  /** A message about money leaves: nobody else may have the switch. A refusal promises nothing, and may leave whoever has it. */
  private mayLeave(node: FleetNode, side: Side): void {
    const { epoch, owner } = this.server.tables
    const { code = "00" } = this.history.written.at(-1)!
    if (code !== "00") return
    if (this.lost !== undefined || (owner?.node === node.name && this.owners.get(epoch) === node.name)) return
    if (owner === undefined) return
    const { mti, rrn } = this.history.written.at(-1)!
    // The reversal has been on disk for long, and its repeat need not wait for a store that is away: that is true of any owner.
    if (mti === "0430" && node.away.wasSince(this.world.nowMs - REPEAT_LEAVES_MS)) return
    this.find(
      `fleet: ${node.name} wrote ${mti} ${rrn} to ${side.peerHost}, and ${owner.node} has the switch, epoch ${epoch}`
    )
  }

  private took(node: FleetNode): void {
    this.takeovers++
    this.lastTakenAt = this.world.nowMs
    this.world.note(`${node.name} takes the switch`)
    const { lastOwner } = this
    this.lastOwner = node.name
    if (lastOwner === "" || lastOwner === node.name || !this.options.fleet.resetsLeft) return
    for (const { name } of [...this.options.acquirers, ...this.options.issuers]) {
      this.net.cut(lastOwner, name, "rst", true)
    }
  }

  private ended({ error, node, words }: NodeEnd): void {
    const reason = error?.reason._tag
    this.world.note(`${node.name} ends: ${reason ?? words}`)
    if (this.lost !== undefined) {
      if (this.lost.node !== node || this.lost.end !== undefined) return
      this.lost.end = reason ?? words
      // It was cut off all the time, and was to end by now.
      if (reason === "StoreAway" && this.lost.answers < LOOKED) this.lost.isBlind = true
      return
    }
    if (reason !== undefined ? !lawful.has(reason) : words !== "")
      this.find(`fleet: ${node.name} ended by itself at ${this.world.nowMs} ms: ${words}`)
  }

  private handOver(how: "yield" | "stop"): void {
    const node = this.nodes.find(({ isServing, name }) => isServing && name === this.server.tables.owner?.node)
    if (node?.order(how) === true) this.stops++
  }

  /** What was acknowledged is lost now. Only an owner that runs can know. */
  private losing(): void {
    for (const finding of this.partners.wireFindings()) this.find(finding)
    const { owner } = this.server.tables
    const knows = this.nodes.find((one) => one.isServing && !one.machine.isPaused && one.name === owner?.node)
    this.lost = { node: knows, end: undefined, goneOn: 0, isBlind: false, answers: 0 }
  }

  // ---------------------------------------------------------------- phases and verdict

  private live(): void {
    this.nemesis.heal()
    this.partners.behaveWell()
    this.calm()
    this.drain()
    for (const finding of this.partners.findings(this.entries())) this.find(finding)
    const { groups } = this.server.tables
    for (const finding of [...ordered(groups, this.owners), ...kept(groups, this.acknowledged)]) this.find(finding)
    if (this.options.faults.length === 0 && this.lastTakenAt > SETTLED_AFTER)
      this.find(`fleet: the switch was taken at ${this.lastTakenAt} ms, and nothing had gone wrong`)
  }

  private calm(): void {
    const { world } = this
    const healedAt = world.startsAt + world.nowMs
    const within = this.options.fleet.takeoverAfterMs + READY_WITHIN
    world.advance(within)
    if (!this.nodes.some(({ isServing }) => isServing))
      this.find(`liveness: nobody had the switch ${within} ms after the end of all faults`)
    const until = world.nowMs + this.options.calm - within
    while (world.nowMs < until && this.partners.unserved(healedAt).length > 0) world.advance(1000)
    for (const named of this.partners.unserved(healedAt)) this.find(named)
  }

  private drain(): void {
    const { world } = this
    this.partners.settle()
    const until = world.nowMs + this.options.drainMax
    while (world.nowMs < until && this.pending().length > 0) world.advance(1000)
    for (const named of this.pending()) this.find(`liveness: ${named}`)
    world.advance(HOLDS_AFTER_DRAIN)
  }

  private pending(): ReadonlyArray<string> {
    const named = this.partners.pending()
    if (!this.nodes.some(({ isServing }) => isServing)) return [...named, "nobody has the switch"]
    return [...named, ...new Ends().follow(this.entries()).missing]
  }

  private entries(): ReadonlyArray<Entry> {
    const { groups, journalId = "" } = this.server.tables
    return this.keptGroups.entries(groups, journalId)
  }

  /** The owner whose groups are gone stops, and nobody goes on without them. */
  private end(): void {
    this.nemesis.heal()
    this.world.advance(STOPPED_WITHIN + this.options.fleet.takeoverAfterMs)
    const { end, goneOn, isBlind, node } = this.lost!
    const hashes = new Set(this.server.tables.groups.map(({ hash }) => hash.toString("latin1")))
    const isGone = this.acknowledged.some(({ hash, node: name }) => name === node?.name && !hashes.has(hash))
    if (node === undefined || !isGone || isBlind) return
    if (end !== "Truncated") this.find(`fleet: acknowledged groups of ${node.name} are gone, and it ended with ${end}`)
    else if (goneOn > 0)
      this.find(`fleet: acknowledged groups are gone, and the journal was opened ${goneOn} times since`)
  }

  private find(what: string): void {
    this.world.note(`finding ${what}`)
    this.history.findings.push(what)
  }
}
