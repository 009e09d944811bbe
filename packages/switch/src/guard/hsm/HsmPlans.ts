/**
 * What is asked of a device for a call or for a key: which command, with which values. Pure. A call that the family cannot do,
 * or that the rules of PIN blocks forbid, is an error before any device sees it.
 */
import type { Cipher, KeyCheckMethod, PinBlockFormat } from "@jinka/codec"
import type { KeyHandle, KeyPurpose } from "../KeyHandle.ts"
import type { ModuleCall, PinSide } from "../ModuleCall.ts"
import { type ModuleError, moduleError } from "../ModuleError.ts"
import { deviceMacLengths, keysOf, macNames, macOf, paddingOf, pinFormatsOf, schemeOf } from "./Abilities.ts"
import type { CommandValues } from "./CommandText.ts"
import type { DeviceCommand, DeviceFamily, DeviceMac, KeyScheme } from "./DeviceFamily.ts"

const incomplete = moduleError("RequestWrong", "submit", "the call is filled in by its methods")
const macLengthWrong = moduleError("FormatRefused", "MAC", "a device makes and verifies MACs of 4 or 8 bytes")
const panMissing = moduleError(
  "FormatRefused",
  "translatePin",
  "a format that holds the PAN needs one of 13 to 19 digits"
)
const panDropped = moduleError(
  "FormatRefused",
  "translatePin",
  "the target format must hold the PAN as the source's does"
)
const blockUnder = moduleError(
  "NotSupported",
  "key exchange",
  "the key-encryption key is a text of a variant or ECB scheme: how a device takes and gives keys under a key block (`S`) is in no public source"
)
const blockWrong = moduleError("FormatRefused", "translatePin", "a PIN block of these formats has 8 bytes")

/** What the commands call the purpose of this key. */
const typeOf = (family: DeviceFamily, { purpose, text }: KeyHandle, isTerminal = false): string => {
  if (family.keyBlockType !== undefined && text.startsWith("S")) return family.keyBlockType
  return isTerminal && family.terminals !== undefined ? family.terminals.keyType : family.keyTypes[purpose]
}

const notSupported = (place: string, family: DeviceFamily, lacks: string, has: ReadonlyArray<string>): ModuleError =>
  moduleError("NotSupported", place, `the device family ${family.name} has no ${lacks}; it has ${has.join(", ")}`)

/** What a key must be: of the purpose asked, and a text of the family. */
const checkKey = (family: DeviceFamily, key: KeyHandle, purpose: KeyPurpose): ModuleError | undefined => {
  if (key.purpose !== purpose) {
    return moduleError("KeyUnusable", `key ${key.name}`, `the key is for ${key.purpose}, and used for ${purpose}`)
  }
  return isKeyText(family, key.text)
    ? undefined
    : moduleError("KeyUnusable", `key ${key.name}`, `its text is not one of a device of the family ${family.name}`)
}

const checkKek = (family: DeviceFamily, kek: KeyHandle): ModuleError | undefined =>
  checkKey(family, kek, "kek") ?? (kek.text.startsWith("S") ? blockUnder : undefined)

/** Whether a text can be a key's under a device's LMK. */
export const isKeyText = (family: DeviceFamily, text: string): boolean =>
  family.frame === "bare"
    ? /^(?:[0-9A-F]{16}){1,3}$/.test(text)
    : /^(?:[0-9A-F]{16}|[UX][0-9A-F]{32}|[TY][0-9A-F]{48}|S[\x20-\x7e]{32,512})$/.test(text)

/** Whether a key is of a cipher that the family makes MACs with, but has no command for the check value of: SM4 in `sjl05`. */
export const isUncheckable = (family: DeviceFamily, { algorithm, text }: KeyHandle): boolean =>
  isKeyText(family, text) &&
  family.macs.some(({ cipher }) => cipher === algorithm) &&
  !family.schemes.some(({ cipher }) => cipher === algorithm) &&
  algorithm !== "des"

/** Fills in a MAC call; gives the command, and whether the MAC is made and compared here. */
export const planMac = (
  family: DeviceFamily,
  call: ModuleCall,
  key: KeyHandle,
  values: CommandValues
): { command: DeviceMac["make"]; isVerified: boolean } | ModuleError => {
  const { algorithm, from, to } = call
  if (algorithm === undefined) return incomplete
  const found = macOf(family, algorithm)
  if (found === undefined) {
    const name = `${algorithm.cipher} ${algorithm.method}, padding ${paddingOf(algorithm)}`
    return notSupported("MAC", family, `MAC of ${name}`, macNames(family))
  }
  const wrong = checkKey(family, key, "mac")
  if (wrong !== undefined) return wrong
  const length = call.operation === "makeMac" ? call.outputLength : call.inputLength
  if (!deviceMacLengths.includes(length)) return macLengthWrong
  if (to - from > family.messageMax) {
    return moduleError("NotSupported", "MAC", `the device takes at most ${family.messageMax} bytes in one command`)
  }
  const { mac, padding } = found
  const isVerified = call.operation === "verifyMac" && mac.verify !== undefined
  values.text.keyType = typeOf(family, key)
  values.text.key = key.text
  values.text.algorithm = mac.code
  values.text.padding = padding
  values.text.size = length === 4 ? "0" : "1"
  values.bytes.message = call.text.subarray(from, to)
  if (isVerified) values.bytes.mac = call.input.subarray(0, length)
  return { command: isVerified ? mac.verify! : mac.make, isVerified }
}

const holdsPan = (format: PinBlockFormat): boolean => format === "iso0" || format === "iso3" || format === "iso4"

const formatOf = (family: DeviceFamily, { format }: PinSide): string | ModuleError => {
  const code = format === "opaque" ? undefined : family.pinFormats[format]
  return code ?? notSupported("translatePin", family, `PIN blocks of ${format}`, pinFormatsOf(family))
}

/** No family translates to a terminal's key; some do not translate from one. */
const terminals = (family: DeviceFamily): ModuleError =>
  notSupported("translatePin", family, "such translation", [
    "translation from zone to zone",
    ...(family.terminals === undefined ? [] : ["from a terminal's key to a zone's"])
  ])

const isCode = (code: string | ModuleError): code is string => typeof code === "string"

/** Fills in a PIN translation. */
export const planPin = (
  family: DeviceFamily,
  { source, target, pan, mayDropPan, input, inputLength }: ModuleCall,
  values: CommandValues
): DeviceCommand | ModuleError => {
  if (source === undefined || target === undefined) return incomplete
  const command = source.isTerminal === true ? family.terminals?.translatePin : family.translatePin
  if (target.isTerminal === true || command === undefined) return terminals(family)
  const [from, to] = [formatOf(family, source), formatOf(family, target)]
  if (!isCode(from)) return from
  if (!isCode(to)) return to
  const [fromFormat, toFormat] = [source.format as PinBlockFormat, target.format as PinBlockFormat]
  if (holdsPan(fromFormat) && !holdsPan(toFormat) && !mayDropPan) return panDropped
  if (inputLength !== 8) return blockWrong
  const needsPan = holdsPan(fromFormat) || holdsPan(toFormat)
  if (needsPan && (pan === undefined || !/^\d{13,19}$/.test(pan))) return panMissing
  const wrong = checkKey(family, source.key, "pin") ?? checkKey(family, target.key, "pin")
  if (wrong !== undefined) return wrong
  values.text.key = source.key.text
  values.text.target = target.key.text
  values.text.sourceFormat = from
  values.text.targetFormat = to
  values.text.account = needsPan ? pan!.slice(0, -1).slice(-12) : "000000000000"
  values.bytes.block = input.subarray(0, inputLength)
  return command
}

/** How keys of this cipher and length are written. */
export const planScheme = (
  family: DeviceFamily,
  cipher: Cipher,
  bytes: number,
  place: string
): KeyScheme | ModuleError =>
  schemeOf(family, cipher, bytes) ?? notSupported(place, family, `${cipher} keys of ${bytes} bytes`, keysOf(family))

/** Bytes of a key by its text. */
export const bytesOfText = (text: string, cipher: Cipher): number =>
  text.startsWith("S") ? (cipher === "des" ? 8 : 16) : text.replace(/^[UXTY]/, "").length / 2

/** Fills in the import of a key that came as bytes under a key-encryption key. */
export const planImport = (
  family: DeviceFamily,
  purpose: KeyPurpose,
  kek: KeyHandle,
  scheme: KeyScheme,
  bytes: Uint8Array,
  values: CommandValues
): ModuleError | undefined => {
  const wrong = checkKek(family, kek)
  if (wrong !== undefined) return wrong
  values.text.keyType = family.keyTypes[purpose]
  values.text.kek = kek.text
  values.text.wrapped = scheme.wrapped + Buffer.from(bytes).toString("hex").toUpperCase()
  values.text.scheme = scheme.ownField
  return undefined
}

/** Fills in the drawing of a key, or with `key` the export of one. */
export const planOut = (
  family: DeviceFamily,
  purpose: KeyPurpose,
  kek: KeyHandle,
  scheme: KeyScheme,
  key: KeyHandle | undefined,
  values: CommandValues
): ModuleError | undefined => {
  const wrong = checkKek(family, kek) ?? (key === undefined ? undefined : checkKey(family, key, purpose))
  if (wrong !== undefined) return wrong
  values.text.keyType = key === undefined ? family.keyTypes[purpose] : typeOf(family, key)
  values.text.kek = kek.text
  values.text.key = key?.text ?? ""
  values.text.scheme = scheme.ownField
  values.text.kekScheme = scheme.wrappedField
  return undefined
}

/** Fills in the asking for a check value. */
export const planCheck = (
  family: DeviceFamily,
  key: KeyHandle,
  { method, length }: KeyCheckMethod,
  values: CommandValues,
  isTerminal = false
): ModuleError | undefined => {
  const place = `checkValue ${key.name}`
  if (method !== "zeros") return moduleError("NotSupported", place, "a device's check value is that of zeros")
  if (!isKeyText(family, key.text)) {
    return moduleError("KeyUnusable", place, `the text is not one of a device of the family ${family.name}`)
  }
  const scheme = planScheme(family, key.algorithm, bytesOfText(key.text, key.algorithm), place)
  if ("_tag" in scheme) return scheme
  values.text.keyType = typeOf(family, key, isTerminal)
  values.text.key = key.text
  values.text.lengthFlag = key.text.startsWith("S") ? "F" : scheme.lengthFlag
  values.text.checkSize = length <= 3 ? "1" : "0"
  return undefined
}
