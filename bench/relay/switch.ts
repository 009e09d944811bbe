/**
 * The switch of the relay bench: two links, routes by BIN, the real journal on the real disk. Arguments: echo's port,
 * journal directory.
 */
import { Effect } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { make } from "../../packages/switch/src/Switch.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { usage } from "../Usage.ts"
import { bin } from "./Frame.ts"

const [, , echoPort, directory] = process.argv
const host = "127.0.0.1"

const port = await Effect.runPromise(freePort)

const program = Effect.gen(function* () {
  const running = yield* make({
    links: [
      link("acquirer", { _tag: "listen", at: { host, port }, from: [], second: "replace" }),
      link("issuer", { _tag: "connect", to: { host, port: Number(echoPort) }, timeoutMs: 5000 })
    ],
    routes: [{ bin: bin, to: 1 }],
    limits
  })
  while (!running.links[1]!.isReady) yield* Effect.sleep(10)
  process.on("message", () => process.send?.(usage()))
  process.send?.({ port })
  return yield* running.failed
})

await runOn(directory!, program)
