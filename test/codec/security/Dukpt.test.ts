import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  aesDukptInitialKey,
  aesDukptTransactionKey,
  aesDukptWorkingKey,
  computeMac,
  encryptCbc,
  encryptPin,
  isSecurityError,
  macAlgorithms,
  type TdesDukptUsage,
  tdesDukptInitialKey,
  tdesDukptTransactionKey,
  tdesDukptWorkingKey
} from "../../../packages/codec/src/security/index.ts"
import { bytes, hex, ok, scripted, tagOf, vectors } from "./vectors.ts"

const tdes = vectors<{
  readonly bdk: string
  readonly initialKsn: string
  readonly ipek: string
  readonly pin: string
  readonly pan: string
  readonly macAndDataText: string
  readonly rows: ReadonlyArray<{
    readonly ksn: string
    readonly transactionKey: string
    readonly encryptedPinBlock: string
    readonly macRequest: string
    readonly macResponse: string
    readonly cmacRequest: string
    readonly cmacResponse: string
    readonly dataRequestCipher: string
  }>
}>("security-dukpt-tdes")

interface AesVectors {
  readonly bdk: string
  readonly initialKeyId: string
  readonly initialKey: string
  readonly rows: ReadonlyArray<{
    readonly ksn: string
    readonly transactionKey: string
    readonly pinKey?: string
    readonly encryptedPinBlock?: string
    readonly macGenerateKey?: string
    readonly dataEncryptKey?: string
  }>
}

const aes = vectors<{ readonly aes128: AesVectors & { readonly pinField: string }; readonly aes256: AesVectors }>(
  "security-dukpt-aes"
)

const workingKey = (transactionKey: Uint8Array, usage: TdesDukptUsage): Buffer =>
  ok(tdesDukptWorkingKey(transactionKey, usage))

describe("TDES DUKPT", () => {
  it("derives the initial key from any KSN of the terminal", () => {
    expect(hex(ok(tdesDukptInitialKey(bytes(tdes.bdk), bytes(tdes.initialKsn))))).toBe(tdes.ipek)
    expect(hex(ok(tdesDukptInitialKey(bytes(tdes.bdk), bytes(tdes.rows[5]!.ksn))))).toBe(tdes.ipek)
  })

  for (const row of tdes.rows) {
    it(`KSN ${row.ksn}: keys, PIN block, MACs, CMACs and encrypted text`, () => {
      const transactionKey = ok(tdesDukptTransactionKey(bytes(tdes.ipek), bytes(row.ksn)))
      const text = Buffer.from(tdes.macAndDataText, "latin1")
      const pinZone = { cipher: "tdes", key: workingKey(transactionKey, "pin"), format: "iso0", pan: tdes.pan } as const
      const mac = (usage: TdesDukptUsage) =>
        hex(ok(computeMac(macAlgorithms["ansi-x9.19"], workingKey(transactionKey, usage), text)).subarray(0, 4))
      const cmac = (usage: TdesDukptUsage) =>
        hex(ok(computeMac(macAlgorithms["tdes-cmac"], workingKey(transactionKey, usage), text)))
      const padded = Buffer.alloc(24)
      padded.set(text)

      const encryptKey = workingKey(transactionKey, "encryptRequest")

      expect(hex(transactionKey)).toBe(row.transactionKey)
      expect(hex(ok(encryptPin(pinZone, Buffer.from(tdes.pin))))).toBe(row.encryptedPinBlock)
      expect(mac("macRequest")).toBe(row.macRequest)
      expect(mac("macResponse")).toBe(row.macResponse)
      expect(cmac("macRequest")).toBe(row.cmacRequest)
      expect(cmac("macResponse")).toBe(row.cmacResponse)
      expect(hex(ok(encryptCbc("tdes", encryptKey, new Uint8Array(8), padded)))).toBe(row.dataRequestCipher)
    })
  }

  it("refuses counters that never occur, and keys and serial numbers of other lengths", () => {
    const ipek = bytes(tdes.ipek)

    expect(tagOf(tdesDukptTransactionKey(ipek, bytes("FFFF9876543210E00000")))).toBe("KsnInvalid")
    expect(tagOf(tdesDukptTransactionKey(ipek, bytes("FFFF9876543210FFFFFF")))).toBe("KsnInvalid")
    expect(tagOf(tdesDukptTransactionKey(ipek, bytes("FFFF9876543210E007FF")))).toBe("KsnInvalid")
    expect(tagOf(tdesDukptTransactionKey(ipek, bytes("FFFF9876543210E003FF")))).toBe("no error")
    expect(tagOf(tdesDukptTransactionKey(ipek, bytes("FFFF9876543210E000")))).toBe("KsnInvalid")
    expect(tagOf(tdesDukptTransactionKey(ipek.subarray(8), bytes("FFFF9876543210E00001")))).toBe("KeyInvalid")
    expect(tagOf(tdesDukptInitialKey(ipek.subarray(8), bytes("FFFF9876543210E00001")))).toBe("KeyInvalid")
    expect(tagOf(tdesDukptWorkingKey(ipek.subarray(8), "pin"))).toBe("KeyInvalid")
  })
})

describe("AES DUKPT", () => {
  for (const [name, vector] of [
    ["AES-128", aes.aes128],
    ["AES-256", aes.aes256]
  ] as const) {
    it(`${name}: derives the initial key`, () => {
      expect(hex(ok(aesDukptInitialKey(bytes(vector.bdk), bytes(vector.initialKeyId))))).toBe(vector.initialKey)
    })

    for (const row of vector.rows) {
      it(`${name}, KSN ${row.ksn}: transaction key and working keys`, () => {
        const ksn = bytes(row.ksn)
        const transactionKey = ok(aesDukptTransactionKey(bytes(vector.initialKey), ksn))

        expect(hex(transactionKey)).toBe(row.transactionKey)

        if (row.pinKey === undefined) return
        const pinKey = ok(aesDukptWorkingKey(transactionKey, ksn, "pin"))
        const random = scripted(bytes(aes.aes128.pinField.slice(16)))
        const zone = { cipher: "aes", key: pinKey, format: "iso4", pan: "4111111111111111", random } as const

        expect(hex(pinKey)).toBe(row.pinKey)
        expect(hex(ok(encryptPin(zone, Buffer.from("1234"))))).toBe(row.encryptedPinBlock)
        expect(hex(ok(aesDukptWorkingKey(transactionKey, ksn, "macGenerate")))).toBe(row.macGenerateKey)
        expect(hex(ok(aesDukptWorkingKey(transactionKey, ksn, "dataEncrypt")))).toBe(row.dataEncryptKey)
      })
    }
  }

  it("gives each use and kind its own key, of the kind's length and not stronger than its origin", () => {
    const ksn = bytes("123456789012345600000001")
    const from128 = bytes(aes.aes128.rows[0]!.transactionKey)
    const from256 = bytes(aes.aes256.rows[0]!.transactionKey)
    const uses = [
      "keyEncryption",
      "pin",
      "macGenerate",
      "macVerify",
      "macBoth",
      "dataEncrypt",
      "dataDecrypt",
      "dataBoth"
    ]
    const keys = new Set(uses.map((usage) => hex(ok(aesDukptWorkingKey(from128, ksn, usage as "pin")))))

    expect(keys.size).toBe(uses.length)
    expect(ok(aesDukptWorkingKey(from256, ksn, "pin", "aes192")).length).toBe(24)
    expect(ok(aesDukptWorkingKey(from128, ksn, "macGenerate", "tdes2")).length).toBe(16)
    expect(ok(aesDukptWorkingKey(from128, ksn, "macGenerate", "tdes3")).length).toBe(24)
    expect(tagOf(aesDukptWorkingKey(from128, ksn, "pin", "aes256"))).toBe("InputInvalid")
  })

  it("refuses counters that never occur, and never throws for any bytes", () => {
    const key = bytes(aes.aes128.initialKey)

    expect(tagOf(aesDukptTransactionKey(key, bytes("123456789012345600000000")))).toBe("KsnInvalid")
    expect(tagOf(aesDukptTransactionKey(key, bytes("12345678901234560001FFFF")))).toBe("KsnInvalid")
    expect(tagOf(aesDukptTransactionKey(key, bytes("1234567890123456")))).toBe("KsnInvalid")
    expect(tagOf(aesDukptInitialKey(key, bytes("1234")))).toBe("KsnInvalid")
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 33 }), fc.uint8Array({ minLength: 8, maxLength: 12 }), (material, ksn) => {
        for (const result of [
          aesDukptInitialKey(material, ksn),
          aesDukptTransactionKey(material, ksn),
          aesDukptWorkingKey(material, ksn, "pin"),
          tdesDukptInitialKey(material, ksn),
          tdesDukptTransactionKey(material, ksn)
        ]) {
          if (!isSecurityError(result)) expect([16, 24, 32]).toContain(result.length)
        }
      }),
      { numRuns: 100 }
    )
  })
})
