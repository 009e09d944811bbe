/** Another kind of security module than the one that wrote the journal's keys: said at the start, not at the first message. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit } from "effect"
import { deviceFamilies } from "../../../packages/switch/src/guard/hsm/Families.ts"
import { HsmModule } from "../../../packages/switch/src/guard/hsm/HsmModule.ts"
import { makeDisk } from "./Bench.ts"
import { softwareModule } from "./Guarded.ts"
import { bench } from "./KeyBench.ts"

const devices = Effect.map(
  Clock.Clock,
  (clock) =>
    new HsmModule(
      {
        family: deviceFamilies.payshield,
        devices: [{ name: "device", to: { host: "bench", port: 1500 } }],
        connections: 1,
        headerLength: 4,
        connectTimeoutMs: 1000,
        reconnect: { minMs: 20, maxMs: 100 },
        heartbeatMs: 10_000,
        heartbeatTimeoutMs: 5000
      },
      clock,
      () => {}
    )
)

describe("Keys that another kind of module wrote", () => {
  it.effect("keep a switch from starting with devices: which they are, and what to do, is said", () =>
    Effect.gen(function* () {
      const disk = makeDisk()
      yield* Effect.scoped(bench({ disk }))
      const started = yield* Effect.exit(Effect.scoped(bench({ disk, module: yield* devices, hasKek: false })))

      expect(Exit.isFailure(started)).toBe(true)
      expect(String(Exit.isFailure(started) ? started.cause : "")).toMatch(
        /KeysElsewhere.*`security\.hsm` cannot read.*centre: kek\/both.*other: kek\/both.*jinka key retire/
      )
      // With the module that wrote them all is as it was.
      const again = yield* bench({ disk, hasKek: false })
      expect(again.running.keys.at(0, "kek", "receive")?.current).toBeDefined()
    })
  )

  it.effect(
    "are told apart by their texts: key blocks of the software module, and what devices of a family print",
    () =>
      Effect.gen(function* () {
        const software = softwareModule()
        const hsm = yield* devices
        const device = "U7E51B7028F2683DBBE1B25F0E7ADC023"
        const imported = yield* software.importKey({
          name: "test",
          purpose: "mac",
          algorithm: "tdes",
          key: { form: "components", components: [Buffer.from("6B948A0134A110705BD325CD6E73BC15", "hex")] }
        })

        expect(software.storedUnder(device)).toBe("elsewhere")
        expect(software.storedUnder(imported.text)).toBe("now")
        expect(hsm.storedUnder(device)).toBe("now")
        expect(hsm.storedUnder(imported.text)).toBe("elsewhere")
      })
  )
})
