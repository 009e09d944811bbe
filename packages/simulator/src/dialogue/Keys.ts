/**
 * Keys of a dialogue, by name: the MACs and PIN blocks that its partners make with them, and look at.
 *
 *     keys:
 *       zak: { mac: ansi-x9.19, hex: 6B948A0134A110705BD325CD6E73BC15 }
 *       zpk: { pin: iso0, cipher: tdes, hex: 0DBA199EF7D96446FBEAFE4C57CEFB7C }
 *     steps:
 *       - A sends: { like: purchase, mac: zak, pin: zpk 1234 }
 *       - B expects: { mac: other, pin: otherPin 1234 }
 *
 * What a MAC covers, and where it is, is the dialect's word (`security`). Written here independently, from values and not from
 * the switch's offsets: what judges the switch must not share its mistakes. Test keys only: the file shows them.
 */
import {
  type Cipher,
  CUPS_MAC_FIELD90_LENGTH,
  cupsMacText,
  decryptPin,
  encryptPin,
  isSecurityError,
  type MacKey,
  type MessageIndex,
  macAlgorithms,
  makeMacKey,
  makePinKey,
  PatchList,
  type PinKey,
  pinFormats
} from "@jinka/codec"
import { MapReader } from "../file/MapReader.ts"
import { invalidAt, textOf, type Yaml } from "../file/YamlNodes.ts"
import { fieldText, type Observed, told } from "./Observed.ts"
import { StepInvalid } from "./StepInvalid.ts"
import type { WireFormat } from "./WireFormat.ts"

/** A key for MACs, or one for PIN blocks. */
export type DialogueKey =
  | {
      readonly _tag: "mac"
      readonly key: MacKey
      readonly bytes: Buffer
      readonly algorithm: keyof typeof macAlgorithms
    }
  | {
      readonly _tag: "pin"
      readonly key: PinKey
      readonly bytes: Buffer
      readonly cipher: Cipher
      readonly format: (typeof pinFormats)[number]
    }

/** Keys by name. */
export type DialogueKeys = ReadonlyMap<string, DialogueKey>

/** Ciphers of keys. */
export const ciphers: ReadonlyArray<Cipher> = ["des", "tdes", "aes", "sm4"]

/** Names of MAC algorithms. */
export const macNames = Object.keys(macAlgorithms) as ReadonlyArray<keyof typeof macAlgorithms>

const among =
  <A extends string>(known: ReadonlyArray<A>) =>
  (yaml: Yaml): A => {
    const found = known.find((one) => one === textOf(yaml))
    if (found !== undefined) return found
    throw invalidAt(yaml, `one of ${known.join(", ")} is expected`)
  }

const bytesOfKey = (yaml: Yaml): Buffer => {
  const digits = textOf(yaml)
  if (/^([0-9A-Fa-f]{2}){8,32}$/.test(digits)) return Buffer.from(digits, "hex")
  throw invalidAt(yaml, "a key of 8 to 32 bytes in hex digits is expected")
}

/** Reads one key of the file. Throws `FileInvalid`. */
export const readKey = (yaml: Yaml): DialogueKey => {
  const map = new MapReader(yaml, "a key")
  const algorithm = map.get("mac", among(macNames))
  const format = map.get("pin", among(pinFormats))
  const cipher = map.get("cipher", among(ciphers)) ?? "tdes"
  const bytes = map.get("hex", bytesOfKey)
  map.done()
  if ((algorithm === undefined) === (format === undefined) || bytes === undefined) {
    throw invalidAt(yaml, "a key has `hex`, and `mac` or `pin`")
  }
  const key = algorithm === undefined ? makePin(format!, cipher, bytes) : makeMac(algorithm, bytes)
  if (typeof key === "string") throw invalidAt(yaml, key)
  return key
}

/** A key for MACs of these bytes, or why they are none. */
export const makeMac = (algorithm: keyof typeof macAlgorithms, bytes: Buffer): DialogueKey | string => {
  const key = makeMacKey(macAlgorithms[algorithm], bytes)
  return isSecurityError(key) ? key.rule : { _tag: "mac", key, bytes, algorithm }
}

/** A key for PIN blocks of these bytes, or why they are none. */
export const makePin = (format: (typeof pinFormats)[number], cipher: Cipher, bytes: Buffer): DialogueKey | string => {
  const key = makePinKey(cipher, bytes)
  return isSecurityError(key) ? key.rule : { _tag: "pin", key, bytes, cipher, format }
}

/** `zpk 1234`: the key's name and the PIN. */
export const pinWords = (text: string): { readonly name: string; readonly pin: string } | undefined => {
  const found = /^(\w+) (\d{4,12})$/.exec(text)
  return found === null ? undefined : { name: found[1]!, pin: found[2]! }
}

const keyOf = <Tag extends DialogueKey["_tag"]>(
  keys: DialogueKeys,
  name: string,
  tag: Tag
): Extract<DialogueKey, { readonly _tag: Tag }> => {
  const key = keys.get(name)
  if (key?._tag === tag) return key as Extract<DialogueKey, { readonly _tag: Tag }>
  const known = [...keys].flatMap(([other, { _tag }]) => (_tag === tag ? [other] : []))
  throw new StepInvalid({ rule: `no ${tag} key is called "${name}"; there are ${known.join(", ") || "none"}` })
}

const macRulesOf = ({ codec }: WireFormat) => {
  const rules = codec.dialect.security?.mac
  if (rules !== undefined) return rules
  throw new StepInvalid({
    rule: `the dialect ${codec.dialect.name} does not say where a MAC is (\`security.mac\`)`
  })
}

/** The field of the MAC: one of the dialect's, or the last of the last bitmap that the message has. */
export const macFieldOf = (form: WireFormat, index: MessageIndex): number => {
  const { field } = macRulesOf(form)
  if (field !== "last") return field
  const isLong = form.codec.layout.defined.some(({ de }) => de > 64 && index.has(de))
  return isLong && form.codec.layout.fields[128] !== undefined ? 128 : 64
}

/** Fields that a MAC covers where they are not the dialect's usual ones: those of key messages. */
type MacFields = ReadonlyArray<number> | undefined

/** The bytes that the MAC covers, from the values of the message. */
const coveredBytes = (form: WireFormat, message: Observed, de: number, only?: MacFields): Buffer => {
  const { fields: usual, text } = macRulesOf(form)
  const fields = only ?? usual
  const { layout } = form.codec
  const { bytes, index } = message
  if (text === "message") return bytes.subarray(index.body, index.from(de) - layout.fields[de]!.prefixBytes)
  const original = layout.dialect.reversal?.originalData.field
  const values = fields.flatMap((one) => {
    if (one === 0) return [bytes.toString("latin1", index.body, index.body + layout.mtiBytes)]
    const value = index.has(one) ? fieldText(message, one) : undefined
    if (value === undefined) return []
    const digits = layout.fields[one]!.prefixDigits
    const counted = digits === 0 ? "" : String(value.length).padStart(digits, "0")
    return [counted + (text === "cups" && one === original ? value.slice(0, CUPS_MAC_FIELD90_LENGTH) : value)]
  })
  return Buffer.from(text === "cups" ? cupsMacText(values) : values.join(""), "latin1")
}

/** The value's bytes, in hexadecimal digits on the wire or not. */
const valueBytes = ({ form, index }: Observed, de: number): Buffer => {
  const field = form.codec.layout.fields[de]
  if (field?.encoding === "hex") return Buffer.from(index.bytes(de).toString("latin1"), "hex")
  return field?.bytes === true ? index.bytes(de) : Buffer.from(index.text(de), "latin1")
}

/** The MAC as it is in its field. */
export const macOf = (
  form: WireFormat,
  { key }: { readonly key: MacKey },
  message: Observed,
  de: number,
  only?: MacFields
): Buffer => {
  const { bytes, form: how } = macRulesOf(form)
  const mac = key.compute(coveredBytes(form, message, de, only)).subarray(0, bytes)
  return how === "hex" ? Buffer.from(mac.toString("hex").toUpperCase(), "latin1") : mac
}

const patched = (form: WireFormat, message: Observed, de: number, value: Buffer): Buffer => {
  const patches = new PatchList()
  patches.set(de, form.codec.layout.fields[de]?.bytes === true ? value : value.toString("latin1"))
  return form.codec.patched(message.index, patches)
}

/** The finished message with its MAC by the key of this name. Throws `StepInvalid`. */
export const withMac = (
  form: WireFormat,
  keys: DialogueKeys,
  name: string,
  bytes: Buffer,
  only?: MacFields
): Buffer => {
  const key = keyOf(keys, name, "mac")
  const plain = told(form, bytes, 0)
  const de = macFieldOf(form, plain.index)
  const field = form.codec.layout.fields[de]
  if (field === undefined) throw new StepInvalid({ rule: `the dialect has no DE ${de} for the MAC` })
  const empty = field.bytes ? Buffer.alloc(field.units) : Buffer.from("0".repeat(field.units), "latin1")
  const whole = told(form, patched(form, plain, de, empty), 0)
  const value = Buffer.alloc(field.units)
  macOf(form, key, whole, de, only).copy(value)
  return patched(form, whole, de, value)
}

/** The message with a MAC that is wrong in its last place, and right in all else. Throws `StepInvalid`. */
export const withWrongMac = (
  form: WireFormat,
  keys: DialogueKeys,
  name: string,
  bytes: Buffer,
  only?: MacFields
): Buffer => {
  const right = told(form, withMac(form, keys, name, bytes, only), 0)
  const last = right.index.to(macFieldOf(form, right.index)) - 1
  // Another hexadecimal digit in text, another byte elsewhere.
  right.bytes[last] = right.bytes[last] === 0x30 ? 0x31 : 0x30
  return right.bytes
}

/** What is wrong with the message's MAC, held against the key of this name; `undefined`: nothing. */
export const macWrong = (
  keys: DialogueKeys,
  name: string,
  message: Observed,
  only?: MacFields
): { readonly de: number; readonly says: string } | undefined => {
  const { form, index } = message
  const key = keyOf(keys, name, "mac")
  const de = macFieldOf(form, index)
  if (!index.has(de)) return { de, says: `DE ${de}: a MAC by ${name} expected, it is not there` }
  const came = valueBytes(message, de)
  const mac = macOf(form, key, message, de, only)
  return came.subarray(0, mac.length).equals(mac)
    ? undefined
    : { de, says: `DE ${de}: a MAC by ${name} expected, it is none` }
}

const pinFieldOf = ({ codec }: WireFormat): number => {
  const field = codec.dialect.security?.pin?.field
  if (field !== undefined) return field
  throw new StepInvalid({
    rule: `the dialect ${codec.dialect.name} does not say where a PIN block is (\`security.pin\`)`
  })
}

const panOf = (message: Observed): string | undefined => fieldText(message, message.form.codec.layout.roles.pan)

const zoneOf = (
  { cipher, format, key }: Extract<DialogueKey, { readonly _tag: "pin" }>,
  message: Observed,
  pan = panOf(message)
) => {
  const random = (length: number) => new Uint8Array(length).fill(0x5a)
  return pan === undefined ? { cipher, key, format, random } : { cipher, key, format, random, pan }
}

/** The finished message with the PIN block of `zpk 1234`. Throws `StepInvalid`. */
export const withPin = (form: WireFormat, keys: DialogueKeys, text: string, bytes: Buffer): Buffer => {
  const { name, pin } = pinOf(text)
  const message = told(form, bytes, 0)
  const block = encryptPin(zoneOf(keyOf(keys, name, "pin"), message), Buffer.from(pin, "latin1"))
  if (isSecurityError(block)) throw new StepInvalid({ rule: `pin: ${block.rule}` })
  return patched(form, message, pinFieldOf(form), block)
}

const pinOf = (text: string): { readonly name: string; readonly pin: string } => {
  const words = pinWords(text)
  if (words !== undefined) return words
  throw new StepInvalid({ rule: "pin: the name of a key and a PIN of 4 to 12 digits are expected, like `zpk 1234`" })
}

/**
 * The PIN of the message's block for this card, opened with the key of this name; `undefined`: it has no block. Throws
 * `StepInvalid` where there is no such key.
 */
export const pinIn = (
  keys: DialogueKeys,
  name: string,
  message: Observed,
  card: string
): { readonly isReadable: false } | { readonly isReadable: true; readonly pin: string } | undefined => {
  const de = pinFieldOf(message.form)
  if (!message.index.has(de)) return undefined
  const pan = card === "" ? undefined : card
  const came = decryptPin(zoneOf(keyOf(keys, name, "pin"), message, pan), valueBytes(message, de))
  if (isSecurityError(came)) return { isReadable: false }
  return { isReadable: true, pin: Buffer.from(came).toString("latin1") }
}

/** What is wrong with the message's PIN block, opened with the key of `zpk 1234`; no digit of it is said. */
export const pinWrong = (
  keys: DialogueKeys,
  text: string,
  message: Observed
): { readonly de: number; readonly says: string } | undefined => {
  const { name, pin } = pinOf(text)
  const key = keyOf(keys, name, "pin")
  const { form, index } = message
  const de = pinFieldOf(form)
  if (!index.has(de)) return { de, says: `DE ${de}: a PIN block by ${name} expected, it is not there` }
  const came = decryptPin(zoneOf(key, message), valueBytes(message, de))
  if (!isSecurityError(came) && Buffer.from(came).toString("latin1") === pin) return undefined
  const how = isSecurityError(came) ? "it cannot be opened with it" : "it holds another PIN"
  return { de, says: `DE ${de}: a PIN block by ${name} expected, ${how}` }
}
