/** TCP keepalive as the kernel sees it. Linux shows the timers of its sockets; elsewhere there is nothing to look at. */
import { existsSync, readFileSync } from "node:fs"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { type Connection, Transport } from "../../../packages/switch/src/transport/Transport.ts"
import { host, network } from "./Sockets.ts"

const table = "/proc/net/tcp"

/** The timer of the socket with these two ports, by the kernel's number (2: keepalive), and seconds until it fires. */
const timerOf = (local: number, remote: number): { readonly kind: number; readonly seconds: number } => {
  const port = (field: string) => Number.parseInt(field.split(":")[1]!, 16)
  const rows = readFileSync(table, "utf8").trim().split("\n").slice(1)
  const row = rows
    .map((line) => line.trim().split(/\s+/))
    .find((one) => port(one[1]!) === local && port(one[2]!) === remote)
  const [kind = "", jiffies = ""] = row?.[5]?.split(":") ?? []
  return { kind: Number.parseInt(kind, 16), seconds: Number.parseInt(jiffies, 16) / 100 }
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1))

const dialled = (port: number, keepAlive?: { idleMs: number; intervalMs: number; count: number }) =>
  Effect.runPromise(
    Effect.flatMap(Transport, ({ connect }) => connect({ host: "127.0.0.1", port }, { keepAlive })).pipe(
      Effect.provide(network)
    )
  )

const timer = ({ local, remote }: Connection) => timerOf(portOf(local), portOf(remote))

describe.skipIf(!existsSync(table))("TCP keepalive", () => {
  it("is off unless it is asked for, and then runs with its idle time on both sides", async () => {
    const keepAlive = { idleMs: 40_000, intervalMs: 5000, count: 3 }
    const one = await host({ keepAlive })
    const without = await dialled(one.port)
    const acceptedWithout = await one.accepted()

    const withIt = await dialled(one.port, keepAlive)

    expect(timer(without).kind).toBe(0)
    expect(timer(withIt).kind).toBe(2)
    expect(timer(withIt).seconds).toBeGreaterThan(30)
    expect(timer(withIt).seconds).toBeLessThanOrEqual(41)
    expect(timer(acceptedWithout).kind).toBe(2)

    for (const connection of [without, withIt]) connection.close("reset")
    await one.close()
  })
})
