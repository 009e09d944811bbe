import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { macAlgorithms } from "../../../packages/codec/src/security/index.ts"
import type { KeyHandle } from "../../../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall } from "../../../packages/switch/src/guard/ModuleCall.ts"
import { SoftwareModule } from "../../../packages/switch/src/guard/SoftwareModule.ts"
import { seeded } from "../../codec/security/vectors.ts"

const text = Buffer.from(
  "0200 169999991234567893 000000 000000012345 1126093015 000123 5411 00 0899990001 0899990001 JINKA001 JINKA MERCHANT1",
  "latin1"
)

describe("MACs by the software module", () => {
  it("makes a MAC and verifies it, with the previous key too", () => {
    const module = new SoftwareModule({ storageKey: Buffer.alloc(32, 7), random: seeded(1), allowTestKeys: false })
    const take = (name: string, hex: string): KeyHandle =>
      Effect.runSync(
        module.importKey({
          name,
          purpose: "mac",
          algorithm: "tdes",
          key: { form: "components", components: [Buffer.from(hex, "hex")] }
        })
      )
    const current = take("a/mac/both/2", "6B948A0134A110705BD325CD6E73BC15")
    const other = take("a/mac/both/1", "0DBA199EF7D96446FBEAFE4C57CEFB7C")
    const call = new ModuleCall()

    call.makeMac(macAlgorithms["ansi-x9.19"], current, text, 0, text.length, 4)
    expect(module.submit(call)).toBe(true)
    expect(call.error).toBeUndefined()
    const mac = Buffer.from(call.output.subarray(0, 4))
    expect(mac.toString("hex").toUpperCase()).toBe("B35DD256")

    call.verifyMac(macAlgorithms["ansi-x9.19"], other, current, text, 0, text.length, mac)
    module.submit(call)
    expect(call.error).toBeUndefined()
    expect(call.fitted).toBe(current)

    call.verifyMac(macAlgorithms["ansi-x9.19"], other, undefined, text, 0, text.length, mac)
    module.submit(call)
    expect(call.error?._tag).toBe("MacFailed")
  })
})
