/**
 * A small network of its own for a test: hosts are Linux network namespaces, cables are veth pairs, and a cable can become a
 * black hole. Needs root and `ip` of iproute2; without them `hindrance` says so, and the tests that need it are shown as
 * skipped.
 *
 * A namespace carries the number of the process that made it; what a killed run has left is removed by the next one.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { Effect, type Scope } from "effect"

const ip = (...args: ReadonlyArray<string>): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" })

const probe = `jinka-${process.pid}-probe`

const findHindrance = (): string => {
  if (process.platform !== "linux") return `network namespaces are of Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return "network namespaces need root"
  if (spawnSync("ip", ["-Version"]).status !== 0) return "`ip` is missing: install iproute2"
  const made = spawnSync("ip", ["netns", "add", probe], { encoding: "utf8" })
  const cabled = spawnSync("ip", ["-n", probe, "link", "add", "c0", "type", "veth", "peer", "name", "c1"])
  spawnSync("ip", ["netns", "del", probe])
  if (made.status !== 0) return `no network namespace can be made here: ${made.stderr.trim()}`
  return cabled.status === 0 ? "" : "no veth pair can be made here"
}

/** Why this machine cannot hold such a network; "" when it can. */
export const hindrance = findHindrance()

/** A machine on the network. `before` goes in front of a command that shall run on it. */
export interface Host {
  readonly name: string
  readonly before: ReadonlyArray<string>
}

interface End {
  readonly host: Host
  readonly device: string
  readonly address: string
}

/** A cable between two hosts, with an address at each end. */
export class Cable {
  readonly ends: readonly [End, End]

  constructor(ends: readonly [End, End]) {
    this.ends = ends
    const [one, other] = ends
    ip(
      "link",
      "add",
      one.device,
      "netns",
      one.host.name,
      "type",
      "veth",
      "peer",
      other.device,
      "netns",
      other.host.name
    )
    for (const { address, device, host } of ends) {
      ip("-n", host.name, "addr", "add", `${address}/30`, "dev", device)
      ip("-n", host.name, "link", "set", device, "up")
    }
  }

  /**
   * Everything that `from` sends (both ends without it) goes to a hardware address that nobody has: it is lost without a word,
   * and nothing tells either end.
   */
  blackHole(from?: Host): void {
    const [one, other] = this.ends
    for (const [near, far] of [
      [one, other],
      [other, one]
    ] as const) {
      if (from !== undefined && from !== near.host) continue
      const nobody = ["lladdr", "02:00:00:00:00:99", "nud", "permanent"]
      ip("-n", near.host.name, "neigh", "replace", far.address, ...nobody, "dev", near.device)
    }
  }

  /** Takes the black hole back. */
  heal(): void {
    const [one, other] = this.ends
    spawnSync("ip", ["-n", one.host.name, "neigh", "del", other.address, "dev", one.device])
    spawnSync("ip", ["-n", other.host.name, "neigh", "del", one.address, "dev", other.device])
  }

  /** Out of its socket at both ends, or back in. */
  plug(isIn: boolean): void {
    for (const { device, host } of this.ends) ip("-n", host.name, "link", "set", device, isIn ? "up" : "down")
  }
}

/** The hosts of a network by name, and cables between them. */
export interface Network {
  readonly host: (name: string) => Host
  readonly cable: (one: Host, other: Host) => Cable
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Removes what runs that were killed have left. */
const sweep = (): void => {
  for (const [name, pid] of ip("netns", "list").matchAll(/^jinka-(\d+)-\S+/gm)) {
    if (!isAlive(Number(pid))) spawnSync("ip", ["netns", "del", name])
  }
}

let networks = 0

/** A network for as long as the scope lives. */
export const makeNetwork: Effect.Effect<Network, never, Scope.Scope> = Effect.gen(function* () {
  sweep()
  const made: Array<Host> = []
  const prefix = `jinka-${process.pid}-${++networks}`
  let cables = 0
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const { name } of made) spawnSync("ip", ["netns", "del", name])
    })
  )
  return {
    host: (word) => {
      const name = `${prefix}-${word}`
      ip("netns", "add", name)
      ip("-n", name, "link", "set", "lo", "up")
      const host: Host = { name, before: ["ip", "netns", "exec", name] }
      made.push(host)
      return host
    },
    cable: (one, other) => {
      const net = ++cables
      return new Cable([
        { host: one, device: `c${net}`, address: `10.77.${net}.1` },
        { host: other, device: `c${net}`, address: `10.77.${net}.2` }
      ])
    }
  }
})
