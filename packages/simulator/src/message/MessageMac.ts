/**
 * The MAC of a whole message on a link under test: which bytes it covers, and where it is.
 *
 * Owns the two usual covers only: everything before the MAC's field, and the cleaned text of the CUPS centre. Test keys; nothing
 * here is card security.
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
  unionPayMacText
} from "@jinka/codec"

/** How a link makes its MACs. */
export interface MacSettings {
  readonly key: MacKey
  /** What is covered: all bytes of the message before the value of the MAC, or the text of CUPS. */
  readonly over: "message" | "cups"
}

/** Names of the algorithms. */
export const macNames: ReadonlyArray<string> = Object.keys(macAlgorithms)

/** The settings of an algorithm by name and a key in hex; why they are none. */
export const makeMac = (name: string, key: Buffer, over: MacSettings["over"]): MacSettings | string => {
  const made = makeMacKey(macAlgorithms[name as keyof typeof macAlgorithms], key)
  return isSecurityError(made) ? explainSecurityError(made) : { key: made, over }
}

/** The data elements that ISO 8583 keeps for a MAC, the last of the message first. */
const macElements = [192, 128, 64]

/** Where a message's MAC is; `undefined` when it carries none. */
export const macElement = (index: MessageIndex): number | undefined => macElements.find((de) => index.has(de))

const covered = ({ layout }: Codec, index: MessageIndex, de: number, over: MacSettings["over"]): Uint8Array => {
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

/** Writes the right MAC over the one that a message carries, in place. False when it carries none. */
export const writeMac = (codec: Codec, index: MessageIndex, settings: MacSettings): boolean => {
  const de = macElement(index)
  if (de === undefined) return false
  const mac = settings.key.compute(covered(codec, index, de, settings.over))
  const value = codec.layout.fields[de]?.bytes === true ? mac : Buffer.from(unionPayMacText(mac), "latin1")
  value.copy(index.buffer, index.from(de), 0, index.length(de))
  return true
}
