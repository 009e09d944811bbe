import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { macAlgorithms } from "../../../../packages/codec/src/security/index.ts"
import { keyText } from "../../../../packages/simulator/src/hsm/TestLmk.ts"
import { deviceFamilies } from "../../../../packages/switch/src/guard/hsm/Families.ts"
import type { KeyPurpose } from "../../../../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall } from "../../../../packages/switch/src/guard/ModuleCall.ts"
import { bytes, hex } from "../../../codec/security/vectors.ts"
import { keyBytes, keyVectors } from "../vectors.ts"
import { allUp, failure, handle, mac, made, outcome, text, withDevices, zak, zmk, zpkA, zpkB } from "./Bed.ts"

const { keysUnderTestLmk } = keyVectors.hsmFrames

/** A key of the vectors under a pair of the test LMK, ECB. */
const under = (type: string, name: string): string => keyText(type, "X", keyBytes(name)).slice(1)

describe("MACs and PINs by a network device", () => {
  it("makes, verifies and translates as the vectors say, and tells which key fitted", () =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      expect(outcome(await bed.submit(made()))).toBe("B35DD256")

      const single = new ModuleCall()
      single.makeMac(macAlgorithms["ansi-x9.9"], handle("zak8", "mac", "des"), text, 0, text.length, 8)
      expect(outcome(await bed.submit(single))).toBe(keyVectors.cupsMac[0]!.x99)

      const call = new ModuleCall()
      const other = { ...zak, text: `U${keysUnderTestLmk["zak"]!.slice(17)}${keysUnderTestLmk["zak"]!.slice(1, 17)}` }
      call.verifyMac(macAlgorithms["ansi-x9.19"], zak, undefined, text, 0, text.length, mac)

      expect((await bed.submit(call)).fitted).toBe(zak)

      call.verifyMac(macAlgorithms["ansi-x9.19"], zak, zak, text, 0, text.length, bytes("00000000"))
      expect((await bed.submit(call)).error?._tag).toBe("MacFailed")

      // A key whose halves are exchanged has no parity under the LMK's variants.
      call.verifyMac(macAlgorithms["ansi-x9.19"], other, undefined, text, 0, text.length, mac)
      expect((await bed.submit(call)).error).toMatchObject({ _tag: "KeyUnusable", code: "10" })

      const { blocks } = keyVectors.pinBlocks
      const pin = new ModuleCall()
      const [a, b] = [
        { key: zpkA, format: "iso0" },
        { key: zpkB, format: "iso0" }
      ] as const
      pin.translatePin(a, b, bytes(blocks["iso0 tdes zpk-a"]!.block), keyVectors.pans.pan)

      expect(outcome(await bed.submit(pin))).toBe(blocks["iso0 tdes zpk-b"]!.block)

      pin.translatePin(b, a, bytes(blocks["iso0 tdes zpk-a"]!.block), keyVectors.pans.pan)
      expect((await bed.submit(pin)).error).toMatchObject({ _tag: "FormatRefused", code: "20" })
    }))

  it("takes a terminal's key as the device prints it, and translates from it to a zone (CA)", () =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      const { tpk } = keysUnderTestLmk
      const asked = { name: "tpk", purpose: "pin", algorithm: "tdes", key: { form: "own", text: tpk! } } as const
      const key = await Effect.runPromise(bed.module.importKey({ ...asked, isTerminal: true }))
      const { request, response } = keyVectors.hsmFrames.exchanges.find(({ name }) => name.startsWith("CA"))!
      const block = request.slice(74, 90)
      const call = new ModuleCall()
      const zone = { key: zpkB, format: "iso0" } as const
      call.translatePin({ key, format: "iso0", isTerminal: true }, zone, bytes(block), keyVectors.pans.pan)

      expect(outcome(await bed.submit(call))).toBe(response.slice(10, 26))
      expect(key.checkValue).toMatch(/^[0-9A-F]{6}$/)

      // As a zone's key it is none: another pair of the LMK.
      expect((await failure(bed.module.importKey(asked)))._tag).toBe("KeyUnusable")
      call.translatePin(zone, { key, format: "iso0", isTerminal: true }, bytes(block), keyVectors.pans.pan)
      expect(outcome(await bed.submit(call))).toBe("NotSupported")
    }))

  it("tries the other key behind the first one", () =>
    withDevices(2, async (bed) => {
      await allUp(bed)
      const drawn = await Effect.runPromise(
        bed.module.generateKey({ name: "new", purpose: "mac", algorithm: "tdes", kek: zmk, form: "ecb" })
      )
      const call = new ModuleCall()
      call.verifyMac(macAlgorithms["ansi-x9.19"], drawn.key, zak, text, 0, text.length, mac)

      expect((await bed.submit(call)).error).toBeUndefined()
      expect(call.fitted).toBe(zak)
    }))

  it("has many commands under way, in one write for each turn, and gives each call its own answer", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const calls = Array.from({ length: 600 }, (_, n) => {
          const call = new ModuleCall()
          const own = Buffer.from(`${n} ${text.toString("latin1")}`)
          call.makeMac(macAlgorithms["ansi-x9.19"], zak, own, 0, own.length, 4)
          const done = bed.submit(call)
          own.fill(0)
          return done
        })
        const ended = await Promise.all(calls)

        expect(ended.filter(({ error }) => error !== undefined)).toStrictEqual([])

        const once = new Set(ended.map(outcome))
        expect(once.size).toBe(600)
        expect(bed.module.status().devices[0]?.outstanding).toBe(0)
      },
      {},
      { delayMs: 5 }
    ))

  it.each([0, 1, 2, 8, 12])("works with a message header of %i characters", (headerLength) =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const calls = Array.from({ length: 40 }, () => bed.submit(made()))
        expect(new Set((await Promise.all(calls)).map(outcome))).toStrictEqual(new Set(["B35DD256"]))
      },
      { headerLength, connections: 1 }
    )
  )

  it("names the LMK behind every command where the configuration does", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const call = new ModuleCall()
        call.verifyMac(macAlgorithms["ansi-x9.19"], zak, undefined, text, 0, text.length, mac)
        expect((await bed.submit(call)).fitted).toBe(zak)
        expect(outcome(await bed.submit(made()))).toBe("B35DD256")
      },
      { lmkId: "01" }
    ))

  it.each(["racal", "sjl05"] as const)("works with a device of the family %s", (family) =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const kek = { ...zmk, text: family === "racal" ? `X${under("000", "zmk-a")}` : under("000", "zmk-a") }
        const taking = (name: string, purpose: KeyPurpose, wrapped: string) =>
          Effect.runPromise(
            bed.module.importKey({
              name,
              purpose,
              algorithm: "tdes",
              key: { form: "ecb", kek, bytes: bytes(wrapped) },
              expected: { method: "zeros", value: bytes(keyVectors.keys[name]!.kcv3) }
            })
          )
        const key = await taking("zak-a", "mac", "001E9454CC3E381C851883D1700C481B")

        expect(key.checkValue).toBe("C4039C")

        const call = new ModuleCall()
        call.makeMac(macAlgorithms["ansi-x9.19"], key, text, 0, text.length, 4)
        expect(outcome(await bed.submit(call))).toBe("B35DD256")

        call.verifyMac(macAlgorithms["ansi-x9.19"], key, key, text, 0, text.length, mac)
        expect((await bed.submit(call)).fitted).toBe(key)

        call.verifyMac(macAlgorithms["ansi-x9.19"], key, undefined, text, 0, text.length, bytes("B35DD257"))
        expect((await bed.submit(call)).error?._tag).toBe("MacFailed")

        const pinKey = await taking("zpk-a", "pin", "82F1A5021495FEA5C2A5884E5E37B4F0")
        const side = { key: pinKey, format: "iso0" } as const
        const { block } = keyVectors.pinBlocks.blocks["iso0 tdes zpk-a"]!
        call.translatePin(side, side, bytes(block), keyVectors.pans.pan)

        expect(outcome(await bed.submit(call))).toBe(block)

        const checked = await Effect.runPromise(bed.module.checkValue(pinKey, { method: "zeros", length: 3 }))
        expect(hex(checked)).toBe("93E1AA")
      },
      { family: deviceFamilies[family], headerLength: family === "racal" ? 4 : 0 },
      { family }
    )
  )
})

describe("keys by a network device", () => {
  it("imports, exports, draws and checks keys", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const { module } = bed
        const request = {
          name: "partner/pin/both/2",
          purpose: "pin",
          algorithm: "tdes",
          key: { form: "ecb", kek: zmk, bytes: bytes("82F1A5021495FEA5C2A5884E5E37B4F0") }
        } as const
        const key = await Effect.runPromise(module.importKey(request))

        expect(key).toMatchObject({ text: keysUnderTestLmk["zpkA"], checkValue: "93E1AA" })

        const unlike = { ...request, expected: { method: "zeros", value: bytes("00112233") } } as const
        expect((await failure(module.importKey(unlike)))._tag).toBe("KeyRefused")

        const zpk = await Effect.runPromise(module.exportKey(zpkB, zmk, "ecb"))
        expect(hex(zpk)).toBe("C71AC926720A0C549687AA465C9C793D")

        const drawn = await Effect.runPromise(
          module.generateKey({ name: "n", purpose: "pin", algorithm: "tdes", kek: zmk, form: "ecb" })
        )
        expect(drawn).toMatchObject({ key: { text: keysUnderTestLmk["zpkB"], checkValue: "459FE7" } })

        const own = { ...request, key: { form: "own", text: keysUnderTestLmk["zpkA"]! } } as const
        expect((await Effect.runPromise(module.importKey(own))).checkValue).toBe("93E1AA")

        const other = { ...request, key: { ...request.key, kek: { ...zmk, text: `U${"0".repeat(32)}` } } }
        expect(await failure(module.importKey(other))).toMatchObject({ _tag: "KeyUnusable", code: "10" })
      },
      {},
      { draw: () => keyBytes("zpk-b") }
    ))

  it("takes a key without parity only with its check value", () =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      // Under another ZMK it comes out as anything: error 01, taken with a warning.
      const request = {
        name: "k",
        purpose: "pin",
        algorithm: "tdes",
        key: { form: "ecb", kek: zmk, bytes: bytes("C71AC926720A0C549687AA465C9C793E") }
      } as const

      expect((await failure(bed.module.importKey(request))).rule).toContain("parity")
    }))

  it("takes an SM4 key of SJL05 in the device's own text, where no command tells its check value", () =>
    withDevices(
      1,
      async (bed) => {
        await allUp(bed)
        const own = keyText("001", "X", keyBytes("sm4-zak")).slice(1)
        const request = { name: "k", purpose: "mac", algorithm: "sm4", key: { form: "own", text: own } } as const
        const key = await Effect.runPromise(bed.module.importKey(request))
        const covered = bytes(keyVectors.wholeMessageMac.covered)
        const call = new ModuleCall()
        call.makeMac({ method: "cbc", cipher: "sm4", padding: 1 }, key, covered, 0, covered.length, 8)
        expect(outcome(await bed.submit(call))).toBe("E877972A66D9E3E7")
        const expected = { method: "zeros", value: bytes("8C52F9") } as const
        expect((await failure(bed.module.importKey({ ...request, expected })))._tag).toBe("NotSupported")
      },
      { family: deviceFamilies.sjl05, headerLength: 0 },
      { family: "sjl05" }
    ))

  it("says what a device does not do", () =>
    withDevices(1, async (bed) => {
      await allUp(bed)
      const components = { form: "components", components: [keyBytes("zpk-a")] } as const
      const request = { name: "k", purpose: "pin", algorithm: "tdes", key: components } as const

      expect((await failure(bed.module.importKey(request))).rule).toContain("console")

      const block = { form: "tr31", kek: zmk, bytes: Buffer.from("B0096...") } as const
      expect((await failure(bed.module.importKey({ ...request, key: block })))._tag).toBe("NotSupported")
      expect((await failure(bed.module.exportKey(zpkA, zmk, "tr31")))._tag).toBe("NotSupported")
    }))
})
