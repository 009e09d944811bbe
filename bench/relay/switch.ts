/** The switch of the relay bench: two links, routes by BIN, the real journal on the real disk. Arguments: echo's port, journal directory. */
import * as Net from "node:net"
import { compile } from "@jinka/codec"
import { Effect, Layer } from "effect"
import { Journal } from "../../packages/switch/src/journal/Journal.ts"
import { layerSqlite } from "../../packages/switch/src/journal/SqliteStore.ts"
import type { LinkSettings } from "../../packages/switch/src/link/Settings.ts"
import { make } from "../../packages/switch/src/Switch.ts"
import { layer as nodeTransport } from "../../packages/switch/src/transport/NodeTransport.ts"
import { BIN, dialect, frame } from "./Frame.ts"

const [, , echoPort, directory, recentKeys] = process.argv
const codec = compile(dialect)

const link = (name: string, side: LinkSettings["side"]): LinkSettings => ({
  name,
  institution: "48020000",
  ourInstitution: "00010000",
  dialect,
  codec,
  frame,
  side,
  signOn: { send: false, expect: false, timeoutMs: 5000 },
  idleMs: 30_000,
  watchdog: { intervalMs: 30_000, probe: false, proofs: 0 },
  reconnect: { minMs: 100, maxMs: 1000 },
  window: 4096,
  frameTimeoutMs: 5000,
  unsentMax: 4 << 20,
  writeTimeoutMs: 10_000,
  utcOffsetMs: 0
})
const delivery = { timeoutMs: 10_000, retryMs: 10_000, attemptsMax: 5, window: 16 }

const freePort = await new Promise<number>((resolve) => {
  const probe = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address() as Net.AddressInfo
    probe.close(() => resolve(port))
  })
})

const program = Effect.gen(function* () {
  const running = yield* make({
    links: [
      {
        ...link("acquirer", { _tag: "listen", at: { host: "127.0.0.1", port: freePort }, from: [], second: "replace" }),
        delivery
      },
      {
        ...link("issuer", { _tag: "connect", to: { host: "127.0.0.1", port: Number(echoPort) }, timeoutMs: 5000 }),
        delivery
      }
    ],
    routes: [{ bin: BIN, to: 1 }],
    limits: {
      requestTimeoutMs: 20_000,
      recentKeys: Number(recentKeys ?? 250_000),
      unwrittenRefuse: 64 << 20,
      unwrittenStop: 16 << 20
    }
  })
  while (running.links[1]!.isReady === false) yield* Effect.sleep(10)
  process.on("message", () => {
    const cpu = process.cpuUsage()
    const main = process.threadCpuUsage()
    process.send?.({
      cpuUs: cpu.user + cpu.system,
      mainUs: main.user + main.system,
      rss: process.memoryUsage.rss(),
      status: running.status()
    })
  })
  process.send?.({ port: freePort })
  return yield* running.failed
})

const key = Buffer.alloc(32, 1)
await Effect.runPromise(
  program.pipe(
    Effect.scoped,
    Effect.provide(
      Layer.mergeAll(nodeTransport, Journal.layer.pipe(Layer.provide(layerSqlite({ directory: directory!, key }))))
    )
  ) as Effect.Effect<never>
)
