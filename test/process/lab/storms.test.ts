/**
 * Rows 15 and 37 of docs/reference/test-plan.md: addresses that refuse, close at once or cannot be found, and a stranger who
 * connects thousands of times. A link tries ever slower and never gives up; handles do not leak; the others' traffic goes
 * on.
 */
import { createServer, type Socket } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { isLong } from "../../Runs.ts"
import { Line, pause, until } from "../../switch/operate/Line.ts"
import { cleanUp } from "../../switch/operate/program.ts"
import { GoodPair, goodLinks, handlesOf, type LinkText, procHindrance, residentMiB, switchWith } from "./Switch.ts"

const STORM_MS = isLong ? 60_000 : 4000
const STRANGERS = isLong ? 10_000 : 1000
/** What the good pair's own traffic may add to resident memory meanwhile; a leak of sockets shows in the handles first. */
const GROWTH_MIB = isLong ? 250 : 100
/** Connections of the stranger that are open at once. */
const AT_ONCE = 100

afterEach(cleanUp)

/** An address that takes every connection and ends it at once; when each came. */
const slamming = (): Promise<{ readonly port: number; readonly came: Array<number>; readonly stop: () => void }> =>
  new Promise((resolve) => {
    const came: Array<number> = []
    const door = createServer((socket: Socket) => {
      came.push(performance.now())
      socket.on("error", () => undefined)
      socket.resetAndDestroy()
    })
    door.listen(0, "127.0.0.1", () =>
      resolve({ port: (door.address() as { readonly port: number }).port, came, stop: () => door.close() })
    )
  })

const dialling = (name: string, institution: string, host: string, port: number): LinkText => ({
  ...{ name, institution, dialect: "cups" },
  connect: { host, port, timeout: "1 second" },
  reconnect: { min: "100 millis", max: "1 second" }
})

describe.skipIf(procHindrance !== "")(`A storm ${procHindrance}`, () => {
  it("of failing connections is answered with pauses that grow, with chance in them, and leaks nothing", async () => {
    const slam = await slamming()
    const closed = await slamming()
    closed.stop()
    const kinds = [
      ["refused", "127.0.0.1", closed.port],
      ["slammed", "127.0.0.1", slam.port],
      ["unknown", "no-such-host.invalid", 7001]
    ] as const
    const links = kinds.flatMap(([kind, host, port], at) =>
      Array.from({ length: 10 }, (_, n) => dialling(`${kind}-${n}`, String(30_000_000 + at * 10 + n), host, port))
    )
    const running = await switchWith([...goodLinks, ...links])
    const good = await GoodPair.begin(running)
    await pause(1000)
    const handles = handlesOf(running.ready.pid)
    const memory = residentMiB(running.ready.pid)
    const first = slam.came.length
    await pause(STORM_MS)
    const attempts = slam.came.length - first
    await good.end()
    const { links: after } = await running.status()

    // Once a link waits for up to a second, drawn from 0.05 to 1, ten links come some twenty times a second.
    expect(attempts).toBeGreaterThan((STORM_MS / 1000) * 5)
    expect(attempts).toBeLessThan((STORM_MS / 1000) * 45)

    for (const [kind] of kinds) {
      const ours = after.filter(({ name }) => name.startsWith(kind))
      expect(ours.every(({ ready }) => !ready)).toBe(true)
      if (kind !== "slammed") expect(ours.every(({ attempts: made }) => made >= 3)).toBe(true)
    }
    const why = (kind: string) => after.find(({ name }) => name === `${kind}-0`)!.lastEnd!
    expect(why("refused").why).toContain("Refused")
    expect(why("unknown").why).toMatch(/NameUnknown|Timeout/)
    expect(why("slammed").reason).toMatch(/PeerReset|PeerClosed|ConnectFailed/)
    // Ten attempts of each kind may be under way in either count.
    expect(handlesOf(running.ready.pid)).toBeLessThan(handles + 40)
    expect(residentMiB(running.ready.pid)).toBeLessThan(memory + GROWTH_MIB)
    expect(good.others).toEqual([])
    expect(good.p99).toBeLessThan(good.p99Max)

    slam.stop()
  })

  it(`of ${STRANGERS} connections from a stranger changes nothing for the partners`, async () => {
    const running = await switchWith(goodLinks)
    const good = await GoodPair.begin(running)
    await until(() => good.took.length > 20, "traffic")
    const epochs = (await running.status()).links.map(({ epoch }) => epoch)
    const handles = handlesOf(running.ready.pid)
    const memory = residentMiB(running.ready.pid)

    // Half of them at the door of each link, from an address that no link allows.
    let ended = 0
    const stranger = async (port: number): Promise<void> => {
      while (ended < STRANGERS) {
        ended++
        const line = await Line.connect(port, "127.0.0.2")
        await line.ended
      }
    }
    const ports = [running.port("acquirer"), running.port("issuer")]
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => stranger(ports[n % 2]!)))
    await good.end()

    expect((await running.status()).links.map(({ epoch }) => epoch)).toEqual(epochs)
    expect(good.others).toEqual([])
    expect(good.took.length).toBeGreaterThan(20)
    expect(good.p99).toBeLessThan(good.p99Max)

    await until(() => handlesOf(running.ready.pid) <= handles + 2, "the stranger's handles gone")
    expect(residentMiB(running.ready.pid)).toBeLessThan(memory + GROWTH_MIB)

    await running.stop()
    const { err } = await running.ended
    // A line at each door now and then, and not for each of them.
    const lines = err.split("\n").filter((line) => line.includes("PeerNotAllowed"))

    expect(lines.length).toBeGreaterThanOrEqual(ports.length)
    expect(lines.length).toBeLessThan(20)
  })
})
