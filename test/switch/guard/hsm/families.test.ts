import { describe, expect, it } from "vitest"
import { macAlgorithms } from "../../../../packages/codec/src/security/index.ts"
import {
  Answer,
  bareLength,
  CommandValues,
  writeRequest
} from "../../../../packages/switch/src/guard/hsm/CommandText.ts"
import type { DeviceCommand, DeviceFamily } from "../../../../packages/switch/src/guard/hsm/DeviceFamily.ts"
import { payShield, racal, sjl05 } from "../../../../packages/switch/src/guard/hsm/Families.ts"
import * as Plans from "../../../../packages/switch/src/guard/hsm/HsmPlans.ts"
import type { KeyHandle, KeyPurpose } from "../../../../packages/switch/src/guard/KeyHandle.ts"
import { ModuleCall } from "../../../../packages/switch/src/guard/ModuleCall.ts"
import { isModuleError } from "../../../../packages/switch/src/guard/ModuleError.ts"
import { bytes, hex } from "../../../codec/security/vectors.ts"
import { keyVectors } from "../vectors.ts"

const { exchanges, keysUnderTestLmk, binaryLayouts } = keyVectors.hsmFrames

const handle = (text: string, purpose: KeyPurpose, algorithm: KeyHandle["algorithm"] = "tdes"): KeyHandle => ({
  name: "a",
  purpose,
  algorithm,
  text,
  checkValue: ""
})

const keys = {
  zmk: handle(keysUnderTestLmk["zmk"]!, "kek"),
  zpkA: handle(keysUnderTestLmk["zpkA"]!, "pin"),
  zpkB: handle(keysUnderTestLmk["zpkB"]!, "pin"),
  tpk: handle(keysUnderTestLmk["tpk"]!, "pin"),
  zak: handle(keysUnderTestLmk["zak"]!, "mac"),
  zak8: handle(keysUnderTestLmk["zak8"]!, "mac", "des")
}

const text = Buffer.from(keyVectors.cupsMac[0]!.text, "latin1")

/** The request that a plan makes, as it goes out behind the header. */
const written = (
  plan: (call: ModuleCall, values: CommandValues) => DeviceCommand | { command: DeviceCommand } | object | undefined,
  command?: DeviceCommand
): string => {
  const values = new CommandValues()
  const planned = plan(new ModuleCall(), values)
  if (isModuleError(planned)) throw new Error(planned.rule)
  const chosen = command ?? (planned as { command?: DeviceCommand }).command ?? (planned as DeviceCommand)
  const out = Buffer.alloc(2048)
  return out.toString("latin1", 0, writeRequest(chosen, values, out, 0))
}

const mac = (
  family: DeviceFamily,
  algorithm: "ansi-x9.9" | "ansi-x9.19" | "sm4-cbc",
  key: KeyHandle,
  received?: string
) =>
  written((call, values) => {
    const used =
      algorithm === "sm4-cbc" ? ({ ...macAlgorithms[algorithm], padding: 1 } as const) : macAlgorithms[algorithm]
    if (received === undefined) call.makeMac(used, key, text, 0, text.length, 4)
    else call.verifyMac(used, key, undefined, text, 0, text.length, bytes(received))
    return Plans.planMac(family, call, key, values)
  })

const scheme = (letter: string) => payShield.schemes.find(({ own }) => own === letter)!

/** Our requests for the published exchanges, by their names. */
const requests: Record<string, () => string> = {
  "A6 import ZPK": () =>
    written(
      (_, values) =>
        Plans.planImport(payShield, "pin", keys.zmk, scheme("U"), bytes("82F1A5021495FEA5C2A5884E5E37B4F0"), values),
      payShield.importKey
    ),
  "A6 import ZAK": () =>
    written(
      (_, values) =>
        Plans.planImport(payShield, "mac", keys.zmk, scheme("U"), bytes("001E9454CC3E381C851883D1700C481B"), values),
      payShield.importKey
    ),
  "A8 export ZPK": () =>
    written(
      (_, values) => Plans.planOut(payShield, "pin", keys.zmk, scheme("U"), keys.zpkB, values),
      payShield.exportKey
    ),
  "BU check value of ZPK": () =>
    written(
      (_, values) => Plans.planCheck(payShield, keys.zpkA, { method: "zeros", length: 3 }, values),
      payShield.checkValue
    ),
  "CC translate ZPK to ZPK": () => translation("zpkA", "zpkB"),
  "CC refused: block not valid": () => translation("zpkB", "zpkA"),
  "CA translate TPK to ZPK": () =>
    written((call, values) => {
      const { block } = blockOf("CA translate TPK to ZPK")
      const [source, target] = [
        { key: keys.tpk, format: "iso0", isTerminal: true },
        { key: keys.zpkB, format: "iso0" }
      ] as const
      call.translatePin(source, target, bytes(block), keyVectors.pans.pan)
      return Plans.planPin(payShield, call, values)
    }),
  "M6 generate MAC, X9.19": () => mac(payShield, "ansi-x9.19", keys.zak),
  "M6 generate MAC, X9.9": () => mac(payShield, "ansi-x9.9", keys.zak8),
  "M8 verify MAC, right": () => mac(payShield, "ansi-x9.19", keys.zak, "B35DD256"),
  "M8 verify MAC, wrong": () => mac(payShield, "ansi-x9.19", keys.zak, "00000000"),
  "NC diagnostics": () => written(() => payShield.heartbeat),
  "A0 generate ZPK and export under ZMK": () =>
    written(
      (_, values) => Plans.planOut(payShield, "pin", keys.zmk, scheme("U"), undefined, values),
      payShield.generateKey
    )
}

/** The block of a published translation: behind two keys and `12`. */
const blockOf = (name: string) => ({
  block: exchanges.find((one) => one.name === name)!.request.slice(4 + 2 + 33 + 33 + 2, 4 + 2 + 33 + 33 + 2 + 16)
})

const translation = (from: "zpkA" | "zpkB", to: "zpkA" | "zpkB"): string =>
  written((call, values) => {
    const { block } = keyVectors.pinBlocks.blocks["iso0 tdes zpk-a"]!
    call.translatePin(
      { key: keys[from], format: "iso0" },
      { key: keys[to], format: "iso0" },
      bytes(block),
      keyVectors.pans.pan
    )
    return Plans.planPin(payShield, call, values)
  })

describe("payShield-like requests and answers", () => {
  for (const { name, request } of exchanges) {
    const made = requests[name]
    // A wrong ZMK and echoes: what Jinka does not ask for.
    if (made === undefined) continue
    it(`writes ${name} byte for byte`, () => {
      expect(made()).toBe(request.slice(4))
    })
  }

  it("writes all published requests but two", () => {
    expect(exchanges.filter(({ name }) => requests[name] === undefined).map(({ name }) => name)).toStrictEqual([
      "A6 refused: ZMK parity",
      "B2 echo"
    ])
  })

  const commands: Record<string, DeviceCommand> = {
    A7: payShield.importKey,
    A9: payShield.exportKey!,
    BV: payShield.checkValue,
    CB: payShield.terminals!.translatePin,
    CD: payShield.translatePin,
    M7: payShield.macs[1]!.make,
    M9: payShield.macs[1]!.verify!,
    ND: payShield.heartbeat!,
    A1: payShield.generateKey!
  }

  it("reads every published answer", () => {
    const answer = new Answer()
    const read = (name: string) => {
      const { response } = exchanges.find((one) => one.name === name)!
      const body = Buffer.from(response.slice(4), "latin1")
      expect(answer.read(payShield, commands[response.slice(4, 6)]!, body, 0, body.length)).toBe(true)
      return { code: answer.code, ...answer.told }
    }

    expect(read("A6 import ZPK")).toStrictEqual({ code: "00", key: keysUnderTestLmk["zpkA"], checkValue: "93E1AA" })
    expect(read("A6 refused: ZMK parity")).toStrictEqual({ code: "10" })
    expect(read("A8 export ZPK")).toStrictEqual({
      code: "00",
      wrapped: "XC71AC926720A0C549687AA465C9C793D",
      checkValue: "459FE7"
    })
    expect(read("BU check value of ZPK")).toStrictEqual({ code: "00", checkValue: "93E1AA" })
    expect(read("CC translate ZPK to ZPK")).toStrictEqual({ code: "00", block: "D8EDC414EC32A524" })
    expect(read("CA translate TPK to ZPK")).toStrictEqual({ code: "00", block: "D8EDC414EC32A524" })
    expect(read("CC refused: block not valid")).toStrictEqual({ code: "20" })
    expect(read("M6 generate MAC, X9.19")).toStrictEqual({ code: "00", mac: "B35DD256" })
    expect(read("M8 verify MAC, right")).toStrictEqual({ code: "00" })
    expect(read("M8 verify MAC, wrong")).toStrictEqual({ code: "01" })
    expect(read("NC diagnostics")).toStrictEqual({ code: "00", lmkCheckValue: "0".repeat(16), firmware: "1500-0023" })
    expect(read("A0 generate ZPK and export under ZMK")).toStrictEqual({
      code: "00",
      key: keysUnderTestLmk["zpkB"],
      wrapped: "XC71AC926720A0C549687AA465C9C793D",
      checkValue: "459FE7"
    })
  })

  it("reads a MAC with a length in front, as the simulator of nickntg sends it", () => {
    const answer = new Answer()
    const body = Buffer.from("M70000085F1448EE")

    expect(answer.read(payShield, commands["M7"]!, body, 0, body.length)).toBe(true)
    expect(answer.told.mac).toBe("5F1448EE")
  })

  it("takes no answer of another command, or one that is cut off, for one", () => {
    const answer = new Answer()
    for (const cut of ["", "CD", "CD0", "CE00", "CD0006D8EDC414EC32A5", "cd00"]) {
      expect(answer.read(payShield, commands["CD"]!, Buffer.from(cut), 0, cut.length)).toBe(false)
    }
  })
})

describe("Racal-like requests", () => {
  it("writes MS for X9.9 and X9.19", () => {
    const length = text.length.toString(16).toUpperCase().padStart(4, "0")
    const double = handle(`X${keysUnderTestLmk["zak"]!.slice(1)}`, "mac")

    expect(mac(racal, "ansi-x9.19", double)).toBe(`MS0110${double.text}${length}${text.toString("latin1")}`)
    expect(mac(racal, "ansi-x9.9", keys.zak8)).toBe(`MS0100${keys.zak8.text}${length}${text.toString("latin1")}`)
  })
})

describe("binary requests and answers", () => {
  const layout = (name: string) => binaryLayouts.items.find((one) => one.name.startsWith(name))!.request!
  const key = (purpose: KeyPurpose, algorithm: KeyHandle["algorithm"]) =>
    handle("00112233445566778899AABBCCDDEEFF", purpose, algorithm)

  it("writes the published layouts byte for byte", () => {
    const message = Buffer.from("0200 16999999123", "latin1")
    const request = (algorithm: Parameters<ModuleCall["makeMac"]>[0], used: KeyHandle) =>
      hex(
        Buffer.from(
          written((call, values) => {
            call.makeMac(algorithm, used, message, 0, message.length, 8)
            return Plans.planMac(sjl05, call, used, values)
          }),
          "latin1"
        )
      )

    expect(request(macAlgorithms["ansi-x9.19"], key("mac", "tdes"))).toBe(layout("D1 32"))
    expect(request({ method: "cbc", cipher: "sm4", padding: 1 }, key("mac", "sm4"))).toBe(layout("A8 03"))

    const check = written(
      (_, values) => Plans.planCheck(sjl05, key("pin", "tdes"), { method: "zeros", length: 3 }, values),
      sjl05.checkValue
    )
    expect(hex(Buffer.from(check, "latin1"))).toBe(layout("04 23"))
  })

  it("knows from the command how long an answer is", () => {
    const { make } = sjl05.macs[0]!

    expect(bareLength(make, bytes(""), 0, 0)).toBe(0)
    expect(bareLength(make, bytes("41"), 0, 1)).toBe(9)
    expect(bareLength(make, bytes("4510"), 0, 2)).toBe(2)
    expect(bareLength(sjl05.importKey, bytes("41"), 0, 1)).toBe(0)
    expect(bareLength(sjl05.importKey, bytes("4110"), 0, 2)).toBe(26)
  })
})

describe("what a device cannot do", () => {
  const values = new CommandValues()
  const call = new ModuleCall()
  const pin = (source: ModuleCall["source"], target: ModuleCall["target"], pan?: string, mayDropPan = false) => {
    call.translatePin(source!, target!, Buffer.alloc(8, 1), pan, mayDropPan)
    const planned = Plans.planPin(payShield, call, values)
    return isModuleError(planned) ? planned._tag : "asked"
  }

  it("refuses pairs of PIN formats that ISO 9564 forbids, and formats that the family has not", () => {
    const { pan } = keyVectors.pans
    const side = (format: NonNullable<ModuleCall["source"]>["format"]) => ({ key: keys.zpkA, format })

    expect(pin(side("iso0"), side("iso3"), pan)).toBe("asked")
    expect(pin(side("iso1"), side("iso0"), pan)).toBe("asked")
    expect(pin(side("iso1"), side("iso1"))).toBe("asked")
    expect(pin(side("iso0"), side("iso1"), pan)).toBe("FormatRefused")
    expect(pin(side("iso0"), side("iso1"), pan, true)).toBe("asked")
    expect(pin(side("iso0"), side("iso0"))).toBe("FormatRefused")
    expect(pin(side("iso0"), side("iso4"), pan)).toBe("NotSupported")
    expect(pin(side("opaque"), side("opaque"), pan)).toBe("NotSupported")
    expect(pin({ key: keys.zak, format: "iso0" }, side("iso0"), pan)).toBe("KeyUnusable")
  })

  it("translates from a terminal's key to a zone's, and not back; a family without that refuses it", () => {
    const { pan } = keyVectors.pans
    const [zone, terminal] = [
      { key: keys.zpkA, format: "iso0" },
      { key: keys.tpk, format: "iso0", isTerminal: true }
    ] as const
    const planned = (family: DeviceFamily) => {
      const [source, target] =
        family === sjl05
          ? [
              { ...terminal, key: handle("00112233445566778899AABBCCDDEEFF", "pin") },
              { ...zone, key: handle("00112233445566778899AABBCCDDEEFF", "pin") }
            ]
          : [terminal, zone]
      call.translatePin(source, target, Buffer.alloc(8, 1), pan)
      const made = Plans.planPin(family, call, values)
      return isModuleError(made) ? made.rule : made.code
    }

    expect([planned(payShield), planned(racal)]).toEqual(["CB", "CB"])
    expect(planned(sjl05)).toBe("the device family sjl05 has no such translation; it has translation from zone to zone")
    expect(pin(zone, terminal, pan)).toBe("NotSupported")
  })

  it("says what it has where it has no such key, and takes none under a key block", () => {
    const said = (made: object | undefined) => (made !== undefined && isModuleError(made) ? made.rule : "asked")
    const block = handle(`S10096K0TB00E0000${"0".repeat(79)}`, "kek")

    expect(said(Plans.planScheme(racal, "sm4", 16, "importKey"))).toBe(
      "the device family racal has no sm4 keys of 16 bytes; it has des of 8 bytes, tdes of 16 bytes, tdes of 24 bytes"
    )
    expect(said(Plans.planImport(payShield, "pin", block, scheme("U"), Buffer.alloc(16), values))).toContain(
      "key block"
    )
    expect(said(Plans.planOut(payShield, "pin", block, scheme("U"), undefined, values))).toContain("key block")
  })

  it("refuses MACs that the family has not, keys of another purpose, messages too long", () => {
    const tag = (algorithm: Parameters<ModuleCall["makeMac"]>[0], key: KeyHandle, length = 4, size = text.length) => {
      call.makeMac(algorithm, key, Buffer.alloc(size), 0, size, length)
      const planned = Plans.planMac(payShield, call, key, values)
      return isModuleError(planned) ? planned._tag : "asked"
    }

    expect(tag(macAlgorithms["ansi-x9.19"], keys.zak)).toBe("asked")
    expect(tag({ ...macAlgorithms["ansi-x9.19"], padding: 3 }, keys.zak)).toBe("NotSupported")
    expect(tag(macAlgorithms["aes-cmac"], keys.zak)).toBe("NotSupported")
    expect(tag(macAlgorithms["ansi-x9.19"], keys.zpkA)).toBe("KeyUnusable")
    expect(tag(macAlgorithms["ansi-x9.19"], { ...keys.zak, text: "U12" })).toBe("KeyUnusable")
    expect(tag(macAlgorithms["ansi-x9.19"], keys.zak, 5)).toBe("FormatRefused")
    expect(tag(macAlgorithms["ansi-x9.19"], keys.zak, 4, 40_000)).toBe("NotSupported")
  })
})
