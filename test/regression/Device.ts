/**
 * A device for dialogues whose `system:` has one: the simulator's, over TCP, under the published test LMK. The operator of a
 * dialogue can make it fail: `device answers 41`, `device works`.
 */
import { Effect } from "effect"
import { chanceOf } from "../../packages/simulator/src/chance/Chance.ts"
import { type HsmDevice, startHsmDevice } from "../../packages/simulator/src/hsm/HsmDevice.ts"
import { keyText } from "../../packages/simulator/src/hsm/TestLmk.ts"
import { deviceFamilies } from "../../packages/switch/src/guard/hsm/Families.ts"
import { openHsm } from "../../packages/switch/src/guard/hsm/HsmModule.ts"
import type { KeyHandle } from "../../packages/switch/src/guard/KeyHandle.ts"
import type { Running } from "../../packages/switch/src/Switch.ts"
import { patience } from "../Pace.ts"
import { keyOf } from "../switch/core/Guarded.ts"

/** A running device, and the module that uses it; both end with the scope. */
export const openDevice = Effect.gen(function* () {
  const device = yield* startHsmDevice({
    listen: { host: "127.0.0.1", port: 0 },
    family: "payshield",
    headerLength: 4,
    delayMs: 0,
    isInOrder: false,
    errorPercent: 0,
    errorCode: "41",
    connectionsMax: 0,
    chance: chanceOf(1)
  })
  const module = yield* openHsm({
    family: deviceFamilies.payshield,
    devices: [{ name: "device", to: device.endpoint }],
    connections: 2,
    headerLength: 4,
    connectTimeoutMs: patience(1000),
    reconnect: { minMs: 20, maxMs: 100 },
    heartbeatMs: 60_000,
    heartbeatTimeoutMs: patience(5000)
  })
  while (!module.isUp) yield* Effect.sleep(5)
  return { device, module }
})

const types = { mac: "008", pin: "001", terminal: "002" } as const

/** Gives a link a key of the vectors, as the device would print it; `terminal`: the PIN key of a terminal. */
export const giveDeviceKey = ({ keys }: Running, link: number, kind: keyof typeof types, name: string): void => {
  const purpose = kind === "terminal" ? "pin" : kind
  const slot = keys.slot(link, purpose, "both")
  const text = keyText(types[kind], "U", keyOf(name))
  const handle: KeyHandle = { name, purpose, algorithm: "tdes", text, checkValue: "" }
  keys.take(slot, handle, slot.version + 1, 0)
}

/** What an operator does to the device; `undefined`: he knows no such thing. */
export const atDevice = (device: HsmDevice | undefined, what: string): Effect.Effect<void> | undefined => {
  const code = /^device answers ([0-9A-F]{2})$/.exec(what)?.[1]
  if (device === undefined || (code === undefined && what !== "device works")) return undefined
  return Effect.sync(() =>
    device.set(code === undefined ? { errorPercent: 0 } : { errorPercent: 100, errorCode: code })
  )
}
