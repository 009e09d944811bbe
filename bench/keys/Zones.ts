/**
 * The zones of the keys bench. What the MAC covers is the same in every message and its answer, 116 bytes as in a CUPS purchase:
 * the partners send a MAC and a PIN block that were made once, and cost nothing; the switch makes and verifies four of them.
 */
import { computeMac, encryptPin, isSecurityError, macAlgorithms } from "@jinka/codec"
import type { GuardSettings } from "../../packages/switch/src/guard/GuardSettings.ts"
import { fields } from "../relay/Frame.ts"

/** Test keys; the same under the published test LMK is `zakText`, `zpkAText` and `zpkBText`. */
const zak = Buffer.from("6B948A0134A110705BD325CD6E73BC15", "hex")
const zpkA = Buffer.from("0DBA199EF7D96446FBEAFE4C57CEFB7C", "hex")
const zpkB = Buffer.from("545D80D01C5BBF579870C79813EF32D3", "hex")

/** The keys of the bench: clear for the software module, as a device's texts for the device. */
export const keys = {
  zak: { clear: zak, text: "U7E51B7028F2683DBBE1B25F0E7ADC023" },
  zpkA: { clear: zpkA, text: "UDCF652F6ED2B49967DB378C8572FB038" },
  zpkB: { clear: zpkB, text: "U6EDB823FB59E7549C0A091A276793A57" }
} as const

/** Data elements that the MAC covers: what a request and its answer have in common, and no number that changes. */
const covered = [2, 3, 4, 12, 13, 18, 22, 25, 32, 33, 37, 41, 42, 49]
const counted: ReadonlySet<number> = new Set([2, 32, 33])

const { macGuard, pinGuard } = {
  macGuard: {
    field: 64,
    messages: [200],
    text: "fields",
    fields: covered,
    form: "binary",
    bytes: 8,
    receive: "required",
    send: "always",
    algorithm: macAlgorithms["ansi-x9.19"],
    isZeroed: false,
    isHexText: false
  },
  pinGuard: { field: 52, format: "iso0", keys: "zone", mayDropPan: false }
} as const satisfies { macGuard: GuardSettings["mac"]; pinGuard: GuardSettings["pin"] }

/** The guard of both links. */
export const guardOf = (hasMac: boolean, hasPin: boolean): GuardSettings => ({
  mac: hasMac ? macGuard : undefined,
  pin: hasPin ? pinGuard : undefined,
  failures: { after: 3, act: "alarm" }
})

const made = <A extends object>(result: A): Exclude<A, { readonly rule: string }> => {
  if (isSecurityError(result)) throw new Error(result.rule)
  return result as Exclude<A, { readonly rule: string }>
}

/** What both partners put into every message. */
export const sealedFields = (): { readonly mac: Buffer; readonly block: Buffer } => {
  const text = covered.map((de) => {
    const value = String(fields[de])
    return counted.has(de) ? String(value.length).padStart(2, "0") + value : value
  })
  const zone = { cipher: "tdes", key: zpkA, format: "iso0", pan: String(fields[2]) } as const
  return {
    mac: made(computeMac(macGuard.algorithm, zak, Buffer.from(text.join(""), "latin1"))),
    block: made(encryptPin(zone, Buffer.from("1234", "latin1")))
  }
}
