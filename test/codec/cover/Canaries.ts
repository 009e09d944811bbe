/**
 * Card data that is put everywhere and must be seen nowhere: published test numbers, tracks made of them, and how they look in
 * every form that bytes and texts may have. A number may show its first 6 and last 4 digits, so what is looked for are 8 digits
 * in a row of it, anywhere.
 */
import type { FieldLayout } from "@jinka/codec"

/**
 * Published test numbers of 13 to 19 digits (Visa, Diners, American Express, Mastercard, JCB, UnionPay; the last one is made up).
 */
export const cardNumbers: ReadonlyArray<string> = [
  "4222222222222",
  "30569309025904",
  "371449635398431",
  "4111111111111111",
  "5555555555554444",
  "3566002020360505",
  "6225881234567890120"
]

/** Track 2 of a number, and track 1; the discretionary data are the same in all. */
export const track2Of = (pan: string): string => `${pan}=30122019998765432`
/** Track 1. */
export const track1Of = (pan: string): string => `B${pan}^CANARY/TEST^30122019998765432`

/** What follows the separator of every track here. */
export const discretionary = "30122019998765432"

const nibblesOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

const ebcdicOf = (digits: string): string => [...digits].map((digit) => `f${digit}`).join("")
const textOf = (digits: string): string => Buffer.from(digits, "latin1").toString("hex")

/** Digits in the forms that they may have in a text and in the hex digits of bytes. */
const formsOf = (piece: string) => ({ piece, inText: [piece, textOf(piece), ebcdicOf(piece)] })

const piecesOf = (digits: string, length: number, step: number) =>
  Array.from({ length: Math.max(0, Math.floor((digits.length - length) / step) + 1) }, (_, n) => n * step)
    .map((from) => digits.slice(from, from + length))
    .map(formsOf)

/** What is looked for, made once: every piece; and shorter ones side by side, of which each piece holds one whole. */
const searches = new Map<
  string,
  { readonly pieces: ReturnType<typeof piecesOf>; readonly hints: ReadonlyArray<string> }
>()

const searchOf = (digits: string, shown: number) => {
  const key = `${digits} ${shown}`
  const half = Math.floor(shown / 2)
  const made = searches.get(key) ?? {
    pieces: piecesOf(digits, shown, 1).filter(({ piece }) => new Set(piece).size > 1),
    hints: piecesOf(digits, half, half).flatMap(({ inText }) => inText)
  }
  searches.set(key, made)
  return made
}

/**
 * What bytes or a text show of the number: a piece of `shown` digits, as text, as hex of text, in EBCDIC or packed; `undefined`
 * when nothing. Pieces of one digit only (0 above all) say nothing. In large files 8 digits occur by chance: look for more.
 */
export const showsNumber = (seen: string | Uint8Array, digits: string, shown = 8): string | undefined => {
  const bytes = typeof seen === "string" ? Buffer.from(seen, "utf8") : Buffer.from(seen)
  const hex = nibblesOf(bytes)
  const text = bytes.toString("latin1").toLowerCase()
  const { hints, pieces } = searchOf(digits, shown)
  if (!hints.some((hint) => hex.includes(hint) || text.includes(hint))) return undefined
  for (const { piece, inText } of pieces) {
    if (text.includes(piece)) return `text ${piece}`
    for (const form of inText) if (hex.includes(form) || text.includes(form)) return `hex ${form}`
  }
  return undefined
}

/** Digits and the separator of a track, two a byte. */
export const packed = (text: string): Buffer => {
  const digits = text.replace("=", "d")
  return Buffer.from(digits.length % 2 === 0 ? digits : `${digits}f`, "hex")
}
const ebcdic = (text: string): Buffer =>
  Buffer.from([...text].map((one) => (/\d/.test(one) ? 0xf0 + Number(one) : 0x7e)))

const fitted = ({ units, prefixDigits }: FieldLayout, text: string, fill: string): ReadonlyArray<string> => {
  if (text.length > units) return []
  if (prefixDigits > 0) return [text, ...(text.length + 4 <= units ? [`${fill}${text}${fill.repeat(3)}`] : [])]
  return [text.padEnd(units, fill), text.padStart(units, fill)]
}

/** What holds the canary in the field: texts, and bytes of a text, packed and in EBCDIC. */
export const valuesOf = (field: FieldLayout, canary: string): ReadonlyArray<string | Uint8Array> => {
  if (field.bytes)
    return [Buffer.from(canary), packed(canary), ebcdic(canary)].flatMap((bytes) => {
      if (bytes.length > field.units) return []
      return field.prefixDigits > 0 ? [bytes] : [Buffer.concat([bytes, Buffer.alloc(field.units - bytes.length)])]
    })
  if (field.content === "xn") return fitted({ ...field, units: field.units - 1 }, canary, "0").map((text) => `C${text}`)
  return fitted(field, canary, field.content === "n" ? "0" : " ")
}
