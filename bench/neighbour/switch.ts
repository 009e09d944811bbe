/**
 * The switch of the neighbour bench: two partners that ask, three issuers, the real journal. Arguments: issuers' ports,
 * directory.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Effect } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { make } from "../../packages/switch/src/Switch.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { bins, institutions } from "./Messages.ts"

const [, , ports, directory] = process.argv
const { shared, slow, silent } = JSON.parse(ports!) as { shared: number; slow: number; silent: number }
const host = "127.0.0.1"

const flood = await Effect.runPromise(freePort)
const good = await Effect.runPromise(freePort)
const asks = (name: string, port: number, institution: string) =>
  link(name, { _tag: "listen", at: { host, port }, from: [], second: "replace" }, { institution, window: 2048 })
const answers = (name: string, port: number) =>
  link(name, { _tag: "connect", to: { host, port }, timeoutMs: 5000 }, { window: 2048 })

const program = Effect.gen(function* () {
  const running = yield* make({
    links: [
      asks("flood", flood, institutions.flood),
      asks("good", good, institutions.good),
      answers("shared", shared),
      answers("slow", slow),
      answers("silent", silent)
    ],
    routes: [
      { bin: bins.shared, to: 2 },
      { bin: bins.slow, to: 3 },
      { bin: bins.silent, to: 4 }
    ],
    limits: { ...limits, requestTimeoutMs: 2000, unwrittenRefuse: 16 << 20, unwrittenStop: 64 << 20 }
  })
  while (running.links.slice(2).some(({ isReady }) => !isReady)) yield* Effect.sleep(10)
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  process.on("message", (asked: "status" | "loop") => {
    if (asked === "status") process.send?.({ status: running.status().links.map(({ stored }) => stored.size) })
    else {
      process.send?.({ loop: loop.percentile(99) / 1e6 })
      loop.reset()
    }
  })
  process.send?.({ ports: { flood, good } })
  return yield* running.failed
})

process.on("disconnect", () => process.exit())
await runOn(directory!, program)
