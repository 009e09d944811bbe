/** The switch with idle links that it dials. Arguments: port, count, journal directory. */
import { Effect } from "effect"
import { make } from "../../packages/switch/src/Switch.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { usage } from "../Usage.ts"

const [, , port, count, directory] = process.argv
const side = { _tag: "connect", to: { host: "127.0.0.1", port: Number(port) }, timeoutMs: 10_000 } as const

const program = Effect.gen(function* () {
  const running = yield* make({
    links: Array.from({ length: Number(count) }, (_, n) => link(`link-${n}`, side, { window: 256 })),
    routes: [],
    limits: { ...limits, recentKeys: 1000 }
  })
  while (running.links.some(({ isReady }) => !isReady)) yield* Effect.sleep(20)
  yield* Effect.sleep(1000)
  globalThis.gc?.()
  process.send?.(usage())
  return yield* running.failed
})

await runOn(directory!, program)
