/**
 * The MAC of a whole message on a link under test: which bytes it covers, and where it is.
 *
 * Owns the covers that a file may name: what the dialect says, everything before the MAC's field, and the cleaned text of the
 * CUPS centre. Test keys; nothing here is card security.
 */
import {
  type Codec,
  CUPS_MAC_FIELD90_LENGTH,
  CupsMacBlock,
  cupsMacFields,
  explainSecurityError,
  isSecurityError,
  type MacKey,
  type MessageIndex,
  macAlgorithms,
  makeMacKey,
  PatchList,
  unionPayMacText
} from "@jinka/codec"
import { macFieldOf, macOf } from "../dialogue/Keys.ts"
import type { WireFormat } from "../dialogue/WireFormat.ts"

/** How a link makes its MACs. */
export interface MacSettings {
  readonly algorithm: keyof typeof macAlgorithms
  readonly bytes: Buffer
  readonly key: MacKey
  /** What is covered: what the dialect says, all bytes of the message before the value of the MAC, or the text of CUPS. */
  readonly over: "dialect" | "message" | "cups"
}

/** Names of the algorithms. */
export const macNames: ReadonlyArray<string> = Object.keys(macAlgorithms)

/** The settings of an algorithm by name and a key in hex; why they are none. */
export const makeMac = (name: string, key: Buffer, over: MacSettings["over"]): MacSettings | string => {
  const algorithm = name as keyof typeof macAlgorithms
  const made = makeMacKey(macAlgorithms[algorithm], key)
  return isSecurityError(made) ? explainSecurityError(made) : { algorithm, bytes: key, key: made, over }
}

/** The data elements that ISO 8583 keeps for a MAC, the last of the message first. */
export const macElements = [192, 128, 64]

/** Where a message's MAC is; `undefined` when it carries none. */
export const macElement = (index: MessageIndex): number | undefined => macElements.find((de) => index.has(de))

const covered = ({ layout }: Codec, index: MessageIndex, de: number, over: "message" | "cups"): Uint8Array => {
  if (over === "message") return index.buffer.subarray(index.start, index.from(de))
  const block = new CupsMacBlock()
  for (const one of cupsMacFields) {
    if (one === 0) block.add(index.buffer, index.body, index.body + layout.mtiBytes)
    else if (index.has(one)) {
      const from = index.from(one) - (layout.fields[one]?.prefixBytes ?? 0)
      const to = one === 90 ? Math.min(index.to(one), from + CUPS_MAC_FIELD90_LENGTH) : index.to(one)
      block.add(index.buffer, from, to)
    }
  }
  return block.bytes()
}

/** Writes a value over that of a field, as the field is written on the wire: hex digits, EBCDIC or the bytes themselves. */
const writeOver = ({ codec }: WireFormat, index: MessageIndex, de: number, value: Buffer): void => {
  const { buffer, start } = index
  const [from, to] = [index.from(de), index.to(de)]
  const { bytes, encoding } = codec.layout.fields[de]!
  if (encoding === "hex") {
    Buffer.from(value.toString("hex").toUpperCase(), "latin1").copy(buffer, from, 0, to - from)
  } else if (bytes || encoding === "ascii") {
    value.copy(buffer, from, 0, to - from)
  } else {
    const patches = new PatchList()
    const text = value.toString("latin1")
    patches.set(de, text + index.text(de).slice(text.length))
    codec.patched(index, patches).copy(buffer, from, from - start, to - start)
  }
}

/** The MAC as the dialect's `security.mac` has it. */
const writeDialectMac = (form: WireFormat, index: MessageIndex, { key }: MacSettings): boolean => {
  const de = macFieldOf(form, index)
  if (!index.has(de)) return false
  const bytes = index.buffer
  const { encoding } = form.codec.layout.fields[de]!
  const value = Buffer.alloc(encoding === "hex" ? index.length(de) / 2 : index.length(de))
  macOf(form, { key }, { at: 0, bytes, form, index, wrong: undefined }, de).copy(value)
  writeOver(form, index, de, value)
  return true
}

/** Writes the right MAC over the one that a message carries, in place. False when it carries none. */
export const writeMac = (form: WireFormat, index: MessageIndex, settings: MacSettings): boolean => {
  const { codec } = form
  if (settings.over === "dialect") return writeDialectMac(form, index, settings)
  const de = macElement(index)
  if (de === undefined) return false
  const mac = settings.key.compute(covered(codec, index, de, settings.over))
  const value = codec.layout.fields[de]?.bytes === true ? mac : Buffer.from(unionPayMacText(mac), "latin1")
  writeOver(form, index, de, value)
  return true
}
