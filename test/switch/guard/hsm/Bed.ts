/** Modules over real TCP, with simulated devices or with listeners that do what a test says. */
import type { Server } from "node:net"
import { Effect } from "effect"
import { afterEach } from "vitest"
import { macAlgorithms } from "../../../../packages/codec/src/security/index.ts"
import { chanceOf } from "../../../../packages/simulator/src/chance/Chance.ts"
import {
  type HsmDevice,
  type HsmDeviceSettings,
  startHsmDevice
} from "../../../../packages/simulator/src/hsm/HsmDevice.ts"
import { deviceFamilies } from "../../../../packages/switch/src/guard/hsm/Families.ts"
import { type HsmModule, openHsm } from "../../../../packages/switch/src/guard/hsm/HsmModule.ts"
import type { HsmSettings } from "../../../../packages/switch/src/guard/hsm/HsmSettings.ts"
import type { KeyHandle, KeyPurpose } from "../../../../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall } from "../../../../packages/switch/src/guard/ModuleCall.ts"
import type { ModuleError } from "../../../../packages/switch/src/guard/ModuleError.ts"
import * as NodeTransport from "../../../../packages/switch/src/transport/NodeTransport.ts"
import { bytes, hex } from "../../../codec/security/vectors.ts"
import { patience } from "../../../Pace.ts"
import { until as untilTrue } from "../../operate/Line.ts"
import { keyVectors } from "../vectors.ts"

const { keysUnderTestLmk } = keyVectors.hsmFrames
/** The first CUPS text of the vectors. */
export const text = Buffer.from(keyVectors.cupsMac[0]!.text, "latin1")
/** Its MAC under `zak`. */
export const mac = bytes("B35DD256")

/** A key of the vectors. */
export const handle = (name: string, purpose: KeyPurpose, algorithm: KeyHandle["algorithm"] = "tdes"): KeyHandle => ({
  name,
  purpose,
  algorithm,
  text: keysUnderTestLmk[name]!,
  checkValue: ""
})

/** A MAC key of the vectors under the test LMK. */
export const zak = handle("zak", "mac")
/** A PIN key, and another one. */
export const zpkA = handle("zpkA", "pin")
/** The other PIN key. */
export const zpkB = handle("zpkB", "pin")
/** A key-encryption key. */
export const zmk = handle("zmk", "kek")

/** A module with its devices. */
export interface Bed {
  readonly module: HsmModule
  readonly devices: ReadonlyArray<HsmDevice>
  /** Resolves when the call is done. */
  readonly submit: (call: ModuleCall) => Promise<ModuleCall>
  readonly until: (condition: () => boolean) => Promise<unknown>
}

/** Listeners that are closed behind each test. */
export const closing: Array<Server> = []
afterEach(() => {
  for (const server of closing.splice(0)) server.close()
})

/** Settings for devices on these ports of this machine. */
export const settingsFor = (ports: ReadonlyArray<number>, change: Partial<HsmSettings> = {}): HsmSettings => ({
  family: deviceFamilies.payshield,
  devices: ports.map((port, at) => ({ name: `device-${at + 1}`, to: { host: "127.0.0.1", port } })),
  connections: 2,
  headerLength: 4,
  connectTimeoutMs: patience(1000),
  reconnect: { minMs: 20, maxMs: 100 },
  heartbeatMs: 10_000,
  heartbeatTimeoutMs: patience(5000),
  ...change
})

/** Waits for something, with the patience of a busy machine. */
export const until = (condition: () => boolean): Promise<void> =>
  untilTrue(condition, "what the devices or the module should be", patience(10_000))

/** A module over real TCP, on ports that are there already. */
export const over = <A>(settings: HsmSettings, use: (bed: Omit<Bed, "devices">) => Promise<A>): Promise<A> =>
  Effect.gen(function* () {
    const module = yield* openHsm(settings)
    const waiting = new Map<ModuleCall, (call: ModuleCall) => void>()
    module.onDone(() => module.drain((call) => waiting.get(call)?.(call)))
    const submit = (call: ModuleCall): Promise<ModuleCall> =>
      new Promise((resolve) => {
        waiting.set(call, resolve)
        call.withinMs ||= patience(4000)
        if (module.submit(call)) resolve(call)
      })
    return yield* Effect.promise(() => use({ module, submit, until }))
  }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer), Effect.runPromise)

/** The same with simulated devices. */
export const withDevices = <A>(
  count: number,
  use: (bed: Bed) => Promise<A>,
  change: Partial<HsmSettings> = {},
  device: Partial<HsmDeviceSettings> = {}
): Promise<A> =>
  Effect.gen(function* () {
    const devices: Array<HsmDevice> = []
    for (let n = 0; n < count; n++) {
      devices.push(
        yield* startHsmDevice({
          listen: { host: "127.0.0.1", port: 0 },
          family: "payshield",
          headerLength: change.headerLength ?? 4,
          delayMs: 0,
          isInOrder: false,
          errorPercent: 0,
          errorCode: "41",
          connectionsMax: 0,
          chance: chanceOf(n + 1, "hsm"),
          ...device
        })
      )
    }
    const settings = settingsFor(
      devices.map(({ endpoint }) => endpoint.port),
      change
    )
    return yield* Effect.promise(() => over(settings, (bed) => use({ ...bed, devices })))
  }).pipe(Effect.scoped, Effect.runPromise)

/** Waits until every device takes calls. */
export const allUp = ({ module }: Pick<Bed, "module">) => until(() => module.status().state === "up")

/** A call for the MAC of `text`. */
export const made = (): ModuleCall => {
  const call = new ModuleCall()
  call.makeMac(macAlgorithms["ansi-x9.19"], zak, text, 0, text.length, 4)
  return call
}

/** What came of a call: hexadecimal digits, or the name of its error. */
export const outcome = (call: ModuleCall): string =>
  call.error === undefined ? hex(call.output.subarray(0, call.outputLength)) : call.error._tag

/** The error that an effect ends with. */
export const failure = <A>(effect: Effect.Effect<A, ModuleError>) => Effect.runPromise(Effect.flip(effect))
