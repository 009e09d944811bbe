/**
 * The switch with requests that a silent issuer does not answer. Arguments: port of the silent partner, count, journal
 * directory.
 */
import * as Net from "node:net"
import { Effect } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { make } from "../../packages/switch/src/Switch.ts"
import { bin, template } from "../relay/Frame.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { usage } from "../Usage.ts"

const [, , port, count, directory] = process.argv
const host = "127.0.0.1"
const ourPort = await Effect.runPromise(freePort)

const sendAll = (wanted: number) => {
  const { bytes, stanAt } = template()
  const socket = Net.connect({ host, port: ourPort, noDelay: true })
  socket.resume()
  for (let stan = 1; stan <= wanted; stan++) {
    bytes.write(String(stan).padStart(6, "0"), stanAt, "latin1")
    socket.write(Buffer.from(bytes))
  }
}

const program = Effect.gen(function* () {
  const running = yield* make({
    links: [
      link("acquirer", { _tag: "listen", at: { host, port: ourPort }, from: [], second: "replace" }),
      link("issuer", { _tag: "connect", to: { host, port: Number(port) }, timeoutMs: 5000 }, { window: 20_000 })
    ],
    routes: [{ bin: bin, to: 1 }],
    limits
  })
  while (!running.links[1]!.isReady) yield* Effect.sleep(10)
  sendAll(Number(count))
  while (running.status().links[1]!.outstanding < Number(count)) yield* Effect.sleep(50)
  yield* Effect.sleep(1000)
  globalThis.gc?.()
  process.send?.(usage())
  return yield* running.failed
})

await runOn(directory!, program)
