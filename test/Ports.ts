/**
 * The ports that examples and pages name. What a killed run has left behind may hold one; then nothing that the test would say is
 * true, and it says who holds it instead.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { createServer } from "node:net"

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

/** Fails when somebody listens on one of the ports, and says who; the ports are those of four digits that the texts name. */
export const needFreePorts = async (...texts: ReadonlyArray<string>): Promise<void> => {
  const ports = [...new Set(texts.flatMap((text) => text.match(/\b7[89]\d\d\b/g) ?? []))].map(Number)
  const held: Array<string> = []
  for (const port of ports) if (!(await isFree(port))) held.push(`port ${port} is held by ${holderOf(port)}`)
  if (held.length > 0) throw new Error(`This test needs fixed ports. End what holds them first:\n${held.join("\n")}`)
}
