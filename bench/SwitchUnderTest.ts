/** Settings of the switch in the benches: generous limits, nothing that a bench does not mean to measure. */
import { compile } from "@jinka/codec"
import { Effect, Layer, References, type Scope } from "effect"
import { Journal } from "../packages/switch/src/journal/Journal.ts"
import { layerSqlite } from "../packages/switch/src/journal/SqliteStore.ts"
import type { LinkSettings } from "../packages/switch/src/link/Settings.ts"
import { letHeapGrow } from "../packages/switch/src/operate/HeapGrowth.ts"
import type { SwitchSettings } from "../packages/switch/src/Switch.ts"
import { layer as nodeTransport } from "../packages/switch/src/transport/NodeTransport.ts"
import type { Transport } from "../packages/switch/src/transport/Transport.ts"
import { dialect, frame } from "./relay/Frame.ts"

const codec = compile(dialect)

/** A link without sign-on and without probes. */
export const link = (
  name: string,
  side: LinkSettings["side"],
  more: Partial<LinkSettings> = {}
): SwitchSettings["links"][number] => ({
  name,
  institution: "48020000",
  speaksFor: [],
  identity: "checked",
  ourInstitution: "00010000",
  dialect,
  codec,
  frame,
  side,
  mode: "async-duplex",
  short: undefined,
  stan: "callers",
  callers: [],
  waiting: { places: 0, waitMs: 0 },
  signOn: { send: false, expect: false, timeoutMs: 5000 },
  idleMs: 30_000,
  watchdog: { intervalMs: 30_000, probe: false, proofs: 0 },
  reconnect: { minMs: 100, maxMs: 1000 },
  window: 4096,
  frameTimeoutMs: 5000,
  unsentMax: 4 << 20,
  writeTimeoutMs: 10_000,
  utcOffsetMs: 0,
  delivery: { timeoutMs: 10_000, retryMs: 10_000, attemptsMax: 5, window: 16 },
  ...more
})

/** Limits that a bench never reaches. */
export const limits = {
  requestTimeoutMs: 20_000,
  recentKeys: 250_000,
  unwrittenRefuse: 64 << 20,
  unwrittenStop: 16 << 20
}

/** The journal's key in the benches; it seals nothing that anybody would want to read. */
export const key: Uint8Array = Buffer.alloc(32, 1)

/** Runs a switch on real sockets and a real journal until it fails or the process is killed. */
export const runOn = <E>(
  directory: string,
  program: Effect.Effect<never, E, Journal | Transport | Scope.Scope>
): Promise<never> => {
  letHeapGrow()
  return Effect.runPromise(
    program.pipe(
      Effect.scoped,
      Effect.provide(Layer.merge(nodeTransport, Journal.layer.pipe(Layer.provide(layerSqlite({ directory, key }))))),
      Effect.provideService(References.MinimumLogLevel, "Warn")
    )
  )
}
