import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { macAlgorithms } from "../../../packages/codec/src/security/index.ts"
import type { KeyHandle } from "../../../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall, type PinSide } from "../../../packages/switch/src/guard/ModuleCall.ts"
import { explainModuleError, isModuleError, type ModuleError } from "../../../packages/switch/src/guard/ModuleError.ts"
import type { ImportRequest } from "../../../packages/switch/src/guard/SecurityModule.ts"
import { bytes, hex } from "../../codec/security/vectors.ts"
import { keyBytes, keyIn, keyVectors, macAlgorithm, software } from "./vectors.ts"

const run = Effect.runSync

/** What a refused effect says. */
const errorOf = <A>(effect: Effect.Effect<A, ModuleError>): ModuleError => run(Effect.flip(effect))

describe("MACs by the software module", () => {
  for (const [name, { key, mac }] of Object.entries(keyVectors.wholeMessageMac.results)) {
    it(`${name} over a whole message, made and verified`, () => {
      const module = software()
      const handle = keyIn(module, key, "mac")
      const covered = bytes(keyVectors.wholeMessageMac.covered)
      const algorithm = macAlgorithm(name)
      const call = new ModuleCall()

      call.makeMac(algorithm, handle, covered, 0, covered.length, mac.length / 2)

      expect(module.submit(call)).toBe(true)
      expect(call.error).toBeUndefined()
      expect(hex(call.output.subarray(0, call.outputLength))).toBe(mac)

      for (const length of [4, 8]) {
        call.verifyMac(algorithm, handle, undefined, covered, 0, covered.length, bytes(mac).subarray(0, length))
        module.submit(call)
        expect(call.error).toBeUndefined()
        expect(call.fitted).toBe(handle)
      }
    })
  }

  for (const { name, text, x99, x919 } of keyVectors.cupsMac) {
    it(`the CUPS text of ${name}, in the middle of a buffer`, () => {
      const module = software()
      const around = Buffer.from(`before${text}behind`, "latin1")
      const call = new ModuleCall()
      for (const [algorithm, key, mac] of [
        ["ansi-x9.9", "zak-single", x99],
        ["ansi-x9.19", "zak-a", x919]
      ] as const) {
        call.makeMac(macAlgorithms[algorithm], keyIn(module, key, "mac"), around, 6, 6 + text.length, 8)
        module.submit(call)
        expect(call.error).toBeUndefined()
        expect(hex(call.output.subarray(0, 8))).toBe(mac)
      }
    })
  }

  it("tells which of two keys fitted, and that none did", () => {
    const module = software()
    const [current, previous, other] = ["zak-a", "zak-b", "zpk-a"].map((name) => keyIn(module, name, "mac")) as [
      KeyHandle,
      KeyHandle,
      KeyHandle
    ]
    const text = Buffer.from("0800 1126100001")
    const algorithm = macAlgorithms["ansi-x9.19"]
    const call = new ModuleCall()
    call.makeMac(algorithm, previous, text, 0, text.length, 4)
    module.submit(call)
    const mac = Buffer.from(call.output.subarray(0, 4))

    call.verifyMac(algorithm, current, previous, text, 0, text.length, mac)
    module.submit(call)

    expect([call.error, call.fitted]).toStrictEqual([undefined, previous])

    call.verifyMac(algorithm, current, other, text, 0, text.length, mac)
    module.submit(call)
    expect(call.error?._tag).toBe("MacFailed")
    expect(call.fitted).toBeUndefined()
  })

  it("passes no MAC that is missing, or shorter than 4 bytes, or longer than a block", () => {
    const module = software()
    const key = keyIn(module, "zak-a", "mac")
    const text = Buffer.from("0800")
    const call = new ModuleCall()
    for (const length of [0, 1, 3, 9, 17]) {
      call.verifyMac(macAlgorithms["ansi-x9.19"], key, undefined, text, 0, text.length, Buffer.alloc(length))
      module.submit(call)
      expect(call.error?._tag).toBe("FormatRefused")
    }
  })

  it("refuses a key of another purpose, cipher or store, by name and without a value", () => {
    const module = software()
    const text = Buffer.from("0800")
    const call = new ModuleCall()
    const right = keyIn(module, "zak-a", "mac")
    const elsewhere: KeyHandle = { ...right, text: keyVectors.keyBlocks.items[0]!.block }
    for (const key of [keyIn(module, "zpk-a", "pin"), keyIn(module, "zak-single", "mac"), elsewhere]) {
      call.makeMac(macAlgorithms["ansi-x9.19"], key, text, 0, text.length, 4)
      module.submit(call)
      expect(call.error?._tag).toBe("KeyUnusable")
      expect(call.error?.place).toContain(key.name)
    }
  })

  it("leaves nothing of a call in its slot when it is cleared", () => {
    const module = software()
    const call = new ModuleCall()
    const side = (name: string): PinSide => ({ key: keyIn(module, name, "pin"), format: "iso0" })
    const block = bytes(keyVectors.pinBlocks.blocks["iso0 tdes zpk-a"]!.block)
    call.translatePin(side("zpk-a"), side("zpk-b"), block, keyVectors.pans.pan)
    module.submit(call)

    expect(call.error).toBeUndefined()

    call.clear()

    expect([hex(call.input), hex(call.output)]).toStrictEqual(["00".repeat(16), "00".repeat(16)])
    expect([call.pan, call.source, call.target, call.key]).toStrictEqual([undefined, undefined, undefined, undefined])
  })
})

describe("PIN translation by the software module", () => {
  /** "iso0 tdes zpk-a" as a side, with its block. */
  const sideOf = (module: ReturnType<typeof software>, name: string): { side: PinSide; pan: string; block: Buffer } => {
    const [format, , key] = name.replace(",", "").split(" ")
    return {
      side: { key: keyIn(module, key!, "pin"), format: format as PinSide["format"] },
      pan: name.endsWith("19") ? keyVectors.pans.pan19 : keyVectors.pans.pan,
      block: bytes(keyVectors.pinBlocks.blocks[name]!.block)
    }
  }

  for (const { from, to, verdict } of keyVectors.pinBlocks.translations) {
    it(`${from} to ${to}: ${verdict}`, () => {
      const module = software()
      const source = sideOf(module, from)
      const target = sideOf(module, to)
      const call = new ModuleCall()

      // Another PAN is one that the source's block was not made with.
      call.translatePin(source.side, target.side, source.block, target.pan)
      module.submit(call)

      if (verdict.startsWith("refused")) {
        expect(call.error?._tag).toBe("FormatRefused")
        expect(call.outputLength).toBe(0)
        call.translatePin(source.side, target.side, source.block, target.pan, true)
        module.submit(call)
        if (!verdict.includes("mayDropPan")) return
      }

      expect(call.error).toBeUndefined()

      const made = Buffer.from(call.output.subarray(0, call.outputLength))
      if (!/iso[134]/.test(to)) expect(hex(made)).toBe(hex(target.block))

      if (target.side.format === "unionPayWithoutPan") return
      // Formats with random fill: back again is the block that was.
      call.translatePin(target.side, source.side, made, source.pan)
      module.submit(call)

      if (/iso1/.test(from)) expect(call.error?._tag).toBe("FormatRefused")
      else if (/iso4/.test(from)) expect(call.outputLength).toBe(16)
      else expect(hex(call.output.subarray(0, call.outputLength))).toBe(hex(source.block))
    })
  }

  it("says of a block under another key that it is refused, and nothing of what it held", () => {
    const module = software()
    const side = (name: string): PinSide => ({ key: keyIn(module, name, "pin"), format: "iso0" })
    const call = new ModuleCall()
    for (const length of [8, 7, 0, 17]) {
      call.translatePin(side("zpk-b"), side("zpk-a"), Buffer.alloc(length, 0x31), keyVectors.pans.pan)
      module.submit(call)
      expect(call.error?._tag).toBe("FormatRefused")
      expect(explainModuleError(call.error!)).not.toMatch(/3131|9999991234/)
    }
  })
})

describe("keys taken in by the software module", () => {
  const wrapped = keyVectors.keyExchange.filter((one) => one.wrappedKey !== undefined)

  for (const { name, newKey, kek, wrappedKey, kcv4 } of wrapped) {
    it(`${name}: under the partner's key, with its check value`, () => {
      const module = software()
      const { cipher } = keyVectors.keys[newKey!]!
      const request: ImportRequest = {
        name: "partner/mac/both/2",
        purpose: "mac",
        algorithm: cipher,
        key: { form: "ecb", kek: keyIn(module, kek!, "kek"), bytes: bytes(wrappedKey!) },
        expected: { method: "zeros", value: bytes(kcv4!) }
      }

      const handle = run(module.importKey(request))

      expect(handle.checkValue).toBe(keyVectors.keys[newKey!]!.kcv3)
      expect(hex(run(module.checkValue(handle, { method: "zeros", length: 4 })))).toBe(kcv4)

      const wrong = errorOf(module.importKey({ ...request, expected: { method: "zeros", value: bytes("00000000") } }))
      expect(wrong._tag).toBe("KeyRefused")
      expect(hex(run(module.exportKey(handle, keyIn(module, kek!, "kek"), "ecb")))).toBe(wrappedKey)
    })
  }

  it("sees by its parity that a DES key came under another key, where no check value says it", () => {
    const module = software()
    const error = errorOf(
      module.importKey({
        name: "partner/pin/both/2",
        purpose: "pin",
        algorithm: "tdes",
        key: { form: "ecb", kek: keyIn(module, "zmk-b", "kek"), bytes: bytes("82F1A5021495FEA5C2A5884E5E37B4F0") }
      })
    )

    expect(error._tag).toBe("KeyRefused")
    expect(error.rule).toContain("parity")
  })

  for (const { version, usage, algorithm, kbpk, key, block } of keyVectors.keyBlocks.items) {
    it(`a key block of version ${version}, usage ${usage}, ${key} under ${kbpk}`, () => {
      const module = software()
      const purpose = usage === "P0" ? "pin" : usage === "K0" ? "kek" : "mac"
      const taking = (asked: ImportRequest["purpose"]) =>
        module.importKey({
          name: key,
          purpose: asked,
          algorithm: algorithm === "A" ? "aes" : "tdes",
          key: { form: "tr31", kek: keyIn(module, kbpk, "kek"), bytes: Buffer.from(block) }
        })

      const handle = run(taking(purpose))

      const { kcv3, kcvCmac5 } = keyVectors.keys[key]!

      expect(handle.checkValue).toBe(kcvCmac5 ?? kcv3)
      expect(handle.text).not.toContain(hex(keyBytes(key)))
      expect(errorOf(taking(purpose === "pin" ? "mac" : "pin"))._tag).toBe("KeyRefused")
    })
  }

  it("draws a key that the partner can take in, in every form", () => {
    const module = software()
    for (const [kek, form] of [
      ["zmk-a", "ecb"],
      ["zmk-a", "cbc"],
      ["zmk-a", "tr31"],
      ["aes-kek", "tr31"]
    ] as const) {
      const kekHandle = keyIn(module, kek, "kek")
      const { key, wrapped } = run(
        module.generateKey({ name: "a/mac/send/3", purpose: "mac", algorithm: "tdes", kek: kekHandle, form })
      )
      const taken = run(
        module.importKey({
          name: "b/mac/receive/3",
          purpose: "mac",
          algorithm: "tdes",
          key: { form, kek: kekHandle, bytes: wrapped }
        })
      )
      expect(taken.checkValue).toBe(key.checkValue)
    }
  })

  it("makes a key of components, and takes in again what it wrote itself", () => {
    const module = software()
    const first = Buffer.from("A1".repeat(8) + "5C".repeat(8), "hex")
    const second = Buffer.from(keyBytes("zmk-a").map((byte, at) => byte ^ first[at]!))
    const key = run(
      module.importKey({
        name: "a/kek/both/1",
        purpose: "kek",
        algorithm: "tdes",
        key: { form: "components", components: [first, second] },
        expected: { method: "zeros", value: bytes("37B92E") }
      })
    )
    const again = run(
      module.importKey({
        name: "a/kek/both/1",
        purpose: "kek",
        algorithm: "tdes",
        key: { form: "own", text: key.text }
      })
    )

    expect(again.checkValue).toBe("37B92E")

    const short = { form: "components", components: [first, second.subarray(8)] } as const
    expect(errorOf(module.importKey({ name: "k", purpose: "kek", algorithm: "tdes", key: short }))._tag).toBe(
      "KeyRefused"
    )
  })

  it.each([
    ["tdes", "0123456789ABCDEFFEDCBA9876543210", "published"],
    ["tdes", "40404040404040405151515151515151", "equal bytes"],
    ["tdes", "E0E0010101010101F1F1010101010101", "published"],
    ["tdes", "6B948A0134A110706B948A0134A11070", "equal"],
    ["tdes", "01FE01FE01FE01FE6B948A0134A11070", "weak"],
    ["tdes", "00FE00FE00FE00FE6B948A0134A11070", "weak"],
    ["des", "1F1F1F1F0E0E0E0E", "weak"],
    ["aes", "2B7E151628AED2A6ABF7158809CF4F3C", "published"],
    ["sm4", "0123456789ABCDEFFEDCBA9876543210", "published"]
  ] as const)("refuses the %s key %s, and takes it where test keys are allowed", (algorithm, key, why) => {
    const request: ImportRequest = {
      name: "k",
      purpose: "mac",
      algorithm,
      key: { form: "components", components: [bytes(key)] }
    }

    const error = errorOf(software().importKey(request))

    expect(error._tag).toBe("KeyRefused")
    expect(error.rule).toContain(why)
    expect(isModuleError(run(software(true).importKey(request)))).toBe(false)
  })

  it("refuses a length that is not the cipher's", () => {
    for (const [algorithm, length] of [
      ["des", 16],
      ["tdes", 8],
      ["aes", 8],
      ["sm4", 24]
    ] as const) {
      const key = { form: "components", components: [Buffer.alloc(length, 0x1c)] } as const
      expect(errorOf(software(true).importKey({ name: "k", purpose: "mac", algorithm, key })).rule).toContain("bytes")
    }
  })
})
