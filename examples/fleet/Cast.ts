/**
 * The programs of a fleet on one machine: an acquirer, one or two switches in a row, an issuer. Each switch is started on two
 * nodes, each node reaches PostgreSQL by a way of its own that can be cut, and each switch has an address that follows its
 * owner.
 */
import { hash } from "node:crypto"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type FaultProxy, makeFaultProxy } from "@jinka/simulator"
import { Effect, Scope } from "effect"
import { parse, stringify } from "yaml"
import { type Child, type Said, type Start, start } from "../main-job/Child.ts"
import { freePort } from "../shared/FreePort.ts"
import { makeAddress } from "./Address.ts"

/** What one run is told. */
export interface FleetPlan {
  readonly seed: number
  /** Requests a second that the acquirer sends, and for how many seconds. */
  readonly rate: number
  readonly seconds: number
  /** Everything that the run writes. Made anew. */
  readonly directory: string
  /** URL of PostgreSQL for whoever connects through these ports of this machine, one for each of `postgresPorts`. */
  readonly postgresUrl: (ports: ReadonlyArray<number>) => string
  /** Of the servers: one, or a primary and what takes its place. */
  readonly postgresPorts: ReadonlyArray<number>
  /** Configurations of the switches, from the acquirer to the issuer. The first link of each listens, the second one dials. */
  readonly switches: ReadonlyArray<URL>
  /** More of the environment of a node's processes. */
  readonly environment?: (node: Node) => Readonly<Record<string, string>>
}

/** A node's way to PostgreSQL, to every server of it. */
interface Way {
  readonly ports: ReadonlyArray<number>
  /** Swallows everything from now on, without a word to either side. */
  readonly cut: () => void
  readonly heal: () => void
}

/** The two nodes. */
export const nodes = ["n1", "n2"] as const
/** One of them. */
export type Node = (typeof nodes)[number]

/** The node that is not this one. */
export const otherThan = (node: Node): Node => (node === "n1" ? "n2" : "n1")

const host = "127.0.0.1"
/** How long a supervisor waits before it starts a node again, milliseconds. */
const RESTART_MS = 200
const jinka = "packages/switch/src/main.ts"
const simulator = "packages/simulator/src/main.ts"

interface Document {
  readonly name: string
  readonly journal: { directory: string; readonly postgres: { node: string } }
  readonly links: readonly [Record<string, object>, Record<string, object>]
}

/** How a process of a node has ended. */
export interface NodeEnd {
  readonly node: Node
  /** Its exit code or signal. */
  readonly how: number | string | null
}

/** One switch: its address, and how it is started and asked on a node. */
export interface FleetSwitch {
  readonly name: string
  /** The node that has it, as of its last word. */
  readonly owner: () => Node
  /** Its process on a node, the last one that was started. */
  readonly process: (node: Node) => Child
  /** Starts it on a node, and again whenever it has ended, as a supervisor does; waits until it has the switch or stands by. */
  readonly start: (node: Node) => Effect.Effect<void>
  /** Ends it on a node in order, for good. */
  readonly stop: (node: Node) => Effect.Effect<Child>
  /** A `jinka` command about it: `args` are those before and behind the configuration. */
  readonly command: (node: Node, before: ReadonlyArray<string>, behind?: ReadonlyArray<string>) => Start
  /** How often a node has said that it has the switch and that all is up. */
  readonly takeovers: () => number
  /** Waits until that was said more than `before` times. */
  readonly readyAfter: (before: number) => Effect.Effect<void>
  readonly ends: ReadonlyArray<NodeEnd>
}

/** A key for the journals of a demonstration, different for each seed. */
export const journalKey = (seed: number): string => hash("sha256", `jinka seed ${seed}`)

/** Files of a run. */
export const filesOf = (directory: string) => ({
  acquirer: join(directory, "acquirer.jsonl"),
  issuer: join(directory, "issuer.jsonl"),
  ledger: join(directory, "ledger.jsonl"),
  log: (name: string) => join(directory, `${name}.log`)
})

/** Sets the stage. Nodes and the acquirer are started one by one. */
export const prepareFleet = Effect.fnUntraced(function* (plan: FleetPlan) {
  const { directory, rate, seconds, seed, switches } = plan
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const at = filesOf(directory)
  const issuer = yield* start({
    name: "issuer",
    file: simulator,
    args: [
      ...["issuer", "--listen", `${host}:0`, "--institution", "01020000", "--seed", String(seed), "--control"],
      ...["--history", at.issuer, "--ledger", at.ledger, "--format", "json", "--status-every", "500 millis"],
      ...["--decline", "6", "--drop", "0.3", "--ignore", "0.2", "--idle", "5 seconds"]
    ],
    logFile: at.log("issuer")
  })
  const ways: Record<Node, Way> = { n1: yield* makeWay(plan), n2: yield* makeWay(plan) }
  let next = Number((yield* issuer.until("started"))["port"])
  const all: Array<FleetSwitch> = []
  for (const template of [...switches].reverse()) {
    const { made, port } = yield* makeSwitch(plan, template, ways, next)
    all.unshift(made)
    next = port
  }
  const raise = start({
    name: "acquirer",
    file: simulator,
    args: [
      ...["acquirer", "--connect", `${host}:${next}`, "--institution", "48020000", "--seed", String(seed)],
      ...["--rate", String(rate), "--duration", `${seconds} seconds`, "--timeout", "6 seconds", "--repeat", "1 second"],
      ...["--drain", "30 seconds", "--history", at.acquirer, "--idle", "5 seconds", "--redial", "100 millis"],
      ...["--control", "--format", "json", "--status-every", "500 millis"]
    ],
    logFile: at.log("acquirer")
  })
  return { issuer, raise, switches: all, ways }
})

const makeWay = Effect.fnUntraced(function* ({ postgresPorts }: FleetPlan) {
  const proxies: ReadonlyArray<FaultProxy> = yield* Effect.forEach(postgresPorts, (port) =>
    makeFaultProxy({ host, port: 0 }, { host, port })
  )
  return {
    ports: proxies.map(({ endpoint }) => endpoint.port),
    cut: () => {
      for (const proxy of proxies) proxy.set("both", { isBlackHole: true })
    },
    heal: () => {
      for (const proxy of proxies) proxy.heal()
    }
  } satisfies Way
})

const makeSwitch = Effect.fnUntraced(function* (
  { directory, environment, postgresUrl, seed }: FleetPlan,
  template: URL,
  ways: Record<Node, Way>,
  next: number
) {
  const scope = yield* Scope.Scope
  const address = yield* makeAddress
  const { name } = parse(readFileSync(template, "utf8")) as Document
  const ports: Record<Node, number> = { n1: yield* freePort, n2: yield* freePort }
  const processes = new Map<Node, Child>()
  let owner: Node = "n1"
  let takeovers = 0
  const listeners = new Set<() => void>()
  const configuration = (node: Node) => join(directory, `${name}-${node}.yaml`)
  for (const node of nodes) {
    const document = parse(readFileSync(template, "utf8")) as Document
    document.journal.directory = `./${name}-${node}`
    document.journal.postgres.node = node
    document.links[0]["listen"] = { ...document.links[0]["listen"], port: ports[node] }
    document.links[1]["connect"] = { ...document.links[1]["connect"], port: next }
    writeFileSync(configuration(node), stringify(document))
  }
  const command: FleetSwitch["command"] = (node, before, behind = []) => ({
    name: `${name}-${node}`,
    file: jinka,
    args: [...before, configuration(node), ...behind],
    logFile: filesOf(directory).log(`${name}-${node}`),
    env: {
      JINKA_JOURNAL_KEY: journalKey(seed),
      JINKA_PG: postgresUrl(ways[node].ports),
      ...environment?.(node)
    }
  })
  const ends: Array<NodeEnd> = []
  const isStopping = new Set<Node>()
  /** The address follows whoever says that it is ready. */
  const follow = (node: Node, child: Child) => {
    let heard = 0
    return Effect.forever(
      Effect.map(
        Effect.suspend(() => child.until("ready", heard)),
        (said: Said) => {
          heard = child.said.indexOf(said) + 1
          owner = node
          takeovers++
          address.move(ports[node])
          for (const listener of listeners) listener()
        }
      )
    )
  }
  const life = (node: Node) =>
    Effect.gen(function* () {
      const child = yield* Scope.provide(start(command(node, ["run"], ["--log", "json"])), scope)
      processes.set(node, child)
      yield* Effect.ignore(follow(node, child))
      ends.push({ node, how: yield* child.exited })
      yield* Effect.sleep(RESTART_MS)
    })
  const isUp = (node: Node): boolean => {
    const said = processes.get(node)?.said ?? []
    return said.some(({ event }) => event === "standby" || event === "ready")
  }
  const started: FleetSwitch["start"] = (node) =>
    Effect.gen(function* () {
      yield* Effect.forkIn(Effect.repeat(life(node), { while: () => !isStopping.has(node) }), scope)
      yield* Effect.repeat(Effect.sleep("20 millis"), { until: () => isUp(node) })
    })
  const stop: FleetSwitch["stop"] = (node) =>
    Effect.gen(function* () {
      isStopping.add(node)
      const child = processes.get(node)!
      child.signal("SIGTERM")
      yield* child.exited
      return child
    })
  const readyAfter: FleetSwitch["readyAfter"] = (before) =>
    Effect.callback((resume) => {
      const look = () => {
        if (takeovers > before) resume(Effect.void)
      }
      listeners.add(look)
      look()
      return Effect.sync(() => listeners.delete(look))
    })
  const made: FleetSwitch = {
    name,
    owner: () => owner,
    process: (node) => processes.get(node)!,
    start: started,
    stop,
    command,
    takeovers: () => takeovers,
    readyAfter,
    ends
  }
  return { made, port: address.port }
})
