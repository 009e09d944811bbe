/**
 * A message with one field changed: its length prefix and MAC made right again, or left as if nothing had changed. Pure.
 *
 * A value that the dialect does not allow is written all the same, byte for byte: a partner may send anything.
 */
import { type Codec, MessageIndex, PatchList } from "@jinka/codec"
import type { WireFormat } from "../dialogue/WireFormat.ts"
import { type MacSettings, macElement, writeMac } from "../message/MessageMac.ts"
import type { MessageFault } from "./FaultRule.ts"

type ChangeFault = Extract<MessageFault, { readonly kind: "change" | "remove" }>

/** What came of a change. `says` tells what a reader of the history has to know; undefined: all as the rule says. */
export interface Changed {
  readonly bytes: Buffer
  readonly says: string | undefined
}

const hexValue = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex")

/** The new value, as the dialect takes it: text, or bytes of hex. `undefined` when there is nothing to add to. */
const newValue = (codec: Codec, index: MessageIndex, fault: ChangeFault): string | Buffer | undefined => {
  if (fault.kind === "remove") return undefined
  const field = codec.layout.fields[fault.de]
  if (fault.to !== undefined) return field?.bytes === true ? hexValue(fault.to) : fault.to
  const text = index.text(fault.de)
  if (!/^\d+$/.test(text)) return undefined
  const size = 10n ** BigInt(text.length)
  const sum = (((BigInt(text) + BigInt(fault.by)) % size) + size) % size
  return String(sum).padStart(text.length, "0")
}

/** The bytes put where the value is, and nothing else touched. */
const spliced = (index: MessageIndex, de: number, value: string | Buffer): Buffer => {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value
  const { buffer, end, start } = index
  return Buffer.concat([buffer.subarray(start, index.from(de)), bytes, buffer.subarray(index.to(de), end)])
}

const patched = (
  codec: Codec,
  index: MessageIndex,
  fault: ChangeFault,
  value: string | Buffer | undefined
): Changed => {
  const patches = new PatchList()
  if (fault.kind === "remove") patches.remove(fault.de)
  else patches.set(fault.de, value!)
  const refused = codec.checkPatches(patches)
  if (refused === undefined) return { bytes: codec.patched(index, patches), says: undefined }
  if (!index.has(fault.de)) return { bytes: whole(index), says: `DE ${fault.de} is not there, and cannot be put in` }
  return { bytes: spliced(index, fault.de, value!), says: "the dialect does not allow the value; written as it is" }
}

const whole = ({ buffer, start, end }: MessageIndex): Buffer => Buffer.from(buffer.subarray(start, end))

/** Puts the old length prefix back; one that did not change is made wrong by its last bit. */
const corruptPrefix = (codec: Codec, was: MessageIndex, bytes: Buffer, de: number): string | undefined => {
  const prefix = codec.layout.fields[de]?.prefixBytes ?? 0
  const is = new MessageIndex()
  codec.index(bytes, 0, bytes.length, is)
  if (prefix === 0 || !is.has(de)) return `DE ${de} has no length prefix to leave wrong`
  const at = is.from(de) - prefix
  if (was.has(de)) was.buffer.copy(bytes, at, was.from(de) - prefix, was.from(de))
  if (!was.has(de) || was.length(de) === is.length(de)) bytes[at + prefix - 1]! ^= 1
  return undefined
}

/** Carries the change out on a message that the dialect can read. */
export const changed = (
  form: WireFormat,
  index: MessageIndex,
  fault: ChangeFault,
  mac: MacSettings | undefined
): Changed => {
  const { codec } = form
  const value = newValue(codec, index, fault)
  if (fault.kind === "change" && value === undefined)
    return { bytes: whole(index), says: `DE ${fault.de} is not there, or no number` }
  if (fault.kind === "remove" && !index.has(fault.de))
    return { bytes: whole(index), says: `DE ${fault.de} is not there` }
  const { bytes, says } = patched(codec, index, fault, value)
  const macSays = fault.wrong.mac ? undefined : renewMac(form, bytes, mac, fault.de)
  const prefixSays = fault.wrong.prefix ? corruptPrefix(codec, index, bytes, fault.de) : undefined
  const all = [says, macSays, prefixSays].filter((one) => one !== undefined)
  return { bytes, says: all.length === 0 ? undefined : all.join("; ") }
}

const renewMac = (form: WireFormat, bytes: Buffer, mac: MacSettings | undefined, de: number): string | undefined => {
  const index = new MessageIndex()
  if (form.codec.index(bytes, 0, bytes.length, index) !== undefined) return undefined
  const at = macElement(index)
  if (at === undefined || at === de) return undefined
  if (mac === undefined) return "the MAC is left as it was: the file gives no mac"
  writeMac(form, index, mac)
  return undefined
}
