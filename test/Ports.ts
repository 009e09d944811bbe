/**
 * The ports that examples and pages name. What a killed run has left behind may hold one; then nothing that the test would say is
 * true. Another run of the same test, of another copy say, is waited for; what does not go away is named.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { isOver } from "./Pace.ts"

/** Whether nobody listens on a port of this machine. */
const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

/** The inode of the socket that listens on a port (proc_net(5): local address, state 0A, inode). */
const inodeOf = (port: number): string | undefined => {
  const address = new RegExp(`^\\s*\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, "0")} \\S+ 0A `)
  const rows = ["tcp", "tcp6"].flatMap((name) => readFileSync(`/proc/net/${name}`, "utf8").split("\n"))
  return rows
    .find((row) => address.test(row))
    ?.trim()
    .split(/\s+/)[9]
}

/** What a process has open; nothing of another user's, or of one that has ended meanwhile. */
const openOf = (pid: string): ReadonlyArray<string> => {
  const unlessGone = <A>(look: () => A, otherwise: A): A => {
    try {
      return look()
    } catch {
      return otherwise
    }
  }
  const folder = `/proc/${pid}/fd`
  return unlessGone(() => readdirSync(folder), []).map((name) =>
    unlessGone(() => readlinkSync(`${folder}/${name}`), "")
  )
}

/** Who listens on a port, as far as this system and user can tell. */
const holderOf = (port: number): string => {
  try {
    const socket = `socket:[${inodeOf(port)}]`
    const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && openOf(name).includes(socket))
    if (pid === undefined) return "a process of another user"
    return `process ${pid} (${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim()})`
  } catch {
    return "another process"
  }
}

/** Takes a name on this machine, which other runs of the same test wait for; the end of the process gives it back. */
const takeTurn = (name: string): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const turn = createServer()
    turn.once("error", () => resolve(undefined))
    // unix(7), abstract: a name without a file.
    turn.listen(`\0jinka-test-${name}`, () => resolve(turn.unref()))
  })

/** Pause between two looks at what holds a port, in ms. */
const LOOK_MS = 500
/** How long a quiet machine's other run of the same test may take, in ms. */
const TURN_MS = 60_000
/** However busy the machine: a test that is given up by its hook (`vitest.config.ts`) does not say who holds a port, in ms. */
const TURN_MAX_MS = 500_000

/**
 * Waits until nobody listens on the ports, which are those of four digits that the texts name, and no other run of the same test
 * is about to. Gives the call that lets the next one begin. Fails when one is held all the while, and says by whom.
 */
export const needFreePorts = async (...texts: ReadonlyArray<string>): Promise<() => void> => {
  const ports = [...new Set(texts.flatMap((text) => text.match(/\b7[89]\d\d\b/g) ?? []))].map(Number)
  const began = performance.now()
  const again = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  const isHopeless = () => isOver(began, TURN_MS) || performance.now() - began > TURN_MAX_MS
  const name = String(Math.min(...ports))
  let turn = process.platform === "linux" ? await takeTurn(name) : createServer()
  while (turn === undefined && !isHopeless()) {
    await again()
    turn = await takeTurn(name)
  }
  for (;;) {
    const held: Array<number> = []
    for (const port of ports) if (!(await isFree(port))) held.push(port)
    if (held.length === 0) return () => void turn?.close()
    if (isHopeless()) {
      const whose = held.map((port) => `port ${port} is held by ${holderOf(port)}`)
      throw new Error(`This test needs fixed ports. End what holds them first:\n${whose.join("\n")}`)
    }
    await again()
  }
}
