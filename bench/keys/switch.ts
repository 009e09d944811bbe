/**
 * The switch of the keys bench: two links, the same keys on both, the real journal. Arguments: echo's port, journal directory,
 * what is guarded (`none`, `mac`, `pin`, `both`), and the port of a device; without it the module is in software.
 */
import { Effect } from "effect"
import { freePort } from "../../examples/shared/FreePort.ts"
import { deviceFamilies } from "../../packages/switch/src/guard/hsm/Families.ts"
import { openHsm } from "../../packages/switch/src/guard/hsm/HsmModule.ts"
import type { KeyHandle } from "../../packages/switch/src/guard/KeyHandle.ts"
import type { SecurityModule } from "../../packages/switch/src/guard/SecurityModule.ts"
import { SoftwareModule } from "../../packages/switch/src/guard/SoftwareModule.ts"
import { make } from "../../packages/switch/src/Switch.ts"
import { bin } from "../relay/Frame.ts"
import { limits, link, runOn } from "../SwitchUnderTest.ts"
import { usage } from "../Usage.ts"
import { guardOf, keys } from "./Zones.ts"

const [, , echoPort, directory, what, devicePort] = process.argv
const host = "127.0.0.1"

const port = await Effect.runPromise(freePort)

const software = new SoftwareModule({
  storageKey: Buffer.alloc(32, 7),
  random: (length) => Buffer.alloc(length, 0x5a),
  allowTestKeys: true
})

const device = (port: number) =>
  openHsm({
    family: deviceFamilies.payshield,
    devices: [{ name: "device", to: { host, port } }],
    connections: 4,
    headerLength: 4,
    connectTimeoutMs: 2000,
    reconnect: { minMs: 20, maxMs: 100 },
    heartbeatMs: 10_000,
    heartbeatTimeoutMs: 5000
  })

const handleOf = (module: SecurityModule, name: keyof typeof keys, purpose: "mac" | "pin") => {
  const { clear, text } = keys[name]
  const handle: KeyHandle = { name, purpose, algorithm: "tdes", text, checkValue: "" }
  if (!module.isSynchronous) return Effect.succeed(handle)
  return module.importKey({ name, purpose, algorithm: "tdes", key: { form: "components", components: [clear] } })
}

const hasMac = what === "mac" || what === "both"
const hasPin = what === "pin" || what === "both"
const guard = what === "none" ? undefined : guardOf(hasMac, hasPin)

const program = Effect.gen(function* () {
  const inner = devicePort === undefined ? software : yield* device(Number(devicePort))
  while (!inner.isUp) yield* Effect.sleep(10)
  const running = yield* make(
    {
      links: [
        { ...link("acquirer", { _tag: "listen", at: { host, port }, from: [], second: "replace" }), guard },
        { ...link("issuer", { _tag: "connect", to: { host, port: Number(echoPort) }, timeoutMs: 5000 }), guard }
      ],
      routes: [{ bin, to: 1 }],
      limits
    },
    what === "none" ? undefined : inner
  )
  for (const desk of what === "none" ? [] : [0, 1]) {
    running.keys.take(running.keys.slot(desk, "mac", "both"), yield* handleOf(inner, "zak", "mac"), 1, 0)
    const pin = yield* handleOf(inner, desk === 0 ? "zpkA" : "zpkB", "pin")
    running.keys.take(running.keys.slot(desk, "pin", "both"), pin, 1, 0)
  }
  while (!running.links[1]!.isReady) yield* Effect.sleep(10)
  process.on("message", () => process.send?.({ ...usage(), answerMs: inner.status().devices[0]?.answerMs }))
  process.send?.({ port })
  return yield* running.failed
})

await runOn(directory!, program)
