/**
 * `npm run bench hsm`: what a security module does by itself, without a switch around it. MACs (X9.19) of the CUPS text of a
 * purchase, 116 bytes: by the software module, and by devices in the network that take 2 ms for each command, with so many under
 * way. The baseline of the software module is the same MAC by `node:crypto`, whose ciphers are set up for each message.
 */
import { type ChildProcess, fork } from "node:child_process"
import { createCipheriv, createDecipheriv } from "node:crypto"
import { macAlgorithms } from "@jinka/codec"
import Table from "cli-table3"
import { Effect, References } from "effect"
import { deviceFamilies } from "../packages/switch/src/guard/hsm/Families.ts"
import { openHsm } from "../packages/switch/src/guard/hsm/HsmModule.ts"
import type { KeyHandle } from "../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall } from "../packages/switch/src/guard/ModuleCall.ts"
import type { SecurityModule } from "../packages/switch/src/guard/SecurityModule.ts"
import { SoftwareModule } from "../packages/switch/src/guard/SoftwareModule.ts"
import { layer as nodeTransport } from "../packages/switch/src/transport/NodeTransport.ts"
import { said } from "./Children.ts"

/** One way of making MACs. */
export interface HsmRow {
  readonly by: string
  /** Calls under way at once. */
  readonly underWay: number
  readonly perSecond: number
  /** Microseconds from the call to its end. */
  readonly p50: number
  readonly p99: number
}

const DEVICE_MS = 2

const text = Buffer.from(
  "0200 169999991234567893 000000 000000012345 1126093015 000123 5411 00 0899990001 0899990001 JINKA001 JINKA MERCHANT1",
  "latin1"
)
const algorithm = macAlgorithms["ansi-x9.19"]
const clear = Buffer.from("6B948A0134A110705BD325CD6E73BC15", "hex")

/** The same key under the test LMK. */
const ofDevice: KeyHandle = {
  name: "bench",
  purpose: "mac",
  algorithm: "tdes",
  text: "U7E51B7028F2683DBBE1B25F0E7ADC023",
  checkValue: "C4039C"
}

const rowOf = (by: string, underWay: number, us: Array<number>, seconds: number): HsmRow => {
  us.sort((a, b) => a - b)
  const at = (share: number) => Math.round((us[Math.floor(us.length * share)] ?? 0) * 10) / 10
  return { by, underWay, perSecond: Math.round(us.length / seconds), p50: at(0.5), p99: at(0.99) }
}

const now = (): number => performance.now() * 1000

/** Calls of something that is done when it returns. */
const inTurn = (by: string, once: () => void, count: number): HsmRow => {
  for (let n = 0; n < count / 10; n++) once()
  const us: Array<number> = []
  const began = now()
  for (let n = 0; n < count; n++) {
    const at = now()
    once()
    us.push(now() - at)
  }
  return rowOf(by, 1, us, (now() - began) / 1e6)
}

/** Retail MAC with three cipher objects for each message. OpenSSL has DES as TDES with one key three times. */
const bare = (): Buffer => {
  const [left, right] = [clear.subarray(0, 8), clear.subarray(8)]
  const three = (key: Buffer) => Buffer.concat([key, key, key])
  const padded = Buffer.alloc(120)
  text.copy(padded)
  const chain = createCipheriv("des-ede3-cbc", three(left), Buffer.alloc(8)).setAutoPadding(false).update(padded)
  const opened = createDecipheriv("des-ede3-ecb", three(right), null).setAutoPadding(false).update(chain.subarray(112))
  return createCipheriv("des-ede3-ecb", three(left), null).setAutoPadding(false).update(opened)
}

const software = (): HsmRow => {
  const module = new SoftwareModule({ storageKey: Buffer.alloc(32, 7), random: Buffer.alloc, allowTestKeys: true })
  const key = Effect.runSync(
    module.importKey({
      name: "bench",
      purpose: "mac",
      algorithm: "tdes",
      key: { form: "components", components: [clear] }
    })
  )
  const call = new ModuleCall()
  return inTurn(
    "software module",
    () => {
      call.makeMac(algorithm, key, text, 0, text.length, 4)
      module.submit(call)
      if (call.error !== undefined) throw new Error(call.error.rule)
    },
    200_000
  )
}

/** Keeps so many calls under way for a time. */
const pipelined = (module: SecurityModule, by: string, underWay: number, seconds: number): Promise<HsmRow> =>
  new Promise((resolve, reject) => {
    const us: Array<number> = []
    const sentAt = new Array<number>(underWay).fill(0)
    const began = now()
    let open = underWay
    const send = (call: ModuleCall) => {
      sentAt[call.id] = now()
      call.makeMac(algorithm, ofDevice, text, 0, text.length, 4)
      if (module.submit(call)) reject(new Error(`the devices take no calls: ${call.error?.rule}`))
    }
    module.onDone(() =>
      module.drain((call) => {
        if (call.error !== undefined) return reject(new Error(call.error.rule))
        us.push(now() - sentAt[call.id]!)
        if (now() - began < seconds * 1e6) return send(call)
        if (--open === 0) resolve(rowOf(by, underWay, us, (now() - began) / 1e6))
      })
    )
    for (let n = 0; n < underWay; n++) {
      const call = new ModuleCall()
      call.id = n
      call.withinMs = 10_000
      send(call)
    }
  })

const started = async (order: ReadonlyArray<string>): Promise<{ child: ChildProcess; port: number }> => {
  const child = fork(new URL("./hsm/device.ts", import.meta.url).pathname, [String(DEVICE_MS), ...order])
  return { child, port: await said<number>(child, "port") }
}

const byDevices = async (
  count: number,
  order: ReadonlyArray<string>,
  depths: ReadonlyArray<number>,
  seconds: number
) => {
  const devices = await Promise.all(Array.from({ length: count }, () => started(order)))
  const many = `${count === 1 ? "1 device" : `${count} devices`} of ${DEVICE_MS} ms`
  const name = order.length > 0 ? `${many}, each connection in order` : many
  try {
    return await Effect.gen(function* () {
      const module = yield* openHsm({
        family: deviceFamilies.payshield,
        devices: devices.map(({ port }, n) => ({ name: `hsm-${n}`, to: { host: "127.0.0.1", port } })),
        connections: 4,
        headerLength: 4,
        connectTimeoutMs: 5000,
        reconnect: { minMs: 100, maxMs: 1000 },
        heartbeatMs: 10_000,
        heartbeatTimeoutMs: 5000
      })
      while (module.status().state !== "up") yield* Effect.sleep("10 millis")
      const rows: Array<HsmRow> = []
      for (const depth of depths) rows.push(yield* Effect.promise(() => pipelined(module, name, depth, seconds)))
      return rows
    }).pipe(
      Effect.scoped,
      Effect.provide(nodeTransport),
      Effect.provideService(References.MinimumLogLevel, "Error"),
      Effect.runPromise
    )
  } finally {
    for (const { child } of devices) child.kill()
  }
}

/** Runs the bench; `seconds` for each row of the devices. */
export const run = async (seconds = 2): Promise<ReadonlyArray<HsmRow>> => [
  inTurn("node:crypto, ciphers set up for each MAC", bare, 20_000),
  software(),
  ...(await byDevices(1, [], [1, 16, 64, 256], seconds)),
  ...(await byDevices(2, [], [256], seconds)),
  ...(await byDevices(1, ["in-order"], [64], seconds))
]

/** The rows as a table. */
export const report = (rows: ReadonlyArray<HsmRow>): string => {
  const table = new Table({ head: ["MACs by", "under way", "a second", "p50 us", "p99 us"] })
  for (const { by, p50, p99, perSecond, underWay } of rows) table.push([by, underWay, perSecond, p50, p99])
  return table.toString()
}
