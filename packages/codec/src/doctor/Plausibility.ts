/**
 * What a decoded message says for or against the table it was decoded with: a wrong table often reads something, but seldom a
 * month from 1 to 12. Counts only; no value leaves this module.
 */
import type { Codec } from "../iso8583/Codec.ts"
import { fieldParts } from "../iso8583/FieldParts.ts"
import type { MessageIndex } from "../iso8583/MessageIndex.ts"
import { mtiText } from "../iso8583/Mti.ts"

/** Something that was looked at, and whether it makes sense. */
export interface Sign {
  readonly what: string
  readonly isGood: boolean
}

const isBetween = (text: string, from: number, bytes: number, min: number, max: number): boolean => {
  const value = Number(text.slice(from, from + bytes))
  return value >= min && value <= max
}

const isMonthDay = (text: string, at: number): boolean =>
  isBetween(text, at, 2, 1, 12) && isBetween(text, at + 2, 2, 1, 31)

const isTime = (text: string, at: number): boolean =>
  isBetween(text, at, 2, 0, 23) && isBetween(text, at + 2, 2, 0, 59) && isBetween(text, at + 4, 2, 0, 59)

const isLuhn = (pan: string): boolean => {
  let sum = 0
  for (let index = 0; index < pan.length; index++) {
    const digit = pan.charCodeAt(pan.length - 1 - index) - 0x30
    sum += index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)
  }
  return sum % 10 === 0
}

/** Fields whose values can be judged; `undefined`: nothing to say. */
const checks: { readonly [de: number]: (text: string, codec: Codec) => boolean | undefined } = {
  2: (text) => text.length >= 12 && isLuhn(text),
  7: (text) => (text.length === 10 ? isMonthDay(text, 0) && isTime(text, 4) : undefined),
  12: (text) => (text.length === 6 ? isTime(text, 0) : undefined),
  13: (text, { dialect }) => (dialect.version === 0 && text.length === 4 ? isMonthDay(text, 0) : undefined),
  14: (text) => (text.length === 4 ? isBetween(text, 2, 2, 0, 12) : undefined),
  32: (text) => text.length >= 3,
  33: (text) => text.length >= 3,
  37: (text) => text.trim().length > 0,
  39: (text, { dialect }) => Object.hasOwn(dialect.responseCodes, text),
  49: (text, { dialect }) => (dialect.version === 2 ? undefined : /^(?!000)\d{3}$|^[A-Z]{3}$/.test(text)),
  90: (text) => (text.length === 42 ? /^0[1-8]/.test(text) : undefined)
}

/** What the sign of a message type is called. */
export const messageType = "message type"

const mtiSign = (mti: string, version: number): Sign => {
  const [first, second, third, fourth] = mti
  const isGood = Number(first) === version && "12345678".includes(second!) && third! <= "5" && fourth! <= "5"
  return { what: messageType, isGood }
}

/** Everything that can be judged in an indexed message, as far as it could be read. */
export const signsOf = (codec: Codec, index: MessageIndex): ReadonlyArray<Sign> => {
  const { dialect, layout } = codec
  const mti = mtiText(Math.max(0, index.mti))
  const signs: Array<Sign> = [mtiSign(mti, dialect.version)]
  for (const field of layout.defined) {
    const { de, structure } = field
    if (!index.has(de)) continue
    const judged = field.bytes ? undefined : checks[de]?.(index.text(de), codec)
    if (judged !== undefined) signs.push({ what: `DE ${de}`, isGood: judged })
    if (structure === undefined || structure.style === "positional") continue
    const value = field.bytes ? index.bytes(de) : index.text(de)
    signs.push({ what: `parts of DE ${de}`, isGood: fieldParts(field, value, dialect.encodings) !== undefined })
  }
  const network = dialect.network
  if (network !== undefined && index.mti === network.mti && index.has(network.field))
    signs.push({
      what: `DE ${network.field}`,
      isGood: Object.values(network.codes).includes(index.text(network.field))
    })
  return signs
}
