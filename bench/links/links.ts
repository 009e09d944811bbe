/** The switch with links that it dials. Arguments: port, count, journal directory. */
import { Effect } from "effect"
import { make } from "../../packages/switch/src/Switch.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { begin, tell } from "./Measured.ts"

const [, , port, count, directory] = process.argv
const side = { _tag: "connect", to: { host: "127.0.0.1", port: Number(port) }, timeoutMs: 10_000 } as const
/** A frame each second on each link: thirty times the usual, so that what they cost can be measured. */
const IDLE_MS = 1000

const program = Effect.gen(function* () {
  begin()
  const running = yield* make({
    links: Array.from({ length: Number(count) }, (_, n) => link(`link-${n}`, side, { window: 256, idleMs: IDLE_MS })),
    routes: [],
    limits: { ...limits, recentKeys: 1000 }
  })
  tell(() => running.links.filter(({ isReady }) => isReady).length)
  return yield* running.failed
})

await runOn(directory!, program)
